package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRedirect sends whoever comes by plain HTTP to the public address and to no
// other, whatever is asked for and however.
func TestRedirect(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	challenges := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/.well-known/acme-challenge/") {
				io.WriteString(w, "the challenge's answer")
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	go func() {
		done <- ServeRedirect(ctx, ln, "https://ci.example", challenges, slog.New(slog.NewTextHandler(t.Output(), nil)))
	}()
	ask := func(request string) answer {
		t.Helper()
		conn, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		io.WriteString(conn, request)
		text, err := io.ReadAll(conn)
		if err != nil {
			t.Fatalf("%q: %v after %q", request, err, text)
		}
		return parseAnswer(t, string(text))
	}
	for request, want := range map[string]string{
		"GET /builds/1?tab=log HTTP/1.1\r\nHost: ci.example":    "https://ci.example/builds/1?tab=log",
		"GET / HTTP/1.1\r\nHost: evil.example":                  "https://ci.example/",
		"GET http://evil.example/x HTTP/1.1\r\nHost: ci":        "https://ci.example/x",
		"GET //evil.example/x HTTP/1.1\r\nHost: ci":             "https://ci.example//evil.example/x",
		"GET /%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: ci":     "https://ci.example/%0d%0aSet-Cookie:%20a=b",
		"OPTIONS * HTTP/1.1\r\nHost: ci":                        "https://ci.example/",
		"GET /@evil.example HTTP/1.1\r\nHost: ci":               "https://ci.example/@evil.example",
		"POST /api/v1/builds HTTP/1.1\r\nHost: ci":              "https://ci.example/api/v1/builds",
		"GET /.well-known/other HTTP/1.1\r\nHost: ci":           "https://ci.example/.well-known/other",
		"GET /x HTTP/1.1\r\nHost: ci\r\nX-Forwarded-Host: evil": "https://ci.example/x",
	} {
		a := ask(request + "\r\nConnection: keep-alive\r\n\r\n")
		if a.status != http.StatusPermanentRedirect || a.header.Get("Location") != want || a.header.Get("Set-Cookie") != "" || a.body != "Stepcast is at https://ci.example\n" {
			t.Errorf("%q: %d %q, want %s", request, a.status, a.header, want)
		}
		for _, wrong := range wrongHeaders(nil, data, a, false) {
			t.Errorf("%q: %s", request, wrong)
		}
	}
	if a := ask("GET /.well-known/acme-challenge/x HTTP/1.1\r\nHost: ci\r\n\r\n"); a.status != 200 || a.body != "the challenge's answer" {
		t.Errorf("a challenge: %+v", a)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// parseAnswer reads one response, behind which nothing may follow.
func parseAnswer(t *testing.T, text string) answer {
	t.Helper()
	answers := parseAnswers(t, text)
	if len(answers) != 1 {
		t.Fatalf("%d answers: %q", len(answers), text)
	}
	return answers[0]
}

func parseAnswers(t *testing.T, text string) (all []answer) {
	t.Helper()
	r := newReader(text)
	for {
		if _, err := r.Peek(1); err == io.EOF {
			return all
		}
		res, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("%v: %q", err, text)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatalf("%v: %q", err, text)
		}
		all = append(all, answer{res.StatusCode, res.Header, string(body)})
	}
}
