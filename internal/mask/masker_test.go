package mask

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMasker_Add(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value string
		want        error
	}{
		{"nothing", "", ErrTooShort},
		{"three bytes", "abc", ErrTooShort},
		{"three bytes and white space", " \tabc\r\n\n", ErrTooShort},
		{"white space", "          ", ErrTooShort},
		{"four bytes", "abcd", nil},
		{"two characters of four bytes", "éß", nil},
		{"four bytes and a line end", "abcd\r\n", nil},
		{"lines that are all too short", "a\nb\nc", nil},
		{"64 KiB", strings.Repeat("x", 64<<10) + "\n", nil},
		{"more than 64 KiB", strings.Repeat("x", 64<<10+1), ErrTooLong},
	} {
		for range 2 {
			if err := New().Add(c.value); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
		}
	}
}

func TestMasker_AddIsIdempotent(t *testing.T) {
	t.Parallel()
	m := with(t, "s3cret")
	cost, table := m.cost, m.current()
	if err := m.Add("\ns3cret\n"); err != nil {
		t.Error(err)
	}
	if m.cost != cost || m.current() != table {
		t.Errorf("a value that was known cost %d bytes more", m.cost-cost)
	}
}

func TestMasker_Bounds(t *testing.T) {
	t.Parallel()
	m := with(t, "s3cret")
	var refused error
	for i := 0; refused == nil; i++ {
		var value strings.Builder
		for j := 0; value.Len() < 60<<10; j++ {
			fmt.Fprintf(&value, "%d %d %d %d\n", i, j, j*j, j*j*j)
		}
		refused = m.Add(value.String())
		if m.cost > maxCost {
			t.Fatalf("%d bytes are taken", m.cost)
		}
	}
	if !errors.Is(refused, ErrTooMany) {
		t.Errorf("refused with: %v", refused)
	}
	if err := m.Add("s3cret"); err != nil {
		t.Errorf("a known value: %v", err)
	}
	if err := m.Add("another"); err != nil {
		t.Errorf("a small value, which fits: %v", err)
	}
	if got := masked(m, "s3cret another"); got != "*** ***" {
		t.Errorf("then %q", got)
	}
}

func TestMasker_AddFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	long := strings.Repeat("x", 64<<10+1)
	for _, c := range []struct {
		name, content string
		text, masked  string
		want          string // the error
	}{
		{"empty", "", "", "", ""},
		{"values", "first-one\nsecond-one\n", "second-one first-one", "*** ***", ""},
		{"from Windows", "\uFEFFfirst-one\r\n\r\nsecond-one\r\n", "second-one first-one", "*** ***", ""},
		{"the last line has no end", "first-one\nsecond-one", "second-one first-one", "*** ***", ""},
		{"no comments", "# first-one", "# first-one", "***", ""},
		{"one too short", "first-one\n\nabc\nsecond-one\n", "second-one abc first-one", "*** abc ***", "line 3 of PATH is not hidden: " + ErrTooShort.Error()},
		{"several that cannot be", "ab\n" + long + "\nfirst-one\nabc\n", "first-one", "***", "line 1 of PATH is not hidden: " + ErrTooShort.Error() + " (and 2 more lines like it)"},
		{"one too long", long + "\n", "", "", "line 1 of PATH is not hidden: " + ErrTooLong.Error()},
		{"1 MiB", strings.Repeat("first-one\n", 1<<20/10) + "123456", "first-one 123456", "*** ***", ""},
		{"more than 1 MiB", strings.Repeat("first-one\n", 1<<20/10) + "1234567", "first-one", "first-one", "read values to hide: PATH has more than 1 MiB, and none of it is hidden: put one value on each line"},
	} {
		m := New()
		path := write(c.name, c.content)
		got := ""
		if err := m.AddFile(path); err != nil {
			got = strings.ReplaceAll(err.Error(), path, "PATH")
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if got := masked(m, c.text); got != c.masked {
			t.Errorf("%s: %q becomes %q, want %q", c.name, c.text, got, c.masked)
		}
	}
	if err := New().AddFile(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := New().AddFile(dir); err == nil {
		t.Error("a directory: no error")
	}
}

// The table is the same whether values came one by one or all at once.
func TestMasker_AddsUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.StringMatching(`[ab/]{4,8}`), 1, 6).Draw(t, "values")
		one, all := New(), with(t, values...)
		for _, value := range values {
			if err := one.Add(value); err != nil {
				t.Fatal(err)
			}
			one.current()
		}
		for _, lists := range [][2][]string{
			{one.current().plain.patterns, all.current().plain.patterns},
			{one.current().wrapped.patterns, all.current().wrapped.patterns},
		} {
			if !slices.Equal(lists[0], lists[1]) || !slices.IsSorted(lists[0]) {
				t.Fatalf("one by one %q, at once %q", lists[0], lists[1])
			}
		}
	})
}
