package server

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestUnreadable sends what net/http cannot read, with more behind it than it reads: the
// answer says what is wrong, and comes to be read.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, test := range map[string]struct{ head, says string }{
		"a CR behind a token":   {"Host: localhost\r\nAuthorization: Bearer stp_x\r\r\n", "tr -d '\\r'"},
		"a CR behind an offset": {"Host: localhost\r\nUpload-Offset: 12\r\r\n", "tr -d '\\r'"},
		"a control character":   {"Host: localhost\r\nX-A: a\x01b\r\n", "cannot be read as HTTP"},
		"a name with a blank":   {"Host: localhost\r\nX A: b\r\n", "header"},
		"no host":               {"", "no Host"},
		"a host that is none":   {"Host: a b\r\n", "Host header"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", s.address())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := fmt.Fprintf(conn, "PATCH /api/v1/builds HTTP/1.1\r\n%sContent-Length: 100000\r\n\r\n%s", test.head, strings.Repeat("x", 100_000)); err != nil {
				t.Fatal(err)
			}
			conn.SetReadDeadline(time.Now().Add(patience))
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			var problem struct{ Type, Detail string }
			err = json.NewDecoder(res.Body).Decode(&problem)
			if err != nil || res.StatusCode != 400 || res.Header.Get("Content-Type") != "application/problem+json" ||
				problem.Type != problemsPath+string(unreadableRequest) || !strings.Contains(problem.Detail, test.says) {
				t.Errorf("%d %+v, %v, want %q", res.StatusCode, problem, err, test.says)
			}
		})
	}
}

// TestUnreadable_LeavesTextAlone is of text that reads as what net/http says, of a handler
// and in a connection that had been heard, and of what is no header's fault.
func TestUnreadable_LeavesTextAlone(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	bare := bareBegin + "\r\n" + bareRest
	text := strings.Repeat(bare+strings.Repeat("x", 4096-len(bare)), 64) // at any edge of a buffer
	s.do("PATCH", build+"/steps/a/log", text, "Authorization: Bearer "+s.token)
	for range 3 { // of one connection
		if a := s.get(build + "/steps/a/log"); a.body != text {
			t.Fatalf("the log is %d bytes, not %d, and begins %.80q", len(a.body), len(text), a.body)
		}
	}
	for _, line := range []string{"GET /a b HTTP/1.1", "hello", "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12a"} {
		r := s.connect()
		fmt.Fprintf(r.conn, "%s\r\n\r\n", line)
		res, err := http.ReadResponse(r.r, nil)
		if err != nil || res.StatusCode != 400 || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %v, %v", line, res, err)
		}
		r.conn.Close()
	}
	conn := &tellingConn{TCPConn: s.connect().conn.(*net.TCPConn)}
	handling(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(nil, new(http.Request).WithContext(context.WithValue(t.Context(), connKey{}, conn)))
	if !conn.handled.Load() || conn.told.Load() {
		t.Error("a connection whose request is handled is not known for one")
	}
}
