package spool

import (
	"context"
	"path/filepath"
	"testing"
	"time"
)

// Append, with the syncing beside: what a command waits for.
func BenchmarkAppend(b *testing.B) {
	for name, size := range map[string]int{"line": 128, "pipe": 64 << 10} {
		b.Run(name, func(b *testing.B) {
			s, err := Create(filepath.Join(b.TempDir(), "spool"), Options{}, nil)
			if err != nil {
				b.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() { s.Run(ctx); close(done) }()
			defer func() { cancel(); <-done; s.close() }()
			text := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				s.Append(text, time.Now())
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	s, err := Create(filepath.Join(b.TempDir(), "spool"), Options{}, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer s.close()
	for range 1_000 {
		s.Append(lines(0, 500), noon)
	}
	b.SetBytes(s.End())
	for b.Loop() {
		for off := int64(0); ; {
			p, ok := s.Read(off, 1<<20)
			if !ok {
				break
			}
			off = p.End()
		}
	}
}
