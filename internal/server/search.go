package server

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
	"github.com/stepcast/stepcast/internal/search"
)

// Bounds of searches.
const (
	defaultMatches = 1000
	mostMatches    = 10_000
	matchesBytes   = 1 << 20 // about so much of an answer
	searchTime     = 10 * time.Second
	searchTurn     = 3 * time.Second // for which one waits while others search
	mostSearches   = 2               // at once
)

// searchBuild answers with the lines of a build's logs that match.
func (s *Server) searchBuild(c echo.Context, ref postgres.Ref) error {
	q, err := query(c, "q", "regex", "case", "step", "limit", "after")
	if err != nil {
		return err
	}
	w, err := searchWanted(q)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	leave, err := s.enterSearch(c)
	if err != nil {
		return err
	}
	defer leave()
	if err := w.compile(); err != nil { // few bytes may become megabytes
		return err
	}
	texts, err := s.store.Texts(ctx, ref.ID, w.after.since)
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	prefix := ci.CursorPrefix(texts.Epoch, ref.ID.Name())
	if w.after.prefix != "" && w.after.prefix != prefix || max(w.after.since, w.after.through) > texts.Last {
		return badSearchAfter()
	}
	w.after.prefix = prefix
	if w.after.through == 0 {
		w.after.through = texts.Last
	}
	run := &searchRun{searchQuery: w, deadline: time.Now().Add(s.searchTime), matches: []matchJSON{}}
	if err := run.search(ctx, s.store, texts); err != nil {
		return fmt.Errorf("search: %w", err)
	}
	leave() // the peer may take its time
	page := struct {
		Matches  []matchJSON `json:"matches"`
		Total    int64       `json:"total"`
		Next     ci.Text     `json:"next"`
		End      string      `json:"end"`
		Complete bool        `json:"complete"`
	}{run.matches, run.total, "", run.end.String(), run.complete}
	h := c.Response().Header()
	if run.next != nil {
		page.Next = ci.Text(run.next.String())
		q.Set("after", string(page.Next))
		h.Set("Link", "<"+c.Request().URL.EscapedPath()+"?"+q.Encode()+`>; rel="next"`)
	}
	h.Set("Cache-Control", "no-store")
	return s.json(c, http.StatusOK, page)
}

// searches are those that are under way.
type searches struct {
	places chan struct{} // one in it for each

	mu sync.Mutex
	of map[string]*searcher // by who searches, or waits for it
}

// searcher is one who searches.
type searcher struct {
	place chan struct{} // one in it while a search is under way
	here  int           // searches that are under way or wait
}

func newSearches() *searches {
	return &searches{places: make(chan struct{}, mostSearches), of: make(map[string]*searcher)}
}

// enterSearch waits until fewer than mostSearches others search, and nobody else
// with the same token, or in a session of the same person, or without one from the
// same address: whoever searches on and on leaves the other place to the rest. To
// leave twice is to leave once.
func (s *Server) enterSearch(c echo.Context) (leave func(), err error) {
	who := s.payer(c, s.who(c))
	ctx, cancel := context.WithTimeout(c.Request().Context(), searchTurn)
	defer cancel()
	leaveOwn := func() {}
	if who != "" {
		if leaveOwn = s.searches.enterAs(ctx, who); leaveOwn == nil {
			return nil, noTurn(c, 1, "Another search of yours is under way; send the same again.")
		}
	}
	select {
	case s.searches.places <- struct{}{}:
		return sync.OnceFunc(func() { <-s.searches.places; leaveOwn() }), nil
	case <-ctx.Done():
		leaveOwn()
		return nil, noTurn(c, mostSearches, "The server is searching for others and takes no more; send the same again.")
	}
}

// noTurn is why somebody waits no longer.
func noTurn(c echo.Context, most int64, detail string) error {
	if err := c.Request().Context().Err(); err != nil {
		return err
	}
	return &ci.Problem{Code: ci.Overloaded, Limit: most, Detail: detail}
}

// enterAs waits until nobody else searches as who does; nil: not before ctx was
// done.
func (s *searches) enterAs(ctx context.Context, who string) (leave func()) {
	s.mu.Lock()
	one := s.of[who]
	if one == nil {
		one = &searcher{place: make(chan struct{}, 1)}
		s.of[who] = one
	}
	one.here++
	s.mu.Unlock()
	forget := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if one.here--; one.here == 0 {
			delete(s.of, who)
		}
	}
	select {
	case one.place <- struct{}{}:
		return func() { <-one.place; forget() }
	case <-ctx.Done():
		forget()
		return nil
	}
}

// searchQuery is what is looked for, and where.
type searchQuery struct {
	text    string
	options search.Options
	pattern *search.Pattern // of text, once it is compiled
	steps   []ci.StepKey    // nil: all
	limit   int
	after   searchPlace
}

func searchWanted(q url.Values) (w searchQuery, err error) {
	w.text = q.Get("q")
	switch text := w.text; {
	case text == "":
		return w, &ci.Problem{Code: ci.Invalid, Field: "q", Detail: "The parameter q is the text to look for; it is missing or empty."}
	case len(text) > search.MaxPattern:
		return w, &ci.Problem{Code: ci.TooLong, Field: "q", Limit: search.MaxPattern, Detail: fmt.Sprintf("The text to look for has %d bytes; at most %d are allowed.", len(text), search.MaxPattern)}
	case strings.Contains(text, "\n"):
		return w, &ci.Problem{Code: ci.Invalid, Field: "q", Detail: "A match lies within one line; the text to look for cannot have a line feed in it."}
	}
	for _, flag := range []struct {
		name string
		on   *bool
	}{{"regex", &w.options.Regexp}, {"case", &w.options.Case}} {
		if *flag.on, err = flagParam(q, flag.name); err != nil {
			return w, err
		}
	}
	if w.steps, err = stepsWanted(q); err != nil {
		return w, err
	}
	if w.after, err = parseSearchPlace(q.Get("after")); err != nil {
		return w, err
	}
	limit, err := wholeParam(q, "limit", defaultMatches, 1, mostMatches)
	w.limit = int(limit)
	return w, err
}

func (w *searchQuery) compile() (err error) {
	if w.pattern, err = search.Compile(w.text, w.options); err != nil {
		return &ci.Problem{Code: ci.Invalid, Field: "q", Detail: err.Error()}
	}
	return nil
}

// A searchPlace is where a search goes on. Text is searched step by step, but
// grows in all steps at once: so a search is of the text between two events,
// and only its continuation has a place in a step. What comes later is another
// search, of the text after the event that this one went to.
type searchPlace struct {
	prefix  string     // of the cursors of the build's log
	since   ci.EventID // text up to this event is not searched
	through ci.EventID // nor is text after this one; 0: all there is
	step    int        // the number of the step; 0: from the first on
	at      search.Place
}

// String returns the wire form: with no more than since, an event's id.
func (p searchPlace) String() string {
	s := ci.Cursor{Prefix: p.prefix, ID: p.since}.String()
	if p.step == 0 {
		return s
	}
	return fmt.Sprintf("%s-%d-%d-%d-%d", s, p.through, p.step, p.at.Line, p.at.Piece)
}

// parseSearchPlace reads the wire form; "" is the beginning.
func parseSearchPlace(s string) (p searchPlace, err error) {
	if s == "" {
		return p, nil
	}
	parts := strings.Split(s, "-")
	cursor, ok := ci.ParseCursor(strings.Join(parts[:min(2, len(parts))], "-"))
	if !ok || len(parts) != 2 && len(parts) != 6 {
		return p, badSearchAfter()
	}
	p.prefix, p.since = cursor.Prefix, cursor.ID
	if len(parts) == 2 {
		return p, nil
	}
	var numbers [4]int64
	for i := range numbers {
		if numbers[i], err = strconv.ParseInt(parts[2+i], 10, 64); err != nil || numbers[i] < 0 || numbers[i] > ci.MaxLogBytes {
			return p, badSearchAfter()
		}
	}
	p.through, p.step, p.at = ci.EventID(numbers[0]), int(numbers[1]), search.Place{Line: numbers[2], Piece: int(numbers[3])}
	if p.through <= p.since || p.step == 0 || p.at.Line == 0 {
		return p, badSearchAfter()
	}
	return p, nil
}

func badSearchAfter() error {
	return &ci.Problem{Code: ci.Invalid, Field: "after", Detail: "The parameter after is the next or the end of an earlier search of this build, as it was given; leave it out to begin anew."}
}

// matchJSON is one line that matches.
type matchJSON struct {
	Step   ci.StepKey `json:"step"`
	Line   int64      `json:"line"`
	Text   string     `json:"text"`
	At     int64      `json:"at"`
	Ranges [][2]int64 `json:"ranges"`
}

// A searchRun is the work of one request.
type searchRun struct {
	searchQuery
	deadline time.Time
	matches  []matchJSON
	size     int          // of matches, about, in bytes
	total    int64        // lines that match
	full     *searchPlace // behind the last of matches, when no more are taken
	next     *searchPlace
	end      searchPlace
	complete bool
	begun    searchPlace // step and place at which this request began
}

// textPage is some events of one step, or why there are none.
type textPage struct {
	postgres.TextPage
	step int // index in Texts
	err  error
}

// pagesAhead is how many pages there are in memory: one is searched, one is
// ready, one is read.
const pagesAhead = 3

// readTexts reads texts in a goroutine of its own, so that one page is read and
// unpacked while another is searched: of each step up to an event, and what else
// is on its page. Pages that are done with go back to free. It ends with ctx.
func readTexts(ctx context.Context, store *postgres.Store, texts postgres.Texts, through ci.EventID) (pages <-chan *textPage, free chan<- *textPage) {
	full, empty := make(chan *textPage, pagesAhead), make(chan *textPage, pagesAhead)
	for range pagesAhead {
		empty <- new(textPage)
	}
	go func() {
		defer close(full)
		for i, step := range texts.Steps {
			reader := store.ReadText(texts.Log, step)
			for more := true; more; {
				var page *textPage
				select {
				case page = <-empty:
				case <-ctx.Done():
					return
				}
				page.step, page.err = i, reader.Next(ctx, &page.TextPage)
				n := len(page.Events)
				more = n > 0 && page.Events[n-1].ID < through
				if full <- page; page.err != nil {
					return
				}
			}
		}
	}()
	return full, empty
}

// search looks through the texts until they end, or the deadline has passed.
func (r *searchRun) search(ctx context.Context, store *postgres.Store, texts postgres.Texts) error {
	texts.Steps = r.stepsOf(texts.Steps)
	ctx, cancel := context.WithCancel(ctx)
	pages, free := readTexts(ctx, store, texts, r.after.through)
	defer func() {
		cancel()
		for range pages { // until the reader is gone
		}
	}()
	last, now := -1, &stepSearch{}
	for page := range pages {
		if page.err != nil {
			return page.err
		}
		if page.step != last {
			now.end()
			last, now = page.step, r.begin(texts.Steps[page.step])
		}
		for i := range page.Events {
			now.take(&page.Events[i])
			if err := ctx.Err(); err != nil {
				return err
			}
			if time.Now().After(r.deadline) && r.breakOff(now) {
				return nil
			}
		}
		free <- page
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	now.end()
	r.end, r.complete = searchPlace{prefix: r.after.prefix, since: r.after.through}, true
	return nil
}

// breakOff ends the search before its end, if it has come further in this
// request. A line that takes so long by itself is left as far as it was
// searched, or the search would never get past it.
func (r *searchRun) breakOff(now *stepSearch) bool {
	at := now.matcher.Place()
	if now.step.Number == r.begun.step && at == r.begun.at {
		if !now.matcher.InLongLine() {
			return false
		}
		at = search.Place{Line: at.Line + 1}
	}
	r.end = r.behind(now, at)
	if r.next == nil {
		r.next = &r.end
	}
	return true
}

// stepsOf are the steps that are wanted, from where the search goes on.
func (r *searchRun) stepsOf(all []postgres.StepText) (wanted []postgres.StepText) {
	for _, step := range all {
		switch {
		case step.Number < r.after.step, r.steps != nil && !slices.Contains(r.steps, step.Key):
			continue
		case step.Number == r.after.step:
			step.Line = max(step.Line, r.after.at.Line)
		}
		wanted = append(wanted, step)
	}
	return wanted
}

// behind is the place in a step where a search goes on.
func (r *searchRun) behind(now *stepSearch, at search.Place) searchPlace {
	return searchPlace{prefix: r.after.prefix, since: r.after.since, through: r.after.through, step: now.step.Number, at: at}
}

// A stepSearch is the search through one step.
type stepSearch struct {
	run     *searchRun
	step    postgres.StepText
	matcher *search.Matcher
	skip    int64 // newlines until the line where the search begins
	begun   bool
	text    []byte
}

func (r *searchRun) begin(step postgres.StepText) *stepSearch {
	from := search.Place{Line: step.Line}
	if step.Number == r.after.step && step.Line == r.after.at.Line {
		from.Piece = r.after.at.Piece
	}
	if r.begun.step == 0 {
		r.begun = searchPlace{step: step.Number, at: from}
	}
	now := &stepSearch{run: r, step: step}
	now.matcher = r.pattern.NewMatcher(from, r.after.since > 0, func(hit search.Hit) { r.add(now, hit) })
	return now
}

// take searches an event.
func (s *stepSearch) take(e *ci.Event) {
	if !s.begun {
		s.begun, s.skip = true, s.step.Line-e.Line
	}
	switch {
	case e.ID > s.run.after.through:
		return
	case e.ID > s.run.after.since:
		s.matcher.Renew()
	}
	if e.Lost > 0 {
		if s.skip == 0 {
			s.matcher.Hole()
		}
		return
	}
	s.text = e.Chunk.AppendText(s.text[:0])
	text := s.text
	for ; s.skip > 0; s.skip-- {
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			return
		}
		text = text[i+1:]
	}
	s.matcher.Write(text)
}

func (s *stepSearch) end() {
	if s.matcher != nil {
		s.matcher.End()
	}
}

// add counts a line that matches, and shows it while there is room and time.
func (r *searchRun) add(now *stepSearch, hit search.Hit) {
	r.total++
	if r.full == nil && len(r.matches) > 0 && time.Now().After(r.deadline) {
		full := r.behind(now, hit.Place)
		r.full = &full
	}
	if r.full != nil {
		r.next = r.full
		return
	}
	m := hit.Match()
	r.matches = append(r.matches, matchJSON{now.step.Key, hit.Line, m.Text, m.At, m.Ranges})
	r.size += len(m.Text) + 16*len(m.Ranges) + len(now.step.Key) + 64
	if len(r.matches) == r.limit || r.size >= matchesBytes {
		full := r.behind(now, search.Place{Line: hit.Line, Piece: hit.Piece + 1})
		r.full = &full
	}
}
