package outline

import (
	"fmt"
	"strings"

	"github.com/stepcast/stepcast/internal/ci"
)

// maxTrace is how many lines a trace may have before it is none.
const maxTrace = 1000

// pythonTrace follows
//
//	Traceback (most recent call last):
//	  File "area.py", line 9, in <module>
//	    main()
//	ZeroDivisionError: division by zero
//
// to the last place in the user's own code. When one exception is the cause of
// another, the last one counts. A syntax error has the place alone.
type pythonTrace struct {
	state   traceState
	ignored bool // the interpreter says that it goes on
	lines   int
	at, own place // of the last frame; of the last in the user's code
	message string
	line    int64
}

type traceState int

const (
	traceNone  traceState = iota
	traceIn               // among the frames
	traceEnded            // the exception was named; it may yet be the cause of another
)

func (t *pythonTrace) read(p *Parser, text string) bool {
	switch t.state {
	case traceIn:
		if t.lines++; t.lines > maxTrace {
			*t = pythonTrace{}
			return false
		}
		if strings.HasPrefix(text, " ") || strings.HasPrefix(text, "\t") {
			t.frame(text)
			return true
		}
		if exception(text) && t.at.file != "" {
			if t.ignored {
				*t = pythonTrace{}
				return true
			}
			t.state, t.message, t.line = traceEnded, text, p.lines
			return true
		}
		*t = pythonTrace{}
	case traceEnded:
		switch {
		case strings.TrimSpace(text) == "":
			return true
		case text == "During handling of the above exception, another exception occurred:",
			text == "The above exception was the direct cause of the following exception:":
			*t = pythonTrace{}
			return true
		}
		t.flush(p)
	}
	switch {
	case text == "Traceback (most recent call last):":
		*t = pythonTrace{state: traceIn, ignored: t.ignored}
		return true
	case strings.HasPrefix(text, "Exception ignored in"):
		*t = pythonTrace{ignored: true}
		return true
	case strings.HasPrefix(text, `  File "`) && !strings.Contains(text, ", in "):
		*t = pythonTrace{state: traceIn}
		t.frame(text)
		return true
	}
	t.ignored = false
	return false
}

// frame reads   File "area.py", line 9, in main.
func (t *pythonTrace) frame(text string) {
	rest, ok := strings.CutPrefix(text, `  File "`)
	file, rest, ok2 := strings.Cut(rest, `", line `)
	n, rest, ok3 := cutNumber(rest)
	if !ok || !ok2 || !ok3 || rest != "" && !strings.HasPrefix(rest, ", in ") || len(file) > ci.MaxNoteName {
		return
	}
	t.at = place{file: file, line: n}
	if !strings.Contains(file, "site-packages/") && !strings.Contains(file, "dist-packages/") && !strings.Contains(file, "/lib/python") && !strings.HasPrefix(file, "<") {
		t.own = t.at
	}
}

// exception tells whether a line names an exception: a dotted name that ends
// like one or begins with a capital, alone or with a message.
func exception(text string) bool {
	name, _, _ := strings.Cut(text, ":")
	if name == "" || len(name) > 200 || digit(name[0]) {
		return false
	}
	for i := range len(name) {
		if b := name[i]; !letter(b) && !digit(b) && b != '_' && b != '.' {
			return false
		}
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	return last != "" && (last[0] >= 'A' && last[0] <= 'Z' || len(last) < len(name)) // socket.timeout
}

func (t *pythonTrace) flush(p *Parser) {
	if t.state == traceEnded {
		at := t.own
		if at.file == "" && !strings.HasPrefix(t.at.file, "<") {
			at = t.at
		}
		title := p.pytest.native()
		p.problem(t.line, ci.LevelError, at, title, t.message)
	}
	*t = pythonTrace{}
}

// pytest reads what pytest says of a failure. In its long form the place comes
// last, in the short one first; the summary at the end counts for what had no
// place.
//
//	________ test_area ________          ________ test_area ________
//	>       assert area(2, 3) == 6       test_area.py:9: in test_area
//	E       assert 5 == 6                    assert area(2, 3) == 6
//	                                     E   assert 5 == 6
//	test_area.py:9: AssertionError
//
//	FAILED test_area.py::test_area - assert 5 == 6
type pytest struct {
	title   string // of the failure that is shown
	words   []string
	wait    int   // lines in which a place may still come after the words
	line    int64 // of the first words
	at      place // of the short form
	said    map[string]bool
	inBlock bool
	lines   int // of the block
}

// maxWords bounds the lines of a message.
const maxWords = 20

func (t *pytest) awake() bool { return t.inBlock }

func (t *pytest) read(p *Parser, text string) bool {
	if strings.HasPrefix(text, "___") && strings.HasSuffix(text, "___") {
		*t = pytest{title: strings.TrimSpace(strings.Trim(text, "_")), said: t.said, inBlock: true}
		return true
	}
	for _, verb := range []string{"FAILED ", "ERROR "} {
		if rest, ok := strings.CutPrefix(text, verb); ok {
			return t.summary(p, rest)
		}
	}
	if !t.inBlock {
		return false
	}
	if t.lines++; strings.HasPrefix(text, "===") || t.lines > maxTrace {
		t.inBlock = false
		return true
	}
	if words, ok := strings.CutPrefix(text, "E  "); ok {
		if len(t.words) == 0 {
			t.line = p.lines
		}
		if t.wait = 4; len(t.words) < maxWords {
			t.words = append(t.words, cut(strings.TrimPrefix(words, " "), 1000))
		}
		if t.at.file != "" {
			t.say(p, t.at)
		}
		return true
	}
	if at, rest, ok := cutPlace(text); ok {
		rest, ok = strings.CutPrefix(rest, ":")
		rest = strings.TrimSpace(rest)
		switch {
		case !ok:
		case strings.HasPrefix(rest, "in "):
			t.at, t.words = at, nil
			return true
		case exception(rest) && !strings.Contains(rest, ":") && len(t.words) > 0 && t.wait > 0:
			t.say(p, at)
			return true
		}
	}
	if t.wait > 0 {
		if t.wait--; t.wait == 0 {
			t.words = nil
		}
	}
	return strings.HasPrefix(text, ">") || strings.HasPrefix(text, " ")
}

// say yields the failure, whose place is known now.
func (t *pytest) say(p *Parser, at place) {
	p.problem(t.line, ci.LevelError, at, t.title, join(dedent(t.words)...))
	t.remember(t.title)
	t.words, t.at, t.wait = nil, place{}, 0
}

// native is the test whose failure is shown, for a traceback of Python's own
// that takes the place of pytest's.
func (t *pytest) native() string {
	if !t.inBlock {
		return ""
	}
	t.remember(t.title)
	return t.title
}

func (t *pytest) remember(title string) {
	if t.said == nil {
		t.said = make(map[string]bool)
	}
	if len(t.said) < maxAnnotations {
		t.said[strings.Clone(cut(title, 200))] = true
	}
}

// summary reads a line of the short summary, after its first word.
func (t *pytest) summary(p *Parser, rest string) bool {
	node, message, _ := strings.Cut(rest, " - ")
	file, test, ok := strings.Cut(node, "::")
	if extension(file) != "py" || !isSource(file) || !ok && message == "" {
		return false
	}
	t.inBlock = false
	title := strings.ReplaceAll(test, "::", ".")
	for _, shown := range []string{title, "ERROR at setup of " + title, "ERROR at teardown of " + title, "ERROR collecting " + file} {
		if t.said[cut(shown, 200)] {
			return true
		}
	}
	if message == "" {
		message = "failed"
	}
	p.problem(p.lines, ci.LevelError, place{file: file}, title, message)
	return true
}

// nodeError follows an error that nobody caught:
//
//	/src/area.js:2
//	  throw new TypeError('no height');
//	  ^
//
//	TypeError: no height
//	    at area (/src/area.js:2:9)
type nodeError struct {
	state   nodeState
	lines   int
	at      place // where it was thrown
	words   []string
	line    int64
	framed  bool
	carried int // bytes of words
}

type nodeState int

const (
	nodeNone   nodeState = iota
	nodeSource           // the line of the source follows
	nodeCaret            // the mark below it was there
	nodeWords            // the message was begun
)

func (e *nodeError) read(p *Parser, text string) bool {
	if e.state != nodeNone {
		if e.lines++; e.lines > 100 || e.state == nodeSource && e.lines > 8 {
			*e = nodeError{}
			return false
		}
	}
	switch e.state {
	case nodeSource:
		if mark := strings.TrimSpace(text); mark != "" && strings.Trim(mark, "^") == "" {
			e.state = nodeCaret
		}
		return true
	case nodeCaret:
		if strings.TrimSpace(text) == "" {
			return true
		}
		name, _, _ := strings.Cut(text, ":")
		name, _, _ = strings.Cut(strings.TrimPrefix(name, "Uncaught "), " ")
		if !strings.HasSuffix(name, "Error") || !exception(name) {
			*e = nodeError{}
			return false
		}
		e.state, e.words, e.line = nodeWords, []string{text}, p.lines
		return true
	case nodeWords:
		if frame, ok := strings.CutPrefix(text, "    at "); ok {
			e.framed = true
			if at, ok := nodeFrame(frame); ok {
				e.say(p, at)
			}
			return true
		}
		if e.framed { // all frames were others'
			e.flush(p)
			return false
		}
		if e.carried += len(text); len(e.words) < maxWords && e.carried < ci.MaxNoteMessage {
			e.words = append(e.words, text)
		}
		return true
	}
	at, rest, ok := cutPlace(text)
	if !ok && strings.HasPrefix(text, "node:") {
		if i := strings.LastIndexByte(text, ':'); i > len("node:") && number(text[i+1:]) > 0 {
			*e = nodeError{state: nodeSource}
			return true
		}
	}
	if ok && rest == "" && at.column == 0 && scripts[extension(at.file)] && (strings.HasPrefix(text, "/") || driveLen(text) > 0 || strings.HasPrefix(text, "file://")) {
		*e = nodeError{state: nodeSource, at: at}
		return true
	}
	return false
}

// nodeFrame reads "area (/src/area.js:2:9)", "file:///src/area.mjs:4:10" and
// "async Promise.all (index 0)"; frames of Node itself and of packages do not
// count.
func nodeFrame(frame string) (place, bool) {
	frame = strings.TrimRight(frame, " {")
	if i := strings.LastIndexByte(frame, '('); i >= 0 {
		frame = strings.TrimSuffix(frame[i+1:], ")")
	}
	frame = strings.TrimPrefix(frame, "async ")
	frame = strings.TrimPrefix(frame, "file://")
	at, rest, ok := cutPlace(frame)
	return at, ok && rest == "" && at.column > 0 && !strings.Contains(at.file, "node_modules")
}

func (e *nodeError) say(p *Parser, at place) {
	p.problem(e.line, ci.LevelError, at, "", join(e.words...))
	*e = nodeError{}
}

// flush yields an error of whose frames none is the user's.
func (e *nodeError) flush(p *Parser) {
	if e.state == nodeWords && e.framed {
		e.say(p, e.at)
	}
	*e = nodeError{}
}

// jest follows what Jest says of a failure:
//
//	● area › of a rectangle
//
//	  expect(received).toBe(expected)
//
//	  Expected: 6
//
//	  > 2 |   test('of a rectangle', …
//
//	    at Object.toBe (jest.test.js:2:46)
type jest struct {
	title string
	words []string
	code  bool // the source is shown
	lines int
	line  int64
}

func (j *jest) read(p *Parser, text string) bool {
	if title, ok := strings.CutPrefix(text, "  ● "); ok && title != "" {
		*j = jest{title: title, line: p.lines}
		return true
	}
	if j.title == "" {
		return false
	}
	words := strings.TrimSpace(text)
	if j.lines++; j.lines > 100 || words != "" && indent(text) < 4 {
		*j = jest{}
		return false
	}
	if frame, ok := strings.CutPrefix(words, "at "); ok {
		if at, ok := nodeFrame(frame); ok && len(j.words) > 0 {
			p.problem(j.line, ci.LevelError, at, j.title, join(dedent(j.words)...))
			*j = jest{}
		}
		return true
	}
	before, _, bar := strings.Cut(strings.TrimPrefix(words, "> "), " |")
	if j.code = j.code || bar && number(before) > 0; !j.code && len(j.words) < maxWords {
		j.words = append(j.words, cut(text, 1000))
	}
	return true
}

// goPanic follows a panic of Go's, or its runtime's fatal error, to the first
// frame of the user's code:
//
//	panic: no such letter
//
//	goroutine 1 [running]:
//	main.show({0xc000012345?, 0x0?})
//		/src/main.go:8 +0x45
type goPanic struct {
	state   panicState
	lines   int
	message string
	line    int64
	goFrames
	listed bool   // the tests that were running are listed now
	test   string // the first of them: a goroutine of its own says where it was
	first  place  // of the goroutine's frames in the user's code
	inTest bool   // the goroutine is that of the test
}

// goFrames tell the user's code from Go's own.
type goFrames struct {
	function string // of the frame whose file is to come
	root     string // where Go's own packages are, once a frame has told
}

type panicState int

const (
	panicNone   panicState = iota
	panicWords             // goroutine … [running]: is to come
	panicFrames            // the frames
)

func (g *goPanic) read(p *Parser, text string) bool {
	at, done, took := g.step(text, p.lines)
	if done {
		g.say(p, at)
	}
	return took
}

// step takes the next line. Done: the panic is known; at is empty when no frame
// is the user's.
func (g *goPanic) step(text string, line int64) (at place, done, took bool) {
	switch g.state {
	case panicNone:
		rest, ok := strings.CutPrefix(text, "panic: ")
		if !ok {
			rest, ok = strings.CutPrefix(text, "fatal error: ")
		}
		if ok && rest != "" {
			*g = goPanic{state: panicWords, message: cut(text, ci.MaxNoteMessage), line: line}
			return place{}, false, true
		}
		return place{}, false, false
	case panicWords:
		if g.lines++; g.lines > 50 {
			*g = goPanic{}
			return place{}, false, false
		}
		switch {
		case strings.HasPrefix(text, "goroutine ") && strings.HasSuffix(text, "]:"):
			g.state, g.lines = panicFrames, 0
		case text == "\trunning tests:":
			g.listed = true
		case g.listed && g.test == "" && strings.HasPrefix(text, "\t\t"):
			g.test, _ = cutWord(strings.TrimSpace(text))
		case strings.HasPrefix(text, "\t"), strings.TrimSpace(text) == "", strings.HasPrefix(text, "[signal "):
		case strings.HasPrefix(text, "--- FAIL: "), strings.HasPrefix(text, "FAIL"):
			*g = goPanic{}
			return place{}, false, false
		}
		return place{}, false, true
	}
	if g.function == "" && !strings.HasSuffix(text, ")") { // no frame: it was a word
		*g = goPanic{}
		return place{}, false, false
	}
	if g.test != "" {
		return g.search(text)
	}
	if g.lines++; strings.TrimSpace(text) == "" || strings.HasPrefix(text, "goroutine ") || g.lines > maxTrace {
		return place{}, true, true
	}
	if file, ok := strings.CutPrefix(text, "\t"); ok {
		at, rest, ok := cutPlace(file)
		if !ok || rest != "" && !strings.HasPrefix(rest, " ") {
			return place{}, false, true
		}
		if g.own(at.file) {
			return at, true, true
		}
		return place{}, false, true
	}
	if strings.HasPrefix(text, "created by ") {
		return place{}, true, true
	}
	if !strings.HasSuffix(text, ")") { // no function
		return place{}, true, false
	}
	g.function = text
	return place{}, false, true
}

// search takes the next line of all goroutines, of which the one of the test
// that ran too long is looked for.
func (g *goPanic) search(text string) (at place, done, took bool) {
	root, _, _ := strings.Cut(g.test, "/")
	switch g.lines++; {
	case g.lines > 100*maxTrace:
		return place{}, true, true
	case strings.TrimSpace(text) == "" || strings.HasPrefix(text, "goroutine "):
		g.first, g.inTest = place{}, false
	case strings.HasPrefix(text, "\t"):
		if at, rest, ok := cutPlace(text[1:]); ok && (rest == "" || rest[0] == ' ') && g.first.file == "" && g.own(at.file) {
			g.first = at
		}
		if g.inTest && g.first.file != "" {
			return g.first, true, true
		}
	case strings.HasPrefix(text, "created by "):
		g.function = text[len("created by "):]
	case strings.HasSuffix(text, ")"):
		g.function = text
		if _, rest, ok := strings.Cut(text, "."+root); ok && rest != "" && (rest[0] == '(' || rest[0] == '.') {
			g.inTest = true
		}
	case strings.HasPrefix(text, "..."):
	default: // FAIL, or whatever else comes after all of them
		return place{}, true, false
	}
	return place{}, false, true
}

// say yields the panic.
func (g *goPanic) say(p *Parser, at place) {
	title := p.gotext.failing()
	if g.test != "" {
		title = g.test
	}
	p.problem(g.line, ci.LevelError, at, title, g.message)
	p.gotext.panicked(title, g.message)
	*g = goPanic{}
}

// own tells whether the file of a frame is the user's.
func (g *goFrames) own(file string) bool {
	for _, with := range []string{"runtime.", "runtime/", "panic(", "testing.", "reflect.", "sync.", "internal/"} {
		if strings.HasPrefix(g.function, with) {
			if i := strings.LastIndex(file, "/src/"); i >= 0 && g.root == "" {
				g.root = file[:i+len("/src/")]
			}
			return false
		}
	}
	if strings.Contains(file, "/pkg/mod/") || strings.Contains(file, "/vendor/") || strings.HasPrefix(file, "_") {
		return false
	}
	return (g.root == "" || !strings.HasPrefix(file, g.root)) && !strings.Contains(file, "/go/src/"+standard(g.function))
}

// standard is the folder of the package that a function is in.
func standard(function string) string {
	name, _, _ := strings.Cut(function, "(")
	slash := strings.LastIndexByte(name, '/') + 1
	pkg, _, _ := strings.Cut(name[slash:], ".")
	return name[:slash] + pkg + "/"
}

func (g *goPanic) flush(p *Parser) {
	if g.state == panicFrames && g.function != "" {
		g.say(p, place{})
	}
	*g = goPanic{}
}

// goRace follows what Go's race detector says of two accesses, to the first
// frame of the user's code in each:
//
//	WARNING: DATA RACE
//	Read at 0x00c000018268 by goroutine 9:
//	  main.count()
//	      /src/main.go:10 +0x7b
//
//	Previous write at 0x00c000018268 by main goroutine:
//	  main.main()
//	      /src/main.go:14 +0x8d
//
// The lines are others' too: they are the output of a test.
type goRace struct {
	goFrames
	line   int64 // where it began; 0: nothing did
	lines  int
	access string // whose place is to come
	at     place  // of the first access
	words  []string
}

func (g *goRace) awake() bool { return g.line > 0 }

func (g *goRace) read(p *Parser, text string) {
	if g.step(p, text, p.lines) {
		g.say(p, p.gotext.running)
	}
}

// step takes the next line, and tells whether the report has all that counts.
func (g *goRace) step(p *Parser, text string, line int64) bool {
	switch {
	case text == "WARNING: DATA RACE":
		*g = goRace{line: line, words: []string{text}}
	case g.line == 0:
	case strings.HasPrefix(text, "======"), strings.HasPrefix(text, "Goroutine "):
		return true
	case g.lines > maxTrace:
		*g = goRace{}
	case strings.HasSuffix(text, ":") && strings.Contains(text, " at 0x"):
		g.access, _, _ = strings.Cut(text, " at 0x")
	case strings.HasPrefix(text, "      "):
		at, rest, ok := cutPlace(text[len("      "):])
		if ok && (rest == "" || rest[0] == ' ') && g.access != "" && g.own(at.file) {
			if g.at.file == "" {
				g.at = at
			}
			g.words = append(g.words, fmt.Sprintf("%s at %s:%d", g.access, p.name(at.file), at.line))
			g.access = ""
		}
	case strings.HasPrefix(text, "  "):
		g.function = text[len("  "):]
	}
	g.lines++
	return false
}

// say yields the race, if any of its places is in the user's code.
func (g *goRace) say(p *Parser, title string) {
	if g.at.file != "" {
		p.problem(g.line, ci.LevelError, g.at, title, join(g.words...))
	}
	*g = goRace{}
}

// perl follows what Test::More says of a failure:
//
//	#   Failed test 'area of a rectangle'
//	#   at area.t line 6.
//	#          got: '5'
//	#     expected: '6'
type perl struct {
	words []string
	title string
	at    place
	line  int64
}

func (t *perl) awake() bool { return len(t.words) > 0 }

func (t *perl) read(p *Parser, text string) bool {
	comment, ok := strings.CutPrefix(strings.TrimLeft(text, " "), "#")
	if !ok {
		t.flush(p)
		return false
	}
	comment = strings.TrimSpace(comment)
	if strings.HasPrefix(comment, "Failed (TODO)") {
		t.flush(p)
		return true
	}
	if strings.HasPrefix(comment, "Failed test") {
		t.flush(p)
		t.line, t.words = p.lines, []string{comment}
		if _, name, ok := strings.Cut(comment, "test '"); ok {
			t.title = strings.TrimSuffix(name, "'")
		}
		t.place(comment)
		return true
	}
	if len(t.words) == 0 {
		return false
	}
	if !t.place(comment) && strings.HasPrefix(comment, "Looks like ") {
		t.flush(p)
		return true
	}
	if len(t.words) < maxWords {
		t.words = append(t.words, cut(comment, 1000))
	}
	return true
}

// place reads "at area.t line 6." at the end of a comment.
func (t *perl) place(comment string) bool {
	i := strings.LastIndex(comment, "at ")
	if i < 0 || t.at.file != "" {
		return false
	}
	file, rest, ok := strings.Cut(comment[i+len("at "):], " line ")
	n, rest, ok2 := cutNumber(rest)
	if !ok || !ok2 || rest != "." || !isSource(file) {
		return false
	}
	t.at = place{file: file, line: n}
	return true
}

func (t *perl) flush(p *Parser) {
	if t.at.file != "" {
		words := t.words[:1]
		for _, w := range t.words[1:] {
			if !strings.HasPrefix(w, "at ") {
				words = append(words, w)
			}
		}
		p.problem(t.line, ci.LevelError, t.at, t.title, join(words...))
	}
	if len(t.words) > 0 {
		*t = perl{}
	}
}
