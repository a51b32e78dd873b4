package server

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ci"
)

// FuzzIncoming cuts an upload anywhere: nothing is lost, and text that is
// UTF-8 is never cut inside a character.
func FuzzIncoming(f *testing.F) {
	f.Add([]byte("wörld €😀"), uint8(1))
	f.Add([]byte("\xe2\x82"), uint8(1))
	f.Add([]byte("\xff\xff\xf0\x9f\x98"), uint8(2))
	f.Fuzz(func(t *testing.T, text []byte, size uint8) {
		in := newIncoming()
		var got []byte
		offset := int64(0)
		for rest := text; ; {
			n := min(int(size)+1, len(rest))
			var end error
			if n == len(rest) {
				end = io.EOF
			}
			in.put(rest[:n], end)
			rest = rest[n:]
			piece, err := in.take()
			if utf8.Valid(text) && !utf8.Valid(piece) {
				t.Fatalf("%q cut inside a character: %q", text, piece)
			}
			if err == nil && len(piece)+utf8.UTFMax <= n {
				t.Fatalf("%d of %d bytes are held back", n-len(piece), n)
			}
			got = append(got, piece...)
			offset += int64(len(piece))
			if err == io.EOF {
				break
			}
		}
		if !bytes.Equal(got, text) || offset != int64(len(text)) {
			t.Fatalf("%q, want %q", got, text)
		}
	})
}

// FuzzByteRange holds ranges inside the log.
func FuzzByteRange(f *testing.F) {
	for _, s := range []string{"bytes=0-0", "bytes=-1", "bytes=5-", "bytes=-0", "bytes=9223372036854775807-", "bytes=-9223372036854775808", "bytes=1-2,3-4", "lines=1-2"} {
		f.Add(s, int64(10))
	}
	f.Add("bytes=0-", int64(0))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 || size > ci.MaxLogBytes {
			return
		}
		r := &http.Request{Header: http.Header{"Range": {header}}}
		from, to, partial, err := byteRange(r, size, `"x"`)
		switch {
		case err != nil:
			if p := ci.AsProblem(err); p.Code != badRange || *p.Offset != size {
				t.Fatal(err)
			}
		case !partial && (from != 0 || to != size), partial && (from < 0 || from >= to || to > size):
			t.Fatalf("%q of %d: %d to %d", header, size, from, to)
		}
	})
}

// FuzzSplitStreams looks whether whatever is taken is what was asked for.
func FuzzSplitStreams(f *testing.F) {
	for _, s := range []string{"log=feed", "log=x;step=a;tail=3&log=feed;project=a/*", "log=x%3Bstep%3Da%3btail=3", "&&", "log=;;", "step=a;log=x", "log=%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		logs, err := splitStreams(raw)
		if err != nil {
			if p := ci.AsProblem(err); p == nil || !utf8.ValidString(p.Detail) {
				t.Fatal(err)
			}
			return
		}
		if len(logs) == 0 || len(logs) > mostLogs {
			t.Fatalf("%d logs", len(logs))
		}
	})
}
