package runner

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/outline"
)

// results are the files in which a command leaves test results, and what of
// them was there before it.
type results struct {
	patterns []string
	before   map[string]time.Time
	hide     func(io.Reader) io.ReadCloser // what is to be hidden
}

// lookAtResults notes which files are there before the command.
func lookAtResults(patterns []string, hide func(io.Reader) io.ReadCloser) *results {
	r := &results{patterns: patterns, before: make(map[string]time.Time), hide: hide}
	for _, pattern := range patterns {
		paths, _ := filepath.Glob(pattern) // read says what is wrong with it
		for _, path := range paths {
			if info, err := os.Stat(path); err == nil {
				r.before[path] = info.ModTime()
			}
		}
	}
	return r
}

// read reads the results. What cannot be read is said, and is no reason for
// anything else.
func (r *results) read(say func(string)) (tests []ci.Test) {
	done := make(map[string]bool)
	for _, pattern := range r.patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			say(fmt.Sprintf("--tests %s: it is not a pattern that can be", pattern))
			continue
		}
		if len(paths) == 0 {
			say(fmt.Sprintf("--tests %s: there is no such file", pattern))
		}
		for _, path := range paths {
			if done[path] {
				continue
			}
			done[path] = true
			found, err := r.readFile(path)
			if err != nil {
				say(fmt.Sprintf("--tests %s: %v", path, err))
			}
			tests = append(tests, found...)
		}
	}
	return tests
}

func (r *results) readFile(path string) ([]ci.Test, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("it is no file that can be read")
	}
	if before, ok := r.before[path]; ok && before.Equal(info.ModTime()) {
		return nil, errors.New("the command left it as it was before: its results are not reported")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.New("it is no file that can be read")
	}
	defer f.Close()
	// Before anything is cut to length: half a value is not known for one.
	hidden := r.hide(f)
	defer hidden.Close()
	return outline.Tests(path, hidden)
}
