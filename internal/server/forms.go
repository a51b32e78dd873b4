package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/forms"
	"github.com/stepcast/stepcast/internal/page"
	"github.com/stepcast/stepcast/internal/postgres"
)

// isForm tells whether an address is that of a page where access is changed.
func isForm(path string) bool {
	return beginsWith(path+"/", forms.SettingsPath+"/") || strings.HasPrefix(path, "/builds/") && strings.HasSuffix(path, "/share")
}

// formFrame is what is around such a page.
func (s *Server) formFrame(c echo.Context) forms.Frame {
	return forms.Frame{
		Frame: s.frame(c),
		As:    s.signedInAs(c),
		Admin: len(s.who(c).patterns(admin, http.MethodGet)) > 0,
		Done:  done[c.QueryParam("done")],
	}
}

// account is what the caller of a request can do about who it is.
func (s *Server) account(c echo.Context) page.Account {
	switch {
	case s.who(c).signedIn():
		return page.SignOut
	case s.cfg.SignIn:
		return page.SignIn
	}
	return ""
}

// signedIn tells whether the caller has said in a browser who it is. Who has
// opened a link only has not.
func (w *caller) signedIn() bool {
	return w.session != nil && (w.session.Token != nil || w.session.Person.Subject != "")
}

// signedInAs is by what the caller is called; "": it has not signed in.
func (s *Server) signedInAs(c echo.Context) string {
	if !s.who(c).signedIn() {
		return ""
	}
	if t := s.who(c).session.Token; t != nil {
		if t.Name == "" {
			return "the token " + t.ID
		}
		return fmt.Sprintf("the token %s (%s)", printable(t.Name), t.ID)
	}
	return s.actor(c).Name
}

// ofAnother answers a form whose page was opened by somebody else than who is
// signed in by now, in another tab: nothing is done in the name of who did not
// mean it. ok is false for any other form.
func (s *Server) ofAnother(c echo.Context) (answered error, ok bool) {
	as, now := c.Request().PostForm.Get("as"), s.signedInAs(c)
	if as == "" || as == now {
		return nil, false
	}
	return formPage(c, http.StatusConflict, forms.Refused{
		Frame: s.formFrame(c), Heading: "Nothing was changed",
		Says: "The page was opened as " + as + ", and you are signed in as " + now + " by now.",
		Help: "Go back and load the page again to do it as who you are now, or sign in as who you were.",
	}.HTML()), true
}

// done is what pages say has come to pass, by the parameter done of an address
// that a form leads to: an address can say nothing else.
var done = map[string]string{
	"signed-out":    "You are signed out.",
	"saved":         "It was saved.",
	"public":        "The project is public.",
	"private":       "The project is private.",
	"token-revoked": "The token was revoked.",
	"link-revoked":  "The link was revoked.",
}

// formDone leads on from a form, so that to load the page again sends nothing
// again.
func formDone(c echo.Context, path, what string) error {
	return c.Redirect(http.StatusSeeOther, path+"?"+url.Values{"done": {what}}.Encode())
}

// formPage answers with such a page. No cache keeps it: what it says is for who
// is signed in now.
func formPage(c echo.Context, status int, body []byte) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	return plainPage(c, status, body)
}

// formProblem answers with a page where a form page cannot: it sends whoever has
// not signed in to do so, and tells everybody else what is missing, and who could
// help.
func (s *Server) formProblem(c echo.Context, p *ci.Problem, k kind) error {
	r := c.Request()
	if p.Code == tokenMissing || p.Code == sessionEnded {
		if safe(r.Method) {
			return c.Redirect(http.StatusSeeOther, forms.SignInTo(r.URL.RequestURI()))
		}
		c.Response().Header().Set("Content-Length", "0") // see readOn
		return c.Redirect(http.StatusSeeOther, forms.SignInTo(r.URL.Path)+"&"+unsent+"=1")
	}
	refused := forms.Refused{Heading: k.title, Says: p.Detail}
	if k.status < http.StatusInternalServerError { // else it may not be known who asks
		refused.Frame = s.formFrame(c)
	}
	switch {
	case p.Code == tokenScope:
		refused.Heading = "This is not for you"
		refused.Says = "It takes the role admin for the project, or a token with the scope admin."
		if who := s.signedInAs(c); who != "" {
			refused.Says = "You are signed in as " + who + ". " + refused.Says
		}
		refused.Help = "Whoever has one can give you a token; roles are given by whoever runs the server."
	case k.status == http.StatusNotFound:
		refused.Help = "It may also be that you may not see it. Whoever may change its settings can give you a token, and for one build a link."
	}
	return formPage(c, k.status, refused.HTML())
}

// formBody is a form as a request of the API has the same, so that one decoder
// knows every rule of both.
func formBody(fields map[string]any) []byte {
	body, err := json.Marshal(fields)
	if err != nil {
		panic("server: a form that is no JSON: " + err.Error())
	}
	return body
}

// mendable is what a form can mend: the status of the answer, and what is said
// beside which field. ok is false for any other error.
func mendable(err error) (p *ci.Problem, status int, ok bool) {
	if p = ci.AsProblem(err); p == nil {
		return nil, 0, false
	}
	status = problems[p.Code].status
	return p, status, status == http.StatusBadRequest || status == http.StatusForbidden
}

// settingsPage answers with who one is, and the projects that one sees.
func (s *Server) settingsPage(c echo.Context) error {
	if _, err := query(c, "done"); err != nil {
		return err
	}
	who := s.who(c)
	if s.cfg.SignIn && !who.signedIn() {
		return missingToken(settings)
	}
	view := forms.Settings{Frame: s.formFrame(c), Who: s.signedInAs(c), Open: who.open, Grants: who.grants}
	if who.session != nil {
		view.Until = &who.session.ExpiresAt
	}
	projects, err := s.store.ProjectNames(c.Request().Context(), who.reach(settings, http.MethodGet), mostListed+1)
	if err != nil {
		return fmt.Errorf("list projects: %w", err)
	}
	if view.More = len(projects) > mostListed; view.More {
		projects = projects[:mostListed]
	}
	for _, p := range projects {
		view.Projects = append(view.Projects, forms.Project{Name: p.Name, Public: p.Public, Read: p.Public || who.may(read, http.MethodGet, p.Name, ci.BuildID{}), Admin: who.may(admin, http.MethodGet, p.Name, ci.BuildID{})})
	}
	return formPage(c, http.StatusOK, view.HTML())
}

// projectPage answers with a project's settings.
func (s *Server) projectPage(c echo.Context) error {
	if _, err := query(c, "done"); err != nil {
		return err
	}
	if s.cfg.SignIn && !s.who(c).signedIn() {
		return missingToken(settings) // before it is known whether there is such a project
	}
	v, err := s.project(c)
	if err != nil {
		return err
	}
	return s.showProject(c, http.StatusOK, v, nil)
}

// showProject answers with the page of a project; origins, unless they are nil,
// are what was typed and refused.
func (s *Server) showProject(c echo.Context, status int, v postgres.Settings, origins *forms.Field) error {
	who := s.who(c)
	view := forms.ProjectSettings{
		Frame:   s.formFrame(c),
		Project: forms.Project{Name: v.Project, Public: v.Public, Admin: who.may(admin, http.MethodGet, v.Project, ci.BuildID{})},
		Framers: forms.Field{Value: strings.Join(v.FrameAncestors, "\n")},
		Any:     v.FrameAncestors == nil,
	}
	if origins != nil {
		view.Framers, view.Any = *origins, false
	}
	if view.Project.Admin {
		tokens, err := s.store.TokensFor(c.Request().Context(), who.patterns(admin, http.MethodGet), v.Project, defaultListed+1)
		if err != nil {
			return fmt.Errorf("list tokens: %w", err)
		}
		if view.More = len(tokens) > defaultListed; view.More {
			tokens = tokens[:defaultListed]
		}
		view.Tokens = formTokens(tokens)
	}
	return formPage(c, status, view.HTML())
}

// postProject changes a project's settings, as one of the forms on its page has
// them. Before one that is private becomes public, it asks.
func (s *Server) postProject(c echo.Context) error {
	v, err := s.project(c)
	if err != nil {
		return err
	}
	if err := readForm(c); err != nil {
		return err
	}
	if answered, ok := s.ofAnother(c); ok {
		return answered
	}
	form, body, what := c.Request().PostForm, map[string]any{}, "saved"
	switch {
	case form.Has("visibility"):
		what = form.Get("visibility")
		if what == "public" && !v.Public && form.Get("sure") != "yes" {
			return formPage(c, http.StatusOK, s.askToPublish(c, v).HTML())
		}
		body["visibility"] = what
	case form.Get("framers") == "some":
		body["frame_ancestors"] = forms.Origins(form.Get("origins"))
	default:
		body["frame_ancestors"] = nil
	}
	change, err := decodeSettings(formBody(body))
	if err == nil {
		_, err = s.changeSettings(c, v.Project, change)
	}
	if err == nil {
		return formDone(c, forms.ProjectPath(v.Project), what)
	}
	if p, status, ok := mendable(err); ok && p.Field == "frame_ancestors" {
		return s.showProject(c, status, v, &forms.Field{Value: form.Get("origins"), Wrong: p.Detail})
	}
	return err
}

func (s *Server) askToPublish(c echo.Context, v postgres.Settings) forms.Question {
	return forms.Question{
		Frame: s.formFrame(c), Heading: "Make " + v.Project + " public?",
		Says: []string{
			"Everybody who reaches this server will read all of it: statuses, logs, notes and searches, of all its builds, those of the past too.",
			"It can be made private again. What was read by then has been read.",
		},
		Fields: [][2]string{{"visibility", "public"}, {"sure", "yes"}},
		Yes:    "Make it public", No: forms.ProjectPath(v.Project),
	}
}

// formTokens are tokens as pages show them.
func formTokens(tokens []postgres.Token) []forms.Token {
	list := make([]forms.Token, len(tokens))
	for i, t := range tokens {
		list[i] = forms.Token{
			ID: t.ID, Name: t.Name, Scopes: t.Scopes, Project: t.Project, Build: t.Build, Link: t.Link, MadeBy: t.MadeBy,
			CreatedAt: t.CreatedAt, UsedAt: t.UsedAt, UsedFrom: t.UsedFrom, ExpiresAt: t.ExpiresAt, RevokedAt: t.RevokedAt,
		}
	}
	return list
}

// scopesOf are the scopes that are checked in a form.
func scopesOf(form url.Values) []ci.Scope {
	return slices.DeleteFunc(ci.Scopes(), func(scope ci.Scope) bool { return !slices.Contains(form["scope"], string(scope)) })
}
