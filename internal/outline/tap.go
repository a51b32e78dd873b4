package outline

import (
	"strconv"
	"strings"

	"github.com/stepcast/stepcast/internal/ci"
)

// tapReader reads TAP 13 and 14. In a log it counts once a version or a plan
// vouches for it, and the points are numbered from 1; a plan may come last, so
// points that come before are held. Subtests are indented by four; their names
// are those of their ancestors and their own, joined by " > ".
// Sources: testanything.org/tap-version-13-specification.html and -14-.
type tapReader struct {
	sure    bool   // this is TAP
	loose   bool   // nothing else is in it, and points need no numbers
	planned bool   // a plan stands, but no point has come
	file    string // that prove named
	names   []string
	held    []*tapPoint
	size    int // bytes of their diagnostics
	others  int // lines since the last one of TAP
	points  int
	empty   bool // a plan says that there is no test

	point *tapPoint // the last, that may yet say more
	yaml  int       // the margin of its diagnostics while they last; -1: none
}

// maxTAP bounds what is held, and lines of something else after which it is
// dropped.
const maxTAP = 1000

// A tapPoint is a line "not ok 2 - name # SKIP why".
type tapPoint struct {
	test   ci.Test
	margin int
	number int64
	todo   bool
	group  bool // its diagnostics say that it is no test, but holds some
	line   int64
	words  []string
	raw    bool // they are no YAML: what was wrong, and a stack
	size   int
}

// awake: after many lines of something else a version, a plan or a point at the
// margin is waited for.
func (t *tapReader) awake() bool {
	return t.others <= maxTAP && t.begun()
}

func (t *tapReader) begun() bool { return t.sure || t.planned || t.point != nil || len(t.held) > 0 }

func (t *tapReader) read(p *Parser, text string) bool {
	margin := indent(text)
	text = text[margin:]
	if t.point != nil && t.diagnostic(text, margin) {
		return true
	}
	if strings.HasPrefix(text, "#") && !strings.HasPrefix(text, "# Subtest: ") {
		if q := t.point; q != nil && q.margin == margin && q.test.Status == ci.Failed && !q.raw && !strings.HasPrefix(text, "# Looks like ") {
			q.say(strings.TrimPrefix(text[1:], " "))
		}
		return false // what Test::More says of places is read elsewhere too
	}
	if t.line(p, text, margin) {
		t.others = 0
		return true
	}
	if q := t.point; q != nil && q.test.Status == ci.Failed && margin > q.margin && text != "" && (q.raw || len(q.words) == 0) {
		q.raw = true // Mocha's reporter writes them so
		q.say(strings.Repeat(" ", margin-q.margin) + text)
		return false
	}
	if text != "" {
		t.finish(p)
		if t.others++; t.others > maxTAP && !t.sure {
			*t = tapReader{}
		}
	}
	return false
}

// diagnostic takes what stands below a point: a block of YAML, or comments of
// one that failed.
func (t *tapReader) diagnostic(text string, margin int) bool {
	q := t.point
	switch {
	case t.yaml >= 0 && text == "..." && margin <= t.yaml:
		t.yaml = -1
		return true
	case t.yaml >= 0 && (margin >= t.yaml || text == ""):
		q.say(strings.Repeat(" ", max(margin-t.yaml, 0)) + text)
		return true
	case t.yaml >= 0:
		t.yaml = -1 // it was broken off
	case text == "---" && margin == q.margin+2 && len(q.words) == 0:
		t.yaml = margin
		return true
	}
	return false
}

// say adds a line of diagnostics, of which duration and kind are known to be
// numbers for us.
func (q *tapPoint) say(line string) {
	key, value, _ := strings.Cut(line, ":")
	value = strings.Trim(strings.TrimSpace(value), `'"`)
	switch key {
	case "duration_ms":
		if ms, err := strconv.ParseFloat(value, 64); err == nil {
			q.test.Duration = ms / 1000
		}
		return
	case "type":
		q.group = q.group || value == "suite"
		return
	}
	if q.size += len(line) + 1; q.size <= ci.MaxNoteMessage {
		q.words = append(q.words, line)
	}
}

func (t *tapReader) line(p *Parser, text string, margin int) bool {
	switch {
	case margin == 0 && strings.HasPrefix(text, "TAP version "):
		if v := number(text[len("TAP version "):]); v < 12 || v > 14 {
			return false
		}
		t.finish(p)
		t.sure, t.names = true, nil
		return true
	case strings.HasPrefix(text, "1.."):
		return t.plan(p, text, margin)
	case strings.HasPrefix(text, "# Subtest: ") && t.begun():
		t.finish(p)
		t.name(margin, unescapeTAP(strings.TrimPrefix(text, "# Subtest: ")))
		return true
	case strings.HasPrefix(text, "Bail out!") && margin == 0 && t.sure:
		t.finish(p)
		p.problem(p.lines, ci.LevelError, place{}, "", text)
		return true
	case margin == 0 && strings.HasSuffix(strings.TrimRight(text, " "), " .."), margin == 0 && strings.HasSuffix(strings.TrimRight(text, " "), "..."):
		if name := strings.TrimRight(text, " ."); extension(name) == "t" && isSource(name) { // prove -v
			t.finish(p)
			t.file, t.names = name, nil
		}
		return false
	}
	q, ok := cutPoint(text, margin, p.lines)
	if !ok || q.number == 0 && !t.loose {
		return false
	}
	return t.take(p, q)
}

// plan reads 1..5 or 1..0 # SKIP why.
func (t *tapReader) plan(p *Parser, text string, margin int) bool {
	last, _, _ := strings.Cut(text[len("1.."):], " ")
	n, rest, ok := cutNumber(last)
	if after := strings.TrimSpace(text[len("1..")+len(last):]); !ok || rest != "" || after != "" && after[0] != '#' {
		return false
	}
	if margin > 0 {
		return t.begun()
	}
	t.finish(p)
	t.empty = t.empty || n == 0
	switch {
	case t.sure:
	case len(t.held) == 0:
		t.planned = n > 0
	case t.held[len(t.held)-1].number == n && t.held[len(t.held)-1].margin == 0:
		t.vouch(p)
	default:
		t.held, t.size = nil, 0
	}
	return true
}

// vouch yields what was held: it is TAP.
func (t *tapReader) vouch(p *Parser) {
	t.sure, t.planned = true, false
	for _, q := range t.held {
		t.yield(p, q)
	}
	t.held = nil
}

// take keeps a point until it is known whether it says more.
func (t *tapReader) take(p *Parser, q *tapPoint) bool {
	if !t.sure {
		// Only points in order are held; what is indented belongs to the next.
		next := int64(1)
		for _, h := range t.held {
			if h.margin == 0 {
				next = h.number + 1
			}
		}
		if t.point != nil && t.point.margin == 0 {
			next = t.point.number + 1
		}
		if q.margin == 0 && q.number != next || q.margin > 0 && !t.begun() {
			t.finish(p)
			t.held, t.size, t.planned = nil, 0, false
			return false
		}
	}
	t.finish(p)
	if q.test.Name == "" {
		number := q.number
		if number == 0 {
			number = int64(t.points) + 1
		}
		q.test.Name = "test " + strconv.FormatInt(number, 10)
	}
	level := q.margin / 4
	var above []string
	for _, name := range t.names[:min(level, len(t.names))] {
		if name != "" {
			above = append(above, name)
		}
	}
	if len(t.names) > level {
		t.names = t.names[:level]
	}
	q.test.Name = strings.Join(append(above, q.test.Name), " > ")
	q.test.Suite = t.file
	t.point, t.yaml = q, -1
	t.points++
	if t.planned {
		t.vouch(p)
	}
	return true
}

// name is that of the subtest that begins at a margin.
func (t *tapReader) name(margin int, name string) {
	level := margin / 4
	if level >= ci.MaxNoteLevel {
		return
	}
	for len(t.names) <= level {
		t.names = append(t.names, "")
	}
	t.names = t.names[:level+1]
	t.names[level] = cut(name, ci.MaxNoteName)
}

// finish says that the last point says no more.
func (t *tapReader) finish(p *Parser) {
	q := t.point
	t.point, t.yaml = nil, -1
	switch {
	case q == nil:
	case t.sure:
		t.yield(p, q)
	case len(t.held) < maxTAP:
		if t.size += q.size; t.size > maxKept {
			q.words = nil
		}
		t.held = append(t.held, q)
	default:
		t.held, t.size = nil, 0
	}
}

func (t *tapReader) yield(p *Parser, q *tapPoint) {
	if q.group {
		return
	}
	if q.test.Status == ci.Failed && !q.todo {
		q.problem(p)
	}
	if q.todo && q.test.Status == ci.Failed {
		q.test.Status = ci.Skipped
	} else if q.test.Status == ci.Failed {
		q.test.Message = join(dedent(q.words)...)
	}
	p.test(q.line, q.test)
}

// problem yields the place that the diagnostics of Node's test runner, or of
// Mocha, name: the first frame of the stack in the user's code, else where the
// test stands.
func (q *tapPoint) problem(p *Parser) {
	var at, declared place
	var words []string
	if q.raw {
		for _, line := range q.words {
			frame, framed := strings.CutPrefix(strings.TrimSpace(line), "at ")
			if at, ok := nodeFrame(frame); framed && ok && len(words) > 0 {
				p.problem(q.line, ci.LevelError, at, q.test.Name, join(dedent(words)...))
				return
			}
			if !framed {
				words = append(words, line)
			}
		}
		return
	}
	in := ""
	for _, line := range q.words {
		if indent(line) == 0 && line != "" {
			key, value, _ := strings.Cut(line, ":")
			value = strings.TrimSpace(value)
			if in = key; strings.HasPrefix(value, "|") {
				continue
			}
			if n := len(value); n > 1 && value[0] == '\'' && value[n-1] == '\'' {
				value = strings.ReplaceAll(value[1:n-1], `\\`, `\`)
			} else if plain, err := strconv.Unquote(value); err == nil {
				value = plain
			}
			switch key {
			case "error", "message":
				words = append(words, value)
			case "location", "at":
				declared, _, _ = cutPlace(strings.TrimPrefix(value, "file://"))
			case "failureType":
				if value == "subtestsFailed" {
					return
				}
			}
			continue
		}
		switch in {
		case "error", "message":
			words = append(words, strings.TrimPrefix(line, "  "))
		case "stack":
			if frame, ok := nodeFrame(strings.TrimSpace(line)); ok && at.file == "" {
				at = frame
			}
		}
	}
	if at.file == "" {
		at = declared
	}
	if at.file != "" && len(words) > 0 {
		p.problem(q.line, ci.LevelError, at, q.test.Name, join(words...))
	}
}

// cutPoint reads "ok 1 - name", "not ok 2 name # TODO why".
func cutPoint(text string, margin int, line int64) (*tapPoint, bool) {
	q := &tapPoint{margin: margin, line: line}
	rest, failed := strings.CutPrefix(text, "not ")
	rest, ok := strings.CutPrefix(rest, "ok")
	if !ok || rest != "" && rest[0] != ' ' || margin%4 != 0 {
		return nil, false
	}
	rest = strings.TrimPrefix(rest, " ")
	if n, after, ok := cutNumber(rest); ok && (after == "" || after[0] == ' ') {
		q.number, rest = n, strings.TrimPrefix(after, " ")
	}
	if rest != "" && rest[0] == '#' {
		rest = " " + rest
	}
	name, directive := cutDirective(strings.TrimPrefix(rest, "- "))
	q.test = ci.Test{Name: strings.Clone(cut(unescapeTAP(name), ci.MaxNoteName)), Status: ci.Passed}
	if failed {
		q.test.Status = ci.Failed
	}
	verb, why := cutWord(directive)
	switch verb = strings.ToUpper(verb); {
	case strings.HasPrefix(verb, "SKIP"):
		q.test.Status, q.test.Message = ci.Skipped, strings.Clone(cut(unescapeTAP(strings.TrimPrefix(why, "-")), ci.MaxNoteName)) // "-" is Mocha's for no reason
	case verb == "TODO":
		q.todo, q.test.Message = true, strings.Clone(cut(unescapeTAP(why), ci.MaxNoteName))
	case strings.HasPrefix(verb, "TIME="): // node-tap: # time=12.3ms
		if ms, err := strconv.ParseFloat(strings.TrimSuffix(strings.ToLower(verb[len("TIME="):]), "ms"), 64); err == nil {
			q.test.Duration = ms / 1000
		}
	}
	return q, true
}

// cutDirective cuts at the # that begins a directive: one after a blank, that
// no backslash takes its meaning.
func cutDirective(s string) (name, directive string) {
	for i := 1; i < len(s); i++ {
		if s[i] != '#' || s[i-1] != ' ' {
			continue
		}
		directive = strings.TrimSpace(s[i+1:])
		switch upper := strings.ToUpper(cut(directive, 5)); {
		case strings.HasPrefix(upper, "SKIP"), strings.HasPrefix(upper, "TODO"), upper == "TIME=":
			return strings.TrimSpace(s[:i]), directive
		}
	}
	return strings.TrimSpace(s), ""
}

var tapEscapes = strings.NewReplacer(`\#`, "#", `\\`, `\`)

func unescapeTAP(s string) string { return tapEscapes.Replace(strings.TrimSpace(s)) }

func (t *tapReader) close(p *Parser) { t.finish(p) }
