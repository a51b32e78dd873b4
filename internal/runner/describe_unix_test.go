//go:build unix

package runner

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What git is may be a script that waits for another: the bound holds for both,
// and for who has left the script's group and holds its output.
func TestDescribe_GitThatHangs(t *testing.T) {
	for _, c := range []struct{ name, leaves string }{{"its child", ""}, {"who left", "setsid "}} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := exec.LookPath("setsid"); c.leaves != "" && err != nil {
				t.Skip(err)
			}
			dir := t.TempDir()
			said := filepath.Join(dir, "said")
			if err := syscall.Mkfifo(said, 0o600); err != nil {
				t.Fatal(err)
			}
			script := "#!/bin/sh\n" + c.leaves + `sh -c 'exec 3>"$0"; echo $$ >&3; exec sleep 300' '` + said + "'\nexit 1\n"
			if err := os.WriteFile(filepath.Join(dir, "git"), []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			described := make(chan struct{})
			go func() {
				defer close(described)
				Describe(ctx, dir)
			}()
			child, err := os.Open(said) // opens when the child does
			if err != nil {
				t.Fatal(err)
			}
			defer child.Close()
			line := make([]byte, 20)
			n, err := child.Read(line)
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(line[:n])))
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				io.Copy(io.Discard, child)
			}()
			patience := time.After(time.Minute)
			select {
			case <-described:
			case <-patience:
				t.Error("it waits for who holds git's output")
			}
			if c.leaves == "" {
				select {
				case <-ended:
					return
				case <-patience:
					t.Error("git's child is still there")
				}
			}
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				t.Error(err)
			}
			<-ended
			<-described
		})
	}
}
