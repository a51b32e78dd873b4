package search

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// colouredLog is about 8 MB of lines of 128 bytes, each with two words in
// colour, and a hit in one of 500.
func colouredLog() (text []byte) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 1 << 16 {
		line := fmt.Appendf(nil, "\x1b[32m%s\x1b[0m 10:%02d:%02d.%03d ", []string{"INFO ", "DEBUG", "WARN "}[r.IntN(3)], i/60000%60, i/1000%60, i%1000)
		if i%500 == 250 {
			line = fmt.Appendf(line, "\x1b[1;31mERROR\x1b[0m: lost lease on line %d7 ", i)
		} else {
			line = fmt.Appendf(line, "\x1b[2mprocessed\x1b[0m %s took=%d.%02dms id=", []string{"invoice", "manifest", "transaction"}[r.IntN(3)], r.IntN(900), r.IntN(100))
		}
		for len(line) < 127 {
			line = append(line, "0123456789abcdef"[r.IntN(16)])
		}
		text = append(append(text, line[:127]...), '\n')
	}
	return text
}

func BenchmarkMatcher(b *testing.B) {
	text := colouredLog()
	for _, c := range []struct {
		name, query string
		o           Options
	}{
		{"literal exact", "ERROR: lost lease", Options{Case: true}},
		{"literal", "error: lost lease", Options{}},
		{"nothing", "no such thing", Options{}},
		{"common letter", "e", Options{}},
		{"expression", `err(or)?: .*line \d+7\b`, Options{Regexp: true}},
		{"alternatives", `\b(fatal|panic|error)\b`, Options{Regexp: true}},
		{"no literal", `\d\d\s+\w+$`, Options{Regexp: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				p, err := Compile(c.query, c.o)
				if err != nil {
					b.Fatal(err)
				}
				hits := 0
				m := p.NewMatcher(Place{Line: 1}, false, func(Hit) { hits++ })
				for at := 0; at < len(text); at += 25_600 {
					m.Write(text[at:min(at+25_600, len(text))])
				}
				m.End()
			}
		})
	}
}
