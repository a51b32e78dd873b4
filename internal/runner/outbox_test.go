package runner

import (
	"bytes"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// drainBox takes everything and checks that the pieces follow each other.
func drainBox(t interface{ Fatalf(string, ...any) }, b *outbox, at *int64, limit int) (text []byte, lost int64) {
	for {
		p, ok := b.next(limit)
		if !ok {
			return text, lost
		}
		if p.offset != *at {
			t.Fatalf("a piece at %d, want %d", p.offset, *at)
		}
		if len(p.data) > pieceBytes || len(p.data) == 0 && p.lost == 0 || len(p.data) > 0 && p.lost > 0 {
			t.Fatalf("a piece of %d bytes with %d lost", len(p.data), p.lost)
		}
		*at = p.end()
		text = append(text, p.data...)
		lost += p.lost
		if p.lost > 0 {
			text = append(text, bytes.Repeat([]byte{0}, int(p.lost))...)
		}
	}
}

func TestOutbox_HandsOverWhatCame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := newOutbox(1 << 30)
		now := time.Unix(1, 0)
		var want, got []byte
		at := int64(0)
		for range rapid.IntRange(1, 30).Draw(t, "writes") {
			p := bytes.Repeat([]byte(rapid.SampledFrom([]string{"a", "é\n", "日本", "x\n", "\xff", "🙂"}).Draw(t, "text")), rapid.IntRange(0, 40000).Draw(t, "n"))
			want = append(want, p...)
			now = now.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "ms")) * time.Millisecond)
			b.append(p, now)
			if rapid.Bool().Draw(t, "take") {
				text, _ := drainBox(t, b, &at, rapid.IntRange(4<<10, 1<<20).Draw(t, "limit"))
				got = append(got, text...)
			}
		}
		if n := b.seal(); n != int64(len(want)) {
			t.Fatalf("sealed at %d of %d", n, len(want))
		}
		b.append([]byte("too late"), now)
		text, lost := drainBox(t, b, &at, 1<<20)
		if got = append(got, text...); !bytes.Equal(got, want) || lost != 0 {
			t.Fatalf("%d bytes came out of %d, %d lost", len(got), len(want), lost)
		}
	})
}

func TestOutbox_NeverCutsACharacter(t *testing.T) {
	t.Parallel()
	b := newOutbox(1 << 30)
	b.append(bytes.Repeat([]byte("日本語🙂"), 50000), time.Now())
	for {
		p, ok := b.next(10007)
		if !ok {
			return
		}
		if !utf8.Valid(p.data) {
			t.Fatalf("the piece at %d cuts a character", p.offset)
		}
	}
}

func TestOutbox_DropsTheOldestPastItsLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const limit = 4 * slabBytes
		b := newOutbox(limit)
		var want, got []byte
		at, lost := int64(0), int64(0)
		for i := range rapid.IntRange(1, 60).Draw(t, "writes") {
			p := bytes.Repeat([]byte{byte('a' + i%26)}, rapid.IntRange(1, 30000).Draw(t, "n"))
			p[len(p)-1] = '\n'
			want = append(want, p...)
			b.append(p, time.Unix(int64(i), 0))
			if n := len(b.slabs) * slabBytes; n > limit {
				t.Fatalf("%d bytes are kept, the limit is %d", n, limit)
			}
			if rapid.IntRange(0, 9).Draw(t, "take") == 0 {
				text, n := drainBox(t, b, &at, 1<<20)
				got, lost = append(got, text...), lost+n
			}
		}
		text, n := drainBox(t, b, &at, 1<<20)
		got, lost = append(got, text...), lost+n
		if len(got) != len(want) {
			t.Fatalf("%d bytes accounted for, want %d", len(got), len(want))
		}
		for i := range got {
			if got[i] != 0 && got[i] != want[i] {
				t.Fatalf("byte %d is %q, want %q", i, got[i], want[i])
			}
		}
		for i := 1; i < len(got); i++ {
			if got[i-1] == 0 && got[i] != 0 && want[i-1] != '\n' {
				t.Fatalf("the text after a hole begins at %d, in the middle of a line", i)
			}
		}
		if int64(bytes.Count(got, []byte{0})) != lost || lost > 0 && len(want) <= limit-slabBytes {
			t.Fatalf("%d bytes lost of %d", lost, len(want))
		}
	})
}

func TestOutbox_KeepsTimes(t *testing.T) {
	t.Parallel()
	b := newOutbox(1 << 30)
	start := time.Unix(1000, 0)
	for i := range 100 {
		b.append([]byte("x\n"), start.Add(time.Duration(i)*30*time.Millisecond))
	}
	for {
		p, ok := b.next(1 << 20)
		if !ok {
			return
		}
		arrived := start.Add(time.Duration(p.offset/2) * 30 * time.Millisecond)
		if p.at != arrived || len(p.data) > 8 {
			t.Errorf("the piece at %d (%d bytes) says %v, came at %v", p.offset, len(p.data), p.at, arrived)
		}
	}
}
