package outline

import (
	"strings"

	"github.com/stepcast/stepcast/internal/ci"
)

// maxFailed is how many failed tests of one program wait for what they said.
const maxFailed = 1000

// cargo reads what the test harness of Rust prints:
//
//	     Running unittests src/lib.rs (target/debug/deps/shapes-59807616e1fa2540)
//
//	running 3 tests
//	test tests::later ... ignored, not yet
//	test tests::panics - should panic ... ok
//	test tests::area ... FAILED
//
//	failures:
//
//	---- tests::area stdout ----
//	…
//
//	test result: FAILED. 1 passed; 1 failed; 1 ignored; …
//
// What failed waits for what it said, which is printed after the last test.
// Source: github.com/rust-lang/rust, library/test/src/formatters/pretty.rs.
type cargo struct {
	suite  string // the source file of the program, or the crate whose documentation it tests
	left   int64  // tests that the program has yet to tell of
	failed []*cargoTest
	block  *cargoTest // whose output follows
	lines  int        // since the last test
}

type cargoTest struct {
	test ci.Test
	line int64
	said []string
	size int
}

func (c *cargo) awake() bool { return c.left > 0 || len(c.failed) > 0 }

func (c *cargo) read(p *Parser, text string) bool {
	if c.awake() {
		if c.lines++; c.lines > 100*maxTrace {
			c.flush(p)
		}
	}
	if name, ok := c.program(text); ok {
		c.flush(p)
		c.suite = name
		return true
	}
	if rest, ok := strings.CutPrefix(text, "running "); ok {
		n, rest, ok := cutNumber(rest)
		if ok = ok && (rest == " tests" || rest == " test"); ok {
			c.flush(p)
			c.left = n
		}
		return ok
	}
	if !c.awake() {
		return false
	}
	if strings.HasPrefix(text, "test result: ") {
		c.flush(p)
		return true
	}
	if rest, ok := strings.CutPrefix(text, "test "); ok && c.left > 0 {
		return c.result(p, rest)
	}
	if rest, ok := strings.CutPrefix(text, "---- "); ok {
		name, ok := strings.CutSuffix(rest, " ----")
		name, ok2 := strings.CutSuffix(name, " stdout")
		if ok && ok2 {
			c.block = nil
			for _, f := range c.failed {
				if f.test.Name == name {
					c.block, f.line = f, p.lines
				}
			}
			return true
		}
	}
	switch b := c.block; {
	case b == nil:
	case text == "failures:":
		c.block = nil
	case b.size+len(text) < ci.MaxNoteMessage:
		b.said = append(b.said, text)
		b.size += len(text) + 1
	}
	return false // a panic among it is read elsewhere
}

// program reads the line in which cargo names what it runs.
func (c *cargo) program(text string) (name string, ok bool) {
	if name, ok = strings.CutPrefix(text, "   Doc-tests "); ok {
		return strings.Clone(name), name != "" && !strings.Contains(name, " ")
	}
	name, ok = strings.CutPrefix(text, "     Running ")
	name, binary, ok2 := strings.Cut(name, " (")
	name = strings.TrimPrefix(name, "unittests ")
	if !ok || !ok2 || !strings.HasSuffix(binary, ")") || extension(name) != "rs" || !isSource(name) {
		return "", false
	}
	return strings.Clone(name), true
}

// result reads "tests::area ... ok" and its like.
func (c *cargo) result(p *Parser, text string) bool {
	i := strings.LastIndex(text, " ... ")
	if i < 0 {
		return false
	}
	t := ci.Test{Suite: c.suite, Name: cut(text[:i], ci.MaxNoteName)}
	t.Name = strings.Clone(strings.TrimSuffix(strings.TrimSuffix(t.Name, " - should panic"), " - compile fail"))
	switch said := text[i+len(" ... "):]; {
	case said == "ok" || strings.HasPrefix(said, "ok <"): // --report-time
		t.Status = ci.Passed
	case said == "FAILED" || strings.HasPrefix(said, "FAILED <"):
		t.Status = ci.Failed
	case said == "ignored" || strings.HasPrefix(said, "ignored, "):
		t.Status, t.Message = ci.Skipped, strings.TrimPrefix(strings.TrimPrefix(said, "ignored"), ", ")
	default:
		return false
	}
	c.left--
	c.lines = 0
	if t.Status == ci.Failed && len(c.failed) < maxFailed {
		c.failed = append(c.failed, &cargoTest{test: t, line: p.lines})
	} else {
		p.test(p.lines, t)
	}
	return true
}

// flush yields what failed. The program says no more of it.
func (c *cargo) flush(p *Parser) {
	for _, f := range c.failed {
		f.test.Message = join(f.said...)
		p.test(f.line, f.test)
	}
	*c = cargo{suite: c.suite}
}
