package ci

import "time"

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
	Suite    string  `json:"suite,omitempty"` // a package, a class, a file
	Name     string  `json:"name"`
	Status   Status  `json:"status"`            // passed, failed or skipped
	Duration float64 `json:"duration_s"`        // seconds; 0: unknown
	Message  string  `json:"message,omitempty"` // why it failed or was skipped
}

// Bounds of notes, in bytes of UTF-8 and in number.
const (
	MaxNotes       = 100_000 // of a step
	MaxNoteName    = 1_000   // a group's, a test's, a suite's name; a title, a file
	MaxNoteMessage = 16 << 10
	MaxNoteLevel   = 16 // of a group
)

// NoteUpdate is a note as a runner reports it.
type NoteUpdate struct {
	Step   StepKey
	Number int64     // its place among the step's notes, from 0
	At     time.Time // zero: when it arrived
	Line   int64     // 1-based number of the line of the step's log that it belongs to; 0: to none
	Note   Note
}
