package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/feed"
	"github.com/stepcast/stepcast/internal/postgres"
)

// Bounds of what a reader may ask for.
const (
	defaultEvents = 1000
	mostEvents    = 10_000
	mostLogs      = 32      // of one stream
	mostTail      = 1000000 // lines
	mostFilters   = 100     // steps, projects, branches or statuses
)

// buildEvents streams a build's log, or answers with a page of it.
func (s *Server) buildEvents(c echo.Context, ref postgres.Ref) error {
	known := []string{"after", "step", "logs", "tail"}
	if !wantsStream(c) {
		known = append(known, "limit")
	}
	q, err := query(c, known...)
	if err != nil {
		return err
	}
	m, err := s.buildMember(c, ref, q, cursorOf(c, q))
	if err != nil {
		return err
	}
	if wantsStream(c) {
		return s.serveStream(c, false, m)
	}
	return s.eventsPage(c, m, q)
}

// feedEvents streams the feed, or answers with a page of it.
func (s *Server) feedEvents(c echo.Context) error {
	known := []string{"after", "project", "branch"}
	if !wantsStream(c) {
		known = append(known, "limit")
	}
	q, err := query(c, known...)
	if err != nil {
		return err
	}
	m, err := s.feedMember(c, q, cursorOf(c, q))
	if err != nil {
		return err
	}
	if wantsStream(c) {
		return s.serveStream(c, false, m)
	}
	return s.eventsPage(c, m, q)
}

// streams puts several logs into one stream.
func (s *Server) streams(c echo.Context) error {
	logs, err := splitStreams(c.Request().URL.RawQuery)
	if err != nil {
		return err
	}
	cursors := make([]string, len(logs))
	if id := c.Request().Header.Get("Last-Event-ID"); id != "" {
		if cursors = strings.Split(id, "."); len(cursors) != len(logs) {
			cursors = slices.Repeat([]string{"?"}, len(logs)) // of some other stream
		}
	}
	members := make([]*member, len(logs))
	for i, l := range logs {
		cursor := cursors[i]
		if cursor == "" {
			cursor = l.q.Get("after")
		}
		if l.name == string(ci.FeedName) {
			members[i], err = s.feedMember(c, l.q, cursor)
		} else {
			id, bad := ci.ParseBuildID(l.name)
			if bad != nil {
				return bad
			}
			ref, missing := s.seen(c, id)
			if missing != nil {
				return s.awaited(c.Request().Context(), id, cursor, missing)
			}
			if members[i], err = s.buildMember(c, ref, l.q, cursor); err != nil {
				err = s.awaited(c.Request().Context(), id, cursor, err)
			}
		}
		if err != nil {
			return err
		}
	}
	return s.serveStream(c, true, members...)
}

// A streamLog is one log=…;…;… of /streams.
type streamLog struct {
	name string // a build's UUID, or feed
	q    url.Values
}

// splitStreams reads the query of /streams. Go's own parser refuses the
// semicolons that it is made of, which may stand plain or escaped.
func splitStreams(raw string) ([]streamLog, error) {
	var logs []streamLog
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		part = strings.ReplaceAll(strings.ReplaceAll(part, "%3B", ";"), "%3b", ";")
		l := streamLog{q: url.Values{}}
		for i, field := range strings.Split(part, ";") {
			text, err := url.QueryUnescape(field)
			name, value, ok := strings.Cut(text, "=")
			if err != nil || !ok || (i == 0) != (name == "log") {
				return nil, &ci.Problem{Code: ci.Invalid, Field: "log", Detail: fmt.Sprintf("The query is a list of log=<build>;step=<key>;…, joined by &; %s is no part of that.", printable(text))}
			}
			if i == 0 {
				l.name = strings.ToLower(value)
			} else {
				l.q.Add(name, value)
			}
		}
		known := []string{"after", "step", "logs", "tail"}
		if l.name == string(ci.FeedName) {
			known = []string{"after", "project", "branch"}
		}
		if err := knownParams(l.q, known); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(logs, func(other streamLog) bool { return other.name == l.name }) {
			return nil, &ci.Problem{Code: ci.Invalid, Field: "log", Detail: fmt.Sprintf("The log %s is asked for twice.", printable(l.name))}
		}
		if len(logs) == mostLogs { // each is held against all before it
			return nil, &ci.Problem{Code: ci.TooMany, Field: "log", Limit: mostLogs, Detail: fmt.Sprintf("A stream has at most %d logs.", mostLogs)}
		}
		logs = append(logs, l)
	}
	if len(logs) == 0 {
		return nil, &ci.Problem{Code: ci.Invalid, Field: "log", Detail: "The query names no log; it is a list of log=<build>;step=<key>;…, joined by &."}
	}
	return logs, nil
}

// resumed answers readers of a build who go on.
func (s *Server) resumed(h echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := h(c)
		id, bad := ci.ParseBuildID(c.Param("id"))
		if err == nil || bad != nil {
			return err
		}
		return s.awaited(c.Request().Context(), id, cursorOf(c, c.QueryParams()), err)
	}
}

// awaited has a reader come back whose build is gone, or out of sight, while the
// present history is young: the runner may be about to create it again, and a reader
// that is told that there is none stops. Who has no cursor is told.
func (s *Server) awaited(ctx context.Context, id ci.BuildID, cursor string, missing error) error {
	if cursor == "" || !errors.Is(missing, &ci.Problem{Code: ci.NotFound}) {
		return missing
	}
	switch awaited, err := s.store.Awaited(ctx); {
	case err != nil:
		return fmt.Errorf("await build %s: %w", id, err)
	case !awaited:
		return missing
	}
	return &ci.Problem{Code: rewound, Detail: "The database was just put back to a state without this build, which its runner may be about to create again; ask again in a moment."}
}

// cursorOf is the cursor that a reader comes with: what it saw last, else what
// it was told to begin after.
func cursorOf(c echo.Context, q url.Values) string {
	if id := c.Request().Header.Get("Last-Event-ID"); id != "" {
		return id
	}
	return q.Get("after")
}

// resume sets where a member begins.
func (m *member) resume(cursor string) {
	if cursor == "" {
		return
	}
	m.given = true
	if parsed, ok := ci.ParseCursor(cursor); ok {
		m.cursor = parsed
	} else {
		m.cursor = feed.BadCursor
	}
}

// buildMember reads what is asked for of a build's log. Who may not see its
// text gets what logs=none gives.
func (s *Server) buildMember(c echo.Context, ref postgres.Ref, q url.Values, cursor string) (*member, error) {
	m := &member{log: ref.Log, epoch: ref.Epoch, name: ref.ID.Name(), project: ref.Project, build: ref.ID, payer: s.payer(c, s.who(c))}
	m.resume(cursor)
	steps, err := stepsWanted(q)
	if err != nil {
		return nil, err
	}
	m.filter.Steps = steps
	switch q.Get("logs") {
	case "":
	case "none":
		m.filter.NoLogs = true
	default:
		return nil, &ci.Problem{Code: ci.Invalid, Field: "logs", Detail: "The parameter logs is none, or left out."}
	}
	if !s.who(c).text(ref.Project, ref.ID, ref.Public) {
		m.filter.NoLogs = true
	}
	m.text = !m.filter.NoLogs
	tail, err := wholeParam(q, "tail", 0, 1, mostTail)
	if err != nil {
		return nil, err
	}
	if tail > 0 && !m.given && !m.filter.NoLogs {
		leave, err := s.enter(c, s.builds) // it is looked for in each of its steps
		if err != nil {
			return nil, err
		}
		defer leave()
		if m.filter.Since, err = s.store.TailStart(c.Request().Context(), ref.Log, int(tail)); err != nil {
			return nil, fmt.Errorf("find the tail: %w", err)
		}
	}
	return m, nil
}

func (s *Server) feedMember(c echo.Context, q url.Values, cursor string) (*member, error) {
	ctx := c.Request().Context()
	m := &member{log: ci.FeedLog, name: ci.FeedName, payer: s.payer(c, s.who(c))}
	m.resume(cursor)
	projects, branches := q["project"], q["branch"]
	if err := checkFilters(projects, branches); err != nil {
		return nil, err
	}
	if m.filter.Projects = projects; branches != nil {
		m.filter.Branches = slices.Compact(slices.Sorted(slices.Values(branches)))
	}
	if err := s.settleSight(ctx, m, s.reach(c)); err != nil {
		return nil, err
	}
	if !m.given || m.reset != "" {
		if err := s.snapshot(ctx, m); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// checkFilters says why this cannot be asked for: patterns of projects, and
// branches or statuses beside them. The database holds each project, or build,
// against all of them.
func checkFilters(projects []string, more ...[]string) error {
	for _, list := range append(more, projects) {
		if len(list) > mostFilters {
			return &ci.Problem{Code: ci.TooMany, Limit: mostFilters, Detail: fmt.Sprintf("At most %d projects, branches and statuses are asked for at once.", mostFilters)}
		}
	}
	for _, pattern := range projects {
		if err := ci.CheckPattern(pattern); err != nil {
			return err
		}
	}
	return nil
}

// eventJSON is an event in a page.
type eventJSON struct {
	ID   string          `json:"id"`
	Kind ci.Kind         `json:"kind"`
	Data json.RawMessage `json:"data"`
}

// eventsPage answers with events as JSON: what a stream would send, a page at
// a time.
func (s *Server) eventsPage(c echo.Context, m *member, q url.Values) error {
	limit, err := wholeParam(q, "limit", defaultEvents, 1, mostEvents)
	if err != nil {
		return err
	}
	answer := struct {
		Events []eventJSON `json:"events"`
		Next   string      `json:"next"`
		End    bool        `json:"end"`
		Reset  feed.Reason `json:"reset,omitempty"`
	}{Events: []eventJSON{}}
	ctx := c.Request().Context()
	taken, err := s.keep(c, len(m.begin))
	if err != nil {
		return err
	}
	defer func() { taken() }()
	leave, err := s.enter(c, s.lists)
	if err != nil {
		return err
	}
	defer func() { leave() }()
	page, reset, err := s.readPage(ctx, m, int(limit))
	if err != nil {
		return err
	}
	if answer.Reset = cmp.Or(m.reset, reset); reset != "" && m.log == ci.FeedLog {
		leave() // a snapshot has turns of its own, and may have to wait for many
		if err := s.snapshot(ctx, m); err != nil {
			return err
		}
		if taken, err = s.keep(c, len(m.begin)); err != nil {
			taken = func() {}
			return err
		}
		if leave, err = s.enter(c, s.lists); err != nil {
			leave = func() {}
			return err
		}
	}
	c.Response().Before(leave)
	if m.begin != nil { // the feed from what is
		answer.Events = append(answer.Events, eventJSON{m.cursor.String(), "snapshot", m.begin})
		answer.Next = m.cursor.String()
	} else {
		prefix := ci.CursorPrefix(page.Epoch, m.name)
		for i := range page.Events {
			e := &page.Events[i]
			answer.Events = append(answer.Events, eventJSON{ci.Cursor{Prefix: prefix, ID: e.ID}.String(), e.Kind, e.AppendData(nil)})
		}
		answer.Next = ci.Cursor{Prefix: prefix, ID: page.Through}.String()
		answer.End = page.Head.Final && page.Through >= page.Head.Last
	}
	c.Response().Header().Set("Cache-Control", "no-cache")
	return s.json(c, http.StatusOK, answer)
}

// readPage reads the page after the member's cursor; when that is not one, the
// first page, and says why.
func (s *Server) readPage(ctx context.Context, m *member, limit int) (ci.Page, feed.Reason, error) {
	if m.begin != nil {
		return ci.Page{}, "", nil
	}
	after := max(m.cursor.ID, 0)
	page, err := s.store.PageN(ctx, m.log, after, m.filter, limit)
	if err != nil {
		return page, "", fmt.Errorf("read page: %w", err)
	}
	if m.log != ci.FeedLog && page.Epoch != m.epoch { // the history was rewound since the build was looked up
		if err := s.find(ctx, m); err != nil {
			return page, "", err
		}
		return s.readPage(ctx, m, limit)
	}
	reset, err := s.judge(ctx, m, &page)
	if err != nil || reset == "" {
		return page, reset, err
	}
	page, err = s.store.PageN(ctx, m.log, 0, m.filter, limit)
	if err != nil {
		return page, "", fmt.Errorf("read page: %w", err)
	}
	return page, reset, nil
}

// find looks a member's build up again, after a rewind.
func (s *Server) find(ctx context.Context, m *member) error {
	id, err := ci.ParseBuildID(string(m.name))
	if err != nil {
		return err
	}
	ref, err := s.store.Lookup(ctx, id)
	if err != nil {
		return s.awaited(ctx, id, m.cursor.String(), fmt.Errorf("find the log again: %w", err))
	}
	m.log, m.epoch = ref.Log, ref.Epoch
	m.filter.Since = nil // ids of a history that is past
	return nil
}

// judge says what is wrong with a member's cursor, given a page after it.
func (s *Server) judge(ctx context.Context, m *member, page *ci.Page) (feed.Reason, error) {
	switch {
	case !m.given:
		return "", nil
	case m.cursor == feed.BadCursor:
		return feed.UnknownCursor, nil
	case m.cursor.Prefix != ci.CursorPrefix(page.Epoch, m.name):
		_, former, err := s.store.Epochs(ctx)
		if err != nil {
			return "", fmt.Errorf("read epochs: %w", err)
		}
		if slices.ContainsFunc(former, func(e ci.Epoch) bool { return ci.CursorPrefix(e, m.name) == m.cursor.Prefix }) {
			return feed.Rewound, nil
		}
		return feed.WrongLog, nil
	case m.cursor.ID > page.Head.Last:
		return feed.UnknownCursor, nil
	case m.cursor.ID < page.First-1:
		return feed.Expired, nil
	}
	return "", nil
}
