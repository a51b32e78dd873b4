package spool

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A disk that fills up while text comes: what is on it stays, the rest is in
// memory, statuses still find room, and when there is room again it goes on
// there.
func TestSpool_FullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("no right to mount: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Create(filepath.Join(dir, "spool"), Options{Budget: 8 << 20}, []byte("first"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.close() })
	want := lines(0, 160_000) // 3 MB
	for rest := want; len(rest) > 0; {
		n := min(4_000, len(rest))
		s.Append(rest[:n], noon)
		rest = rest[n:]
	}
	if !errors.Is(s.Trouble(), syscall.ENOSPC) || s.InMemory(0) == 0 {
		t.Fatalf("trouble %v, %d bytes in memory: the fault did not strike", s.Trouble(), s.InMemory(0))
	}
	if got, holes := readAll(t, s, 0, 1<<20); !bytes.Equal(got, want) || holes != nil {
		t.Fatalf("%d bytes of %d, holes %v", len(got), len(want), holes)
	}
	if err := s.Journal([]byte("end")); err != nil {
		t.Errorf("the journal: %v", err)
	}

	// However often the disk is tried again, memory stays bounded.
	for i := range 3_000 {
		s.write.retryAt = time.Time{}
		s.Append(bytes.Repeat([]byte{byte('a' + i%26)}, 20_000), noon)
	}
	if held := s.InMemory(0); held > DefaultMemory {
		t.Errorf("%d bytes in memory", held)
	}
	before := s.End()
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	s.write.retryAt = time.Time{}
	more := lines(160_000, 250_000)
	s.Append(more, noon)
	if p, ok := s.Read(before, 1<<20); !ok || !bytes.HasPrefix(more, p.Data) || len(p.Data) == 0 {
		t.Errorf("at %d %q", before, p.Data)
	}
	if s.segments[len(s.segments)-1].path == "" {
		t.Error("there is room again, and it was not used")
	}
	s = reopen(t, s)
	if e := s.Entries(); len(e) != 2 || string(e[1].Data) != "end" {
		t.Errorf("journal %q", e)
	}
	if s.End() != before+int64(len(more)) {
		t.Errorf("end %d, want %d", s.End(), before+int64(len(more)))
	}
}
