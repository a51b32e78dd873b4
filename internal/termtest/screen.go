// Package termtest shows tests what a person at a terminal sees: a screen that
// understands exactly what Stepcast writes to terminals, and a pseudo-terminal
// that it belongs to. Whatever it does not understand it reports as a fault.
package termtest

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// Screen is what a terminal shows, with all that has scrolled off it. When its
// width changes it wraps lines anew and keeps the cursor on its character, as
// most terminals do.
type Screen struct {
	Columns, Rows int
	Faults        []string // what was written and is not understood
	Hidden        bool     // the cursor
	Updates       int      // how often something was shown
	Wrapped       bool     // a line that was to be cut is
	Tallest       int      // rows ever seen below the cursor's line

	lines    []line // all of them; the screen's begin at top
	top      int
	row, col int // of the cursor; row counts from the first line
	noWrap   bool
	parser   *ansi.Parser
}

type line struct {
	cells []string // a wide character is followed by an empty one
	goes  bool     // on in the next line
}

// NewScreen returns an empty screen.
func NewScreen(columns, rows int) *Screen {
	s := &Screen{Columns: columns, Rows: rows, lines: make([]line, 1), parser: ansi.NewParser()}
	s.parser.SetHandler(ansi.Handler{
		Print:   s.print,
		Execute: s.execute,
		HandleCsi: func(cmd ansi.Cmd, params ansi.Params) {
			s.csi(cmd, params)
		},
		HandleOsc: func(cmd int, data []byte) {
			if cmd != 8 {
				s.fault("OSC %q", data)
			}
		},
		HandleEsc: func(cmd ansi.Cmd) {
			if cmd != '\\' {
				s.fault("ESC %q", rune(cmd))
			}
		},
		HandleDcs: func(cmd ansi.Cmd, _ ansi.Params, _ []byte) { s.fault("DCS %v", cmd) },
		HandleApc: func(data []byte) { s.fault("APC %q", data) },
		HandlePm:  func(data []byte) { s.fault("PM %q", data) },
		HandleSos: func(data []byte) { s.fault("SOS %q", data) },
	})
	return s
}

// Write shows bytes.
func (s *Screen) Write(p []byte) (int, error) {
	for _, b := range p {
		s.parser.Advance(b)
	}
	return len(p), nil
}

// Text is all that can be seen by scrolling back, line by line, without what is
// empty at the end.
func (s *Screen) Text() string {
	var b strings.Builder
	for _, l := range s.lines {
		text := strings.Join(l.cells, "")
		if !l.goes {
			text = strings.TrimRight(text, " ") + "\n"
		}
		b.WriteString(text)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// Visible is what stands on the screen now, a line for each row.
func (s *Screen) Visible() []string {
	var rows []string
	for _, l := range s.lines[s.top:] {
		rows = append(rows, strings.TrimRight(strings.Join(l.cells, ""), " "))
	}
	return rows
}

// Resize changes the size.
func (s *Screen) Resize(columns, rows int) {
	if columns != s.Columns {
		s.rewrap(columns)
	}
	s.Columns, s.Rows = columns, rows
	// Fewer rows: those below the cursor go first, then those at the top.
	s.top = max(min(s.top, len(s.lines)-1), s.row-rows+1, 0)
	if s.row < s.top {
		s.top = s.row
	}
	s.lines = s.lines[:min(len(s.lines), s.top+rows)]
	s.top = min(s.top, max(len(s.lines)-rows, 0))
}

func (s *Screen) rewrap(columns int) {
	var lines []line
	row, col := 0, 0
	for i := 0; i < len(s.lines); {
		var cells []string
		at := -1
		for {
			l := s.lines[i]
			if i == s.row {
				at = len(cells) + s.col
			}
			cells = append(cells, l.cells...)
			i++
			if !l.goes || i == len(s.lines) {
				break
			}
		}
		if at < 0 { // blanks at the end are not text
			for len(cells) > 0 && cells[len(cells)-1] == " " {
				cells = cells[:len(cells)-1]
			}
		}
		for begin := 0; ; {
			end := min(begin+columns, len(cells))
			if at >= begin && (at < begin+columns || end == len(cells)) {
				row, col = len(lines), min(at-begin, columns-1)
				at = -1
			}
			lines = append(lines, line{cells: cells[begin:end:end], goes: end < len(cells)})
			if begin = end; begin == len(cells) {
				break
			}
		}
	}
	s.lines, s.row, s.col = lines, row, col
}

func (s *Screen) fault(format string, args ...any) {
	s.Faults = append(s.Faults, fmt.Sprintf(format, args...))
}

func (s *Screen) print(r rune) {
	width := ansi.StringWidth(string(r))
	if width == 0 {
		if !unicode.IsMark(r) && !unicode.In(r, unicode.Cf) {
			s.fault("%q is no character", r)
		}
		return
	}
	if s.col+width > s.Columns {
		if s.noWrap {
			s.Wrapped = true
			s.col = s.Columns - width
		} else {
			s.lines[s.row].goes = true
			s.col = 0
			s.down()
		}
	}
	l := &s.lines[s.row]
	for len(l.cells) < s.col+width {
		l.cells = append(l.cells, " ")
	}
	l.cells[s.col] = string(r)
	if width == 2 {
		l.cells[s.col+1] = ""
	}
	s.col += width
}

func (s *Screen) down() {
	s.row++
	if s.row == len(s.lines) {
		s.lines = append(s.lines, line{})
	}
	s.top = max(s.top, s.row-s.Rows+1)
}

func (s *Screen) execute(b byte) {
	switch b {
	case '\n':
		s.lines[s.row].goes = false
		s.down()
	case '\r':
		s.col = 0
	case '\t':
		s.col = min((s.col/8+1)*8, s.Columns-1)
	case '\b':
		s.col = max(s.col-1, 0)
	default:
		s.fault("control %#x", b)
	}
}

func (s *Screen) csi(cmd ansi.Cmd, params ansi.Params) {
	n, _, _ := params.Param(0, 0)
	l := &s.lines[s.row]
	switch {
	case cmd == 'm':
	case cmd == 'A':
		s.row = max(s.row-max(n, 1), s.top)
	case cmd == 'K' && n == 0:
		l.cells, l.goes = l.cells[:min(s.col, len(l.cells))], false
	case cmd == 'J' && n == 0:
		s.Tallest = max(s.Tallest, len(s.lines)-s.row)
		l.cells, l.goes = l.cells[:min(s.col, len(l.cells))], false
		s.lines = s.lines[:s.row+1]
	case cmd.Prefix() == '?' && (cmd.Final() == 'h' || cmd.Final() == 'l'):
		on := cmd.Final() == 'h'
		switch n {
		case 7:
			s.noWrap = !on
		case 25:
			s.Hidden = !on
		case 2026:
			if !on {
				s.Updates++
			}
		default:
			s.fault("mode %d", n)
		}
	default:
		s.fault("CSI %c %v", cmd.Final(), params)
	}
}
