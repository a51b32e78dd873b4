package runner

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// asTerminal makes the test binary a command that runs another one on a
// terminal, with its log in descriptor 3. The value says what happens to it.
const asTerminal = "STEPCAST_TEST_TERMINAL"

func TestMain(m *testing.M) {
	what := os.Getenv(asTerminal)
	if what == "" {
		// Built with the race detector, each process would sleep for a second at its end.
		os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE"))
		os.Exit(m.Run())
	}
	os.Unsetenv(asTerminal)
	var log Log = keeping{os.NewFile(3, "log")}
	if what == "panic" {
		log = keeping{panicking{}}
	}
	c := Command{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Log: func() Log { return log }, PTY: true}
	os.Exit(c.Run().Code)
}

type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("no log") }

// onTerminal runs a shell's command in that way, under a terminal of ours. What
// comes back is what the terminal showed, the log, and the modes of the terminal
// afterwards.
func onTerminal(t *testing.T, what, command string) (shown, log string, before, after *unix.Termios) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs, err := pty.Open()
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	defer ours.Close()
	defer theirs.Close()
	if before, err = termios(theirs); err != nil {
		t.Fatal(err)
	}
	logFrom, logTo, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer logFrom.Close()
	cmd := exec.CommandContext(t.Context(), self, "sh", "-c", command)
	cmd.Env = append(os.Environ(), asTerminal+"="+what)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = theirs, theirs, theirs, []*os.File{logTo}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	logTo.Close()
	all := make(chan string)
	go func() {
		text, _ := io.ReadAll(logFrom)
		all <- string(text)
	}()
	over := make(chan string)
	go func() {
		var text bytes.Buffer
		io.Copy(&text, ours) // ends with EIO
		over <- text.String()
	}()
	cmd.Wait()
	if after, err = termios(theirs); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	return <-over, <-all, before, after
}

// On the terminal lines end as a terminal wants it, in the log as the command
// printed them, whatever its reads were.
func TestTerminal_TheLogIsWhatWasPrinted(t *testing.T) {
	t.Parallel()
	const command = `i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo "line $i é"; printf 'half\r'; printf 'windows\r\n\n'; done; printf '\303'; printf '\251\r'`
	plain, err := exec.Command("sh", "-c", command).Output()
	if err != nil {
		t.Fatal(err)
	}
	shown, log, before, after := onTerminal(t, "run", command)
	if log != string(plain) {
		t.Errorf("the log has %d bytes, printed were %d", len(log), len(plain))
	}
	if want := strings.ReplaceAll(string(plain), "\n", "\r\n"); shown != want {
		t.Errorf("%d bytes were shown, not %d", len(shown), len(want))
	}
	if *before != *after {
		t.Errorf("the modes are %+v, and were %+v", after, before)
	}
}

// Not even a mistake of ours leaves a terminal behind that is of no use.
func TestTerminal_IsRestoredByAPanic(t *testing.T) {
	t.Parallel()
	shown, _, before, after := onTerminal(t, "panic", "stty >/dev/null; echo on; sleep 1000")
	if !strings.Contains(shown, "no log") {
		t.Errorf("no panic: %q", shown)
	}
	if *before != *after {
		t.Errorf("the modes are %+v, and were %+v", after, before)
	}
}

// What the log gets, for every way in which a terminal's output may come in
// pieces.
func TestPass_LinesOfATerminal(t *testing.T) {
	t.Parallel()
	const text = "a\r\nb\r\r\nc\r\r\n\r\r\né\r"
	for cut := range len(text) + 1 {
		from, to, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		shownFrom, shown, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		done := make(chan struct{})
		go func() {
			defer close(done)
			pass(pipe{from: from, to: shown, crlf: true}, keeping{&log}, new(atomic.Bool))
		}()
		got := make([]byte, len(text))
		for _, part := range []string{text[:cut], text[cut:]} {
			to.WriteString(part)
			if _, err := io.ReadFull(shownFrom, got[:len(part)]); err != nil || string(got[:len(part)]) != part {
				t.Errorf("shown was %q, not %q", got, part)
			}
		}
		to.Close()
		<-done
		for _, f := range []*os.File{from, shown, shownFrom} {
			f.Close()
		}
		if want := "a\nb\r\nc\r\n\r\né\r"; log.String() != want {
			t.Errorf("cut at %d, the log is %q, not %q", cut, log.String(), want)
		}
	}
}

func TestBelow_ListsDescendants(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `sh -c 'sleep 1000 & echo $$ $!; wait' & wait`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var child, grandchild int
	if _, err := fmt.Fscan(out, &child, &grandchild); err != nil {
		t.Fatal(err)
	}
	got := below(cmd.Process.Pid)
	for _, pid := range append(got, cmd.Process.Pid) {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	cmd.Wait()
	if len(got) != 2 || got[0] != child || got[1] != grandchild {
		t.Errorf("%v, not %d and %d", got, child, grandchild)
	}
}
