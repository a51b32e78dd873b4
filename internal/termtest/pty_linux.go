package termtest

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Terminal is a pseudo-terminal with the screen that shows what is written to
// it.
type Terminal struct {
	Theirs *os.File // the command's end

	ours *os.File
	done chan struct{} // nobody has the other end any more

	mu     sync.Mutex
	screen *Screen
	raw    []byte
}

// New opens a terminal of this size.
func New(tb testing.TB, columns, rows int) *Terminal {
	tb.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		tb.Skip("no terminals here: ", err)
	}
	tb.Cleanup(func() { ours.Close() })
	if err := unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		tb.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	if err != nil {
		tb.Fatal(err)
	}
	theirs, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { theirs.Close() })
	t := &Terminal{Theirs: theirs, ours: ours, done: make(chan struct{}), screen: NewScreen(columns, rows)}
	t.Resize(tb, columns, rows)
	go t.read()
	return t
}

func (t *Terminal) read() {
	defer close(t.done)
	buf := make([]byte, 4096)
	for {
		n, err := t.ours.Read(buf)
		t.mu.Lock()
		t.screen.Write(buf[:n])
		t.raw = append(t.raw, buf[:n]...)
		t.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Start starts a command that this is the controlling terminal of.
func (t *Terminal) Start(tb testing.TB, cmd *exec.Cmd) {
	tb.Helper()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = t.Theirs, t.Theirs, t.Theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
}

// Wait returns the exit code of a command that was started here, once all that
// it has written is on the screen.
func (t *Terminal) Wait(cmd *exec.Cmd) int {
	t.Theirs.Close()
	_ = cmd.Wait() // the code tells
	<-t.done
	return cmd.ProcessState.ExitCode()
}

// Type types.
func (t *Terminal) Type(tb testing.TB, keys string) {
	tb.Helper()
	if _, err := t.ours.WriteString(keys); err != nil {
		tb.Fatal(err)
	}
}

// Resize changes the size, of which the foreground job is told.
func (t *Terminal) Resize(tb testing.TB, columns, rows int) {
	tb.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.screen.Resize(columns, rows)
	size := &unix.Winsize{Col: uint16(columns), Row: uint16(rows)}
	if err := unix.IoctlSetWinsize(int(t.ours.Fd()), unix.TIOCSWINSZ, size); err != nil {
		tb.Fatal(err)
	}
}

// Echoes tells whether the terminal shows what is typed.
func (t *Terminal) Echoes(tb testing.TB) bool {
	tb.Helper()
	settings, err := unix.IoctlGetTermios(int(t.ours.Fd()), unix.TCGETS)
	if err != nil {
		tb.Fatal(err)
	}
	return settings.Lflag&unix.ECHO != 0
}

// Look looks at the screen.
func (t *Terminal) Look(look func(*Screen)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	look(t.screen)
}

// Text is all that can be seen by scrolling back.
func (t *Terminal) Text() (text string) {
	t.Look(func(s *Screen) { text = s.Text() })
	return text
}

// Raw is all that was written.
func (t *Terminal) Raw() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]byte(nil), t.raw...)
}

// WaitFor waits until the screen is as wanted, with a bound that only a hang
// reaches.
func (t *Terminal) WaitFor(tb testing.TB, what string, wanted func(*Screen) bool) {
	tb.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); ; <-tick.C {
		found := false
		t.Look(func(s *Screen) { found = wanted(s) })
		if found {
			return
		}
		if time.Now().After(end) {
			tb.Fatalf("%s: not on the screen:\n%s", what, t.Text())
		}
	}
}
