package runner

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/spool"
)

// Exit codes for a command that could not be started, as shells and env(1)
// give them.
const (
	ExitSelf          = 125
	ExitNotExecutable = 126
	ExitNotFound      = 127
)

const (
	// grace is how long after the command's exit its output may be held open
	// by processes that it left behind.
	grace = time.Second
	// lastRead bounds what is still read after the grace: more than a pipe
	// holds, so that the command's own words are among it.
	lastRead = 1 << 20
	lastWait = 10 * time.Millisecond
)

// Command is a command to run as it would run without us.
type Command struct {
	Args   []string // the program and its arguments
	Stdin  *os.File
	Stdout *os.File
	Stderr *os.File
	Log    io.Writer // gets all output; must not fail, and must not keep it waiting

	// Signals that this process gets. Those that come while the command runs
	// are passed on to it; see Signals.
	Signals <-chan os.Signal
}

// Result is how a command ended.
type Result struct {
	Code     int  // its exit code, or 128 + the signal that ended it
	Canceled bool // it failed after a signal that we passed on
	// Err says why it could not be started: Code is then one of ExitSelf,
	// ExitNotExecutable and ExitNotFound.
	Err error
}

// Status is what the result means for a step.
func (r Result) Status() ci.Status {
	switch {
	case r.Code == 0:
		return ci.Passed
	case r.Canceled:
		return ci.Canceled
	}
	return ci.Failed
}

// Run runs the command to its end.
func (c *Command) Run() Result {
	pipes, err := c.pipes()
	if err != nil {
		return Result{Code: ExitSelf, Err: err}
	}
	cmd, err := start(c.Args, c.Stdin, pipes.out, pipes.err)
	pipes.closeWriters()
	if err != nil {
		pipes.closeReaders()
		return notStarted(c.Args[0], err)
	}

	var copying sync.WaitGroup
	for _, p := range pipes.all {
		copying.Go(func() { pass(p.from, p.to, c.Log) })
	}
	exited := make(chan struct{})
	var forwarding sync.WaitGroup
	var canceled atomic.Bool
	forwarding.Go(func() {
		for {
			select {
			case <-exited:
				return
			case s := <-c.Signals:
				canceled.Store(canceled.Load() || ends(s))
				if !reachedByTerminal(s) {
					cmd.Process.Signal(s) // an error means that it has just ended
				}
			}
		}
	})
	cmd.Wait() // its result is in ProcessState
	close(exited)
	forwarding.Wait()
	pipes.finish(&copying)

	code := exitCode(cmd.ProcessState)
	return Result{Code: code, Canceled: canceled.Load() && code != 0}
}

// start starts the program that a shell would start.
func start(args []string, stdin, stdout, stderr *os.File) (*exec.Cmd, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	if errors.Is(cmd.Err, exec.ErrDot) {
		cmd.Err = nil // PATH names the current directory: the user's choice
	}
	err := cmd.Start()
	if !errors.Is(err, syscall.ENOEXEC) {
		return cmd, err
	}
	// A script without a first line that names its shell; execvp(3) and every
	// shell give it to sh.
	script := exec.Command("/bin/sh", append([]string{cmd.Path}, args[1:]...)...)
	script.Stdin, script.Stdout, script.Stderr = stdin, stdout, stderr
	if script.Start() != nil {
		return cmd, err
	}
	return script, nil
}

func notStarted(name string, err error) Result {
	var why *exec.Error
	var path *fs.PathError
	if errors.As(err, &why) {
		err = why.Err
	} else if errors.As(err, &path) {
		err = path.Err
	}
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return Result{Code: ExitNotFound, Err: fmt.Errorf("%s: command not found", name)}
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.ENOEXEC), errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENOTDIR):
		return Result{Code: ExitNotExecutable, Err: fmt.Errorf("%s: cannot be executed: %w", name, err)}
	}
	return Result{Code: ExitSelf, Err: fmt.Errorf("start %s: %w", name, err)}
}

// pipes carry the command's output to us.
type pipes struct {
	out, err *os.File // the command's ends; the same one for both or one each
	all      []pipe
}

type pipe struct{ from, to *os.File }

// pipes makes a pipe for each of stdout and stderr, or a single one when both
// are the same pipe or terminal: what is written to the one and the other then
// keeps its order.
func (c *Command) pipes() (*pipes, error) {
	from, out, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	p := &pipes{out: out, err: out, all: []pipe{{from, c.Stdout}}}
	if sameStream(c.Stdout, c.Stderr) {
		return p, nil
	}
	from, p.err, err = os.Pipe()
	if err != nil {
		p.err = p.out
		p.closeWriters()
		p.closeReaders()
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	p.all = append(p.all, pipe{from, c.Stderr})
	return p, nil
}

func sameStream(a, b *os.File) bool {
	x, err := a.Stat()
	if err != nil || x.Mode().IsRegular() {
		return false // two descriptors of one file may write at two places
	}
	y, err := b.Stat()
	return err == nil && os.SameFile(x, y)
}

func (p *pipes) closeWriters() {
	p.out.Close()
	p.err.Close() // again, if they are one: harmless
}

func (p *pipes) closeReaders() {
	for _, q := range p.all {
		q.from.Close()
	}
}

// finish waits until the output is over, as the package comment says.
func (p *pipes) finish(copying *sync.WaitGroup) {
	over := make(chan struct{})
	go func() {
		copying.Wait()
		close(over)
	}()
	select {
	case <-over:
		p.closeReaders()
		return
	case <-time.After(grace):
	}
	for _, q := range p.all {
		// Where pipes know no deadlines, the readers are left behind.
		if errors.Is(q.from.SetReadDeadline(time.Now()), os.ErrNoDeadline) {
			return
		}
	}
	<-over
	p.closeReaders()
}

// pass copies a stream of the command's output to the log and to the terminal
// until it ends. A character is not torn apart by the other stream's text: the
// log gets its bytes when they are all there.
//
// When whoever reads our output has gone, the command's pipe is closed, so that
// it meets what it would have met without us. When writing fails otherwise (a
// terminal that is gone, a full disk), the log goes on alone.
func pass(from, to *os.File, log io.Writer) {
	buf := make([]byte, 128<<10)
	held := 0 // bytes at the start of buf that the log has not got
	last, left := false, lastRead
	gone := false
	for left > 0 {
		n, err := from.Read(buf[held:])
		if n > 0 {
			text := buf[:held+n]
			whole := len(text) - spool.Unfinished(text)
			log.Write(text[:whole])
			if !gone {
				_, werr := to.Write(text[held:])
				if isClosedPipe(werr) {
					log.Write(text[whole:])
					from.Close()
					return
				}
				gone = werr != nil
			}
			held = copy(buf, text[whole:])
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && !last:
			last = true
		case err != nil:
			left = 0
		}
		if last {
			left -= n
			from.SetReadDeadline(time.Now().Add(lastWait))
		}
	}
	log.Write(buf[:held])
}
