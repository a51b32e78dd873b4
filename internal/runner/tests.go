package runner

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/outline"
)

// stale is how much older than the command's start a file may be by the clock
// of its file system and still be the command's.
const stale = 2 * time.Second

// readTests reads the test results that a command has left in files. What
// cannot be read is said, and is no reason for anything else.
func readTests(patterns []string, began time.Time, say func(string)) (tests []ci.Test) {
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			say(fmt.Sprintf("--tests %s: it is not a pattern that can be", pattern))
			continue
		}
		if len(paths) == 0 {
			say(fmt.Sprintf("--tests %s: there is no such file", pattern))
		}
		for _, path := range paths {
			found, err := readResults(path, began)
			if err != nil {
				say(fmt.Sprintf("--tests %s: %v", path, err))
			}
			tests = append(tests, found...)
		}
	}
	return tests
}

func readResults(path string, began time.Time) ([]ci.Test, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.New("it cannot be read")
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, errors.New("it cannot be read")
	}
	if info.ModTime().Before(began.Add(-stale)) {
		return nil, fmt.Errorf("it is of %s, before this command: its results are not reported", info.ModTime().Format(time.DateTime))
	}
	return outline.Tests(path, f)
}
