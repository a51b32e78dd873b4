//go:build linux

package main

import (
	"bytes"
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

	"github.com/stepcast/stepcast/internal/ci"
)

// server is the program under test with its own PostgreSQL.
type server struct {
	dir   string // its data directory
	cmd   *exec.Cmd
	over  chan struct{} // closed when it has ended
	addr  string        // host:port
	token string
}

// startServer runs the program on a data directory, and returns when it is
// ready.
func startServer(ctx context.Context, bin, dir string, env ...string) (*server, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("start server: %w", err)
	}
	_ = os.Remove(filepath.Join(dir, "address"))
	log, err := os.OpenFile(dir+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start server: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(bin, "serve", "--data-dir", dir, "--listen", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "STEPCAST_DATABASE_URL=", "STEPCAST_LISTEN_DATABASE_URL=")
	cmd.Env = append(cmd.Env, env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	s := &server{dir: dir, cmd: cmd, over: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // for Pdeathsig goes out when the thread ends
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(s.over)
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start server: %w", err)
	}
	if err := s.awaitReady(ctx); err != nil {
		s.stop()
		said, _ := os.ReadFile(dir + ".log")
		return nil, fmt.Errorf("start server: %w\n%s", err, said)
	}
	return s, nil
}

func (s *server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for tick := time.Tick(10 * time.Millisecond); ; {
		if text, err := os.ReadFile(filepath.Join(s.dir, "address")); err == nil {
			s.addr = strings.TrimPrefix(strings.TrimSpace(string(text)), "http://")
			if resp, err := http.Get("http://" + s.addr + "/readyz"); err == nil {
				resp.Body.Close()
				if resp.StatusCode == http.StatusOK {
					break
				}
			}
		}
		select {
		case <-s.over:
			return errors.New("it ended before it was ready")
		case <-ctx.Done():
			return errors.New("it is not ready")
		case <-tick:
		}
	}
	token, err := os.ReadFile(filepath.Join(s.dir, "token"))
	s.token = strings.TrimSpace(string(token))
	return err
}

// stop ends the server, and with it its PostgreSQL. Readers are to be gone by
// then, or it takes its time to send them off.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.over:
	case <-time.After(30 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.over
	}
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// postgresPID is the process of its PostgreSQL.
func (s *server) postgresPID() (int, error) {
	text, err := os.ReadFile(filepath.Join(s.dir, "pg", "postmaster.pid"))
	if err != nil {
		return 0, fmt.Errorf("find PostgreSQL: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(line)
}

// databaseURL is where its PostgreSQL listens: see package embedded.
func (s *server) databaseURL() (string, error) {
	socket, err := filepath.EvalSymlinks(filepath.Join(s.dir, "run"))
	return "postgres:///stepcast?host=" + socket + "&port=5432&user=stepcast&sslmode=disable", err
}

// createBuild makes a running build and returns its id, the last byte of which
// can be chosen.
func (s *server) createBuild(ctx context.Context, last int) (string, error) {
	id := ci.NewBuildID()
	id[len(id)-1] = byte(last)
	body := fmt.Sprintf(`{"id":"%s","project":"bench/load","status":"running","branch":"main"}`, id)
	return id.String(), s.call(ctx, "/api/v1/builds", body)
}

// createBuilds makes n of them, evenly spread over any number of committers.
func (s *server) createBuilds(ctx context.Context, n int) ([]string, error) {
	ids := make([]string, n)
	for i := range ids {
		var err error
		if ids[i], err = s.createBuild(ctx, i); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// finishBuild ends a build and so its streams.
func (s *server) finishBuild(ctx context.Context, id string) error {
	return s.call(ctx, "/api/v1/builds/"+id+"/updates", `{"updates":[{"build":{"status":"passed"}}]}`)
}

// call posts JSON, outside of what is measured.
func (s *server) call(ctx context.Context, path, body string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.addr+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+s.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("post %s: %s: %s", path, response.Status, bytes.TrimSpace(text))
	}
	return nil
}
