package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// A disk of the spool that fills up: the command does not notice, the server
// gets all of the log, and one line says what that means.
func TestRun_TheDiskOfTheSpoolIsFull(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no right to mount: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	s := newServer(t)
	s.kill() // so that it all has to wait
	env := append(s.env, "STEPCAST_SPOOL_DIR="+dir+"/spool", "STEPCAST_URL="+s.url)
	cmd := stepcast(t, env, "run", "--project", "acme/full", "--step", "seq", "--", "sh", "-c", "seq 800000; exit 3")
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.start()
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 3 {
		t.Errorf("exit code %d", code)
	}
	full := fmt.Sprintf("stepcast: the spool %s/spool/", dir)
	if strings.Count(stderr.String(), full) != 1 || !strings.Contains(stderr.String(), " cannot take more (no space left on device): what the server does not have yet is kept in memory only\n") {
		t.Errorf("stderr %q", stderr.String())
	}
	b := s.build("acme/full")
	if b.Status != "failed" || !b.Steps[0].LogComplete {
		t.Errorf("the build is %+v", b)
	}
	if log := s.get("/api/v1/builds/" + b.ID + "/steps/seq/log"); string(log) != stdout.String() {
		t.Errorf("the log has %d bytes, the terminal %d", len(log), stdout.Len())
	}
}
