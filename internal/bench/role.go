//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Readers and crowds of them, the bare loop that the fan-out is measured against,
// and the command that is wrapped are processes of their own: this program again,
// told by its environment what it is to be. All but the command take one order a
// line and answer each with one line.
const roleVariable = "STEPCAST_BENCH_ROLE"

// runRole is all that main does in such a process.
func runRole(role string) error {
	var obey func(order []string) (string, error)
	switch role {
	case "readers":
		obey = newReaders().obey
	case "crowd":
		obey = newCrowd().obey
	case "siege":
		obey = new(siege).obey
	case "writer":
		obey = new(writer).obey
	case "printer":
		return printLines(os.Args[1:])
	default:
		return fmt.Errorf("there is no role %s", role)
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		reply, err := obey(strings.Fields(in.Text()))
		if err != nil {
			reply = "error " + err.Error()
		}
		fmt.Println(strings.ReplaceAll(reply, "\n", " "))
	}
	return nil
}

// helper is such a process, as seen by this one.
type helper struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startHelper(role string) (*helper, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	return startOrders(role, cmd)
}

// startOrders starts any process that takes one order a line and answers each
// with one line.
func startOrders(role string, cmd *exec.Cmd) (*helper, error) {
	h := &helper{cmd: cmd}
	h.cmd.Stderr = os.Stderr
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if h.in, err = h.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	h.out = bufio.NewReader(out)
	if err := h.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", role, err)
	}
	return h, nil
}

func (h *helper) pid() int { return h.cmd.Process.Pid }

// stop ends the process, and with it its connections.
func (h *helper) stop() {
	h.in.Close()
	ended := make(chan struct{})
	go func() {
		_ = h.cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
		_ = h.cmd.Process.Kill()
		<-ended
	}
}

// ask gives an order and waits for its answer, which it scans into values.
func (h *helper) ask(ctx context.Context, order string, values ...any) error {
	reply, err := h.reply(ctx, order)
	if err != nil {
		return err
	}
	if _, err := fmt.Sscan(reply, values...); err != nil && len(values) > 0 {
		return fmt.Errorf("%s: %s: %w", order, reply, err)
	}
	return nil
}

// reply gives an order and returns its answer.
func (h *helper) reply(ctx context.Context, order string) (string, error) {
	stop := context.AfterFunc(ctx, func() { _ = h.cmd.Process.Kill() })
	defer stop()
	if _, err := fmt.Fprintln(h.in, order); err != nil {
		return "", fmt.Errorf("%s: %w", order, err)
	}
	reply, err := h.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("%s: %w", order, errors.Join(ctx.Err(), err))
	}
	reply = strings.TrimSpace(reply)
	if why, failed := strings.CutPrefix(reply, "error "); failed {
		return "", fmt.Errorf("%s: %s", order, why)
	}
	return reply, nil
}
