package mask

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// Hidden is what stands in a text where a value was.
const Hidden = "***"

const (
	minValue = 4        // bytes without the white space around them
	maxValue = 64 << 10 // bytes; GitHub's secrets have at most 48 KiB
	maxFile  = 1 << 20  // bytes
	// maxCost bounds what all patterns take, in bytes. A value of 40 characters
	// takes about 4 KiB, a private key in PEM up to 850 KiB.
	maxCost     = 32 << 20
	patternCost = 48 // bytes of a pattern besides its text
)

// Reasons not to take a value. The value then stays visible; none of the
// errors of this package holds a part of one.
var (
	ErrTooShort = fmt.Errorf("a value of fewer than %d bytes cannot be hidden, for half the log would go with it: use a longer one", minValue)
	ErrTooLong  = fmt.Errorf("a value of more than %d KiB cannot be hidden: add only the parts that are secret", maxValue>>10)
	ErrTooMany  = fmt.Errorf("the values to hide would take more than %d MiB of memory: add fewer or shorter ones", maxCost>>20)
)

// Masker knows the values to hide. It is safe for concurrent use.
type Masker struct {
	table atomic.Pointer[table] // nil: nothing to hide
	stale atomic.Bool           // there are values that the table lacks

	mu     sync.Mutex
	values map[string]struct{}
	cost   int      // of all patterns, in bytes
	added  patterns // those that the table lacks, in no order
}

// New returns a masker without values.
func New() *Masker { return &Masker{values: make(map[string]struct{})} }

// Text returns a text with the values in it hidden.
func (m *Masker) Text(text string) string {
	var b strings.Builder
	s := m.Stream(func(p []byte) { b.Write(p) })
	s.Write([]byte(text))
	s.Close()
	return b.String()
}

// Add hides a value, in everything that the streams have not yet released.
// Line ends around it are no part of it. The error is [ErrTooShort],
// [ErrTooLong] or [ErrTooMany]; to add a value again is none.
func (m *Masker) Add(value string) error {
	value = strings.Trim(value, "\r\n")
	switch {
	case len(strings.TrimSpace(value)) < minValue:
		return ErrTooShort
	case len(value) > maxValue:
		return ErrTooLong
	}
	m.mu.Lock()
	_, known := m.values[value]
	m.mu.Unlock()
	if known {
		return nil
	}
	p := patternsOf(value)

	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.values[value]; known {
		return nil
	}
	cost := p.cost()
	if m.cost+cost > maxCost {
		return ErrTooMany
	}
	m.values[value] = struct{}{}
	m.cost += cost
	m.added.plain = append(m.added.plain, p.plain...)
	m.added.wrapped = append(m.added.wrapped, p.wrapped...)
	m.stale.Store(true)
	return nil
}

// AddFile adds the values of a file, one a line; empty lines are none. Of a
// value with several lines, such as a private key, the file holds the lines,
// which are hidden one by one. What can be taken of a file is taken: the error
// then says which line is the first that could not be, and how many there are.
// A file of more than 1 MiB is not taken at all.
func (m *Masker) AddFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read values to hide: %w", err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return fmt.Errorf("read values to hide: %w", err)
	}
	if len(content) > maxFile {
		return fmt.Errorf("read values to hide: %s has more than %d MiB, and none of it is hidden: put one value on each line", path, maxFile>>20)
	}
	content = bytes.TrimPrefix(content, []byte("\uFEFF"))
	var first error
	refused, at := 0, 0
	for line := range bytes.Lines(content) {
		at++
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			continue
		}
		if err := m.Add(string(line)); err != nil {
			if refused++; refused == 1 {
				first = fmt.Errorf("line %d of %s is not hidden: %w", at, path, err)
			}
		}
	}
	if refused > 1 {
		return fmt.Errorf("%w (and %d more lines like it)", first, refused-1)
	}
	return first
}

// current is the table with all values. It is made when it is needed, so that
// many values that are added one by one are sorted in once.
func (m *Masker) current() *table {
	if !m.stale.Load() {
		return m.table.Load()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stale.Load() {
		old := m.table.Load()
		if old == nil {
			old = &table{}
		}
		m.table.Store(newTable(patterns{
			plain:   merge(old.plain.patterns, m.added.plain),
			wrapped: merge(old.wrapped.patterns, m.added.wrapped),
		}))
		m.added = patterns{}
		m.stale.Store(false)
	}
	return m.table.Load()
}

// merge returns what is in either list, in order and once. The first is that
// already, and stays as it is: others read it.
func merge(sorted, more []string) []string {
	slices.Sort(more)
	all := make([]string, 0, len(sorted)+len(more))
	for len(sorted) > 0 && len(more) > 0 {
		if sorted[0] <= more[0] {
			all, sorted = append(all, sorted[0]), sorted[1:]
		} else {
			all, more = append(all, more[0]), more[1:]
		}
	}
	return slices.Clip(slices.Compact(append(append(all, sorted...), more...)))
}
