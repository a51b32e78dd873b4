package server

import (
	"bytes"
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

// FuzzIncoming cuts an upload anywhere: nothing is lost, and text that is
// UTF-8 is never cut inside a character.
func FuzzIncoming(f *testing.F) {
	f.Add([]byte("wörld €😀"), uint8(1))
	f.Add([]byte("\xe2\x82"), uint8(1))
	f.Add([]byte("\xff\xff\xf0\x9f\x98"), uint8(2))
	f.Fuzz(func(t *testing.T, text []byte, size uint8) {
		in := newIncoming(new(atomic.Int64))
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

// FuzzFormats puts anything into the texts that are handed on in formats of
// others: each comes out as text again, and nothing else does.
func FuzzFormats(f *testing.F) {
	for _, s := range []string{
		`"><script>alert(1)</script>`, `]]><x/>`, `<!--`, `<!DOCTYPE x [<!ENTITY y "z">]>&y;`, "\x00\x1b\xff\ufffe", "&#0;&lt;", "javascript:alert(1)", "http://x/'\"><b>", "a\r\nSet-Cookie: b", "\u202e\u2028",
	} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, branch, title string) {
		at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
		b := ci.Build{Project: "acme/api", Number: 7, Status: ci.Passed, Branch: ci.Text(branch), Title: ci.Text(title), Author: ci.Text(title), URL: ci.Text(title), CreatedAt: at, FinishedAt: &at}
		entry := newAtomEntry(b, "https://ci.example")
		got := readAgain(t, atomFeed{Title: title, Entries: []atomEntry{entry}, Links: []atomLink{{"self", "", title}}})
		if got.Title != legible(title) || len(got.Entries) != 1 || got.Entries[0].Title != legible(entry.Title) || got.Entries[0].Summary != legible(entry.Summary) {
			t.Fatalf("%q, %q: %+v", branch, title, got)
		}
		for _, link := range got.Entries[0].Links {
			if !strings.HasPrefix(link.Href, "https://") && !strings.HasPrefix(link.Href, "http://") {
				t.Fatalf("a link to %s", link.Href)
			}
		}
		p := newCCProject(postgres.Standing{Project: title, Branch: ci.Text(branch), Newest: postgres.Stand{Status: ci.Running, CreatedAt: at}})
		p.URL = "https://ci.example" + buildsPath(title, branch)
		if got := readAgain(t, p); got.Name != legible(title) || got.URL != p.URL {
			t.Fatalf("%q, %q: %+v", branch, title, got)
		}
		frame := frameable{path: "/embed/board?" + url.Values{"branch": {branch}}.Encode(), title: title}
		if got := readAgain(t, oembedAnswer{Title: title, HTML: frame.html("https://ci.example", 1, 1)}); got.Title != legible(title) {
			t.Fatalf("%q: %+v", title, got)
		}
		// A frame is one element, with attributes of ours.
		text := frame.html("https://ci.example", 1, 1)
		if i := strings.Index(text, "<"); i != 0 || strings.Count(text, "<") != 2 || strings.Count(text, ">") != 2 || strings.Count(text, `"`) != 16 || strings.Contains(text, "'") {
			t.Fatalf("%q: %s", title, text)
		}
	})
}

// readAgain reads what it writes as XML.
func readAgain[T any](t *testing.T, v T) (got T) {
	t.Helper()
	text, err := xml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return got
}

// legible is what XML can have of a text.
func legible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return '\uFFFD'
		}
		return r
	}, s)
}

// FuzzLocalPath follows a path to go on to as browsers do, from any page of this
// server: it leads to this server.
func FuzzLocalPath(f *testing.F) {
	for _, text := range []string{
		"/wall", "/builds/1?x=y#L3", "//x.example", "/\\x.example", "/\t/x.example", "/a/..//x.example", "/.//x.example", "/%2f/x.example",
		"https://x.example", "javascript:alert(1)", "/\r\n/x.example", "/@x.example", "/:80", "?u=//x.example", "/\u2028/x", "/;//x.example",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path := localPath(text)
		if path != "/" && path != text {
			t.Fatalf("%q became %q", text, path)
		}
		// The URL Standard: what is dropped, and what stands for what.
		seen := strings.NewReplacer("\t", "", "\n", "", "\r", "", "\\", "/").Replace(strings.TrimFunc(path, func(r rune) bool { return r <= ' ' }))
		if !strings.HasPrefix(seen, "/") || strings.HasPrefix(seen, "//") || seen != path {
			t.Fatalf("%q leads to %q", text, seen)
		}
		base, _ := url.Parse("https://stepcast.example/sign-in/callback?code=x")
		if u, err := base.Parse(path); err == nil && (u.Scheme != "https" || u.Host != "stepcast.example" || u.User != nil) {
			t.Fatalf("%q leads to %s", text, u)
		}
	})
}
