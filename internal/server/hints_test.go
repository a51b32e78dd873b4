package server

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
)

// TestHints sends what is taken and looks like a mistake: the answer says so. What is
// right, or repeated as it was, is answered without.
func TestHints(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	note := func(step string, number int, rest string) string {
		return fmt.Sprintf(`{"note":{"step":%q,"number":%d,%s}}`, step, number, rest)
	}
	tested := func(step string, number int, name string) string {
		return note(step, number, fmt.Sprintf(`"test":{"name":%q,"status":"failed"}`, name))
	}
	ahead := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for _, one := range []struct {
		updates string
		want    []string // parts of sentences, in order; none: no sentence
	}{
		{tested("s", 0, "A") + "," + tested("s", 1, "B"), nil},
		{tested("s", 0, "A") + "," + tested("s", 1, "B"), nil},
		{tested("s", 1, "B") + "," + note("s", 2, `"at":"2026-11-26T10:00:00Z","line":3,"annotation":{"level":"error","message":"x"}`), nil},
		{note("s", 2, `"at":"2026-11-26T11:00:00Z","line":3,"annotation":{"level":"error","message":"x"}`), nil}, // another time, which came before
		{tested("s", 0, "C") + "," + tested("s", 1, "D"), []string{"Step s has another note of number 0, which stays", "note of number 1", "the next one there is 3"}},
		{note("s", 2, `"line":4,"annotation":{"level":"error","message":"x"}`), []string{"note of number 2"}},
		{tested("z", 0, "A") + "," + tested("z", 0, "B"), []string{"Step z has another note of number 0"}},
		{`{"step":{"key":"a","status":"running","started_at":"` + ahead + `"}}`, []string{"The started_at of step a is " + ahead}},
		{`{"step":{"key":"a","status":"running","started_at":"1970-01-01T00:00:07Z"}}`, []string{"1970-01-01T00:00:07Z, which can hardly be"}},
		{`{"step":{"key":"a","status":"passed","started_at":"2026-11-22T10:00:00Z","finished_at":"2026-11-22T09:59:00Z"}}`, []string{"The finished_at of step a is before its started_at"}},
		{`{"step":{"key":"zero","status":"running","started_at":"0001-01-01T00:00:00Z"}}`, []string{"0001-01-01T00:00:00Z, which can hardly be"}},
		{`{"step":{"key":"zero","status":"passed","exit_code":3}}`, []string{"Step zero passed with exit code 3"}},
		{`{"step":{"key":"none","status":"failed","exit_code":null}}`, nil},
		{`{"step":{"key":"none","exit_code":1}}`, nil},
		{`{"step":{"key":"open","status":"running"}},{"step":{"key":"open","exit_code":1}}`, []string{"Step open has an exit code, or an end, and goes on: it ends with a status"}},
		{`{"step":{"key":"open","finished_at":"2026-11-22T09:59:00Z"}}`, []string{"Step open has an exit code, or an end"}},
		{`{"step":{"key":"open","exit_code":1}},{"step":{"key":"open","status":"failed"}}`, nil},
		{`{"step":{"key":"open","exit_code":null}}`, nil},
		{`{"build":{"finished_at":"2026-11-22T09:59:00Z"}}`, []string{"The build has an end, and goes on"}},
		{`{"step":{"key":"wait","status":"failed","exit_code":256}}`, []string{"The exit code 256 of step wait looks like a wait status, as of Python's os.system: then the exit code is 1."}},
		{`{"step":{"key":"found","status":"failed","exit_code":32512}}`, []string{"then the exit code is 127"}},
		{`{"step":{"key":"signal","status":"failed","exit_code":137}},{"step":{"key":"windows","status":"failed","exit_code":3221225728}},{"step":{"key":"other","status":"failed","exit_code":259}}`, nil},
		{`{"build":{"status":"running","finished_at":"2026-11-22T09:59:00Z"}}`, []string{"A finished_at came with the status running of the build"}},
		{`{"log":{"step":"b","offset":0,"at":"` + ahead + `","text":"x"}}`, []string{"The at of a text of step b is " + ahead}},
		{note("b", 0, `"at":"`+ahead+`","annotation":{"level":"error","message":"x"}`), []string{"The at of a note of step b is " + ahead}},
		{`{"step":{"key":"clock","status":"running","started_at":"2000-01-01T00:00:09Z"}}`, []string{"2000-01-01T00:00:09Z, which can hardly be"}},
		{`{"log":{"step":"b","offset":1,"at":"` + time.Now().Add(time.Minute).UTC().Format(time.RFC3339) + `","text":"x"}}`, nil},
		{`{"step":{"key":"b","status":"passed","started_at":"2026-11-22T10:00:00Z","finished_at":"2026-11-22T10:00:00Z"}}`, nil},
	} {
		a := s.write(build+"/updates", `{"updates":[`+one.updates+`]}`)
		if _, told, _ := strings.Cut(a.body, `,"hints":[`); a.status != 200 || (told == "") != (one.want == nil) || !inOrder(told, one.want) {
			t.Errorf("%s: %d %s, want %q", one.updates, a.status, a.body, one.want)
		}
	}
	for _, one := range []struct{ updates, want string }{
		{logText("o", 0, "Prüfung\n") + "," + logText("o", 8, "\n") + "," + logText("o", 9, "3\n"), "The text of step o at offset 8 begins before the one before it ends, at 9"},
		{logText("o", 9, "3\n") + "," + logText("o", 11, "more\n") + "," + logText("p", 0, "x"), ""},
		{`{"log":{"step":"l","offset":0,"lost":5}}`, ""},
		{logText("l", 0, "hello\nworld\n"), "Byte 0 of the log of step l, and maybe more, was reported lost"},
		{logText("l", 5, "\nworld\n"), ""},
		{logText("c", 0, "prüfe\n"), ""},
		{logText("c", 0, "prüfe\n"), ""},
		{logText("c", 4, "fe\n"), ""}, // cut otherwise
		{logText("c", 6, "\n"), "Byte 6 of the log of step c was there already. It is where the piece before ends for who counts characters"},
		{logText("c", 6, "\nmore\n"), "Byte 6"},
		{logText("c", 7, "more\n"), ""},
		{logText("c", 6, "other"), "Byte 6 of the log of step c is something else"},
		{logText("nl2", 0, "first\\nsecond\\nthird"), "The text of step nl2 at offset 0 has backslashes with an n behind them, and no line end"},
		{logText("nl4", 0, `{"stack":"a\nb\nc"}`), ""},
		{logText("nl3", 0, "first\\nsecond, third\\n\n"), ""},
		{logText("nl", 0, "first\\nsecond\\n"), "The text of step nl at offset 0 ends with a backslash and an n, which is no line end"},
		{logText("str", 0, `b'gr\xc3\xb6\n'`), "bytes of Python made a str"},
		{logText("str", 15, `"twice\n"`), "ends with a backslash and an n"},
		{logText("str", 24, `as in printf "x\n"`+"\n"), ""},
		{logText("moji", 0, "grÃ¶ÃŸer\n"), "looks like UTF-8 that was read as ISO-8859-1"},
		{`{"log":{"step":"ascii","offset":0,"text":"gr\u00c3\u00b6\n"}}`, "looks like UTF-8 that was read as ISO-8859-1"},
		{logText("moji", 13, "größer, Ärger, ÇA, São, «x» 100 °C\n"), ""},
		{logText("bytes", 0, `b'gr\xc3\xbc\n'`+"\n"), "is bytes of Python made a str"},
		{logText("list", 0, `['one\n', 'two\n']`), "is one line, and has a backslash and an n where it ends: a list or an object"},
		{logText("object", 0, `{"text":"one\n"}`), "a list or an object that was made a string is no text"},
		{logText("object", 16, `{"text":"one\n"}`+"\n"), ""},
		{logText("in64", 0, "Z3LDtsOfZXIK"), "is base64 of text, and is shown as it came"},
		{logText("in64", 12, "Z3LDtsOfZXIK\n"), ""}, // a build may print it
		{logText("in64", 25, "Z3LDtsOfZXI="), ""},   // no line
		{logText("in64", 37, "compiling"), ""},
		{`{"build":{"branch":"refs/heads/main"}}`, "The branch is refs/heads/main, as Git calls it in full; badges and lists that ask for the branch main do not find the build"},
		{logText("gone", 0, "gr\ufffd\n"), "has U+FFFD"},
		{logText("assert", 0, `assert \ufffd is shown`+"\n"), ""},
		{`{"log":{"step":"64","offset":0,"base64":"H4sIAAAA"}}`, "at offset 0 begins like gzip"},
		{`{"log":{"step":"64","offset":6,"base64":"Z3L2337fZXIgYWxzIGZy/Ghlcgo="}}`, "looks like ISO-8859-1"},
		{`{"log":{"step":"64b","offset":0,"base64":"/wCA"}}`, ""},
		{`{"log":{"step":"cut","offset":0,"base64":"YWJjw6TDpMM="}}`, "ends within a character"},
		{`{"log":{"step":"cut","offset":8,"base64":"pAo="}}`, ""},
		{logText("str2", 0, "b'line 1'\n"), "looks like bytes of Python made a str"},
		{logText("dumped", 0, `"line 1\n"`+"\n"), "has quotes around it, and a backslash and an n before the last"},
		{logText("repr", 0, `'line 1\n'`+"\n"), "as json.dumps and repr make it"},
		{logText("quoted", 0, "\"line 1\"\n'line 2'\n"), ""},
		{logText("path", 0, "copy C:\temp\new\build.log\n"), "has a drive's letter, a colon"},
		{logText("path", 24, "copying\nC:\temp\name\n"), "has a drive's letter, a colon"},
		{logText("header", 0, "Errors:\t2\nin C:\n\tone\nand C:\\temp, at 12:\nx:\t5\nPlan B:\nRun it\nlambda x:\tfoo\n"), ""},
		{logText("js", 0, "🚀a\n"), ""},
		{logText("js", 4, "a\n"), "Byte 4 of the log of step js was there already"}, // the units of UTF-16
	} {
		a := s.write(build+"/updates", `{"updates":[`+one.updates+`]}`)
		if a.status != 200 || strings.Contains(a.body, "hints") != (one.want != "") || !strings.Contains(a.body, one.want) {
			t.Errorf("%s: %d %s, want %s", one.updates, a.status, a.body, one.want)
		}
	}
	var many []string
	for i := range 30 {
		many = append(many, fmt.Sprintf(`{"step":{"key":"many%d","started_at":"1970-01-01T00:00:07Z"}}`, i))
	}
	if a := s.write(build+"/updates", `{"updates":[`+strings.Join(many, ",")+`]}`); strings.Count(a.body, "can hardly be") != mostHints {
		t.Errorf("of thirty mistakes %s", a.body)
	}

	if a := s.write("/api/v1/builds", `{"project":"p","branch":"refs/heads/main"}`); a.status != 201 || !strings.Contains(a.body, `"hints":["The branch is refs/heads/main`) {
		t.Errorf("a branch as Git calls it in full: %d %s", a.status, a.body)
	}
	for branch, want := range map[string]string{
		"HEAD":                          "The branch is HEAD, as Git calls a commit that is checked out without its branch",
		"origin/feature/x":              "The branch is origin/feature/x, as Git calls what it has fetched of feature/x; badges and lists that ask for the branch feature/x",
		"refs/remotes/upstream/release": "The branch is refs/remotes/upstream/release, as Git calls it in full; badges and lists that ask for the branch release",
		"heads/main":                    "badges and lists that ask for the branch main",
		"remotes/origin/a/b":            "badges and lists that ask for the branch a/b",
		"null":                          "as where a variable was not there",
		"$BRANCH":                       "as where a variable was not there",
		"original":                      "", "headshot": "", "feature/HEAD": "", "refs/pull/7/merge": "", "main": "",
	} {
		if a := s.write("/api/v1/builds", `{"project":"p","branch":"`+branch+`"}`); a.status != 201 || strings.Contains(a.body, "hints") != (want != "") || !strings.Contains(a.body, want) {
			t.Errorf("the branch %s: %d %s, want %s", branch, a.status, a.body, want)
		}
	}
	id := strings.TrimPrefix(build, "/api/v1/builds/")
	for field := range reflect.TypeFor[ci.Build]().Fields() {
		if field.Type != reflect.TypeFor[ci.Text]() {
			continue
		}
		name := field.Tag.Get("json")
		if a := s.write("/api/v1/builds", `{"id":"`+id+`","project":"p","`+name+`":"https://example.org/another"}`); a.status != 200 || !strings.Contains(a.body, "keeps its "+name+";") {
			t.Errorf("a creation with another %s: %d %s", name, a.status, a.body)
		}
	}
	again := `{"id":"` + id + `","project":"p","title":"Another","status":"queued","steps":[{"key":"a"},{"key":"new"}]}`
	if a := s.write("/api/v1/builds", again); a.status != 200 || !inOrder(a.body, []string{`"hints":["The build is there already, and keeps its title`, "and is running; a status", "without the step new"}) || strings.Contains(a.body, "step a;") {
		t.Errorf("a creation that says something else: %d %s", a.status, a.body)
	}
	for _, one := range []struct {
		updates string
		want    []string
	}{
		{`{"step":{"key":"t","status":"failed"}},{"step":{"key":"r","status":"running"}},{"step":{"key":"q","status":"queued"}},{"build":{"status":"passed"}}`, []string{"Step t failed, and the build passed", "Step r had not ended when the build did"}},
		{`{"step":{"key":"t","status":"failed"}},{"step":{"key":"r","status":"running"}},{"build":{"status":"failed"}},{"step":{"key":"r","status":"passed"}}`, nil},
		{`{"step":{"key":"test","name":"planned"}},{"step":{"key":"tset","status":"passed"}},{"build":{"status":"passed"}}`, []string{"Step test never began, and is skipped"}},
		{`{"step":{"key":"test","name":"planned"}},{"build":{"status":"failed"}}`, nil},
		{`{"step":{"key":"test","status":"passed","needs":["tst","built"]}},{"step":{"key":"built","status":"passed"}},{"build":{"status":"passed"}}`, []string{"Step test needs tst, and there is no such step"}},
	} {
		b := s.create(`{"project":"p"}`)
		for range 2 { // a repeat tells nothing new
			if a := s.write(b+"/updates", `{"updates":[`+one.updates+`]}`); a.status != 200 || strings.Contains(a.body, "hints") != (one.want != nil) || !inOrder(a.body, one.want) {
				t.Errorf("%s: %d %s, want %q", one.updates, a.status, a.body, one.want)
			}
			one.want = nil
		}
	}
	for _, one := range []struct{ updates, want string }{
		{`{"step":{"key":"again","status":"running"}},{"step":{"key":"again","status":"failed"}}`, ""},
		{`{"step":{"key":"again","status":"running"}},{"step":{"key":"again","status":"failed"}}`, ""},
		{`{"step":{"key":"again","status":"running"}}`, "Step again has ended, and stays so. What runs again is a step of its own"},
		{logText("one", 0, "compiling file number 0") + "," + logText("one", 23, "compiling file number 1"), ""},
		{`{"step":{"key":"one","status":"passed","log_bytes":46}}`, "The log of step one has no line end, so it is one line by now; each line has to end with a line feed, as the escape \\\\n in JSON. If the command wrote none, all is well."},
		{logText("few", 0, "ok") + `,{"step":{"key":"few","status":"passed","log_bytes":2}}`, ""},
		{logText("lined", 0, strings.Repeat("x", 50)+"\nand more") + `,{"step":{"key":"lined","status":"passed"}}`, ""},
	} {
		a := s.write(build+"/updates", `{"updates":[`+one.updates+`]}`)
		if a.status != 200 || strings.Contains(a.body, "hints") != (one.want != "") || !strings.Contains(a.body, one.want) {
			t.Errorf("%s: %d %s, want %s", one.updates, a.status, a.body, one.want)
		}
	}
	batch := func(n int) string {
		return strings.Repeat(fmt.Sprintf("compiling file %04d\n", n), 2) + strings.Repeat("with a line of its own\n", 2)
	} // 86 bytes
	for _, one := range []struct{ updates, want string }{
		{logText("counted", 0, batch(1)), ""},
		{logText("counted", 0, batch(1)), ""},
		{logText("counted", 86, batch(1)), "Text of step counted is the same as what came right before it, and is in the log twice"},
		{logText("counted", 86, batch(1)), ""},
		{logText("counted", 172, batch(2)) + "," + logText("counted", 258, batch(1)), ""},
		{`{"log":{"step":"counted","offset":344,"lost":5}},` + logText("counted", 349, batch(1)), ""},
		{logText("counted", 349, batch(1)+batch(3)) + "," + logText("counted", 521, batch(3)), "Text of step counted is the same"},
		{logText("counted", 607, strings.Repeat("x\n", 30)) + "," + logText("counted", 667, strings.Repeat("x\n", 30)), ""},
		{logText("counted", 727, strings.Repeat("x", 80)+"\n") + "," + logText("counted", 808, strings.Repeat("x", 80)+"\n"), ""},
		{logText("counted", 889, batch(4)) + `,{"step":{"key":"counted","status":"passed"}},{"log":{"step":"counted","offset":975,"base64":"` + base64.StdEncoding.EncodeToString([]byte(batch(4))) + `"}}`, "Text of step counted is the same"},
	} {
		a := s.write(build+"/updates", `{"updates":[`+one.updates+`]}`)
		if a.status != 200 || strings.Contains(a.body, "hints") != (one.want != "") || !strings.Contains(a.body, one.want) {
			t.Errorf("%s: %d %s, want %s", one.updates, a.status, a.body, one.want)
		}
	}
	for _, one := range []struct {
		step  string
		piece func(i int) string
		want  string
	}{
		{"joined", func(i int) string { return fmt.Sprintf("line %d\nand one of %s", i, strings.Repeat("x", i)) }, "Texts of step joined have lines, and the last ones all end without a line end"},
		{"batches", func(i int) string {
			return strings.TrimSuffix(strings.Repeat(fmt.Sprintf("line %03d\n", i), 5), "\n")
		}, "Texts of step batches have lines, and the last ones all end without a line end"},
		{"anywhere", func(i int) string {
			log, at := strings.Repeat("compiling one\nlinking two\ntesting three\n", 30), func(i int) int { return 57*i + i*i }
			return log[at(i):at(i+1)]
		}, ""},
		{"pytest", func(i int) string {
			return strings.Repeat("collected\n", 1-min(i, 1)) + strings.Repeat(strings.Repeat(".", 79)+"\n", 12) + strings.Repeat(".", 40+i)
		}, ""},
		{"coloured", func(i int) string { return fmt.Sprintf("\x1b[32mone %d\n\x1b[0m", i) }, ""},
		{"polled", func(i int) string {
			return strings.Repeat("waiting\n", 1-min(i, 1)) + "db not ready\nretry in 1s\n"
		}, ""},
		{"indented", func(i int) string { return fmt.Sprintf("    one %d\n    two\n    and", i) }, ""},
		{"lines", func(i int) string { return fmt.Sprintf("line %d\nand one of %s\n", i, strings.Repeat("x", i)) }, ""},
		{"parts", func(i int) string { return "part of " + strings.Repeat("x", 100+i) }, "The log of step parts has no line end"},
		{"dots", func(int) string { return "...." }, ""},
		{"bar", func(i int) string { return fmt.Sprintf("\r%d %%", i) + strings.Repeat("=", 120+i) }, ""},
		{"json", func(i int) string {
			return `{"level":"info","component":"deploy/production/eu-central","line":` + fmt.Sprint(i) + "}\n"
		}, ""},
		{"parts-of-a-line", func(i int) string { return "part of " + strings.Repeat("x", i) + strings.Repeat("\n", i/9) }, ""},
		{"whole", func(i int) string { return strings.Repeat("line of a file that grows\n", 1+i*i) }, "A text of step whole begins as its log does, and was put behind that"},
		{"head", func(i int) string {
			return strings.Repeat("-", 70) + "\n" + strings.Repeat(fmt.Sprintf("part %d\n", i), 3+i)
		}, ""},
	} {
		offset, told := 0, ""
		for i := range 10 {
			a := s.write(build+"/updates", `{"updates":[`+logText(one.step, offset, one.piece(i))+`]}`)
			if a.status != 200 {
				t.Fatalf("%d %s", a.status, a.body)
			}
			if strings.Contains(a.body, "hints") {
				told += a.body
			}
			offset += len(one.piece(i))
		}
		if (told != "") != (one.want != "") || !strings.Contains(told, one.want) {
			t.Errorf("%s: %q, want %q", one.step, told, one.want)
		}
	}
	if a := s.write(s.create(`{"project":"p"}`)+"/updates", `{"updates":[{"build":{"status":"passed"}},{"step":{"key":"test","status":"passed"}}]}`); a.status != 409 || !strings.Contains(a.body, `"current_status":"queued"`) || !strings.Contains(a.body, "put the updates of the steps before the build's final status") {
		t.Errorf("a build that ends before its steps begin: %d %s", a.status, a.body)
	}
	// A text that was refused comes again at the offset that was named.
	for _, one := range []struct {
		offset int
		text   string
		status int
		want   string
	}{
		{0, "one\n", 200, ""},
		{8, "three of a log of some lines\n", 409, "Send what is missing, from byte 4 on, and then this. Nothing of the request was stored."},
		{4, "two\n", 200, ""},
		{8, "three of a log of some lines\n", 200, ""},
		{37, "three of a log of some lines\n", 200, ""}, // closed as it should be
		{90, "five of a log of some lines\n", 409, "from byte 66 on"},
		{66, "five of a log of some lines\n", 200, "Text of step gap that was refused at offset 90 is at 66 now"},
		{66, "five of a log of some lines\n", 200, ""}, // told once
		{100, "6\n", 409, "from byte 94 on"},
		{94, "6\n", 200, ""}, // what comes again by chance
	} {
		if a := s.write(build+"/updates", `{"updates":[`+logText("gap", one.offset, one.text)+`]}`); a.status != one.status || a.status == 200 && strings.Contains(a.body, "hints") != (one.want != "") || !strings.Contains(a.body, one.want) {
			t.Errorf("%q at %d: %d %s, want %s", one.text, one.offset, a.status, a.body, one.want)
		}
	}
	// Of what is refused, the answers name the likeliest mistake.
	if a := s.write(build+"/updates", `{"updates":[{"step":{"key":"tset","status":"passed","log_bytes":7}}]}`); a.status != 409 || !strings.Contains(a.body, "No text of step tset has come, and log_bytes names 7 bytes; send it first. If it was sent, then under another key.") {
		t.Errorf("log_bytes of a misspelt step: %d %s", a.status, a.body)
	}
	if a := s.do("POST", build+"/updates", `{"alive":["s"]}`+"\n", "Authorization: Bearer "+s.token, "Content-Type: application/x-ndjson"); a.status != 400 || !strings.Contains(a.body, "sent as application/json") {
		t.Errorf("a heartbeat as NDJSON: %d %s", a.status, a.body)
	}
	for _, one := range []struct{ updates, want string }{
		{logText("tail", 0, "one\n") + `,{"step":{"key":"tail","status":"passed"}}`, ""},
		{logText("tail", 0, "one\n"), ""},
		{logText("tail", 4, "two\n"), "Text of step tail came after its final status, and is kept"},
	} {
		if a := s.write(build+"/updates", `{"updates":[`+one.updates+`]}`); a.status != 200 || strings.Contains(a.body, "hints") != (one.want != "") || !strings.Contains(a.body, one.want) {
			t.Errorf("%s: %d %s, want %s", one.updates, a.status, a.body, one.want)
		}
	}
	over := s.create(`{"project":"p"}`)
	said, ended := logText("late", 0, "a line\n"), `{"step":{"key":"late","status":"failed"}},{"build":{"status":"failed"}}`
	for _, one := range []struct{ updates, want string }{
		{`{"build":{"status":"queued"}}`, ""}, // it was
		{`{"build":{"status":"running"}},` + said + "," + ended, ""},
		{`{"build":{"status":"running"}},` + said + "," + ended, ""},
		{`{"build":{"status":"running"}}`, "The build has ended, and stays so. A rerun is a build of its own"},
		{`{"build":{"status":"queued"}}`, "if this was a repeat, all is well"},
		{`{"build":{"title":"of one that has ended"}}`, ""},
		{said, ""},
		{logText("late", 0, "a line\nand more\n"), "Text of step late came after the build had ended, and is kept. Who followed the build live"},
		{logText("late", 7, "and more\n"), ""},
	} {
		a := s.write(over+"/updates", `{"updates":[`+one.updates+`]}`)
		if a.status != 200 || strings.Contains(a.body, "hints") != (one.want != "") || !strings.Contains(a.body, one.want) {
			t.Errorf("%s: %d %s, want %s", one.updates, a.status, a.body, one.want)
		}
	}
	if a := s.write(over+"/updates", `{"updates":[{"log":{"step":"late","offset":16,"lost":5}}]}`); a.status != 200 || strings.Contains(a.body, "hints") {
		t.Errorf("what is lost: %d %s", a.status, a.body)
	}
	s.write(build+"/updates", `{"updates":[{"build":{"status":"failed"}}]}`)
	if a := s.write("/api/v1/builds", `{"id":"`+id+`","project":"p"}`); a.status != 200 || !strings.Contains(a.body, "A rerun is a build of its own") {
		t.Errorf("a creation of one that has ended: %d %s", a.status, a.body)
	}
}

// TestHints_CreatedTwice is of a creation without an id that is sent again for want of an
// answer.
func TestHints_CreatedTwice(t *testing.T) {
	t.Parallel()
	s := start(t)
	other := s.tokenFor("p", ci.ScopeReport)
	first := s.create(`{"project":"p","title":"t"}`)
	const told = "The same request came just before, for the build "
	for _, one := range []struct {
		token, body string
		told        string
	}{
		{s.token, `{"project":"p","title":"u"}`, ""},
		{other, `{"project":"p","title":"t"}`, ""},
		{s.token, `{"project":"p","title":"t"}`, told + path.Base(first)},
		{s.token, `{"project":"p","title":"t","id":"` + ci.NewBuildID().String() + `"}`, ""},
	} {
		a := s.do("POST", "/api/v1/builds", one.body, "Authorization: Bearer "+one.token, "Content-Type: application/json")
		if a.status != 201 || strings.Contains(a.body, "hints") != (one.told != "") || !strings.Contains(a.body, one.told) {
			t.Errorf("%s: %d %s, want %q", one.body, a.status, a.body, one.told)
		}
	}
	var h hints
	all := &s.creations
	h.alike(all, 1, ci.NewBuildID(), time.Now().Add(-createdLately))
	h.alike(all, 1, ci.NewBuildID(), time.Now())
	if len(h) > 0 {
		t.Errorf("a minute later: %s", h)
	}
}

// inOrder tells whether some parts are in a text, one behind the other.
func inOrder(text string, parts []string) bool {
	for _, part := range parts {
		_, after, there := strings.Cut(text, part)
		if !there {
			return false
		}
		text = after
	}
	return true
}

// TestHints_Uploads is of what reaches a log by curl, and is not what its sender thinks.
func TestHints_Uploads(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	auth, curl := "Authorization: Bearer "+s.token, "User-Agent: curl/8.14.1"
	lines := strings.Repeat("a line of a log\n", 20)
	joined := strings.ReplaceAll(lines, "\n", "")
	for i, one := range []struct {
		text    string
		headers []string
		says    string // "": nothing, 204
	}{
		{joined, []string{curl, "Content-Type: text/plain"}, "curl -d drops them"},
		{joined, []string{curl, "Content-Type: application/json"}, "curl -d drops them"},
		{joined, []string{"User-Agent: other", "Content-Type: text/plain"}, ""},
		{lines, []string{curl, "Content-Type: text/plain"}, ""},
		{joined[:20], []string{curl, "Content-Type: text/plain"}, ""},
	} {
		path := fmt.Sprintf("%s/steps/%d/log", build, i)
		if a := s.do("PATCH", path, one.text, append(one.headers, auth)...); a.status/100 != 2 || (a.status == 204) != (one.says == "") || !strings.Contains(a.body, one.says) {
			t.Errorf("%q %v: %d %s, want %q", one.text, one.headers, a.status, a.body, one.says)
		}
	}

	if a := s.do("PATCH", build+"/steps/3/log", "", auth, "Content-Type: application/x-www-form-urlencoded"); a.status != 200 || !strings.Contains(a.body, "begins with @") {
		t.Errorf("an empty form: %d %s", a.status, a.body)
	}

	for i, one := range []struct {
		step, text, offset string
		status             int
		says               string
	}{
		{"twice", lines, "", 204, ""},
		{"twice", lines, "", 200, "has the same 320 bytes already, where it begins"},
		{"twice", lines, "0", 204, ""},
		{"twice", "and " + lines, "", 204, ""},
		{"twice", lines[:16], "", 204, ""}, // one line may be the same by chance
		{"growing", "$ make\n", "", 204, ""},
		{"growing", "$ make\ncc -c a.c\n", "", 200, "The log has the same 7 bytes already, where it begins"},
		{"banner", "[INFO] Scanning for projects...\n" + lines, "", 204, ""},
		{"banner", "[INFO] Scanning for projects...\n" + strings.ToUpper(lines), "", 204, ""},
		{"lines", "2026-11-26T10:00:00.123Z INFO one\ntwo\n", "", 204, ""},
		{"lines", "2026-11-26T10:00:00.123Z INFO one\nTWO\n", "", 200, "has the same 34 bytes already, where it begins"},
		{"whole", lines, "0", 204, ""},
		{"whole", lines + "the rest\n", "320", 200, "The log begins with the same 320 bytes: the whole was sent where only the rest was wanted"},
		{"rest", lines, "0", 204, ""},
		{"rest", "the rest of " + lines + lines, "320", 204, ""},
		{"rest", lines, "972", 204, ""}, // less than what is there
		{"later", "before\n", "", 204, ""},
		{"later", lines, "", 204, ""},
		{"later", lines, "", 200, "has the same 320 bytes already, where it ended"},
		{"later", "and " + lines, "", 204, ""},
		{"later", "then " + lines, "", 204, ""},
		{"units", "prüfe\n", "0", 204, ""},
		{"units", "\n", "6", 200, "Byte 6 of the log was there already. It is where the piece before ends for who counts characters"},
		{"units", "prüfe\nmore\n", "0", 204, ""},
		{"units", "\nmore\n", "6", 200, "counts characters"},
		{"units", "fe\nmore\n", "4", 204, ""}, // cut otherwise
		{"shortlatin", "Gr\xfc\xdfe\n", "0", 200, "looks like ISO-8859-1"},
		{"latin", "gr\xf6\xdfer als fr\xfcher\n", "0", 200, "looks like ISO-8859-1"},
		{"latin", "größer\n", "18", 204, ""},
		{"binary", "caf\xe9 und gr\x80\x81\n", "0", 204, ""},
		{"binary2", "größe und caf\xe9\n", "0", 204, ""}, // some of it is UTF-8
		{"cut", "eine neue gr\xc3", "0", 200, "ends within a character"},
		{"cut", "\xb6\xc3\x9fe\n", "13", 204, ""},
		{"cut2", "\xb6sung gefunden\n", "0", 204, ""},
		{"escapes", "\x1b[31mgr\xf6\xdfer\x1b[0m\n", "0", 200, "looks like ISO-8859-1"},
		{"counted", "one\n" + lines, "0", 204, ""},
		{"counted", lines, "324", 204, ""},
		{"counted", lines, "644", 200, "is the same as what came right before it, and is in the log twice"},
		{"counted", lines, "644", 204, ""},
		{"grown", lines, "", 204, ""},
		{"grown", lines + "and more of it\n", "", 200, "has the same 320 bytes already, where it begins"},
		{"empty", "", "0", 200, "The body is empty, and so is the log"},
		{"empty", "", "", 200, "if there was no output, all is well"},
		{"empty", lines, "0", 204, ""},
		{"empty", "", "320", 204, ""}, // there is no more of it
		{"gap", "one\n", "0", 204, ""},
		{"gap", "three of a log of some lines\n", "8", 409, "from byte 4 on, and then this."},
		{"gap", "three of a log of some lines\n", "4", 200, "that was refused at offset 8 is at 4 now"},
		{"joined", "ok  a\nok  b", "0", 204, ""},
		{"joined", "ok  c\nok  d", "11", 204, ""},
		{"joined", "ok  e\nok  f", "22", 204, ""},
		{"joined", "ok  g\nok  h", "33", 204, ""},
		{"joined", "ok  i\nok  j", "44", 200, "Texts of step joined have lines, and the last ones all end without a line end"},
		{"short", "ok\nFAIL x\n", "", 204, ""},
		{"short", "ok\nFAIL x\n", "", 200, "is the same as what came right before it, and is in the log twice"},
		{"beats", "ok\nok\nok\nok\n", "", 204, ""},
		{"beats", "ok\nok\nok\nok\n", "", 204, ""},
		{"code", "gr\xfcn\n", "0", 200, "looks like ISO-8859-1"},
	} {
		headers := []string{auth}
		if one.offset != "" {
			headers = append(headers, "Upload-Offset: "+one.offset)
		}
		if a := s.do("PATCH", build+"/steps/"+one.step+"/log", one.text, headers...); a.status != one.status || !strings.Contains(a.body, one.says) {
			t.Errorf("%d: %d %s, want %d %s", i, a.status, a.body, one.status, one.says)
		}
	}

	over := s.create(`{"project":"p"}`)
	for i, one := range []struct{ before, want string }{
		{`{"step":{"key":"a","status":"running"}}`, ""},
		{`{"step":{"key":"a","status":"passed"}}`, "Text of step a came after its final status, and is kept"},
		{`{"build":{"status":"passed"}}`, "Text of step a came after the build had ended, and is kept"},
	} {
		s.update(over, one.before)
		if a := s.do("PATCH", over+"/steps/a/log", fmt.Sprintf("text %d\n", i), auth); (a.status == 200) != (one.want != "") || a.status/100 != 2 || !strings.Contains(a.body, one.want) {
			t.Errorf("after %s: %d %s, want %q", one.before, a.status, a.body, one.want)
		}
	}

	json := "Content-Type: application/json"
	for text, status := range map[string]int{
		`{"updates":[{"log":{"step":"a","offset":0,"text":"x\n"}}]}`: 415,
		"\n {\"offset\":0,\"text\":\"abc\\n\"}":                      415,
		`{"level":"info","msg":"a log of JSON"}` + "\n":              204,
		`{"log":"of Docker","stream":"stdout"}` + "\n":               204,
		`{"text":"abc\n"}`:            200,
		`{"lines":["a","b"]}`:         200,
		`{"text":"abc\n"} and others`: 204,
		"hello":                       204,
	} {
		if a := s.do("PATCH", build+"/steps/json/log", text, auth, json); a.status != status || status == 415 && !strings.Contains(a.body, "updates go to") || status == 200 && !strings.Contains(a.body, "objects with text in them go to …/updates") {
			t.Errorf("%s as JSON: %d %s", text, a.status, a.body)
		}
	}
	for text, name := range map[string]string{"\x1f\x8b\x08\x00": "gzip", "\xff\xfea\x00\n\x00": "UTF-16", "h\x00e\x00l\x00l\x00o\x00 \x00y\x00o\x00u\x00\n\x00": "UTF-16"} {
		if a := s.do("PATCH", build+"/steps/"+name+"/log", text, auth); a.status != 200 || !strings.Contains(a.body, "begins like "+name) {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if a := s.write(build+"/updates", "\xff\xfe{\x00"); a.status != 400 || !strings.Contains(a.body, "UTF-16") {
		t.Errorf("updates in UTF-16: %d %s", a.status, a.body)
	}
	one, two := s.upload(build+"/steps/both/log"), s.upload(build+"/steps/both/log")
	for _, piece := range []struct {
		by   *uploader
		text string
		log  string
	}{{one, "one A", "one A"}, {two, "two A", "one Atwo A"}, {one, " B\n", "one Atwo A B\n"}} {
		piece.by.send(piece.text)
		s.eventually(build+"/steps/both/log", piece.log)
	}
	if status, offset := one.finish(); status != 200 || offset != "13" {
		t.Errorf("an upload with another within it: %d, at %s", status, offset)
	}
	if status, _ := two.finish(); status != 204 { // nothing of another is within
		t.Errorf("the other: %d", status)
	}
	for i, name := range []string{"Upload-Ofset", "Tus-Offset", "Content-Offset", "Log-Offset", "Upload-Start", "Offset", "Upload_Offset", "UploadOffset", "X-Upload-Offset", "Range"} {
		log := fmt.Sprint(build, "/steps/misspelt", i, "/log")
		if a := s.do("PATCH", log, "x", auth, name+": 5"); a.status != 400 || !strings.Contains(a.body, "there is none that is called") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		if a := s.do("PATCH", log, "x", auth, "Upload-Offset: 0", name+": 5"); a.status != 204 {
			t.Errorf("%s beside the right one: %d %s", name, a.status, a.body)
		}
	}
	for i, header := range []string{"X-Timezone-Offset: 60", "Upload-Length: 2", "Upload-Complete: ?1", "X-Offset-Of: a"} {
		if a := s.do("PATCH", fmt.Sprint(build, "/steps/other", i, "/log"), "x", auth, header); a.status != 204 {
			t.Errorf("%s: %d %s", header, a.status, a.body)
		}
	}
	if a := s.do("PATCH", build+"/steps/kafka/log", `{"offset": 1, "text": 0}`+"\n"+`{"offset": 2, "text": 0}`+"\n", auth); a.status != 204 {
		t.Errorf("a log of JSON: %d %s", a.status, a.body)
	}
	for i, text := range []string{`{"offset":0,"text":"x\n"}`, `{"updates": [{"log":{"step":"a","text":"x"}}]}`, `{"log": {"step":"a","text":"x"}}` + "\n"} {
		if a := s.do("PATCH", fmt.Sprint(build, "/steps/update", i, "/log"), text, auth, "Upload-Offset: 0"); a.status != 200 || !strings.Contains(a.body, "objects with text in them go to …/updates") {
			t.Errorf("%s as a log: %d %s", text, a.status, a.body)
		}
	}
	untyped := s.upload(build+"/steps/untyped/log", "Upload-Offset: 0")
	untyped.send(`{"updates":[]}`)
	if status, _ := untyped.finish(); status != 204 {
		t.Errorf("JSON that is announced as nothing: %d", status)
	}
	if a := s.do("PATCH", build+"/steps/json/log", lines, auth, "Range: bytes=0-1"); a.status != 400 {
		t.Errorf("Range: %d %s", a.status, a.body)
	}

	for _, one := range []struct {
		text   string
		status int
	}{{"Größe geprüft \xf0\x9f", 200}, {"\x9a\x80 — fertig\n", 204}, {"\xff\x00 and \xc3", 204}} {
		if a := s.do("PATCH", build+"/steps/within/log", one.text, auth, fmt.Sprint("Upload-Offset: ", s.do("HEAD", build+"/steps/within/log", "", auth).header.Get("Upload-Offset"))); a.status != one.status || (a.status == 200) != strings.Contains(a.body, "ends within a character") {
			t.Errorf("%q: %d %s", one.text, a.status, a.body)
		}
	}

	// What differs is told wherever it is.
	long := strings.Repeat("a line of a log\n", 400_000)
	if a := s.do("PATCH", build+"/steps/long/log", long, auth, "Upload-Offset: 0"); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	at := len(long) - 100
	if a := s.do("PATCH", build+"/steps/long/log", long[:at]+"X"+long[at+1:], auth, "Upload-Offset: 0"); a.status != 200 || a.header.Get("Stepcast-Differs") != fmt.Sprint(at) {
		t.Errorf("something else at %d: %d %s", at, a.status, a.body)
	}
}

// Who may report, and not read, learns of no text whether it is what somebody else wrote:
// asked letter by letter, that would be the text.
func TestHints_OfTextAreForWhoMayKnowIt(t *testing.T) {
	t.Parallel()
	s := startOn(t, pgtest.New(t), func(c *Config) { c.SignIn = true })
	build := s.create(`{"project":"acme/api"}`)
	key, secret := "deploy key: ", "wEa6xPlGPs39WLUdZ3KRI6wU\n"
	author, other := s.tokenFor("acme/*", ci.ScopeReport), s.tokenFor("acme/*", ci.ScopeReport)
	as := func(token, method, path, body string, headers ...string) answer {
		return s.do(method, path, body, append(headers, "Authorization: Bearer "+token, "Content-Type: application/json")...)
	}
	updates := func(token, updates string) answer {
		return as(token, "POST", build+"/updates", `{"updates":[`+updates+`]}`)
	}
	note := func(message string) string {
		return `{"note":{"step":"test","number":0,"line":0,"annotation":{"level":"error","message":"` + message + `"}}}`
	}
	wrong := logText("test", len(key), "X")
	if a := updates(author, logText("test", 0, key+secret)+","+note("x")); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := updates(author, wrong); !strings.Contains(a.body, `"differs":{"test":12}`) {
		t.Errorf("its author: %d %s", a.status, a.body)
	}
	lines := strings.Repeat(secret, 3)
	if a := updates(author, logText("twice", 0, lines)); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for i, one := range []struct {
		token string
		told  bool
	}{{author, true}, {other, false}, {author, false}} { // what another wrote behind it is its author's no more
		if a := updates(one.token, logText("twice", (i+1)*len(lines), lines)); a.status != 200 || strings.Contains(a.body, "the same as what came right before it") != one.told {
			t.Errorf("what came right before, again: %d %s, told %v", a.status, a.body, one.told)
		}
	}
	if a := updates(author, logText("whole", 0, lines)); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for _, one := range []struct {
		token         string
		offset, times int
		told          bool
	}{{author, 1, 2, true}, {other, 3, 4, false}, {author, 7, 8, false}} {
		if a := updates(one.token, logText("whole", one.offset*len(lines), strings.Repeat(lines, one.times))); a.status != 200 || strings.Contains(a.body, "begins as its log does") != one.told {
			t.Errorf("the whole behind it: %d %s, told %v", a.status, a.body, one.told)
		}
	}
	if a := as(other, "PATCH", build+"/steps/twice/log", lines, fmt.Sprint("Upload-Offset: ", 4*len(lines))); a.status != 204 {
		t.Errorf("an upload of what came right before: %d %s", a.status, a.body)
	}
	// Nor does the length of a line, or the colour that it begins with, say anything of it.
	if a := as(author, "PATCH", build+"/steps/painted/log", "one\x1b[31m\ntwo\n", "Upload-Offset: 0"); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for token, told := range map[string]string{other: "", s.tokenFor("acme/*", ci.ScopeRead): "31"} {
		if a := as(token, "HEAD", build+"/steps/painted/log?lines=2", ""); a.status != 200 || a.header.Get("Stepcast-SGR") != told || a.header.Get("Upload-Offset") != "13" {
			t.Errorf("a line's colours, told %q: %d %v", told, a.status, a.header)
		}
	}
	// Who writes the first byte of a log, and the first note of a step, asks for the rest.
	for i, one := range []struct{ token, updates string }{
		{other, logText("begun", 0, "d") + "," + strings.ReplaceAll(note("mine"), `"test"`, `"begun"`)},
		{author, logText("begun", 1, key[1:]+secret) + "," + strings.ReplaceAll(strings.ReplaceAll(note("x"), `"test"`, `"begun"`), `"number":0`, `"number":1`)},
		{other, logText("begun", 0, key+"X")},
		{other, logText("begun", len(key), "X")},
		{other, logText("begun", 0, key) + "," + logText("begun", len(key), "X")},
		{other, strings.ReplaceAll(strings.ReplaceAll(note("y"), `"test"`, `"begun"`), `"number":0`, `"number":1`)},
	} {
		if a := updates(one.token, one.updates); a.status != 200 || strings.Contains(a.body, "differs") || strings.Contains(a.body, "something else") {
			t.Errorf("request %d of who began a log and may not read it: %d %s", i, a.status, a.body)
		}
	}
	if a := as(other, "PATCH", build+"/steps/begun/log", key+"X", "Upload-Offset: 0"); a.status != 204 {
		t.Errorf("an upload of who began a log and may not read it: %d %s", a.status, a.body)
	}
	if a := updates(other, logText("begun", 0, "X")); !strings.Contains(a.body, `"differs":{"begun":0}`) {
		t.Errorf("what it wrote itself: %d %s", a.status, a.body)
	}
	// Nor is who wrote a guess told what the reader was told that wrote the text.
	if a := updates(other, logText("guess", 0, "password: a\n")); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := updates(s.tokenFor("acme/*", ci.ScopeReport, ci.ScopeRead), logText("guess", 0, "password: b\n")); !strings.Contains(a.body, `"differs":{"guess":10}`) {
		t.Errorf("who reads: %d %s", a.status, a.body)
	}
	if a := updates(other, `{"step":{"key":"guess","status":"passed","log_bytes":12}}`); a.status != 200 || strings.Contains(a.body, "differs") {
		t.Errorf("the length, after another was told: %d %s", a.status, a.body)
	}
	for _, ended := range []bool{false, true} {
		for token, told := range map[string]bool{other: false, s.tokenFor("acme/*", ci.ScopeReport, ci.ScopeRead): true} {
			for name, a := range map[string]answer{
				"an update": updates(token, wrong+","+note("y")),
				"an upload": as(token, "PATCH", build+"/steps/test/log", key+"X", "Upload-Offset: 0"),
			} {
				if got := strings.Contains(a.body, "something else"); a.status/100 != 2 || got != told {
					t.Errorf("%s of who may not read it: %d %s, told %v", name, a.status, a.body, told)
				}
			}
			if ended {
				continue
			}
			if a := as(token, "PATCH", build+"/steps/test/log", key+secret); a.status/100 != 2 || strings.Contains(a.body, "the same") != told {
				t.Errorf("what it begins with, behind its end: %d %s, told %v", a.status, a.body, told)
			}
		}
		if a := updates(author, `{"step":{"key":"test","status":"passed"}}`); a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
}

// TestHints_NoBody ends the headers where a shell does that has a line end in its token.
func TestHints_NoBody(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	for _, one := range []struct {
		request, rest string
		status        int
		says          string
	}{
		{"PATCH " + build + "/steps/s/log", "\n\r\nUpload-Offset: 0\r\nContent-Length: 3\r\n\r\nabc", 411, "The request announces no body. If one was sent, a line end in a header"},
		{"POST " + build + "/updates", "\n\r\nContent-Length: 2\r\n\r\n{}", 400, "The body is empty; send a JSON object. If one was sent, a line end in a header"},
		{"POST /api/v1/builds", "\r\n\r\n", 400, "The body is empty; send a JSON object. If one was sent"},
		{"POST /api/v1/builds", "\r\nContent-Length: 0\r\n\r\n", 400, `send a JSON object."`},
		{"POST " + build + "/updates", "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, `send a JSON object."`},
		{"PATCH " + build + "/steps/s/log", "\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 204, ""},
		{"PATCH " + build + "/steps/t/log", "\r\nTransfer-Encoding: chunked\r\nX-Token: t\n\r\nUpload-Offset: 0\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 400, "After 0 bytes the body is not valid HTTP. Mostly a line end in a header"},
		{"PATCH " + build + "/steps/none/log", "\r\nContent-Length: 0\r\n\r\n", 200, "The body is empty, and so is the log"},
	} {
		r := s.connect()
		fmt.Fprintf(r.conn, "%s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s%s", one.request, s.token, one.rest)
		res, err := http.ReadResponse(r.r, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(res.Body); res.StatusCode != one.status || !strings.Contains(string(body), one.says) {
			t.Errorf("%s%q: %d %s, want %d %s", one.request, one.rest, res.StatusCode, body, one.status, one.says)
		}
	}
}

// readAlone is what a text becomes whose bytes are read one by one, as by ISO-8859-1 or, with
// the characters of its own, by Windows-1252.
func readAlone(text string, windows bool) string {
	own := []rune("€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ")
	var out []rune
	for _, b := range []byte(text) {
		if r := rune(b); windows && r >= 0x80 && r < 0xa0 {
			out = append(out, own[r-0x80])
		} else {
			out = append(out, r)
		}
	}
	return string(out)
}

// TestHints_Decoded is of text that a program decoded before it sent it: wrongly, and as
// it is written in many places.
func TestHints_Decoded(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	steps := 0
	told := func(text string) (all []string) {
		t.Helper()
		quoted, _ := json.Marshal(text)
		texts := []string{string(quoted)}
		for _, escape := range []string{`\u%04x`, `\u%04X`} { // as programs do that keep to ASCII
			var literal []byte
			for _, r := range text {
				if r < utf8.RuneSelf {
					literal = ci.AppendEscaped(literal, []byte{byte(r)})
					continue
				}
				for _, unit := range utf16.Encode([]rune{r}) {
					literal = fmt.Appendf(literal, escape, unit)
				}
			}
			texts = append(texts, `"`+string(literal)+`"`)
		}
		for _, text := range texts {
			steps++
			a := s.write(build+"/updates", fmt.Sprintf(`{"updates":[{"log":{"step":"%d","offset":0,"text":%s}}]}`, steps, text))
			if a.status != 200 {
				t.Errorf("%s: %d %s", text, a.status, a.body)
			}
			all = append(all, a.body)
		}
		steps++
		a := s.do("PATCH", fmt.Sprint(build, "/steps/", steps, "/log"), text, "Authorization: Bearer "+s.token, "Upload-Offset: 0")
		if a.status/100 != 2 || (a.status == 200) != (a.body != "") {
			t.Errorf("%q: %d %s", text, a.status, a.body)
		}
		return append(all, a.body)
	}
	for _, text := range []string{
		"Prüfung läuft", "déjà vu", "été", "où êtes-vous ?", "Noël", "São Paulo é aqui", "amanhã não", "Öffnen", "Überblick", "größer", "© 2026", "100 °C", "10 km",
		"başladı", "zażółć", "Привет", "it’s", "done…", "— end", "“quoted”", "5 €", "✓ passed", "✔ ok", "✖ failed", "✗ bad", "⚠ warning", "❌", "───", "├── src", "→ next", "██", "●", "™", "✨ done", "🚀 go", "🔥", "✅", "😀",
	} {
		for _, windows := range []bool{false, true} {
			for _, one := range told("text " + readAlone(text, windows) + "\n") {
				if !strings.Contains(one, "looks like UTF-8 that was read as ISO-8859-1 or Windows-1252") {
					t.Errorf("%q, by Windows %v, is told as %s", text, windows, one)
				}
			}
		}
	}
	for _, text := range []string{"Gr��ße aus Köln\n", "�"} {
		for _, one := range told(text) {
			if !strings.Contains(one, "has U+FFFD, which stands for bytes that were lost before it was sent") {
				t.Errorf("%q is told as %s", text, one)
			}
		}
	}
	for _, text := range []string{
		"Les hôtels d’Âge d’Or – ÂGE, âge, hâte… « â », « À la carte », voilà…», café», cœur, d’après, Noël : 25 €",
		"„Größe“, »Ärger«, Ä–Ü, Ä, Ö, Ü: „Ä“, KÄSE…, 20 °C, § 5, 3 × 4, €",
		"«AMANHÃ», “AMANHÃ”, IRMÃ… SÃO Ã— não, “Ã”, avião’, Â–Õ, ÂNGULO, plâncton",
		"“hâlâ”, hâlâ… hâlâ— kâr, İstanbul, şimdi, ğ, ışık, dükân’da, hâlâ „vâr“",
		"ESPAÑA, Ñuñoa, “Ñ”, EL NIÑ… ¿qué? ¡sí!", "það er Ísland, Ðórður, maður…", "Å – Ångström, 12 Å², 3Å±0.1, PÅ», på…", "✓ prüfe „alles“ 日本語 ── 🚀 😀 5 € …", "Сборка «готова»", `\u00c3\u00bc stands for two bytes`, "\x1b[32mgrün\x1b[0m",
	} {
		for _, one := range told(text + "\n") {
			if strings.Contains(one, "hints") || strings.Contains(one, "detail") {
				t.Errorf("%q is told as %s", text, one)
			}
		}
	}
}
