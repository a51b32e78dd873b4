package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/idtoken"
	"github.com/stepcast/stepcast/internal/postgres"
)

// exchangedJSON is what a job is given for its ID token.
type exchangedJSON struct {
	Token     string     `json:"token"`
	ExpiresAt time.Time  `json:"expires_at"`
	Project   string     `json:"project"`
	Build     ci.BuildID `json:"build"`
	ID        string     `json:"id"`
}

// exchangePath is where ID tokens are exchanged.
const exchangePath = "/api/v1/exchange"

// exchange gives a CI system's job, which shows an ID token, a token that
// reports one build of the job's run. The job may choose its text: when the
// answer is lost, it asks the same again. See idtoken for what is taken.
//
// Jobs of many come from few addresses. So what is no good counts as a token does
// that is none, and what is good counts to its run, whatever else the address
// sends.
func (s *Server) exchange(c echo.Context) error {
	want, job, err := s.jobShown(c)
	switch {
	case errors.Is(err, &ci.Problem{Code: idtoken.IssuerAway}):
		s.countFailure(c)
		return err
	case err != nil:
		return s.failed(c, err) // as it is: what strangers send fills no log
	}
	if wait := s.limits.reads.take("run "+job.Run, time.Now()); wait > 0 {
		return s.limits.refuse(c, limitReads, s.limits.Reads, wait, "This run has asked for more than %d tokens a second; ask again after Retry-After.", s.limits.Reads)
	}
	if want.token == "" {
		want.token = ci.NewToken()
	}
	sum, err := ci.ParseToken(want.token)
	if err != nil {
		return err
	}
	by := s.actor(c)
	by.Name = job.Name
	t, err := s.store.Exchange(c.Request().Context(), by, postgres.Exchange{
		IDToken: job.Sum, Expires: job.Expires, Sum: sum, Lifetime: s.cfg.RunnerLifetime,
		Token: postgres.Token{Name: job.Name, Project: want.project, Build: want.build},
	})
	if err != nil {
		return fmt.Errorf("exchange an ID token: %w", err)
	}
	s.log.Info("an ID token was exchanged", "token", t.ID, "project", t.Project, "build", t.Build, slog.String("job", t.Name))
	c.Response().Header().Set("Cache-Control", "no-store")
	return s.json(c, http.StatusCreated, exchangedJSON{want.token, *t.ExpiresAt, t.Project, t.Build, t.ID})
}

// maxExchange is how long a body may be, as sent and unpacked: ID tokens have a few KiB.
const maxExchange = 64 << 10

func exchangeTooLarge() error {
	return &ci.Problem{Code: tooLarge, Limit: maxExchange, Detail: fmt.Sprintf("The body is larger than %d bytes, and no ID token is.", maxExchange)}
}

// jobShown reads a request for a token, and which job shows that it may have it.
func (s *Server) jobShown(c echo.Context) (want exchangeWanted, job *idtoken.Job, err error) {
	r := c.Request()
	if err := isObject(r); err != nil {
		return want, nil, err
	}
	if r.ContentLength > maxExchange {
		return want, nil, exchangeTooLarge()
	}
	a, arrived, err := s.receiveOf(r, s.payer(c, nil))
	if err != nil {
		return want, nil, err
	}
	defer arrived()
	if len(a.body) > maxExchange {
		return want, nil, exchangeTooLarge()
	}
	ctx := r.Context()
	done, err := s.oneOfSuspects(ctx, s.clientAddr(c), s.limits.strange)
	if err != nil {
		return want, nil, err
	}
	defer done()
	body, err := a.unpack() // not before a suspect's turn, and into places as many as there are processors: strangers send bombs
	if err == nil && len(body) > maxExchange {
		err = exchangeTooLarge()
	}
	if err != nil {
		return want, nil, err
	}
	if want, err = decodeExchange(body); err != nil {
		return want, nil, err
	}
	arrived() // its issuer may take its time
	if job, err = s.cfg.Runners.Verify(ctx, want.idToken); err != nil {
		return want, nil, err
	}
	if err = job.CheckProject(want.project); err == nil {
		err = job.CheckBuild(want.project, want.build)
	}
	return want, job, err
}

// exchangeWanted is a request for a token.
type exchangeWanted struct {
	idToken string
	project string
	build   ci.BuildID
	token   string // "": of the server's making
}

func decodeExchange(body []byte) (want exchangeWanted, err error) {
	d := updatesDecoder{decoder: *newDecoder(body)}
	for o := (object{}); d.member(&o); {
		switch string(o.name) {
		case "jwt":
			want.idToken = d.str()
		case "project":
			if want.project = d.str(); d.err == nil {
				d.refuse(ci.CheckProject(want.project))
			}
		case "build":
			text := d.str()
			if d.err == nil {
				want.build, err = ci.ParseBuildID(text)
				d.refuse(err)
			}
		case "token":
			if want.token = d.str(); d.err == nil {
				if _, err := ci.ParseToken(want.token); err != nil {
					d.invalid("The text for the token is none; make it up as stp_, 30 letters and digits and their checksum, or leave it out.")
				}
			}
		default:
			d.unknown("jwt, project, build and token")
		}
	}
	d.end()
	d.need(want.idToken != "", "jwt", "An exchange needs the ID token that the CI system gave to the job, as jwt.")
	d.need(want.project != "", "project", "An exchange needs the project that the build is of.")
	d.need(want.build != ci.BuildID{}, "build", "An exchange needs the build's id, which is derived from the run.")
	if d.err != nil {
		return want, d.err
	}
	return want, nil
}
