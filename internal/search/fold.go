package search

import (
	"encoding/binary"
	"sync"
	"unicode"
	"unicode/utf8"
)

// fold appends text with each character in place of all those that differ
// from it by case only (Unicode's simple folding, as in Go's (?i)). Lengths stay
// as they are, so that a place in the folded text is the same in the text:
// exact is false when that left a character as it was, because the one it
// folds to is of another length. Those are few and far between: K (Kelvin),
// ſ, ẞ and their like. Text is UTF-8; eight bytes of ASCII are done in one go.
func fold(dst, text []byte) (folded []byte, exact bool) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	exact = true
	at := len(dst)
	dst = append(dst, text...)
	for at < len(dst) {
		if at+8 <= len(dst) {
			if x := binary.LittleEndian.Uint64(dst[at:]); x&highs == 0 {
				capital := (x + (0x80-'A')*ones) &^ (x + (0x80-'Z'-1)*ones) & highs
				binary.LittleEndian.PutUint64(dst[at:], x|capital>>2)
				at += 8
				continue
			}
		}
		if b := dst[at]; b < utf8.RuneSelf {
			if b >= 'A' && b <= 'Z' {
				dst[at] = b | 0x20
			}
			at++
			continue
		}
		r, size := utf8.DecodeRune(dst[at:])
		if f := foldedFast(r); f != r {
			if utf8.RuneLen(f) == size {
				utf8.EncodeRune(dst[at:], f)
			} else {
				exact = false
			}
		}
		at += size
	}
	return dst, exact
}

// folded returns the one of all characters that differ from r by case only
// that stands for them: the same for each of them. One that differs from none
// stands for itself, İ too, whose small letter another capital has.
func folded(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	if unicode.SimpleFold(r) == r {
		return r
	}
	return unicode.ToLower(least)
}

// Characters from firstCaseless to lastCaseless, East Asia's among them, know
// no case; folding of what comes before is in a table.
const (
	firstCaseless = 0x2e00
	lastCaseless  = 0xa63f
)

var foldTable = sync.OnceValue(func() *[firstCaseless]uint16 {
	var table [firstCaseless]uint16
	for r := range table {
		table[r] = uint16(folded(rune(r)))
	}
	return &table
})

func foldedFast(r rune) rune {
	switch {
	case r < firstCaseless:
		return rune(foldTable()[r])
	case r <= lastCaseless:
		return r
	}
	return folded(r)
}
