package mask

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"sort"
)

// table finds patterns in a text. It does not change once it is made.
//
// Most bytes are passed over at about a nanosecond each: the four bytes from
// each place on are looked up in a bitmap of how patterns begin. Only where
// they might, the patterns themselves are searched.
type table struct {
	plain, wrapped index

	filter []uint64 // bits; their number is a power of two
	shift  int      // of a hash, to the number of a bit
}

const (
	minFilter = 18 // log2 of bits: 32 KiB, what a processor's nearest cache holds
	maxFilter = 23
)

func newTable(p patterns) *table {
	t := &table{plain: newIndex(p.plain), wrapped: newIndex(p.wrapped)}
	keys := len(t.plain.spans) + len(t.wrapped.spans)
	size := min(max(bits.Len(uint(keys))+6, minFilter), maxFilter)
	t.filter, t.shift = make([]uint64, 1<<(size-6)), 32-size
	for _, x := range []*index{&t.plain, &t.wrapped} {
		for key := range x.spans {
			h := key * hashFactor >> t.shift
			t.filter[h>>6] |= 1 << (h & 63)
		}
	}
	return t
}

// hashFactor spreads keys over the high bits: 2^32 over the golden ratio.
const hashFactor = 0x9e3779b1

// next returns the first place from i on where a pattern might begin; the last
// three bytes always might.
func (t *table) next(text []byte, i int) int {
	filter, shift := t.filter, t.shift&31
	last := uint32(len(filter) - 1)
	might := func(key uint32) bool {
		h := key * hashFactor >> shift
		return filter[h>>6&last]&(1<<(h&63)) != 0
	}
	for ; i+8 <= len(text); i += 5 {
		w := binary.LittleEndian.Uint64(text[i:])
		switch {
		case might(uint32(w)):
			return i
		case might(uint32(w >> 8)):
			return i + 1
		case might(uint32(w >> 16)):
			return i + 2
		case might(uint32(w >> 24)):
			return i + 3
		case might(uint32(w >> 32)):
			return i + 4
		}
	}
	for ; i+minValue <= len(text); i++ {
		if might(binary.LittleEndian.Uint32(text[i:])) {
			break
		}
	}
	return i
}

// at returns the length of the longest pattern that a text begins with, 0 when
// there is none, and whether all of the text is the beginning of a longer one.
// It uses scratch, and returns it for the next time.
func (t *table) at(text, scratch []byte) (n int, more bool, _ []byte) {
	if len(text) < minValue {
		return 0, t.plain.begins(text) || t.wrapped.begins(text), scratch
	}
	n, more = t.plain.longest(text)
	if !t.wrapped.knows(text) {
		return n, more, scratch
	}
	content, all := text, true
	if end := bytes.IndexByte(text[:min(len(text), t.wrapped.max+1)], '\n'); end >= 0 || text[len(text)-1] == '\r' {
		content, all = unwrap(scratch[:0], text, t.wrapped.max)
		scratch = content
	}
	wn, wmore := t.wrapped.longest(content)
	return max(n, unwrapped(text, wn)), more || all && wmore, scratch
}

// unwrap appends up to limit bytes of a text without the line ends, as long as
// no two follow each other, and tells whether that is all of it. A \r at the
// end may be half a line end.
func unwrap(dst, text []byte, limit int) (content []byte, all bool) {
	for i := 0; i < len(text); {
		n := lineEndLen(text[i:])
		if n > 0 {
			if i += n; i < len(text) && lineEndLen(text[i:]) > 0 {
				return dst, false
			}
			continue
		}
		if len(dst) == limit {
			return dst, false
		}
		dst = append(dst, text[i])
		i++
	}
	return dst, true
}

// unwrapped is how many bytes of a text hold n bytes of its content.
func unwrapped(text []byte, n int) int {
	i := 0
	for ; n > 0; n-- {
		i += lineEndLen(text[i:]) + 1
	}
	return i
}

// lineEndLen is the length of the line end that a text begins with.
func lineEndLen(text []byte) int {
	switch {
	case text[0] == '\n':
		return 1
	case text[0] == '\r' && len(text) == 1:
		return 1
	case text[0] == '\r' && text[1] == '\n':
		return 2
	}
	return 0
}

// index is a list of patterns in order.
type index struct {
	patterns []string
	up       []int32         // of each, the longest other that it begins with; -1: none
	spans    map[uint32]span // by the first four bytes
	max      int             // bytes of the longest
}

type span struct{ from, to int32 }

func newIndex(sorted []string) index {
	x := index{patterns: sorted, up: make([]int32, len(sorted)), spans: make(map[uint32]span)}
	for i, pattern := range sorted {
		x.max = max(x.max, len(pattern))
		// In order, what a pattern begins with comes before it, and nothing
		// between the two begins otherwise.
		up := int32(i) - 1
		for up >= 0 && !begins(pattern, x.patterns[up]) {
			up = x.up[up]
		}
		x.up[i] = up
		key := binary.LittleEndian.Uint32([]byte(pattern[:4]))
		s, ok := x.spans[key]
		if !ok {
			s.from = int32(i)
		}
		s.to = int32(i) + 1
		x.spans[key] = s
	}
	return x
}

func begins[T, B string | []byte](text T, beginning B) bool {
	return len(text) >= len(beginning) && string(text[:len(beginning)]) == string(beginning)
}

// begins tells whether a text of fewer than four bytes begins a pattern.
func (x *index) begins(text []byte) bool {
	i := sort.Search(len(x.patterns), func(i int) bool { return x.patterns[i] >= string(text) })
	return i < len(x.patterns) && begins(x.patterns[i], text)
}

// knows tells whether any pattern begins with the first four bytes of a text.
func (x *index) knows(text []byte) bool {
	_, ok := x.spans[binary.LittleEndian.Uint32(text)]
	return ok
}

// longest is as table.at.
func (x *index) longest(text []byte) (n int, more bool) {
	s, ok := x.spans[binary.LittleEndian.Uint32(text)]
	if !ok {
		return 0, false
	}
	text = text[:min(len(text), x.max)]
	from, to := s.from, s.to // the first pattern after text is in here
	for from < to {
		if mid := (from + to) / 2; x.patterns[mid] > string(text) {
			to = mid
		} else {
			from = mid + 1
		}
	}
	more = from < s.to && begins(x.patterns[from], text)
	for i := from - 1; i >= s.from; i = x.up[i] {
		if pattern := x.patterns[i]; begins(text, pattern) {
			return len(pattern), more
		}
	}
	return 0, more
}
