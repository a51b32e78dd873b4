//go:build linux

package main

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/klauspost/compress/zstd"
)

// lineWriter makes log lines as builds print them: many tools, times,
// durations, paths, sizes and ids, no two alike. As in a build, a tool says many
// lines before it is another's turn, and stays with one package for a while. The
// same seed gives the same lines. They hold no tab and no backslash, so that they are a column of
// COPY's text format as they are.
type lineWriter struct {
	r    *rand.Rand
	now  time.Time
	tool int    // whose turn it is
	pkg  string // that it works on
}

func newLineWriter(seed uint64) *lineWriter {
	return &lineWriter{
		r:   rand.New(rand.NewPCG(seed, 0x5743)),
		now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC).Add(time.Duration(seed) * time.Hour),
	}
}

var (
	hosts    = []string{"packages.example.com", "mirror.example.net", "cdn.example.org", "artifacts.acme.example"}
	packages = []string{
		"billing", "invoice", "ledger", "auth", "session", "tokens", "search", "indexer", "queue", "scheduler", "worker", "mailer",
		"webhook", "gateway", "ratelimit", "cache", "storage", "blob", "metrics", "tracing", "config", "migrate", "schema", "report",
		"export", "import", "feed", "events", "notify", "template", "render", "assets", "upload", "thumbnail", "geo", "currency", "tax", "audit",
	}
	verbs = []string{
		"processed", "loaded", "committed", "retried", "refreshed", "compacted", "validated", "flushed", "resolved", "scheduled",
		"delivered", "rejected", "opened", "closed", "rotated", "merged", "expired", "queued",
	}
	things = []string{
		"invoice", "snapshot", "segment", "session", "batch", "cursor", "manifest", "partition", "certificate", "lease", "message",
		"upload", "shard", "template", "transaction", "checkpoint", "replica", "record",
	}
	cases = []string{
		"Empty", "Unicode", "LongInput", "Concurrent", "Timeout", "Retry", "NilPointer", "Overflow", "RoundTrip", "Malformed",
		"Duplicate", "Ordering", "Canceled", "Partial", "Rollback", "Expiry",
	}
	modules = []string{
		"lodash", "react-dom", "typescript", "vite", "eslint-plugin-import", "postcss", "esbuild", "rollup", "chokidar", "semver",
		"minimatch", "acorn", "browserslist", "caniuse-lite", "magic-string", "tslib", "picocolors", "undici", "yargs", "zod",
	}
	debs = []string{
		"libssl3", "libpq5", "ca-certificates", "git-man", "libcurl4", "perl-modules-5.36", "gcc-12-base", "libstdc++6", "zlib1g-dev",
		"python3-minimal", "libxml2", "libicu72", "openssl", "make", "binutils-common", "libsqlite3-0", "tzdata", "xz-utils",
	}
)

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

const hexDigits = "0123456789abcdef"

func (w *lineWriter) hex(dst []byte, n int) []byte {
	for bits := uint64(0); n > 0; n-- {
		if bits < 16 {
			bits = w.r.Uint64() | 1<<63
		}
		dst = append(dst, hexDigits[bits&15])
		bits >>= 4
	}
	return dst
}

func (w *lineWriter) number(dst []byte, below int) []byte {
	return strconv.AppendInt(dst, int64(w.r.IntN(below)), 10)
}

// amount is a decimal as durations and sizes are printed.
func (w *lineWriter) amount(dst []byte, below int, unit string) []byte {
	dst = append(w.number(dst, below), '.')
	dst = append(dst, byte('0'+w.r.IntN(10)), byte('0'+w.r.IntN(10)))
	return append(dst, unit...)
}

// line appends one line without its end, 115 to 120 bytes on average.
func (w *lineWriter) line(dst []byte) []byte {
	r := w.r
	w.now = w.now.Add(time.Duration(r.IntN(40_000)) * time.Microsecond)
	if r.IntN(40) == 0 {
		w.tool = r.IntN(12)
	}
	if r.IntN(8) == 0 || w.pkg == "" {
		w.pkg = pick(r, packages)
	}
	pkg, thing := w.pkg, pick(r, things)
	dst = w.now.AppendFormat(dst, "2006-01-02T15:04:05.000000Z ")
	switch w.tool {
	case 0:
		dst = append(dst, "=== RUN   Test"...)
		dst = append(append(dst, pick(r, cases)...), "_"...)
		dst = append(append(dst, pick(r, verbs)...), '/')
		dst = append(append(append(dst, pkg...), '_'), thing...)
		dst = append(w.number(append(dst, "/seed="...), 1<<32), "/size="...)
		dst = w.number(dst, 100_000)
	case 1:
		dst = append(dst, "    --- PASS: Test"...)
		dst = append(append(append(dst, pick(r, cases)...), '/'), thing...)
		dst = w.hex(append(dst, '_'), 12)
		dst = append(w.amount(append(dst, " ("...), 4, "s) allocs="), pkg...)
		dst = w.number(append(dst, ':'), 90_000)
	case 2:
		dst = append(dst, "ok      github.com/acme/platform/internal/"...)
		dst = append(append(append(dst, pkg...), '/'), thing...)
		dst = w.amount(append(dst, "        "...), 30, "s  coverage: ")
		dst = w.amount(dst, 100, "% of statements")
	case 3, 4:
		dst = append(dst, `level=info msg="`...)
		dst = append(append(append(dst, pick(r, verbs)...), ' '), thing...)
		dst = append(append(dst, `" component=`...), pkg...)
		dst = w.hex(append(dst, " trace="...), 16)
		dst = w.number(append(dst, " rows="...), 5000)
		dst = w.amount(append(dst, " took="...), 900, "ms")
	case 5:
		dst = append(dst, `{"level":"debug","service":"platform","caller":"`...)
		dst = append(append(append(append(dst, pkg...), '/'), thing...), ".go:"...)
		dst = append(w.number(dst, 900), `","msg":"`...)
		dst = append(append(dst, pick(r, verbs)...), `","id":"`...)
		dst = append(w.hex(dst, 20), `","ms":`...)
		dst = append(w.number(dst, 10_000), '}')
	case 6:
		dst = append(dst, "npm http fetch GET 200 https://"...)
		dst = append(append(dst, pick(r, hosts)...), '/')
		module := pick(r, modules)
		dst = append(append(append(append(dst, module...), "/-/"...), module...), '-')
		dst = append(w.number(dst, 20), '.')
		dst = append(w.number(dst, 40), '.')
		dst = append(w.number(dst, 30), ".tgz "...)
		dst = append(w.number(dst, 2000), "ms (cache miss)"...)
	case 7:
		dst = w.amount(append(dst, "#14 "...), 400, " Get:")
		dst = append(w.number(dst, 400), " https://"...)
		dst = append(append(dst, pick(r, hosts)...), "/debian bookworm/main amd64 "...)
		dst = append(append(dst, pick(r, debs)...), " amd64 "...)
		dst = append(w.number(dst, 12), '.')
		dst = append(w.number(dst, 30), "+deb12u"...)
		dst = append(w.number(dst, 9), " ["...)
		dst = append(w.number(dst, 9_000), " kB]"...)
	case 8:
		dst = append(dst, "#21 sha256:"...)
		dst = w.hex(dst, 32)
		dst = w.amount(append(dst, ' '), 90, "MB / ")
		dst = w.amount(dst, 300, "MB ")
		dst = w.amount(dst, 60, "s")
	case 9:
		dst = append(w.number(append(dst, '['), 100), "%] Building CXX object src/"...)
		dst = append(append(append(dst, pkg...), "/CMakeFiles/"...), pkg...)
		dst = append(append(append(dst, ".dir/"...), thing...), '_')
		dst = append(append(dst, pick(r, verbs)...), ".cc.o "...)
		dst = append(w.number(append(dst, "("...), 4000), " ms)"...)
	case 10:
		dst = append(dst, "    at "...)
		dst = append(append(append(dst, pick(r, verbs)...), pick(r, cases)...), " (/app/src/"...)
		dst = append(append(append(append(dst, pkg...), '/'), thing...), ".test.tsx:"...)
		dst = append(w.number(dst, 900), ':')
		dst = append(w.number(dst, 120), ") chunk-"...)
		dst = append(w.hex(dst, 8), ".js"...)
	case 11:
		dst = append(dst, "WARN  ["...)
		dst = append(append(append(dst, pkg...), "-"...), '0'+byte(r.IntN(10)))
		dst = append(append(dst, "] slow query: SELECT "...), thing...)
		dst = append(append(dst, "_id FROM "...), pkg...)
		dst = w.number(append(dst, " WHERE account = "...), 1<<30)
		dst = w.amount(append(dst, " took "...), 4000, "ms")
	}
	return dst
}

// sized appends one line of exactly size bytes: longer ones are cut, shorter
// ones end with the request's id, as many loggers have it.
func (w *lineWriter) sized(dst []byte, size int) []byte {
	start := len(dst)
	dst = w.line(dst)
	if missing := size - (len(dst) - start); missing > 0 {
		dst = append(dst, " req="[:min(5, missing)]...)
		dst = w.hex(dst, max(0, missing-5))
	}
	return dst[:start+size]
}

// shrinks tells how many times smaller zstd makes a text at its usual level.
func shrinks(text []byte) float64 {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		panic(err) // the options are constants
	}
	return float64(len(text)) / float64(len(z.EncodeAll(text, nil)))
}
