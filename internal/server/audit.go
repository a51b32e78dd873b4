package server

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// actor is the caller of a request that changes something, as the audit tells
// of it.
func (s *Server) actor(c echo.Context) postgres.Actor { return s.actorOf(c, s.who(c)) }

func (s *Server) actorOf(c echo.Context, who *caller) postgres.Actor {
	by := postgres.Actor{Name: "nobody"}
	if addr := s.clientAddr(c); addr.IsValid() {
		by.Address = addr.String()
	}
	t := who.token
	if v := who.session; v != nil {
		t = v.Token
		if p := v.Person; p.Subject != "" {
			name := strings.NewReplacer("<", "", ">", "").Replace(p.Name) // who one is stands in these, whatever one is called
			by.Name = fmt.Sprintf("%s <%s>", name, cmp.Or(p.Email, p.Subject))
		}
	}
	if t != nil {
		by.Name = fmt.Sprintf("token %s (%s)", t.Name, t.ID)
	}
	return by
}

// Bounds of the lists of tokens, links and entries of the audit.
const (
	defaultListed = 100
	mostListed    = 1000
)

// entryJSON is a line of the audit.
type entryJSON struct {
	ID      string          `json:"id"`
	At      time.Time       `json:"at"`
	Actor   string          `json:"actor"`
	Address ci.Text         `json:"address"` // of the client; null: the server's own doing
	Action  postgres.Action `json:"action"`
	Project string          `json:"project"` // or a pattern; *: of the whole server
	Target  string          `json:"target"`
	Detail  json.RawMessage `json:"detail"`
}

func newEntryJSON(e postgres.Entry) entryJSON {
	return entryJSON{strconv.FormatInt(e.ID, 10), e.At, e.By.Name, ci.Text(e.By.Address), e.Action, e.Project, e.Target, e.Detail}
}

// listAudit answers with what was done to what the caller administers.
func (s *Server) listAudit(c echo.Context) error {
	q, err := query(c, "project", "limit", "before")
	if err != nil {
		return err
	}
	entries, next, err := s.auditEntries(c, q)
	if err != nil {
		return err
	}
	return s.listed(c, q, next, struct {
		Entries []entryJSON `json:"entries"`
		Next    ci.Text     `json:"next"`
	}{each(entries, newEntryJSON), ci.Text(next)})
}

// auditEntries reads what a query asks for of what the caller administers.
func (s *Server) auditEntries(c echo.Context, q url.Values) (entries []postgres.Entry, next string, err error) {
	want := postgres.AuditQuery{Project: q.Get("project"), Before: q.Get("before")}
	if want.Project != "" {
		if err := ci.CheckPattern(want.Project); err != nil {
			return nil, "", err
		}
	}
	if want.Limit, err = listedParam(q); err != nil {
		return nil, "", err
	}
	entries, next, err = s.store.Audit(c.Request().Context(), s.who(c).patterns(asked(c)), want)
	if err != nil {
		return nil, "", fmt.Errorf("list the audit: %w", err)
	}
	return entries, next, nil
}

// listedParam reads how many of such a list are asked for.
func listedParam(q url.Values) (int, error) {
	n, err := wholeParam(q, "limit", defaultListed, 1, mostListed)
	return int(n), err
}

// listed answers with a page of such a list.
func (s *Server) listed(c echo.Context, q url.Values, next string, page any) error {
	leadOn(c, q, next)
	c.Response().Header().Set("Cache-Control", "no-store")
	return s.json(c, http.StatusOK, page)
}

// leadOn leads to the next page of a list, if there is one.
func leadOn(c echo.Context, q url.Values, next string) {
	if next != "" {
		q.Set("before", next)
		c.Response().Header().Set("Link", "<"+c.Request().URL.EscapedPath()+"?"+q.Encode()+`>; rel="next"`)
	}
}

// each returns what show makes of each of them, never nil.
func each[T, J any](of []T, show func(T) J) []J {
	shown := make([]J, len(of))
	for i, one := range of {
		shown[i] = show(one)
	}
	return shown
}
