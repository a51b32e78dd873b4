package runner

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// maxHeld is how much of an unended line waits for its end, in bytes, where
// lines of several steps are mixed.
const maxHeld = 64 << 10

// Printer shows the events of a build as text: one step's log as it is, several
// steps' line by line, each line after its step's key. Nothing in a log can do
// more to the terminal than colour its own line.
//
// With a header, which is Out then, a log is shown line by line too: its last
// line is part of the header until it ends.
type Printer struct {
	Out    io.Writer // log text
	Status io.Writer // what happens to the build and its steps, one line each
	Header *Header   // nil: there is none
	Colour bool
	Alone  bool // Out gets one step's log: no line needs a name

	// Outcome is the build's status as of the last event.
	Outcome ci.Status

	steps   map[ci.StepKey]*stepPrinter
	open    *stepPrinter // the step whose line on Out has not ended
	width   int
	scratch []byte
}

type stepPrinter struct {
	key    ci.StepKey
	status ci.Status
	clean  *cleaner
	next   int64 // offset of the text to come
	begun  bool
	unends bool   // the last byte of the text was no newline
	cut    bool   // that the rest was not kept has been said, and no text came since
	held   []byte // an unended line, cleaned
}

// Handle shows one event. What it does not know it passes over.
func (p *Printer) Handle(e *FollowEvent) {
	p.show(e)
	if p.Header != nil {
		p.Header.handle(e)
	}
}

func (p *Printer) show(e *FollowEvent) {
	switch {
	case e.Log != nil:
		p.log(p.step(e.Log.Step), e)
	case e.Step != nil:
		s := p.step(e.Step.Key)
		if s.status == e.Step.Status {
			return
		}
		s.status = e.Step.Status
		if s.status == ci.Queued {
			return
		}
		p.release(s)
		line := fmt.Sprintf("%s %s", s.key, s.status)
		if code := e.Step.ExitCode; code != nil && *code != 0 {
			line += fmt.Sprintf(" (exit code %d)", *code)
		}
		if a, b := e.Step.StartedAt, e.Step.FinishedAt; a != nil && b != nil {
			line += fmt.Sprintf(" after %v", max(b.Sub(*a), 0).Round(100*time.Millisecond))
		}
		if t := e.Step.Tests; t != nil {
			line += fmt.Sprintf("; tests: %d passed, %d failed, %d skipped", t.Passed, t.Failed, t.Skipped)
		}
		if a := e.Step.Annotations; a != nil && a.Error+a.Warning > 0 {
			line += "; " + counted(a.Error, "error") + ", " + counted(a.Warning, "warning")
		}
		p.say("%s", line)
	case e.Build != nil:
		if p.Outcome == "" {
			p.say("%s #%d %s", e.Build.Project, e.Build.Number, e.Build.Title)
		}
		if p.Outcome != e.Build.Status && e.Build.Status != ci.Queued && e.Build.Status != ci.Running {
			p.say("build %s", e.Build.Status)
		}
		p.Outcome = e.Build.Status
	case e.Reset != "":
		p.say("the server begins again (%s)", e.Reset)
		p.steps, p.open = nil, nil
	}
}

func counted(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// Close ends the line that is open and shows what was held back, and the header
// for the last time.
func (p *Printer) Close() {
	for _, s := range p.steps {
		p.release(s)
	}
	p.breakLine()
	if p.Header != nil {
		p.Header.Close()
	}
}

// Say shows a line that is not the build's.
func (p *Printer) Say(line string) { p.say("%s", line) }

func (p *Printer) say(format string, args ...any) {
	p.breakLine()
	fmt.Fprintf(p.Status, "stepcast: %s\n", label(fmt.Sprintf(format, args...), 2000))
}

func (p *Printer) step(key ci.StepKey) *stepPrinter {
	key = ci.StepKey(label(string(key), ci.MaxName)) // as any server may send it
	s := p.steps[key]
	if s == nil {
		s = &stepPrinter{key: key, clean: newCleaner(!p.Colour)}
		if p.steps == nil {
			p.steps = make(map[ci.StepKey]*stepPrinter)
		}
		p.steps[key] = s
		p.width = max(p.width, min(len(key), 30))
	}
	return s
}

func (p *Printer) log(s *stepPrinter, e *FollowEvent) {
	l := e.Log
	if missing := l.Offset - s.next; s.begun && missing > 0 {
		p.mark(s, "%d bytes are missing here", missing)
	} else if s.begun && missing < 0 {
		p.mark(s, "%d bytes come again here", -missing)
	}
	s.begun, s.next = true, l.Offset+l.Bytes
	if l.Quota != (ci.Quota{}) {
		if !s.cut {
			s.cut = true
			p.mark(s, "the rest was not kept: %s", l.Quota.Why())
		}
		return
	}
	if l.Lost > 0 {
		p.mark(s, "%d bytes were lost here", l.Lost)
		return
	}
	if s.cut = false; l.Text != "" {
		s.unends = !strings.HasSuffix(l.Text, "\n")
	}
	p.text(s, []byte(l.Text))
}

// mark says something of a log in a line of its own, which no sequence that the
// text has begun takes for a part of it, and which has not the log's colours.
func (p *Printer) mark(s *stepPrinter, format string, args ...any) {
	line := fmt.Sprintf("["+format+"]\n", args...)
	if s.unends {
		line = "\n" + line
	}
	s.unends = false
	want := s.clean.want
	s.clean.want = style{}
	p.text(s, []byte(line))
	s.clean.want = want
}

// text shows a piece of a log.
func (p *Printer) text(s *stepPrinter, text []byte) {
	if p.Header == nil && p.single() {
		p.scratch = s.clean.clean(p.scratch[:0], text)
		if n := len(p.scratch); n > 0 {
			p.open = nil
			if p.scratch[n-1] != '\n' {
				// Whatever comes next on this terminal may not be ours to say.
				p.open, p.scratch = s, s.clean.end(p.scratch)
			}
		}
		p.Out.Write(p.scratch)
		return
	}
	s.held = s.clean.clean(s.held, text)
	end := bytes.LastIndexByte(s.held, '\n') + 1
	if end == 0 && len(s.held) > maxHeld {
		// A progress bar that writes over itself may go on; a line may not.
		if s.held = visible(nil, s.held); len(s.held) > maxHeld/2 {
			p.release(s)
			return
		}
	}
	p.scratch = p.scratch[:0]
	for line := range bytes.SplitAfterSeq(s.held[:end], []byte{'\n'}) {
		if len(line) > 0 {
			p.scratch = p.prefixed(p.scratch, s, line)
		}
	}
	s.held = append(s.held[:0], s.held[end:]...)
	switch {
	case p.Header != nil:
		p.Header.text(p.scratch, p.unended(s))
	case end > 0:
		p.breakLine()
		p.Out.Write(p.scratch)
	}
}

// unended is the line of a step that has not ended, as the header shows it: in
// whole, for its colours are not those of the rows below.
func (p *Printer) unended(s *stepPrinter) string {
	if len(s.held) == 0 {
		return ""
	}
	line := s.clean.shown.end(bytes.TrimSuffix(p.prefixed(nil, s, s.held), []byte{'\n'}))
	return strings.ReplaceAll(string(line), "\t", "    ")
}

// single tells whether there is only one step's text, so that no line needs a
// name.
func (p *Printer) single() bool { return p.Alone || len(p.steps) == 1 }

// prefixed appends a line after its step's key, if it needs one.
func (p *Printer) prefixed(dst []byte, s *stepPrinter, line []byte) []byte {
	if !p.single() {
		dst = fmt.Appendf(dst, "%-*s | ", p.width, s.key)
	}
	dst = visible(dst, bytes.TrimSuffix(line, []byte{'\n'}))
	return append(bytes.TrimRight(dst, "\r"), '\n')
}

// visible appends what is left to see of a cleaned line: of what a carriage
// return would write over, only the last. One that nothing visible has followed
// yet stays.
func visible(dst, line []byte) []byte {
	text, tail := line, []byte(nil) // tail: sequences after the last text
	for {
		i := bytes.LastIndexByte(text, '\r')
		after := text[i+1:]
		sequences := escapes(after)
		if i >= 0 && len(sequences) == len(after) {
			tail = append(bytes.Clone(sequences), tail...)
			text = text[:i]
			continue
		}
		dst = append(dst, escapes(text[:i+1])...)
		dst = append(append(dst, after...), tail...)
		if len(text) < len(line) {
			dst = append(dst, '\r')
		}
		return dst
	}
}

// escapes returns the escape sequences in a cleaned piece of a line.
func escapes(cleaned []byte) (sequences []byte) {
	for {
		i := bytes.IndexByte(cleaned, '\x1b')
		if i < 0 {
			return sequences
		}
		cleaned = cleaned[i:]
		end := bytes.IndexByte(cleaned, 'm') + 1
		sequences = append(sequences, cleaned[:end]...)
		cleaned = cleaned[end:]
	}
}

// release shows the unended line of a step.
func (p *Printer) release(s *stepPrinter) {
	if len(s.held) == 0 {
		return
	}
	p.breakLine()
	s.held = s.clean.endLine(s.held)
	line := p.prefixed(nil, s, s.held)
	s.held = s.held[:0]
	if p.Header != nil {
		p.Header.text(line, "")
		return
	}
	p.Out.Write(line)
}

// breakLine ends the line that is open on Out, so that something else can be
// said.
func (p *Printer) breakLine() {
	if p.open == nil {
		return
	}
	p.Out.Write(append(p.open.clean.endLine(nil), '\n'))
	p.open = nil
}
