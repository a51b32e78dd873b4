package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
	"github.com/stepcast/stepcast/internal/turns"
)

// recorder is a Watcher that keeps what it is told.
type recorder struct {
	mu     sync.Mutex
	events map[ci.LogID][]ci.Event
	hints  map[ci.LogID]ci.EventID
	heard  chan struct{} // one slot
}

func newRecorder() *recorder {
	return &recorder{events: map[ci.LogID][]ci.Event{}, hints: map[ci.LogID]ci.EventID{}, heard: make(chan struct{}, 1)}
}

func (r *recorder) Committed(_ ci.Epoch, log ci.LogID, events []ci.Event, _ ci.Head) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events[log] = append(r.events[log], events...)
}

func (r *recorder) Hint(log ci.LogID, last ci.EventID) {
	r.mu.Lock()
	r.hints[log] = max(r.hints[log], last)
	r.mu.Unlock()
	select {
	case r.heard <- struct{}{}:
	default:
	}
}

func (r *recorder) Dirty() {}

// open starts a store on a database; it is stopped at the end of the test.
func open(t testing.TB, url string) (*postgres.Store, *recorder) {
	t.Helper()
	store, r, _ := start(t, url)
	return store, r
}

// start is open for a test that stops the store itself.
func start(t testing.TB, url string) (store *postgres.Store, r *recorder, stop func()) {
	t.Helper()
	return startWith(t, postgres.Config{URL: url})
}

// startWith is start with more than a database to say.
func startWith(t testing.TB, cfg postgres.Config) (store *postgres.Store, r *recorder, stop func()) {
	t.Helper()
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	store, err := postgres.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	r = newRecorder()
	go func() {
		defer close(done)
		if err := store.Run(ctx, r); err != nil {
			t.Error(err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done; store.Close() })
	t.Cleanup(stop)
	return store, r, stop
}

func create(t testing.TB, s *postgres.Store, project string) ci.BuildID {
	t.Helper()
	c := ci.Creation{ID: ci.NewBuildID(), Project: project}
	_, created, err := s.Create(t.Context(), c)
	if err != nil || !created {
		t.Fatalf("create: %v, created %v", err, created)
	}
	return c.ID
}

func text(step string, offset int64, s string) ci.Update {
	return ci.Update{Log: &ci.LogUpdate{Step: ci.StepKey(step), Offset: offset, At: ci.Cut(time.Now()), Chunk: ci.NewChunk([]byte(s))}}
}

func must(t testing.TB, s *postgres.Store, build ci.BuildID, updates ...ci.Update) ci.Receipt {
	t.Helper()
	receipt, err := s.Append(t.Context(), ci.Request{Build: build, Updates: updates})
	if err != nil {
		t.Fatal(err)
	}
	return receipt
}

// all reads a whole log page by page.
func all(t testing.TB, s *postgres.Store, log ci.LogID, f ci.Filter) (events []ci.Event) {
	t.Helper()
	for cursor := ci.EventID(0); ; {
		page, err := s.Page(t.Context(), log, cursor, f)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, page.Events...)
		if page.Through >= page.Head.Last {
			return events
		}
		if page.Through <= cursor {
			t.Fatalf("a page after %d goes through %d of %d", cursor, page.Through, page.Head.Last)
		}
		cursor = page.Through
	}
}

func logOf(t testing.TB, s *postgres.Store, id ci.BuildID) ci.LogID {
	t.Helper()
	ref, err := s.Lookup(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return ref.Log
}

// textOf joins a step's log from events and fails on a hole or a repeat.
func textOf(t testing.TB, events []ci.Event, step ci.StepKey) string {
	t.Helper()
	var raw []byte
	for i := range events {
		e := &events[i]
		if e.Kind != ci.KindLog || e.Step != step {
			continue
		}
		if e.Offset != int64(len(raw)) {
			t.Fatalf("event %d is at offset %d, want %d", e.ID, e.Offset, len(raw))
		}
		if want := int64(strings.Count(string(raw), "\n")) + 1; e.Line != want {
			t.Fatalf("event %d is at line %d, want %d", e.ID, e.Line, want)
		}
		raw = e.Chunk.AppendRaw(raw)
	}
	return string(raw)
}

func wantDense(t testing.TB, events []ci.Event) {
	t.Helper()
	for i, e := range events {
		if e.ID != ci.EventID(i+1) {
			t.Fatalf("event %d has id %d", i+1, e.ID)
		}
	}
}

// Pages are no longer than they may be as they are sent, where control characters and
// what is no UTF-8 take more than their bytes.
func TestStore_PagesCountWhatIsSent(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	for name, letters := range map[string]string{"control characters": "\x01\x02", "no UTF-8": "\x01\xff", "letters": "ab"} {
		id := create(t, s, "acme/api")
		const length = 2 << 20
		for at := int64(0); at < length; at += length / 4 {
			must(t, s, id, text("test", at, strings.Repeat(letters, length/8)), text("other", at/2, strings.Repeat("x", length/8)))
		}
		log := logOf(t, s, id)
		for _, f := range []ci.Filter{{}, {Steps: []ci.StepKey{"test"}}} {
			for cursor, last := ci.EventID(0), ci.EventID(1); cursor < last; {
				page, err := s.Page(t.Context(), log, cursor, f)
				if err != nil || page.Through <= cursor {
					t.Fatalf("%s: a page after %d goes through %d: %v", name, cursor, page.Through, err)
				}
				sent := 0
				for i := range page.Events {
					sent += len(page.Events[i].Chunk.AppendLiteral(nil)) + len(page.Events[i].Data)
				}
				if sent > 1<<20 {
					t.Errorf("%s: a page of %d bytes", name, sent)
				}
				cursor, last = page.Through, page.Head.Last
			}
			events := all(t, s, log, f)
			if f.Steps == nil {
				wantDense(t, events)
			}
			if got := textOf(t, events, "test"); got != strings.Repeat(letters, length/2) {
				t.Errorf("%s: %d bytes are read, want %d", name, len(got), length)
			}
		}
	}
}

func TestStore_KeepsWhatItAcknowledges(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, r := open(t, url)
	id := create(t, s, "acme/api")
	long := strings.Repeat("a line of some length that is not a secret\n", 3000) // several events
	must(t, s, id, text("test", 0, "first\n"), text("test", 6, long))
	must(t, s, id, text("test", 0, "first\n"), text("test", 6, long)) // blindly repeated
	receipt := must(t, s, id, text("test", int64(6+len(long))-3, "et\nand \x00 binary \xff\xfe\n"))
	want := "first\n" + long + "and \x00 binary \xff\xfe\n"
	if got := receipt.Logs["test"]; got != int64(len(want)) {
		t.Fatalf("the server has %d bytes, want %d", got, len(want))
	}

	log := logOf(t, s, id)
	events := all(t, s, log, ci.Filter{})
	wantDense(t, events)
	if got := textOf(t, events, "test"); got != want {
		t.Fatalf("the log differs: %d bytes, want %d", len(got), len(want))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	live := r.events[log]
	if len(live) != len(events) {
		t.Fatalf("%d events were handed over, %d are stored", len(live), len(events))
	}
	for i := range events {
		if got, want := string(live[i].AppendData(nil)), string(events[i].AppendData(nil)); got != want {
			t.Fatalf("event %d: live %.200s, stored %.200s", i+1, got, want)
		}
	}
}

func TestStore_ConcurrentProcessesWriteOneDenseLog(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	const processes, writers, posts = 3, 6, 40
	var stores []*postgres.Store
	for range processes {
		s, _ := open(t, url)
		stores = append(stores, s)
	}
	id := create(t, stores[0], "acme/api")
	log := logOf(t, stores[0], id)

	// A tight reader: whoever sees n must already have seen n-1.
	ctx, cancel := context.WithCancel(t.Context())
	reader := make(chan ci.EventID)
	go func() {
		var cursor ci.EventID
		for {
			over := ctx.Err() != nil // before the page is asked for
			page, err := stores[1].Page(t.Context(), log, cursor, ci.Filter{})
			if err != nil {
				t.Error(err)
				over = true
			}
			for _, e := range page.Events {
				if e.ID != cursor+1 {
					t.Errorf("after %d the reader saw %d", cursor, e.ID)
				}
				cursor = e.ID
			}
			if len(page.Events) == 0 && over {
				reader <- cursor
				return
			}
		}
	}()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			step, offset := fmt.Sprintf("w%d", w), int64(0)
			for i := range posts {
				line := fmt.Sprintf("writer %d says %d\n", w, i)
				for {
					receipt, err := stores[(w+i)%processes].Append(t.Context(), ci.Request{Build: id, Updates: []ci.Update{text(step, offset, line)}})
					if errors.Is(err, &ci.Problem{Code: ci.Unavailable}) && !t.Failed() {
						continue // a lock that was waited for too long
					}
					if err != nil {
						t.Error(err)
						return
					}
					offset = receipt.Logs[ci.StepKey(step)]
					break
				}
			}
		})
	}
	wg.Wait()
	cancel()
	last := <-reader
	events := all(t, stores[2], log, ci.Filter{})
	wantDense(t, events)
	if ci.EventID(len(events)) != last {
		t.Fatalf("the reader saw %d events, the table has %d", last, len(events))
	}
	for w := range writers {
		var want strings.Builder
		for i := range posts {
			fmt.Fprintf(&want, "writer %d says %d\n", w, i)
		}
		if got := textOf(t, events, ci.StepKey(fmt.Sprintf("w%d", w))); got != want.String() {
			t.Fatalf("writer %d's log differs", w)
		}
	}
}

func TestStore_NumbersBuildsWithoutHoles(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	a, _ := open(t, url)
	b, _ := open(t, url)
	const each = 25
	var mu sync.Mutex
	seen := map[int64]bool{}
	var wg sync.WaitGroup
	for _, s := range []*postgres.Store{a, b} {
		for range 4 {
			wg.Go(func() {
				for range each {
					c := ci.Creation{ID: ci.NewBuildID(), Project: "acme/api", Steps: []ci.StepUpdate{{Key: "lint"}, {Key: "test"}}}
					snap, created, err := s.Create(t.Context(), c)
					if err != nil || !created || snap.Last != 3 {
						t.Errorf("create: %v, created %v, last %d", err, created, snap.Last)
						return
					}
					again, created, err := s.Create(t.Context(), c)
					if err != nil || created || again.Build.Number != snap.Build.Number {
						t.Errorf("create again: %v, created %v, number %d, want %d", err, created, again.Build.Number, snap.Build.Number)
					}
					mu.Lock()
					seen[snap.Build.Number] = true
					mu.Unlock()
				}
			})
		}
	}
	wg.Wait()
	for n := int64(1); n <= 8*each; n++ {
		if !seen[n] {
			t.Fatalf("no build has number %d", n)
		}
	}
	feed := all(t, a, ci.FeedLog, ci.Filter{})
	wantDense(t, feed)
	if len(feed) != 8*each*3 {
		t.Fatalf("the feed has %d events, want %d", len(feed), 8*each*3)
	}
}

func TestStore_RefusesWithoutStoring(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	id := create(t, s, "acme/api")
	must(t, s, id, text("test", 0, "abc"))
	before, err := s.Build(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		request ci.Request
		code    ci.Code
	}{
		"gap":           {ci.Request{Build: id, Updates: []ci.Update{text("test", 3, "d"), text("test", 9, "x")}}, ci.LogGap},
		"unknown build": {ci.Request{Build: ci.NewBuildID(), Updates: []ci.Update{text("test", 0, "x")}}, ci.NotFound},
		"unknown step":  {ci.Request{Build: id, Alive: []ci.StepKey{"nope"}}, ci.UnknownStep},
	} {
		_, err := s.Append(t.Context(), tc.request)
		if !errors.Is(err, &ci.Problem{Code: tc.code}) {
			t.Errorf("%s: %v, want %s", name, err, tc.code)
		}
	}
	if _, _, err := s.Create(t.Context(), ci.Creation{ID: id, Project: "acme/other"}); !errors.Is(err, &ci.Problem{Code: ci.BuildIDTaken}) {
		t.Errorf("an id of another project: %v", err)
	}
	if _, _, err := s.Create(t.Context(), ci.Creation{ID: ci.NewBuildID(), Project: "Acme/API"}); !errors.Is(err, &ci.Problem{Code: ci.ProjectCase}) {
		t.Errorf("a project that differs by case: %v", err)
	}
	after, err := s.Build(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if before.Last != after.Last || after.Steps[0].LogBytes != 3 {
		t.Fatalf("something was stored: %d events, want %d", after.Last, before.Last)
	}
	must(t, s, id, text("test", 3, "def\n")) // and it goes on
}

// TestStore_SaysThatTheDatabaseIsNotFit: it is there, and to wait for it would
// not help.
func TestStore_SaysThatTheDatabaseIsNotFit(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	id := create(t, s, "acme/api")
	sqlExec(t, url, `ALTER TABLE builds RENAME COLUMN trigger TO other`)
	_, read := s.Build(t.Context(), id)
	_, written := s.Append(t.Context(), ci.Request{Build: id, Updates: []ci.Update{{Build: &ci.BuildUpdate{Title: ci.Set("x")}}}})
	for doing, err := range map[string]error{"read": read, "write": written} {
		p := ci.AsProblem(err)
		if p == nil || p.Code != ci.Unavailable || !strings.Contains(p.Detail, "log says why") || !strings.Contains(err.Error(), "trigger") {
			t.Errorf("%s: %v", doing, err)
		}
	}
}

func TestStore_FiltersPagesAndTails(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	id := create(t, s, "acme/api")
	for i := range 300 {
		must(t, s, id, text("a", int64(i*10), fmt.Sprintf("line %04d\n", i)), text("b", int64(i*10), fmt.Sprintf("LINE %04d\n", i)))
	}
	log := logOf(t, s, id)
	status := all(t, s, log, ci.Filter{NoLogs: true})
	for _, e := range status {
		if e.Kind == ci.KindLog {
			t.Fatal("a log event in spite of the filter")
		}
	}
	only := all(t, s, log, ci.Filter{Steps: []ci.StepKey{"b"}})
	if got := textOf(t, only, "b"); len(got) != 3000 || len(only) != len(status)+300 {
		t.Fatalf("%d bytes in %d events of step b", len(got), len(only))
	}
	since, err := s.TailStart(t.Context(), log, 5)
	if err != nil {
		t.Fatal(err)
	}
	tail := all(t, s, log, ci.Filter{Since: since})
	if len(tail) != len(status)+10 {
		t.Fatalf("a tail of 5 lines of two steps has %d log events, want 10", len(tail)-len(status))
	}
	page, err := s.PageN(t.Context(), log, 7, ci.Filter{}, 3)
	if err != nil || len(page.Events) != 3 || page.Events[0].ID != 8 || page.Through != 10 {
		t.Fatalf("three events after 7: %d, through %d, %v", len(page.Events), page.Through, err)
	}
	chunks, err := s.LogChunks(t.Context(), log, "a", 995)
	if err != nil || chunks[0].Offset != 990 {
		t.Fatalf("chunks from byte 995 begin at %v, %v", chunks[0].Offset, err)
	}
	chunks, err = s.LineChunks(t.Context(), log, "a", 100)
	if err != nil || chunks[0].Line > 100 || chunks[1].Line <= 99 {
		t.Fatalf("chunks from line 100 begin at line %v, %v", chunks[0].Line, err)
	}
}

// Of a step that has little in a log of very many rows a page says how far it has looked.
func TestStore_APageLooksAtSoManyRows(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	id := create(t, s, "acme/api")
	must(t, s, id, text("rare", 0, "first\n"))
	const steps, rounds = 1000, 25
	for i := range int64(rounds) {
		var updates []ci.Update
		for step := range steps {
			updates = append(updates, text(fmt.Sprint("s", step), i, "x"))
		}
		must(t, s, id, updates...)
		if i == 1 {
			must(t, s, id, ci.Update{Step: &ci.StepUpdate{Key: "rare", Name: ci.Set("a name")}})
		}
	}
	must(t, s, id, text("rare", 6, "last\n"))
	log := logOf(t, s, id)
	f := ci.Filter{Steps: []ci.StepKey{"rare"}}
	status := all(t, s, log, ci.Filter{NoLogs: true})
	events, empty := all(t, s, log, f), 0
	if got := textOf(t, events, "rare"); string(got) != "first\nlast\n" || len(events) != len(status)+2 {
		t.Errorf("%q in %d events, of which %d are statuses", got, len(events), len(status))
	}
	for cursor := events[len(events)-2].ID; ; {
		page, err := s.Page(t.Context(), log, cursor, f)
		if err != nil || page.Through <= cursor {
			t.Fatalf("after %d: through %d, %v", cursor, page.Through, err)
		}
		if cursor = page.Through; cursor == page.Head.Last {
			break
		}
		if len(page.Events) == 0 {
			empty++
		}
	}
	if empty == 0 {
		t.Errorf("a page looked at all of %d rows", steps*rounds)
	}
}

// Where a line begins is found in logs of all shapes.
func TestStore_FindsLines(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	chance := rand.New(rand.NewPCG(1, 2))
	id := create(t, s, "acme/api")
	for _, step := range []string{"short", "long", "dots", "mixed", "one"} {
		var offset int64
		for range 60 {
			n := map[string]int{"short": 1, "long": 40, "dots": 0, "mixed": chance.IntN(3), "one": 0}[step]
			piece := strings.Repeat("a line\n", n) + strings.Repeat(".", 1+chance.IntN(5))
			if step == "one" && offset > 0 {
				break
			}
			must(t, s, id, text(step, offset, piece))
			offset += int64(len(piece))
		}
	}
	log := logOf(t, s, id)
	for _, step := range []ci.StepKey{"short", "long", "dots", "mixed", "one"} {
		var logged []ci.Event
		for _, e := range all(t, s, log, ci.Filter{Steps: []ci.StepKey{step}}) {
			if e.Kind == ci.KindLog {
				logged = append(logged, e)
			}
		}
		last := logged[len(logged)-1]
		lines := last.Line + last.Chunk.Lines
		for line := int64(1); line <= lines; line++ {
			want := logged[0]
			for _, e := range logged {
				if e.Line < line {
					want = e
				}
			}
			if got, err := s.LineChunks(t.Context(), log, step, line); err != nil || got[0].Offset != want.Offset {
				t.Errorf("line %d of %s begins in the event at byte %d, not %d: %v", line, step, want.Offset, got[0].Offset, err)
			}
		}
	}
	if none, err := s.LineChunks(t.Context(), log, "none", 1); err != nil || none != nil {
		t.Errorf("of no step: %v, %v", none, err)
	}
}

func TestStore_HearsOtherProcesses(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	a, _ := open(t, url)
	b, heard := open(t, url)
	id := create(t, a, "acme/api")
	log := logOf(t, a, id)
	for i := int64(0); ; i++ { // until LISTEN is up
		receipt := must(t, a, id, text("test", i, "x"))
		select {
		case <-heard.heard:
			heard.mu.Lock()
			last := heard.hints[log]
			heard.mu.Unlock()
			if last > receipt.Last || last == 0 {
				t.Fatalf("heard of event %d, the newest is %d", last, receipt.Last)
			}
			if b.Stats().ListenAge < 0 { // its own ping is on its way
				continue
			}
			return
		case <-time.After(20 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("never heard")
		}
	}
}

func TestStore_BeginsANewEpochWhenHistoryIsAnother(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	id := create(t, s, "acme/api")
	receipt := must(t, s, id, text("test", 0, "x"))
	conn := pgtest.Connect(t, url)
	// What a restored dump looks like from inside.
	if _, err := conn.Exec(t.Context(), `UPDATE epochs SET place = 'elsewhere'`); err != nil {
		t.Fatal(err)
	}
	next := must(t, s, id, text("test", 1, "y"))
	if next.Epoch == receipt.Epoch {
		t.Fatal("the epoch stayed")
	}
	current, former, err := s.Epochs(t.Context())
	if err != nil || current != next.Epoch || len(former) != 1 || former[0] != receipt.Epoch {
		t.Fatalf("epochs %v, %v, %v", current, former, err)
	}
}

func TestStore_LosesSilentStepsAndTakesThemBack(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	first, _ := open(t, url)
	silent, beating, queued := create(t, first, "acme/silent"), create(t, first, "acme/beating"), create(t, first, "acme/queued")
	must(t, first, silent, text("test", 0, "x"))
	must(t, first, beating, text("test", 0, "x"))
	if _, err := first.Append(t.Context(), ci.Request{Build: beating, Alive: []ci.StepKey{"test"}}); err != nil {
		t.Fatal(err)
	}
	must(t, first, queued, ci.Update{Step: &ci.StepUpdate{Key: "test"}})

	// Two minutes of silence, during which servers listened, even if none has looked yet.
	sqlExec(t, url, `UPDATE steps SET heard_at = heard_at - interval '2 minutes'`)
	sqlExec(t, url, `UPDATE hearing SET since = since - interval '1 day', at = clock_timestamp()`)
	second, heard := open(t, url) // looks at once
	waitFor(t, heard, func() bool { return status(t, second, beating, "test") == ci.Lost })
	if got := status(t, second, silent, "test"); got != ci.Running {
		t.Fatalf("a reporter without heartbeats is %s after two minutes", got)
	}
	if got := status(t, second, queued, "test"); got != ci.Queued {
		t.Fatalf("a queued step is %s", got)
	}
	// It comes back.
	must(t, first, beating, text("test", 1, "y"))
	if got := status(t, first, beating, "test"); got != ci.Running {
		t.Fatalf("a reporter that was heard again is %s", got)
	}
}

func TestStore_AnOutageOfTheServersMakesNobodyLost(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	first, _, stop := start(t, url)
	id := create(t, first, "acme/api")
	must(t, first, id, text("test", 0, "x"))
	if _, err := first.Append(t.Context(), ci.Request{Build: id, Alive: []ci.StepKey{"test"}}); err != nil {
		t.Fatal(err)
	}
	stop() // else it looks for silence between the next two statements
	// The last time that any server listened was an hour ago.
	sqlExec(t, url, `UPDATE steps SET heard_at = heard_at - interval '1 hour'`)
	sqlExec(t, url, `UPDATE hearing SET since = since - interval '1 day', at = at - interval '1 hour'`)
	second, _ := open(t, url)
	probe := create(t, second, "acme/probe")
	must(t, second, probe, text("test", 0, "x"))
	until(t, "it is noticed that no server had listened", func() bool {
		return sqlBool(t, url, `SELECT since > clock_timestamp() - interval '1 minute' FROM hearing`)
	})
	if got := status(t, second, id, "test"); got != ci.Running {
		t.Fatalf("the step is %s", got)
	}
}

// What a clock of the database that was ahead has left behind does not outlast it.
func TestStore_SilenceAfterAClockThatWasAhead(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	first, _, stop := start(t, url)
	id := create(t, first, "acme/api")
	must(t, first, id, text("test", 0, "x"))
	stop() // else it looks for silence between the next statements
	sqlExec(t, url, `UPDATE hearing SET since = clock_timestamp() + interval '1 hour', at = clock_timestamp() + interval '1 hour'`)
	sqlExec(t, url, `UPDATE steps SET heard_at = clock_timestamp() + interval '1 hour'`)
	sqlExec(t, url, `UPDATE build_heads SET heard_at = clock_timestamp() + interval '1 hour'`)
	second, _ := open(t, url)
	if _, err := second.SweepOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, "nothing is ahead any more", func() bool { // the store looks by itself as well
		return sqlBool(t, url, `SELECT since <= clock_timestamp() FROM hearing`) &&
			sqlBool(t, url, `SELECT bool_and(s.heard_at <= clock_timestamp() AND h.heard_at <= clock_timestamp()) FROM steps s JOIN build_heads h USING (build)`)
	})
	if got := status(t, second, id, "test"); got != ci.Running {
		t.Errorf("the step is %s", got)
	}
}

// A build that is said to run and has no step, since its runner went away before the first,
// is lost after the long silence, and keeps no other from it.
func TestStore_LosesABuildWithoutSteps(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	first, _, stop := start(t, url)
	empty, beside := create(t, first, "acme/empty"), create(t, first, "acme/beside")
	must(t, first, empty, ci.Update{Build: &ci.BuildUpdate{Status: ci.Set(ci.Running)}})
	must(t, first, beside, text("test", 0, "x"))
	stop() // else it looks for silence between the next statements
	sqlExec(t, url, `UPDATE steps SET heard_at = heard_at - interval '2 hours'`)
	sqlExec(t, url, `UPDATE build_heads SET heard_at = heard_at - interval '2 hours'`)
	sqlExec(t, url, `UPDATE hearing SET since = since - interval '1 day', at = clock_timestamp()`)
	second, heard := open(t, url) // looks at once
	waitFor(t, heard, func() bool {
		snap, err := second.Build(t.Context(), empty)
		return err == nil && snap.Build.Status == ci.Lost
	})
	waitFor(t, heard, func() bool { return status(t, second, beside, "test") == ci.Lost })
	until(t, "it is said that somebody looks", func() bool { return second.Stats().SweepAge >= 0 })
}

// Of a project with thousands of silent steps others are not kept waiting: one of each
// comes first.
func TestStore_SilenceHasTurns(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	first, _, stop := start(t, url)
	many, one := create(t, first, "a/many"), create(t, first, "b/one")
	var keys []ci.StepKey
	var running []ci.Update
	for i := range 900 {
		key := ci.StepKey(fmt.Sprint("s", i))
		keys, running = append(keys, key), append(running, ci.Update{Step: &ci.StepUpdate{Key: key, Status: ci.Set(ci.Running)}})
	}
	must(t, first, many, running...)
	must(t, first, one, running[0])
	for id, keys := range map[ci.BuildID][]ci.StepKey{many: keys, one: keys[:1]} {
		if _, err := first.Append(t.Context(), ci.Request{Build: id, Alive: keys}); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	second, _ := open(t, url)
	sqlExec(t, url, `UPDATE hearing SET since = since - interval '1 day'`)
	sqlExec(t, url, `UPDATE steps SET heard_at = heard_at - interval '1 hour'`)
	// The store itself looks as well, now and then.
	for deadline := time.Now().Add(time.Minute); sqlBool(t, url, `SELECT EXISTS (SELECT FROM steps WHERE status = 'running')`); {
		if _, err := second.SweepOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := status(t, second, one, keys[0]); got != ci.Lost {
			t.Fatalf("the only step of a project is %s, behind those of another", got)
		}
		if time.Now().After(deadline) {
			t.Fatal("steps are still running")
		}
	}
}

func status(t testing.TB, s *postgres.Store, id ci.BuildID, step ci.StepKey) ci.Status {
	t.Helper()
	snap, err := s.Build(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, have := range snap.Steps {
		if have.Key == step {
			return have.Status
		}
	}
	return ""
}

// until asks again and again whether what is awaited is so; of what there is no event.
func until(t testing.TB, awaited string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", awaited)
		}
	}
}

// waitFor asks again whenever something was heard.
func waitFor(t testing.TB, r *recorder, ok func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-r.heard:
		case <-time.After(50 * time.Millisecond):
		case <-deadline:
			t.Fatal("it never happened")
		}
	}
}

func sqlExec(t testing.TB, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func sqlBool(t testing.TB, url, sql string) (ok bool) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(t.Context(), sql).Scan(&ok); err != nil {
		t.Fatal(err)
	}
	return ok
}

func TestStore_LosesABuildWithoutAStepAndTakesItBack(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	first, _ := open(t, url)
	id := create(t, first, "acme/api")
	must(t, first, id, text("test", 0, "x"))
	if _, err := first.Append(t.Context(), ci.Request{Build: id, Alive: []ci.StepKey{"test"}}); err != nil {
		t.Fatal(err)
	}
	status := func(s *postgres.Store) ci.Status {
		snap, err := s.Build(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return snap.Build.Status
	}
	silence := func() {
		sqlExec(t, url, `UPDATE steps SET heard_at = heard_at - interval '2 minutes', ended_at = ended_at - interval '2 minutes'`)
		sqlExec(t, url, `UPDATE build_heads SET heard_at = heard_at - interval '2 minutes'`)
		sqlExec(t, url, `UPDATE hearing SET since = since - interval '1 day', at = clock_timestamp()`)
	}
	silence()
	second, heard := open(t, url) // looks at once: the step
	waitFor(t, heard, func() bool { return stepStatus(t, second, id) == ci.Lost })
	silence()
	third, heard := open(t, url) // the build
	waitFor(t, heard, func() bool { return status(third) == ci.Lost })

	must(t, first, id, ci.Update{Build: &ci.BuildUpdate{Status: ci.Set(ci.Running)}})
	fourth, _ := open(t, url) // looks at once, and finds that it was heard
	must(t, fourth, create(t, fourth, "acme/probe"), text("probe", 0, "x"))
	if got := status(fourth); got != ci.Running {
		t.Fatalf("a build that was heard again is %s", got)
	}
}

func stepStatus(t testing.TB, s *postgres.Store, id ci.BuildID) ci.Status {
	return status(t, s, id, "test")
}

func TestStore_TailBeginsWhereTheLineBegins(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	id := create(t, s, "acme/api")
	offset := int64(0)
	for _, piece := range []string{"first\nbegin-", "middle-", "end\n"} {
		must(t, s, id, text("test", offset, piece))
		offset += int64(len(piece))
	}
	log := logOf(t, s, id)
	since, err := s.TailStart(t.Context(), log, 1)
	if err != nil {
		t.Fatal(err)
	}
	var got string
	for _, e := range all(t, s, log, ci.Filter{Since: since}) {
		got += string(e.Chunk.AppendRaw(nil))
	}
	if got != "first\nbegin-middle-end\n" {
		t.Fatalf("the last line is torn: %q", got)
	}
}

func TestStore_ARefusedCreationLeavesNoProject(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	id := create(t, s, "acme/api")
	needs := func(key, need string) ci.StepUpdate {
		return ci.StepUpdate{Key: ci.StepKey(key), Needs: ci.Set([]ci.StepKey{ci.StepKey(need)})}
	}
	_, _, err := s.Create(t.Context(), ci.Creation{ID: ci.NewBuildID(), Project: "ghost/one", Steps: []ci.StepUpdate{needs("a", "b"), needs("b", "a")}})
	if !errors.Is(err, &ci.Problem{Code: ci.NeedsCycle}) {
		t.Fatalf("a circle: %v", err)
	}
	if _, _, err := s.Create(t.Context(), ci.Creation{ID: id, Project: "ghost/two"}); !errors.Is(err, &ci.Problem{Code: ci.BuildIDTaken}) {
		t.Fatalf("an id that is taken: %v", err)
	}
	projects, err := s.ProjectNames(t.Context(), ci.Reach{All: true}, 10)
	if err != nil || len(projects) != 1 {
		t.Fatalf("projects %+v, %v", projects, err)
	}
}

func TestStore_ADeletedBuildRewindsNothing(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	id := create(t, s, "acme/api")
	receipt := must(t, s, id, text("test", 0, "x"))
	log := logOf(t, s, id)
	sqlExec(t, url, `DELETE FROM builds`)
	if _, err := s.Page(t.Context(), log, 0, ci.Filter{}); !errors.Is(err, &ci.Problem{Code: ci.NotFound}) {
		t.Fatalf("a page of it: %v", err)
	}
	if _, err := s.Rewound(t.Context(), log, receipt.Last); !errors.Is(err, &ci.Problem{Code: ci.NotFound}) {
		t.Fatalf("a lower head: %v", err)
	}
	if now, _, err := s.Epochs(t.Context()); err != nil || now != receipt.Epoch {
		t.Fatalf("the epoch changed: %v", err)
	}
}

// TestStore_ManyBuildsAtOnce writes to more builds than are read for one batch,
// by a process that knows none of them.
func TestStore_ManyBuildsAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	a, _ := open(t, url)
	ids := make([]ci.BuildID, 200)
	for i := range ids {
		ids[i] = create(t, a, "p")
	}
	b, _ := open(t, url)
	var writes sync.WaitGroup
	for i := range 2 * len(ids) {
		writes.Go(func() {
			key := ci.StepKey(fmt.Sprint(i))
			receipt, err := b.Append(t.Context(), ci.Request{Build: ids[i%len(ids)], Updates: []ci.Update{{Step: &ci.StepUpdate{Key: key, Status: ci.Set(ci.Running)}}}})
			if err != nil || receipt.Last < 3 { // the build's beginning, the build's start, the step's
				t.Errorf("write %d: %v, last is %d", i, err, receipt.Last)
			}
		})
	}
	writes.Wait()
	for _, id := range ids {
		if snap, err := a.Build(t.Context(), id); err != nil || len(snap.Steps) != 2 || snap.Last != 4 {
			t.Errorf("%d steps, last is %d: %v", len(snap.Steps), snap.Last, err)
		}
	}
}

// One sends a few bytes that each become the ends of a thousand steps, of builds that
// have to be read first: who sends little meanwhile waits for a part of them only, and
// all of it is written.
func TestStore_FewBytesThatBecomeManyKeepNobodyWaiting(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	a, _ := open(t, url)
	steps := make([]ci.StepUpdate, 1000)
	for i := range steps {
		steps[i].Key = ci.StepKey(fmt.Sprint("step ", i))
	}
	ids := make([]ci.BuildID, 40)
	for i := range ids {
		ids[i] = ci.NewBuildID()
		if _, _, err := a.Create(t.Context(), ci.Creation{ID: ids[i], Project: "much", Steps: steps}); err != nil {
			t.Fatal(err)
		}
	}
	b, _ := open(t, url)
	little := create(t, b, "little")
	var done atomic.Int32
	var first sync.Once
	began := make(chan struct{})
	var writes sync.WaitGroup
	for _, id := range ids {
		writes.Go(func() {
			_, err := b.Append(t.Context(), ci.Request{Build: id, From: "much", Updates: []ci.Update{{Build: &ci.BuildUpdate{Status: ci.Set(ci.Canceled)}}}})
			if err != nil {
				t.Errorf("cancel: %v", err)
			}
			done.Add(1)
			first.Do(func() { close(began) })
		})
	}
	<-began
	if _, err := b.Append(t.Context(), ci.Request{Build: little, From: "little", Updates: []ci.Update{text("test", 0, "x")}}); err != nil {
		t.Error(err)
	}
	if n := done.Load(); n > 9 {
		t.Errorf("a write of another waited for %d of %d", n, len(ids))
	}
	writes.Wait()
	for _, id := range ids {
		if snap, err := a.Build(t.Context(), id); err != nil || snap.Build.Status != ci.Canceled {
			t.Errorf("%s is %s: %v", id, snap.Build.Status, err)
		}
	}
}

// A build of many steps, and a report of many rows, is held up: what others write meanwhile is
// not.
func TestStore_WhatBecomesManyRowsKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	little, much := create(t, s, "little"), create(t, s, "much")
	steps := make([]ci.StepUpdate, 300)
	turns := make([]ci.Update, 300)
	for i := range steps {
		steps[i].Key = ci.StepKey(fmt.Sprint("step ", i))
		turns[i] = text(fmt.Sprint("step ", i%2), int64(i/2), "x")
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for name, one := range map[string]struct {
		lock  string
		write func() error
	}{
		"a creation": {`SELECT FROM projects WHERE name = 'much' FOR UPDATE`, func() error {
			_, _, err := s.Create(t.Context(), ci.Creation{ID: ci.NewBuildID(), Project: "much", Steps: steps})
			return err
		}},
		"a report": {`SELECT FROM build_heads h JOIN builds b ON b.id = h.build WHERE b.uuid = '` + much.String() + `' FOR UPDATE OF h`, func() error {
			_, err := s.Append(t.Context(), ci.Request{Build: much, Updates: turns})
			return err
		}},
	} {
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), one.lock); err != nil {
			t.Fatal(err)
		}
		written := make(chan error, 1)
		go func() { written <- one.write() }()
		for waits := false; !waits && len(written) == 0; {
			waits = sqlBool(t, url, `SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
		}
		must(t, s, little, ci.Update{Step: &ci.StepUpdate{Key: ci.StepKey(strings.ReplaceAll(name, " ", "-"))}})
		select {
		case err := <-written:
			t.Fatalf("%s was through first: %v", name, err)
		default:
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-written; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A lock that others hold for too long is no database that is away.
func TestStore_SaysThatTheDatabaseIsBusy(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	id := create(t, s, "acme/api")
	lock := pgtest.Connect(t, url)
	if _, err := lock.Exec(t.Context(), `BEGIN; LOCK TABLE build_heads IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	_, err := s.Append(t.Context(), ci.Request{Build: id, Updates: []ci.Update{{Step: &ci.StepUpdate{Key: "test"}}}})
	if p := ci.AsProblem(err); p == nil || p.Code != ci.Unavailable || !strings.Contains(p.Detail, "busy") {
		t.Errorf("%v", err)
	}
	if _, err := lock.Exec(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	must(t, s, id, ci.Update{Step: &ci.StepUpdate{Key: "test"}})
}

// Creations that are repeated wait for lanes, and for their answers, in turns by sender.
func TestStore_RepeatedCreationsHaveTurns(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	id := create(t, s, "acme/api")
	lanes, repeats := s.Turns(id)
	for _, one := range []struct {
		name   string
		turns  *turns.Turns
		places int
	}{{"a lane", lanes, postgres.LaneWriters}, {"an answer", repeats, runtime.GOMAXPROCS(0)}} {
		var leave []func()
		for range one.places {
			l, err := one.turns.Enter(t.Context(), "another")
			if err != nil {
				t.Fatal(err)
			}
			leave = append(leave, l)
		}
		answered := make(chan error, 1)
		go func() {
			_, _, err := s.Create(t.Context(), ci.Creation{ID: id, Project: "acme/api", From: "who repeats"})
			answered <- err
		}()
		until(t, one.name+" is waited for", func() bool {
			if len(answered) > 0 {
				t.Fatalf("%s was had, where all places are taken", one.name)
			}
			return one.turns.Waiting() > 0
		})
		for _, l := range leave {
			l()
		}
		if err := <-answered; err != nil {
			t.Errorf("after it had waited for %s: %v", one.name, err)
		}
	}
}

// takeLanes takes all places in lanes, until as many as are said, of those that are still
// taken, are left; or all.
func takeLanes(t *testing.T, s *postgres.Store, id ci.BuildID) (lanes *turns.Turns, leave func(places ...int)) {
	t.Helper()
	lanes, _ = s.Turns(id)
	var all []func()
	for range postgres.LaneWriters {
		l, err := lanes.Enter(t.Context(), "another")
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	return lanes, func(places ...int) {
		n := len(all)
		if len(places) > 0 {
			n = places[0]
		}
		for _, l := range all[:n] {
			l()
		}
		all = all[n:]
	}
}

// Who repeats very many creations keeps nobody waiting who repeats one.
func TestStore_RepeatedCreationsAreMadeForAWhile(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	id := create(t, s, "acme/api")
	must(t, s, id, text("test", 0, "x"))
	lanes, leave := takeLanes(t, s, id)
	const many = 1000
	var made atomic.Int64
	var all sync.WaitGroup
	again := func(from, project string, want error) {
		if _, _, err := s.Create(t.Context(), ci.Creation{ID: id, Project: project, From: from}); !errors.Is(err, want) {
			t.Errorf("%s: %v", project, err)
		}
	}
	taken := &ci.Problem{Code: ci.BuildIDTaken}
	for range many {
		all.Go(func() {
			again("many", "other", taken)
			made.Add(1)
		})
	}
	until(t, "all creations wait", func() bool { return s.Creations("other") >= many })
	one := make(chan int64)
	go func() {
		again("one", "another", taken)
		one <- made.Load()
	}()
	until(t, "both lanes wait", func() bool { return lanes.Waiting() >= 2 })
	leave(1)
	if before := <-one; before >= many {
		t.Errorf("one waited for all %d of another", before)
	}
	leave()
	all.Wait()
}

// What waits in a build's lane goes out in transactions of the size of a batch, in order.
func TestStore_ALaneTakesNoMoreThanABatch(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	id := create(t, s, "acme/api")
	must(t, s, id, text("test", 0, "x"))
	lanes, leave := takeLanes(t, s, id)
	// What is refused goes to the lane, and then all else does.
	refused := make(chan error, 1)
	go func() {
		_, err := s.Append(t.Context(), ci.Request{Build: id, Updates: []ci.Update{text("test", 99, "a gap")}})
		refused <- err
	}()
	until(t, "the lane waits", func() bool { return lanes.Waiting() > 0 })
	const pieces, length = 14, 1 << 20
	var writes sync.WaitGroup
	for i := range int64(pieces) {
		writes.Go(func() {
			u := text("test", 1+i*length, strings.Repeat("x", length-1)+"\n")
			if _, err := s.Append(t.Context(), ci.Request{Build: id, Updates: []ci.Update{u}}); err != nil {
				t.Errorf("piece %d: %v", i, err)
			}
		})
		until(t, "a piece has its place, behind what is refused", func() bool { return s.InLane(id) > int(i)+1 })
	}
	leave()
	writes.Wait()
	if err := <-refused; !errors.Is(err, &ci.Problem{Code: ci.LogGap}) {
		t.Errorf("the gap: %v", err)
	}
	log := logOf(t, s, id)
	wantDense(t, all(t, s, log, ci.Filter{}))
	if got := len(textOf(t, all(t, s, log, ci.Filter{}), "test")); got != 1+pieces*length {
		t.Errorf("%d bytes are there, want %d", got, 1+pieces*length)
	}
	if sqlBool(t, url, `SELECT max(bytes) > 6 << 20 FROM (SELECT sum(log_bytes) AS bytes FROM events WHERE kind = 2 GROUP BY xmin::text) one`) {
		t.Error("a transaction has more than a batch")
	}
}

// A process that ends is not kept by what waits, however much that is: its senders repeat it.
func TestStore_EndsWithMuchToDo(t *testing.T) {
	t.Parallel()
	s, _, stop := start(t, pgtest.New(t))
	s.EndAtOnce()
	id := create(t, s, "acme/api")
	must(t, s, id, text("test", 0, "x"))
	lanes, leave := takeLanes(t, s, id)
	waiting := make(chan error, 1)
	go func() {
		_, err := s.Append(t.Context(), ci.Request{Build: id, Updates: []ci.Update{text("test", 99, "a gap")}})
		waiting <- err
	}()
	until(t, "the lane waits", func() bool { return lanes.Waiting() > 0 })
	var ended sync.WaitGroup
	ended.Go(stop)
	until(t, "nothing is committed any more", s.Over)
	leave()
	if err := <-waiting; !errors.Is(err, &ci.Problem{Code: ci.Unavailable}) {
		t.Errorf("what waited: %v", err)
	}
	ended.Wait()
}

// Whoever knows a build's id may ask for it as a build of its own project, again and again:
// nobody who writes that build waits for the answer, whether its process knows it or not.
func TestStore_CreationsOfOthersBuildsHoldUpNobody(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	other, _ := open(t, url)
	id := create(t, s, "acme/api")
	must(t, s, id, text("test", 0, "x"))
	for offset, s := range []*postgres.Store{s, other} {
		lanes, leave := takeLanes(t, s, id)
		refused := make(chan error, 1)
		go func() {
			_, _, err := s.Create(t.Context(), ci.Creation{ID: id, Project: "other"})
			refused <- err
		}()
		until(t, "the lane waits", func() bool { return lanes.Waiting() > 0 })
		must(t, s, id, text("test", int64(1+offset), "y"))
		if len(refused) > 0 {
			t.Fatalf("the creation was answered, where all places are taken: %v", <-refused)
		}
		leave()
		if err := <-refused; !errors.Is(err, &ci.Problem{Code: ci.BuildIDTaken}) {
			t.Errorf("the id of another project's build: %v", err)
		}
	}
	must(t, other, id, text("test", 3, "z"))
}

// A dump is being restored under a server that runs: nothing is added to what has
// no keys yet.
func TestStore_WaitsForARestoreToEnd(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	id := create(t, s, "acme/api")
	before := must(t, s, id, text("test", 0, "x"))
	sqlExec(t, url, `ALTER TABLE epochs DROP CONSTRAINT epochs_pkey; UPDATE epochs SET place = 'elsewhere'`)
	if _, err := s.Append(t.Context(), ci.Request{Build: id, Updates: []ci.Update{text("test", 1, "y")}}); !errors.Is(err, &ci.Problem{Code: ci.Unavailable}) {
		t.Fatalf("in the middle of it: %v", err)
	}
	if sqlBool(t, url, `SELECT count(*) > 1 FROM epochs`) {
		t.Fatal("an epoch was added before the table had its key")
	}
	sqlExec(t, url, `ALTER TABLE epochs ADD PRIMARY KEY (seq)`)
	if after := must(t, s, id, text("test", 1, "y")); after.Epoch == before.Epoch {
		t.Fatal("no new epoch after it")
	}
}

// PostgreSQL starts again while nobody writes: of all the connections to it that
// have ended meanwhile, none costs anybody a write.
func TestStore_WritesOnAfterItsConnectionsEnded(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	first, _ := open(t, url)
	second, _ := open(t, url)
	var ids []ci.BuildID
	for range 4 {
		ids = append(ids, create(t, first, "acme/api"))
	}
	// Each build by both, so that both need the connections of their lanes too.
	round := func(offset int64) {
		var group sync.WaitGroup
		for _, id := range ids {
			for i, s := range []*postgres.Store{first, second} {
				group.Go(func() { must(t, s, id, text(fmt.Sprintf("test %d", i), offset, "x")) })
			}
		}
		group.Wait()
	}
	round(0)
	round(1)
	kept := `SELECT count(*) FILTER (WHERE clock_timestamp() - state_change < '1.1 s') = 0 AND count(*) >= 4
		FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'stepcast-write'`
	waitFor(t, newRecorder(), func() bool { return sqlBool(t, url, kept) })
	sqlExec(t, url, `SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'stepcast-write'`)
	round(2)
	create(t, second, "acme/api")
}

// What is rarely written makes no session of PostgreSQL's each time, and one that
// has ended meanwhile costs nobody anything.
func TestStore_WritesRarelyOnConnectionsThatStay(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	conn := pgtest.Connect(t, url)
	sessions := func() (pids []int32) {
		t.Helper()
		rows, err := conn.Query(t.Context(), `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'stepcast-rare'`)
		if err != nil {
			t.Fatal(err)
		}
		if pids, err = pgx.CollectRows(rows, pgx.RowTo[int32]); err != nil {
			t.Fatal(err)
		}
		return pids
	}
	add := func() {
		t.Helper()
		if err := writeRarely(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	add()
	before := sessions()
	for range 20 {
		add()
	}
	// Another may have been made meanwhile, by what looks for silence.
	if after := sessions(); len(before) == 0 || len(after) > len(before)+1 || !slices.Contains(after, before[0]) {
		t.Errorf("the sessions are %v, and were %v", after, before)
	}
	for range 3 {
		sqlExec(t, url, `SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'stepcast-rare'`)
		add()
	}
}

// Others have taken all of PostgreSQL's connections: those that the store has
// are enough for it to be sent requests.
func TestHealth_WithTheConnectionsThatThereAre(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t).URL()
	if err := postgres.Migrate(t.Context(), url, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	s, _ := open(t, url)
	create(t, s, "acme/api")
	if _, err := s.ProjectNames(t.Context(), ci.Reach{All: true}, 10); err != nil {
		t.Fatal(err)
	}
	for {
		conn, err := pgx.Connect(t.Context(), url)
		var said *pgconn.PgError
		if errors.As(err, &said) && said.Code == "53300" {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.Background())
	}
	if h := s.Health(t.Context()); errors.Join(h.Database, h.Migrations, h.Durability) != nil {
		t.Fatalf("not ready: %+v", h)
	}
	create(t, s, "acme/api")
}

// A database that takes no writes is said to be that, and not to lose them.
func TestStore_HealthOfOneThatTakesNoWrites(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	s, _ := open(t, url)
	create(t, s, "acme/api")
	sqlExec(t, url, `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$`)
	if h := s.Health(t.Context()); h.Writable == nil || errors.Join(h.Database, h.Migrations, h.Durability) != nil || h.Settings["fsync"] == "" {
		t.Errorf("%+v", h)
	}
}

// A database that cannot be connected to is tried again five times a second, and
// said once.
func TestListener_SaysOnceThatItIsDeaf(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t)
	admin, err := pgx.Connect(t.Context(), pgtest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close(context.Background()) })
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	exec := func(sql string) {
		if _, err := admin.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	s, r, stop := startWith(t, postgres.Config{URL: url, Log: slog.New(slog.NewTextHandler(&said, nil))})
	age := func() time.Duration { return s.Health(t.Context()).ListenAge }
	waitFor(t, r, func() bool { return age() >= 0 })
	exec(`ALTER DATABASE ` + cfg.Database + ` ALLOW_CONNECTIONS false`)
	exec(`SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE datname = '` + cfg.Database + `' AND application_name = 'stepcast-listen'`)
	waitFor(t, r, func() bool { return age() > 1500*time.Millisecond })
	exec(`ALTER DATABASE ` + cfg.Database + ` ALLOW_CONNECTIONS true`)
	waitFor(t, r, func() bool { return age() < time.Second })
	stop()
	if n := strings.Count(said.String(), "LISTEN is renewed"); n != 1 || strings.Contains(said.String(), "do not come back") {
		t.Errorf("said %d times:\n%s", n, &said)
	}
	if n := strings.Count(said.String(), "LISTEN is heard again"); n != 1 {
		t.Errorf("said %d times that it is heard again:\n%s", n, &said)
	}
}

// Each field of a build is in the table once it is set, and out of it once it is
// null, each alone, whichever statement that takes.
func TestStore_KeepsEveryField(t *testing.T) {
	t.Parallel()
	s, _ := open(t, pgtest.New(t))
	for _, field := range reflect.VisibleFields(reflect.TypeFor[ci.BuildUpdate]()) {
		if field.Name == "Status" { // never null, and what the times belong to
			continue
		}
		id := create(t, s, "acme/api")
		for _, null := range []bool{false, true} {
			var u ci.BuildUpdate
			to := reflect.ValueOf(&u).Elem().FieldByIndex(field.Index)
			to.FieldByName("Present").SetBool(true)
			to.FieldByName("Null").SetBool(null)
			switch value := to.FieldByName("Value"); {
			case null:
			case value.Kind() == reflect.String:
				value.SetString("x")
			case value.Type() == reflect.TypeFor[time.Time]():
				value.Set(reflect.ValueOf(ci.Cut(time.Now())))
			default:
				t.Fatalf("%s is %s; say here what it may be", field.Name, value.Type())
			}
			switch field.Name {
			case "StartedAt":
				u.Status = ci.Set(ci.Running)
			case "FinishedAt":
				u.Status = ci.Set(ci.Passed)
			}
			_, err := s.Append(t.Context(), ci.Request{Build: id, Updates: []ci.Update{{Build: &u}}})
			if null && errors.Is(err, &ci.Problem{Code: ci.AlreadySet}) {
				continue // it stays as it is
			}
			if err != nil {
				t.Fatalf("%s, null %v: %v", field.Name, null, err)
			}
			b, err := s.Build(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if kept := reflect.ValueOf(b.Build).FieldByName(field.Name); kept.IsZero() != null {
				t.Errorf("%s, null %v: the table has %v", field.Name, null, kept)
			}
		}
	}
}
