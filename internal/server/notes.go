package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// Bounds of the list of notes.
const (
	defaultNotes = 1000
	mostNotes    = 10_000
)

// listNotes answers with a page of a build's notes, in the order in which they
// came. Its ETag is the build's newest event, for a note is one.
func (s *Server) listNotes(c echo.Context, ref postgres.Ref) error {
	q, err := query(c, "kind", "step", "status", "level", "limit", "after")
	if err != nil {
		return err
	}
	want, err := notesWanted(q)
	if err != nil {
		return err
	}
	after, resumes := ci.ParseCursor(q.Get("after"))
	if want.After = after.ID; !resumes && q.Get("after") != "" {
		return badAfter()
	}
	notes, err := s.store.Notes(c.Request().Context(), ref.ID, want)
	if err != nil {
		return fmt.Errorf("list notes: %w", err)
	}
	prefix := ci.CursorPrefix(notes.Epoch, ref.ID.Name())
	if resumes && after.Prefix != prefix {
		return badAfter()
	}
	page := struct {
		Notes []json.RawMessage `json:"notes"`
		Next  ci.Text           `json:"next"`
	}{Notes: make([]json.RawMessage, len(notes.Notes))}
	for i, note := range notes.Notes {
		page.Notes[i] = note
	}
	h := c.Response().Header()
	if notes.More {
		page.Next = ci.Text(ci.Cursor{Prefix: prefix, ID: notes.Through}.String())
		q.Set("after", string(page.Next))
		h.Set("Link", "<"+c.Request().URL.EscapedPath()+"?"+q.Encode()+`>; rel="next"`)
	}
	h.Set("Cache-Control", "no-cache")
	if notModified(c, `"`+ci.Cursor{Prefix: prefix, ID: notes.Last}.String()+`"`) {
		return c.NoContent(http.StatusNotModified)
	}
	return s.json(c, http.StatusOK, page)
}

func badAfter() error {
	return &ci.Problem{Code: ci.Invalid, Field: "after", Detail: "The parameter after is the next of an earlier page of this build's notes, as it was given; leave it out to begin anew."}
}

// notesWanted reads what is asked for. A level asks for annotations and a
// status for tests; with neither, and no kind, everything is.
func notesWanted(q url.Values) (want postgres.NotesQuery, err error) {
	for _, level := range q["level"] {
		l, err := ci.ParseLevel(level)
		if err != nil {
			return want, err
		}
		want.Levels = append(want.Levels, l)
	}
	for _, status := range q["status"] {
		st, err := ci.ParseTestStatus(status)
		if err != nil {
			return want, err
		}
		want.Statuses = append(want.Statuses, st)
	}
	kinds := q["kind"]
	if len(kinds) == 0 && want.Levels == nil && want.Statuses == nil {
		kinds = []string{"group", "annotation", "test"}
	}
	for _, kind := range kinds {
		switch kind {
		case "group":
			want.Groups = true
		case "annotation":
			if !q.Has("level") {
				want.Levels = []ci.Level{ci.LevelError, ci.LevelWarning, ci.LevelNotice}
			}
		case "test":
			if !q.Has("status") {
				want.Statuses = []ci.Status{ci.Passed, ci.Failed, ci.Skipped}
			}
		default:
			return want, &ci.Problem{Code: ci.Invalid, Field: "kind", Detail: fmt.Sprintf("The kind %s is unknown; it is one of group, annotation, test.", printable(kind))}
		}
	}
	if want.Steps, err = stepsWanted(q); err != nil {
		return want, err
	}
	limit, err := wholeParam(q, "limit", defaultNotes, 1, mostNotes)
	want.Limit = int(limit)
	return want, err
}

// stepsWanted reads the steps that are asked for; nil: all.
func stepsWanted(q url.Values) (steps []ci.StepKey, err error) {
	if len(q["step"]) > mostFilters {
		return nil, &ci.Problem{Code: ci.TooMany, Field: "step", Limit: mostFilters, Detail: fmt.Sprintf("At most %d steps are asked for at once.", mostFilters)}
	}
	for _, key := range q["step"] {
		if err := ci.CheckStepKey(key); err != nil {
			return nil, err
		}
		steps = append(steps, ci.StepKey(key))
	}
	return steps, nil
}
