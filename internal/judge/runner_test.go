//go:build unix

package judge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// printed is what the command under a runner prints: lines of text, of UTF-8
// and of bytes that are none, the same for a seed every time.
func printed(seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	var out []byte
	for i := range 200 + rng.IntN(3000) {
		switch rng.IntN(10) {
		case 0:
			out = append(out, "日本語のログ 🙂 "...)
		case 1:
			out = append(out, 0xff, 0xfe, 0x00)
		}
		out = fmt.Appendf(out, "line %d %s", i, strings.Repeat("x", rng.IntN(120)))
		if rng.IntN(20) > 0 {
			out = append(out, '\n')
		}
	}
	return out
}

// printSlowly prints that, at a pace of its own, and ends with the exit code.
func printSlowly(seed uint64) int {
	rng := rand.New(rand.NewPCG(seed, 2))
	for text := printed(seed); len(text) > 0; {
		n := min(len(text), 1+rng.IntN(4000))
		if _, err := os.Stdout.Write(text[:n]); err != nil {
			return 1
		}
		text = text[n:]
		time.Sleep(time.Duration(rng.IntN(8)) * time.Millisecond)
	}
	return int(seed % 3)
}

// runnerRun is one run of `stepcast run`, and what its terminal had of it.
type runnerRun struct {
	seed    uint64
	project string
	killed  bool
	shown   []byte
	code    int
}

// A runner that is killed at any moment, while the server and PostgreSQL are
// killed too: after a flush the stored log begins with all that the terminal
// had shown and is never reordered, and the step is lost; without a kill of the
// runner it is what the command printed, to the last byte.
func TestFaults_Runner(t *testing.T) {
	t.Parallel()
	a := newArena(t, 1)
	a.load(Plan{Shared: 2, Others: 2, Readers: 3, Feeds: 1, Pace: 20 * time.Millisecond, Timeout: 3 * time.Second})
	a.progress(20)
	want, lanes := 6, 2
	if long {
		want, lanes = 500, 3
	}
	spool := filepath.Join(t.TempDir(), "spool")
	env := append(os.Environ(), "STEPCAST_URL="+a.servers[0].URL, "STEPCAST_TOKEN="+a.token, "STEPCAST_SPOOL_DIR="+spool)

	var mu sync.Mutex
	var runs []runnerRun
	kills := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range runs {
			if r.killed {
				n++
			}
		}
		return n
	}
	var running sync.WaitGroup
	first := a.rng.Uint64()
	for lane := range lanes {
		running.Go(func() {
			for i := uint64(0); kills() < want; i++ {
				seed := first + uint64(lane)<<32 + i
				r, err := runOnce(t.Context(), env, seed, i%4 != 3)
				if err != nil {
					t.Errorf("seed %d: %v", seed, err)
					return
				}
				mu.Lock()
				runs = append(runs, r)
				mu.Unlock()
			}
		})
	}
	over := make(chan struct{})
	go func() { running.Wait(); close(over) }()
	strikes := 0
	for done := false; !done; {
		select {
		case <-over:
			done = true
		case <-time.After(time.Duration(500+a.rng.IntN(2500)) * time.Millisecond):
			if strikes++; strikes%2 == 0 {
				a.killExternal(strikes)
			} else {
				a.killServer(strikes)
			}
		}
	}
	if !long && strikes < 2 { // the runs were over sooner
		a.killServer(0)
		a.killExternal(0)
	}

	a.must(flush(t.Context(), env))
	left, err := filepath.Glob(filepath.Join(spool, "*", "journal"))
	a.must(err)
	if len(left) > 0 {
		t.Errorf("left in the spool: %v", left)
	}
	complete := 0
	for _, r := range runs {
		complete += a.checkRun(r)
	}
	a.loseSilent(runs)
	a.verdict()
	t.Logf("%d runners killed and %d not, of which %d printed all of it; the server or PostgreSQL killed %d times meanwhile", kills(), len(runs)-kills(), complete, strikes)
}

// runOnce runs the printer under stepcast, whose process may be killed at a
// random moment.
func runOnce(ctx context.Context, env []string, seed uint64, kill bool) (r runnerRun, err error) {
	r = runnerRun{seed: seed, project: fmt.Sprintf("runner/%d", seed)}
	bin, err := serverBinary()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, bin, "run", "--project", r.project, "--step", "print", "--", os.Args[0])
	cmd.Env = append(slices.Clip(env), "STEPCAST_PRINT="+strconv.FormatUint(seed, 10)) // other lanes append too
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	terminal, theirs, err := os.Pipe()
	if err != nil {
		return r, err
	}
	defer terminal.Close()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = theirs, &said
	if err := cmd.Start(); err != nil {
		return r, err
	}
	theirs.Close()
	shown := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(terminal)
		shown <- all
	}()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var moment <-chan time.Time
	if kill {
		moment = time.After(rand.N(400 * time.Millisecond))
	}
	select {
	case err = <-ended:
	case <-moment:
		r.killed = cmd.Process.Kill() == nil
		err = <-ended
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what the runner left behind
	r.shown = <-shown
	var exit *exec.ExitError
	if r.code = cmd.ProcessState.ExitCode(); err != nil && !errors.As(err, &exit) {
		return r, fmt.Errorf("%w: %s", err, said.String())
	}
	r.killed = r.killed && r.code < 0
	return r, nil
}

// flush delivers what is left, however often it takes.
func flush(ctx context.Context, env []string) error {
	bin, err := serverBinary()
	if err != nil {
		return err
	}
	var out []byte
	for range 10 {
		cmd := exec.CommandContext(ctx, bin, "flush")
		cmd.Env = env
		if out, err = cmd.CombinedOutput(); err == nil {
			return nil
		}
	}
	return fmt.Errorf("flush: %w: %s", err, out)
}

type storedBuild struct {
	ID, Status string
	Steps      []struct {
		Status      string
		ExitCode    *int  `json:"exit_code"`
		LogBytes    int64 `json:"log_bytes"`
		LogComplete bool  `json:"log_complete"`
	}
}

func (a *arena) fetch(path string) []byte {
	a.Helper()
	var body []byte
	status := 0
	a.await("an answer to GET "+path, time.Minute, func() bool {
		response, err := http.Get(a.servers[0].URL + path)
		a.must(err)
		defer response.Body.Close()
		body, err = io.ReadAll(response.Body)
		a.must(err)
		status = response.StatusCode
		return status != http.StatusServiceUnavailable // PostgreSQL was killed a moment ago
	})
	if status != http.StatusOK {
		a.Fatalf("GET %s: %d %s", path, status, body)
	}
	return body
}

// stored is the only build of a project; false if there is none.
func (a *arena) stored(project string) (storedBuild, bool) {
	a.Helper()
	var list struct{ Builds []storedBuild }
	a.must(json.Unmarshal(a.fetch("/api/v1/builds?project="+project), &list))
	if len(list.Builds) > 1 {
		a.Fatalf("%s has %d builds", project, len(list.Builds))
	}
	if len(list.Builds) == 0 {
		return storedBuild{}, false
	}
	var b storedBuild
	a.must(json.Unmarshal(a.fetch("/api/v1/builds/"+list.Builds[0].ID), &b))
	return b, true
}

// checkRun holds the stored log to what the terminal had shown. It returns 1
// when all was printed.
func (a *arena) checkRun(r runnerRun) int {
	a.Helper()
	all := printed(r.seed)
	if !bytes.HasPrefix(all, r.shown) {
		at := 0
		for at < min(len(all), len(r.shown)) && all[at] == r.shown[at] {
			at++
		}
		a.Errorf("seed %d: of %d bytes the terminal showed others from %d on: %q, not %q", r.seed, len(r.shown), at, r.shown[at:min(at+200, len(r.shown))], all[at:min(at+200, len(all))])
	}
	b, ok := a.stored(r.project)
	if !ok {
		if !r.killed || len(r.shown) > 0 {
			a.Errorf("seed %d: there is no build; the terminal showed %d bytes", r.seed, len(r.shown))
		}
		return 0 // killed before there was anything to report
	}
	log := a.fetch("/api/v1/builds/" + b.ID + "/steps/print/log")
	if !bytes.HasPrefix(all, log) || !bytes.HasPrefix(log, r.shown) {
		a.Errorf("seed %d: the log has %d bytes, the terminal showed %d of %d", r.seed, len(log), len(r.shown), len(all))
	}
	step := b.Steps[0]
	switch {
	case r.killed && step.ExitCode == nil && !step.LogComplete:
	case r.killed && step.LogComplete && len(log) == len(all): // after its end was said
	case !r.killed && len(log) == len(all) && len(r.shown) == len(all) && step.LogComplete && *step.ExitCode == int(r.seed%3) && r.code == int(r.seed%3):
	default:
		a.Errorf("seed %d, killed %v: the step is %+v, the log has %d of %d bytes, exit code %d", r.seed, r.killed, step, len(log), len(all), r.code)
	}
	if len(log) == len(all) {
		return 1
	}
	return 0
}

// loseSilent lets 90 s pass, for the database, and holds the server to calling
// every step lost whose end nobody said.
func (a *arena) loseSilent(runs []runnerRun) {
	a.Helper()
	const past = `- interval '100 seconds'`
	for _, sql := range []string{
		`UPDATE hearing SET since = since - interval '1 day'`,
		`UPDATE steps SET heard_at = heard_at ` + past + ` WHERE build IN (SELECT b.id FROM builds b JOIN projects p ON p.id = b.project WHERE p.name LIKE 'runner/%')`,
		`UPDATE build_heads SET heard_at = heard_at ` + past + ` WHERE build IN (SELECT b.id FROM builds b JOIN projects p ON p.id = b.project WHERE p.name LIKE 'runner/%')`,
	} {
		_, err := a.sql().Exec(a.Context(), sql)
		a.must(err)
	}
	for _, r := range runs {
		a.await(fmt.Sprintf("an end of the step of seed %d", r.seed), time.Minute, func() bool {
			b, ok := a.stored(r.project)
			return !ok || b.Steps[0].Status != "running"
		})
		if b, ok := a.stored(r.project); ok && r.killed && b.Steps[0].ExitCode == nil && b.Steps[0].Status != "lost" {
			a.Errorf("seed %d: the step is %s", r.seed, b.Steps[0].Status)
		}
	}
}
