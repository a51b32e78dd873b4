package feed

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// Source is where logs are kept. Its methods are called from several
// goroutines. Each answer is as of a moment after the call was made, which is
// what makes a head that falls a sign of a rewound history: an implementation
// must not answer from what it kept. (Readers at one cursor share a read here.)
type Source interface {
	// Page reads the events of a log after a cursor: some, if there are any.
	Page(ctx context.Context, log ci.LogID, after ci.EventID, f ci.Filter) (ci.Page, error)
	// Heads reads where logs end. Logs that do not exist are left out.
	Heads(ctx context.Context, logs []ci.LogID) (map[ci.LogID]ci.Head, ci.Epoch, error)
	// Rewound is told that a query which was sent after the log's head had
	// been seen at seen returned a lower one. If the log really is behind, it
	// replaces the epoch; it returns the present one.
	Rewound(ctx context.Context, log ci.LogID, seen ci.EventID) (ci.Epoch, error)
	// Epochs returns the present epoch and the former ones.
	Epochs(ctx context.Context) (current ci.Epoch, former []ci.Epoch, err error)
}

// Options of Tails; the zero value is what the server uses.
type Options struct {
	TailEvents int           // events that a tail holds at most; 0: 1,000; negative: none
	TailBytes  int           // bytes of frames that a tail holds at most; 0: 1 MiB
	Beat       time.Duration // at which text is released while it keeps coming; 0: 20 ms; negative: at once
	Poll       time.Duration // between two looks at the heads of all watched logs; 0: 1 s
	Reads      int           // pages read at once, at most; 0: 8
	Log        *slog.Logger  // nil: slog.Default()
}

// Tails holds the newest part of every log that somebody here watches. Its
// methods may be called from any goroutine; Committed, Hint and Dirty are
// those of postgres.Watcher.
type Tails struct{}

// New returns tails over a source. Nothing is read before Run.
func New(source Source, o Options) *Tails { panic("stub") }

// Run reads pages and polls until ctx is done. After it every subscription
// returns [ErrStopped].
func (t *Tails) Run(ctx context.Context) error { panic("stub") }

// Committed hands over what this process has just committed: consecutive
// events of one log, and its head after them. Calls may come late, repeatedly,
// in any order, or never.
func (t *Tails) Committed(epoch ci.Epoch, log ci.LogID, events []ci.Event, head ci.Head) {
	panic("stub")
}

// Hint says that a log has grown to last.
func (t *Tails) Hint(log ci.LogID, last ci.EventID) { panic("stub") }

// Dirty says that these logs may have grown; with none, that any may.
func (t *Tails) Dirty(logs ...ci.LogID) { panic("stub") }

// BadCursor is the cursor of a reader whose own could not be parsed: its
// subscription begins with a reset for [UnknownCursor].
var BadCursor = ci.Cursor{ID: -1}

// Subscribe starts to read a log after a cursor, through a filter. The zero
// cursor means from the first event that is kept. Any other is checked, its
// prefix too, against the log and the present epoch; one that does not fit
// makes the subscription begin with a reset. Subscribe itself reads nothing
// and never waits. The subscription must be closed.
func (t *Tails) Subscribe(log ci.LogID, name ci.LogName, cursor ci.Cursor, filter ci.Filter) *Subscription {
	panic("stub")
}

// Errors of a subscription. io.EOF follows the batch with End.
var (
	ErrClosed  = errors.New("feed: the subscription is closed")
	ErrStopped = errors.New("feed: stopped")
)

// Reason says why a reader must forget what it had.
type Reason string

// The reasons, as they stand on the wire.
const (
	UnknownCursor Reason = "unknown_cursor" // beyond the end of the log, or no cursor at all
	WrongLog      Reason = "wrong_log"      // the cursor is of another log
	Rewound       Reason = "rewound"        // the history was rewound
	Expired       Reason = "expired"        // events after the cursor are no longer kept
)

// Subscription reads one log for one reader. Next, TryNext and Batch belong to
// one goroutine at a time; Close and Cursor may be called from any.
type Subscription struct{}

// Batch is what a subscription yields: a reset and nothing else, or frames,
// then live, then end, each of which may be missing, but not all.
type Batch struct {
	// Reset, when not empty, says that the reader must forget what it had.
	// The log follows from Cursor on.
	Reset Reason

	// Frames are ready to be sent, in this order: about 256 KiB at most, but
	// at least one event. The bytes are shared and must not be changed; they
	// stay as they are for ever. The outer slice is valid until the next call
	// of Next or TryNext.
	Frames [][]byte
	Size   int // bytes of Frames

	// Live: the replay is over. It comes once, and once more after a reset.
	Live bool
	// End: the build is final for good and everything has been yielded.
	End bool

	// Cursor is where the reader is after this batch: the id of the frames
	// for live, end and reset.
	Cursor ci.Cursor
}

// Event is one event of a batch, for readers that put several logs into one
// stream.
type Event struct {
	ID   ci.EventID
	Kind ci.Kind
	Data []byte // the JSON object: shared, not to be changed
}

// Events iterates over the events of Frames.
func (b *Batch) Events() iter.Seq[Event] { panic("stub") }

// Next blocks until there is something to yield. An error other than ctx's,
// ErrClosed, ErrStopped and io.EOF is the source's: it may pass, and Next may
// be called again.
func (s *Subscription) Next(ctx context.Context) (Batch, error) { panic("stub") }

// TryNext is Next without waiting. When ok is false and err is nil there is
// nothing now: Ready, or the hook of OnReady, says when to try again. There
// may be false alarms.
func (s *Subscription) TryNext() (b Batch, ok bool, err error) { panic("stub") }

// Ready has a value once TryNext is worth trying again.
func (s *Subscription) Ready() <-chan struct{} { panic("stub") }

// OnReady makes the subscription call f in place of filling Ready. f must
// neither block nor call the subscription; no lock is held when it is called,
// and one call may still come after Close. It is set before the first TryNext,
// and then Next must not be used.
func (s *Subscription) OnReady(f func()) { panic("stub") }

// Cursor is where the reader is: everything of its stream up to there was
// yielded or is filtered out. The prefix is empty until the first batch.
func (s *Subscription) Cursor() ci.Cursor { panic("stub") }

// Close ends the subscription; it may be called more than once, also while
// Next blocks, which then returns ErrClosed.
func (s *Subscription) Close() { panic("stub") }
