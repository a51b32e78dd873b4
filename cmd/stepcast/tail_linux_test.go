package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stepcast/stepcast/internal/termtest"
)

// report is a build that a test reports by hand.
type report struct {
	s       *testServer
	id      string
	offsets map[string]int
}

func (s *testServer) newReport(project string, steps ...string) *report {
	s.t.Helper()
	type step struct {
		Key string `json:"key"`
	}
	all := []step{}
	for _, key := range steps {
		all = append(all, step{key})
	}
	var b shownBuild
	if err := json.Unmarshal(s.post("/api/v1/builds", map[string]any{"project": project, "title": "All of it", "steps": all}), &b); err != nil {
		s.t.Fatal(err)
	}
	return &report{s: s, id: b.ID, offsets: make(map[string]int)}
}

func (s *testServer) post(path string, body any) []byte {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	token, err := os.ReadFile(filepath.Join(s.dir, "token"))
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		s.t.Fatalf("POST %s: %d, %v, %s", path, resp.StatusCode, err, answer)
	}
	return answer
}

func (r *report) update(update any) {
	r.s.t.Helper()
	r.s.post("/api/v1/builds/"+r.id+"/updates", map[string]any{"updates": []any{update}})
}

// step reports a step, from a moment long ago that gives it a round duration.
func (r *report) step(key, status string) {
	r.s.t.Helper()
	s := map[string]any{"key": key, "status": status}
	switch status {
	case "running":
		s["started_at"] = "2026-11-22T10:00:00Z"
	case "passed":
		s["finished_at"] = "2026-11-22T10:00:03.21Z"
	case "failed":
		s["exit_code"], s["finished_at"] = 2, "2026-11-22T10:02:03Z"
	}
	r.update(map[string]any{"step": s})
}

func (r *report) log(key, text string) {
	r.s.t.Helper()
	r.update(map[string]any{"log": map[string]any{"step": key, "offset": r.offsets[key], "text": text}})
	r.offsets[key] += len(text)
}

func (r *report) end(status string) {
	r.s.t.Helper()
	r.update(map[string]any{"build": map[string]any{"status": status, "started_at": "2026-11-22T10:00:00Z", "finished_at": "2026-11-22T11:02:03Z"}})
}

func shows(text string) func(*termtest.Screen) bool {
	return func(s *termtest.Screen) bool { return strings.Contains(strings.Join(s.Visible(), "\n"), text) }
}

// left checks how a terminal is left behind.
func left(t *testing.T, term *termtest.Terminal) {
	t.Helper()
	term.Look(func(s *termtest.Screen) {
		if len(s.Faults) > 0 || s.Hidden || s.Wrapped {
			t.Errorf("faults %q, cursor hidden: %v, a row of the header was too wide: %v", s.Faults, s.Hidden, s.Wrapped)
		}
	})
}

func TestTail_KeepsTheStepsInView(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.newReport("acme/view", "lint", "test/linux", "deploy")
	term := termtest.New(t, 100, 40)
	cmd := stepcast(t, append(s.env, "TERM=xterm", "NO_COLOR="), "tail", b.id)
	term.Start(t, cmd)
	term.WaitFor(t, "the first header", shows("── acme/view #1  ○ queued "))
	b.step("lint", "running")
	b.log("lint", "\x1b[31mred\x1b[0m \x1b[2J\x1b]0;owned\x07line\nunended")
	term.WaitFor(t, "a line that has not ended", shows("lint       | unended\n── acme/view #1  ● running  "))
	term.Look(func(s *termtest.Screen) {
		if !s.Hidden {
			t.Error("the cursor is in the way")
		}
	})
	if term.Echoes(t) {
		t.Error("what is typed moves the header")
	}
	term.Type(t, "\n\nx\n")
	b.log("lint", " no more\n10%\r20%")
	term.WaitFor(t, "the line's end", shows("lint       | unended no more\nlint       | 20%\n──"))
	b.step("test/linux", "running")
	b.log("test/linux", "wide 日本語 🙂\n")
	b.step("lint", "passed")
	b.step("test/linux", "failed")
	b.end("failed")
	if code := term.Wait(cmd); code != 1 {
		t.Errorf("exit code %d", code)
	}
	left(t, term)
	want := `stepcast: acme/view #1 All of it
stepcast: lint running
lint       | red line
lint       | unended no more
stepcast: test/linux running
test/linux | wide 日本語 🙂
lint       | 20%
stepcast: lint passed after 3.2s
stepcast: test/linux failed (exit code 2) after 2m3s
stepcast: deploy skipped
stepcast: build failed
── acme/view #1  ✗ failed  1h 02m ─────────────────────────────────────────────────────────────────
✓ passed      3.2s  lint
✗ failed    2m 03s  test/linux  exit code 2
– skipped           deploy
`
	if got := term.Text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if !bytes.Contains(term.Raw(), []byte("\x1b[31m✗ failed")) {
		t.Error("no colours")
	}
}

// settled tells whether the header is as wide and as high as it may be.
func settled(s *termtest.Screen) bool {
	n := 0
	for _, row := range s.Visible() {
		if strings.HasPrefix(row, "── ") && s.Columns >= 40 && len([]rune(row)) != s.Columns-1 {
			return false
		}
		for _, mark := range []string{"─", "○", "●", "… "} {
			if strings.HasPrefix(row, mark) {
				n++
			}
		}
	}
	return n <= min(s.Rows/3, 8) && (n > 0) == (s.Rows >= 3)
}

// However often the size changes, what is on the terminal at the end is every
// line of the log once and the header once.
func TestTail_ATerminalThatIsResized(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var keys []string
	for i := range 30 {
		keys = append(keys, fmt.Sprintf("step-%02d", i))
	}
	b := s.newReport("acme/resize", keys...)
	term := termtest.New(t, 100, 40)
	cmd := stepcast(t, append(s.env, "TERM=xterm", "NO_COLOR="), "tail", b.id)
	term.Start(t, cmd)
	term.WaitFor(t, "the first header", shows("… 24 more: 24 queued"))
	b.step("step-20", "running")
	var log strings.Builder
	// Each size leaves room for what is drawn while it changes.
	for i, size := range [][2]int{{40, 15}, {100, 40}, {12, 40}, {80, 9}, {200, 60}, {100, 12}, {7, 5}, {80, 3}, {80, 2}, {60, 24}} {
		line := fmt.Sprintf("line %d, %s end\n", i, strings.Repeat("and on ", 20))
		log.WriteString("step-20 | " + line)
		b.log("step-20", line+"open")
		term.WaitFor(t, "the open line", func(s *termtest.Screen) bool {
			return settled(s) && slices.ContainsFunc(s.Visible(), func(row string) bool {
				return strings.HasPrefix("step-20 | open", strings.TrimSuffix(row, "…")) && row != ""
			})
		})
		term.Resize(t, size[0], size[1])
		term.WaitFor(t, "the header in its new size", settled)
		b.log("step-20", "\n")
		log.WriteString("step-20 | open\n")
		term.WaitFor(t, "the line", func(s *termtest.Screen) bool {
			return settled(s) && strings.Count(s.Text(), "| open\n") == i+1
		})
	}
	b.end("passed")
	if code := term.Wait(cmd); code != 0 {
		t.Errorf("exit code %d", code)
	}
	term.Look(func(s *termtest.Screen) { s.Wrapped = false }) // what is drawn while the size changes is drawn again
	left(t, term)
	text := term.Text()
	begin := strings.Index(text, "step-20 | line 0")
	if begin < 0 || !strings.HasPrefix(text[begin:], log.String()) || strings.Count(text, "── ") != 1 || strings.Count(text, "●") != 0 || strings.Count(text, "… ") != 1 {
		t.Errorf("the terminal shows\n%s", text)
	}
}

func TestTail_AServerThatIsRestartedUnderTheHeader(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.newReport("acme/restart", "test")
	term := termtest.New(t, 80, 24)
	cmd := stepcast(t, append(s.env, "TERM=xterm", "NO_COLOR=1"), "tail", b.id)
	term.Start(t, cmd)
	b.step("test", "running")
	var log strings.Builder
	for i := range 3 {
		line := fmt.Sprintf("line %d\n", i)
		b.log("test", line)
		log.WriteString(line)
		term.WaitFor(t, "the line", shows(line))
		s.kill()
		term.WaitFor(t, "that the server is away", func(s *termtest.Screen) bool {
			return strings.Count(s.Text(), "going on when it is back") == i+1
		})
		s.start()
	}
	b.step("test", "passed")
	b.end("passed")
	if code := term.Wait(cmd); code != 0 {
		t.Errorf("exit code %d", code)
	}
	left(t, term)
	text := ""
	for line := range strings.Lines(term.Text()) {
		if strings.HasPrefix(line, "line ") {
			text += line
		}
	}
	if text != log.String() || !strings.HasSuffix(term.Text(), "──\n✓ passed      3.2s  test\n") || strings.Count(term.Text(), "── ") != 1 {
		t.Errorf("the terminal shows\n%s", term.Text())
	}
	if raw := term.Raw(); bytes.Contains(raw, []byte("m✓")) || bytes.Contains(raw, []byte("\x1b[0m")) {
		t.Error("colours in spite of NO_COLOR")
	}
}

func TestTail_CtrlCAndCtrlZ(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.newReport("acme/keys", "test")
	term := termtest.New(t, 80, 24)
	cmd := stepcast(t, append(s.env, "TERM=xterm", "NO_COLOR="), "tail", b.id)
	term.Start(t, cmd)
	b.step("test", "running")
	b.log("test", "a line\nunended")
	term.WaitFor(t, "the header", shows("a line\nunended\n── acme/keys #1  ● running"))

	term.Type(t, "\x1a")
	term.WaitFor(t, "no header", func(s *termtest.Screen) bool { return !s.Hidden && !strings.Contains(s.Text(), "──") })
	if !eventually(func() bool { return term.Echoes(t) }) {
		t.Error("a stopped command keeps the terminal quiet")
	}
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	term.WaitFor(t, "the header again", shows("a line\nunended\n── acme/keys #1  ● running"))

	term.Type(t, "\x03")
	if code := term.Wait(cmd); code != 130 {
		t.Errorf("exit code %d", code)
	}
	left(t, term)
	if !term.Echoes(t) {
		t.Error("the terminal stays quiet")
	}
	want := "stepcast: acme/keys #1 All of it\nstepcast: test running\na line\nunended\n── acme/keys #1  ● running"
	if text := term.Text(); !strings.HasPrefix(text, want) || strings.Count(text, "●") != 2 || !strings.HasSuffix(text, "  test\n") {
		t.Errorf("the terminal shows\n%s", text)
	}
}

func TestTail_NoHeader(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.newReport("acme/none", "test")
	b.step("test", "running")
	b.log("test", "\x1b[31mred\x1b[0m\n")
	b.step("test", "passed")
	b.end("passed")
	plain := "stepcast: acme/none #1 All of it\nstepcast: test running\nred\nstepcast: test passed after 3.2s\nstepcast: build passed\n"
	for name, tt := range map[string]struct {
		env  string
		args []string
		sgr  bool
	}{
		"wanted none":     {"TERM=xterm", []string{"--no-header"}, true},
		"a dumb terminal": {"TERM=dumb", nil, true},
		"nor colours":     {"TERM=dumb", []string{"--no-color"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			term := termtest.New(t, 80, 24)
			cmd := stepcast(t, append(s.env, "NO_COLOR=", tt.env), append([]string{"tail", b.id}, tt.args...)...)
			term.Start(t, cmd)
			if code := term.Wait(cmd); code != 0 {
				t.Errorf("exit code %d", code)
			}
			raw := strings.ReplaceAll(string(term.Raw()), "\r\n", "\n")
			sgr := strings.NewReplacer("\x1b[0;31m", "", "\x1b[0m", "").Replace(raw)
			if sgr != plain || (raw != plain) != tt.sgr {
				t.Errorf("got %q", raw)
			}
		})
	}
	if stdout, stderr, code := output(t, stepcast(t, append(s.env, "TERM=xterm"), "tail", "--header", b.id)); code != 0 || stdout != "red\n" || strings.Contains(stderr, "\x1b") {
		t.Errorf("no terminal: exit code %d, %q, %q", code, stdout, stderr)
	}
}

// What --json prints is what the server tells anybody, and goes on after any of
// its ids.
func TestTail_JSON(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.newReport("acme/json", "lint", "test")
	b.step("lint", "running")
	b.log("lint", "\x1b[31mred\x1b[0m\n")
	b.log("test", "tested\n")
	b.step("lint", "passed")
	b.step("test", "failed")
	b.end("failed")
	var page struct {
		Events []struct {
			ID, Kind string
			Data     json.RawMessage
		}
	}
	if err := json.Unmarshal(s.get("/api/v1/builds/"+b.id+"/events"), &page); err != nil {
		t.Fatal(err)
	}
	var want, ofLint []string
	last := ""
	for _, e := range page.Events {
		line := fmt.Sprintf(`{"id":"%s","event":"%s","data":%s}`, e.ID, e.Kind, e.Data)
		want = append(want, line)
		if e.Kind != "log" || strings.Contains(line, `"step":"lint"`) {
			ofLint = append(ofLint, line)
		}
		last = e.ID
	}
	logged := func(stdout string) (lines []string) {
		for line := range strings.Lines(stdout) {
			var e struct{ ID, Event string }
			if err := json.Unmarshal([]byte(line), &e); err != nil || e.ID == "" {
				t.Fatalf("%q: %v", line, err)
			}
			if e.Event != "live" && e.Event != "end" {
				lines = append(lines, strings.TrimSuffix(line, "\n"))
			}
		}
		return lines
	}
	check := func(want []string, args ...string) {
		t.Helper()
		stdout, stderr, code := output(t, stepcast(t, s.env, append([]string{"tail", "--json", b.id}, args...)...))
		if got := logged(stdout); code != 1 || stderr != "" || strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%q: exit code %d, stderr %q, got\n%s\nwant\n%s", args, code, stderr, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	check(want)
	check(ofLint, "--step", "lint")
	for i, e := range page.Events {
		if i%3 == 0 {
			check(want[i+1:], "--after", e.ID)
		}
	}
	check(nil, "--after", last)
	stdout, _, _ := output(t, stepcast(t, s.env, "tail", "--json", "--after", "zzzzzz-3", b.id))
	if !strings.Contains(stdout, `"event":"reset"`) || len(logged(stdout)) != len(want)+1 {
		t.Errorf("after an id that never was: %s", stdout)
	}
	term := termtest.New(t, 100, 24)
	cmd := stepcast(t, append(s.env, "TERM=xterm"), "tail", "--json", b.id)
	term.Start(t, cmd)
	if code := term.Wait(cmd); code != 1 || bytes.Contains(term.Raw(), []byte("\x1b")) {
		t.Errorf("in a terminal: exit code %d, %q", code, term.Raw())
	}
	for _, args := range [][]string{{"--after", last}, {"--json", "--after", last, "-n", "3"}, {"--json", "--after", "a b"}, {"--step", "../x"}} {
		if stdout, stderr, code := output(t, stepcast(t, s.env, append([]string{"tail", b.id}, args...)...)); code != 2 || stdout != "" || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: exit code %d, %q", args, code, stderr)
		}
	}
}

// A step that the build does not have is yet to come, or mistyped.
func TestTail_AStepThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := s.newReport("acme/missing", "lint", "test")
	b.log("test", "tested\n")
	b.step("lint", "passed")
	b.step("test", "passed")
	b.end("passed")
	stdout, stderr, code := output(t, stepcast(t, s.env, "tail", "--step", "tset", "--step", "test", b.id))
	if code != 0 || stdout != "test | tested\n" || !strings.Contains(stderr, "stepcast: the build has no step tset so far; it has lint, test\n") || strings.Contains(stderr, "no step test ") {
		t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
	}
}

// In a terminal, no build is this directory's newest; a script has to say what
// it means.
func TestTail_WithoutABuild(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	dir := filepath.Join(t.TempDir(), "acme-here")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	tail := func(env ...string) (text string, code int) {
		t.Helper()
		term := termtest.New(t, 100, 24)
		cmd := stepcast(t, append(append(s.env, "TERM=xterm"), env...), "tail")
		cmd.Dir = dir
		term.Start(t, cmd)
		code = term.Wait(cmd)
		return term.Text(), code
	}
	if text, code := tail(); code != 2 || !strings.HasPrefix(text, "stepcast: there is no build of the project acme-here yet; name a build") {
		t.Errorf("no build yet: exit code %d, %q", code, text)
	}
	s.newReport("acme-here").end("failed")
	s.newReport("acme-here").end("passed")
	named := s.newReport("acme/named")
	named.end("failed")
	if text, code := tail(); code != 0 || !strings.Contains(text, "acme-here #2") || !strings.Contains(text, "\nstepcast: that was the newest build of the project acme-here; a newer one is shown by `stepcast tail acme/named#1`\n") {
		t.Errorf("exit code %d, %q", code, text)
	}
	if text, code := tail("STEPCAST_BUILD=" + named.id); code != 1 || !strings.Contains(text, "acme/named #1") {
		t.Errorf("STEPCAST_BUILD: exit code %d, %q", code, text)
	}
	if text, code := tail("STEPCAST_PROJECT=acme/named"); code != 1 || !strings.Contains(text, "acme/named #1") {
		t.Errorf("STEPCAST_PROJECT: exit code %d, %q", code, text)
	}
	term, cmd := termtest.New(t, 100, 24), stepcast(t, s.env, "tail") // into a file, for whoever is at a terminal
	piped := exec.CommandContext(t.Context(), "sh", "-c", `"$0" tail >/dev/null`, cmd.Path)
	piped.Dir, piped.Env = dir, cmd.Env
	term.Start(t, piped)
	if code := term.Wait(piped); code != 0 || !strings.HasPrefix(term.Text(), "stepcast: acme-here #2") {
		t.Errorf("into a file: exit code %d, %q", code, term.Text())
	}
	stdout, stderr, code := output(t, stepcast(t, s.env, "tail"))
	if code != 2 || stdout != "" || stderr != "stepcast: which build? In a terminal it is the newest of this directory's project, but neither stdout nor stderr is one here: give its id, the address of its page, its project and number, such as acme/api#12, or 'latest', or set STEPCAST_BUILD\n" {
		t.Errorf("in a script: exit code %d, %q, %q", code, stdout, stderr)
	}
}

// TestList_OnATerminal cuts rows, which else are wrapped, and nothing where there is none.
func TestList_OnATerminal(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	const title = "A title that is far too long for a terminal of sixty columns"
	s.do(0, "run", "--project", "acme/api", "--title", title, "--", "true")
	if stdout, _ := s.do(0, "list"); !strings.Contains(stdout, title) {
		t.Errorf("to a pipe: %q", stdout)
	}
	term := termtest.New(t, 60, 10)
	cmd := stepcast(t, append(s.env, "TERM=xterm"), "list")
	term.Start(t, cmd)
	term.Wait(cmd)
	term.Look(func(s *termtest.Screen) {
		rows := s.Visible()
		if len(rows) < 2 || !strings.Contains(rows[1], "A title that") || !strings.HasSuffix(rows[1], "…") || len(rows) > 2 && strings.TrimSpace(rows[2]) != "" {
			t.Errorf("%q", rows)
		}
	})
}
