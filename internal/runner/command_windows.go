package runner

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/windows"
)

// Signals starts to collect the signals that [Command.Run] passes on.
func Signals() (<-chan os.Signal, func()) {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	return signals, func() { signal.Stop(signals) }
}

func ends(os.Signal) bool { return true }

// reachedByTerminal is always true: the console tells every process in it.
func reachedByTerminal(os.Signal) bool { return true }

func isClosedPipe(err error) bool {
	return errors.Is(err, windows.ERROR_BROKEN_PIPE) || errors.Is(err, windows.ERROR_NO_DATA)
}

func exitCode(state *os.ProcessState) int { return state.ExitCode() }
