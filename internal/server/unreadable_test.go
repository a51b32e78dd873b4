package server

import (
	"bufio"
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
		"a control character":   {"Host: localhost\r\nX-A: a\x01b\r\n", "control character"},
		"a name with a blank":   {"Host: localhost\r\nX A: b\r\n", "name of a header"},
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
				problem.Type != problemsPath+string(badHeader) || !strings.Contains(problem.Detail, test.says) {
				t.Errorf("%d %+v, %v, want %q", res.StatusCode, problem, err, test.says)
			}
		})
	}
}
