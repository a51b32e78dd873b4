package ci

import (
	"encoding/json"
	"time"
)

// Note is something that a runner understood of a step's log: where a group of
// lines begins or ends, what is wrong at which place in the source, how a test
// ended. Exactly one member is not nil. A step's notes are counted 0, 1, 2 …,
// and idempotent by that number as text is by its offset.
type Note struct {
	Group      *Group      `json:"group,omitempty"`
	GroupEnd   *GroupEnd   `json:"group_end,omitempty"`
	Annotation *Annotation `json:"annotation,omitempty"`
	Test       *Test       `json:"test,omitempty"`
}

// Group begins a group of lines.
type Group struct {
	Name   string `json:"name"`   // one printable line; may be empty
	Level  int    `json:"level"`  // how deep it is nested, from 1
	Folded bool   `json:"folded"` // the command asked that it be shown folded
}

// GroupEnd ends a group: the lines before this note's line belong to it.
type GroupEnd struct {
	Group    int64   `json:"group"`      // number of the note that began it
	Duration float64 `json:"duration_s"` // seconds
}

// Level is how grave an annotation is.
type Level string

// All there is.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
	LevelNotice  Level = "notice"
)

// Annotation is a message of a compiler, a test or the like, with its place in
// the source if it has one. Lines and columns count from 1; 0 is unknown.
type Annotation struct {
	Level   Level  `json:"level"`
	Message string `json:"message"`
	Title   string `json:"title,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int64  `json:"file_line,omitempty"`
	EndLine int64  `json:"file_end_line,omitempty"`
	Column  int64  `json:"file_column,omitempty"`
}

// Test is the result of one test.
type Test struct {
	Suite    string  `json:"suite,omitempty"`   // a package, a class, a file
	Name     string  `json:"name"`              // not empty
	Status   Status  `json:"status"`            // passed, failed or skipped
	Duration float64 `json:"duration_s"`        // seconds; 0: unknown
	Message  string  `json:"message,omitempty"` // why it failed or was skipped
}

// Bounds of notes, in bytes of UTF-8 and in number.
const (
	MaxNotes       = 100_000       // of a step
	MaxNoteName    = 1_000         // a group's, a test's, a suite's name; a title, a file
	MaxNoteMessage = 16 << 10      // of an annotation, of a test
	MaxNoteLevel   = 16            // of a group
	MaxNoteSeconds = 1_000_000_000 // of a group, of a test
	MaxNotePlace   = 1<<31 - 1     // a line or a column of the source
)

// ParseLevel reads the level of an annotation.
func ParseLevel(s string) (Level, error) {
	switch level := Level(s); level {
	case LevelError, LevelWarning, LevelNotice:
		return level, nil
	}
	return "", &Problem{Code: Invalid, Field: "level", Detail: "The level " + quoted(s) + " is unknown; it is one of error, warning, notice."}
}

// ParseTestStatus reads the status with which a test ended.
func ParseTestStatus(s string) (Status, error) {
	switch status := Status(s); status {
	case Passed, Failed, Skipped:
		return status, nil
	}
	return "", &Problem{Code: Invalid, Field: "status", Detail: "A test does not end as " + quoted(s) + "; it is one of passed, failed, skipped."}
}

// NoteUpdate is a note as a runner reports it.
type NoteUpdate struct {
	Step   StepKey
	Number int64     // its place among the step's notes, from 0
	At     time.Time // zero: when it arrived
	Line   int64     // 1-based number of the line of the step's log that it belongs to; 0: to none
	Note   Note
}

// Bytes is about how long the note is.
func (u *NoteUpdate) Bytes() int64 {
	n := len(u.Step)
	switch note := &u.Note; {
	case note.Group != nil:
		n += len(note.Group.Name)
	case note.Annotation != nil:
		n += len(note.Annotation.Message) + len(note.Annotation.Title) + len(note.Annotation.File)
	case note.Test != nil:
		n += len(note.Test.Suite) + len(note.Test.Name) + len(note.Test.Message)
	}
	return int64(n)
}

// Annotations counts a step's annotations by level; null in JSON when there
// are none.
type Annotations struct {
	Error   int64 `json:"error"`
	Warning int64 `json:"warning"`
	Notice  int64 `json:"notice"`
}

// MarshalJSON writes null for no annotation at all.
func (a Annotations) MarshalJSON() ([]byte, error) {
	type counts Annotations
	return orNull(counts(a), a == Annotations{})
}

// Tests counts a step's test results by status; null in JSON when there are
// none.
type Tests struct {
	Passed  int64 `json:"passed"`
	Failed  int64 `json:"failed"`
	Skipped int64 `json:"skipped"`
}

// MarshalJSON writes null for no test at all.
func (t Tests) MarshalJSON() ([]byte, error) {
	type counts Tests
	return orNull(counts(t), t == Tests{})
}

func orNull(v any, null bool) ([]byte, error) {
	if null {
		return []byte("null"), nil
	}
	return json.Marshal(v)
}

// count adds a note to the step's counts.
func (s *Step) count(n *Note) {
	switch {
	case n.Annotation != nil:
		switch n.Annotation.Level {
		case LevelError:
			s.Annotations.Error++
		case LevelWarning:
			s.Annotations.Warning++
		case LevelNotice:
			s.Annotations.Notice++
		}
	case n.Test != nil:
		switch n.Test.Status {
		case Passed:
			s.Tests.Passed++
		case Failed:
			s.Tests.Failed++
		case Skipped:
			s.Tests.Skipped++
		}
	}
}
