package embedded

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// dieWithUs has the kernel end PostgreSQL when we are gone.
func dieWithUs(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGQUIT }

// systemSettings are settings that only this system knows. Before recovery
// PostgreSQL syncs everything that it had written before it was killed: file by
// file takes 1 to 2 s on a disk that is busy, the whole file system at once a
// tenth of that. Kernels before 5.8 would not report errors so.
func systemSettings() []string {
	var name unix.Utsname
	var major, minor int
	if unix.Uname(&name) != nil {
		return nil
	}
	if _, err := fmt.Sscanf(unix.ByteSliceToString(name.Release[:]), "%d.%d", &major, &minor); err != nil {
		return nil
	}
	if major < 5 || major == 5 && minor < 8 {
		return nil
	}
	return []string{"recovery_init_sync_method=syncfs"}
}

// serves says whether a process is a living PostgreSQL of this cluster: all of
// its processes have it as their working directory.
func serves(pid int, cluster string) bool {
	dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid)) // fails for a zombie
	if err != nil || dir != cluster {
		return false
	}
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return err == nil && strings.HasPrefix(string(name), "postgres")
}

// endStragglers ends the sessions of a PostgreSQL that was killed. Most notice
// by themselves, but one in a long query does not until that is done, and for
// so long PostgreSQL refuses to start again: they share memory with it.
func endStragglers(ctx context.Context, cluster string) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		left := 0
		dirs, _ := filepath.Glob("/proc/[0-9]*")
		for _, dir := range dirs {
			if pid, err := strconv.Atoi(filepath.Base(dir)); err == nil && serves(pid, cluster) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
				left++
			}
		}
		if left == 0 {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(5 * time.Millisecond):
		}
	}
}
