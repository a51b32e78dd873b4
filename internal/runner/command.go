package runner

import (
	"bytes"
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
)

// Exit codes for a command that could not be started, or that ran out of time,
// as shells, env(1) and timeout(1) give them.
const (
	ExitTimeout       = 124
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
	// wholeWait is how long the first bytes of a character wait for the rest.
	wholeWait = 20 * time.Millisecond
	// lateSignal is how much later than the command we may see a signal that
	// both got.
	lateSignal = 100 * time.Millisecond
)

// Command is a command to run as it would run without us.
type Command struct {
	Args   []string // the program and its arguments
	Stdin  *os.File
	Stdout *os.File
	Stderr *os.File
	// Log makes what gets the output: one for each stream.
	Log func() Log

	// PTY runs it on a pseudo-terminal: see terminal.
	PTY bool

	// Timeout, if not 0, is how long it may run until it is told to end, with
	// all its processes that we know of; KillAfter later it is killed.
	Timeout   time.Duration
	KillAfter time.Duration

	// Signals that this process gets. Those that come while the command runs
	// are passed on to it; see Signals.
	Signals <-chan os.Signal
}

// Log gets the output of a stream. Write must not fail, and must not keep the
// command waiting.
type Log interface {
	io.WriteCloser
	// Held is how many of the last bytes written are not kept yet: whether
	// they may be is seen by what comes next. They are shown when they are
	// kept, or after wholeWait.
	Held() int
}

// Result is how a command ended.
type Result struct {
	Code     int  // its exit code, or 128 + the signal that ended it, or ExitTimeout
	Canceled bool // it failed after a signal that we passed on, or a key that ends
	// Interrupted tells that Ctrl-C ended it. Shells leave their loops and
	// scripts only if it ends us in the same way: see EndByInterrupt.
	Interrupted bool
	// Err says why it could not be started, Code being one of ExitSelf,
	// ExitNotExecutable and ExitNotFound, or that it ran out of time.
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

// process is the command while it runs.
type process struct {
	*exec.Cmd
	group bool // it leads a process group of its own

	canceled    atomic.Bool // by a signal or a key
	interrupted atomic.Bool // by Ctrl-C
	timedOut    bool
}

// Run runs the command to its end.
func (c *Command) Run() Result {
	pipes, err := c.pipes()
	if err != nil {
		return Result{Code: ExitSelf, Err: err}
	}
	p := &process{}
	attr, group := c.apart()
	p.Cmd, err = start(c.Args, pipes, attr)
	p.group = group
	pipes.closeWriters()
	if err != nil {
		pipes.closeReaders()
		return notStarted(c.Args[0], err)
	}
	if pipes.terminal != nil {
		pipes.terminal.attach(p)
		defer pipes.terminal.detach()
	}

	var copying sync.WaitGroup
	for _, q := range pipes.all {
		copying.Go(func() {
			defer restoreOnPanic()
			log := c.Log()
			defer log.Close()
			pass(q, log, &pipes.over)
		})
	}
	exited := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		defer restoreOnPanic()
		c.watch(p, pipes.terminal, exited)
	})
	p.Wait() // its result is in ProcessState
	close(exited)
	watching.Wait()
	pipes.finish(&copying)
	c.late(p)

	if p.timedOut {
		p.killRest()
		return Result{Code: ExitTimeout, Err: fmt.Errorf("%s was ended: it ran longer than --timeout=%v", c.Args[0], c.Timeout)}
	}
	code := exitCode(p.ProcessState)
	return Result{
		Code:        code,
		Canceled:    p.canceled.Load() && code != 0,
		Interrupted: p.interrupted.Load() && endedBy(p.ProcessState, isInterrupt),
	}
}

// watch passes signals on, and ends the command when its time is up, until it
// has exited.
func (c *Command) watch(p *process, t *terminal, exited <-chan struct{}) {
	var jobs <-chan os.Signal
	if t != nil {
		jobs = t.signals
	}
	var due <-chan time.Time
	if c.Timeout > 0 {
		timer := time.NewTimer(c.Timeout)
		defer timer.Stop()
		due = timer.C
	}
	for {
		select {
		case <-exited:
			return
		case s := <-c.Signals:
			pressed := reachedByTerminal(s)
			p.told(s, pressed)
			if p.group || !pressed {
				p.signal(s)
			}
		case s := <-jobs:
			t.handle(s, p)
		case <-due:
			if p.timedOut {
				p.endAll(true)
				due = nil
				continue
			}
			p.timedOut = true
			p.endAll(false)
			timer := time.NewTimer(c.KillAfter)
			defer timer.Stop()
			due = timer.C
		}
	}
}

// late notes the signals that came with the command's end. A key that ended it
// is on its way to us as well, and must neither be missed nor be taken for the
// wish to leave the server.
func (c *Command) late(p *process) {
	var limit <-chan time.Time
	if endedBy(p.ProcessState, ends) && !p.canceled.Load() {
		limit = time.After(lateSignal)
	}
	for {
		select {
		case s := <-c.Signals:
			p.told(s, reachedByTerminal(s))
			continue
		default:
		}
		if limit == nil || p.canceled.Load() {
			return
		}
		select {
		case s := <-c.Signals:
			p.told(s, reachedByTerminal(s))
		case <-limit:
			return
		}
	}
}

// told notes a signal that the command gets, from a key or not.
func (p *process) told(s os.Signal, pressed bool) {
	if ends(s) {
		p.canceled.Store(true)
	}
	if pressed && s == os.Interrupt {
		p.interrupted.Store(true)
	}
}

func isInterrupt(s os.Signal) bool { return s == os.Interrupt }

// start starts the program that a shell would start.
func start(args []string, io *pipes, attr *syscall.SysProcAttr) (*exec.Cmd, error) {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = io.in, io.out, io.err, attr
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
	script.Stdin, script.Stdout, script.Stderr, script.SysProcAttr = io.in, io.out, io.err, attr
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
	in, out, err *os.File // the command's ends; out and err the same one or one each
	all          []pipe
	over         atomic.Bool // the command has exited, and its output has had its time
	terminal     *terminal   // that they belong to; nil without
}

type pipe struct {
	from, to *os.File
	// crlf tells that lines come with \r\n, as a terminal sends them to another
	// one. In the log they end with \n, as the command printed them.
	crlf bool
	cr   bool // the log lacks a \r, which may be one of those

	unshown []byte // text that the log got and does not keep yet
	gone    bool   // nothing can be written to it any more
}

// pipes makes a pipe for each of stdout and stderr, or a single one when both
// are the same pipe or terminal: what is written to the one and the other then
// keeps its order.
func (c *Command) pipes() (*pipes, error) {
	if c.PTY {
		return c.onTerminal()
	}
	from, out, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	p := &pipes{in: c.Stdin, out: out, err: out, all: []pipe{{from: from, to: c.Stdout}}}
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
	p.all = append(p.all, pipe{from: from, to: c.Stderr})
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
	p.over.Store(true)
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
// until it ends: each read first to the log, so that nothing is shown that the
// log does not have. A character is not torn apart by the other stream's text:
// its bytes wait for each other. Neither that nor what the log holds back keeps
// the terminal waiting for longer than wholeWait.
//
// When whoever reads our output has gone, the command's pipe is closed, so that
// it meets what it would have met without us. When writing fails otherwise (a
// terminal that is gone, a full disk), the log goes on alone.
func pass(p pipe, log Log, over *atomic.Bool) {
	buf := make([]byte, 128<<10)
	held := 0 // bytes at the start of buf that wait for the rest of a character
	last, left := false, lastRead
	for waits := false; left > 0; {
		n, err := p.from.Read(buf[held:])
		late := errors.Is(err, os.ErrDeadlineExceeded)
		text := buf[:held+n]
		whole := len(text)
		if !late {
			whole -= ci.Unfinished(text)
		}
		p.log(log, text[:whole])
		if !p.show(text[:whole], log, late) {
			return
		}
		held = copy(buf, text[whole:])
		switch {
		case late && !over.Load(): // what it waited for does not come
		case late && !last:
			last = true
		case err != nil:
			left = 0
		}
		switch {
		case last:
			left -= n
			p.from.SetReadDeadline(time.Now().Add(lastWait))
		case held > 0 || len(p.unshown) > 0 || waits:
			waits = held > 0 || len(p.unshown) > 0
			if p.wait(waits, over) != nil && waits { // where pipes know no deadlines
				p.log(log, buf[:held])
				if !p.show(buf[:held], log, true) {
					return
				}
				held = 0
			}
		}
	}
	p.log(log, buf[:held])
	p.show(buf[:held], log, true)
	if p.cr {
		log.Write([]byte{'\r'})
	}
}

// show gives text to the terminal, but for what the log does not keep yet,
// unless it is to show all; false if nobody reads our output any more.
func (p *pipe) show(text []byte, log Log, all bool) bool {
	hold := 0
	if !all {
		hold = log.Held()
	}
	if p.crlf && hold > 0 { // counted in other bytes than these
		hold = len(p.unshown) + len(text)
	}
	if len(p.unshown) > 0 || hold > 0 {
		p.unshown = append(p.unshown, text...)
		text = p.unshown[:max(0, len(p.unshown)-hold)]
	}
	if len(text) == 0 {
		return true
	}
	if !p.gone {
		_, err := p.to.Write(text)
		if isClosedPipe(err) {
			p.from.Close()
			return false
		}
		p.gone = err != nil
	}
	if len(p.unshown) > 0 {
		p.unshown = append(p.unshown[:0], p.unshown[len(text):]...)
	}
	return true
}

// wait bounds how long the next read may take, if that is for the rest of a
// character alone.
func (p *pipe) wait(short bool, over *atomic.Bool) error {
	var until time.Time
	if short {
		until = time.Now().Add(wholeWait)
	}
	err := p.from.SetReadDeadline(until)
	if over.Load() { // finish set one meanwhile, and that one counts
		p.from.SetReadDeadline(time.Now())
	}
	return err
}

// log writes text to the log, as the command printed it.
func (p *pipe) log(log Log, text []byte) {
	if len(text) == 0 {
		return
	}
	if p.crlf {
		if p.cr {
			text = append([]byte{'\r'}, text...)
		}
		if p.cr = bytes.HasSuffix(text, []byte{'\r'}); p.cr { // of a line end, maybe
			text = text[:len(text)-1]
		}
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
	}
	log.Write(text)
}
