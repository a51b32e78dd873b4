//go:build unix

package runner

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// Terminal is one that a header can be shown on.
type Terminal struct {
	file   *os.File
	before *unix.Termios // its settings, while they are changed
}

// OpenTerminal returns the terminal that a file is, or nil if it is none.
func OpenTerminal(file *os.File) *Terminal {
	if _, err := unix.IoctlGetWinsize(int(file.Fd()), unix.TIOCGWINSZ); err != nil {
		return nil
	}
	return &Terminal{file: file}
}

// Write writes to the terminal.
func (t *Terminal) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return t.file.Write(p)
}

// size is the terminal's, in characters; 0 and 0 when it has none, and while it
// is another job's.
func (t *Terminal) size() (columns, rows int) {
	size, err := unix.IoctlGetWinsize(int(t.file.Fd()), unix.TIOCGWINSZ)
	if err != nil || !t.ours() {
		return 0, 0
	}
	return int(size.Col), int(size.Row)
}

// ours tells whether we are the terminal's foreground job. What cannot be known
// counts as yes: the terminal may not be the one that controls us.
func (t *Terminal) ours() bool {
	group, err := unix.IoctlGetInt(int(t.file.Fd()), unix.TIOCGPGRP)
	return err != nil || group == 0 || group == unix.Getpgrp()
}

// hush keeps what is typed from being shown: an Enter would move the cursor.
func (t *Terminal) hush() {
	if t.before != nil || !t.ours() {
		return
	}
	now, err := unix.IoctlGetTermios(int(t.file.Fd()), getTermios)
	if err != nil {
		return
	}
	before := *now
	now.Lflag &^= unix.ECHO
	if unix.IoctlSetTermios(int(t.file.Fd()), setTermios, now) == nil {
		t.before = &before
	}
}

// restore takes back what hush did.
func (t *Terminal) restore() {
	if t.before != nil && t.ours() {
		_ = unix.IoctlSetTermios(int(t.file.Fd()), setTermios, t.before)
	}
	t.before = nil
}

// signals tells when the terminal's size changes and when the process is to be
// stopped or was continued. They are notices, so one of each that waits is as
// good as many.
func (t *Terminal) signals() (<-chan os.Signal, func()) {
	c := make(chan os.Signal, 8)
	signal.Notify(c, syscall.SIGWINCH, syscall.SIGCONT)
	if !signal.Ignored(syscall.SIGTSTP) {
		signal.Notify(c, syscall.SIGTSTP)
	}
	return c, func() { signal.Stop(c) }
}

func isSuspend(s os.Signal) bool { return s == syscall.SIGTSTP }

// stopSelf stops the process, as the Ctrl-Z that we took would have done.
func stopSelf() { _ = syscall.Kill(syscall.Getpid(), syscall.SIGSTOP) }
