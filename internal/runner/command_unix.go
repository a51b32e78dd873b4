//go:build unix

package runner

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

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

// ends tells whether a signal is meant to end the command.
func ends(s os.Signal) bool {
	return s != syscall.SIGUSR1 && s != syscall.SIGUSR2
}

// reachedByTerminal tells whether the command got the signal as we did, from
// the terminal: a key reaches the whole process group in the foreground, and
// passing it on would press it twice.
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
