//go:build unix && !linux

package embedded

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// dieWithUs: only Linux ends a child with its parent. Elsewhere PostgreSQL
// outlives a killed server, and the next start ends it.
func dieWithUs(*syscall.SysProcAttr) {}

// systemSettings are settings that only this system knows.
func systemSettings() []string { return nil }

// serves says whether a process is a living PostgreSQL of this cluster: we
// start it with the cluster's path after -D.
func serves(pid int, cluster string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ps", "-ww", "-o", "args=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && strings.Contains(string(out), "postgres -D "+cluster+" ")
}

// endStragglers does nothing: sessions end when their query does.
func endStragglers(context.Context, string) {}
