package outline

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math"
	"path"
	"strings"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// Bounds of what a parser reads and says.
const (
	maxLine        = 64 << 10 // bytes of a line without its end; a longer one is passed over
	maxAnnotations = 1000     // of a step
)

// Options say what the log itself does not.
type Options struct {
	// Buildkite: lines that begin with ---, +++ or ~~~ begin groups.
	Buildkite bool
	// Dir is the working directory, an absolute path. Files below it are named
	// relative to it. Empty: files are named as the log names them.
	Dir string
	// Module is the path of the Go module in Dir. Files that go test names
	// relative to a package of it are named relative to Dir. Empty: they are
	// named as the log names them.
	Module string
}

// A Parser reads the log of one step. It is not safe for concurrent use.
type Parser struct {
	options Options
	yield   func(ci.NoteUpdate)

	rest  []byte // the beginning of a line that has not ended yet; at most maxLine bytes
	long  bool   // that line is longer, and passed over
	plain []byte // a line without escape sequences
	lines int64  // how many have begun
	at    time.Time

	next        int64 // number of the next note
	full        bool  // it was said that no more notes are kept
	annotations int
	errors      int // among them
	madeErrors  int // among those, of make's, which do not say what was wrong
	seen        map[uint64]struct{}
	seed        maphash.Seed

	// awake: a reader below is in the middle of something, and wants to see
	// every line.
	awake  bool
	groups groups
	gojson goJSON
	gotext goText
	tap    tapReader
	trace  pythonTrace
	pytest pytest
	rust   rust
	node   nodeError
	jest   jest
	panic  goPanic
	race   goRace
	cargo  cargo
	cmake  cmake
	mocha  mocha
	vitest vitest
	eslint string // the file that the next lines are about
	perl   perl
	loose  []loose
}

// New returns a parser that hands each note to yield, with everything but the
// step. Yield is called within the parser's own methods.
func New(options Options, yield func(ci.NoteUpdate)) *Parser {
	options.Dir = strings.TrimRight(options.Dir, `/\`)
	return &Parser{options: options, yield: yield, seen: make(map[uint64]struct{}), seed: maphash.MakeSeed()}
}

// Write reads the next piece of the log, which was printed at the given time.
// It does not keep text.
func (p *Parser) Write(text []byte, at time.Time) {
	p.at = at
	for len(text) > 0 {
		i := bytes.IndexByte(text, '\n')
		switch {
		case i < 0:
			p.begin(text)
			return
		case len(p.rest) == 0 && !p.long:
			p.lines++
			if i <= maxLine {
				p.line(text[:i])
			}
		default:
			p.begin(text[:i])
			p.end()
		}
		text = text[i+1:]
	}
}

// begin keeps a piece of a line that does not end in it.
func (p *Parser) begin(piece []byte) {
	if len(p.rest) == 0 && !p.long {
		p.lines++
	}
	if p.long = p.long || len(p.rest)+len(piece) > maxLine; p.long {
		p.rest = p.rest[:0]
		return
	}
	p.rest = append(p.rest, piece...)
}

// end reads the line that was kept.
func (p *Parser) end() {
	if !p.long {
		p.line(p.rest)
	}
	p.rest, p.long = p.rest[:0], false
}

// Close says that the log has ended: an unended last line counts, what waited
// for more is yielded, and open groups end after the last line. failed tells how
// the step ended.
func (p *Parser) Close(at time.Time, failed bool) {
	p.at = at
	if len(p.rest) > 0 || p.long {
		p.end()
	}
	p.tap.close(p)
	p.gotext.flush(p, "")
	p.gojson.close()
	p.trace.flush(p)
	p.rust.flush(p)
	p.node.flush(p)
	p.panic.flush(p)
	p.perl.flush(p)
	p.cargo.flush(p)
	p.cmake.flush(p)
	p.vitest.flush(p)
	p.endLoose(failed)
	p.endGroups(0, p.lines+1)
	p.awake = false
}

// Add yields the results of tests that were read from a file. They belong to
// no line.
func (p *Parser) Add(tests []ci.Test, at time.Time) {
	p.at = at
	for _, t := range tests {
		p.test(0, t)
	}
}

// line reads a whole line, without its end.
func (p *Parser) line(raw []byte) {
	raw = bytes.TrimRight(raw, "\r")
	if !p.awake && !promising(raw) {
		return
	}
	p.plain = appendPlain(p.plain[:0], raw)
	text := p.plain
	if i := bytes.IndexByte(text, '\r'); i >= 0 {
		if p.marks(string(text)) {
			return
		}
		// What a terminal shows in the end. Whatever was overwritten was meant
		// to be: progress.
		text = text[bytes.LastIndexByte(text, '\r')+1:]
	}
	if !p.awake && !promising(text) {
		return
	}
	p.readLoose(text)
	p.read(string(text))
	p.awake = p.gotext.awake() || p.tap.awake() || p.trace.state != traceNone || p.pytest.awake() ||
		p.rust.wait > 0 || p.node.state != nodeNone || p.jest.title != "" || p.panic.state != panicNone || p.race.awake() || p.cargo.awake() || p.cmake.awake() || p.mocha.awake() || p.vitest.awake() || p.eslint != "" || p.perl.awake() || p.groups.hunk.inside()
}

// read gives a line to whoever understands it. It may be empty.
func (p *Parser) read(text string) {
	p.race.read(p, text)
	switch {
	case p.command(text):
	case p.mark(text, ""):
	case p.gojson.read(p, text):
	case p.panic.read(p, text):
	case p.gotext.read(p, text):
	case p.buildkite(text):
	case p.tap.read(p, text):
	case p.perl.read(p, text):
	case p.trace.read(p, text):
	case p.pytest.read(p, text):
	case p.cargo.read(p, text):
	case p.rust.read(p, text):
	case p.cmake.read(p, text):
	case p.node.read(p, text):
	case p.jest.read(p, text):
	case p.vitest.read(p, text):
	case p.mocha.read(p, text):
	case p.readESLint(text):
	default:
		p.compiler(text)
	}
}

// promising tells, from how a line begins, whether there can be anything in
// it. It is what most lines meet, and all that they meet.
func promising(line []byte) bool {
	start := 0
	for start < len(line) && (line[start] == ' ' || line[start] == '\t') {
		start++
	}
	if start == len(line) {
		return false
	}
	if bytes.IndexByte(line, '\r') >= 0 {
		return true
	}
	begins := func(with string) bool {
		return len(line)-start >= len(with) && string(line[start:start+len(with)]) == with
	}
	switch line[start] {
	case esc:
		return true
	case ':':
		return begins("::")
	case '#':
		return begins("##") || begins("#   Failed ")
	case '-':
		return begins("--- ") || begins("---- ")
	case '[':
		return begins("[ERROR] ") || begins("[WARNING] ") || start == 0 && loosely(line)
	}
	if start > 0 {
		if start == 2 && digit(line[start]) { // of Mocha's failures
			return bytes.Contains(line[:min(len(line), 12)], []byte(") "))
		}
		return begins("FAIL  ") || begins(`File "`) || begins("● ") || begins("Running ") || begins("Doc-tests ")
	}
	known := false
	switch line[0] {
	case '+':
		return begins("+++ ")
	case '~':
		return begins("~~~ ")
	case '@':
		return begins("@@ ")
	case '=':
		return begins("=== ")
	case '{':
		return begins(`{"Time":"`) || begins(`{"Action":"`) || begins(`{"ImportPath":"`)
	case '_':
		known = begins("___")
	case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		known = begins("1..") || loosely(line)
	case 'B':
		known = begins("Bail out!")
	case 'C':
		known = begins("CMake ")
	case 'E':
		known = begins("E  ") || begins("ERROR ") || begins("Exception ignored ") || loosely(line)
	case 'F':
		known = begins("FAIL") || loosely(line)
	case 'T':
		known = begins("TAP version ") || begins("Traceback (")
	case 'W':
		known = begins("WARNING: DATA RACE")
	case 'd':
		known = begins("diff ")
	case 'e':
		known = loosely(line) || begins("error[")
	case 'f':
		known = begins("fatal error: ") || loosely(line)
	case 'g':
		known = begins("gmake")
	case 'i':
		known = begins("index ")
	case 'm':
		known = begins("make") || begins("mingw32-make")
	case 'n':
		known = begins("not ok ") || begins("node:")
	case 'o':
		known = begins("ok ")
	case 'p':
		known = begins("panic: ")
	case 'r':
		known = begins("running ")
	case 's':
		known = begins("section_")
	case 't':
		known = begins("travis_") || begins("thread '")
	case 'v':
		known = begins("vet: ")
	case 'w':
		known = begins("warning: ") || begins("warning[")
	}
	return known || beginsWithPlace(line)
}

// beginsWithPlace tells whether the first word of a line may name a place in a
// source file: x.c:12 or x.c(12 or x.c:( or x.java:[12, or the linker; or whether
// the line is the path of a script and nothing else.
func beginsWithPlace(line []byte) bool {
	dot := 0 // where the last one was
	for i, b := range line[:min(len(line), ci.MaxNoteName+16)] {
		switch b {
		case esc:
			return true
		case '.':
			dot = i
		case '/', '\\':
			dot = 0
		case ':', '(':
			if i+1 == len(line) || i < 2 {
				continue
			}
			next := line[i+1]
			switch {
			case dot > 0 && dot+1 < i && (letter(line[dot+1]) || line[dot+1] == 'h') && (digit(next) || next == '(' || next == '['):
				return true
			case digit(next) && bytes.HasSuffix(line[:i], []byte("akefile")):
				return true
			case next == ' ' && bytes.HasSuffix(line[:i], []byte("ld")):
				return true
			}
		case ' ':
			// prove names its file, then dots: t/x.t ....
			return bytes.HasSuffix(line[:i], []byte(".t"))
		}
	}
	return dot > 0 && len(line) <= ci.MaxNoteName && scripts[string(line[dot+1:])]
}

// emit yields a note, if there is room. Room is kept for the ends of groups
// that are open, and for the word that there is no more.
func (p *Parser) emit(line int64, note ci.Note) bool {
	if p.full {
		return false
	}
	reserved := int64(len(p.groups.open)) + 1
	if note.Group != nil {
		reserved++
	}
	if p.next+1+reserved > ci.MaxNotes {
		p.full = true
		p.push(line, ci.Note{Annotation: &ci.Annotation{Level: ci.LevelNotice, Message: fmt.Sprintf("The step has more than %d notes; the rest was not kept.", ci.MaxNotes)}})
		return false
	}
	p.push(line, note)
	return true
}

func (p *Parser) push(line int64, note ci.Note) {
	p.yield(ci.NoteUpdate{Number: p.next, At: p.at, Line: line, Note: note})
	p.next++
}

// annotate yields an annotation, unless it was there before or has nothing to
// say.
func (p *Parser) annotate(line int64, a ci.Annotation) {
	a.Message, a.Title, a.File = cleanMessage(a.Message), cleanName(a.Title), cleanName(p.name(a.File))
	if a.Message == "" || p.annotations > maxAnnotations {
		return
	}
	if a.EndLine < a.Line {
		a.EndLine = 0
	}
	var h maphash.Hash
	h.SetSeed(p.seed)
	for _, s := range []string{string(a.Level), a.File, fmt.Sprint(a.Line), a.Message} {
		h.WriteString(s)
		h.WriteByte(0)
	}
	key := h.Sum64()
	if _, again := p.seen[key]; again {
		return
	}
	p.annotations++
	if p.annotations > maxAnnotations {
		p.emit(line, ci.Note{Annotation: &ci.Annotation{Level: ci.LevelNotice, Message: fmt.Sprintf("The step has more than %d annotations; the rest was not kept.", maxAnnotations)}})
		return
	}
	p.seen[key] = struct{}{}
	if a.Level == ci.LevelError {
		p.errors++
	}
	p.emit(line, ci.Note{Annotation: &a})
}

// problem is annotate for a place.
func (p *Parser) problem(line int64, level ci.Level, at place, title, message string) {
	p.annotate(line, ci.Annotation{Level: level, Title: title, Message: message, File: at.file, Line: at.line, Column: at.column})
}

// name is how a file is named in notes.
func (p *Parser) name(file string) string {
	if rest, ok := strings.CutPrefix(file, "file://"); ok {
		file = rest
	}
	if p.options.Dir != "" {
		if rest, ok := strings.CutPrefix(file, p.options.Dir); ok && len(rest) > 1 && (rest[0] == '/' || rest[0] == '\\') {
			return rest[1:]
		}
	}
	for strings.HasPrefix(file, "./") || strings.HasPrefix(file, `.\`) {
		file = strings.TrimLeft(file[2:], "/")
	}
	return file
}

// inPackage is the name of a file that go test named relative to a package.
func (p *Parser) inPackage(pkg, file string) string {
	if p.options.Module == "" || strings.ContainsAny(file, `/\`) {
		return file
	}
	if pkg, _, _ = strings.Cut(pkg, " "); pkg == p.options.Module {
		return file
	}
	if folder, ok := strings.CutPrefix(pkg, p.options.Module+"/"); ok {
		return path.Join(folder, file)
	}
	return file
}

// test yields the result of a test.
func (p *Parser) test(line int64, t ci.Test) {
	t.Suite, t.Name, t.Message = cleanName(t.Suite), cleanName(t.Name), cleanMessage(t.Message)
	t.Duration = seconds(t.Duration)
	p.emit(line, ci.Note{Test: &t})
}

// seconds makes a duration that JSON can show; what is none is 0.
func seconds(s float64) float64 {
	if !(s > 0) || s > 1e9 {
		return 0
	}
	return math.Round(s*1e6) / 1e6
}
