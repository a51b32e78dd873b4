//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// stat is what /proc/<pid>/stat says, from the third field on: the second, the
// name, may hold anything.
func stat(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, fmt.Errorf("read process: %w", err)
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])), nil
}

// tick is the unit of times in /proc: Linux shows them in hundredths to
// everybody.
const tick = 10 * time.Millisecond

// cpuOf is the processor time that a process has used, user and system.
func cpuOf(pid int) (time.Duration, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	return ticks(fields[11]) + ticks(fields[12]), nil
}

func ticks(field string) time.Duration {
	n, _ := strconv.ParseInt(field, 10, 64)
	return time.Duration(n) * tick
}

// cpuBelow is the time that a process and its children have used, children
// that have ended included.
func cpuBelow(pid int) (time.Duration, error) {
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	sum := ticks(fields[11]) + ticks(fields[12]) + ticks(fields[13]) + ticks(fields[14])
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		child, _ := strconv.Atoi(filepath.Base(dir))
		if fields, err := stat(child); err == nil && fields[1] == strconv.Itoa(pid) {
			sum += ticks(fields[11]) + ticks(fields[12])
		}
	}
	return sum, nil
}

// machine is what all cores did, and what this process and the children that
// it has waited for did of that.
type machine struct {
	at         time.Time
	busy, ours time.Duration
}

func lookAtMachine() (machine, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return machine{}, fmt.Errorf("read the machine's times: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	m := machine{at: time.Now()}
	for i, field := range strings.Fields(line)[1:] {
		if i != 3 && i != 4 && i < 8 { // not idle, not waiting for a disk, nothing twice
			m.busy += ticks(field)
		}
	}
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var use syscall.Rusage
		if err := syscall.Getrusage(who, &use); err != nil {
			return machine{}, fmt.Errorf("read our times: %w", err)
		}
		m.ours += time.Duration(use.Utime.Nano() + use.Stime.Nano())
	}
	return m, nil
}

// othersSince is the part of the machine, 0 to 1, that others have used since.
func (m machine) othersSince() (float64, error) {
	now, err := lookAtMachine()
	others := (now.busy - m.busy) - (now.ours - m.ours)
	return max(0, others.Seconds()) / now.at.Sub(m.at).Seconds() / float64(runtime.NumCPU()), err
}

// memoryOf is the resident memory of a process, in bytes.
func memoryOf(pid int) (int64, error) { return memoryAs(pid, "VmRSS:") }

// peakMemoryOf is the most that it was since forgetPeakOf.
func peakMemoryOf(pid int) (int64, error) { return memoryAs(pid, "VmHWM:") }

// forgetPeakOf begins anew with what it is now: see proc_pid_clear_refs(5).
func forgetPeakOf(pid int) error {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		return fmt.Errorf("reset the peak of the memory: %w", err)
	}
	return nil
}

func memoryAs(pid int, name string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read process: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("the process has no memory")
}

// manyFiles raises the limit of open files as far as it goes, for this process
// and those it starts, and says whether that is at least n.
func manyFiles(n uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	if limit.Cur < limit.Max {
		limit.Cur = limit.Max
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			return fmt.Errorf("raise the limit of open files: %w", err)
		}
	}
	if limit.Cur < n {
		return fmt.Errorf("%d open files are needed and %d allowed: raise ulimit -n", n, limit.Cur)
	}
	return nil
}
