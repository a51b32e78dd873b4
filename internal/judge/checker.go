package judge

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Feed is the name of the server-wide log.
const Feed = "feed"

// Claim is something that a write said about a build (Step empty) or a step
// of it: log text, notes, a status, or several of these.
type Claim struct {
	Build, Step   string
	Offset, Bytes int64  // log text; none when Bytes is 0
	Notes         int64  // with its notes the step has so many; none when 0
	Status        string // none when empty
}

// Answer is what became of a write.
type Answer struct {
	Status int    // HTTP status; 0: unknown, because the answer never came
	Detail string // of a refusal
	// Bytes that the server says each step of the request has.
	Logs map[string]int64
}

// Checker records a history and finds what is wrong with it. All methods may
// be called at once from anywhere.
type Checker struct {
	mu     sync.Mutex
	seed   maphash.Seed
	said   map[string]*saidBuild
	epochs map[string]*history // by log and prefix
	logs   map[string]*history // by log: the newest epoch's
	views  []*View
	writes []*Write
	excuse bool  // a history was rewound on purpose: resets and gaps are right
	quota  int64 // bytes of text that servers keep of a build; 0: all
	findings
}

// NewChecker returns a checker with an empty history.
func NewChecker() *Checker {
	return &Checker{seed: maphash.MakeSeed(), said: map[string]*saidBuild{}, epochs: map[string]*history{}, logs: map[string]*history{}}
}

// saidBuild is what the writers said about one build.
type saidBuild struct {
	build saidStep // the build itself
	steps map[string]*saidStep
}

type saidStep struct {
	text     Text
	sent     int64           // text was sent up to here …
	acked    int64           // … and acknowledged up to here
	notes    counted         // notes
	statuses map[string]bool // sent; true: acknowledged
}

// counted is how many notes were sent, and how many of them acknowledged.
type counted struct{ sent, acked int64 }

// finished returns the acknowledged final status; "" if there is none.
func (s *saidStep) finished() string {
	for status, acked := range s.statuses {
		if acked && finalStatus[status] {
			return status
		}
	}
	return ""
}

var finalStatus = map[string]bool{"passed": true, "failed": true, "canceled": true, "skipped": true}

func (c *Checker) saidOf(build, step string) *saidStep {
	b := c.said[build]
	if b == nil {
		b = &saidBuild{steps: map[string]*saidStep{}}
		b.build.statuses = map[string]bool{}
		c.said[build] = b
	}
	if step == "" {
		return &b.build
	}
	s := b.steps[step]
	if s == nil {
		s = &saidStep{text: TextOf(build, step), statuses: map[string]bool{}}
		b.steps[step] = s
	}
	return s
}

// Write is one write request.
type Write struct {
	c          *Checker
	server     string
	claims     []Claim
	start, end time.Time // end is zero while it is in flight
	answer     int
}

// Sending records a write before its first byte goes out.
func (c *Checker) Sending(server string, claims ...Claim) *Write {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, claim := range claims {
		s := c.saidOf(claim.Build, claim.Step)
		s.sent = max(s.sent, claim.Offset+claim.Bytes)
		s.notes.sent = max(s.notes.sent, claim.Notes)
		if _, known := s.statuses[claim.Status]; !known && claim.Status != "" {
			s.statuses[claim.Status] = false
		}
	}
	w := &Write{c: c, server: server, claims: claims, start: time.Now()}
	c.writes = append(c.writes, w)
	return w
}

// Answered records what became of the write: 2xx is an acknowledgement; 0, 429
// and 5xx leave it open (whatever it became, a repeat must find it); and any
// other answer is [Refused], because the judge's writers say nothing wrong.
func (w *Write) Answered(a Answer) {
	c := w.c
	c.mu.Lock()
	defer c.mu.Unlock()
	w.end, w.answer = time.Now(), a.Status
	switch {
	case a.Status >= 200 && a.Status <= 299:
		for _, claim := range w.claims {
			c.acknowledge(claim, a)
		}
	case a.Status == 0 || a.Status == 429 || a.Status >= 500 && a.Status != 500:
	case c.excuse && (a.Status == 404 || a.Status == 409):
	default:
		c.add(Finding{Kind: Refused, Detail: fmt.Sprintf("a write was answered %d by %s: %s; it said %+v", a.Status, w.server, a.Detail, w.claims)})
	}
	w.claims = nil
}

func (c *Checker) acknowledge(claim Claim, a Answer) {
	s := c.saidOf(claim.Build, claim.Step)
	end := claim.Offset + claim.Bytes
	s.acked = max(s.acked, end)
	s.notes.acked = max(s.notes.acked, claim.Notes)
	if claim.Status != "" {
		s.statuses[claim.Status] = true
	}
	if has, ok := a.Logs[claim.Step]; ok && claim.Step != "" && has < end {
		c.add(Finding{Kind: Lost, Log: claim.Build, Detail: fmt.Sprintf("step %s was acknowledged to %d in an answer that says it has %d bytes", claim.Step, end, has)})
	}
}

// Gap records the answer that a step has only the bytes up to offset. Writers
// of the judge never run ahead of an acknowledgement, so unless history was
// rewound this is a loss.
func (w *Write) Gap(build, step string, offset int64) {
	c := w.c
	c.mu.Lock()
	defer c.mu.Unlock()
	w.end, w.answer, w.claims = time.Now(), 409, nil
	s := c.saidOf(build, step)
	if !c.excuse {
		c.add(Finding{Kind: Lost, Log: build, Detail: fmt.Sprintf("%s says that step %s ends at %d; %d bytes were acknowledged", w.server, step, offset, s.acked)})
	}
	s.acked = min(s.acked, offset)
}

// NoteGap is Gap for notes: the step has only so many.
func (w *Write) NoteGap(build, step string, number int64) {
	c := w.c
	c.mu.Lock()
	defer c.mu.Unlock()
	w.end, w.answer, w.claims = time.Now(), 409, nil
	s := c.saidOf(build, step)
	if !c.excuse {
		c.add(Finding{Kind: Lost, Log: build, Detail: fmt.Sprintf("%s says that step %s has %d notes; %d were acknowledged", w.server, step, number, s.notes.acked)})
	}
	s.notes.acked = min(s.notes.acked, number)
}

// Rewound says that history was rewound on purpose: what was acknowledged
// before may be gone, and from here on resets and gaps are right.
func (c *Checker) Rewound() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.excuse = true
	for _, b := range c.said {
		b.build.forget()
		for _, s := range b.steps {
			s.forget()
		}
	}
}

// forget takes back all acknowledgements; what was sent stays sent.
func (s *saidStep) forget() {
	s.acked, s.notes.acked = 0, 0
	for status := range s.statuses {
		s.statuses[status] = false
	}
}

// InFlight counts the writes to a server (any, when empty) that were sent
// before the moment at and unanswered at it.
func (c *Checker) InFlight(server string, at time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, w := range c.writes {
		if (server == "" || w.server == server) && w.start.Before(at) && (w.end.IsZero() || w.end.After(at)) {
			n++
		}
	}
	return n
}

// history is one log in one epoch, as all its readers together saw it.
type history struct {
	log, prefix string
	seen        []sighting // by id - 1
	checked     int64      // events 1..checked went through follow
	waiting     map[int64]content
	steps       map[string]*seenStep
	kept        int64 // bytes of text
	build       seenStep
	statuses    []uint64            // of status events in order, for comparison with the feed
	byBuild     map[string][]uint64 // the feed's, by build
}

// sighting is what the checker keeps of an event: hashes of its meaning and
// of the bytes in which it came in each [Shape]. 0 is "not seen".
type sighting struct {
	meaning uint64
	bytes   [shapes]uint64
}

type seenStep struct {
	end      int64 // of the text
	holes    int   // that end it, for want of the quota
	notes    int64
	last     status
	statuses map[string]bool
}

// content is an event's data as far as the checker understands it.
type content struct {
	kind    string
	meaning uint64

	BuildID string  `json:"build_id"`
	Step    string  `json:"step"`
	Line    int64   `json:"line"`
	Offset  int64   `json:"offset"`
	Bytes   int64   `json:"bytes"`
	Text    *string `json:"text"`
	Quota   struct {
		Of    string `json:"of"`
		Bytes int64  `json:"bytes"`
	} `json:"quota"`
	Number int64 `json:"number"`
	Test   struct {
		Name string `json:"name"`
	} `json:"test"`
	status
}

// status is what must differ between two status events in a row: an update
// that is repeated makes no second event.
type status struct {
	Key        string `json:"key"`
	Status     string `json:"status"`
	StartedAt  string `json:"started_at"`
	FinishedAt string `json:"finished_at"`
	ExitCode   *int   `json:"exit_code"`
}

func (s status) same(other status) bool {
	equalCode := s.ExitCode == other.ExitCode || s.ExitCode != nil && other.ExitCode != nil && *s.ExitCode == *other.ExitCode
	s.ExitCode, other.ExitCode = nil, nil
	return equalCode && s == other
}

// View is one log as one reader sees it.
type View struct {
	c        *Checker
	reader   string
	log      string
	filtered bool // some events are held back, so ids may jump
	shape    Shape
	prefix   string
	last     int64
	missed   []span
	ended    bool
}

type span struct{ first, last int64 }

// Watch is how a reader reads a log.
type Watch struct {
	Filtered bool  // some events are held back by a filter, so ids may jump
	Shape    Shape // how events come
	From     int64 // the id that the first connection began after
}

// Shape is a way in which events come. The same event has the same bytes each
// time it comes in one shape.
type Shape int

// The shapes.
const (
	Stream  Shape = iota // as the stream of one log
	Streams              // in a stream of several logs: data has "log" too
	Pages                // in JSON pages
	shapes
)

// View returns a new reader's view of a log.
func (c *Checker) View(reader, log string, how Watch) *View {
	c.mu.Lock()
	defer c.mu.Unlock()
	v := &View{c: c, reader: reader, log: log, filtered: how.Filtered, shape: how.Shape, last: how.From}
	c.views = append(c.views, v)
	return v
}

// ParseID takes an event id of one log apart: the name of log and epoch, and
// the number.
func ParseID(id string) (prefix string, n int64, ok bool) {
	prefix, digits, ok := strings.Cut(id, "-")
	if !ok || len(prefix) != 6 {
		return "", 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return prefix, n, err == nil && n >= 0
}

func (v *View) finding(kind Kind, conn int, id int64, format string, args ...any) {
	v.c.add(Finding{Kind: kind, Log: v.log, Reader: fmt.Sprintf("%s/%d", v.reader, conn), ID: id, Detail: fmt.Sprintf(format, args...)})
}

// enter checks the name in an id against the one that this view goes by.
func (v *View) enter(conn int, id string) (n int64, ok bool) {
	prefix, n, ok := ParseID(id)
	switch {
	case !ok:
		v.finding(Inconsistent, conn, 0, "unreadable id %q", id)
		return 0, false
	case v.prefix == "":
		v.prefix = prefix
	case v.prefix != prefix:
		v.finding(Inconsistent, conn, n, "an id of epoch %s after those of %s, without a reset", prefix, v.prefix)
		v.prefix, v.last, v.missed = prefix, n, nil
		return n, false
	}
	return n, true
}

// Event records that the reader saw an event on its conn-th connection.
func (v *View) Event(conn int, id, kind string, data []byte) {
	c := v.c
	c.mu.Lock()
	defer c.mu.Unlock()
	n, ok := v.enter(conn, id)
	if !ok {
		return
	}
	switch {
	case n == v.last+1:
		v.last = n
	case n > v.last:
		if !v.filtered {
			v.finding(Skip, conn, n, "the one before was %d", v.last)
			v.missed = append(v.missed, span{v.last + 1, n - 1})
		}
		v.last = n
	case v.late(n):
		v.finding(NonMonotonic, conn, n, "it comes after %d", v.last)
	default:
		v.finding(Duplicate, conn, n, "seen before; the newest was %d", v.last)
	}
	c.saw(v, conn, n, kind, data)
}

// late tells whether n was missed so far, and fills it in.
func (v *View) late(n int64) bool {
	for i, m := range v.missed {
		if n < m.first || n > m.last {
			continue
		}
		v.missed = slices.Delete(v.missed, i, i+1)
		if m.first < n {
			v.missed = append(v.missed, span{m.first, n - 1})
		}
		if n < m.last {
			v.missed = append(v.missed, span{n + 1, m.last})
		}
		return true
	}
	return v.filtered && n < v.last
}

// Mark records a frame that is no event but carries an id (live, ping): what
// the reader asked for up to it must have been sent.
func (v *View) Mark(conn int, id, kind string) {
	v.c.mu.Lock()
	defer v.c.mu.Unlock()
	v.mark(conn, id, kind)
}

func (v *View) mark(conn int, id, kind string) {
	n, ok := v.enter(conn, id)
	switch {
	case !ok:
	case n < v.last:
		v.finding(NonMonotonic, conn, n, "%s comes after event %d", kind, v.last)
	case n > v.last && !v.filtered:
		v.finding(Skip, conn, n, "%s says that all up to it was sent; the reader has %d", kind, v.last)
	}
}

// Snapshot records the feed's beginning: everything up to id is in it.
func (v *View) Snapshot(conn int, id string) {
	v.c.mu.Lock()
	defer v.c.mu.Unlock()
	if n, ok := v.enter(conn, id); ok {
		v.last = n
	}
}

// Reset records that the reader was told to forget what it had.
func (v *View) Reset(conn int, id, reason string) {
	v.c.mu.Lock()
	defer v.c.mu.Unlock()
	if !v.c.excuse {
		v.finding(NeedlessDrop, conn, 0, "reset: %s", reason)
	}
	prefix, n, ok := ParseID(id)
	if !ok {
		v.finding(Inconsistent, conn, 0, "reset with unreadable id %q", id)
		return
	}
	v.prefix, v.last, v.missed, v.ended = prefix, n, nil, false
}

// End records the end of the log: everything was sent.
func (v *View) End(conn int, id string) {
	v.c.mu.Lock()
	defer v.c.mu.Unlock()
	v.mark(conn, id, "end")
	v.ended = true
}

// over records the answer that nothing will come any more (204): the same
// promise as an end, to a reader that may have been cut off just before it.
func (v *View) over() {
	v.c.mu.Lock()
	defer v.c.mu.Unlock()
	v.ended = true
}

// Refused records an answer that no stream may give. A reader that resumes has
// seen something of the build.
func (v *View) Refused(conn, status int, detail string, resumes bool) {
	v.c.mu.Lock()
	defer v.c.mu.Unlock()
	if v.c.excuse && status == 404 && !resumes {
		return // the restored history may be older than the build
	}
	v.finding(Refused, conn, 0, "the stream was answered %d: %s", status, detail)
}

// Last is the number of the newest event that the reader saw.
func (v *View) Last() int64 {
	v.c.mu.Lock()
	defer v.c.mu.Unlock()
	return v.last
}

// Ended tells whether the reader saw the end.
func (v *View) Ended() bool {
	v.c.mu.Lock()
	defer v.c.mu.Unlock()
	return v.ended
}

// saw compares an event with what others saw under its id, and takes a new
// one into the log's history.
func (c *Checker) saw(v *View, conn int, n int64, kind string, data []byte) {
	h := c.epochs[v.log+v.prefix]
	if h == nil {
		h = &history{log: v.log, prefix: v.prefix, waiting: map[int64]content{}, steps: map[string]*seenStep{}, byBuild: map[string][]uint64{}}
		c.epochs[v.log+v.prefix], c.logs[v.log] = h, h
		if v.log == Feed {
			h.checked = v.last - 1 // a feed is followed from where its first reader began
		}
	}
	if n > int64(len(h.seen)) {
		h.seen = append(h.seen, make([]sighting, n-int64(len(h.seen)))...)
	}
	s := &h.seen[n-1]
	raw := maphash.Bytes(c.seed, data) | 1
	if s.bytes[v.shape] == raw {
		return
	}
	event, err := c.understand(kind, data)
	switch {
	case err != nil:
		v.finding(Phantom, conn, n, "unreadable %s event: %v", kind, err)
	case s.meaning == 0:
		s.meaning, s.bytes[v.shape] = event.meaning, raw
		if n > h.checked {
			h.waiting[n] = event
		}
		for c.next(h) {
		}
	case s.meaning != event.meaning:
		v.finding(Inconsistent, conn, n, "others saw different data than this: %.200s", data)
	default:
		s.bytes[v.shape] = raw
	}
}

// understand reads an event's data. Its meaning is a hash of all fields but
// those that only say which log it comes from, however they are written.
func (c *Checker) understand(kind string, data []byte) (content, error) {
	e := content{Offset: -1} // an event that does not say it stands nowhere
	if err := json.Unmarshal(data, &e); err != nil {
		return e, err
	}
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		return e, err
	}
	delete(fields, "log")
	delete(fields, "build_id")
	if kind == "step" {
		delete(fields, "project")
	}
	plain, err := json.Marshal(fields) // with its keys in order
	if err != nil {
		return e, err
	}
	var h maphash.Hash
	h.SetSeed(c.seed)
	h.WriteString(kind)
	h.Write(plain)
	e.kind, e.meaning = kind, h.Sum64()|1
	return e, nil
}

// next takes the next event in the order of ids, if somebody has seen it.
func (c *Checker) next(h *history) bool {
	event, ok := h.waiting[h.checked+1]
	if !ok {
		return false
	}
	delete(h.waiting, h.checked+1)
	h.checked++
	c.follow(h, h.checked, event)
	return true
}

// follow checks an event against those before it and against what was said.
func (c *Checker) follow(h *history, n int64, e content) {
	find := func(kind Kind, format string, args ...any) {
		c.add(Finding{Kind: kind, Log: h.log, ID: n, Detail: fmt.Sprintf(format, args...)})
	}
	if h.log == Feed {
		h.byBuild[e.BuildID] = append(h.byBuild[e.BuildID], e.meaning)
		return
	}
	said := c.said[h.log]
	if said == nil {
		find(Phantom, "an event of a build that nobody reported")
		return
	}
	switch e.kind {
	case "build":
		h.statuses = append(h.statuses, e.meaning)
		h.build.follow("the build", e.status, said.build.statuses, find)
	case "step":
		h.statuses = append(h.statuses, e.meaning)
		step := said.steps[e.Key]
		if step == nil {
			find(Phantom, "step %q was never reported", e.Key)
			return
		}
		h.step(e.Key).follow("step "+e.Key, e.status, step.statuses, find)
	case "log":
		step := said.steps[e.Step]
		if step == nil {
			find(Phantom, "text of step %q, which was never reported", e.Step)
			return
		}
		if c.quota > 0 && e.Quota.Of != "" {
			h.step(e.Step).cut(step, e, c.quota, h.kept, find)
			return
		}
		h.step(e.Step).text(step, e, find)
		if h.kept += e.Bytes; c.quota > 0 && h.kept > c.quota {
			find(Phantom, "%d bytes of text, and the quota is %d", h.kept, c.quota)
		}
	case "note":
		step := said.steps[e.Step]
		if step == nil {
			find(Phantom, "a note of step %q, which was never reported", e.Step)
			return
		}
		h.step(e.Step).note(step, e, find)
	default:
		find(Phantom, "an event of kind %q", e.kind)
	}
}

func (h *history) step(key string) *seenStep {
	s := h.steps[key]
	if s == nil {
		s = &seenStep{}
		h.steps[key] = s
	}
	return s
}

func (s *seenStep) follow(what string, now status, said map[string]bool, find func(Kind, string, ...any)) {
	// The server itself queues, and sets running at the first text.
	if _, ok := said[now.Status]; !ok && now.Status != "queued" && now.Status != "running" {
		find(Phantom, "%s is %s, which nobody said", what, now.Status)
	}
	if s.statuses == nil {
		s.statuses = map[string]bool{}
	} else if s.last.same(now) {
		find(Duplicate, "%s changed to %s a second time", what, now.Status)
	}
	s.last, s.statuses[now.Status] = now, true
}

// append checks that an event goes on where the text ends.
func (s *seenStep) append(e content, find func(Kind, string, ...any)) {
	switch {
	case e.Offset > s.end:
		find(OffsetHole, "step %s goes on at %d after %d", e.Step, e.Offset, s.end)
	case e.Offset < s.end:
		find(Duplicate, "step %s has the bytes from %d to %d twice", e.Step, e.Offset, min(s.end, e.Offset+e.Bytes))
	}
	s.end = max(s.end, e.Offset+e.Bytes)
}

// cut checks a hole that tells that the rest of the text is not kept: the first
// of a step comes when nothing more of it fits, the second says how long the
// rest was, and there is no third.
func (s *seenStep) cut(said *saidStep, e content, quota, kept int64, find func(Kind, string, ...any)) {
	s.append(e, find)
	s.holes++
	width := said.text.Width()
	next := min(e.Bytes, width-e.Offset%width) // what would have come next: the rest of a line, or of a piece
	switch {
	case e.Text != nil || e.Bytes <= 0 || e.Quota.Of != "build" || e.Quota.Bytes != quota:
		find(Inconsistent, "step %s is cut at %d: %+v", e.Step, e.Offset, e)
	case s.holes > 2:
		find(Duplicate, "step %s is told to be cut for the %d. time", e.Step, s.holes)
	case s.holes == 1 && kept+next <= quota:
		find(Lost, "step %s is cut at %d, where %d more bytes would have fitted %d of %d", e.Step, e.Offset, next, kept, quota)
	case e.Offset+e.Bytes > said.sent:
		find(Phantom, "step %s: a hole up to %d, sent was %d", e.Step, e.Offset+e.Bytes, said.sent)
	}
}

func (s *seenStep) text(said *saidStep, e content, find func(Kind, string, ...any)) {
	s.append(e, find)
	switch {
	case s.holes > 0:
		find(Phantom, "step %s: text at %d, behind where it was cut", e.Step, e.Offset)
	case e.Text == nil:
		find(OffsetHole, "step %s: %d bytes at %d without text", e.Step, e.Bytes, e.Offset)
	case e.Offset < 0:
		find(Inconsistent, "step %s: text at offset %d", e.Step, e.Offset)
	case int64(len(*e.Text)) != e.Bytes:
		find(Inconsistent, "step %s: %d bytes of text where the event says %d", e.Step, len(*e.Text), e.Bytes)
	case e.Offset+e.Bytes > said.sent:
		find(Phantom, "step %s: text up to %d, sent was %d", e.Step, e.Offset+e.Bytes, said.sent)
	default:
		if at := said.text.Mismatch(e.Offset, *e.Text); at >= 0 {
			find(Phantom, "step %s: at %d stands what was never sent there", e.Step, at)
		} else if want := said.text.Line(e.Offset); e.Line != want {
			find(Inconsistent, "step %s: offset %d is in line %d, the event says %d", e.Step, e.Offset, want, e.Line)
		}
	}
}

// noteName is the name of the test whose result a step's note of that number
// is, and its line in the log.
func noteName(number int64) string { return fmt.Sprintf("TestNote/%d", number) }

func (s *seenStep) note(said *saidStep, e content, find func(Kind, string, ...any)) {
	switch {
	case e.Number > s.notes:
		find(OffsetHole, "step %s goes on with note %d after %d", e.Step, e.Number, s.notes)
	case e.Number < s.notes:
		find(Duplicate, "step %s has note %d twice", e.Step, e.Number)
	}
	s.notes = max(s.notes, e.Number+1)
	if e.Number >= said.notes.sent || e.Test.Name != noteName(e.Number) || e.Line != e.Number+1 {
		find(Phantom, "step %s: note %d, of line %d, is the test %q; %d notes were sent", e.Step, e.Number, e.Line, e.Test.Name, said.notes.sent)
	}
}

// Findings ends the history: it takes what only shows at the end into
// account, and returns the findings (at most 20 of a kind) and their number by
// kind. It is called once, when every reader had time to see everything.
func (c *Checker) Findings() ([]Finding, map[Kind]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(c.logs)) {
		c.drain(c.logs[name])
	}
	for _, build := range slices.Sorted(maps.Keys(c.said)) {
		c.lost(build)
		c.compareFeed(build)
	}
	for _, v := range c.views {
		c.closeView(v)
	}
	if c.count == nil {
		c.count = map[Kind]int64{}
	}
	return c.kept, c.count
}

// drain follows what stands behind ids that nobody saw.
func (c *Checker) drain(h *history) {
	for len(h.waiting) > 0 {
		h.checked = slices.Min(slices.Collect(maps.Keys(h.waiting))) - 1
		for c.next(h) {
		}
	}
}

// lost finds what was acknowledged and is in nobody's history.
func (c *Checker) lost(build string) {
	said, h := c.said[build], c.logs[build]
	if h == nil {
		h = &history{}
	}
	find := func(format string, args ...any) {
		c.add(Finding{Kind: Lost, Log: build, Detail: fmt.Sprintf(format, args...)})
	}
	for status, acked := range said.build.statuses {
		if acked && !h.build.statuses[status] {
			find("the build is %s, as was acknowledged; nobody saw it", status)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(said.steps)) {
		s := said.steps[key]
		seen := h.steps[key]
		if seen == nil {
			seen = &seenStep{}
		}
		if seen.end < s.acked && (seen.holes == 0 || s.finished() != "") { // of the rest of one that was cut its end tells
			find("step %s: %d bytes were acknowledged, seen were %d", key, s.acked, seen.end)
		}
		if seen.notes < s.notes.acked {
			find("step %s: %d notes were acknowledged, seen were %d", key, s.notes.acked, seen.notes)
		}
		for status, acked := range s.statuses {
			if acked && !seen.statuses[status] {
				find("step %s is %s, as was acknowledged; nobody saw it", key, status)
			}
		}
	}
}

// fromStart tells whether the feed, which is followed from some snapshot on,
// was followed from a build's first event on.
func (h *history) fromStart(log *history, build string) bool {
	inFeed := h.byBuild[build]
	return len(inFeed) > 0 && len(log.statuses) > 0 && inFeed[0] == log.statuses[0]
}

// compareFeed finds what a build's log and the feed tell differently. Only
// builds that the feed has from their beginning are compared.
func (c *Checker) compareFeed(build string) {
	feed, h := c.logs[Feed], c.logs[build]
	if feed == nil || h == nil || !feed.fromStart(h, build) || c.said[build].build.finished() == "" {
		return
	}
	inLog, inFeed := h.statuses, feed.byBuild[build]
	find := func(kind Kind, format string, args ...any) {
		c.add(Finding{Kind: kind, Log: Feed, Detail: fmt.Sprintf("build %s: ", build) + fmt.Sprintf(format, args...)})
	}
	switch {
	case slices.Equal(inLog, inFeed):
	case len(inFeed) < len(inLog):
		find(Lost, "%d status events in its log, %d in the feed", len(inLog), len(inFeed))
	case len(inFeed) > len(inLog):
		find(Duplicate, "%d status events in its log, %d in the feed", len(inLog), len(inFeed))
	default:
		find(Inconsistent, "the feed tells its %d status events differently", len(inLog))
	}
}

// closeView finds readers that never saw the end, or an end that was none.
func (c *Checker) closeView(v *View) {
	said, h := c.said[v.log], c.logs[v.log]
	if v.log == Feed || said == nil || said.build.finished() == "" {
		return
	}
	if !v.ended {
		v.finding(Stale, 0, v.last, "the build is %s; the reader never saw its end", said.build.finished())
		return
	}
	if h != nil && v.prefix != h.prefix {
		v.finding(Stale, 0, v.last, "the reader is still in epoch %s; others are in %s", v.prefix, h.prefix)
		return
	}
	if h != nil && !v.filtered && v.last < int64(len(h.seen)) {
		v.finding(Lost, 0, v.last, "the reader saw the end at %d; others have %d events", v.last, len(h.seen))
	}
}

// begun tells whether the view's log has a name yet.
func (v *View) begun() bool {
	v.c.mu.Lock()
	defer v.c.mu.Unlock()
	return v.prefix != ""
}

// complain adds a finding from outside the records.
func (c *Checker) complain(kind Kind, detail string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(Finding{Kind: kind, Detail: detail})
}

// readersDone tells whether every reader of a finished build has seen its end.
func (c *Checker) readersDone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.views {
		if v.log != Feed && !v.ended {
			return false
		}
	}
	return true
}

// settleFeeds waits until all readers of the feed have seen all of it, which
// has no end of its own: as much of every build as the build's own readers.
func (c *Checker) settleFeeds(deadline time.Time) {
	for time.Now().Before(deadline) && !c.feedsSettled() {
		time.Sleep(5 * time.Millisecond)
	}
}

func (c *Checker) feedsSettled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	feed := c.logs[Feed]
	if feed == nil {
		return true
	}
	for build := range c.said {
		if h := c.logs[build]; h != nil && feed.fromStart(h, build) && len(feed.byBuild[build]) < len(h.statuses) {
			return false
		}
	}
	for _, v := range c.views {
		if v.log == Feed && v.last < int64(len(feed.seen)) {
			return false
		}
	}
	return true
}

// ackedBytes is how far a step's text was acknowledged.
func (c *Checker) ackedBytes(build, step string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.saidOf(build, step).acked
}

// events is the number of events in all builds' logs, as far as seen.
func (c *Checker) events() (n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for log, h := range c.logs {
		if log != Feed {
			n += int64(len(h.seen))
		}
	}
	return n
}

// latencies summarizes the answers to writes.
func (c *Checker) latencies() (p50, p99, highest float64, answers map[string]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	answers = map[string]int64{}
	var took []float64
	for _, w := range c.writes {
		if w.end.IsZero() {
			continue
		}
		answers[strconv.Itoa(w.answer)]++
		if w.answer/100 == 2 {
			took = append(took, float64(w.end.Sub(w.start))/1e6)
		}
	}
	if len(took) == 0 {
		return 0, 0, 0, answers
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)*99/100], took[len(took)-1], answers
}
