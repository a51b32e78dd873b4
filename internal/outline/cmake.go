package outline

import (
	"strings"

	"github.com/stepcast/stepcast/internal/ci"
)

// cmake reads what CMake says while it configures; the words follow, indented:
//
//	CMake Error at CMakeLists.txt:3 (find_package):
//	  By not providing "FindArea.cmake" in CMAKE_MODULE_PATH …
//
//	CMake Error: The source directory "/src" does not exist.
//
// Source: github.com/Kitware/CMake, Source/cmMessenger.cxx.
type cmake struct {
	level ci.Level
	title string // the command
	at    place
	line  int64 // 0: nothing was begun
	lines int
	words []string
	size  int
}

func (c *cmake) awake() bool { return c.line > 0 }

func (c *cmake) read(p *Parser, text string) bool {
	if c.awake() {
		if c.lines++; c.lines <= maxTrace && (strings.TrimSpace(text) == "" || strings.HasPrefix(text, "  ")) {
			if c.size += len(text) + 1; c.size < ci.MaxNoteMessage {
				c.words = append(c.words, text)
			}
			return true
		}
		c.flush(p)
	}
	if !strings.HasPrefix(text, "CMake ") {
		return false
	}
	level := ci.LevelWarning
	rest, ok := strings.CutPrefix(text, "CMake Error")
	if ok {
		level = ci.LevelError
	}
	for _, with := range []string{"CMake Warning (dev)", "CMake Warning", "CMake Deprecation Warning"} {
		if !ok {
			rest, ok = strings.CutPrefix(text, with)
		}
	}
	if !ok {
		return false
	}
	if message, ok := strings.CutPrefix(rest, ": "); ok {
		p.problem(p.lines, level, place{}, "CMake", message)
		return true
	}
	rest, ok = strings.CutPrefix(rest, " at ")
	rest, ok2 := strings.CutSuffix(rest, "):")
	where, command, ok3 := strings.Cut(rest, " (")
	i := strings.LastIndexByte(where, ':')
	if !ok || !ok2 || !ok3 || i <= 0 || number(where[i+1:]) == 0 || i > ci.MaxNoteName {
		return false
	}
	*c = cmake{level: level, title: command, at: place{file: where[:i], line: number(where[i+1:])}, line: p.lines}
	return true
}

// flush yields what was begun.
func (c *cmake) flush(p *Parser) {
	if c.awake() {
		p.problem(c.line, c.level, c.at, c.title, join(dedent(c.words)...))
	}
	*c = cmake{}
}
