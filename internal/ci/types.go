package ci

import (
	"fmt"
	"time"
)

// Status is where a build or a step stands: queued, then running, then one of
// the final ones; or lost, which is provisional for [LateFor].
type Status string

// All there is.
const (
	Queued   Status = "queued"
	Running  Status = "running"
	Passed   Status = "passed"
	Failed   Status = "failed"
	Canceled Status = "canceled"
	Skipped  Status = "skipped"
	Lost     Status = "lost"
)

// Final tells whether the status is one of passed, failed, canceled, skipped.
func (s Status) Final() bool {
	return s == Passed || s == Failed || s == Canceled || s == Skipped
}

// ParseReported reads a status that a runner may say: every one but lost,
// which is the server's own.
func ParseReported(s string) (Status, error) {
	switch st := Status(s); st {
	case Queued, Running, Passed, Failed, Canceled, Skipped:
		return st, nil
	case Lost:
		return "", &Problem{Code: Invalid, Field: "status", Detail: "The status lost is set by the server alone; report queued, running, passed, failed, canceled or skipped."}
	}
	return "", &Problem{Code: Invalid, Field: "status", Detail: fmt.Sprintf("The status %s is unknown; it is one of queued, running, passed, failed, canceled, skipped.", quoted(s))}
}

// ParseStatus reads a status that a build or a step may have.
func ParseStatus(s string) (Status, error) {
	if Status(s) == Lost {
		return Lost, nil
	}
	st, err := ParseReported(s)
	if err != nil {
		return "", &Problem{Code: Invalid, Field: "status", Detail: fmt.Sprintf("The status %s is unknown; it is one of queued, running, passed, failed, canceled, skipped, lost.", quoted(s))}
	}
	return st, nil
}

// Periods of the state machine.
const (
	// LateFor is how long lost, and a skipped that the server set, may still
	// be corrected, and how long text is taken after the end.
	LateFor = 24 * time.Hour
	// BeatLostAfter is the silence after which a step whose reporter sends
	// heartbeats is lost.
	BeatLostAfter = 90 * time.Second
)

// Text is an optional piece of text; empty is null in JSON.
type Text string

// MarshalJSON writes null for the empty text.
func (t Text) MarshalJSON() ([]byte, error) {
	if t == "" {
		return []byte("null"), nil
	}
	return append(AppendEscaped([]byte{'"'}, []byte(t)), '"'), nil
}

// Build is one run of a project's pipeline, as events and the API show it.
// Times are UTC, cut to microseconds.
type Build struct {
	ID         BuildID    `json:"id"`
	Project    string     `json:"project"`
	Number     int64      `json:"number"`
	Branch     Text       `json:"branch"`
	Commit     Text       `json:"commit"`
	Title      Text       `json:"title"`
	Author     Text       `json:"author"`
	URL        Text       `json:"url"`
	Trigger    Text       `json:"trigger"`
	Status     Status     `json:"status"`
	CreatedAt  time.Time  `json:"created_at"`
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
}

// Step is one unit of work in a build, as events and the API show it. A line
// of the log ends with \n, and an unended rest counts as one.
type Step struct {
	Key         StepKey    `json:"key"`
	Name        Text       `json:"name"`
	Needs       []StepKey  `json:"needs"`
	Status      Status     `json:"status"`
	ExitCode    *int       `json:"exit_code"`
	StartedAt   *time.Time `json:"started_at"`
	FinishedAt  *time.Time `json:"finished_at"`
	LogBytes    int64      `json:"log_bytes"`
	LogLines    int64      `json:"log_lines"`
	LogComplete bool       `json:"log_complete"` // the runner's own count agreed: nothing is missing

	// Counts of the step's notes, which log_bytes is the model for: an event
	// has them as they were when it was appended.
	Annotations Annotations `json:"annotations"`
	Tests       Tests       `json:"tests"`
}

// Field is a member of an update: absent (the zero value) leaves things as
// they are, null clears, a value sets.
type Field[T any] struct {
	Present bool
	Null    bool
	Value   T
}

// Set returns a field with a value.
func Set[T any](v T) Field[T] { return Field[T]{Present: true, Value: v} }

// StepUpdate is what a runner says of a step. Exit code and times belong to the
// status they come with: beside one that the step has left behind they are
// ignored, so that a repeat brings nothing back. Else the last write wins.
type StepUpdate struct {
	Key        StepKey
	Name       Field[string]
	Needs      Field[[]StepKey]
	Status     Field[Status] // never null
	ExitCode   Field[int]
	StartedAt  Field[time.Time]
	FinishedAt Field[time.Time]
	Reporter   string       // who says it; empty: it is not said. The first one named keeps the step
	LogBytes   Field[int64] // with a final status: the runner's own count of the log's bytes; null is absent
}

// BuildUpdate is what a runner says of the build itself; for its times the same
// holds as for a step's.
type BuildUpdate struct {
	Status     Field[Status] // never null
	Branch     Field[string]
	Commit     Field[string]
	Title      Field[string]
	Author     Field[string]
	URL        Field[string]
	Trigger    Field[string]
	StartedAt  Field[time.Time]
	FinishedAt Field[time.Time]
}

// AtEnd as the offset of a LogUpdate means wherever the log ends.
const AtEnd int64 = -1

// LogUpdate is a piece of a step's log at its byte offset, or, with Lost, the
// news that so many bytes are gone for good.
type LogUpdate struct {
	Step   StepKey
	Offset int64     // bytes, or AtEnd, which never comes from outside
	At     time.Time // when it was printed; zero: when it arrived
	Chunk  Chunk
	Lost   int64 // bytes; then Chunk is empty
}

// Update is one thing that a runner says; exactly one member is not nil.
type Update struct {
	Step  *StepUpdate
	Log   *LogUpdate
	Note  *NoteUpdate
	Build *BuildUpdate
}

// Request is one list of updates for one build, taken as a whole or not at
// all.
type Request struct {
	Build   BuildID
	Updates []Update
	Alive   []StepKey // heartbeats
	From    string    // who sends it, for turns where many wait; of no meaning else
}

// Creation is a new build.
type Creation struct {
	ID      BuildID
	Project string
	BuildUpdate
	Steps   []StepUpdate // Key, Name and Needs
	From    string       // as of a Request
	Checked bool         // nothing is wrong with it by itself
}

// Receipt answers a request that was committed.
type Receipt struct {
	Last  EventID           // the build's newest event
	Logs  map[StepKey]int64 // bytes that the server has, for each step that the request had text for
	Cut   map[StepKey]Quota // of those in Logs, the steps whose log was cut: Logs has what was taken, not what is kept
	Notes map[StepKey]int64 // notes that the server has, for each step that the request had notes for
	Epoch Epoch             // the history that Last belongs to; set by the store

	// The first pieces of text of which some was there already, and the first notes that
	// were: a few, to be compared.
	Repeated      []Repeated
	RepeatedNotes []*NoteUpdate

	Odd []Oddity // a few, of what was taken and looks like a mistake

	// What is new of logs, in bytes, and of notes, in numbers: all of it, in its order.
	Texts, Noted []Added
}

// Added is what is new of a step: from a byte, or number, on, up to before another.
type Added struct {
	Step     StepKey
	From, To int64
}

// withAdded adds what is new to what a receipt has of it.
func withAdded(all []Added, one Added) []Added {
	if n := len(all); n > 0 && all[n-1].Step == one.Step && all[n-1].To == one.From {
		all[n-1].To = one.To
		return all
	}
	return append(all, one)
}

// Oddity is what looks like a mistake of whoever reports a step, or the build.
type Oddity struct {
	Step StepKey // empty: the build
	What Odd
	Need StepKey // of OddNeed
}

// Odd is a kind of oddity.
type Odd int

const (
	OddLost    Odd = iota // the build ended while the step ran,
	OddFailed             // or passed although it failed,
	OddSkipped            // or passed and it never began,
	OddNeed               // or passed and it needs what is no step
	OddAgain              // it is said to run, and has ended
	OddUnlined            // its log has no line end, and it has ended or there were many texts
	OddRerun              // the build is said to run, and has ended
	OddLate               // text of it came after the build's end
	OddTail               // text of it came after its own
	OddSeams              // its texts have lines, and none ends with one
	OddTwice              // text of it is what came right before it
	OddWhole              // text of it begins as its log does
	OddOpen               // it has an exit code, or an end, and no status that ends it
	OddGoesOn             // or the build has
)

// Repeated is a piece of text whose first bytes were there already.
type Repeated struct {
	Step   StepKey
	Offset int64 // of the piece
	Bytes  int64 // of it that were there
	Chunk  Chunk // the piece
}

// Cut brings a time to what is kept and shown: UTC, microseconds.
func Cut(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// CheckTime refuses a time that RFC 3339 cannot show in UTC.
func CheckTime(t time.Time) error {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return &Problem{Code: Invalid, Detail: "A time lies between the years 1 and 9999 in UTC."}
	}
	return nil
}
