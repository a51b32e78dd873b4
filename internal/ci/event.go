package ci

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Kind tells what an event is about.
type Kind string

// The kinds of events that a log holds.
const (
	KindBuild Kind = "build"
	KindStep  Kind = "step"
	KindLog   Kind = "log"
	KindNote  Kind = "note"
)

// OfStatus tells whether events of this kind say how a build or a step stands.
// The feed has these, and these alone; of a build's log a filter lets them all
// pass.
func (k Kind) OfStatus() bool { return k == KindBuild || k == KindStep }

// Event is one entry of a log.
type Event struct {
	ID   EventID
	Kind Kind
	Step StepKey // of step, log and note events

	// Of build, step and note events: the JSON object that readers get,
	// encoded once, when it was decided.
	Data []byte

	// Of a note event that was just decided: what it was made of. It is not
	// read back from the table.
	Note *NoteUpdate

	// Of log events; AppendData makes the JSON object of them.
	At     time.Time
	Line   int64 // 1-based number of the line that the first byte belongs to
	Offset int64 // of the first byte in the step's log
	Chunk  Chunk
	Lost   int64 // bytes that are gone for good; then Chunk is empty
	Quota  Quota // of these: which one was used up; zero: they never came here

	// Of the feed's events only.
	Build           BuildID
	Project, Branch string
}

// Bytes is the length that the event has in its step's log.
func (e *Event) Bytes() int64 { return e.Chunk.Bytes + e.Lost }

// End is where a log event ends in its step's log.
func (e *Event) End() int64 { return e.Offset + e.Bytes() }

// SkipLines moves the beginning of a log event to behind its first n newlines;
// ok is false, and the event as it was, when nothing of it comes there.
func (e *Event) SkipLines(n int64) (ok bool) {
	before, after := e.Chunk.cutLines(n)
	if before.Lines < n || after.Bytes == 0 {
		return false
	}
	e.Chunk = after
	e.Line += n
	e.Offset += before.Bytes
	return true
}

// KeepLines cuts a log event off behind its first n newlines, if it has so
// many.
func (e *Event) KeepLines(n int64) { e.Chunk, _ = e.Chunk.cutLines(n) }

// AppendData appends the event's JSON object, the same bytes every time and on
// every process.
func (e *Event) AppendData(dst []byte) []byte {
	if e.Kind != KindLog {
		return append(dst, e.Data...)
	}
	dst = append(dst, `{"at":"`...)
	dst = appendTime(dst, e.At)
	dst = append(dst, `","step":"`...)
	dst = append(dst, e.Step...)
	dst = append(dst, `","line":`...)
	dst = strconv.AppendInt(dst, e.Line, 10)
	dst = append(dst, `,"offset":`...)
	dst = strconv.AppendInt(dst, e.Offset, 10)
	dst = append(dst, `,"bytes":`...)
	dst = strconv.AppendInt(dst, e.Bytes(), 10)
	if e.Lost > 0 {
		dst = append(dst, `,"lost":`...)
		dst = strconv.AppendInt(dst, e.Lost, 10)
		if e.Quota != (Quota{}) {
			dst = append(dst, `,"quota":`...)
			dst = append(dst, mustJSON(e.Quota)...)
		}
		return append(dst, '}')
	}
	dst = append(dst, `,"text":"`...)
	dst = e.Chunk.AppendLiteral(dst)
	return append(dst, `"}`...)
}

func appendTime(dst []byte, t time.Time) []byte {
	return Cut(t).AppendFormat(dst, time.RFC3339Nano)
}

// FeedData turns the data of a build or step event into what the feed shows:
// the same object with build_id and project.
func FeedData(kind Kind, id BuildID, project string, data []byte) []byte {
	out := make([]byte, 0, len(data)+len(project)+70)
	out = append(out, `{"build_id":"`...)
	out = append(out, id.String()...)
	out = append(out, `",`...)
	if kind == KindStep { // a build names its project itself
		out = append(out, `"project":"`...)
		out = append(out, project...)
		out = append(out, `",`...)
	}
	return append(out, data[1:]...)
}

func buildData(now time.Time, b Build) []byte {
	return mustJSON(struct {
		At time.Time `json:"at"`
		Build
	}{now, b})
}

func stepData(now time.Time, s Step) []byte {
	return mustJSON(struct {
		At time.Time `json:"at"`
		Step
	}{now, s})
}

func noteData(at time.Time, u *NoteUpdate) []byte {
	var line *int64
	if u.Line > 0 {
		line = &u.Line
	}
	return mustJSON(struct {
		At     time.Time `json:"at"`
		Step   StepKey   `json:"step"`
		Number int64     `json:"number"`
		Line   *int64    `json:"line"`
		*Note
	}{at, u.Step, u.Number, line, &u.Note})
}

// Same tells whether a note is the one whose event has some data, but for its time.
func (u *NoteUpdate) Same(data []byte) bool {
	timeless := func(data []byte) []byte {
		_, rest, _ := bytes.Cut(data, []byte(`,`)) // at is first
		return rest
	}
	return bytes.Equal(timeless(data), timeless(noteData(u.At, u)))
}

// WholeGroup turns the data of a note event that begins a group into what lists
// of notes show: the same object with the group's last_line and duration_s. end
// is the data of the event that ended it; nil while it is open, and then both
// are null, as last_line is where the end belongs to no line. The last line of
// a group without lines is the one before its first.
func WholeGroup(data, end []byte) []byte {
	var ended struct {
		Line *int64
		End  struct {
			Duration *float64 `json:"duration_s"`
		} `json:"group_end"`
	}
	if end != nil {
		if err := json.Unmarshal(end, &ended); err != nil {
			panic("ci: " + err.Error()) // made by noteData
		}
	}
	if ended.Line != nil {
		*ended.Line--
	}
	more := mustJSON(struct {
		Last     *int64   `json:"last_line"`
		Duration *float64 `json:"duration_s"`
	}{ended.Line, ended.End.Duration})
	more[0] = ',' // within the group, which is the last member
	return append(append(data[:len(data)-2:len(data)-2], more...), '}')
}

// mustJSON encodes what cannot fail: times and texts were checked at the door.
func mustJSON(v any) []byte {
	data, err := JSON(v)
	if err != nil {
		panic("ci: " + err.Error())
	}
	return data
}

// JSON encodes what people read with curl in a terminal, too: <, > and & stay as they are,
// for nothing of ours puts JSON into HTML, and no control character does, DEL and those from
// U+0080 to U+009F included.
func JSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	data := bytes.TrimSuffix(buf.Bytes(), []byte("\n"))
	control := func(r rune) bool { return r >= 0x7f && r < 0xa0 }
	if bytes.IndexFunc(data, control) < 0 {
		return data, nil
	}
	var shown bytes.Buffer
	for _, r := range string(data) { // within a text, the one place for such
		if control(r) {
			fmt.Fprintf(&shown, `\u%04x`, r)
		} else {
			shown.WriteRune(r)
		}
	}
	return shown.Bytes(), nil
}

// Filter restricts which events of a log a reader gets. The zero Filter lets
// everything pass. Events that it holds back still move the reader's cursor.
type Filter struct {
	// Of a build's log; build and step events always pass.
	NoLogs bool                // neither log nor note events
	Steps  []StepKey           // log and note events of these steps only; nil: of all
	Since  map[StepKey]EventID // log and note events of this step only from this id on

	// Of the feed.
	Projects []string // patterns; nil: all
	Branches []string // sorted; nil: all
	Sight    *Sight   // what the reader may see; nil: all
}

// Match tells whether the event passes.
func (f *Filter) Match(e *Event) bool {
	if !e.Kind.OfStatus() {
		return !f.NoLogs && (f.Steps == nil || slices.Contains(f.Steps, e.Step)) && e.ID >= f.Since[e.Step]
	}
	if f.Branches != nil {
		if _, there := slices.BinarySearch(f.Branches, e.Branch); !there {
			return false
		}
	}
	if f.Sight != nil && !f.Sight.Sees(e.Project) {
		return false
	}
	return f.wants(e.Project)
}

// wants tells whether a project is among those asked for.
func (f *Filter) wants(project string) bool {
	return f.Projects == nil || slices.ContainsFunc(f.Projects, func(pattern string) bool { return MatchProject(pattern, project) })
}

// All tells whether the filter lets everything pass.
func (f *Filter) All() bool {
	return !f.NoLogs && f.Steps == nil && f.Since == nil && f.Projects == nil && f.Branches == nil && f.Sight == nil
}

// Head is where a log ends, read from the table.
type Head struct {
	Last  EventID
	Final bool // the build is final for good; false for the feed
}

// Page is a run of events of one log, read in one database snapshot.
type Page struct {
	Events  []Event // after the cursor and through the filter, in order
	Through EventID // everything up to here is in Events or held back by the filter; at least the cursor
	Head    Head    // at the time of the snapshot
	First   EventID // the oldest event that is kept; Last+1 when none is
	Epoch   Epoch   // the history that all this belongs to
}
