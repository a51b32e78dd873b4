package runner

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/spool"
)

// Wire forms of what a runner says; absent fields leave things as they are.
type (
	newBuild struct {
		ID      ci.BuildID `json:"id"`
		Project string     `json:"project"`
		Details
		Status ci.Status `json:"status,omitempty"`
		Steps  []newStep `json:"steps,omitempty"`
	}
	newStep struct {
		Key  ci.StepKey `json:"key"`
		Name string     `json:"name,omitempty"`
	}
	stepUpdate struct {
		Key        ci.StepKey   `json:"key"`
		Reporter   string       `json:"reporter,omitempty"`
		Name       string       `json:"name,omitempty"`
		Needs      []ci.StepKey `json:"needs,omitempty"`
		Status     ci.Status    `json:"status,omitempty"`
		ExitCode   *int         `json:"exit_code,omitempty"`
		StartedAt  *time.Time   `json:"started_at,omitempty"`
		FinishedAt *time.Time   `json:"finished_at,omitempty"`
		LogBytes   *int64       `json:"log_bytes,omitempty"`
	}
	noteUpdate struct {
		Step   ci.StepKey `json:"step"`
		Number int64      `json:"number"`
		At     time.Time  `json:"at"`
		Line   int64      `json:"line,omitempty"`
		ci.Note
	}
	buildUpdate struct {
		Status     ci.Status  `json:"status"`
		StartedAt  *time.Time `json:"started_at,omitempty"`
		FinishedAt *time.Time `json:"finished_at,omitempty"`
	}
)

// Details describe a build to people. Empty ones are left out.
type Details struct {
	Branch  string `json:"branch,omitempty"`
	Commit  string `json:"commit,omitempty"`
	Title   string `json:"title,omitempty"`
	Author  string `json:"author,omitempty"`
	URL     string `json:"url,omitempty"`
	Trigger string `json:"trigger,omitempty"`
}

// texts are all of them: each is hidden in, and filled in from elsewhere.
func (d *Details) texts() []*string {
	return []*string{&d.Branch, &d.Commit, &d.Title, &d.Author, &d.URL, &d.Trigger}
}

// tidy brings the texts into the contract's bounds: one line of printable
// text each. A branch, a commit or an address that is too long is left out: cut
// short it would name another.
func (d Details) tidy() Details {
	d.Title = ci.OneLine(d.Title, ci.MaxTitle)
	d.Author, d.Trigger = ci.OneLine(d.Author, ci.MaxShort), ci.OneLine(d.Trigger, ci.MaxShort)
	d.Branch, d.Commit = whole(d.Branch, ci.MaxBranch), whole(d.Commit, ci.MaxShort)
	d.URL = whole(d.URL, ci.MaxURL)
	return d
}

// whole makes one line of a text; "": it is longer than limit.
func whole(s string, limit int) string {
	if s = ci.OneLine(s, len(s)); len(s) > limit {
		return ""
	}
	return s
}

// update is one thing to say; exactly one member is not nil.
type update struct {
	text  *spool.Piece
	step  *stepUpdate
	note  *ci.NoteUpdate
	build *buildUpdate
}

const (
	// maxBody bounds the body of a request before compression: the contract's
	// 1 MiB less some room.
	maxBody = 1<<20 - 16<<10
	// maxEscape is the most that one byte of text takes in a body: \u0000.
	maxEscape = 6
)

// batch is one request of updates, encoded as it is put together.
type batch struct {
	key        ci.StepKey
	limit      int   // bytes of the body, unless one thing alone has more
	from, upTo int64 // the text that is in it
	updates    []update
	alive      bool   // with a heartbeat
	last       bool   // nothing comes after it
	history    string // of the build, as the receipt names it
	list       []byte
}

func (b *batch) add(u update) {
	b.updates = append(b.updates, u)
	b.list = appendUpdate(b.list, b.key, u)
}

// room is how many bytes of text still fit, whatever they are.
func (b *batch) room() int {
	if len(b.updates) > ci.MaxUpdates-10 {
		return 0
	}
	return (b.limit - len(b.list)) / maxEscape
}

// full tells whether so much more does not fit, or so little that it is for the next batch.
// One that has nothing yet has room for some text.
func (b *batch) full(more int64) bool {
	return int64(b.room()) < max(min(4<<10, int64(b.limit/maxEscape/2)), more)
}

func (b *batch) body() []byte {
	body := append(make([]byte, 0, len(b.list)+300), `{"updates":[`...)
	body = append(append(body, b.list...), ']')
	if b.alive {
		body = append(append(append(body, `,"alive":["`...), b.key...), `"]`...)
	}
	return append(body, '}')
}

func appendUpdate(dst []byte, key ci.StepKey, u update) []byte {
	if len(dst) > 0 {
		dst = append(dst, ',')
	}
	switch {
	case u.text != nil:
		return appendText(dst, key, u.text)
	case u.note != nil:
		n := noteUpdate{Step: key, Number: u.note.Number, At: ci.Cut(u.note.At), Line: u.note.Line, Note: u.note.Note}
		return append(append(append(dst, `{"note":`...), mustJSON(n)...), '}')
	case u.step != nil:
		return append(append(append(dst, `{"step":`...), mustJSON(u.step)...), '}')
	}
	return append(append(append(dst, `{"build":`...), mustJSON(u.build)...), '}')
}

// appendText appends a log update. Bytes that are no UTF-8 go as base64.
func appendText(dst []byte, key ci.StepKey, p *spool.Piece) []byte {
	dst = append(dst, `{"log":{"step":"`...)
	dst = append(dst, key...)
	dst = append(dst, `","offset":`...)
	dst = strconv.AppendInt(dst, p.Offset, 10)
	dst = append(dst, `,"at":"`...)
	dst = p.At.UTC().AppendFormat(dst, "2006-01-02T15:04:05.999999Z")
	switch {
	case p.Lost > 0:
		dst = append(dst, `","lost":`...)
		dst = strconv.AppendInt(dst, p.Lost, 10)
		return append(dst, `}}`...)
	case utf8.Valid(p.Data):
		dst = append(dst, `","text":"`...)
		dst = ci.AppendEscaped(dst, p.Data)
	default:
		dst = append(dst, `","base64":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, p.Data)
	}
	return append(dst, `"}}`...)
}

func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic("runner: " + err.Error()) // strings, numbers and today's times
	}
	return data
}
