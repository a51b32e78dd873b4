package forms

import (
	"crypto/rand"
	"embed"
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/page"
)

// Where the pages are.
const (
	SettingsPath = "/settings"
	TokensPath   = "/settings/tokens"
	AuditPath    = "/settings/audit"
	SignInPath   = "/sign-in"
	SignOutPath  = "/sign-out"
)

// ProjectPath is the address of a project's settings. A name needs no escaping.
func ProjectPath(project string) string { return SettingsPath + "/projects/" + project }

// SharePath is the address of the links to a build.
func SharePath(id ci.BuildID) string { return "/builds/" + id.String() + "/share" }

// SignInTo is where one signs in to come back to a path.
func SignInTo(back string) string {
	return SignInPath + "?" + url.Values{"back": {back}}.Encode()
}

// Frame is what every page has around it.
type Frame struct {
	page.Frame
	As    string // as whom whoever looks is signed in; "": nobody
	Admin bool   // whoever looks may administer something
	Done  string // what has just come to pass, in a sentence; "": nothing
}

// In says which of the pages with a place in the header this one is below.
func (f Frame) In() string {
	path, _, _ := strings.Cut(f.Address, "?")
	switch {
	case path == TokensPath, path == AuditPath:
		return path
	case path == SettingsPath, strings.HasPrefix(path, SettingsPath+"/"):
		return SettingsPath
	}
	return ""
}

// Field is what somebody typed, and what is wrong with it, in a sentence.
type Field struct{ Value, Wrong string }

//go:embed *.html
var files embed.FS

var pages = page.New(files, template.FuncMap{
	"minute":  minute,
	"project": ProjectPath,
	"build":   func(id ci.BuildID) string { return "/builds/" + id.String() },
	"share":   SharePath,
	"scope":   func(s ci.Scope) string { return scopes[s] },
	"scopes":  ci.Scopes,
	"has":     func(all []ci.Scope, s ci.Scope) bool { return slices.Contains(all, s) },
	"origins": Origins,
	"field":   func(name string, f Field) field { return field{name, f} },
	"ages":    func() []Age { return Ages },
	"once":    rand.Text, // by which a form that is sent twice is known
	"parts":   parts,

	"onlyHere": OnlyHere,
})

// parts are a name, which may run the other way, and the address or the id behind
// it: "Ada", " <ada@example.com>".
func parts(who string) [2]string {
	i := max(strings.LastIndex(who, " <"), strings.LastIndex(who, " ("))
	if i < 0 {
		i = len(who)
	}
	return [2]string{who[:i], who[i:]}
}

func minute(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04 UTC") }

// field is a field with its name, for the templates that all of them share.
type field struct {
	Name string
	Field
}

// scopes is what each is for, in a line.
var scopes = map[ci.Scope]string{
	ci.ScopeReport: "Write: builds, steps and their logs. For runners.",
	ci.ScopeRead:   "Read everything: logs, notes and searches too.",
	ci.ScopeStatus: "Read how builds and steps stand, and never a line of a log. For badges and for pages of others; the only one that may stand in an address.",
	ci.ScopeAdmin:  "Change settings, and make and end tokens and links.",
}

// Age is how long a token or a link is good, from when it is made.
type Age struct {
	Key, Name string
	Lasts     time.Duration // 0: for ever
}

// Ages are those that can be chosen.
var Ages = []Age{
	{"1h", "1 hour", time.Hour},
	{"1d", "1 day", 24 * time.Hour},
	{"7d", "7 days", 7 * 24 * time.Hour},
	{"30d", "30 days", 30 * 24 * time.Hour},
	{"90d", "90 days", 90 * 24 * time.Hour},
	{"365d", "1 year", 365 * 24 * time.Hour},
	{"never", "never", 0},
}

// OfLinks tells whether a link may last so long: they end, and within 90 days.
func (a Age) OfLinks() bool { return a.Lasts > 0 && a.Lasts <= 90*24*time.Hour }

// AgeOf finds one by its key; ok is false when there is none.
func AgeOf(key string) (age Age, ok bool) {
	i := slices.IndexFunc(Ages, func(a Age) bool { return a.Key == key })
	if i < 0 {
		return age, false
	}
	return Ages[i], true
}

// Token is a token, or a link, as a list shows it.
type Token struct {
	ID        string
	Name      string
	Scopes    []ci.Scope
	Project   string     // a pattern
	Build     ci.BuildID // the zero one: all of them
	Link      bool
	MadeBy    string // "": nobody knows
	CreatedAt time.Time
	UsedAt    *time.Time
	UsedFrom  string
	ExpiresAt *time.Time
	RevokedAt *time.Time
}

// Whole tells whether it is for projects, and not for one build.
func (t Token) Whole() bool { return t.Build == ci.BuildID{} }

// Called is by what the token is spoken of.
func (t Token) Called() string {
	if t.Name != "" {
		return t.Name
	}
	return t.ID
}

// State is whether the token is good at a moment, in a word.
func (t Token) State(now time.Time) string {
	switch {
	case t.RevokedAt != nil:
		return "revoked"
	case t.ExpiresAt != nil && !now.Before(*t.ExpiresAt):
		return "expired"
	}
	return "in force"
}

// InForce tells whether it is.
func (t Token) InForce(now time.Time) bool { return t.State(now) == "in force" }

// inForce are the tokens that are good at a moment, or those that are not.
func inForce(all []Token, now time.Time, good bool) (some []Token) {
	for _, t := range all {
		if t.InForce(now) == good {
			some = append(some, t)
		}
	}
	return some
}
