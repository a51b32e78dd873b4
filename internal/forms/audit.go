package forms

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Audit is a page of who did what, the newest first.
type Audit struct {
	Frame
	Project Field // a pattern: what is of it alone
	Entries []Entry
	Newer   bool   // this is not the first page
	Older   string // the opaque place where the next page goes on; "": this is the last
}

// Entry is one thing that somebody did.
type Entry struct {
	At      time.Time
	By      string
	Address string // of the client; "": none
	Action  string // such as token.create
	Project string // a project or a pattern
	Target  string
	Detail  json.RawMessage // an object
}

// HTML is the whole document.
func (p Audit) HTML() []byte { return pages.HTML("audit", p) }

// Title is the page's.
func (p Audit) Title() string { return "Audit" }

// NextPage is the address of the entries before these.
func (p Audit) NextPage() string {
	q := url.Values{"before": {p.Older}}
	if p.Project.Value != "" {
		q.Set("project", p.Project.Value)
	}
	return AuditPath + "?" + q.Encode()
}

// acts is what each action comes to, in words.
var acts = map[string]string{
	"token.create":   "made a token",
	"token.revoke":   "revoked a token",
	"token.exchange": "exchanged a runner's identity for a token",
	"link.create":    "made a link",
	"link.revoke":    "revoked a link",
	"project.set":    "changed a project",
	"session.create": "signed in",
	"session.end":    "signed out everywhere",
	"build.prune":    "deleted old builds",
}

// Does is what was done, in words.
func (e Entry) Does() string {
	if words := acts[e.Action]; words != "" {
		return words
	}
	return e.Action
}

// Itself tells whether it was done to nothing that is not named already: who signs
// in, and a project that is set.
func (e Entry) Itself() bool {
	return e.Target == e.Project || strings.HasPrefix(e.Action, "session.")
}

// Facts are the details, a line each: "expires at: 22 Nov 2026, 10:00 UTC", and of
// a change "visibility: private → public".
func (e Entry) Facts() (facts []string) {
	var detail map[string]any
	if json.Unmarshal(e.Detail, &detail) != nil {
		return nil
	}
	for name, v := range detail {
		word := strings.ReplaceAll(name, "_", " ")
		if change, ok := v.(map[string]any); ok && len(change) == 2 {
			from, was := change["from"]
			to, is := change["to"]
			if was && is {
				facts = append(facts, fmt.Sprintf("%s: %s → %s", word, said(from), said(to)))
				continue
			}
		}
		if v != nil && v != "" {
			facts = append(facts, fmt.Sprintf("%s: %s", word, said(v)))
		}
	}
	slices.Sort(facts)
	return facts
}

// said is a value of JSON in words.
func said(v any) string {
	switch v := v.(type) {
	case nil:
		return "any"
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return minute(at)
		}
		return v
	case []any:
		if len(v) == 0 {
			return "none"
		}
		words := make([]string, len(v))
		for i := range v {
			words[i] = said(v[i])
		}
		return strings.Join(words, ", ")
	}
	text, _ := json.Marshal(v) // was read from JSON
	return string(text)
}
