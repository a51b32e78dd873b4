package server

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/plain"
	"github.com/stepcast/stepcast/internal/postgres"
)

// Where people sign in.
const (
	signInPath   = "/sign-in"
	callbackPath = signInPath + "/callback" // where the provider sends them back to
)

// signInPage answers with the page where one signs in.
func (s *Server) signInPage(c echo.Context) error {
	return s.askToSignIn(c, http.StatusOK, c.QueryParam("back"), "")
}

// askToSignIn answers with that page. It says why one is not signed in, if one
// has tried.
func (s *Server) askToSignIn(c echo.Context, status int, back, why string) error {
	page := plain.SignIn{Back: localPath(back), Why: why}
	if s.provider != nil {
		page.Provider = s.provider.cfg.Name
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return plainPage(c, status, page.HTML())
}

// signIn takes a token that somebody has pasted. Its text gets no further than
// the sum by which it is looked up.
func (s *Server) signIn(c echo.Context) error {
	if err := readForm(c); err != nil {
		return err
	}
	if !s.attempts.allow(s.clientAddr(c), time.Now()) {
		return tooManyAttempts()
	}
	form := c.Request().PostForm
	t, err := s.pasted(c, strings.TrimSpace(form.Get("token")))
	if p := ci.AsProblem(err); p != nil && problems[p.Code].status == http.StatusUnauthorized {
		return s.askToSignIn(c, http.StatusUnauthorized, form.Get("back"), p.Detail)
	}
	if err != nil {
		return err
	}
	if err := s.beginSession(c, postgres.Session{Token: &t}); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, localPath(form.Get("back")))
}

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

func tooManyAttempts() error {
	return &ci.Problem{Code: tooManyTries, Detail: "There were too many attempts to sign in from your address; wait a moment, then try again."}
}

// maxForm bounds a form, in bytes.
const maxForm = 64 << 10

// readForm reads the body of a form into the request's PostForm.
func readForm(c echo.Context) error {
	r := c.Request()
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return &ci.Problem{Code: mediaType, Detail: fmt.Sprintf("This takes a form; it came as %s, not as application/x-www-form-urlencoded.", printable(r.Header.Get("Content-Type")))}
	}
	r.Body = http.MaxBytesReader(c.Response(), r.Body, maxForm)
	err := r.ParseForm()
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
const (
	attemptsAtOnce = 30
	mostAddresses  = 10_000 // kept in mind
)

// attempts are the sign-ins that were tried lately. The zero value is empty.
type attempts struct {
	mu sync.Mutex
	by map[netip.Addr]*rate.Limiter
}

// allow tells whether one more is.
func (a *attempts) allow(from netip.Addr, now time.Time) bool {
	if from.Is6() { // one customer has 2^64 of them, or more
		prefix, _ := from.Prefix(64)
		from = prefix.Addr()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	limiter := a.by[from]
	if limiter == nil {
		if a.by == nil || len(a.by) >= mostAddresses {
			a.by = make(map[netip.Addr]*rate.Limiter)
		}
		limiter = rate.NewLimiter(rate.Every(time.Second), attemptsAtOnce)
		a.by[from] = limiter
	}
	return limiter.AllowN(now, 1)
}
