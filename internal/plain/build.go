package plain

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/page"
)

// Build is the page of one build.
type Build struct {
	Frame
	Build            ci.Build
	Steps            []ci.Step
	Failed           []Note // tests, as many as the caller chose to read
	Errors, Warnings []Note
	First            *Note // the first error of the first step that failed; nil: none is known
	Share            bool  // whether the visitor may make links to it
}

// HTML is the whole document.
func (b Build) HTML() []byte { return pages.HTML("build", b) }

// Title names the result.
func (b Build) Title() string {
	return fmt.Sprintf("%s %s: %s #%d", marks[b.Build.Status], b.Build.Status, b.Build.Project, b.Build.Number)
}

// Span is how long the build took, or has taken until now.
func (b Build) Span() string { return span(b.Build.StartedAt, b.Build.FinishedAt, b.At) }

// StepSpan is the same of a step.
func (b Build) StepSpan(s ci.Step) string { return span(s.StartedAt, s.FinishedAt, b.At) }

// Counts adds up what was found in the steps.
func (b Build) Counts() (found struct {
	ci.Annotations
	ci.Tests
}) {
	for _, s := range b.Steps {
		found.Error += s.Annotations.Error
		found.Warning += s.Annotations.Warning
		found.Passed += s.Tests.Passed
		found.Failed += s.Tests.Failed
		found.Skipped += s.Tests.Skipped
	}
	return found
}

// LastLine is where to look in a build that failed without an error that was
// understood: the end of the first log that failed and has one.
func (b Build) LastLine() *ci.Step {
	if b.First != nil {
		return nil
	}
	for i, s := range b.Steps {
		if s.Status == ci.Failed && s.LogLines > 0 {
			return &b.Steps[i]
		}
	}
	return nil
}

// tested is "2 of 41 failed, 1 skipped"; empty when there was no test.
func tested(t ci.Tests) string {
	all := t.Passed + t.Failed + t.Skipped
	if all == 0 {
		return ""
	}
	words := fmt.Sprintf("%s passed", page.Count(t.Passed))
	if t.Failed > 0 {
		words = fmt.Sprintf("%s of %s failed", page.Count(t.Failed), page.Count(all))
	}
	if t.Skipped > 0 {
		words += fmt.Sprintf(", %s skipped", page.Count(t.Skipped))
	}
	return words
}

// annotated is "3 errors, 1 warning"; empty when there was none.
func annotated(a ci.Annotations) string {
	var words []string
	for _, c := range []struct {
		n   int64
		one string
	}{{a.Error, "error"}, {a.Warning, "warning"}, {a.Notice, "notice"}} {
		if c.n > 0 {
			words = append(words, page.Counted(c.n, c.one))
		}
	}
	return strings.Join(words, ", ")
}

// Note is a note of a build as the list of notes has it: exactly one of its last
// three members is not nil.
type Note struct {
	Step       ci.StepKey     `json:"step"`
	Line       int64          `json:"line"` // of the step's log; 0: of none
	Group      *Group         `json:"group"`
	Annotation *ci.Annotation `json:"annotation"`
	Test       *ci.Test       `json:"test"`
}

// Group is a group of lines. One that is open has neither an end nor a
// duration.
type Group struct {
	Name     string   `json:"name"`
	Level    int      `json:"level"` // from 1
	Last     *int64   `json:"last_line"`
	Duration *float64 `json:"duration_s"` // seconds
}

// ParseNote reads the JSON object of a note.
func ParseNote(data []byte) (n Note, err error) {
	if err := json.Unmarshal(data, &n); err != nil {
		return n, fmt.Errorf("read a note: %w", err)
	}
	return n, nil
}

// Place is where in the source an annotation points, "main.go:12:3" or as much
// of it as is known; empty: nowhere.
func (n Note) Place() string {
	a := n.Annotation
	switch {
	case a == nil || a.File == "":
		return ""
	case a.Line == 0:
		return a.File
	case a.Column == 0:
		return fmt.Sprintf("%s:%d", a.File, a.Line)
	}
	return fmt.Sprintf("%s:%d:%d", a.File, a.Line, a.Column)
}

// Address is where the note's line is, or its step's log.
func (n Note) Address(id ci.BuildID) string {
	if n.Line == 0 {
		return StepPath(id, n.Step)
	}
	return LinePath(id, n.Step, n.Line)
}
