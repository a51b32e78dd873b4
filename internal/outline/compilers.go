package outline

import (
	"strings"

	"github.com/stepcast/stepcast/internal/ci"
)

// compiler reads messages that stand in one line.
func (p *Parser) compiler(text string) {
	switch {
	case text == "" || text[0] == ' ' || text[0] == '\t':
	case p.make(text):
	case p.maven(text):
	case p.numbered(text):
	case p.linker(text):
	default:
		p.placed(strings.TrimPrefix(text, "vet: "), strings.HasPrefix(text, "vet: "))
	}
}

// placed reads what begins with path:12 or path:12:5.
func (p *Parser) placed(text string, vet bool) {
	at, rest, ok := cutPlace(text)
	if !ok {
		return
	}
	if message, pretty := strings.CutPrefix(rest, " - "); pretty { // tsc --pretty
		if level, message, ok := cutLevel(message, ' '); ok {
			if code, message, ok := strings.Cut(message, ": "); ok && numberedCode(code) {
				p.problem(p.lines, level, at, code, message)
			}
		}
		return
	}
	message, ok := strings.CutPrefix(rest, ": ")
	if !ok {
		return
	}
	if bare, ok := strings.CutPrefix(message, "*** "); ok && strings.HasSuffix(at.file, "akefile") {
		p.problem(p.lines, ci.LevelError, at, "", strings.TrimSuffix(bare, "  Stop."))
		return
	}
	if bare, ok := strings.CutPrefix(message, "fatal "); ok {
		message = bare
	}
	if level, code, message, ok := cutCoded(message); ok { // gcc and all who follow it
		p.problem(p.lines, level, at, code, message)
		return
	}
	switch ext := extension(at.file); {
	case ext == "go" && (at.column > 0 || vet) && !remark(message): // go build, go vet, linters
		p.problem(p.lines, ci.LevelError, at, "", message)
	case scripts[ext] && strings.HasSuffix(message, "]"): // eslint -f unix: … [Error/no-undef]
		i := strings.LastIndexByte(message, '[')
		kind, rule, ok := strings.Cut(message[max(i, 0):len(message)-1], "/")
		switch {
		case i < 1 || !ok:
		case kind == "[Error":
			p.problem(p.lines, ci.LevelError, at, rule, strings.TrimSpace(message[:i]))
		case kind == "[Warning":
			p.problem(p.lines, ci.LevelWarning, at, rule, strings.TrimSpace(message[:i]))
		}
	}
}

// remark tells whether Go's compiler only explains itself (-gcflags=-m), or
// gives up.
func remark(message string) bool {
	for _, with := range []string{"can inline ", "cannot inline ", "inlining call to ", "moved to heap: ", "leaking param", "leaking closure reference", "too many errors", "inline call to ",
		"devirtualizing ", "partially devirtualizing ", "index bounds check elided", "zero-copy string->[]byte conversion", "Found IsInBounds", "Found IsSliceInBounds"} {
		if strings.HasPrefix(message, with) {
			return true
		}
	}
	return strings.HasSuffix(message, " escapes to heap") || strings.HasSuffix(message, " does not escape") || strings.Contains(message, " escapes to heap:") || strings.Contains(message, " ignoring self-assignment in ")
}

// cutLevel cuts "error" or "warning" and the byte after it.
func cutLevel(s string, after byte) (level ci.Level, rest string, ok bool) {
	for _, level := range []ci.Level{ci.LevelError, ci.LevelWarning} {
		if rest, ok := strings.CutPrefix(s, string(level)); ok && rest != "" && rest[0] == after {
			return level, rest[1:], true
		}
	}
	return "", s, false
}

// cutCoded reads "error: message" and "error[E0308]: message".
func cutCoded(s string) (level ci.Level, code, message string, ok bool) {
	if level, rest, ok := cutLevel(s, ':'); ok && strings.HasPrefix(rest, " ") {
		return level, "", strings.TrimSpace(rest), true
	}
	if level, rest, ok := cutLevel(s, '['); ok {
		if code, rest, ok := strings.Cut(rest, "]: "); ok && len(code) <= 100 && !strings.ContainsAny(code, " \t") {
			return level, code, rest, true
		}
	}
	return "", "", s, false
}

// numberedCode tells whether s is of the form TS2322 or C1083.
func numberedCode(s string) bool {
	i := 0
	for i < len(s) && s[i] >= 'A' && s[i] <= 'Z' {
		i++
	}
	if i == 0 || i == len(s) || len(s) > 16 {
		return false
	}
	for ; i < len(s); i++ {
		if !digit(s[i]) {
			return false
		}
	}
	return true
}

// numbered reads src/a.ts(12,5): error TS2322: message, which compilers for
// .NET and Microsoft's for C print as well.
func (p *Parser) numbered(text string) bool {
	i := strings.IndexByte(text, '(')
	if i <= 0 || !isSource(text[:i]) {
		return false
	}
	at := place{file: text[:i]}
	n, rest, ok := cutNumber(text[i+1:])
	if !ok {
		return false
	}
	at.line = n
	for column := true; strings.HasPrefix(rest, ","); column = false { // 12,5,12,9 in .NET
		n, after, ok := cutNumber(rest[1:])
		if !ok {
			return false
		}
		if rest = after; column {
			at.column = n
		}
	}
	// A blank before the colon is Microsoft's C compiler.
	rest, ok = strings.CutPrefix(rest, ")")
	rest, colon := strings.CutPrefix(strings.TrimPrefix(rest, " "), ": ")
	if !ok || !colon {
		return false
	}
	level, rest, ok := cutLevel(strings.TrimPrefix(rest, "fatal "), ' ')
	code, message, colon := strings.Cut(rest, ": ")
	if !ok || !colon || !numberedCode(strings.TrimSpace(code)) {
		return false
	}
	p.problem(p.lines, level, at, code, message)
	return true
}

// linker reads main.c:12: undefined reference to `area' and, without debugging
// information, main.c:(.text+0x1f): undefined reference to `area'; both also
// with the linker's own path before.
func (p *Parser) linker(text string) bool {
	before, name, ok := strings.Cut(text, ": undefined reference to ")
	if !ok {
		return false
	}
	if linker, rest, ok := strings.Cut(before, ": "); ok {
		if !strings.HasSuffix(linker, "ld") {
			return false
		}
		before = rest
	}
	at, rest, ok := cutPlace(before)
	if !ok {
		at.file, rest, ok = strings.Cut(before, ":(")
		if !ok || !isSource(at.file) || !strings.HasSuffix(rest, ")") {
			return false
		}
	} else if rest != "" {
		return false
	}
	p.problem(p.lines, ci.LevelError, at, "", "undefined reference to "+name)
	return true
}

// make reads make[1]: *** [Makefile:12: target] Error 2. As what was wrong has
// mostly been said before, it counts only when nothing was, and not when somebody
// ended it.
func (p *Parser) make(text string) bool {
	name, rest, ok := strings.Cut(text, ": *** ")
	if !ok {
		return false
	}
	program, level, nested := strings.Cut(name, "[")
	switch program {
	case "make", "gmake", "mingw32-make":
	default:
		return false
	}
	if nested && number(strings.TrimSuffix(level, "]")) == 0 {
		return false
	}
	if p.errors == 0 && !ended(rest) {
		p.problem(p.lines, ci.LevelError, place{}, program, strings.TrimSuffix(rest, "  Stop."))
		p.madeErrors = p.errors
	}
	return true
}

// ended tells whether make says only which signal ended what it ran, or what it
// cleans up then: [Makefile:3: test] Interrupt; on macOS [test] Interrupt: 2.
func ended(text string) bool {
	signal, _, _ := strings.Cut(text[strings.LastIndexByte(text, ']')+1:], ":")
	switch signal {
	case " Interrupt", " Terminated", " Hangup":
		return true
	}
	return strings.HasPrefix(text, "Deleting ")
}

// maven reads [ERROR] /src/Area.java:[12,5] message, which Maven says twice.
func (p *Parser) maven(text string) bool {
	level := ci.LevelError
	rest, ok := strings.CutPrefix(text, "[ERROR] ")
	if !ok {
		level = ci.LevelWarning
		if rest, ok = strings.CutPrefix(text, "[WARNING] "); !ok {
			return false
		}
	}
	file, rest, ok := strings.Cut(rest, ":[")
	pair, message, closed := strings.Cut(rest, "] ")
	if !ok || !closed || !isSource(strings.TrimPrefix(file[driveLen(file):], ":")) {
		return true
	}
	line, column, _ := strings.Cut(pair, ",")
	if number(line) > 0 {
		p.problem(p.lines, level, place{file, number(line), number(column)}, "", message)
	}
	return true
}

// rust waits for the place of a message:
//
//	error[E0308]: mismatched types
//	 --> src/main.rs:7:24
//
// and for the words of a panic: thread 'main' panicked at src/main.rs:7:24:
type rust struct {
	wait          int // lines in which it may still come
	panicked      bool
	level         ci.Level
	code, message string
	at            place
	line          int64
}

func (r *rust) read(p *Parser, text string) bool {
	if r.wait > 0 {
		if r.wait--; r.panicked {
			if r.message == "" || strings.HasPrefix(text, " ") { // what differs is indented
				if r.message = join(r.message, cut(text, 1000)); r.wait == 0 {
					r.flush(p)
				}
				return true
			}
			r.flush(p)
			return r.read(p, text)
		}
		if arrow, ok := strings.CutPrefix(strings.TrimLeft(text, " "), "--> "); ok {
			r.wait = 0
			if at, rest, ok := cutPlace(arrow); ok && rest == "" {
				p.problem(r.line, r.level, at, r.code, r.message)
			}
			return true
		}
	}
	if level, code, message, ok := cutCoded(text); ok {
		*r = rust{wait: 3, level: level, code: code, message: message, line: p.lines}
		return true
	}
	if rest, ok := strings.CutPrefix(text, "thread '"); ok {
		name, where, ok := strings.Cut(rest, " panicked at ")
		where, colon := strings.CutSuffix(where, ":")
		at, rest, placed := cutPlace(where)
		if ok && colon && placed && rest == "" && extension(at.file) == "rs" {
			name, _, _ = strings.Cut(name, "'")
			*r = rust{wait: 10, panicked: true, code: name, at: at, line: p.lines}
			return true
		}
	}
	return false
}

// flush yields a panic whose words are over.
func (r *rust) flush(p *Parser) {
	if r.panicked && r.at.file != "" {
		if r.message == "" {
			r.message = "panicked"
		}
		p.problem(r.line, ci.LevelError, r.at, r.code, r.message)
	}
	*r = rust{}
}

// readESLint reads the lines that ESLint prints below the path of a file:
//
//	/src/area.js
//	  2:7   error  'unused' is never used  no-unused-vars
func (p *Parser) readESLint(text string) bool {
	if p.eslint != "" {
		if trimmed := strings.TrimLeft(text, " "); len(trimmed) < len(text) {
			at := place{file: p.eslint}
			line, rest, ok := cutNumber(trimmed)
			column, rest, ok2 := cutNumber(strings.TrimPrefix(rest, ":"))
			level, rest := cutWord(strings.TrimLeft(rest, " "))
			if ok && ok2 && (level == "error" || level == "warning") {
				at.line, at.column = line, column
				message, rule := rest, ""
				if i := strings.LastIndex(strings.TrimRight(rest, " "), "  "); i > 0 {
					message, rule = strings.TrimSpace(rest[:i]), strings.TrimSpace(rest[i:])
				}
				p.problem(p.lines, ci.Level(level), at, rule, message)
				return true
			}
		}
		p.eslint = ""
	}
	if (strings.HasPrefix(text, "/") || driveLen(text) > 0) && len(text) <= ci.MaxNoteName && scripts[extension(text)] {
		p.eslint = text
		return true
	}
	return false
}
