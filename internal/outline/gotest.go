package outline

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ci"
)

// Bounds of what is kept of Go's tests while they run.
const (
	maxKept   = 1 << 20 // bytes of their names and output together; of one, what a message holds
	maxHeld   = 8 << 20 // bytes of results that wait for the name of their package
	maxPlaces = 10      // of one failed test
)

// GoModule returns the path of the module that a go.mod file declares, for
// [Options]; "" when it declares none.
func GoModule(file []byte) string {
	for line := range strings.Lines(string(file)) {
		line, _, _ = strings.Cut(line, "//")
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == "module" {
			return strings.Trim(fields[1], "\"`")
		}
	}
	return ""
}

// An output is the end of what a test has printed.
type output struct {
	lines []outputLine
	size  int
	cost  int   // of what it is listed by
	open  bool  // the last line has not ended
	began bool  // the test runs
	first int64 // the line of the log that said so last
}

type outputLine struct {
	text string
	line int64 // of the log
}

// framed takes what go test says of the test's own course.
func (o *output) framed(verb string, line int64) {
	switch verb {
	case "RUN", "CONT":
		o.began, o.first = true, line
	case "PAUSE":
		o.began = false
	}
}

// outputs counts what all of them keep.
type outputs struct{ size int }

// begin returns an empty output that is listed by a name of so many bytes; nil
// when too much is kept.
func (k *outputs) begin(name int) *output {
	cost := name + 200
	if k.size+cost > maxKept {
		return nil
	}
	k.size += cost
	return &output{cost: cost}
}

func (k *outputs) add(o *output, text string, line int64) {
	ended := strings.HasSuffix(text, "\n")
	text = cut(strings.TrimSuffix(text, "\n"), ci.MaxNoteMessage)
	if k.size+len(text) > maxKept {
		return
	}
	if last := len(o.lines) - 1; o.open && last >= 0 && len(o.lines[last].text)+len(text) <= ci.MaxNoteMessage {
		o.lines[last].text += text
	} else {
		o.lines = append(o.lines, outputLine{strings.Clone(text), line}) // not the whole event
		o.size++
		k.size++
	}
	o.open = !ended
	o.size += len(text)
	k.size += len(text)
	for o.size > ci.MaxNoteMessage && len(o.lines) > 1 {
		n := len(o.lines[0].text) + 1
		o.size -= n
		k.size -= n
		o.lines = o.lines[1:]
	}
}

func (k *outputs) drop(o *output) {
	if o != nil {
		k.size -= o.size + o.cost
		*o = output{}
	}
}

// goName tells whether a name is that of a test, example or the like.
func goName(name string) bool {
	if len(name) > ci.MaxNoteName {
		return false
	}
	for _, with := range []string{"Test", "Fuzz", "Example", "Benchmark"} {
		if strings.HasPrefix(name, with) {
			return true
		}
	}
	return false
}

// cutResult reads "    --- FAIL: TestArea/sub (0.01s)". The margin is the
// number of blanks before it.
func cutResult(text string) (t ci.Test, margin int, ok bool) {
	margin = indent(text)
	rest, ok := strings.CutPrefix(text[margin:], "--- ")
	if !ok || margin%4 != 0 {
		return t, 0, false
	}
	switch {
	case strings.HasPrefix(rest, "PASS: "):
		t.Status = ci.Passed
	case strings.HasPrefix(rest, "FAIL: "):
		t.Status = ci.Failed
	case strings.HasPrefix(rest, "SKIP: "):
		t.Status = ci.Skipped
	default:
		return t, 0, false
	}
	name, took, ok := strings.Cut(rest[len("PASS: "):], " (")
	took, ok2 := strings.CutSuffix(took, "s)")
	d, err := strconv.ParseFloat(took, 64)
	if !ok || !ok2 || err != nil || !goName(name) {
		return t, 0, false
	}
	t.Name, t.Duration = name, d
	return t, margin, true
}

// cutFraming reads "=== RUN   TestArea" and its like.
func cutFraming(text string) (verb, name string, ok bool) {
	rest, ok := strings.CutPrefix(text, "=== ")
	verb, name = cutWord(rest)
	switch verb {
	case "RUN", "PAUSE", "CONT", "NAME":
		return verb, name, ok && (goName(name) || name == "")
	}
	return "", "", false
}

// A goPlace is a message of a test: "    area_test.go:10: message", and lines
// that are indented deeper.
type goPlace struct {
	at      place
	message string
	line    int64
}

func goPlaces(o *output) (places []goPlace) {
	margin := -1
	for _, l := range o.lines {
		trimmed := strings.TrimLeft(l.text, " ")
		in := len(l.text) - len(trimmed)
		if in >= 4 {
			if at, rest, ok := cutPlace(trimmed); ok && extension(at.file) == "go" && at.column == 0 && (margin < 0 || in <= margin) {
				if message, ok := strings.CutPrefix(rest, ":"); ok && !raced(at.file, message) {
					places = append(places, goPlace{at, strings.TrimPrefix(message, " "), l.line})
					margin = in
					continue
				}
			}
		}
		if last := len(places) - 1; last >= 0 && margin >= 0 && in > margin {
			places[last].message += "\n" + l.text[min(in, margin+4):]
			continue
		}
		margin = -1
	}
	return places
}

// raced tells whether a message is that of package testing after a report of
// the race detector, which has the places.
func raced(file, message string) bool {
	return file == "testing.go" && message == " race detected during execution of test"
}

// goResult yields the result of a test, and what it says of places if it
// failed; with those of the races among its output, when they are not looked for
// elsewhere, and of the crash that ended it.
func (p *Parser) goResult(line int64, t ci.Test, o *output, races bool, crash *goCrash) {
	if t.Status == ci.Passed || o == nil {
		p.test(line, t)
		return
	}
	places := goPlaces(o)
	if t.Status == ci.Skipped {
		if len(places) > 0 {
			t.Message = places[len(places)-1].message
		}
		p.test(line, t)
		return
	}
	placed := false
	for _, l := range places[:min(len(places), maxPlaces)] {
		if !placed {
			line, placed = l.line, true
		}
		l.at.file = p.inPackage(t.Suite, l.at.file)
		p.problem(l.line, ci.LevelError, l.at, t.Name, l.message)
	}
	if races {
		var g goRace
		for n, i := 0, 0; i < len(o.lines) && n < maxPlaces; i++ {
			if l := o.lines[i]; g.step(p, l.text, l.line) {
				if n++; !placed {
					line, placed = g.line, true
				}
				g.say(p, t.Name)
			}
		}
	}
	if crash != nil {
		if !placed {
			line = crash.line
		}
		p.problem(crash.line, ci.LevelError, crash.at, t.Name, crash.message)
	}
	if said := o.text(); said != "" {
		t.Message = said
	}
	p.test(line, t)
}

// unfinished is said of a test that ran when its process ended.
const unfinished = "It had not ended when its package failed."

// text is the output without what go test says of the tests themselves.
func (o *output) text() string {
	var lines []string
	for _, l := range o.lines {
		if _, _, framing := cutFraming(l.text); framing {
			continue
		}
		if _, _, result := cutResult(l.text); result || strings.HasPrefix(l.text, "FAIL\t") || l.text == "FAIL" {
			continue
		}
		lines = append(lines, l.text)
	}
	return join(dedent(lines)...)
}

// goText reads what go test prints for people. The name of a package comes last,
// so the results of its tests wait for it.
type goText struct {
	outputs
	tests   map[string]*output // with -v: those that have begun and not ended
	running string             // whose output follows
	held    []*goHeld
	holds   int     // about how many bytes they take, their output aside
	block   *goHeld // without -v: the test whose output follows
	any     bool    // results of this package were seen
	failed  bool    // failures among them
	last    int64   // line of the last result
}

type goHeld struct {
	test   ci.Test
	line   int64
	output *output
	margin int     // of its result
	above  *goHeld // the block that this one is in, for what comes after it
}

func (g *goText) awake() bool { return g.running != "" || g.block != nil }

// failing is the test whose result was the last thing said, if it failed.
func (g *goText) failing() string {
	if g.block != nil && g.block.test.Status == ci.Failed {
		return g.block.test.Name
	}
	return ""
}

// panicked lets the failing test say why, or the one that is running.
func (g *goText) panicked(test, message string) {
	if test == "" {
		test = g.running
	}
	if g.block != nil {
		g.add(g.block.output, message+"\n", g.block.line)
	} else if o := g.tests[test]; o != nil {
		g.add(o, message+"\n", o.first)
	}
}

func (g *goText) read(p *Parser, text string) bool {
	if verb, name, ok := cutFraming(text); ok {
		g.block = nil
		switch {
		case verb == "RUN" && name != "":
			if g.tests == nil {
				g.tests = make(map[string]*output)
			}
			if g.tests[name] == nil {
				if o := g.begin(len(name)); o != nil {
					g.tests[name] = o
				}
			}
			g.running = name
		case verb == "PAUSE":
			g.running = ""
		default:
			g.running = name
		}
		if o := g.tests[name]; o != nil {
			o.framed(verb, p.lines)
		}
		return true
	}
	if t, margin, ok := cutResult(text); ok {
		g.result(p, t, margin)
		return true
	}
	if g.ended(p, text) {
		return true
	}
	switch {
	case g.running != "":
		// A test that prints no newline at its end has its result on that line.
		if i := strings.LastIndex(text, "--- "); i > 0 {
			if t, _, ok := cutResult(text[i:]); ok && t.Name == g.running {
				g.result(p, t, 0)
				return true
			}
		}
		if o := g.tests[g.running]; o != nil {
			g.add(o, text+"\n", p.lines)
		}
		return true
	case strings.TrimSpace(text) == "":
		return g.block != nil
	}
	for g.block != nil && indent(text) <= g.block.margin {
		g.block = g.block.above
	}
	if g.block != nil {
		g.add(g.block.output, text+"\n", p.lines)
		return true
	}
	// Until the package ends, what is printed is its tests' own.
	return g.any && p.lines-g.last < maxTrace
}

func (g *goText) result(p *Parser, t ci.Test, margin int) {
	if g.holds += len(t.Name) + 200; g.holds > maxHeld {
		g.flush(p, "")
	}
	o := g.tests[t.Name]
	if t.Status == ci.Passed {
		g.drop(o)
	}
	if o == nil {
		o = &output{}
	}
	delete(g.tests, t.Name)
	held := &goHeld{test: t, line: p.lines, output: o, margin: margin}
	for held.above = g.block; held.above != nil && held.above.margin >= margin; {
		held.above = held.above.above
	}
	g.held = append(g.held, held)
	g.any, g.failed, g.last = true, g.failed || t.Status == ci.Failed, p.lines
	g.running, g.block = "", held
}

// allTests stands for the tests of a package that passed, of which go test, when
// it is not asked for more, says one line and no names.
const allTests = "all its tests"

// ended reads the last line of a package's tests:
//
//	ok  	example.com/shapes/calc	0.004s
//	FAIL	example.com/shapes	0.005s
//	FAIL	example.com/shapes/broken [build failed]
func (g *goText) ended(p *Parser, text string) bool {
	if text == "PASS" || text == "FAIL" {
		known := g.any || g.running != ""
		g.running, g.block = "", nil
		return known
	}
	t := ci.Test{Status: ci.Passed}
	rest, ok := strings.CutPrefix(text, "ok  \t")
	if !ok {
		if rest, ok = strings.CutPrefix(text, "FAIL\t"); !ok {
			return false
		}
		t.Status = ci.Failed
	}
	pkg, took, timed := strings.Cut(rest, "\t")
	if timed {
		took, _, _ = strings.Cut(took, "\t")
		d, err := strconv.ParseFloat(strings.TrimSuffix(took, "s"), 64)
		if t.Duration = d; err != nil && took != "(cached)" {
			return false
		}
		t.Message = "Failed outside of its tests."
	} else if pkg, took, ok = strings.Cut(rest, " ["); ok {
		why, failed := strings.CutSuffix(took, " failed]")
		if !failed || why != "build" && why != "setup" {
			return false
		}
		t.Message = "The " + why + " failed."
	} else {
		return false
	}
	if pkg == "" || strings.ContainsAny(pkg, " \t") {
		return false
	}
	var left []string
	if t.Status == ci.Failed && timed && !g.failed {
		left = running(g.tests, func(name string) (string, bool) { return name, true })
		for _, name := range left {
			o := g.tests[name]
			delete(g.tests, name)
			g.held = append(g.held, &goHeld{test: ci.Test{Name: name, Status: ci.Failed, Message: unfinished}, line: o.first, output: o})
		}
		g.failed = len(left) > 0
	}
	alone := !g.any && len(left) == 0 && !strings.HasSuffix(text, "[no tests to run]") || t.Status == ci.Failed && !g.failed
	g.flush(p, pkg)
	g.running, g.block, g.any, g.failed = "", nil, false, false
	if alone {
		if t.Suite, t.Name = pkg, pkg; t.Status == ci.Passed {
			t.Name, t.Message = allTests, ""
		}
		p.test(p.lines, t)
	}
	return true
}

// flush yields what was held. The package is "" when its name never came.
func (g *goText) flush(p *Parser, pkg string) {
	for _, h := range g.held {
		h.test.Suite = pkg
		p.goResult(h.line, h.test, h.output, false, nil)
		g.drop(h.output)
	}
	clear(g.held)
	g.held, g.holds, g.block = g.held[:0], 0, nil
	if pkg != "" {
		for _, o := range g.tests { // they never ended
			g.drop(o)
		}
		clear(g.tests)
	}
}

// goJSON reads the lines of go test -json; see go doc test2json.
type goJSON struct {
	outputs
	tests    map[goKey]*output
	packages map[string]*goPackage
}

type goKey struct{ pkg, test string }

type goPackage struct {
	failed bool // a test of it
	output *output
	panic  goPanic  // what is read of one
	within string   // the test whose output that is
	crash  *goCrash // the last one that was read
}

// A goCrash is a panic, or the runtime's fatal error, among the output of a
// test, or of its package.
type goCrash struct {
	test    string
	at      place
	line    int64
	message string
}

// running lists the tests that have begun and not ended, of those whose name
// can be told.
func running[K comparable](tests map[K]*output, name func(K) (string, bool)) (names []string) {
	for key, o := range tests {
		if n, ok := name(key); ok && o.began {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

type goEvent struct {
	Action      string
	Package     string
	ImportPath  string // of build output
	Test        string
	Output      string
	Elapsed     float64 // seconds
	FailedBuild string
}

func (g *goJSON) read(p *Parser, text string) bool {
	if !strings.HasPrefix(text, `{"Time":"`) && !strings.HasPrefix(text, `{"Action":"`) && !strings.HasPrefix(text, `{"ImportPath":"`) {
		return false
	}
	_, action, ok := strings.Cut(text[:min(len(text), 2000)], `"Action":"`)
	action, _, ended := strings.Cut(action, `"`)
	if !ok || !ended {
		return false
	}
	switch action {
	case "run", "pause", "cont": // nothing that has to be taken apart
		return strings.Contains(text, `"Package":"`)
	}
	e, ok := plainEvent(text)
	if !ok && json.Unmarshal([]byte(text), &e) != nil {
		return false
	}
	switch {
	case e.Action == "build-output" && e.ImportPath != "":
		p.placed(strings.TrimPrefix(strings.TrimSuffix(e.Output, "\n"), "vet: "), strings.HasPrefix(e.Output, "vet: "))
		return true
	case e.Action == "build-fail" && e.ImportPath != "":
		return true
	case e.Package == "":
		return false
	}
	switch e.Action {
	case "start", "bench", "attr", "artifacts":
	case "output":
		g.output(p, &e)
	case "pass", "fail", "skip":
		g.end(p, &e)
	default:
		return false
	}
	return true
}

// plainEvent reads an event as go test writes it: a flat object of strings and
// numbers, without blanks. Whatever else it may be is for encoding/json, which
// takes three times as long.
func plainEvent(text string) (e goEvent, ok bool) {
	for rest := strings.TrimPrefix(text, "{"); ; {
		var key, value string
		if key, rest, ok = cutLiteral(rest); !ok || !strings.HasPrefix(rest, ":") {
			return goEvent{}, false
		}
		if rest = rest[1:]; strings.HasPrefix(rest, `"`) {
			if value, rest, ok = cutLiteral(rest); !ok {
				return goEvent{}, false
			}
		} else {
			n := 0
			for n < len(rest) && (digit(rest[n]) || rest[n] == '.') {
				n++
			}
			number, err := strconv.ParseFloat(rest[:n], 64)
			if err != nil || key != "Elapsed" || rest[0] == '.' || rest[n-1] == '.' || n > 1 && rest[0] == '0' && rest[1] != '.' {
				return goEvent{}, false
			}
			e.Elapsed, rest = number, rest[n:]
		}
		switch key {
		case "Action":
			e.Action = value
		case "Package":
			e.Package = value
		case "ImportPath":
			e.ImportPath = value
		case "Test":
			e.Test = value
		case "Output":
			e.Output = value
		case "FailedBuild":
			e.FailedBuild = value
		case "Time", "Elapsed":
		default:
			return goEvent{}, false
		}
		switch {
		case rest == "}":
			return e, true
		case !strings.HasPrefix(rest, ","):
			return goEvent{}, false
		}
		rest = rest[1:]
	}
}

// cutLiteral cuts a JSON string off.
func cutLiteral(s string) (value, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		return "", s, false
	}
	escaped := false
	for i := 1; i < len(s); i++ {
		switch b := s[i]; {
		case b == '\\':
			escaped = true
			i++
		case b < ' ' || b >= utf8.RuneSelf:
			return "", s, false
		case b == '"' && !escaped:
			return s[1:i], s[i+1:], true
		case b == '"':
			err := json.Unmarshal([]byte(s[:i+1]), &value)
			return value, s[i+1:], err == nil
		}
	}
	return "", s, false
}

func (g *goJSON) output(p *Parser, e *goEvent) {
	text := strings.TrimSuffix(e.Output, "\n")
	pkg := g.pkg(e.Package)
	if pkg != nil {
		if at, done, _ := pkg.panic.step(text, p.lines); done {
			pkg.crashed(at)
		} else if pkg.panic.state == panicWords && pkg.panic.line == p.lines {
			pkg.within = strings.Clone(e.Test)
		}
	}
	if e.Test == "" {
		if pkg != nil {
			g.add(pkg.output, e.Output, p.lines)
		}
		return
	}
	verb, _, framing := cutFraming(text)
	if framing && verb != "RUN" && g.tests[goKey{e.Package, e.Test}] == nil {
		return
	}
	if g.tests == nil {
		g.tests = make(map[goKey]*output)
	}
	key := goKey{e.Package, e.Test}
	o := g.tests[key]
	if o == nil {
		if o = g.begin(len(e.Package) + len(e.Test)); o == nil {
			return
		}
		g.tests[goKey{strings.Clone(e.Package), strings.Clone(e.Test)}] = o
	}
	if framing {
		o.framed(verb, p.lines)
		return
	}
	g.add(o, e.Output, p.lines)
}

// crashed keeps the panic that was read, whose place is known now.
func (k *goPackage) crashed(at place) {
	k.crash = &goCrash{k.within, at, k.panic.line, strings.Clone(k.panic.message)}
	k.crash.at.file = strings.Clone(at.file)
	k.panic = goPanic{}
}

// crashOf is the panic among the output of a test; "" is the package itself.
func (k *goPackage) crashOf(test string) *goCrash {
	if k == nil || k.crash == nil || k.crash.test != test {
		return nil
	}
	return k.crash
}

// pkg is what is known of a package; nil when too much is kept.
func (g *goJSON) pkg(name string) *goPackage {
	pkg := g.packages[name]
	if pkg == nil {
		o := g.begin(len(name))
		if o == nil {
			return nil
		}
		if g.packages == nil {
			g.packages = make(map[string]*goPackage)
		}
		pkg = &goPackage{output: o}
		g.packages[strings.Clone(name)] = pkg
	}
	return pkg
}

// end yields the result of a test, or that of a package of whose tests none
// says why it failed.
func (g *goJSON) end(p *Parser, e *goEvent) {
	t := ci.Test{Suite: e.Package, Name: e.Test, Duration: e.Elapsed}
	switch e.Action {
	case "pass":
		t.Status = ci.Passed
	case "fail":
		t.Status = ci.Failed
	default:
		t.Status = ci.Skipped
	}
	pkg := g.pkg(e.Package)
	if e.Test != "" {
		if pkg != nil {
			pkg.failed = pkg.failed || t.Status == ci.Failed
		}
		key := goKey{e.Package, e.Test}
		o := g.tests[key]
		p.goResult(p.lines, t, o, true, pkg.crashOf(e.Test))
		g.drop(o)
		delete(g.tests, key)
		return
	}
	if pkg != nil && pkg.panic.state == panicFrames {
		pkg.crashed(place{})
	}
	var left []string
	if t.Status == ci.Failed && pkg != nil && !pkg.failed && e.FailedBuild == "" {
		left = running(g.tests, func(key goKey) (string, bool) { return key.test, key.pkg == e.Package })
		for _, name := range left {
			o := g.tests[goKey{e.Package, name}]
			p.goResult(o.first, ci.Test{Suite: e.Package, Name: name, Status: ci.Failed, Message: unfinished}, o, true, pkg.crashOf(name))
		}
	}
	if t.Status == ci.Failed && (pkg == nil || !pkg.failed) && len(left) == 0 {
		t.Name, t.Message = e.Package, "Failed outside of its tests."
		o := &output{}
		if pkg != nil {
			o = pkg.output
		}
		if e.FailedBuild != "" {
			o = &output{lines: []outputLine{{"The build failed.", p.lines}}}
		}
		p.goResult(p.lines, t, o, true, pkg.crashOf(""))
	}
	if pkg != nil {
		g.drop(pkg.output)
		delete(g.packages, e.Package)
	}
	for key, o := range g.tests { // they never ended
		if key.pkg == e.Package {
			g.drop(o)
			delete(g.tests, key)
		}
	}
}

// close forgets what never ended.
func (g *goJSON) close() { *g = goJSON{} }
