package server

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ansi"
	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/page"
	"github.com/stepcast/stepcast/internal/plain"
	"github.com/stepcast/stepcast/internal/postgres"
)

// plainPolicy lets a page without JavaScript show itself, and send its forms
// to where it came from.
const plainPolicy = "default-src 'none'; script-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// plainPage answers with a whole page of the accessible view.
func plainPage(c echo.Context, status int, body []byte) error {
	h := c.Response().Header()
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache")
	}
	h.Set("Content-Security-Policy", plainPolicy)
	return sendHTML(c, status, body)
}

// longPage answers with a page that may be long.
func (s *Server) longPage(c echo.Context, body []byte) error {
	done, err := s.keep(c, len(body))
	if err != nil {
		return err
	}
	defer done()
	return plainPage(c, http.StatusOK, body)
}

// style answers with what pages without JavaScript look like.
func (s *Server) style(c echo.Context) error {
	h := c.Response().Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", contentType(".css"))
	return send(c, http.StatusOK, page.Style)
}

// withoutScript is the address of the page without JavaScript that shows what
// the page asked for would show with it.
func withoutScript(c echo.Context) string {
	id, err := ci.ParseBuildID(c.Param("id"))
	if err != nil {
		return plain.Root
	}
	return plain.BuildPath(id)
}

// frame is what is around a page that is true now. The text of a link gets into
// no address that a page repeats.
func (s *Server) frame(c echo.Context) page.Frame {
	takeParam(c.Request(), linkParam)
	return page.Frame{Address: c.Request().URL.RequestURI(), At: time.Now(), Account: s.account(c)}
}

// plainBuilds answers with a page of the list of builds. A form sends all of
// its fields, so that an empty parameter is none.
func (s *Server) plainBuilds(c echo.Context) error {
	q, err := query(c, "project", "branch", "status", "author", "before")
	if err != nil {
		return err
	}
	page := plain.Builds{
		Frame:  s.frame(c),
		Filter: plain.Filter{Project: q.Get("project"), Branch: q.Get("branch"), Status: ci.Status(q.Get("status")), Author: q.Get("author")},
		Newer:  q.Get("before") != "",
	}
	want := postgres.BuildsQuery{Author: page.Filter.Author, Before: q.Get("before"), Limit: defaultBuilds}
	if page.Filter.Project != "" {
		if err := ci.CheckPattern(page.Filter.Project); err != nil {
			return err
		}
		want.Projects = []string{page.Filter.Project}
	}
	if page.Filter.Branch != "" {
		want.Branches = []string{page.Filter.Branch}
	}
	if status := page.Filter.Status; status != "" {
		if _, err := ci.ParseStatus(string(status)); err != nil {
			return err
		}
		want.Statuses = []ci.Status{status}
	}
	builds, older, err := s.store.Builds(c.Request().Context(), s.reach(c), want)
	if err != nil {
		return fmt.Errorf("list builds: %w", err)
	}
	page.Older = older
	for _, b := range builds {
		page.Builds = append(page.Builds, plain.Listed{Build: b.Build, Steps: b.Steps})
	}
	return s.longPage(c, page.HTML())
}

// plainNotes is how many notes of a sort the page of a build lists.
const plainNotes = 100

// plainBuild answers with the page of a build.
func (s *Server) plainBuild(c echo.Context, ref postgres.Ref) error {
	if _, err := query(c); err != nil {
		return err
	}
	ctx := c.Request().Context()
	page := plain.Build{Frame: s.frame(c), Share: !slices.Contains(s.without(c), "share")}
	b, err := s.store.Build(ctx, ref.ID)
	if err != nil {
		return fmt.Errorf("read build: %w", err)
	}
	page.Build, page.Steps = b.Build, b.Steps
	counts := page.Counts()
	var first []plain.Note
	for _, list := range []struct {
		into *[]plain.Note
		n    int64
		want postgres.NotesQuery
	}{
		{&page.Failed, counts.Failed, postgres.NotesQuery{Statuses: []ci.Status{ci.Failed}, Limit: plainNotes}},
		{&page.Errors, counts.Error, postgres.NotesQuery{Levels: []ci.Level{ci.LevelError}, Limit: plainNotes}},
		{&page.Warnings, counts.Warning, postgres.NotesQuery{Levels: []ci.Level{ci.LevelWarning}, Limit: plainNotes}},
		{&first, counts.Error, postgres.NotesQuery{Levels: []ci.Level{ci.LevelError}, Steps: failedFirst(b.Steps), Limit: 1}},
	} {
		if list.n == 0 {
			continue
		}
		if *list.into, _, err = s.notes(ctx, ref.ID, list.want); err != nil {
			return err
		}
	}
	if len(first) > 0 {
		page.First = &first[0]
	}
	return s.longPage(c, page.HTML())
}

// failedFirst is the first step that failed with an error that was understood;
// without one, any step may have the first error.
func failedFirst(steps []ci.Step) []ci.StepKey {
	for _, step := range steps {
		if step.Status == ci.Failed && step.Annotations.Error > 0 {
			return []ci.StepKey{step.Key}
		}
	}
	return nil
}

// notes reads one page of notes.
func (s *Server) notes(ctx context.Context, id ci.BuildID, want postgres.NotesQuery) (notes []plain.Note, page postgres.Notes, err error) {
	if page, err = s.store.Notes(ctx, id, want); err != nil {
		return nil, page, fmt.Errorf("list notes: %w", err)
	}
	for _, data := range page.Notes {
		n, err := plain.ParseNote(data)
		if err != nil {
			return nil, page, err
		}
		notes = append(notes, n)
	}
	return notes, page, nil
}

// plainLog answers with a page of a step's log: from the line that from says,
// or, for a line that a person typed in, by leading to the page that it is on.
func (s *Server) plainLog(c echo.Context, ref postgres.Ref) error {
	key, err := stepParam(c)
	if err != nil {
		return err
	}
	q, err := query(c, "from", "line", "times")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	b, err := s.store.Build(ctx, ref.ID)
	if err != nil {
		return fmt.Errorf("read build: %w", err)
	}
	page := plain.Log{Frame: s.frame(c), Build: b.Build, Times: q.Get("times") == "1"}
	extent, err := s.store.StepLog(ctx, ref.ID, key)
	if err != nil {
		return fmt.Errorf("read the extent of a log: %w", err)
	}
	page.Step = extent.Step
	if q.Get("line") != "" {
		line, err := lineParam(q, "line", extent.Step.LogLines)
		if err != nil {
			return err
		}
		page.First = plain.PageOf(line)
		if page.Rows, err = s.rows(ctx, extent, page.First); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, page.Line(line))
	}
	if page.First, err = lineParam(q, "from", extent.Step.LogLines); err != nil {
		return err
	}
	if page.Rows, err = s.rows(ctx, extent, page.First); err != nil {
		return err
	}
	if page.Notes, page.Short, err = s.notesOfPage(ctx, &page); err != nil {
		return err
	}
	return s.longPage(c, page.HTML())
}

// stepParam reads the step key at the end of an address.
func stepParam(c echo.Context) (ci.StepKey, error) {
	key, ok := star(c)
	if !ok {
		return "", echo.ErrNotFound
	}
	return ci.StepKey(key), ci.CheckStepKey(key)
}

// lineParam reads the number of a line that the log has; the first without it.
func lineParam(q url.Values, name string, lines int64) (int64, error) {
	line, err := wholeParam(q, name, 1, 1, ci.MaxLogBytes)
	if err == nil && line > max(1, lines) {
		err = &ci.Problem{Code: badRange, Field: name, Limit: lines, Detail: fmt.Sprintf("The log has %d lines.", lines)}
	}
	return line, err
}

// rowCost is what a piece of a log costs on a page besides its bytes.
const rowCost = 64

// rows reads a page of a log, from a line on. What is missing at the end of the
// log is on the page with the last line.
func (s *Server) rows(ctx context.Context, extent postgres.StepLog, first int64) ([]plain.Row, error) {
	last := first + plain.PageLines - 1
	if last >= extent.Step.LogLines {
		last = 0
	}
	lines, strip := plain.NewLines(first, last), &ansi.Stripper{}
	var raw, text []byte
	cost := 0
	for e, err := range chunksFromLine(ctx, s.store, &extent, first) {
		if err != nil {
			return nil, fmt.Errorf("read log: %w", err)
		}
		cost += rowCost + int(e.Chunk.Bytes)
		if e.Lost > 0 {
			lines.Hole(e.Lost, e.Quota)
			strip = &ansi.Stripper{}
			continue
		}
		raw = e.Chunk.AppendRaw(raw[:0])
		text = strip.Append(text[:0], raw)
		cost += escaped(text)
		if lines.Text(e.At, text); cost >= plain.PageBytes {
			lines.Stop()
		}
		if lines.Full() {
			break
		}
	}
	return lines.Rows(), nil
}

// escaped is how many bytes more a text takes in HTML.
func escaped(text []byte) (more int) {
	for _, b := range text {
		switch b {
		case '"', '\'', '&', '<', '>':
			more += len("&amp;") - 1
		}
	}
	return more
}

// notePages is how many pages of notes, of at most 1 MiB each, are looked
// through for a page of a log.
const notePages = 16

// notesOfPage reads what divides and marks a page of a step's log: all groups,
// and what is wrong at its lines. short tells that there are more notes than
// were looked through.
func (s *Server) notesOfPage(ctx context.Context, page *plain.Log) (notes []plain.Note, short bool, err error) {
	want := postgres.NotesQuery{
		Groups: true, Levels: []ci.Level{ci.LevelError, ci.LevelWarning, ci.LevelNotice}, Statuses: []ci.Status{ci.Failed},
		Steps: []ci.StepKey{page.Step.Key}, Limit: mostNotes,
	}
	for range notePages {
		some, list, err := s.notes(ctx, page.Build.ID, want)
		if err != nil {
			return nil, false, err
		}
		for _, n := range some {
			if n.Group != nil || n.Line >= page.First && n.Line <= page.Last() {
				notes = append(notes, n)
			}
		}
		if !list.More {
			return notes, false, nil
		}
		want.After = list.Through
	}
	return notes, true, nil
}
