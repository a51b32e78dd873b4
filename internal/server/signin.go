package server

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/forms"
	"github.com/stepcast/stepcast/internal/postgres"
)

// Where people sign in.
const (
	signInPath   = forms.SignInPath
	callbackPath = signInPath + "/callback" // where the provider sends them back to
)

// signInPage answers with the page where one signs in, or out.
func (s *Server) signInPage(c echo.Context) error {
	view := forms.SignIn{Back: localPath(c.QueryParam("back")), Who: s.signedInAs(c)}
	path, _, _ := strings.Cut(view.Back, "?")
	switch {
	case view.Who != "" || !isForm(path) || c.QueryParam("done") != "":
	case c.QueryParam(unsent) != "":
		view.Why = "Nothing was changed: you are not signed in any more. Sign in, and do it again."
	case strings.HasSuffix(path, "/share"):
		view.Why = "Whoever may read the build can open the address of its page, or of a line: Copy link, above a log, is enough. To make a link for somebody outside takes the role admin, or a token with the scope admin."
		if here := s.onlyHere(c); here != "" {
			view.Why = forms.OnlyHere(here) + " To make a link takes the role admin, or a token with the scope admin."
		}
	case takesAdmin(view.Back):
		view.Why = "To change settings, tokens and links takes the role admin, or a token with the scope admin."
	default:
		view.Why = "The settings are there for whoever has signed in."
	}
	return s.showSignIn(c, http.StatusOK, view)
}

// unsent is the parameter of the address of that page that says that a form was
// sent, and refused, since nobody was signed in.
const unsent = "unsent"

// askToSignIn answers with that page. It says why one is not signed in, though
// one has tried.
func (s *Server) askToSignIn(c echo.Context, status int, back, why string) error {
	return s.showSignIn(c, status, forms.SignIn{Back: localPath(back), Why: why})
}

// takesAdmin tells whether a page is for whoever may change something.
func takesAdmin(page string) bool {
	path, _, _ := strings.Cut(page, "?")
	return isForm(path) && path != forms.SettingsPath
}

func (s *Server) showSignIn(c echo.Context, status int, view forms.SignIn) error {
	view.Frame, view.Needed = s.formFrame(c), s.cfg.SignIn
	view.Scope = ci.ScopeRead
	if !view.Needed || takesAdmin(view.Back) {
		view.Scope = ci.ScopeAdmin
	}
	view.Account = "" // it is this very page
	if s.provider != nil {
		view.Provider = s.provider.cfg.Name
	}
	return formPage(c, status, view.HTML())
}

// signIn takes a token that somebody has pasted. Its text gets no further than
// the sum by which it is looked up.
func (s *Server) signIn(c echo.Context) error {
	if err := readForm(c); err != nil {
		return err
	}
	if err := s.mayTry(c, &s.limits.signIns, "sign in"); err != nil {
		return err
	}
	form := c.Request().PostForm
	t, err := s.pasted(c, tokenIn(form.Get("token")))
	if p := ci.AsProblem(err); p != nil && problems[p.Code].status == http.StatusUnauthorized {
		return s.showSignIn(c, http.StatusUnauthorized, forms.SignIn{Back: localPath(form.Get("back")), Token: forms.Field{Wrong: p.Detail}})
	}
	if err != nil {
		return err
	}
	if err := s.beginSession(c, postgres.Session{Token: &t}); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, localPath(form.Get("back")))
}

// tokenIn is the token in a text that was pasted with what stood around it: the
// name of a variable or of a header, quotes, the end of the line. It is the whole
// text where there is none.
func tokenIn(text string) string {
	if token := anyToken.FindString(text); token != "" {
		return token
	}
	return strings.TrimSpace(text)
}

var anyToken = regexp.MustCompile(`\bstp_[0-9A-Za-z]+`)

// pasted finds the token that a text is of; the error says what is wrong with it.
func (s *Server) pasted(c echo.Context, text string) (t postgres.Token, err error) {
	sum, err := ci.ParseToken(text)
	if err != nil {
		return t, err
	}
	t, ok, err := s.store.FindToken(c.Request().Context(), sum)
	switch {
	case err != nil:
		return t, fmt.Errorf("sign in: %w", err)
	case !ok:
		return t, unknownToken()
	}
	return t, inForce(t, time.Now())
}

// mayTry counts an attempt to sign in, or of another kind, or refuses it for now.
func (s *Server) mayTry(c echo.Context, attempts *rates[netip.Addr], kind string) error {
	if attempts.take(network(s.clientAddr(c)), time.Now()) == 0 {
		return nil
	}
	return &ci.Problem{Code: tooManyTries, Detail: "There were too many attempts to " + kind + " from your address; wait a moment, then try again."}
}

// maxForm bounds a form, in bytes.
const maxForm = 64 << 10

// readForm reads the body of a form into the request's PostForm.
func readForm(c echo.Context) error {
	r := c.Request()
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return &ci.Problem{Code: mediaType, Detail: fmt.Sprintf("This takes a form; it came as %s, not as application/x-www-form-urlencoded.", printable(r.Header.Get("Content-Type")))}
	}
	body := r.Body
	r.Body = http.MaxBytesReader(c.Response(), body, maxForm)
	err := r.ParseForm()
	r.Body = body // for whoever reads on
	var tooMuch *http.MaxBytesError
	switch {
	case errors.As(err, &tooMuch):
		return &ci.Problem{Code: tooLarge, Limit: maxForm, Detail: fmt.Sprintf("The form is larger than %d bytes.", maxForm)}
	case ci.AsProblem(err) != nil:
		return err
	case err != nil:
		return &ci.Problem{Code: ci.Invalid, Detail: "The form could not be read; send it again."}
	}
	return nil
}

// maxBack bounds a path to go on to, in bytes.
const maxBack = 2000

// localPath is the path of this server that a text is, with its query and its
// fragment; for any other text it is the first page's. Browsers drop tabs and
// line ends, and take a backslash for a slash: none of these is in it, so that
// they find no other host there.
func localPath(text string) string {
	if len(text) > maxBack || !strings.HasPrefix(text, "/") || strings.HasPrefix(text, "//") {
		return "/"
	}
	for _, b := range []byte(text) {
		if b <= ' ' || b > '~' || b == '\\' {
			return "/"
		}
	}
	return text
}

// From one address so many sign-ins are tried at once, and then as many as one
// a second. A token cannot be guessed; what is bounded is the work.
const attemptsAtOnce = 30
