package server

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

func newReader(text string) *bufio.Reader { return bufio.NewReader(strings.NewReader(text)) }

// say sends bytes and returns the statuses of all that is answered until the
// server closes, which it is asked to do with the last request of those that it
// understands. A connection that it closes without a word has none.
func (s *testServer) say(request string) (statuses []int, text string) {
	s.t.Helper()
	r := s.connect()
	io.WriteString(r.conn, request)
	got, err := io.ReadAll(r.conn)
	if err != nil && len(got) == 0 {
		return nil, err.Error()
	}
	for _, a := range parseAnswers(s.t, string(got)) {
		statuses = append(statuses, a.status)
	}
	return statuses, string(got)
}

// TestRequests_Shapes sends requests of shapes that two programs in a row could
// read in two ways, or that name another host than they come to: each is refused
// or read in the one way of RFC 9112, a body is never a second request, and
// nothing of a request gets into a header of its answer.
func TestRequests_Shapes(t *testing.T) {
	t.Parallel()
	s := start(t)
	const get, host, end = "GET /healthz HTTP/1.1\r\n", "Host: localhost\r\n", "Connection: close\r\n\r\n"
	post := "POST /api/v1/builds HTTP/1.1\r\n" + host + "Authorization: Bearer " + s.token + "\r\nContent-Type: application/json\r\n"
	// A request that is hidden in the body of another: if it is ever answered,
	// there is one answer more.
	const hidden = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: y\r\n\r\n"
	for name, of := range map[string]struct {
		request string
		want    []int
	}{
		"a plain one":  {get + host + end, []int{200}},
		"two in a row": {get + host + "\r\n" + get + host + end, []int{200, 200}},

		// Where a body ends.
		"two lengths that differ":      {post + "Content-Length: 2\r\nContent-Length: 60\r\n" + end + "{}" + hidden, []int{400}},
		"two lengths in one":           {post + "Content-Length: 2, 2\r\n" + end + "{}" + hidden, []int{400}},
		"a length with a sign":         {post + "Content-Length: +2\r\n" + end + "{}" + hidden, []int{400}},
		"a length in hexadecimal":      {post + "Content-Length: 0x2\r\n" + end + "{}" + hidden, []int{400}},
		"a length below nothing":       {post + "Content-Length: -2\r\n" + end + "{}" + hidden, []int{400}},
		"a length beyond all":          {post + "Content-Length: 99999999999999999999\r\n" + end + "{}", []int{400}},
		"an encoding nobody knows":     {post + "Transfer-Encoding: xchunked\r\n" + end + hidden, []int{501}},
		"two encodings":                {post + "Transfer-Encoding: gzip, chunked\r\n" + end + "0\r\n\r\n" + hidden, []int{501}},
		"an encoding twice":            {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n" + end + "0\r\n\r\n" + hidden, []int{501}},
		"chunked, with a tab":          {post + "Transfer-Encoding:\tchunked\r\n" + end + "0\r\n\r\n", []int{400}}, // read as chunked: an empty body
		"chunked, with a vertical tab": {post + "Transfer-Encoding: \x0bchunked\r\n" + end + "0\r\n\r\n" + hidden, []int{400}},
		"chunked, from HTTP/1.0":       {strings.Replace(post, "HTTP/1.1", "HTTP/1.0", 1) + "Transfer-Encoding: chunked\r\n" + end + "0\r\n\r\n" + hidden, []int{400}},
		"a name with a space behind":   {post + "Transfer-Encoding : chunked\r\n" + end + "0\r\n\r\n" + hidden, []int{400}},
		"chunked, ended by bare LF":    {post + "Transfer-Encoding: chunked\r\n" + end + "2\n{}\r\n0\r\n\r\n", []int{400}},
		"a chunk of no size":           {post + "Transfer-Encoding: chunked\r\n" + end + "zz\r\n{}\r\n0\r\n\r\n" + hidden, []int{400}},
		"a chunk longer than it says":  {post + "Transfer-Encoding: chunked\r\n" + end + "1\r\n{}\r\n0\r\n\r\n" + hidden, []int{400}},
		// Both: the encoding counts, and the connection ends, so that nothing is
		// read in two ways.
		"both, and the length is longer":  {post + "Content-Length: 200\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get + host + end, []int{400}},
		"both, and the length is shorter": {post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + "50\r\n" + hidden + strings.Repeat(" ", 80-len(hidden)) + "\r\n0\r\n\r\n" + get + host + end, []int{400}},
		"GET with a body":                 {get + host + "Content-Length: 40\r\n" + end + strings.Repeat(" ", 40), []int{200}},

		// Lines.
		"a folded header":             {get + host + "X-A: b\r\n Content-Length: 5\r\n" + end, []int{200}}, // a value that goes on, no header
		"folded before the first":     {get + " X: y\r\n" + host + end, []int{400}},
		"bare LF":                     {"GET /healthz HTTP/1.1\nHost: localhost\nConnection: close\n\n", []int{200}}, // one reading, allowed by RFC 9112, section 2.2
		"bare CR in a value":          {get + host + "X: a\rContent-Length: 5\r\n" + end, []int{400}},
		"NUL in a value":              {get + host + "X: a\x00b\r\n" + end, []int{400}},
		"no colon":                    {get + host + "Nonsense\r\n" + end, []int{400}},
		"a name with a bracket":       {get + host + "X[]: a\r\n" + end, []int{400}},
		"no version":                  {"GET /healthz\r\n\r\n", []int{400}},
		"a version to come":           {"GET /healthz HTTP/4.0\r\n" + host + end, []int{505}},
		"HTTP/2 without being asked":  {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{421}},
		"a space in the address":      {"GET /heal thz HTTP/1.1\r\n" + host + end, []int{400}},
		"a control in the address":    {"GET /\x01 HTTP/1.1\r\n" + host + end, []int{400}},
		"a bad escape in the address": {"GET /%zz HTTP/1.1\r\n" + host + end, []int{400}},
		"a method with a quote":       {"GE\"T /healthz HTTP/1.1\r\n" + host + end, []int{400}},
		"headers without end":         {get + host + "X: " + strings.Repeat("a", 80<<10) + "\r\n" + end, []int{431}},
		"headers without number":      {get + host + strings.Repeat("X: y\r\n", 16<<10) + end, []int{431}},
		"noise":                       {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", []int{400}},

		// Hosts.
		"no host":                         {get + end, []int{400}},
		"an empty one":                    {get + "Host:\r\n" + end, []int{421}},
		"two":                             {get + host + "Host: evil.example\r\n" + end, []int{400}},
		"another one":                     {get + "Host: evil.example\r\n" + end, []int{421}},
		"one that ends like ours":         {get + "Host: evil-localhost\r\n" + end, []int{421}},
		"one that begins like ours":       {get + "Host: localhost.evil.example\r\n" + end, []int{421}},
		"one with a name before":          {get + "Host: localhost@evil.example\r\n" + end, []int{400}},
		"one with a path":                 {get + "Host: localhost/evil\r\n" + end, []int{400}},
		"one with quotes":                 {get + "Host: \"localhost\"\r\n" + end, []int{400}},
		"one with a space":                {get + "Host: local host\r\n" + end, []int{400}},
		"an absolute address":             {"GET http://localhost/healthz HTTP/1.1\r\n" + host + end, []int{200}},
		"an absolute address elsewhere":   {"GET http://evil.example/healthz HTTP/1.1\r\n" + host + end, []int{421}},
		"an address without host":         {"GET http:///healthz HTTP/1.1\r\n" + host + end, []int{200}},
		"another scheme":                  {"GET ftp://localhost/healthz HTTP/1.1\r\n" + host + end, []int{200}},
		"CONNECT":                         {"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n" + end, []int{421}},
		"OPTIONS for all":                 {"OPTIONS * HTTP/1.1\r\n" + host + end, []int{404}},
		"a host in the header of a proxy": {get + host + "X-Forwarded-Host: evil.example\r\n" + end, []int{200}},
	} {
		statuses, text := s.say(of.request)
		if len(statuses) != len(of.want) {
			t.Errorf("%s: %v, want %v\n%.300s", name, statuses, of.want, text)
			continue
		}
		for i, want := range of.want {
			if statuses[i] != want {
				t.Errorf("%s: %v, want %v\n%.300s", name, statuses, of.want, text)
			}
		}
	}
}

// TestRequests_NoHeaderInjection asks with line ends wherever an answer repeats
// what was asked: in a Location, a Link, a file's name, an oEmbed address.
func TestRequests_NoHeaderInjection(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"acme/api","branch":"a b","steps":[{"key":"a"}]}`)
	s.update(build, logText("a", 0, "x\n"))
	const evil = "%0d%0aSet-Cookie:%20evil=1%0d%0a%0d%0a<script>"
	for _, path := range []string{
		"/api/v1/builds/latest?project=acme/api&branch=" + evil,
		"/api/v1/builds?limit=1&branch=" + evil,
		"/api/v1/builds?limit=1&author=" + evil,
		build + "/steps/a" + evil + "/log?download=true",
		build + "/steps/a/log?download=" + evil,
		"/problems/" + evil,
		"/builds/" + evil,
		"/oembed?url=" + evil,
		"/sign-in?back=" + evil,
		"/embed/status/" + evil,
		"/?project=" + evil,
		"/badge/" + evil + ".svg",
		"/" + evil,
	} {
		for _, header := range []string{"Accept: text/html", "Accept: */*"} {
			a := s.get(path, header)
			if a.header.Get("Set-Cookie") != "" {
				t.Errorf("%s: %v", path, a.header)
			}
			for name, values := range a.header {
				if strings.ContainsAny(strings.Join(values, ""), "\r\n") || http.CanonicalHeaderKey(name) != name {
					t.Errorf("%s: %s: %q", path, name, values)
				}
			}
			if strings.Contains(a.body, "<script>\r") || strings.Contains(a.body, "\n<script>") && !strings.Contains(a.header.Get("Content-Type"), "json") {
				t.Errorf("%s: %q", path, a.body)
			}
		}
	}
}
