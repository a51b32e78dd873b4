package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal opens a new terminal: our end, and the command's.
func terminal(t *testing.T) (ours, theirs *os.File) {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	t.Cleanup(func() { ours.Close() })
	if err := unix.IoctlSetPointerInt(int(ours.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(ours.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	return ours, theirs
}

// Ctrl-C reaches the command once, from the terminal, as it would without us.
func TestRun_CtrlC(t *testing.T) {
	t.Parallel()
	ours, theirs := terminal(t)
	cmd := stepcast(t, nil, "run", "--", "sh", "-c", `n=0; trap 'n=$((n+1))' INT; echo ready; while [ $n = 0 ]; do sleep 0.05; done; sleep 0.3; echo "$n times"; exit 6`)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	var seen []string
	for lines := bufio.NewScanner(ours); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		seen = append(seen, line)
		if line == "ready" {
			ours.Write([]byte{3})
		}
	}
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 6 || !strings.Contains(strings.Join(seen, "\n"), "1 times") {
		t.Errorf("exit code %d, output %q", code, seen)
	}
}
