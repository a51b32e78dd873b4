package spool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

func create(t *testing.T, opt Options) *Spool {
	t.Helper()
	s, err := Create(filepath.Join(t.TempDir(), "spool"), opt, []byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close() })
	return s
}

// reopen is what the next process does after this one was killed.
func reopen(t *testing.T, s *Spool) *Spool {
	t.Helper()
	s.close()
	again, err := Open(s.dir, s.opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { again.close() })
	return again
}

// readAll reads from an offset to the end: text at its place, holes as zeros.
func readAll(t *testing.T, s *Spool, offset int64, limit int) (text []byte, holes []Piece) {
	t.Helper()
	for {
		p, ok := s.Read(offset, limit)
		if !ok {
			return text, holes
		}
		if p.Offset != offset || p.End() <= offset || p.Lost > 0 && p.Data != nil || len(p.Data) > limit {
			t.Fatalf("a piece at %d: offset %d, %d bytes, %d lost", offset, p.Offset, len(p.Data), p.Lost)
		}
		if p.Lost > 0 {
			holes = append(holes, p)
		}
		text = append(append(text, p.Data...), make([]byte, p.Lost)...)
		offset = p.End()
	}
}

func lines(from, to int) []byte {
	var b bytes.Buffer
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "line %d of a log\n", i)
	}
	return b.Bytes()
}

func TestSpool_GivesBackWhatItGot(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for name, make := range map[string]func(t *testing.T) *Spool{
		"disk":           func(t *testing.T) *Spool { return create(t, Options{}) },
		"small segments": func(t *testing.T) *Spool { return create(t, Options{Budget: 16 * minSegment}) },
		"memory":         func(*testing.T) *Spool { return Memory(Options{}, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			s := make(t)
			want := lines(0, 30_000)
			for rest := want; len(rest) > 0; {
				n := min(1+random.IntN(5_000), len(rest))
				s.Append(rest[:n], noon)
				rest = rest[n:]
			}
			if s.End() != int64(len(want)) {
				t.Fatalf("end %d, want %d", s.End(), len(want))
			}
			for _, from := range []int64{0, 1, 77_777, int64(len(want)) - 1, int64(len(want))} {
				for _, limit := range []int{1 << 20, 1000} {
					if got, holes := readAll(t, s, from, limit); !bytes.Equal(got, want[from:]) || holes != nil {
						t.Fatalf("from %d: %d bytes, want %d; holes %v", from, len(got), len(want)-int(from), holes)
					}
				}
			}
			if s.dir == "" {
				return
			}
			s = reopen(t, s)
			if got, holes := readAll(t, s, 0, 1<<20); !bytes.Equal(got, want) || holes != nil {
				t.Fatalf("reopened: %d bytes, want %d; holes %v", len(got), len(want), holes)
			}
			if e := s.Entries(); len(e) != 1 || string(e[0].Data) != "first" {
				t.Errorf("journal %q", e)
			}
		})
	}
}

func TestSpool_PiecesEndWithALine(t *testing.T) {
	t.Parallel()
	s := Memory(Options{}, nil)
	s.Append([]byte("one\ntwo\nthree"), noon)
	for _, want := range []string{"one\n", "two\n", "three"} {
		off := int64(strings.Index("one\ntwo\nthree", want))
		if p, _ := s.Read(off, 6); string(p.Data) != want {
			t.Errorf("at %d %q, want %q", off, p.Data, want)
		}
	}
	s = Memory(Options{}, nil)
	s.Append([]byte("äöü"), noon)
	if p, _ := s.Read(0, 3); string(p.Data) != "ä" {
		t.Errorf("%q", p.Data)
	}
}

// A character of which the rest comes later is whole in a piece, with the time of the
// rest; what is none is told with the end of the text.
func TestSpool_CharactersStayWhole(t *testing.T) {
	t.Parallel()
	s := Memory(Options{}, nil)
	read := func(offset int64, want string, at time.Time) {
		t.Helper()
		if p, ok := s.Read(offset, 1000); string(p.Data) != want || ok != (want != "") || ok && !p.At.Equal(at) {
			t.Errorf("at %d %q of %v, want %q of %v", offset, p.Data, p.At, want, at)
		}
	}
	later, latest := noon.Add(time.Second), noon.Add(2*time.Second)
	s.Append([]byte("price 5 \xe2"), noon)
	<-s.Wake()
	read(0, "price 5 ", noon)
	if n, _ := s.Waiting(8); n != 0 {
		t.Errorf("%d bytes wait", n)
	}
	s.Append([]byte("\x82"), later)
	select {
	case <-s.Wake():
		t.Error("woken by what cannot be read")
	default:
	}
	read(8, "", noon)
	s.Append([]byte("\xac, \xf0\x9f"), latest)
	<-s.Wake()
	read(0, "price 5 ", noon)
	read(8, "€, ", latest)
	read(13, "", noon)
	s.Seal()
	<-s.Wake()
	read(13, "\xf0\x9f", latest)
}

// Holes on both sides of what is no character yet: it is told, and who waits is woken.
func TestSpool_CharactersBesideHoles(t *testing.T) {
	t.Parallel()
	s := create(t, Options{})
	s.Append([]byte("abc\xe2"), noon)
	<-s.Wake()
	f, err := os.OpenFile(s.segments[0].path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("X"), headerBytes); err != nil {
		t.Fatal(err)
	}
	if text, holes := readAll(t, s, 0, 1000); len(text) != 4 || len(holes) != 1 {
		t.Fatalf("%q with %v", text, holes)
	}
	s.Append([]byte("\x82\xac\nhello\n\xe2"), noon)
	<-s.Wake()
	if n, _ := s.Waiting(4); n != 9 {
		t.Errorf("%d bytes wait", n)
	}
	if text, _ := readAll(t, s, 4, 1000); string(text) != "\x82\xac\nhello\n" {
		t.Errorf("%q", text)
	}
	size := s.segments[0].size
	s.Append([]byte("gone"), noon)
	if _, err := f.WriteAt([]byte("X"), size+headerBytes); err != nil {
		t.Fatal(err)
	}
	s.Append([]byte("end"), noon)
	if text, holes := readAll(t, s, 13, 1000); string(text) != "\xe2\x00\x00\x00\x00end" || len(holes) != 1 {
		t.Errorf("%q with %v", text, holes)
	}
}

// However text is cut where it is written, and wherever it is read from, pieces end
// between two characters.
func TestSpool_CharactersStayWholeHoweverWritten(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	want := []byte(strings.Repeat("a ä € 😀 漢字\n", 20_000))
	for name, s := range map[string]*Spool{"disk": create(t, Options{Budget: 16 * minSegment}), "memory": Memory(Options{Memory: 16 * minSegment}, nil)} {
		t.Run(name, func(t *testing.T) {
			at, read := noon, int64(0)
			check := func() {
				for {
					p, ok := s.Read(read, 100+random.IntN(1000))
					if !ok {
						return
					}
					if !utf8.Valid(p.Data) || !bytes.HasPrefix(want[read:], p.Data) {
						t.Fatalf("at %d %q", read, p.Data)
					}
					read = p.End()
				}
			}
			for rest := want; len(rest) > 0; {
				n := min(1+random.IntN(200), len(rest))
				s.Append(rest[:n], at)
				rest, at = rest[n:], at.Add(time.Duration(random.IntN(80))*time.Millisecond)
				if random.IntN(10) == 0 {
					check()
				}
			}
			if check(); read != int64(len(want)) {
				t.Errorf("%d bytes were read, want %d", read, len(want))
			}
		})
	}
}

func TestSpool_PiecesKeepTheirTime(t *testing.T) {
	t.Parallel()
	s := Memory(Options{}, nil)
	for i := range 5 {
		s.Append([]byte("ab"), noon.Add(time.Duration(i)*40*time.Millisecond))
	}
	var got []string
	for off := int64(0); ; {
		p, ok := s.Read(off, 1000)
		if !ok {
			break
		}
		got = append(got, fmt.Sprint(len(p.Data), p.At.Sub(noon)))
		off = p.End()
	}
	if want := []string{"6 0s", "4 120ms"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// Whoever waits is woken by the first text after everything was read.
func TestSpool_WakesItsReader(t *testing.T) {
	t.Parallel()
	s := Memory(Options{}, nil)
	s.Append([]byte("a"), noon)
	<-s.Wake()
	s.Append([]byte("b"), noon.Add(time.Second))
	if n, since := s.Waiting(0); n != 2 || !since.Equal(noon) {
		t.Errorf("%d since %v", n, since)
	}
	s.Read(0, 100)
	s.Read(1, 100)
	s.Append([]byte("c"), noon.Add(time.Minute))
	<-s.Wake()
	if n, since := s.Waiting(2); n != 1 || !since.Equal(noon.Add(time.Minute)) {
		t.Errorf("%d since %v", n, since)
	}
	s.Seal()
	<-s.Wake()
	s.Append([]byte("d"), noon)
	if s.End() != 3 {
		t.Error("text was taken after the end")
	}
}

func TestSpool_IsOpenedByOneAlone(t *testing.T) {
	t.Parallel()
	s := create(t, Options{})
	if _, err := Open(s.dir, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("a second one: %v", err)
	}
	s = reopen(t, s)
	if err := s.Remove(); err != nil {
		t.Error(err)
	}
	if _, err := Open(s.dir, Options{}); !errors.Is(err, ErrGone) {
		t.Errorf("a removed one: %v", err)
	}
	if left, _ := os.ReadDir(s.root); len(left) != 0 {
		t.Errorf("left in the root: %v", left)
	}
}

// What lies beyond the budget is a hole at the front; the journal stays.
func TestSpool_BoundsItself(t *testing.T) {
	t.Parallel()
	s := create(t, Options{Budget: 1 << 20})
	want := lines(0, 200_000)
	for rest := want; len(rest) > 0; {
		n := min(4_000, len(rest))
		s.Append(rest[:n], noon)
		rest = rest[n:]
		if used := usedBy(s.root, ""); used > 1<<20 {
			t.Fatalf("%d bytes in the root", used)
		}
	}
	got, holes := readAll(t, s, 0, 1<<20)
	if len(holes) != 1 || holes[0].Offset != 0 || !bytes.Equal(got[holes[0].Lost:], want[holes[0].Lost:]) {
		t.Fatalf("holes %v", holes)
	}
	if kept := int64(len(want)) - holes[0].Lost; kept < 800_000 {
		t.Errorf("only %d bytes were kept", kept)
	}
	if err := s.Journal([]byte("end")); err != nil {
		t.Error(err)
	}
	if e := reopen(t, s).Entries(); len(e) != 2 || string(e[1].Data) != "end" {
		t.Errorf("journal %q", e)
	}
}

// What the server has goes before what it has not, whosever that is; of text
// that was given up, the end is remembered.
func TestSpool_GivesUpWhatTheServerHasFirst(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "spool")
	opt := Options{Budget: 4 << 20}
	fill := func(s *Spool, n int) *Spool {
		var err error
		if s == nil {
			if s, err = Create(root, opt, []byte("first")); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.close() })
		}
		for range n {
			s.Append(make([]byte, 1<<18), noon)
		}
		return s
	}
	other := fill(nil, 4)
	other.close()
	s := fill(nil, 10)
	s.Release(s.End())
	fill(s, 8)
	other = reopen(t, other)
	if _, holes := readAll(t, other, 0, 1<<20); holes != nil {
		t.Errorf("text that the server has not was given up: %v", holes)
	}
	other.close()
	s.mu.Lock()
	s.safe = 0
	s.mu.Unlock()
	fill(s, 16)
	other = reopen(t, other)
	if _, holes := readAll(t, other, 0, 1<<20); len(holes) != 1 || other.End() != 4<<18 {
		t.Errorf("of the other's text, which ends at %d, holes %v", other.End(), holes)
	}
}

// With the looking done beside, the budget holds too, at most a look later.
func TestRun_BoundsTheRoot(t *testing.T) {
	t.Parallel()
	s := create(t, Options{Budget: 1 << 20})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	defer func() { cancel(); <-done }()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for i := 0; ; i++ {
		s.Append(make([]byte, 64<<10), time.Now())
		if i > 64 && usedBy(s.root, "") <= 1<<20 {
			return
		}
		if i > 3_000 {
			t.Fatalf("%d bytes in the root", usedBy(s.root, ""))
		}
		<-tick.C
	}
}

// What is no spool in the root is nobody's to remove, however old.
func TestList_LeavesOtherFoldersAlone(t *testing.T) {
	t.Parallel()
	s := create(t, Options{})
	s.close()
	old := time.Now().AddDate(0, 0, -2)
	for _, file := range []string{"precious/thing", "books/journal", filepath.Base(s.dir) + "x/journal", "20261125T155000.123456-abcdefghijkl/notes.txt"} {
		path := filepath.Join(s.root, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("kept"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Dir(path), old, old); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if _, err := os.Stat(path); err != nil {
				t.Error(err)
			}
		}()
	}
	unborn := filepath.Join(s.root, "20261125T155000.123456-mnopqrstuvwx")
	if err := errors.Join(os.Mkdir(unborn, 0o700), os.WriteFile(filepath.Join(unborn, lockName), nil, 0o600), os.Chtimes(unborn, old, old)); err != nil {
		t.Fatal(err)
	}
	if dirs, err := List(s.root); err != nil || !slices.Equal(dirs, []string{s.dir}) {
		t.Errorf("%v, %v", dirs, err)
	}
	if _, err := os.Stat(unborn); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that was never written to: %v", err)
	}
	dropOthers(s.root, "", 1<<30, true)
}

// The budget is the root's: what was delivered goes first, then the oldest
// text; what somebody is at work on stays.
func TestSpool_MakesRoomAmongOthers(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "spool")
	opt := Options{Budget: 4 << 20}
	fill := func(n int) *Spool {
		s, err := Create(root, opt, []byte("first"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.close() })
		for range n {
			s.Append(make([]byte, 1<<18), noon)
		}
		return s
	}
	old, delivered, busy := fill(4), fill(4), fill(4)
	if err := delivered.Delivered(false); err != nil {
		t.Fatal(err)
	}
	old.close()
	delivered.close()
	s := fill(4) // the root has room for all but the segment that comes next
	s.Append(make([]byte, 1<<18), noon)
	if _, err := Open(delivered.dir, opt); !errors.Is(err, ErrGone) {
		t.Errorf("the delivered one: %v", err)
	}
	for range 8 {
		s.Append(make([]byte, 1<<18), noon)
	}
	old = reopen(t, old)
	if p, ok := old.Read(0, 1); ok && p.Lost == 0 {
		t.Error("the oldest text is still there")
	}
	if len(old.Entries()) != 1 {
		t.Error("the oldest one's journal is gone")
	}
	if _, holes := readAll(t, busy, 0, 1<<20); holes != nil {
		t.Errorf("the busy one: holes %v", holes)
	}
	if used := usedBy(root, ""); used > 4<<20 {
		t.Errorf("%d bytes in the root", used)
	}
}

// overwrite gives a file other content without emptying it before, which some
// file systems take for a reason to sync.
func overwrite(t *testing.T, path string, content []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(content, 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(int64(len(content))); err != nil {
		t.Fatal(err)
	}
}

// However a tail is torn, what was whole is there, and goes on being kept.
func TestOpen_CutsATornTail(t *testing.T) {
	t.Parallel()
	s := create(t, Options{})
	var ends []int64 // of records, in the file
	for i := range 20 {
		s.Append(lines(i, i+1), noon)
		ends = append(ends, s.segments[0].size)
	}
	path := s.segments[0].path
	s.close()
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := len(whole); n >= 0; n-- {
		for _, junk := range []string{"", "\x00\x00\x00", string(whole[:min(10, len(whole))])} {
			overwrite(t, path, append(whole[:n:n], junk...))
			again, err := Open(s.dir, s.opt)
			if err != nil {
				t.Fatal(err)
			}
			k := 0
			for k < len(ends) && ends[k] <= int64(n) {
				k++
			}
			got, holes := readAll(t, again, 0, 1<<20)
			if !bytes.Equal(got, lines(0, k)) || holes != nil {
				t.Fatalf("cut at %d of %d: %d bytes, want %d records; holes %v", n, len(whole), len(got), k, holes)
			}
			again.close()
		}
	}
}

// Every byte of a spool is flipped, one at a time: what is read is what was
// written, or a hole at its place.
func TestOpen_AnyByteFlipped(t *testing.T) {
	t.Parallel()
	s := create(t, Options{})
	want := lines(0, 60)
	for i := 0; i < len(want); i += 100 {
		if i == 500 { // and in a segment that is not the last
			if _, err := s.grow(); err != nil {
				t.Fatal(err)
			}
		}
		s.Append(want[i:min(i+100, len(want))], noon)
	}
	for i := range 3 {
		if err := s.Journal(fmt.Appendf(nil, "entry %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	s.close()
	files, err := filepath.Glob(filepath.Join(s.dir, "*"))
	if err != nil || len(files) != 4 {
		t.Fatalf("files %v, %v", files, err)
	}
	flips := 0
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i := range content {
			flips++
			broken := bytes.Clone(content)
			broken[i] ^= byte(1 << (i % 8))
			overwrite(t, path, broken)
			again, err := Open(s.dir, s.opt)
			if err != nil {
				t.Fatalf("%s at %d: %v", path, i, err)
			}
			checkFlipped(t, again, want, fmt.Sprintf("%s at %d", path, i))
			again.close()
			overwrite(t, path, content) // the tail may have been cut
		}
	}
	t.Logf("%d flips", flips)
}

// checkFlipped holds what is read to what was written, but for one record.
func checkFlipped(t *testing.T, s *Spool, want []byte, where string) {
	t.Helper()
	got, holes := readAll(t, s, 0, 1<<20)
	at := int64(0)
	for _, h := range holes {
		if !bytes.Equal(got[at:h.Offset], want[at:h.Offset]) {
			t.Fatalf("%s: other text before %d", where, h.Offset)
		}
		at = h.End()
	}
	if !bytes.Equal(got[at:], want[at:len(got)]) || len(holes) > 1 {
		t.Fatalf("%s: other text after %d; holes %v", where, at, holes)
	}
	if lost := int64(len(want)-len(got)) + sum(holes); lost > 100 {
		t.Fatalf("%s: %d bytes lost", where, lost)
	}
	entries := s.Entries()
	if len(entries) != 4 {
		t.Fatalf("%s: %d journal entries", where, len(entries))
	}
	for k, e := range entries {
		if w := []string{"first", "entry 0", "entry 1", "entry 2"}[k]; string(e.Data) != w {
			t.Fatalf("%s: journal entry %d is %q", where, k, e.Data)
		}
	}
}

func sum(holes []Piece) (n int64) {
	for _, h := range holes {
		n += h.Lost
	}
	return n
}

// A log may hold records, of this format and with sound checksums; behind a
// damaged header they are text.
func TestOpen_TextThatLooksLikeRecords(t *testing.T) {
	t.Parallel()
	s := create(t, Options{})
	other := seedOf("another spool")
	evil := other.appendRecord(nil, 40, noon, []byte("not what was printed"))
	s.Append(append([]byte("before "), evil...), noon)
	s.Append([]byte(" after"), noon)
	path := s.segments[0].path
	s.close()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[9] ^= 1
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s = reopen(t, s)
	got, holes := readAll(t, s, 0, 1000)
	if len(holes) != 1 || holes[0].Lost != int64(7+len(evil)) || !strings.HasSuffix(string(got), " after") {
		t.Errorf("%q, holes %v", got, holes)
	}
}

// A spool that was written while the clock was a year behind is not old. It
// waits for a day from the first look.
func TestSpool_AgesFromTheFirstLook(t *testing.T) {
	t.Parallel()
	s := create(t, Options{})
	s.Append([]byte("text"), noon)
	s = reopen(t, s)
	yearAgo := time.Now().AddDate(-1, 0, 0)
	files, _ := os.ReadDir(s.dir)
	for _, f := range files {
		if err := os.Chtimes(filepath.Join(s.dir, f.Name()), yearAgo, yearAgo); err != nil {
			t.Fatal(err)
		}
	}
	if s.TooOld() {
		t.Error("it is old at the first look")
	}
	almost := time.Now().Add(-23 * time.Hour)
	for at, want := range map[time.Time]bool{almost: false, almost.Add(-2 * time.Hour): true, time.Now().AddDate(1, 0, 0): false} {
		if err := os.Chtimes(filepath.Join(s.dir, seenName), at, at); err != nil {
			t.Fatal(err)
		}
		if s.TooOld() != want {
			t.Errorf("looked at on %v, and old: %v", at, !want)
		}
	}
}

// A clock that is set back changes no byte and no order.
func TestSpool_ClockSetBack(t *testing.T) {
	t.Parallel()
	s := create(t, Options{})
	want := lines(0, 300)
	for i := 0; i < len(want); i += 50 {
		s.Append(want[i:min(i+50, len(want))], noon.AddDate(-(i/50%2), 0, 0))
	}
	if got, holes := readAll(t, s, 0, 1<<20); !bytes.Equal(got, want) || holes != nil {
		t.Errorf("%d bytes of %d, holes %v", len(got), len(want), holes)
	}
}

func TestCreate_RefusesWhatOthersCouldHavePrepared(t *testing.T) {
	t.Parallel()
	s := create(t, Options{})
	s.close()
	root := s.root
	if err := os.Chmod(root, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := List(root); err == nil || !strings.HasSuffix(err.Error(), "others may write to it") {
		t.Errorf("list: %v", err)
	}
	if _, err := Open(s.dir, Options{}); err == nil || !strings.HasSuffix(err.Error(), "others may write to it") {
		t.Errorf("open: %v", err)
	}
	if _, err := Create(root, Options{}, nil); err == nil || err.Error() != "others may write to it" {
		t.Errorf("error %v", err)
	}
}

// Whoever could write into a spool's folder, as an earlier job where a CI system keeps it,
// has no other file cut off, read or made.
// Of files that somebody has made very long, what we wrote is read and no more: 8 TiB
// would take days.
func TestOpen_FilesThatAreMuchTooLong(t *testing.T) {
	t.Parallel()
	s := create(t, Options{})
	s.Append([]byte("some text\n"), noon)
	s.close()
	for _, path := range []string{filepath.Join(s.dir, journalName), s.segments[0].path} {
		if err := os.Truncate(path, 8<<40); err != nil {
			t.Skipf("the file system has no such files: %v", err)
		}
	}
	if entries, err := Journal(s.dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	again := reopen(t, s)
	if text, holes := readAll(t, again, 0, 1000); string(text) != "some text\n" || holes != nil || len(again.Entries()) != 1 {
		t.Errorf("%q, %v, %v", text, holes, again.Entries())
	}
}

func TestOpen_FollowsNoLink(t *testing.T) {
	t.Parallel()
	for _, name := range []string{segmentName(9999), journalName, lockName, seenName, deliveredName} {
		s := create(t, Options{})
		s.Append(lines(0, 10), noon)
		s.close()
		theirs := filepath.Join(t.TempDir(), "theirs")
		if name != seenName {
			if err := os.WriteFile(theirs, []byte("precious"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		link := filepath.Join(s.dir, name)
		_ = os.Remove(link)
		if err := os.Symlink(theirs, link); err != nil {
			t.Skip(err) // Windows, where not everybody may
		}
		if again, err := Open(s.dir, Options{}); err == nil || !strings.Contains(err.Error(), "no file that Stepcast wrote; remove the folder") {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				again.TooOld()
				again.close()
			}
		}
		if _, err := Journal(s.dir); err == nil {
			t.Errorf("%s: the journal is read", name)
		}
		if text, err := os.ReadFile(theirs); name != seenName && string(text) != "precious" || name == seenName && err == nil {
			t.Errorf("%s: the file that it leads to is %q", name, text)
		}
	}
}

// With two streams, a reader, and the syncing beside, for the race detector.
func TestSpool_Together(t *testing.T) {
	t.Parallel()
	s := create(t, Options{Budget: 16 * minSegment})
	done := make(chan struct{})
	for range 2 {
		go func() {
			for range 200 {
				s.Append(lines(0, 50), time.Now())
			}
			done <- struct{}{}
		}()
	}
	var got int64
	for writers := 2; writers > 0; {
		select {
		case <-done:
			writers--
		default:
		}
		if p, ok := s.Read(got, 1<<20); ok {
			got = p.End()
			s.Release(got)
		}
		if err := s.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	for {
		p, ok := s.Read(got, 1<<20)
		if !ok {
			break
		}
		got = p.End()
	}
	if want := int64(400 * len(lines(0, 50))); got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
}
