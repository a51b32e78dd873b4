package server

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/forms"
	"github.com/stepcast/stepcast/internal/page/pagetest"
	"github.com/stepcast/stepcast/internal/pgtest"
)

// adminOf is a browser that has signed in with a token to administer, and read,
// what a pattern covers.
func (s *testServer) adminOf(pattern string) *browser {
	s.t.Helper()
	return s.browser().signIn(s.tokenFor(pattern, ci.ScopeAdmin, ci.ScopeRead))
}

// tells says whether a page has these words, in one place or over several.
func (a answer) tells(t *testing.T, words string) bool {
	t.Helper()
	return strings.Contains(strings.Join(strings.Fields(pagetest.Parse(t, []byte(a.body))[0].Text), " "), words)
}

// linked is where the link with this text leads on a page.
func (a answer) linked(t *testing.T, text string) string {
	t.Helper()
	to := pagetest.Linked(pagetest.Parse(t, []byte(a.body)), text)
	if u, err := url.Parse(to); err == nil && u.RawQuery != "" { // however it is escaped
		to = u.Path + "?" + u.Query().Encode()
	}
	return to
}

// leadsTo is where an answer leads; "" unless it is a 303.
func (a answer) leadsTo() string {
	if a.status != http.StatusSeeOther {
		return ""
	}
	return a.header.Get("Location")
}

// form is what a page has in its fields, by name, but for those that send nothing.
func form(t *testing.T, a answer) map[string][]string {
	t.Helper()
	fields := map[string][]string{}
	all := pagetest.Parse(t, []byte(a.body))
	for _, e := range all {
		_, checked := e.Attr["checked"]
		switch name := e.Attr["name"]; {
		case name == "" || e.Name == "button" || e.Name == "meta":
		case e.Name == "textarea":
			fields[name] = append(fields[name], strings.TrimPrefix(e.Text, "\n"))
		case e.Attr["type"] != "checkbox" && e.Attr["type"] != "radio" || checked:
			fields[name] = append(fields[name], e.Attr["value"])
		}
	}
	return fields
}

// wrong is what a page says beside a field that was refused.
func wrong(t *testing.T, a answer, name string) string {
	t.Helper()
	all := pagetest.Parse(t, []byte(a.body))
	for _, e := range all {
		if e.Attr["id"] == name+"-wrong" {
			marked := slices.ContainsFunc(all, func(e *pagetest.Element) bool {
				_, focused := e.Attr["autofocus"]
				return e.Attr["aria-invalid"] == "true" && focused && slices.Contains(strings.Fields(e.Attr["aria-describedby"]), name+"-wrong")
			})
			if !marked {
				t.Errorf("what is wrong with %s is not said of its field, or it has not the focus:\n%s", name, a.body)
			}
			return strings.TrimPrefix(strings.Join(strings.Fields(e.Text), " "), "! ")
		}
	}
	return ""
}

// TestForms_Forgery: whatever writes takes no request that a browser makes on
// behalf of another site, even with the cookie of somebody who may.
func TestForms_Forgery(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := strings.TrimPrefix(s.create(`{"project":"acme/api"}`), "/api/v1/builds/")
	b := s.adminOf("*")
	for _, r := range s.routes() {
		if r.method == http.MethodGet {
			continue
		}
		path := strings.NewReplacer(":id", build, "projects/*", "projects/acme/api", "*", "test", ":token", "0123456789abcdef", ":link", "0123456789abcdef").Replace(r.path)
		for _, from := range [][]string{
			{"Sec-Fetch-Site: cross-site"}, {"Sec-Fetch-Site: same-site"},
			{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Origin: https://portal.example"},
			{"Sec-Fetch-Site: ", "Origin: https://portal.example"}, {"Sec-Fetch-Site: ", "Origin: null"},
		} {
			fields := url.Values{"visibility": {"public"}, "sure": {"yes"}, "name": {"x"}, "project": {"*"}, "scope": {"read"}, "expires": {"1d"}, "everywhere": {"1"}}
			a := b.do(r.method, path, fields.Encode(), append([]string{"Content-Type: application/x-www-form-urlencoded"}, from...)...)
			if a.status != http.StatusForbidden || !strings.Contains(a.body, "on behalf of another site") {
				t.Errorf("%s %s with %q: %d %.200s", r.method, path, from, a.status, a.body)
			}
		}
	}
	if a := b.get("/settings"); !a.tells(t, "You are signed in") || !a.tells(t, "acme/api private") {
		t.Errorf("after that: %s", a.body)
	}
}

// TestForms_SendStrangersToSignIn: and bring them back to where they wanted to
// go.
func TestForms_SendStrangersToSignIn(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	build := strings.TrimPrefix(s.create(`{"project":"acme/api"}`), "/api/v1/builds/")
	admin := s.tokenFor("*", ci.ScopeAdmin)
	for _, path := range []string{
		"/settings", "/settings/tokens?project=acme%2Fapi", "/settings/audit", "/settings/projects/acme/api", "/settings/projects/none", "/builds/" + build + "/share",
	} {
		b := s.browser()
		to := b.get(path).leadsTo()
		if to != forms.SignInTo(path) {
			t.Errorf("%s leads to %q", path, to)
			continue
		}
		sign := b.get(to)
		if got := form(t, sign)["back"]; sign.status != http.StatusOK || !slices.Equal(got, []string{path}) {
			t.Errorf("%s: %d, and back to %q", to, sign.status, got)
		}
		if want := map[bool]string{true: "--scope read", false: "--scope admin"}[path == "/settings"]; !sign.tells(t, "stepcast token create "+want) {
			t.Errorf("%s: where to get a token that will do is not said: %s", path, sign.body)
		}
		if got := b.send("/sign-in", "token", admin, "back", path).leadsTo(); got != path {
			t.Errorf("from there one comes to %q, not to %q", got, path)
		}
	}
	if to := s.browser().send("/settings/tokens?before=x", "revoke", "x").leadsTo(); to != forms.SignInTo("/settings/tokens")+"&unsent=1" || !s.browser().get(to).tells(t, "Nothing was changed: you are not signed in any more.") {
		t.Errorf("a form leads to %q", to)
	}
	for path, why := range map[string]string{"/settings": "for whoever has signed in", "/settings/audit": "takes the role admin"} {
		if a := s.browser().get(forms.SignInTo(path)); !a.tells(t, why) {
			t.Errorf("why one is there from %s: %s", path, a.body)
		}
		if a := s.browser().get(forms.SignInTo(path) + "&done=signed-out"); a.tells(t, why) {
			t.Errorf("signed out on %s: %s", path, a.body)
		}
	}
	// Who has opened a link is not signed in by that, and who is signed in can do what that is for.
	b := s.browser().signIn(s.tokenFor("acme/*", ci.ScopeRead))
	for path, want := range map[string]string{
		"/settings/tokens": "It takes the role admin", "/settings/audit": "It takes the role admin", "/builds/" + build + "/share": "It takes the role admin",
		"/settings/projects/none": "There is no such project", "/builds/00000000-0000-4000-8000-000000000000/share": "It takes the role admin", "/settings/nothing": "There is nothing at this address",
	} {
		if a := b.get(path); a.status != http.StatusForbidden && a.status != http.StatusNotFound || !a.tells(t, want) || a.linked(t, "Sign in as somebody else") != forms.SignInTo(path) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if a := b.get("/settings/projects/acme/api"); a.status != http.StatusOK || !a.tells(t, "It is private.") || strings.Contains(a.body, "<form") {
		t.Errorf("the settings, to look at: %d %s", a.status, a.body)
	}
	if a := b.get("/settings"); !a.tells(t, `You are signed in as the token "for acme/*"`) || !a.tells(t, "read builds of all projects below acme, logs too") || a.linked(t, "Tokens") != "" {
		t.Errorf("who one is: %s", a.body)
	}
	if a := b.get("/settings/tokens"); !a.tells(t, `You are signed in as the token "for acme/*"`) {
		t.Errorf("who may not do it: %s", a.body)
	}
}

// TestForms_OfAnother: a page that was opened by one person changes nothing in the
// name of another, who has signed in meanwhile.
func TestForms_OfAnother(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := strings.TrimPrefix(s.create(`{"project":"acme/api"}`), "/api/v1/builds/")
	b := s.adminOf("acme/*")
	as := map[string]string{}
	paths := []string{"/settings/tokens", "/settings/projects/acme/api", "/builds/" + build + "/share"}
	for _, path := range paths {
		as[path] = form(t, b.get(path))["as"][0]
	}
	b.signIn(s.tokenFor("*", ci.ScopeAdmin, ci.ScopeRead))
	for _, path := range paths {
		fields := []string{"name", "meant by another", "project", "acme/api", "scope", "read", "expires", "1d", "visibility", "private"}
		a := b.send(path, append(fields, "as", as[path])...)
		if a.status != http.StatusConflict || !a.tells(t, `The page was opened as the token "for acme/*"`) || !a.tells(t, `you are signed in as the token "for *"`) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
		if a := b.send(path, append(fields, "as", form(t, b.get(path))["as"][0])...); a.status != http.StatusOK && a.status != http.StatusSeeOther {
			t.Errorf("%s, as who one is: %d %s", path, a.status, a.body)
		}
	}
	if a := b.get("/settings/tokens"); strings.Count(a.body, "<bdi>meant by another</bdi>") != 1 {
		t.Errorf("the tokens: %s", a.body)
	}
}

// TestForms_TellWhoHasNothing: and what one sees of each project, if not all.
func TestForms_TellWhoHasNothing(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	s.create(`{"project":"acme/api"}`)
	watcher := s.browser().signIn(s.tokenFor("*", ci.ScopeStatus))
	if a := watcher.get("/settings"); !a.tells(t, "acme/api private see how it stands") || a.tells(t, "You were given nothing yet") {
		t.Errorf("a watcher: %s", a.body)
	}
	b := s.browser().signIn(s.tokenFor("*", ci.ScopeRead))
	if a := b.get("/settings"); !a.tells(t, "acme/api private read it") {
		t.Errorf("a reader: %s", a.body)
	}
}

// TestForms_Project: what is set by the page is set for the API, and the other
// way around; before anything becomes public, it is asked.
func TestForms_Project(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.create(`{"project":"acme/api"}`)
	s.create(`{"project":"other/web"}`)
	b := s.adminOf("acme/*")
	const path = "/settings/projects/acme/api"
	if a := b.get(path); a.status != http.StatusOK || !slices.Equal(form(t, a)["visibility"], []string{"private"}) || !slices.Equal(form(t, a)["framers"], []string{"any"}) {
		t.Fatalf("at first: %d %s", a.status, a.body)
	}
	public := func() bool { return strings.Contains(s.get("/api/v1/projects/acme/api").body, `"visibility":"public"`) }

	asked := b.send(path, "visibility", "public")
	if asked.status != http.StatusOK || !asked.tells(t, "Make acme/api public?") || public() {
		t.Fatalf("it is not asked: %d %s", asked.status, asked.body)
	}
	var sure []string
	for name, values := range form(t, asked) {
		sure = append(sure, name, values[0])
	}
	if to := b.send(path, sure...).leadsTo(); to != path+"?done=public" || !public() || !b.get(to).tells(t, "The project is public.") {
		t.Errorf("then: %q, public %v", to, public())
	}
	if to := b.send(path, "visibility", "public").leadsTo(); to != path+"?done=public" {
		t.Errorf("what is public already is asked about: %q", to)
	}
	if to := b.send(path, "visibility", "private").leadsTo(); to != path+"?done=private" || public() {
		t.Errorf("and back: %q, public %v", to, public())
	}

	refused := b.send(path, "framers", "some", "origins", "https://portal.example\r\nportal.example/x")
	if got := wrong(t, refused, "origins"); refused.status != http.StatusBadRequest || !strings.Contains(got, `portal.example/x`) {
		t.Errorf("an origin that is none: %d %q", refused.status, got)
	}
	if got := form(t, refused); !slices.Equal(got["framers"], []string{"some"}) || strings.Join(strings.Fields(got["origins"][0]), " ") != "https://portal.example portal.example/x" {
		t.Errorf("the form forgets what was typed: %v", got)
	}
	for _, c := range []struct {
		fields []string
		want   string
	}{
		{[]string{"framers", "some", "origins", " https://portal.example \r\n\r\nhttps://b.example"}, `["https://portal.example","https://b.example"]`},
		{[]string{"framers", "some", "origins", ""}, `[]`},
		{[]string{"framers", "any", "origins", "https://portal.example"}, `null`},
	} {
		if to := b.send(path, c.fields...).leadsTo(); to != path+"?done=saved" || !strings.Contains(s.get("/api/v1/projects/acme/api").body, `"frame_ancestors":`+c.want) {
			t.Errorf("%q leads to %q, and it is %s", c.fields, to, s.get("/api/v1/projects/acme/api").body)
		}
	}

	// Of others nothing is to be seen or changed, public or not.
	s.setVisibility("other/web", "public")
	if a := b.send("/settings/projects/other/web", "visibility", "private"); a.status != http.StatusNotFound {
		t.Errorf("another project: %d %s", a.status, a.body)
	}
	for _, form := range [][]string{{"visibility", "secret"}, {"visibility", ""}} {
		if a := b.send(path, form...); a.status != http.StatusBadRequest || !a.tells(t, "public or private") {
			t.Errorf("%q: %d %s", form, a.status, a.body)
		}
	}
}

var madeToken = regexp.MustCompile(`stp_[0-9A-Za-z]{36}`)

// TestForms_Tokens: a token is shown once, can do what was chosen, and is
// revoked when it was asked whether it should be.
func TestForms_Tokens(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"acme/api"}`)
	b := s.adminOf("acme/*")
	if got := form(t, b.get("/settings/tokens"))["project"]; !slices.Equal(got, []string{"acme/*"}) {
		t.Errorf("the form begins with %q", got)
	}
	if got := form(t, b.get("/settings/tokens?project=acme%2Fapi"))["project"]; !slices.Equal(got, []string{"acme/api"}) {
		t.Errorf("for a project the form begins with %q", got)
	}

	typed := map[string]string{"name": "portal", "project": "acme/*", "scope": "status", "expires": "7d"}
	for _, c := range []struct {
		field, value, at, says string
		status                 int
	}{
		{"project", "", "project", "A token needs the project", 400},
		{"project", "a//b", "project", "The project pattern", 400},
		{"project", "other/*", "project", "You administer acme/* and cannot make a token for other/*.", 403},
		{"project", "*", "project", "You administer acme/*", 403},
		{"name", "a\nb", "name", "", 400},
		{"name", strings.Repeat("x", 201), "name", "200", 400},
		{"scope", "", "scopes", "A token needs a scope", 400},
		{"scope", "root", "scopes", "A token needs a scope", 400},
		{"expires", "forever", "expires", "Choose one of these.", 400},
	} {
		var fields []string
		for name, value := range typed {
			if name == c.field {
				value = c.value
			}
			fields = append(fields, name, value)
		}
		a := b.send("/settings/tokens", fields...)
		if got := wrong(t, a, c.at); a.status != c.status || !strings.Contains(got, c.says) || got == "" {
			t.Errorf("%s %q: %d, and beside %s %q", c.field, c.value, a.status, c.at, got)
		}
		got := form(t, a)
		if c.field != "name" && !slices.Equal(got["name"], []string{"portal"}) || c.field != "scope" && !slices.Equal(got["scope"], []string{"status"}) || c.field == "project" && !slices.Equal(got["project"], []string{c.value}) {
			t.Errorf("%s %q: the form forgets what was typed: %v", c.field, c.value, got)
		}
	}

	made := b.send("/settings/tokens", "name", pagetest.Hostile[:100], "project", "acme/api", "scope", "read", "expires", "never")
	text := madeToken.FindString(made.body)
	if made.status != http.StatusOK || made.header.Get("Cache-Control") != "no-store" || text == "" || !made.tells(t, "It is shown this once") {
		t.Fatalf("made: %d %v %s", made.status, made.header, made.body)
	}
	pagetest.Parse(t, []byte(made.body))
	if a := s.get(build, "Authorization: Bearer "+text); a.status != http.StatusOK {
		t.Errorf("the token: %d %s", a.status, a.body)
	}
	sum, _ := ci.ParseToken(text)
	id := ci.TokenID(sum)
	for _, path := range []string{"/settings/tokens", "/settings/projects/acme/api", "/settings/audit"} {
		if a := b.get(path); strings.Contains(a.body, text) || !strings.Contains(a.body, id) {
			t.Errorf("%s has the text of the token, or not its id: %s", path, a.body)
		}
	}

	// A double click sends a form twice, and makes one token. Whoever changes a word of it means another.
	twice := []string{"once", form(t, b.get("/settings/tokens"))["once"][0], "project", "acme/api", "scope", "read", "expires", "7d", "name"}
	once := madeToken.FindString(b.send("/settings/tokens", append(twice, "first")...).body)
	if again := b.send("/settings/tokens", append(twice, "first")...); once == "" || madeToken.FindString(again.body) != once {
		t.Errorf("sent twice: %d %s", again.status, again.body)
	}
	for name, other := range map[string]*browser{"second": b, "first": s.adminOf("acme/*")} {
		if text := madeToken.FindString(other.send("/settings/tokens", append(twice, name)...).body); text == "" || text == once {
			t.Errorf("%s, or by another: %q", name, text)
		}
	}
	sum, _ = ci.ParseToken(once)
	b.send("/settings/tokens", "revoke", ci.TokenID(sum))
	if a := b.send("/settings/tokens", append(twice, "first")...); a.status != http.StatusConflict || !a.tells(t, "is revoked by now") {
		t.Errorf("sent again, when it was revoked: %d %s", a.status, a.body)
	}

	asks := b.get("/settings/tokens").linked(t, "Revoke "+strings.Join(strings.Fields(visibleName(pagetest.Hostile[:100])), " "))
	if asks != "/settings/tokens?revoke="+id {
		t.Fatalf("to revoke it leads to %q", asks)
	}
	if a := b.get(asks); a.status != http.StatusOK || !a.tells(t, "It cannot be undone") || !slices.Equal(form(t, a)["revoke"], []string{id}) {
		t.Errorf("it is not asked: %d %s", a.status, a.body)
	}
	stranger := s.adminOf("other/*")
	for _, a := range []answer{stranger.get(asks), stranger.send("/settings/tokens", "revoke", id), b.get("/settings/tokens?revoke=x"), b.send("/settings/tokens", "revoke", "x")} {
		if a.status != http.StatusNotFound || !a.tells(t, "There is no such token.") {
			t.Errorf("what is no token, or not one's own: %d %s", a.status, a.body)
		}
	}
	if to := b.send("/settings/tokens", "revoke", id).leadsTo(); to != "/settings/tokens?done=token-revoked" || !b.get(to).tells(t, "The token was revoked.") {
		t.Errorf("revoked: %q", to)
	}
	if a := s.get(build, "Authorization: Bearer "+text); a.status != http.StatusUnauthorized {
		t.Errorf("the token then: %d %s", a.status, a.body)
	}
	if a := b.get("/settings/tokens"); !a.tells(t, "2 tokens that ended") {
		t.Errorf("the list then: %s", a.body)
	}
}

// visibleName is a name as a page shows it, once its HTML is read.
func visibleName(name string) string {
	return strings.ReplaceAll(html.UnescapeString(html.EscapeString(name)), "\u202e", `\u202e`)
}

// TestForms_Share: a link shows one build, and its text is shown once.
func TestForms_Share(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	s := startOn(t, database, withSignIn)
	build := strings.TrimPrefix(s.create(`{"project":"acme/api","title":"`+"\u202e"+`<b>"}`), "/api/v1/builds/")
	b := s.adminOf("acme/*")
	path := "/builds/" + build + "/share"
	public := startOn(t, database, withSignIn, func(cfg *Config) { cfg.PublicURL = "https://ci.example" })
	if here := "open only on its own machine: its address is "; !b.get(path).tells(t, here+s.url) || !s.browser().get("/sign-in?back="+path).tells(t, here+s.url) ||
		public.browser().get("/sign-in?back="+path).tells(t, here) {
		t.Error("at an address of this very machine it is not said that links lead nobody else there, or at another one it is")
	}
	if port := s.url[strings.LastIndex(s.url, ":"):]; !b.get(path).tells(t, "--listen 0.0.0.0"+port+" and --public-url http://NAME"+port+",") {
		t.Error("it is not said how others get to the same port")
	}
	if a := b.get(path); a.status != http.StatusOK || !slices.Equal(form(t, a)["scope"], []string{"read"}) || !a.tells(t, "None is in force.") {
		t.Fatalf("at first: %d %s", a.status, a.body)
	}
	for _, c := range []struct{ scope, expires, at string }{
		{"read", "", "expires"}, {"read", "never", "expires"}, {"read", "365d", "expires"}, {"admin", "1d", ""}, {"", "1d", ""},
	} {
		a := b.send(path, "scope", c.scope, "expires", c.expires)
		if a.status != http.StatusBadRequest || c.at != "" && wrong(t, a, c.at) == "" || c.at == "" && !a.tells(t, "A link has the scope read or status") {
			t.Errorf("%+v: %d %s", c, a.status, a.body)
		}
	}
	fields := []string{"scope", "status", "expires", "1d", "once", form(t, b.get(path))["once"][0]}
	made := b.send(path, fields...)
	link := regexp.MustCompile(`http://[^<"]+\?link=(stl_[0-9A-Za-z]{36})`).FindStringSubmatch(made.body)
	if again := b.send(path, fields...); link == nil || !strings.Contains(again.body, link[0]) {
		t.Fatalf("sent twice: %d %s", again.status, again.body)
	}
	if !made.tells(t, "open only on its own machine") {
		t.Errorf("where the link opens is not said: %s", made.body)
	}
	if made.status != http.StatusOK || made.header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(link[0], s.url+"/builds/"+build) {
		t.Fatalf("made: %d %v %s", made.status, made.header, made.body)
	}
	sum, _ := ci.ParseLink(link[1])
	id := ci.TokenID(sum)
	for _, page := range []string{path, "/settings/projects/acme/api", "/settings/audit"} {
		if a := b.get(page); strings.Contains(a.body, link[1]) || !strings.Contains(a.body, id) {
			t.Errorf("%s has the text of the link, or not its id: %s", page, a.body)
		}
	}
	asks := b.get(path).linked(t, "Revoke "+id)
	if asks != path+"?revoke="+id || b.get("/settings/projects/acme/api").linked(t, "Revoke "+id) != asks {
		t.Fatalf("to revoke it leads to %q", asks)
	}
	if a := b.get(asks); a.status != http.StatusOK || !slices.Equal(form(t, a)["revoke"], []string{id}) {
		t.Errorf("it is not asked: %d %s", a.status, a.body)
	}
	if to := b.send(path, "revoke", id).leadsTo(); to != path+"?done=link-revoked" || !b.get(to).tells(t, "1 link that ended") {
		t.Errorf("revoked: %q", to)
	}
}

// TestForms_Audit: it is read a page at a time, of what one administers.
func TestForms_Audit(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.create(`{"project":"acme/api"}`)
	b := s.adminOf("acme/*")
	for range defaultListed/2 + 1 {
		b.send("/settings/projects/acme/api", "visibility", "public", "sure", "yes")
		b.send("/settings/projects/acme/api", "visibility", "private")
	}
	first := b.get("/settings/audit?project=acme%2Fapi")
	older := first.linked(t, "Older entries")
	if first.status != http.StatusOK || !first.tells(t, "visibility: public → private") || !strings.HasPrefix(older, "/settings/audit?before=") || !strings.HasSuffix(older, "&project=acme%2Fapi") {
		t.Fatalf("%d, older at %q: %s", first.status, older, first.body)
	}
	rest := b.get(older)
	if rest.status != http.StatusOK || rest.linked(t, "Older entries") != "" || rest.linked(t, "Newest entries") != "/settings/audit?project=acme%2Fapi" || strings.Count(rest.body, "changed a project") != 2 {
		t.Errorf("older: %d %s", rest.status, rest.body)
	}
	if a := b.get("/settings/audit?project=a%2F%2Fb"); a.status != http.StatusBadRequest || wrong(t, a, "project") == "" || !slices.Equal(form(t, a)["project"], []string{"a//b"}) {
		t.Errorf("a pattern that is none: %d %s", a.status, a.body)
	}
	if a := s.adminOf("other/*").get("/settings/audit?project=acme%2Fapi"); !a.tells(t, "Nothing that you may see was done to it.") {
		t.Errorf("another's: %s", a.body)
	}
}

// TestPages_SayWhatOneCanDoAboutWhoOneIs: the app is told with its document, for
// it asks nobody.
func TestPages_SayWhatOneCanDoAboutWhoOneIs(t *testing.T) {
	t.Parallel()
	open, closed := start(t), startOn(t, pgtest.New(t), withSignIn)
	read := closed.tokenFor("*", ci.ScopeRead)
	for _, c := range []struct {
		name, app, plain string
		browser          *browser
	}{
		{"without sign-in", ``, "", open.browser()},
		{"without sign-in, with a token", ` data-account="Sign out" data-session="\d+"`, "Sign out", open.browser().signIn(open.tokenFor("*", ci.ScopeRead))},
		{"nobody", ` data-account="Sign in" data-without="start share"`, "Sign in", closed.browser()},
		{"somebody", ` data-account="Sign out" data-session="\d+"`, "Sign out", closed.browser().signIn(read)},
	} {
		for path, status := range map[string]int{"/": 200, "/wall": 200, "/builds/x": 200, "/nothing": 404} {
			a := c.browser.get(path, "Accept: text/html")
			if a.status != status || !regexp.MustCompile(`<stepcast-app`+c.app+`></stepcast-app>`).MatchString(a.body) || c.browser.base == closed.url && !strings.Contains(strings.Join(a.header.Values("Vary"), ", "), "Cookie") {
				t.Errorf("%s, %s: %d %v %s", c.name, path, a.status, a.header, a.body)
			}
		}
		if a := c.browser.get("/embed"); !regexp.MustCompile(`<embed-gallery` + c.app + `></embed-gallery>`).MatchString(a.body) {
			t.Errorf("%s, the gallery: %s", c.name, a.body)
		}
		link := `<a href="` + forms.SignInTo("/embed?project=acme%2Fapi") + `">` + c.plain + `</a><theme-button>`
		if a := c.browser.get("/embed?project=acme%2Fapi"); strings.Contains(a.body, link) != (c.plain != "") || c.plain == "" && strings.Contains(a.body, forms.SignInPath) {
			t.Errorf("%s, the header of the gallery: %s", c.name, a.body)
		}
		if a := c.browser.get("/plain?project=acme%2F*"); a.linked(t, "Settings") != "/settings" || c.plain != "" && a.linked(t, c.plain) != forms.SignInTo("/plain?project=acme%2F*") {
			t.Errorf("%s, the accessible view: %s", c.name, a.body)
		}
		// That one may have to sign in is said whether or not there is such a thing.
		for _, path := range []string{"/plain/nothing", "/plain/builds/00000000-0000-4000-8000-000000000000", "/plain" + strings.TrimPrefix(closed.create(`{"project":"p"}`), "/api/v1")} {
			if a := c.browser.get(path); a.status == 404 && a.tells(t, "it may be that you may not see it") != (c.plain == "Sign in") {
				t.Errorf("%s, %s: %s", c.name, path, a.body)
			}
		}
	}
}

// TestPages_SayWhatIsNotForTheirVisitor: the app offers nothing that would be
// refused.
func TestPages_SayWhatIsNotForTheirVisitor(t *testing.T) {
	t.Parallel()
	open, closed := start(t), startOn(t, pgtest.New(t), withSignIn)
	private, public := closed.secretive("acme/api"), closed.secretive("acme/open")
	closed.setVisibility("acme/open", "public")
	guest := closed.browser()
	for _, build := range []string{private, public} {
		_, link := closed.link("/api/v1/builds/"+build, `{}`)
		guest.visit(link)
	}
	for name, c := range map[string]struct {
		browser             *browser
		list, build, public string
	}{
		"an open server":        {open.browser(), "", "", ""},
		"one signed in there":   {open.browser().signIn(open.tokenFor("*", ci.ScopeRead)), "", "", ""},
		"nobody":                {closed.browser(), "start share", "start share", "start share"},
		"a watcher":             {closed.browser().signIn(closed.tokenFor("*", ci.ScopeStatus)), "start", "start logs share", "start share"},
		"a reader of some":      {closed.browser().signIn(closed.tokenFor("acme/*", ci.ScopeRead)), "start", "start share", "start share"},
		"a reader of all":       {closed.browser().signIn(closed.tokenFor("*", ci.ScopeRead)), "", "share", "share"},
		"who follows links":     {guest, "start", "start share others", "start share"},
		"who may see nothing":   {closed.browser().signIn(closed.tokenFor("other", ci.ScopeRead)), "start", "start", "start share"},
		"an administrator":      {closed.adminOf("*"), "", "", ""},
		"an administrator only": {closed.browser().signIn(closed.tokenFor("acme/*", ci.ScopeStatus, ci.ScopeAdmin)), "start", "start logs", "start"},
	} {
		for path, want := range map[string]string{"/": c.list, "/builds/" + private: c.build, "/builds/" + public: c.public} {
			a := c.browser.get(path, "Accept: text/html")
			var got string
			if m := regexp.MustCompile(` data-without="([^"]*)"`).FindStringSubmatch(a.body); m != nil {
				got = m[1]
			}
			if got != want {
				t.Errorf("%s, %s: without %q, want %q", name, path, got, want)
			}
			if path == "/" {
				continue
			}
			// Nor does the accessible view, to whom it shows the build.
			if a := c.browser.get("/plain" + path); a.status == 200 && (a.linked(t, "Share this build") != "") == strings.Contains(want, "share") {
				t.Errorf("%s, /plain%s, without %q: %s", name, path, want, a.body)
			}
		}
	}
}

// A wallboard hangs where nobody types: an address that it would have to guess
// about is answered with what is wrong.
func TestWall_SaysWhatIsWrongWithItsAddress(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	for query, want := range map[string]struct {
		status int
		says   string
	}{
		"?projects=acme/*":                        {400, "The parameter \"projects\" is unknown here; there are project, branch, mode, cols, token."},
		"?mode=problem":                           {400, "The parameter mode is all or problems."},
		"?token=stp_nonsense":                     {401, "token"},
		"?token=" + s.tokenFor("*", ci.ScopeRead): {401, "Addresses are seen by many"},
		"?token=" + s.tokenFor("*", ci.ScopeStatus) + "&project=acme/*&project=b&branch=main&mode=all&cols=4": {200, ""},
	} {
		a := s.browser().get("/wall"+query, "Accept: text/html")
		if a.status != want.status || want.says != "" && !a.tells(t, want.says) {
			t.Errorf("/wall%s: %d %s", query, a.status, a.body)
		}
		if want.status != 200 && (!strings.Contains(a.body, `class="far"`) || strings.Contains(a.body, "Sign in")) {
			t.Errorf("/wall%s is small, or leads to where nobody at a wall goes: %s", query, a.body)
		}
	}
}

// TestSession_EndIsSaidEachTime: a page that is open asks for several things, and
// none of them is answered as if nobody had been signed in.
func TestSession_EndIsSaidEachTime(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), withSignIn)
	b := s.adminOf("*")
	cookie := b.cookie()
	s.browser().do("POST", "/sign-out", "", "Content-Type: application/x-www-form-urlencoded", "Cookie: stepcast="+cookie)
	for range 2 {
		for _, path := range []string{"/api/v1/builds", "/api/v1/events", "/api/v1/streams?log=feed"} {
			if a := b.get(path); a.status != http.StatusUnauthorized || a.problem().Type != "/problems/session-ended" || len(a.header["Set-Cookie"]) > 0 {
				t.Errorf("%s: %d %v %s", path, a.status, a.header, a.body)
			}
		}
	}
	if a := b.get("/"); a.status != http.StatusOK || !strings.Contains(a.body, `data-account="Sign in"`) || b.cookie() != "" {
		t.Errorf("a page: %d %s", a.status, a.body)
	}
}
