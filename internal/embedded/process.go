//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is one run of PostgreSQL.
type process struct {
	pid  int
	done chan struct{} // closed when it has ended
	err  error         // how; to be read after done
}

// launch starts PostgreSQL. On Linux the kernel sends it SIGQUIT when the
// thread that started it ends, so one goroutine keeps one thread for as long as
// PostgreSQL lives, and it dies with the server whatever kills that.
//
// SIGQUIT is the shutdown at once, without a checkpoint. The other choice,
// SIGINT, would leave a cleaner cluster, but a next start that has to wait for
// it; and the recovery that it would spare is what every power cut needs anyway.
func launch(cmd *exec.Cmd) (*process, error) {
	p := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with us
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// ended says whether the process is gone, and how.
func (p *process) ended() (error, bool) {
	select {
	case <-p.done:
		if p.err == nil {
			return errors.New("it ended by itself"), true
		}
		return p.err, true
	default:
		return nil, false
	}
}

// awaitReady returns when this very process takes connections: another one,
// left over, may answer on the same socket, so the first line of its
// postmaster.pid has to be the process we started.
func (p *process) awaitReady(ctx context.Context, cluster, socketDir string) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		file, _ := readPIDFile(cluster)
		if file.pid == p.pid && file.status == "ready" && ping(ctx, socketDir) == nil {
			return nil
		}
		select {
		case <-p.done:
			err, _ := p.ended()
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// stop ends PostgreSQL: sessions are cut off and everything is written
// (SIGINT). When that takes too long, as on a disk that is stuck, it ends at
// once (SIGQUIT), which loses nothing either, and at last by force.
func (p *process) stop() {
	for _, step := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{
		{syscall.SIGINT, 20 * time.Second},
		{syscall.SIGQUIT, 10 * time.Second},
		{syscall.SIGKILL, 10 * time.Second},
	} {
		if _, ended := p.ended(); ended {
			return
		}
		_ = syscall.Kill(p.pid, step.signal)
		select {
		case <-p.done:
		case <-time.After(step.wait):
		}
	}
}

// pidFile is what we read of postmaster.pid.
type pidFile struct {
	pid    int
	status string // "ready" and others
}

// readPIDFile reads PostgreSQL's own guard of the cluster. It is never written
// or deleted here.
func readPIDFile(cluster string) (pidFile, error) {
	text, err := os.ReadFile(filepath.Join(cluster, "postmaster.pid"))
	if err != nil {
		return pidFile{}, fmt.Errorf("read postmaster.pid: %w", err)
	}
	lines := strings.Split(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil {
		return pidFile{}, fmt.Errorf("read postmaster.pid: %w", err)
	}
	file := pidFile{pid: pid}
	if len(lines) > 7 { // PIDfile lines 1 to 8: the status is the last
		file.status = strings.TrimSpace(lines[7])
	}
	return file, nil
}

// endOrphan ends a PostgreSQL that a server before us left behind on this
// cluster. It is to be called under the data directory's lock: whatever runs
// there then is nobody's.
func endOrphan(ctx context.Context, cluster string) error {
	file, err := readPIDFile(cluster)
	if err != nil || file.pid <= 1 || file.pid == os.Getpid() || !serves(file.pid, cluster) {
		return nil // none, or its number is another program's by now
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for signal, until := syscall.SIGQUIT, time.Now().Add(10*time.Second); ; {
		if err := syscall.Kill(file.pid, signal); errors.Is(err, syscall.ESRCH) {
			return nil
		} else if err != nil {
			return fmt.Errorf("end the PostgreSQL that was left over (process %d): %w", file.pid, err)
		}
		_ = syscall.Kill(file.pid, syscall.SIGCONT) // it may have been stopped
		for time.Now().Before(until) {
			if !serves(file.pid, cluster) {
				return nil
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
			}
		}
		if signal == syscall.SIGKILL {
			return fmt.Errorf("the PostgreSQL that was left over (process %d) does not end", file.pid)
		}
		signal, until = syscall.SIGKILL, time.Now().Add(10*time.Second)
	}
}

// What PostgreSQL says is kept in a file that it holds open itself, and not
// read through a pipe of ours: a stopped or killed server must not block it.
const maxLog = 8 << 20

// openLog opens the file for what PostgreSQL says, and returns its size.
func openLog(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("open PostgreSQL's log: %w", err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("open PostgreSQL's log: %w", err)
	}
	return f, size, nil
}

// boundLog keeps the log at most about 8 MiB long, with one older part beside
// it. PostgreSQL appends, so the file can be cut under it; what it says in
// between is lost.
func boundLog(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() <= maxLog {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cut PostgreSQL's log: %w", err)
	}
	if err := os.Truncate(path, 0); err != nil {
		return fmt.Errorf("cut PostgreSQL's log: %w", err)
	}
	if len(text) > 2*maxLog {
		text = text[len(text)-2*maxLog:]
	}
	if err := os.WriteFile(path+".1", text, 0o600); err != nil {
		return fmt.Errorf("cut PostgreSQL's log: %w", err)
	}
	return nil
}

// logSince reads at most the first 16 KiB that were logged after an offset.
func logSince(path string, offset int64) []byte {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	text, _ := io.ReadAll(io.NewSectionReader(f, offset, 16<<10))
	return text
}
