package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// widen makes a pipe hold pipeBytes, so that a command that prints fast is not
// stopped, and we are not woken, every 64 KiB. Where the kernel does not allow
// it, the pipe stays as it is.
func widen(pipe *os.File) {
	conn, err := pipe.SyscallConn()
	if err != nil {
		return
	}
	conn.Control(func(fd uintptr) {
		unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeBytes)
	})
}

// below lists the processes that a process started, and that those started, as
// far as their parents are still there.
func below(pid int) []int {
	var all []int
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list) // a thread that has ended has none
		for _, field := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(field)
			if err == nil {
				all = append(append(all, child), below(child)...)
			}
		}
	}
	return all
}
