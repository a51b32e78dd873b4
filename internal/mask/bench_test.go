package mask

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// benchValues are n values of 20 to 60 bytes as tokens and passwords have them.
func benchValues(n int) []string {
	random := rand.New(rand.NewPCG(1, 2))
	letters := "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+/=&$'\" "
	values := make([]string, n)
	for i := range values {
		value := []byte([]string{"ghp_", "https://bot:", "", ""}[i%4])
		for length := 20 + random.IntN(41); len(value) < length; {
			value = append(value, letters[random.IntN(len(letters))])
		}
		values[i] = string(value[:len(value)-1]) + "x"
	}
	return values
}

// Texts like those of real builds, a megabyte each.
func benchTexts(values []string) map[string][]byte {
	random := rand.New(rand.NewPCG(3, 4))
	fill := func(line func() string) []byte {
		var b strings.Builder
		for b.Len() < 1<<20 {
			b.WriteString(line())
		}
		return []byte(b.String()[:1<<20])
	}
	bytes := func(n int) []byte {
		p := make([]byte, n)
		for i := range p {
			p[i] = byte(random.Uint32())
		}
		return p
	}
	log := func() string {
		switch n := random.IntN(1000); random.IntN(6) {
		case 0:
			return fmt.Sprintf("ok  \tgithub.com/acme/api/internal/server%d\t0.%03ds  coverage: 81.2%% of statements\n", n, n)
		case 1:
			return fmt.Sprintf("\x1b[32m✓\x1b[0m \x1b[90m[chromium]\x1b[39m › tests/login.spec.ts:%d:1 › \x1b[1msigns in\x1b[22m (1.2s)\n", n)
		case 2:
			return fmt.Sprintf(`{"level":"info","msg":"compiled \"main\"","path":"C:\\work\\api","ms":%d}`+"\n", n)
		case 3:
			return fmt.Sprintf("g++ -std=c++20 -O2 -Wall -c src/parser/token_%d.cpp -o build/token_%d.o\n", n, n)
		case 4:
			return fmt.Sprintf("2026-11-25T10:00:00.%03dZ GET https://registry.example.com/acme/pkg-%d/-/pkg-%d.tgz 200\n", n, n, n)
		}
		return fmt.Sprintf("Downloading sha256:%x\n", random.Uint64())
	}
	return map[string][]byte{
		"log":     fill(log),
		"leaky":   fill(func() string { return log() + "token " + values[random.IntN(len(values))] + "\n" }),
		"hex":     fill(func() string { return hex.EncodeToString(bytes(32)) + "\n" }),
		"base64":  fill(func() string { return base64.StdEncoding.EncodeToString(bytes(57)) + "\n" }),
		"newline": fill(func() string { return "\n" }),
	}
}

func BenchmarkStream(b *testing.B) {
	for _, n := range []int{0, 20, 100} {
		values := benchValues(max(n, 1))
		m := with(b, values[:n]...)
		texts := benchTexts(values)
		for _, name := range []string{"log", "leaky", "hex", "base64", "newline"} {
			text := texts[name]
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				s := m.Stream(func([]byte) {})
				s.Commands(nil)
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				for b.Loop() {
					for p := text; len(p) > 0; p = p[min(len(p), 32<<10):] {
						s.Write(p[:min(len(p), 32<<10)])
					}
				}
			})
		}
	}
}

// What the first write after new values pays.
func BenchmarkMasker_Add(b *testing.B) {
	for _, n := range []int{20, 100} {
		values := benchValues(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			var m *Masker
			for b.Loop() {
				m = with(b, values...)
				m.current()
			}
			b.ReportMetric(float64(m.cost)/float64(n), "B/value")
			b.ReportMetric(float64(len(m.current().plain.patterns)+len(m.current().wrapped.patterns))/float64(n), "patterns/value")
		})
	}
}
