package server

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha512"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/forms"
	"github.com/stepcast/stepcast/internal/postgres"
)

// What the forms to make a token and a link begin with.
const (
	tokenAge = "90d"
	linkAge  = "7d"
)

// tokensPage answers with the tokens for what the caller administers; with the
// parameter revoke it asks whether one is to end.
func (s *Server) tokensPage(c echo.Context) error {
	q, err := query(c, "before", "project", "revoke", "done")
	if err != nil {
		return err
	}
	if q.Has("revoke") {
		return s.askToRevoke(c, q.Get("revoke"), false, forms.TokensPath)
	}
	project := q.Get("project")
	if own := s.who(c).patterns(asked(c)); project == "" && len(own) == 1 {
		project = own[0]
	}
	return s.showTokens(c, http.StatusOK, forms.Wanted{Project: forms.Field{Value: project}, Age: forms.Field{Value: tokenAge}})
}

// showTokens answers with the page of tokens, and what is wanted in its form.
func (s *Server) showTokens(c echo.Context, status int, wanted forms.Wanted) error {
	before := c.QueryParam("before")
	tokens, older, err := s.store.Tokens(c.Request().Context(), s.who(c).patterns(asked(c)), postgres.TokensQuery{Limit: defaultListed, Before: before})
	if err != nil {
		return fmt.Errorf("list tokens: %w", err)
	}
	view := forms.Tokens{Frame: s.formFrame(c), Tokens: formTokens(tokens), Newer: before != "", Older: older, Wanted: wanted}
	return formPage(c, status, view.HTML())
}

// postTokens makes a token, or ends one.
func (s *Server) postTokens(c echo.Context) error {
	if err := readForm(c); err != nil {
		return err
	}
	if answered, ok := s.ofAnother(c); ok {
		return answered
	}
	form := c.Request().PostForm
	if form.Has("revoke") {
		if err := s.store.RevokeToken(c.Request().Context(), s.actor(c), s.who(c).patterns(asked(c)), form.Get("revoke")); err != nil {
			return fmt.Errorf("revoke a token: %w", err)
		}
		return formDone(c, forms.TokensPath, "token-revoked")
	}
	wanted := forms.Wanted{
		Name: forms.Field{Value: form.Get("name")}, Project: forms.Field{Value: form.Get("project")},
		Scopes: scopesOf(form), Age: forms.Field{Value: form.Get("expires")},
	}
	now := time.Now()
	body := map[string]any{"name": wanted.Name.Value, "scopes": wanted.Scopes}
	if wanted.Project.Value != "" { // else it is missing, rather than wrong
		body["project"] = wanted.Project.Value
	}
	age, ok := forms.AgeOf(wanted.Age.Value)
	if !ok {
		wanted.Age = forms.Field{Value: tokenAge, Wrong: "Choose one of these."}
		return s.showTokens(c, http.StatusBadRequest, wanted)
	}
	if age.Lasts > 0 {
		body["expires_at"] = now.Add(age.Lasts)
	}
	want, err := decodeToken(formBody(body), now)
	var t postgres.Token
	var text string
	if err == nil {
		t, text, err = s.makeToken(c, want, s.randomOf(c))
	}
	if err == nil {
		return s.showMade(c, t, text)
	}
	p, status, ok := mendable(err)
	if !ok {
		return err
	}
	switch p.Field {
	case "name":
		wanted.Name.Wrong = p.Detail
	case "project":
		wanted.Project.Wrong = p.Detail
	case "scopes":
		wanted.ScopesWrong = p.Detail
	default:
		wanted.Wrong = p.Detail
	}
	return s.showTokens(c, status, wanted)
}

// randomOf is where the text of what a form makes comes from. A form that is sent
// twice, as by a double click, makes one thing and shows it each time: its text
// follows from all that the form says, with a number of its own, and from the
// cookie of the session, without which nobody can work it out.
func (s *Server) randomOf(c echo.Context) io.Reader {
	r, cookie := c.Request(), s.who(c).cookie
	if cookie == "" || !r.PostForm.Has("once") {
		return rand.Reader
	}
	sum := hmac.New(sha512.New, []byte(cookie))
	io.WriteString(sum, r.URL.Path+"?"+r.PostForm.Encode())
	return bytes.NewReader(sum.Sum(nil))
}

// showMade shows the text of a token, or the address of a link, this once.
func (s *Server) showMade(c echo.Context, t postgres.Token, text string) error {
	if t.RevokedAt != nil {
		return formPage(c, http.StatusConflict, forms.Refused{
			Frame: s.formFrame(c), Heading: "Nothing was changed", Says: "The form was sent before, and what it made then is revoked by now.",
			Help: "Go back and load the page again to make another.",
		}.HTML())
	}
	base, err := s.base(c)
	if err != nil {
		return err
	}
	view := forms.Made{Frame: s.formFrame(c), Token: formTokens([]postgres.Token{t})[0], Text: text, URL: base, Here: s.onlyHere(c)}
	if t.Link {
		view.Text = base + linkPath(t.Build, text)
	}
	return formPage(c, http.StatusOK, view.HTML())
}

// askToRevoke asks whether a token, or a link, is to end. Where it is listed is
// where it is ended, and where one goes on.
func (s *Server) askToRevoke(c echo.Context, id string, link bool, path string) error {
	t, err := s.store.TokenByID(c.Request().Context(), s.who(c).patterns(asked(c)), id, link)
	if err != nil {
		return fmt.Errorf("revoke a token: %w", err)
	}
	view := forms.Question{Frame: s.formFrame(c), Fields: [][2]string{{"revoke", id}}, No: path}
	if link {
		view.Heading, view.Yes = "Revoke the link "+t.ID+"?", "Revoke the link"
		view.Says = []string{"Whoever has opened it sees nothing of the build any more within 5 seconds, unless by other means. It cannot be undone."}
	} else {
		token := formTokens([]postgres.Token{t})[0]
		view.Heading, view.Yes = "Revoke the token "+token.Called()+"?", "Revoke the token"
		view.Says = []string{
			"Whoever has it can do nothing with it any more within 5 seconds: builds that are reported with it go unreported, and pages that show something by it show nothing. It cannot be undone.",
			"Its id is " + t.ID + ", and it is for " + t.Project + ".",
		}
	}
	return formPage(c, http.StatusOK, view.HTML())
}

// sharePage answers with the links to a build; with the parameter revoke it asks
// whether one is to end.
func (s *Server) sharePage(c echo.Context, ref postgres.Ref) error {
	q, err := query(c, "revoke", "done")
	if err != nil {
		return err
	}
	if q.Has("revoke") {
		return s.askToRevoke(c, q.Get("revoke"), true, forms.SharePath(ref.ID))
	}
	return s.showShare(c, http.StatusOK, ref, forms.Share{Scope: ci.ScopeRead, Age: forms.Field{Value: linkAge}})
}

// showShare answers with the page of the links to a build, and what is wanted in
// its form.
func (s *Server) showShare(c echo.Context, status int, ref postgres.Ref, view forms.Share) error {
	ctx := c.Request().Context()
	b, err := s.store.Build(ctx, ref.ID)
	if err != nil {
		return fmt.Errorf("read build: %w", err)
	}
	links, older, err := s.store.Tokens(ctx, []string{ref.Project}, postgres.TokensQuery{Links: ref.ID, Limit: defaultListed})
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	view.Frame, view.Build, view.Links, view.More, view.Here = s.formFrame(c), b.Build, formTokens(links), older != "", s.onlyHere(c)
	return formPage(c, status, view.HTML())
}

// postShare makes a link to a build, or ends one.
func (s *Server) postShare(c echo.Context, ref postgres.Ref) error {
	if err := readForm(c); err != nil {
		return err
	}
	if answered, ok := s.ofAnother(c); ok {
		return answered
	}
	form := c.Request().PostForm
	if form.Has("revoke") {
		if err := s.store.RevokeLink(c.Request().Context(), s.actor(c), s.who(c).patterns(asked(c)), form.Get("revoke")); err != nil {
			return fmt.Errorf("revoke a link: %w", err)
		}
		return formDone(c, forms.SharePath(ref.ID), "link-revoked")
	}
	view := forms.Share{Scope: ci.Scope(form.Get("scope")), Age: forms.Field{Value: form.Get("expires")}}
	age, _ := forms.AgeOf(view.Age.Value) // of what is none, and of what lasts for ever, the decoder says so
	scope, expires, err := decodeLink(formBody(map[string]any{"scope": view.Scope, "expires_in": int64(age.Lasts / time.Second)}), time.Now())
	if err == nil {
		var t postgres.Token
		var text string
		if t, text, err = s.makeLink(c, ref, scope, expires, s.randomOf(c)); err == nil {
			return s.showMade(c, t, text)
		}
	}
	p, status, ok := mendable(err)
	switch {
	case !ok:
		return err
	case p.Field == "expires_in":
		view.Age = forms.Field{Value: linkAge, Wrong: "Choose one of these."}
	default:
		view.Wrong = p.Detail
	}
	return s.showShare(c, status, ref, view)
}

// auditPage answers with what was done to what the caller administers.
func (s *Server) auditPage(c echo.Context) error {
	q, err := query(c, "project", "before")
	if err != nil {
		return err
	}
	view := forms.Audit{Frame: s.formFrame(c), Project: forms.Field{Value: q.Get("project")}, Newer: q.Get("before") != ""}
	entries, older, err := s.auditEntries(c, q)
	if p, status, ok := mendable(err); ok && p.Field == "project" {
		view.Project.Wrong = p.Detail
		return formPage(c, status, view.HTML())
	}
	if err != nil {
		return err
	}
	view.Older = older
	for _, e := range entries {
		view.Entries = append(view.Entries, forms.Entry{
			At: e.At, By: e.By.Name, Address: e.By.Address, Action: string(e.Action), Project: e.Project, Target: e.Target, Detail: e.Detail,
		})
	}
	return formPage(c, http.StatusOK, view.HTML())
}
