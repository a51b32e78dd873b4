package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/sse"
)

const (
	aLog  = ci.LogID(7)
	aName = ci.LogName("0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10")
)

// world is a table with tails over it, inside a synctest bubble: Wait settles
// everything, and Sleep costs nothing.
type world struct {
	*testing.T
	*table
	tails *Tails
	stop  func() // and wait for the end
}

// inWorlds runs a test with tails of no, one and 1,000 events: correctness
// must not depend on them.
func inWorlds(t *testing.T, test func(w *world)) {
	t.Helper()
	for name, events := range map[string]int{"tail 0": -1, "tail 1": 1, "tail 1000": 1000} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(newWorld(t, Options{TailEvents: events})) })
		})
	}
}

func newWorld(t *testing.T, o Options) *world {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	w := &world{T: t, table: newTable(3)}
	w.tails = New(w.table, o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.tails.Run(ctx) }()
	stopped := false
	w.stop = func() {
		if !stopped {
			stopped = true
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run ended with %v", err)
			}
		}
	}
	t.Cleanup(w.stop)
	return w
}

// commit appends events and hands them over, as one batch.
func (w *world) commit(what ...string) {
	var events []ci.Event
	var head ci.Head
	var epoch ci.Epoch
	for _, what := range what {
		var e ci.Event
		epoch, e, head = w.append(aLog, what)
		events = append(events, e)
	}
	w.tails.Committed(epoch, aLog, events, head)
}

// lose appends an event that nobody is told of.
func (w *world) lose(what ...string) {
	for _, what := range what {
		w.append(aLog, what)
	}
}

// length is how many events the log has.
func (w *world) length() ci.EventID {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.logs[aLog]; s != nil {
		return s.last
	}
	return 0
}

// count is how many pages were read so far.
func (w *world) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pages
}

// settle waits until nothing but time can make anything happen, and a beat
// longer, so that everything that was heard of is released.
func (w *world) settle() {
	synctest.Wait()
	time.Sleep(25 * time.Millisecond)
	synctest.Wait()
}

// reader follows a log and notes what it gets.
type reader struct {
	w      *world
	sub    *Subscription
	filter ci.Filter
	cursor ci.Cursor // as the frames told it
	got    []string  // "<id> <data>" of events; "live", "end", "reset <reason>"
}

func (w *world) read(cursor ci.Cursor, f ci.Filter) *reader {
	return &reader{w: w, sub: w.subscribe(aLog, aName, cursor, f), filter: f, cursor: cursor}
}

// subscribe subscribes to a log as it is found in the present history.
func (w *world) subscribe(log ci.LogID, name ci.LogName, cursor ci.Cursor, f ci.Filter) *Subscription {
	return w.tails.Subscribe(w.present(), log, name, cursor, f)
}

// moved follows the log into another history, as a server does.
func (r *reader) moved(err error) bool {
	if !errors.Is(err, ErrMoved) {
		return false
	}
	r.sub.Close()
	r.sub = r.w.subscribe(aLog, aName, r.cursor, r.filter)
	return true
}

// take takes everything that can be had without waiting for time to pass.
func (r *reader) take() *reader {
	r.w.Helper()
	for {
		b, ok, err := r.sub.TryNext()
		if r.moved(err) {
			continue
		}
		if err != nil {
			if err != io.EOF {
				r.w.Fatalf("TryNext: %v, after %q", err, r.got)
			}
			return r
		}
		if ok {
			r.note(b)
			continue
		}
		synctest.Wait()
		select {
		case <-r.sub.Ready():
		default:
			return r
		}
	}
}

func (r *reader) note(b Batch) {
	r.w.Helper()
	if b.empty() {
		r.w.Fatalf("an empty batch: %+v", b)
	}
	if b.Reset != "" {
		if len(b.Frames) > 0 || b.Live || b.End {
			r.w.Fatalf("a reset with something else: %+v", b)
		}
		r.got = append(r.got, "reset "+string(b.Reset))
	}
	stream := sse.NewReader(bytes.NewReader(bytes.Join(b.Frames, nil)), 0)
	size, frames := 0, 0
	for _, f := range b.Frames {
		size += len(f)
	}
	if size != b.Size {
		r.w.Fatalf("the batch says %d bytes and has %d", b.Size, size)
	}
	for e := range b.Events() {
		frames++
		frame, err := stream.Next()
		id, _ := ci.ParseCursor(frame.ID)
		if err != nil || id.ID != e.ID || ci.Kind(frame.Name) != e.Kind || !bytes.Equal(frame.Data, e.Data) {
			r.w.Fatalf("event %+v came as frame %+v, %v", e, frame, err)
		}
		r.cursor = id
		r.got = append(r.got, fmt.Sprintf("%d %s", e.ID, e.Data))
	}
	if _, err := stream.Next(); err != io.EOF {
		r.w.Fatalf("after %d events the frames go on: %v", frames, err)
	}
	if b.Cursor != r.sub.Cursor() || frames > 0 && (b.Cursor.ID < r.cursor.ID || b.Cursor.Prefix != r.cursor.Prefix) {
		r.w.Fatalf("the batch ends at %v, the subscription is at %v, the last frame was %v", b.Cursor, r.sub.Cursor(), r.cursor)
	}
	r.cursor = b.Cursor
	if b.Live {
		r.got = append(r.got, "live")
	}
	if b.End {
		r.got = append(r.got, "end")
	}
}

// each calls f with every event that can be had without waiting for time to
// pass.
func (r *reader) each(f func(Event)) {
	for {
		b, ok, err := r.sub.TryNext()
		if err != nil {
			r.w.Fatalf("TryNext: %v", err)
		}
		for e := range b.Events() {
			f(e)
		}
		if ok {
			continue
		}
		synctest.Wait()
		select {
		case <-r.sub.Ready():
		default:
			return
		}
	}
}

// want checks what the reader got since the last want: numbers are the ids of
// events.
func (r *reader) want(want ...any) {
	r.w.Helper()
	var lines []string
	for _, one := range want {
		switch one := one.(type) {
		case int:
			lines = append(lines, r.w.line(ci.EventID(one)))
		case string:
			lines = append(lines, one)
		}
	}
	if got, want := fmt.Sprintf("%q", r.got), fmt.Sprintf("%q", lines); got != want {
		r.w.Fatalf("got  %s\nwant %s", got, want)
	}
	r.got = nil
}

// line is what a reader notes of event id.
func (w *world) line(id ci.EventID) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.logs[aLog]
	e := s.events[id-s.first()]
	return strconv.FormatInt(int64(id), 10) + " " + string(e.AppendData(nil))
}

// at is the cursor of event id, as of now.
func (w *world) at(id ci.EventID) ci.Cursor {
	w.mu.Lock()
	defer w.mu.Unlock()
	return ci.Cursor{Prefix: ci.CursorPrefix(w.epoch, aName), ID: id}
}
