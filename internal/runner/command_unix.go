//go:build unix

package runner

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Signals starts to collect the signals that [Command.Run] passes on. Those
// that this process was told to ignore (nohup) stay ignored, for the command
// too. From here on, writing to a closed pipe is an error and no longer our
// end.
func Signals() (<-chan os.Signal, func()) {
	signals := make(chan os.Signal, 16)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	return signals, func() {
		signal.Stop(signals)
		signal.Stop(broken)
	}
}

// ends tells whether a signal is one that we pass on and meant to end the
// command.
func ends(s os.Signal) bool {
	return s == syscall.SIGINT || s == syscall.SIGTERM || s == syscall.SIGHUP || s == syscall.SIGQUIT
}

// apart says how the command is kept apart from us, and whether it then leads a
// process group. As a rule it stays in ours, so that a shell's job control and a
// CI system's way to end a job treat both as one. With a timeout it gets a group
// of its own, to be ended as a whole, except under a terminal, which talks to
// the group in the foreground only.
func (c *Command) apart() (attr *syscall.SysProcAttr, group bool) {
	switch {
	case c.PTY:
		return &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 1}, true
	case c.Timeout > 0 && !underTerminal():
		return &syscall.SysProcAttr{Setpgid: true}, true
	}
	return nil, false
}

func underTerminal() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	tty.Close()
	return true
}

// signal passes a signal on: to the command's whole group if it has one, for
// whoever signals a job signals its group, and we are all of ours. An error
// means that it has just ended.
func (p *process) signal(s os.Signal) {
	if p.group {
		syscall.Kill(-p.Process.Pid, s.(syscall.Signal))
		return
	}
	p.Process.Signal(s)
}

// endAll tells the command and its processes to end, even if they are stopped,
// or kills them.
func (p *process) endAll(kill bool) {
	s := syscall.SIGTERM
	if kill {
		s = syscall.SIGKILL
	}
	if p.group {
		syscall.Kill(-p.Process.Pid, s)
		syscall.Kill(-p.Process.Pid, syscall.SIGCONT)
		return
	}
	for _, pid := range append(below(p.Process.Pid), p.Process.Pid) {
		syscall.Kill(pid, s)
		syscall.Kill(pid, syscall.SIGCONT)
	}
}

// killRest kills what outlives the command in its group.
func (p *process) killRest() {
	if p.group {
		syscall.Kill(-p.Process.Pid, syscall.SIGKILL)
	}
}

// EndByInterrupt ends this process as Ctrl-C ends one that does not care. It
// returns only where that cannot be.
func EndByInterrupt() {
	signal.Reset(syscall.SIGINT)
	syscall.Kill(os.Getpid(), syscall.SIGINT)
	<-time.After(time.Second) // any thread may get it, and takes no time to
}

// endedBy tells whether a process was ended by one of some signals.
func endedBy(state *os.ProcessState, one func(os.Signal) bool) bool {
	w, ok := state.Sys().(syscall.WaitStatus)
	return ok && w.Signaled() && one(w.Signal())
}

// reachedByTerminal tells whether the command got the signal as we did, from
// the terminal: a key reaches the whole process group in the foreground, and
// passing it on would press it twice. The terminal's SIGHUP reaches the group
// too, but not always, and who gets it is used to getting it twice: shells and
// the kernel both send it.
func reachedByTerminal(s os.Signal) bool {
	if s != syscall.SIGINT && s != syscall.SIGQUIT {
		return false
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

func isClosedPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

func exitCode(state *os.ProcessState) int {
	if w, ok := state.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return 128 + int(w.Signal())
	}
	return state.ExitCode()
}

// ownGroup keeps the keys of the terminal from a helper of ours, which ends
// with all that it started when its context does.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
