package outline

import (
	"bytes"
	"strings"

	"github.com/stepcast/stepcast/internal/ci"
)

// maxLoose is how much of a loose error is kept until the end.
const maxLoose = 1000

// loose is a line that says of itself that it is an error, and not where:
//
//	error: rollout of node-07.eu-1 failed: connection refused
//	2026-11-25T12:00:00Z fatal: repository 'https://git.example/x' not found
//	Error from server (Forbidden): deployments.apps "web" is forbidden
//
// What passes prints such lines as well, and so does what says elsewhere what is
// wrong. They count when the step has failed and nothing else was found, but of make's.
type loose struct {
	line    int64
	message string
}

// readLoose keeps a line that is one.
func (p *Parser) readLoose(line []byte) {
	if p.errors > p.madeErrors || len(p.loose) > maxAnnotations {
		return
	}
	start := timeLen(line)
	n, is := errorWord(line[start:])
	if !is {
		return
	}
	if message := cut(string(bytes.TrimSpace(line[start+n:])), maxLoose); message != "" && !describing(message) {
		p.loose = append(p.loose, loose{p.lines, message})
	}
}

// describing tells whether Git only has no name for what is built, which it says at the
// beginning of many a build that goes on.
func describing(message string) bool {
	for _, with := range []string{"No names found, ", "No tags can describe ", "No annotated tags can describe ", "no tag exactly matches ", "not a git repository"} {
		if strings.HasPrefix(message, with) {
			return true
		}
	}
	return false
}

// endLoose yields what was kept, if it counts.
func (p *Parser) endLoose(failed bool) {
	if failed && p.errors == p.madeErrors {
		for _, l := range p.loose {
			p.problem(l.line, ci.LevelError, place{}, "", l.message)
		}
	}
	p.loose = nil
}

// loosely tells, from how a line begins, whether it may be a loose error.
func loosely(line []byte) bool {
	rest := line[timeLen(line):]
	_, is := errorWord(rest)
	return is || len(rest) > 0 && rest[0] == esc && len(rest) < len(line)
}

// errorWord tells whether this begins an error, and the length of the word that says so,
// with the blank behind it, unless it belongs to what is said.
func errorWord(s []byte) (n int, is bool) {
	if len(s) == 0 {
		return 0, false
	}
	switch s[0] {
	case 'e', 'E', 'f', 'F':
	default:
		return 0, false
	}
	for _, who := range []string{"Error from server (", "Error from server: ", "Error response from daemon: "} { // of kubectl, of docker
		if bytes.HasPrefix(s, []byte(who)) {
			return 0, true
		}
	}
	for _, word := range []string{"error: ", "Error: ", "ERROR: ", "fatal: ", "Fatal: ", "FATAL: "} {
		if len(s) > len(word) && string(s[:len(word)]) == word {
			return len(word), true
		}
	}
	return 0, false
}

// timeLen is the length of the time with which a line begins, with the blank behind
// it: 12:00:00, 2026-11-25T12:00:00.123Z, [2026/11/25 12:00:00,5], with a zone or
// without; 0: there is none.
func timeLen(s []byte) int {
	i := 0
	if len(s) > 0 && s[0] == '[' {
		i++
	}
	if len(s) > i+11 && (s[i+4] == '-' || s[i+4] == '/') && s[i+7] == s[i+4] && (s[i+10] == 'T' || s[i+10] == ' ') && digit(s[i]) && digit(s[i+9]) {
		i += len("2026-11-25T")
	}
	if len(s) <= i+8 || s[i+2] != ':' || s[i+5] != ':' || !digit(s[i]) || !digit(s[i+7]) {
		return 0
	}
	for i += len("12:00:00"); i < len(s) && partOfTime[s[i]]; i++ {
	}
	if s[0] == '[' {
		if i == len(s) || s[i] != ']' {
			return 0
		}
		i++
	}
	if i == len(s) || s[i] != ' ' || s[i-1] == ':' {
		return 0
	}
	return i + 1
}

// partOfTime is what a fraction of a second, and a zone, are made of.
var partOfTime = func() (set [256]bool) {
	for _, b := range []byte(".,+-:Z0123456789") {
		set[b] = true
	}
	return set
}()
