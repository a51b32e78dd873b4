//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// The printed lines have 128 bytes with their ends. At a pace they are so many
// a second.
const (
	printedBytes = 128
	printedPace  = 100_000
)

// benchSecret names a variable whose value is hidden in what is printed, where
// it does not occur: looking for it is what costs.
const benchSecret = "STEPCAST_BENCH_SECRET"

// printLines is the role of a command: it prints so many lines, so many a second
// or, with 0, as fast as it can. Like a program whose stdout is a pipe, it writes
// 4 KiB at a time, and at a pace whatever is due every millisecond.
func printLines(args []string) error {
	if len(args) != 2 {
		return errors.New("print what? how many lines, and how many a second")
	}
	lines, err1 := strconv.Atoi(args[0])
	rate, err2 := strconv.Atoi(args[1])
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	const block = 4 << 10
	w, text := newLineWriter(7), []byte(nil)
	for range 128 * block / printedBytes {
		text = append(w.sized(text, printedBytes-1), '\n')
	}
	size := lines * printedBytes
	start := time.Now()
	for done := 0; done < size; {
		due := size
		if rate > 0 {
			due = min(size, int(time.Since(start).Seconds()*float64(rate))*printedBytes)
		}
		for done < due {
			at := done % len(text)
			n, err := os.Stdout.Write(text[at:min(at+min(block, due-done), len(text))])
			if err != nil {
				return err
			}
			done += n
		}
		if rate > 0 && done < size {
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}

// printed is what a command's printing cost.
type printed struct {
	arrived time.Duration // from the start to the last byte
	took    time.Duration // and to the end of all
	cpu     time.Duration // of it and its children
}

// print runs a command that prints lines into a pipe that this process drains,
// alone or with something around it.
func (r *round) print(ctx context.Context, lines, rate int, around []string, env ...string) (p printed, err error) {
	self, err := os.Executable()
	if err != nil {
		return p, fmt.Errorf("print: %w", err)
	}
	args := append(append([]string(nil), around...), self, strconv.Itoa(lines), strconv.Itoa(rate))
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(append(os.Environ(), roleVariable+"=printer"), env...)
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return p, fmt.Errorf("print: %w", err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return p, fmt.Errorf("print: %w", err)
	}
	buf, arrived := make([]byte, 1<<20), 0
	for {
		n, err := out.Read(buf)
		if arrived += n; n > 0 {
			p.arrived = time.Since(start)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				return p, fmt.Errorf("print: %w", err)
			}
			break
		}
	}
	if err := cmd.Wait(); err != nil {
		return p, fmt.Errorf("print: %v: %w\n%s", args, err, said.Bytes())
	}
	p.took = time.Since(start)
	p.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if want := lines * printedBytes; arrived != want {
		return p, fmt.Errorf("print: %d bytes arrived, not %d", arrived, want)
	}
	return p, nil
}

// wrap is the command line of `stepcast run`, with the flags that are measured.
func (r *round) wrap(url, token string, flags ...string) (around, env []string) {
	around = append([]string{r.bin, "run", "--project", "bench/wrapped", "--no-show-url", "--mask-env", benchSecret}, flags...)
	around = append(append(around, r.runFlags...), "--")
	return around, []string{"STEPCAST_URL=" + url, "STEPCAST_TOKEN=" + token, "STEPCAST_BUILD=", "STEPCAST_DATA_DIR=" + r.dir, "STEPCAST_SPOOL_DIR=" + filepath.Join(r.dir, "spool"), benchSecret + "=correct horse battery staple"}
}

// measurePaced compares the time of a command that prints at a pace with that
// of the same under `stepcast run`, up to the end of both.
func measurePaced(server bool) func(context.Context, *round) ([]value, error) {
	return func(ctx context.Context, r *round) ([]value, error) {
		// In the full size 10 seconds.
		lines := int(r.size.duration.Seconds() * printedPace * 10 / full.duration.Seconds())
		around, env := r.wrap("http://127.0.0.1:1", "stp_none", "--drain-timeout=0s") // nobody listens there
		if server {
			srv, err := r.startServer(ctx)
			if err != nil {
				return nil, err
			}
			defer srv.stop()
			around, env = r.wrap("http://"+srv.addr, srv.token)
		}
		bare, err := r.print(ctx, lines, printedPace, nil)
		if err != nil {
			return nil, err
		}
		wrapped, err := r.print(ctx, lines, printedPace, around, env...)
		if err != nil {
			return nil, err
		}
		note := fmt.Sprintf("the last line after %.3f s, alone after %.3f s; CPU %.2f s, alone %.2f s", wrapped.arrived.Seconds(), bare.arrived.Seconds(), wrapped.cpu.Seconds(), bare.cpu.Seconds())
		return []value{{got: wrapped.took.Seconds(), reference: bare.took.Seconds(), ratio: wrapped.took.Seconds() / bare.took.Seconds(), note: note}}, nil
	}
}

// measurePass is how much of a command that prints as fast as it can comes
// through, up to the last byte; beside it the same through cat, and alone.
func measurePass(ctx context.Context, r *round) ([]value, error) {
	srv, err := r.startServer(ctx)
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	// The rest of the log is of no interest once the last byte has come through.
	around, env := r.wrap("http://"+srv.addr, srv.token, "--drain-timeout=0s")
	lines := r.size.lines * 8
	wrapped, err := r.print(ctx, lines, 0, around, env...)
	if err != nil {
		return nil, err
	}
	cat, err := r.print(ctx, lines, 0, []string{"sh", "-c", `"$@" | cat`, "sh"})
	if err != nil {
		return nil, err
	}
	bare, err := r.print(ctx, lines, 0, nil)
	if err != nil {
		return nil, err
	}
	rate := func(p printed) float64 { return float64(lines*printedBytes) / 1e6 / p.arrived.Seconds() }
	note := fmt.Sprintf("through cat %.0f MB/s, which is %.2f of it; alone %.0f MB/s; CPU %.2f s, cat %.2f s, alone %.2f s",
		rate(cat), rate(wrapped)/rate(cat), rate(bare), wrapped.cpu.Seconds(), cat.cpu.Seconds(), bare.cpu.Seconds())
	return []value{{got: rate(wrapped), ratio: rate(wrapped), note: note}}, nil
}
