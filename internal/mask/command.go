package mask

import (
	"bytes"
	"strings"
)

// maxLine is the length of the longest line that is held back because it may
// register a value, in bytes.
const maxLine = 64 << 10

// Log commands that register a value: what a line begins with.
const (
	addMask     = "::add-mask"             // GitHub Actions, Forgejo, Gitea: ::add-mask::VALUE
	setVariable = "##vso[task.setvariable" // Azure Pipelines, with issecret=true: ##vso[task.setvariable variable=x;issecret=true]VALUE
	setSecret   = "##vso[task.setsecret"   // Azure Pipelines: ##vso[task.setsecret]VALUE
)

// lineState is where a stream is in its line.
type lineState struct {
	fresh   bool   // there were only blanks in it
	swallow bool   // the rest of it is the end of a value that is too long
	held    []byte // its text, while that may be a command or is one
}

// Commands makes the stream obey log commands that register a value, and
// hides the value in the very line that does:
//
//	::add-mask::VALUE
//	##vso[task.setsecret]VALUE
//	##vso[task.setvariable variable=x;issecret=true]VALUE
//
// The command begins the line, after blanks at most. A line that is such a
// command, or may become one, is held back until it is whole; of one with more
// than 64 KiB everything after the command becomes [Hidden]. The value is added
// for all streams of the masker. When that refuses it, refused is told the
// error; nil: nobody is. Call it before the first Write.
func (s *Stream) Commands(refused func(error)) {
	s.commands, s.refused = true, refused
}

// obey looks for commands in the next bytes of the output.
func (s *Stream) obey(p []byte) {
	for len(p) > 0 {
		switch {
		case s.line.swallow:
			end := lineEnd(p)
			s.line.swallow = end == len(p)
			p = p[end:]
		case len(s.line.held) > 0:
			p = p[s.hold(p):]
		default:
			n := s.pass(p)
			s.mask(p[:n])
			if p = p[n:]; len(p) > 0 {
				p = p[s.hold(p):]
			}
		}
	}
}

// pass returns how many bytes come before the first that may begin a command.
func (s *Stream) pass(p []byte) int {
	for i := 0; i < len(p); {
		if s.line.fresh {
			for i < len(p) && (p[i] == ' ' || p[i] == '\t' || p[i] == '\n' || p[i] == '\r') {
				i++
			}
			if i == len(p) {
				return i
			}
			if c := p[i]; c == ':' || c == '#' {
				end := i + lineEnd(p[i:])
				if _, is := parse(p[i:end]); is == command || is == undecided && (end == len(p) || end-i > maxLine) {
					return i
				}
			}
		}
		i += lineEnd(p[i:])
		s.line.fresh = i < len(p)
	}
	return len(p)
}

// hold takes bytes of a line that may be a command, and returns how many.
func (s *Stream) hold(p []byte) int {
	n := min(lineEnd(p), maxLine+1-len(s.line.held))
	s.line.held = append(s.line.held, p[:n]...)
	word, is := parse(s.line.held)
	switch {
	case is == ordinary:
		s.leave()
	case len(s.line.held) > maxLine:
		s.refuse(ErrTooLong)
		s.line.held = append(s.line.held[:word], Hidden...)
		s.line.swallow = true
		s.leave()
	case n < len(p): // at a line end
		s.endLine()
	}
	return n
}

// leave sends what is held of the line on its way.
func (s *Stream) leave() {
	held := s.line.held
	s.line.held = held[:0]
	s.line.fresh = false
	s.mask(held)
}

// endLine ends the line that is held: it is whole.
func (s *Stream) endLine() {
	if word, is := parse(s.line.held); is == command && word < len(s.line.held) {
		s.register(string(s.line.held[word:]))
		s.line.held = append(s.line.held[:word], Hidden...)
	}
	s.leave()
}

// commandEscapes are how both systems write what would end a line.
var commandEscapes = strings.NewReplacer("%0D", "\r", "%0d", "\r", "%0A", "\n", "%0a", "\n", "%25", "%", "%AZP25", "%")

// register adds the value of a command, and the text that stood for it: not
// everybody escapes what they should.
func (s *Stream) register(escaped string) {
	if err := s.masker.Add(commandEscapes.Replace(escaped)); err != nil {
		s.refuse(err)
		return
	}
	if err := s.masker.Add(escaped); err != nil {
		s.refuse(err)
	}
}

func (s *Stream) refuse(err error) {
	if s.refused != nil {
		s.refused(err)
	}
}

type verdict int

const (
	ordinary  verdict = iota // registers nothing
	undecided                // depends on what follows in the line
	command                  // registers a value
)

// parse tells what a line is that begins like this, and how long the part of
// it is that shows: the command without its value, or as much of that as there
// is.
func parse(line []byte) (word int, is verdict) {
	for _, name := range []string{addMask, setVariable, setSecret} {
		n := min(len(line), len(name))
		if !strings.EqualFold(string(line[:n]), name[:n]) {
			continue
		}
		if n < len(name) || len(line) == n {
			return n, undecided
		}
		rest := line[n:]
		if name == addMask {
			return parseGitHub(n, rest)
		}
		return parseAzure(n, rest, name == setVariable)
	}
	return 0, ordinary
}

// parseGitHub reads on after the name: properties, if any, then :: and the
// value.
func parseGitHub(word int, rest []byte) (int, verdict) {
	if rest[0] != ' ' && rest[0] != ':' || rest[0] == ':' && len(rest) > 1 && rest[1] != ':' {
		return 0, ordinary
	}
	end := bytes.Index(rest, []byte("::"))
	if end < 0 {
		return word, undecided
	}
	return word + end + 2, command
}

// parseAzure reads on after the name: properties, then ] and the value.
func parseAzure(word int, rest []byte, conditional bool) (int, verdict) {
	if rest[0] != ' ' && rest[0] != ']' {
		return 0, ordinary
	}
	end := bytes.IndexByte(rest, ']')
	if end < 0 {
		return word, undecided
	}
	secret := !conditional
	for property := range strings.SplitSeq(string(rest[:end]), ";") {
		name, value, _ := strings.Cut(property, "=")
		if strings.EqualFold(strings.TrimSpace(name), "issecret") {
			secret = strings.EqualFold(strings.TrimSpace(value), "true")
		}
	}
	if !secret {
		return 0, ordinary
	}
	return word + end + 1, command
}

// lineEnd returns where the first line of a text ends, before its \n or \r, or
// the length of the text.
func lineEnd(p []byte) int {
	if end := bytes.IndexByte(p, '\n'); end >= 0 {
		p = p[:end]
	}
	if end := bytes.IndexByte(p, '\r'); end >= 0 {
		return end
	}
	return len(p)
}
