package runner

import (
	"errors"
	"os"
	"os/exec"
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

// terminal is what --pty runs a command on elsewhere.
type terminal struct{ signals chan os.Signal }

func (c *Command) onTerminal() (*pipes, error) {
	return nil, errors.New("--pty is for Unix systems: Windows has no pseudo-terminal of that kind")
}

func (*terminal) attach(*process)            {}
func (*terminal) detach()                    {}
func (*terminal) handle(os.Signal, *process) {}
func restoreOnPanic()                        {}

// LineEnd ends a line that is printed beside the command's output.
func LineEnd() string { return "\n" }

func (c *Command) apart() (*syscall.SysProcAttr, bool) { return nil, false }

func (p *process) signal(s os.Signal) { p.Process.Signal(s) }

// endAll kills the command: there is no gentler way that it could not miss.
func (p *process) endAll(bool) { p.Process.Kill() }

func (p *process) killRest() {}

// EndByInterrupt does nothing: here an exit code says it all.
func EndByInterrupt() {}

func endedBy(*os.ProcessState, func(os.Signal) bool) bool { return false }

func exitCode(state *os.ProcessState) int { return state.ExitCode() }

func ownGroup(*exec.Cmd) {}
