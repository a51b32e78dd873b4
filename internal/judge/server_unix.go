//go:build unix

package judge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Server is one `stepcast serve` process, to be killed, stopped and started
// again.
type Server struct {
	bin  string
	dir  string
	args []string
	log  *os.File

	cmd  *exec.Cmd
	over chan struct{} // closed when the process has ended
	URL  string        // such as http://127.0.0.1:8080; the same after a restart
}

// NewServer starts a server with its data directory in dir, which exists, and
// returns when it is ready. More flags may be given, such as --database-url.
// What it says goes into dir/server.log.
func NewServer(ctx context.Context, bin, dir string, flags ...string) (*Server, error) {
	log, err := os.OpenFile(filepath.Join(dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("new server: %w", err)
	}
	s := &Server{bin: bin, dir: dir, args: append([]string{"serve", "--data-dir", dir}, flags...), log: log}
	if err := s.Start(); err != nil {
		return nil, err
	}
	if err := s.AwaitReady(ctx); err != nil {
		s.Kill()
		return nil, err
	}
	return s, nil
}

// Start starts the process, at its former address if it had one.
func (s *Server) Start() error {
	listen := "127.0.0.1:0"
	if s.URL != "" {
		listen = strings.TrimPrefix(s.URL, "http://")
	} else {
		_ = os.Remove(s.addressFile())
	}
	cmd := exec.Command(s.bin, append(s.args, "--listen", listen)...)
	cmd.Stdout, cmd.Stderr = s.log, s.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithUs(cmd.SysProcAttr)
	started, over := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread() // see dieWithUs
		defer close(over)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	s.cmd, s.over = cmd, over
	return nil
}

func (s *Server) addressFile() string { return filepath.Join(s.dir, "address") }

// AwaitReady waits until /readyz is 200.
func (s *Server) AwaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var why string
	for {
		if s.URL == "" {
			if text, err := os.ReadFile(s.addressFile()); err == nil {
				s.URL = "http://" + strings.TrimPrefix(strings.TrimSpace(string(text)), "http://")
			}
		}
		if s.URL != "" {
			var ready bool
			if ready, why = s.ready(ctx); ready {
				return nil
			}
		}
		select {
		case <-s.over:
			return fmt.Errorf("the server ended before it was ready:\n%s", s.tail())
		case <-ctx.Done():
			return fmt.Errorf("the server is not ready: %s\n%s", why, s.tail())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (s *Server) ready(ctx context.Context) (ready bool, why string) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/readyz", nil)
	must(err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false, err.Error()
	}
	defer response.Body.Close()
	detail, _ := io.ReadAll(io.LimitReader(response.Body, 2000))
	return response.StatusCode == http.StatusOK, string(detail)
}

// tail is the end of what the server said.
func (s *Server) tail() string {
	text, _ := os.ReadFile(s.log.Name())
	return string(text[max(0, len(text)-2000):])
}

// Token is the token that the server left in its data directory.
func (s *Server) Token() (string, error) {
	text, err := os.ReadFile(filepath.Join(s.dir, "token"))
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// Signal sends the process a signal.
func (s *Server) Signal(sig syscall.Signal) error { return s.cmd.Process.Signal(sig) }

// Kill is kill -9 of the server's process alone, and waits for its end.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.over
}

// KillAll is kill -9 of the server and of all processes below it at once.
func (s *Server) KillAll() error {
	pids, err := descendants(s.cmd.Process.Pid)
	if err != nil {
		return err
	}
	for _, pid := range append(pids, s.cmd.Process.Pid) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("kill %d: %w", pid, err)
		}
	}
	<-s.over
	return nil
}

// Stop is SIGTERM, and after 20 s SIGKILL.
func (s *Server) Stop() {
	_ = s.Signal(syscall.SIGCONT)
	_ = s.Signal(syscall.SIGTERM)
	select {
	case <-s.over:
	case <-time.After(20 * time.Second):
		s.Kill()
	}
	_ = s.log.Close()
}

// KillPostgres is kill -9 of the embedded PostgreSQL's postmaster.
func (s *Server) KillPostgres() error {
	text, err := os.ReadFile(filepath.Join(s.dir, "pg", "postmaster.pid"))
	if err != nil {
		return fmt.Errorf("find postmaster: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return fmt.Errorf("find postmaster: %w", err)
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

// descendants lists the processes below one, as ps tells.
func descendants(root int) ([]int, error) {
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	children := map[int][]int{}
	for line := range strings.Lines(string(out)) {
		var pid, parent int
		if _, err := fmt.Sscan(line, &pid, &parent); err == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	var below []int
	for todo := []int{root}; len(todo) > 0; todo = todo[1:] {
		below = append(below, children[todo[0]]...)
		todo = append(todo, children[todo[0]]...)
	}
	return below, nil
}
