//go:build unix

package runner

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkRun_PassThrough is a command that prints as fast as it can, through
// us and reported to a server, beside the same command alone: the figure to
// reach is 80 MB/s.
func BenchmarkRun_PassThrough(b *testing.B) {
	const size = 512 << 20
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer null.Close()
	for _, reported := range []bool{false, true} {
		name := "unreported"
		if reported {
			name = "reported"
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				run := Run{Command: Command{
					Args:   []string{"sh", "-c", "yes 'a line of a build that prints as fast as it can' | head -c 536870912"},
					Stdin:  null,
					Stdout: null,
					Stderr: null,
				}, Say: func(string) {}}
				if reported {
					run.Report = NewReport(serve(b, newContract()), options(&sayings{}))
				}
				if result := run.Do(b.Context()); result.Code != 0 {
					b.Fatal(result)
				}
			}
		})
	}
}

// What the log holds is what the terminal has shown, whatever it is and however
// it comes.
func TestRun_TheLogIsTheOutput(t *testing.T) {
	t.Parallel()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	c, said := newContract(), &sayings{}
	faulty(c, 0.3)
	run := Run{
		Command:      Command{Args: []string{"sh", "-c", `head -c 3000000 /dev/urandom; i=0; while [ $i -lt 200 ]; do printf 'é\303'; printf '\251 %d\n' $i; i=$((i+1)); done; exit 3`}, Stdin: null, Stdout: out, Stderr: out},
		Report:       NewReport(serve(t, c), options(said)),
		DrainTimeout: time.Minute,
		Say:          said.say,
	}
	if result := run.Do(t.Context()); result.Code != 3 {
		t.Errorf("exit code %d", result.Code)
	}
	want, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	build, step := c.step(t)
	if !bytes.Equal(step.log, want) {
		t.Errorf("the log has %d bytes, the output %d", len(step.log), len(want))
	}
	if build.status != "failed" || step.Status != "failed" || *step.exit != 3 || !step.closed {
		t.Errorf("build %s, step %+v", build.status, step.Status)
	}
}

func TestRun_ACommandThatIsNotThere(t *testing.T) {
	t.Parallel()
	c, said := newContract(), &sayings{}
	run := Run{
		Command:      Command{Args: []string{"no-such-command"}, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr},
		Report:       NewReport(serve(t, c), options(said)),
		DrainTimeout: time.Minute,
		Say:          said.say,
	}
	if result := run.Do(t.Context()); result.Code != ExitNotFound {
		t.Errorf("exit code %d", result.Code)
	}
	if _, step := c.step(t); step.Status != "failed" || *step.exit != 127 || string(step.log) != "stepcast: no-such-command: command not found\n" {
		t.Errorf("step %s with %q", step.Status, step.log)
	}
}

// A step has ended when its command has, however long what that left behind takes to be read.
func TestRun_EndsWithItsCommand(t *testing.T) {
	t.Parallel()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	var reads time.Time
	run := Run{
		Command:      Command{Args: []string{"true"}, Stdin: null, Stdout: null, Stderr: null},
		Report:       NewReport(serve(t, newContract()), options(&sayings{})),
		Tests:        []string{filepath.Join(t.TempDir(), "none.xml")},
		DrainTimeout: time.Minute,
		Say: func(string) { // that there is no such file
			for reads = time.Now(); time.Since(reads) < time.Millisecond; {
			}
		},
	}
	run.Do(t.Context())
	if at := run.Report.ending.At; reads.IsZero() || at.After(reads) {
		t.Errorf("the step ended at %v, its results were read from %v on", at, reads)
	}
}

// A step that ran out of time has failed, and its log says why it ends there.
func TestRun_ReportsATimeout(t *testing.T) {
	t.Parallel()
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	c, said := newContract(), &sayings{}
	run := Run{
		Command: Command{
			Args: []string{"sh", "-c", "echo begun; exec sleep 1000"}, Stdin: null, Stdout: null, Stderr: null,
			Timeout: 100 * time.Millisecond, KillAfter: time.Minute,
		},
		Report:       NewReport(serve(t, c), options(said)),
		DrainTimeout: time.Minute,
		Say:          said.say,
	}
	if result := run.Do(t.Context()); result.Code != ExitTimeout {
		t.Errorf("exit code %d", result.Code)
	}
	const why = "sh was ended: it ran longer than --timeout=100ms"
	if _, step := c.step(t); step.Status != "failed" || *step.exit != 124 || !strings.HasSuffix(string(step.log), "stepcast: "+why+"\n") {
		t.Errorf("step %s with %q", step.Status, step.log)
	}
}

// keeping is a log that keeps what it gets.
type keeping struct{ io.Writer }

func (keeping) Close() error { return nil }
func (keeping) Held() int    { return 0 }

// The bytes of a character wait for each other, so that another stream's text
// does not tear it apart in the log; but a program that prints one of them and
// then nothing is not kept waiting, and what is shown is in the log.
func TestPass_DoesNotWaitForCharactersForEver(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	from, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	shownFrom, shown, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		pass(pipe{from: from, to: shown}, keeping{&log}, new(atomic.Bool))
		shown.Close()
	}()
	buf := make([]byte, 10)
	for _, b := range []byte("a🙂") {
		to.Write([]byte{b})
		if n, err := shownFrom.Read(buf); n != 1 || buf[0] != b { // on the terminal
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
	to.Write([]byte("\xf0\x9f"))
	to.Close()
	io.Copy(io.Discard, shownFrom)
	<-done
	if log.String() != "a🙂\xf0\x9f" {
		t.Errorf("the log is %q", log.String())
	}
}
