//go:build unix

package runner

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal that a command runs on, as the first of a
// session of its own. Its stdout and stderr are one stream then.
//
// Under a terminal of ours, that is if stdin and stdout are our controlling
// terminal, ours becomes a mere screen and keyboard: it is in raw mode while
// the command runs and we are in the foreground, every byte passes in both
// directions as it is, and the command's terminal does all that a terminal
// does: it echoes, edits lines, ends lines with \r\n, and turns keys into
// signals, for the command only. One key is ours. The kernel lets nobody stop
// the only job of a session, so Ctrl-Z stops the command with SIGSTOP, and then
// us and our job as it would have without us.
//
// Otherwise stdin is the command's as it is, and its terminal leaves line ends
// alone: what it prints is what arrives, as through a pipe.
type terminal struct {
	ours     *os.File       // what the command prints comes from here, what is typed goes here
	streams  [3]*os.File    // stdin, stdout and stderr: one of them may have a size
	signals  chan os.Signal // SIGTSTP, SIGCONT and SIGWINCH: see handle
	keyboard *os.File       // our terminal, if there is one
	cooked   unix.Termios   // how it was

	woken, wake *os.File // a pipe: raw has changed, or is over

	mu  sync.Mutex
	raw bool // the keyboard is ours to read
}

// rawTerminal is the terminal that has ours in raw mode. There is one of each
// in a process at most.
var rawTerminal atomic.Pointer[terminal]

// restoreOnPanic, deferred, leaves our terminal as it was when this goroutine
// brings the process down.
func restoreOnPanic() {
	cause := recover()
	if cause == nil {
		return
	}
	if t := rawTerminal.Load(); t != nil {
		t.leave()
	}
	panic(cause)
}

// LineEnd ends a line that is printed beside the command's output. A terminal
// in raw mode does not go to the start of the next line by itself.
func LineEnd() string {
	if rawTerminal.Load() != nil {
		return "\r\n"
	}
	return "\n"
}

// onTerminal makes a terminal for the command.
func (c *Command) onTerminal() (*pipes, error) {
	master, theirs, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("make a terminal: %w", err)
	}
	defer master.Close()
	t := &terminal{streams: [3]*os.File{c.Stdout, c.Stdin, c.Stderr}, signals: make(chan os.Signal, 16)}
	if err := t.open(master, theirs); err != nil {
		theirs.Close()
		return nil, fmt.Errorf("make a terminal: %w", err)
	}
	p := &pipes{in: c.Stdin, out: theirs, err: theirs, all: []pipe{{from: t.ours, to: c.Stdout}}, terminal: t}
	if t.keyboard != nil {
		p.in, p.all[0].crlf = theirs, true
	}
	return p, nil
}

func (t *terminal) open(master, theirs *os.File) error {
	// Anew, without blocking, so that reading it can be given up.
	fd, err := unix.FcntlInt(master.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return err
	}
	unix.SetNonblock(fd, true)
	t.ours = os.NewFile(uintptr(fd), master.Name())
	stdout, stdin := t.streams[0], t.streams[1]
	mode, err := termios(stdin)
	if _, outErr := termios(stdout); err == nil && outErr == nil && controls(stdin) {
		t.keyboard, t.cooked = stdin, *mode
	} else if mode, err = termios(theirs); err == nil {
		mode.Oflag &^= unix.ONLCR
	}
	if err == nil {
		err = unix.IoctlSetTermios(int(theirs.Fd()), setTermios, mode)
	}
	if err == nil && t.keyboard != nil {
		t.woken, t.wake, err = os.Pipe()
	}
	if err != nil {
		t.ours.Close()
		return err
	}
	t.resize()
	return nil
}

// attach begins to read our terminal for the command, which has been started.
func (t *terminal) attach(p *process) {
	signal.Notify(t.signals, syscall.SIGCONT, syscall.SIGWINCH)
	if !signal.Ignored(syscall.SIGTSTP) {
		signal.Notify(t.signals, syscall.SIGTSTP)
	}
	if t.keyboard == nil {
		return
	}
	t.enter()
	go func() {
		defer restoreOnPanic()
		defer t.woken.Close()
		t.read(p)
	}()
}

// detach leaves our terminal as it was.
func (t *terminal) detach() {
	signal.Stop(t.signals)
	t.leave()
	if t.wake != nil {
		t.wake.Close()
	}
}

// handle does what a terminal and a shell's job control ask of us.
func (t *terminal) handle(s os.Signal, p *process) {
	switch s {
	case syscall.SIGWINCH:
		t.resize()
	case syscall.SIGTSTP:
		if !underShell() {
			t.signal(p, syscall.SIGTSTP)
			return
		}
		t.signal(p, syscall.SIGSTOP)
		t.leave()
		t.stop()
		t.proceed(p)
	case syscall.SIGCONT: // after a SIGSTOP, which nobody sees come
		t.proceed(p)
	}
}

// stop stops this process, and returns when it is continued. It is SIGSTOP,
// because the Go runtime cannot give SIGTSTP its own effect back.
func (t *terminal) stop() {
	for len(t.signals) > 0 {
		<-t.signals // a SIGCONT of before would let us go on
	}
	syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	for s := range t.signals {
		if s == syscall.SIGCONT {
			return
		}
	}
}

// proceed goes on after a stop, in the foreground or not.
func (t *terminal) proceed(p *process) {
	t.resize()
	t.enter()
	t.signal(p, syscall.SIGCONT)
}

// signal signals the command's group, and the one in the foreground of its
// terminal, if that is another.
func (t *terminal) signal(p *process, s syscall.Signal) {
	syscall.Kill(-p.Process.Pid, s)
	t.control(func(fd int) error {
		group, err := unix.IoctlGetInt(fd, unix.TIOCGPGRP)
		if err == nil && group > 1 && group != p.Process.Pid {
			syscall.Kill(-group, s)
		}
		return err
	})
}

// enter puts our terminal in raw mode if it is ours: in the background we
// neither change nor read it, or we would be stopped for it.
func (t *terminal) enter() {
	if t.keyboard == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.raw = foreground(t.keyboard)
	if t.raw {
		raw := makeRaw(t.cooked)
		t.raw = unix.IoctlSetTermios(int(t.keyboard.Fd()), setTermios, &raw) == nil
	}
	if t.raw {
		rawTerminal.Store(t)
	} else {
		rawTerminal.CompareAndSwap(t, nil)
	}
	t.wake.Write([]byte{0})
}

// leave gives our terminal back as it was. It does not wait until what was
// printed is on the screen, as it may be held there with Ctrl-S.
func (t *terminal) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.raw && foreground(t.keyboard) {
		unix.IoctlSetTermios(int(t.keyboard.Fd()), setTermios, &t.cooked)
	}
	t.raw = false
	rawTerminal.CompareAndSwap(t, nil)
}

// read passes on what is typed, until detach.
func (t *terminal) read(p *process) {
	buf := make([]byte, 4<<10)
	for {
		ready := []unix.PollFd{
			{Fd: int32(t.woken.Fd()), Events: unix.POLLIN},
			{Fd: int32(t.keyboard.Fd()), Events: unix.POLLIN},
		}
		t.mu.Lock()
		if !t.raw {
			ready = ready[:1]
		}
		t.mu.Unlock()
		// What is typed when the command has ended is for whoever comes next,
		// so a read must not be under way then.
		if _, err := unix.Poll(ready, -1); err != nil && !errors.Is(err, syscall.EINTR) {
			return
		}
		if ready[0].Revents != 0 {
			if n, _ := t.woken.Read(buf); n == 0 {
				return
			}
			continue
		}
		if len(ready) < 2 || ready[1].Revents == 0 {
			continue
		}
		n, err := t.keyboard.Read(buf)
		t.typed(p, buf[:n])
		if err != nil {
			return
		}
	}
}

// typed passes keys on to the command's terminal. Those that end it are noted,
// and the one that stops it is ours, as long as they have these meanings there.
func (t *terminal) typed(p *process, keys []byte) {
	mode, err := termios(t.ours)
	for i, key := range keys {
		if err != nil || mode.Lflag&unix.ISIG == 0 {
			break
		}
		switch {
		case key == 0 || key == 0xff: // no key: that is how one is switched off
		case key == mode.Cc[unix.VINTR]:
			p.told(syscall.SIGINT, true)
		case key == mode.Cc[unix.VQUIT]:
			p.told(syscall.SIGQUIT, true)
		case key == mode.Cc[unix.VSUSP] && underShell():
			t.ours.Write(keys[:i])
			syscall.Kill(0, syscall.SIGTSTP) // to our job: we are in it, see handle
			t.typed(p, keys[i+1:])
			return
		}
	}
	t.ours.Write(keys)
}

// resize gives the command's terminal the size of ours, or what the environment
// says, or the size that terminals had.
func (t *terminal) resize() {
	size := &unix.Winsize{Row: 24, Col: 80}
	if n, err := strconv.ParseUint(os.Getenv("LINES"), 10, 16); err == nil && n > 0 {
		size.Row = uint16(n)
	}
	if n, err := strconv.ParseUint(os.Getenv("COLUMNS"), 10, 16); err == nil && n > 0 {
		size.Col = uint16(n)
	}
	for _, f := range t.streams {
		if f == nil {
			continue
		}
		if ours, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil && ours.Col > 0 {
			size = ours
			break
		}
	}
	t.control(func(fd int) error { return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, size) })
}

// control does something with our end's descriptor, which Fd would make
// blocking.
func (t *terminal) control(do func(fd int) error) error {
	return control(t.ours, do)
}

func control(f *os.File, do func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	if outer := conn.Control(func(fd uintptr) { err = do(int(fd)) }); outer != nil {
		return outer
	}
	return err
}

// termios tells the modes of a terminal; an error says that it is none.
func termios(f *os.File) (mode *unix.Termios, err error) {
	err = control(f, func(fd int) error {
		mode, err = unix.IoctlGetTermios(fd, getTermios)
		return err
	})
	return mode, err
}

// controls tells whether a terminal is the one that controls our session.
func controls(tty *os.File) bool {
	_, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil
}

// foreground tells whether our process group is the one that a terminal listens
// to.
func foreground(tty *os.File) bool {
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// underShell tells whether we are a job of a shell, which would see us stop and
// could let us go on. The first group of a session is nobody's job: nothing of
// it can be stopped from the keyboard.
func underShell() bool {
	session, err := unix.Getsid(0)
	return err == nil && session != unix.Getpgrp()
}

// makeRaw switches off all that a terminal does by itself, as cfmakeraw(3) does.
func makeRaw(mode unix.Termios) unix.Termios {
	mode.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	mode.Oflag &^= unix.OPOST
	mode.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	mode.Cflag &^= unix.CSIZE | unix.PARENB
	mode.Cflag |= unix.CS8
	mode.Cc[unix.VMIN], mode.Cc[unix.VTIME] = 1, 0
	return mode
}
