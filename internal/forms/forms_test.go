package forms

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/page"
	"github.com/stepcast/stepcast/internal/page/pagetest"
)

const hostile = pagetest.Hostile

var (
	now   = time.Date(2026, 11, 22, 10, 0, 0, 123456000, time.UTC)
	past  = now.Add(-time.Hour)
	id, _ = ci.ParseBuildID("3b241101-e2bb-4255-8caf-4136c566a962")
	frame = Frame{Frame: page.Frame{Address: `/settings?x="><script>`, At: now, Account: page.SignOut}, Admin: true, Done: "It was done."}
	bad   = Field{hostile, hostile}
	token = Token{ID: "0123456789abcdef", Name: hostile, Scopes: ci.Scopes(), Project: "acme/*", MadeBy: hostile, CreatedAt: now, UsedAt: &now, UsedFrom: hostile}
	link  = Token{ID: "fedcba9876543210", Scopes: []ci.Scope{ci.ScopeStatus}, Project: "acme/api", Build: id, Link: true, MadeBy: hostile, CreatedAt: now, ExpiresAt: &past}
)

// everyPage is each page with a hostile text wherever somebody else's can be.
func everyPage() map[string][]byte {
	ended := token
	ended.ID, ended.RevokedAt = "ended", &now
	tokens := []Token{token, link, ended}
	wanted := Wanted{Name: bad, Project: bad, Scopes: []ci.Scope{ci.ScopeRead}, ScopesWrong: hostile, Age: bad, Wrong: hostile}
	project := Project{Name: "acme/api", Public: true, Admin: true}
	build := ci.Build{ID: id, Project: "acme/api", Number: 1200, Title: hostile}
	return map[string][]byte{
		"sign in":            SignIn{Frame: frame, Back: hostile, Provider: hostile, Why: hostile, Token: bad}.HTML(),
		"signed in":          SignIn{Frame: frame, Back: "/x", Who: hostile}.HTML(),
		"settings":           Settings{Frame: frame, Who: hostile, Until: &now, Open: true, Grants: []ci.Grant{{Scopes: ci.Scopes(), Project: hostile}}, Projects: []Project{project}}.HTML(),
		"settings, nobody":   Settings{Frame: frame}.HTML(),
		"project":            ProjectSettings{Frame: frame, Project: project, Framers: bad, Tokens: tokens, More: true}.HTML(),
		"project, to look":   ProjectSettings{Frame: frame, Project: Project{Name: "acme/api"}, Framers: bad}.HTML(),
		"tokens":             Tokens{Frame: frame, Tokens: tokens, Newer: true, Older: hostile, Wanted: wanted}.HTML(),
		"made":               Made{Frame: frame, Token: token, Text: hostile, URL: hostile}.HTML(),
		"made, a link":       Made{Frame: frame, Token: link, Text: hostile, Here: hostile}.HTML(),
		"share":              Share{Frame: frame, Build: build, Links: []Token{link, {ID: "good", Build: id, Link: true, Scopes: ci.Scopes(), MadeBy: hostile}}, Age: bad, Wrong: hostile, Here: hostile}.HTML(),
		"question":           Question{Frame: frame, Heading: hostile, Says: []string{hostile}, Fields: [][2]string{{hostile, hostile}}, Yes: "Yes", No: "/x"}.HTML(),
		"refused":            Refused{Frame: frame, Heading: hostile, Says: hostile, Help: hostile}.HTML(),
		"audit":              Audit{Frame: frame, Project: bad, Older: hostile, Entries: []Entry{{At: now, By: hostile, Address: hostile, Action: hostile, Project: hostile, Target: hostile, Detail: detail(hostile)}}}.HTML(),
		"audit, and nothing": Audit{Frame: frame}.HTML(),
	}
}

func detail(s string) json.RawMessage {
	text, _ := json.Marshal(map[string]any{s: s, "visibility": map[string]any{"from": s, "to": nil}, "list": []string{s}})
	return text
}

func TestPages_Hostile(t *testing.T) {
	t.Parallel()
	for name, html := range everyPage() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := pagetest.Parse(t, html)
			read := all[0].Text
			for _, e := range pagetest.Named(all, "textarea") {
				read = strings.Replace(read, e.Text, "", 1)
			}
			if strings.Contains(read, "\u202e") {
				t.Errorf("a character that turns text around is in what is read:\n%s", html)
			}
			for _, e := range all {
				named := e.Attr["id"] != "" && slices.ContainsFunc(pagetest.Named(all, "label"), func(l *pagetest.Element) bool { return l.Attr["for"] == e.Attr["id"] })
				if field := slices.Contains([]string{"input", "select", "textarea"}, e.Name); field && e.Attr["type"] != "hidden" && !named {
					t.Errorf("the field %v has no label", e.Attr)
				}
				if e.Name == "form" && !slices.Contains([]string{"get", "post"}, e.Attr["method"]) {
					t.Errorf("a form without its method: %v", e.Attr)
				}
				if e.Attr["aria-invalid"] != "" && !strings.Contains(e.Attr["aria-describedby"], "-wrong") {
					t.Errorf("what is wrong with %v is not said beside it", e.Attr)
				}
			}
		})
	}
}

// TestPages_NoSecrets: what was typed comes back, but for a token.
func TestPages_NoSecrets(t *testing.T) {
	t.Parallel()
	html := SignIn{Frame: frame, Back: "/x", Token: Field{"stp_secret", "There is a typo in it."}}.HTML()
	if strings.Contains(string(html), "stp_secret") {
		t.Errorf("the page repeats the token:\n%s", html)
	}
	all := pagetest.Parse(t, html)
	if field := pagetest.Named(all, "input")[1]; field.Attr["aria-invalid"] != "true" || field.Attr["aria-describedby"] != "token-help token-wrong" || field.Attr["type"] != "password" {
		t.Errorf("the field is %v", field.Attr)
	}
	if _, focused := pagetest.Named(all, "input")[1].Attr["autofocus"]; !focused {
		t.Error("what is wrong does not have the focus")
	}
}

func TestMay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		grant ci.Grant
		want  string
	}{
		{ci.Grant{Scopes: []ci.Scope{ci.ScopeAdmin, ci.ScopeRead}, Project: "acme/*"}, "read builds of all projects below acme, logs too; change settings, tokens and links of all projects below acme"},
		{ci.Grant{Scopes: []ci.Scope{ci.ScopeReport}, Project: "*"}, "report builds of all projects"},
		{ci.Grant{Scopes: []ci.Scope{ci.ScopeStatus}, Project: "acme/api"}, "see how builds of acme/api stand"},
		{ci.Grant{Scopes: []ci.Scope{ci.ScopeRead}, Project: "acme/api", Build: id}, "read one build of acme/api, logs too"},
	} {
		if got := strings.Join(May(c.grant), "; "); got != c.want {
			t.Errorf("%v: %q, want %q", c.grant, got, c.want)
		}
	}
}

// TestSettings_MayOnce: what a wider grant allows is not said again of a narrower
// one, whichever comes first.
func TestSettings_MayOnce(t *testing.T) {
	t.Parallel()
	all := ci.Grant{Scopes: []ci.Scope{ci.ScopeRead}, Project: "acme/*"}
	one := ci.Grant{Scopes: []ci.Scope{ci.ScopeRead, ci.ScopeAdmin}, Project: "acme/api"}
	link := ci.Grant{Scopes: []ci.Scope{ci.ScopeRead}, Project: "acme/api", Build: id}
	want := []string{"change settings, tokens and links of acme/api", "read builds of all projects below acme, logs too"}
	for _, grants := range [][]ci.Grant{{all, one, link, all}, {link, one, all}} {
		got := Settings{Grants: grants}.May()
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%v: %q, want %q", grants, got, want)
		}
	}
}

// TestSettings_Nothing: who was given nothing is told so, and who could help; on
// a server that is open to all there is nothing to be given.
func TestSettings_Nothing(t *testing.T) {
	t.Parallel()
	const said = "You were given nothing yet"
	for want, page := range map[bool]Settings{
		true:  {Who: "Eve <eve@example.com>"},
		false: {Who: "Eve <eve@example.com>", Open: true},
	} {
		if got := strings.Contains(string(page.HTML()), said); got != want {
			t.Errorf("%+v: said %v", page, got)
		}
	}
}

// TestMade_InAddress: an address that asks for something already goes on with
// the token.
func TestMade_InAddress(t *testing.T) {
	t.Parallel()
	for scope, want := range map[ci.Scope]bool{ci.ScopeStatus: true, ci.ScopeRead: false} {
		html := string(Made{Frame: frame, Token: Token{Scopes: []ci.Scope{scope}}, Text: "stp_x"}.HTML())
		for _, words := range []string{"?token=stp_x</textarea>", "<code>&amp;token=</code>"} {
			if got := strings.Contains(html, words); got != want {
				t.Errorf("%s: %q said %v", scope, words, got)
			}
		}
	}
}

// TestSettings_BuildsOnce: a row that is a card says once what a link says.
func TestSettings_BuildsOnce(t *testing.T) {
	t.Parallel()
	html := string(Settings{Frame: frame, Projects: []Project{{Name: "acme/api"}}}.HTML())
	if words := `data-label="Builds"`; strings.Contains(html, words) || !strings.Contains(html, `>Builds<span class="unseen"> of acme/api</span>`) {
		t.Errorf("%s", html)
	}
}

// TestWho: a name that is written from right to left leaves the address where it
// is.
func TestWho(t *testing.T) {
	t.Parallel()
	for who, want := range map[string]string{
		"\u0645\u062d\u0645\u062f <m@example.com>": "<bdi>\u0645\u062d\u0645\u062f</bdi> &lt;m@example.com&gt;",
		"Ada (x) <ada@example.com>":                "<bdi>Ada (x)</bdi> &lt;ada@example.com&gt;",
		"Ada":                                      "<bdi>Ada</bdi>",
		"<ada":                                     "<bdi>&lt;ada</bdi>",
	} {
		if html := string((SignIn{Frame: frame, Who: who}).HTML()); !strings.Contains(html, "<strong>"+want+"</strong>") {
			t.Errorf("%q: %s", who, html)
		}
	}
}

func TestEntry_Facts(t *testing.T) {
	t.Parallel()
	e := Entry{Detail: json.RawMessage(`{"visibility":{"from":"private","to":"public"},"frame_ancestors":{"from":null,"to":["https://a.example","https://b.example"]},"name":"portal","expires_at":null,"scopes":["read"]}`)}
	want := []string{"frame ancestors: any → https://a.example, https://b.example", "name: portal", "scopes: read", "visibility: private → public"}
	if got := e.Facts(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, text := range []string{"", "null", "[]", "{"} {
		if got := (Entry{Detail: json.RawMessage(text)}).Facts(); got != nil {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestToken_State(t *testing.T) {
	t.Parallel()
	later := now.Add(1)
	for _, c := range []struct {
		token Token
		want  string
	}{
		{Token{}, "in force"}, {Token{ExpiresAt: &later}, "in force"}, {Token{ExpiresAt: &now}, "expired"}, {Token{ExpiresAt: &now, RevokedAt: &past}, "revoked"},
	} {
		if got := c.token.State(now); got != c.want {
			t.Errorf("%v: %q, want %q", c.token, got, c.want)
		}
	}
}
