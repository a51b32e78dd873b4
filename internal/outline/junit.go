package outline

import (
	"bufio"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ci"
)

// Bounds of a report.
const (
	maxReport   = 1 << 30  // bytes of a file
	maxDepth    = 100      // elements in each other
	maxTexts    = 8 << 20  // bytes of messages that are kept; later ones are left out
	maxNames    = 64 << 20 // bytes of names that are kept; later tests are left out
	maxTag      = 64 << 10 // bytes between < and >
	maxTextRun  = 64 << 10 // bytes of text between two tags that are looked at
	maxEntity   = 16       // bytes between & and ;
	maxMessages = 8        // failures of one test that are shown
)

// JUnit reads a report in JUnit's XML, in the dialects of Maven Surefire,
// pytest, jest-junit, mocha, gotestsum, PHPUnit, Node and the like: test cases in suites,
// which may be nested. The suite of a test is its class, or else the innermost
// suite around it.
//
// The report may be hostile: memory is bounded whatever it holds, entities are
// text, and a document type declaration is refused. At most ci.MaxNotes tests
// are returned. When the report ends early, the tests before come with the
// error.
func JUnit(r io.Reader) ([]ci.Test, error) {
	d := xml.NewDecoder(&sieve{in: bufio.NewReaderSize(io.LimitReader(r, maxReport+1), 32<<10), left: maxReport})
	d.CharsetReader = charset
	var j junit
	for {
		token, err := d.Token()
		if err == io.EOF && j.known {
			return j.tests, nil
		}
		if err == io.EOF {
			err = errors.New("it has no testsuite")
		}
		if err == nil {
			err = j.token(token)
		}
		if err != nil {
			return j.tests, fmt.Errorf("read the JUnit report: %w", err)
		}
	}
}

// junit is where in a report the reader is.
type junit struct {
	tests    []ci.Test
	known    bool // the root is one of JUnit's
	depth    int
	suites   []suite
	caseAt   int // depth of the test case; 0: in none
	test     ci.Test
	messages []string
	reasonAt int // depth of the failure, error or skipped; 0: in none
	reason   struct{ kind, message string }
	text     strings.Builder
	texts    int // bytes kept
	names    int
}

type suite struct {
	name  string
	depth int
}

func (j *junit) token(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		if j.depth++; j.depth > maxDepth {
			return fmt.Errorf("its elements are nested more than %d deep", maxDepth)
		}
		return j.start(t)
	case xml.EndElement:
		j.end()
		j.depth--
	case xml.CharData:
		if j.reasonAt == j.depth && j.reasonAt > 0 && j.text.Len() < ci.MaxNoteMessage {
			j.text.Write(t)
		}
	}
	return nil
}

func (j *junit) start(e xml.StartElement) error {
	if j.depth == 1 {
		if e.Name.Local != "testsuites" && e.Name.Local != "testsuite" {
			return fmt.Errorf("its root is %.100q, not testsuites or testsuite", e.Name.Local)
		}
		j.known = true
	}
	attr := func(name string) string {
		for _, a := range e.Attr {
			if a.Name.Local == name {
				return a.Value
			}
		}
		return ""
	}
	switch e.Name.Local {
	case "testsuite":
		j.suites = append(j.suites, suite{cleanName(attr("name")), j.depth})
	case "testcase":
		if j.caseAt > 0 {
			return nil
		}
		j.caseAt = j.depth
		j.test = ci.Test{Suite: cleanName(attr("classname")), Name: cleanName(attr("name")), Status: ci.Passed, Duration: duration(attr("time"))}
		// Node writes "test" as every class, jest-junit the name of the test,
		// and mocha-junit-reporter the end of it; the suite around says more.
		if class := j.test.Suite; class == "" || class == "test" || class == j.test.Name && strings.Contains(class, " ") || strings.HasSuffix(j.test.Name, " "+class) {
			for i := len(j.suites) - 1; i >= 0; i-- {
				if name := j.suites[i].name; name != "" {
					j.test.Suite = name
					break
				}
			}
		}
		if status := strings.ToLower(attr("status")); status == "notrun" || status == "skipped" || status == "disabled" {
			j.test.Status = ci.Skipped
		}
	case "failure", "error", "skipped":
		if j.caseAt == 0 || j.depth != j.caseAt+1 {
			return nil
		}
		// What was skipped did not fail, whatever else is said: Node reports
		// what is yet to be done as both.
		switch {
		case e.Name.Local == "skipped":
			j.test.Status, j.messages = ci.Skipped, nil
		case j.test.Status == ci.Skipped:
			return nil
		default:
			j.test.Status = ci.Failed
		}
		j.reasonAt = j.depth
		j.text.Reset()
		j.reason.kind, j.reason.message = attr("type"), cut(attr("message"), ci.MaxNoteMessage)
	}
	return nil
}

func (j *junit) end() {
	switch {
	case j.depth == j.reasonAt:
		j.reasonAt = 0
		if message := j.said(); message != "" && len(j.messages) < maxMessages {
			j.messages = append(j.messages, message)
		}
	case j.depth == j.caseAt:
		j.caseAt = 0
		if j.test.Status != ci.Passed && j.texts < maxTexts {
			j.test.Message = cleanMessage(strings.Join(j.messages, "\n\n"))
			j.texts += len(j.test.Message)
		}
		j.messages = nil
		if len(j.tests) < ci.MaxNotes && j.names < maxNames {
			j.names += len(j.test.Suite) + len(j.test.Name)
			j.tests = append(j.tests, j.test)
		}
	case len(j.suites) > 0 && j.suites[len(j.suites)-1].depth == j.depth:
		j.suites = j.suites[:len(j.suites)-1]
	}
}

// said joins the message of a reason and its text, which often repeats it.
func (j *junit) said() string {
	message, text := strings.TrimSpace(j.reason.message), strings.Trim(j.text.String(), "\r\n")
	text = strings.TrimRight(text, " \t\r\n")
	switch {
	case text == "" && message == "":
		return j.reason.kind
	case text == "" || message != "" && strings.HasPrefix(message, strings.TrimSpace(text)):
		return message
	case message == "" || strings.HasPrefix(strings.TrimSpace(text), message):
		return text
	}
	return message + "\n" + text
}

// duration reads seconds, also with a comma between thousands as Surefire
// writes them; what is none is 0.
func duration(s string) float64 {
	s = strings.TrimSpace(s)
	if strings.Contains(s, ".") {
		s = strings.ReplaceAll(s, ",", "")
	}
	d, err := strconv.ParseFloat(strings.Replace(s, ",", ".", 1), 64)
	if err != nil {
		return 0
	}
	return seconds(d)
}

// charset reads the encodings that reports come in, besides UTF-8.
func charset(name string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(name) {
	case "us-ascii", "ascii":
		return in, nil
	case "iso-8859-1", "latin1", "windows-1252":
		return &latin1{in: bufio.NewReader(in)}, nil
	}
	return nil, fmt.Errorf("its encoding is %.100q; write it in UTF-8", name)
}

// latin1 turns ISO 8859-1 into UTF-8.
type latin1 struct {
	in   *bufio.Reader
	rest []byte
}

func (l *latin1) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		b, err := l.in.ReadByte()
		if err != nil {
			return 0, err
		}
		l.rest = utf8.AppendRune(l.rest[:0], rune(b))
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// A sieve lets through what of an XML document is safe to parse with bounded
// memory: long text is cut, comments are left out, tags are bounded, bytes and
// references that XML does not have are replaced, unknown entities become text.
type sieve struct {
	in    *bufio.Reader
	left  int64
	out   []byte // what has passed and was not read yet
	state sieveState
	run   int  // bytes of the tag or the text so far
	quote byte // within a tag: the quote that ends the attribute
	err   error
}

type sieveState int

const (
	inText sieveState = iota
	inTag
	inData // CDATA
)

var (
	errReportLong = fmt.Errorf("it is longer than %d bytes", maxReport)
	errTagLong    = fmt.Errorf("it has a tag of more than %d bytes", maxTag)
	errDoctype    = errors.New("it has a document type declaration, which a report of tests has no use for")
)

func (s *sieve) Read(p []byte) (int, error) {
	for len(s.out) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		s.out = s.out[:0]
		s.err = s.step()
	}
	n := copy(p, s.out)
	s.out = s.out[n:]
	return n, nil
}

// byte reads one byte of the document.
func (s *sieve) byte() (byte, error) {
	if s.left--; s.left < 0 {
		return 0, errReportLong
	}
	b, err := s.in.ReadByte()
	return b, err
}

// step moves on by at least one byte.
func (s *sieve) step() error {
	for n := 0; n < 4096 && len(s.out) < 4096; n++ {
		s.plain()
		b, err := s.byte()
		if err != nil {
			return err
		}
		if b < ' ' && b != '\t' && b != '\n' && b != '\r' {
			b = '?'
		}
		switch {
		case s.state == inTag:
			if s.run++; s.run > maxTag {
				return errTagLong
			}
			switch {
			case s.quote == 0 && (b == '"' || b == '\''):
				s.quote = b
			case b == s.quote:
				s.quote = 0
			case s.quote == 0 && b == '>':
				s.state, s.run = inText, 0
			case b == '&':
				if err := s.entity(true); err != nil {
					return err
				}
				continue
			}
			s.out = append(s.out, b)
		case s.state == inData:
			if b == ']' {
				if next, _ := s.in.Peek(2); string(next) == "]>" {
					s.in.Discard(2)
					s.left -= 2
					s.state = inText
					s.out = append(s.out, "]]>"...)
					continue
				}
			}
			s.pass(b)
		case b == '<':
			if err := s.open(); err != nil {
				return err
			}
		case b == '&':
			if err := s.entity(s.room()); err != nil {
				return err
			}
		default:
			s.pass(b)
		}
	}
	return nil
}

// plain passes on what has been read of plain text and data, as far as it is
// that and its bound is not near.
func (s *sieve) plain() {
	n := min(s.in.Buffered(), maxTextRun-s.run, int(min(s.left, maxTextRun)))
	if s.state == inTag || n <= 0 {
		return
	}
	run, _ := s.in.Peek(n)
	for i, b := range run {
		if b < ' ' && b != '\n' && b != '\t' && b != '\r' || b == '<' || b == '&' || b == ']' {
			run = run[:i]
			break
		}
	}
	s.out = append(s.out, run...)
	s.run += len(run)
	s.left -= int64(len(run))
	s.in.Discard(len(run))
}

// room tells whether text is still passed on.
func (s *sieve) room() bool { return s.run < maxTextRun }

// pass lets a byte of text through, unless there was enough. It begins to cut
// only between characters.
func (s *sieve) pass(b byte) {
	if s.run < maxTextRun || s.run < maxTextRun+utf8.UTFMax && !utf8.RuneStart(b) {
		s.out = append(s.out, b)
	} else if s.run < maxTextRun+utf8.UTFMax {
		s.run = maxTextRun + utf8.UTFMax
	}
	s.run++
}

// open begins what follows a <.
func (s *sieve) open() error {
	if next, _ := s.in.Peek(len("!--")); string(next) == "!--" {
		return s.comment()
	}
	if next, _ := s.in.Peek(len("![CDATA[")); string(next) == "![CDATA[" {
		s.in.Discard(len(next))
		s.left -= int64(len(next))
		s.out = append(s.out, "<![CDATA["...)
		s.state = inData
		return nil
	}
	if next, _ := s.in.Peek(1); string(next) == "!" {
		return errDoctype
	}
	s.out = append(s.out, '<')
	s.state, s.run, s.quote = inTag, 0, 0
	return nil
}

// comment reads one, up to and including its end.
func (s *sieve) comment() error {
	s.in.Discard(len("!--"))
	s.left -= int64(len("!--"))
	for dashes := 0; ; {
		b, err := s.byte()
		switch {
		case err != nil:
			return err
		case b == '-':
			dashes++
		case b == '>' && dashes >= 2:
			return nil
		default:
			dashes = 0
		}
	}
}

// entity reads what follows an &, and passes it on if asked: as it is when XML
// has it, and as text otherwise.
func (s *sieve) entity(pass bool) error {
	next, err := s.in.Peek(maxEntity)
	if len(next) == 0 && err != io.EOF {
		return err
	}
	name, _, ended := strings.Cut(string(next), ";")
	if !ended || !legalEntity(name) {
		if pass {
			s.out = append(s.out, "&amp;"...)
			s.run += len("&amp;")
		}
		return nil
	}
	s.in.Discard(len(name) + 1)
	s.left -= int64(len(name) + 1)
	if pass {
		s.out = append(append(append(s.out, '&'), name...), ';')
		s.run += len(name) + 2
	}
	return nil
}

// legalEntity tells whether XML 1.0 has the entity or the character.
func legalEntity(name string) bool {
	switch name {
	case "amp", "lt", "gt", "quot", "apos":
		return true
	}
	digits, ok := strings.CutPrefix(name, "#")
	base := 10
	if hex, isHex := strings.CutPrefix(digits, "x"); isHex {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	return ok && err == nil && (n == '\t' || n == '\n' || n == '\r' || n >= ' ' && n <= 0xd7ff || n >= 0xe000 && n <= 0xfffd || n >= 0x10000 && n <= 0x10ffff)
}
