package outline

import (
	"strings"

	"github.com/stepcast/stepcast/internal/ci"
)

// maxFailure is how many lines a failure may have before its place comes.
const maxFailure = 100

// mocha follows what Mocha says of a failure, after the last test:
//
//  1. area
//     of a rectangle:
//
//     AssertionError [ERR_ASSERTION]: 5 == 6
//     at Context.<anonymous> (mocha.js:5:12)
//
// all of it indented by two or more.
type mocha struct {
	titles []string
	titled bool // all of them are there
	words  []string
	lines  int
	line   int64
}

func (m *mocha) awake() bool { return len(m.titles) > 0 }

func (m *mocha) read(p *Parser, text string) bool {
	words := strings.TrimSpace(text)
	if indent(text) == 2 {
		if _, rest, ok := cutNumber(text[2:]); ok && strings.HasPrefix(rest, ") ") && len(rest) < ci.MaxNoteName {
			*m = mocha{line: p.lines}
			m.title(rest[len(") "):])
			return true
		}
	}
	if !m.awake() {
		return false
	}
	m.lines++
	switch {
	case m.lines > maxFailure, !m.titled && (indent(text) < 7 || len(m.titles) == ci.MaxNoteLevel):
		*m = mocha{}
		return false
	case !m.titled:
		m.title(words)
	case strings.HasPrefix(words, "at "):
		if at, ok := nodeFrame(words[len("at "):]); ok && len(m.words) > 0 {
			p.problem(m.line, ci.LevelError, at, strings.Join(m.titles, " > "), join(m.words...))
			*m = mocha{}
		}
	case len(m.words) < maxWords && (words != "" || len(m.words) > 0):
		if len(m.words) > 0 {
			words = strings.TrimRight(strings.TrimPrefix(text, "      "), " ")
		}
		m.words = append(m.words, cut(words, 1000))
	}
	return indent(text) > 2 // an error may say more at the margin, and so may others
}

func (m *mocha) title(text string) {
	text, m.titled = strings.CutSuffix(text, ":")
	m.titles = append(m.titles, cut(text, ci.MaxNoteName))
}

// vitest follows what Vitest says of a failure:
//
//	FAIL  area.spec.ts > area > of a rectangle
//	AssertionError: expected 5 to be 6 // Object.is equality
//
//	❯ area.spec.ts:5:20
//
// of which the first line and the frames are indented by one.
type vitest struct {
	file, title string
	words       []string
	lines       int
	line        int64
}

func (v *vitest) awake() bool { return v.line > 0 }

func (v *vitest) read(p *Parser, text string) bool {
	if rest, ok := strings.CutPrefix(text, " FAIL  "); ok {
		v.flush(p)
		file, title, _ := strings.Cut(strings.TrimSpace(rest), " > ")
		if file, _, _ = strings.Cut(file, " ["); !scripts[extension(file)] || !isSource(file) {
			return false
		}
		*v = vitest{file: file, title: cut(title, ci.MaxNoteName), line: p.lines}
		return true
	}
	if !v.awake() {
		return false
	}
	if v.lines++; v.lines > maxFailure || strings.HasPrefix(text, "⎯⎯") {
		v.flush(p)
		return false
	}
	if frame, ok := strings.CutPrefix(text, " ❯ "); ok {
		frame = strings.TrimSpace(frame)
		if at, ok := nodeFrame(frame[strings.LastIndexByte(frame, ' ')+1:]); ok && len(v.words) > 0 {
			p.problem(v.line, ci.LevelError, at, v.title, join(v.words...))
			*v = vitest{}
		}
		return true
	}
	if len(v.words) < maxWords {
		v.words = append(v.words, cut(text, 1000))
	}
	return true
}

// flush yields a failure of which no frame is the user's.
func (v *vitest) flush(p *Parser) {
	if v.awake() {
		p.problem(v.line, ci.LevelError, place{file: v.file}, v.title, join(v.words...))
	}
	*v = vitest{}
}
