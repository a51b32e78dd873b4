package runner

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// What is shown of a new token is worked out here: a server could say anything.
func TestClient_CreateToken(t *testing.T) {
	t.Parallel()
	text := ci.NewToken()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"id":"\u001b[2Jx","token":"%s"}`, text)
	}))
	defer server.Close()
	client, err := NewClient(server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	made, err := client.CreateToken(t.Context(), "portal", "acme/*", []string{"status"}, nil)
	sum, _ := ci.ParseToken(text)
	if err != nil || made.Text != text || made.ID != ci.TokenID(sum) {
		t.Errorf("%+v, %v", made, err)
	}
}

// Nothing that a server says turns what is around it on a terminal, or cannot be seen.
func TestClient_WhatAServerSaysIsPlain(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/api/v1/projects", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"projects":[{"name":"a\u202eb\u200b","visibility":"\u2066public"}]}`)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"type":"/problems/token-scope","detail":"No\u202e, \u001b[2Jnever.\u200b"}`)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	client, err := NewClient(server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	if projects, err := client.Projects(t.Context()); err != nil || len(projects) != 1 || projects[0].Name != "ab" || projects[0].Visibility != "public" {
		t.Errorf("%q, %v", projects, err)
	}
	if _, err := client.GetBuild(t.Context(), ci.NewBuildID()); err == nil || !strings.Contains(err.Error(), "No,  [2Jnever (403)") {
		t.Errorf("a refusal: %q", err)
	}
}

// Who waits is told why, once; a server that is only slow, or back at once, is
// not spoken of.
func TestClient_SaysThatTheServerIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		said := &sayings{}
		client := Client{URL: "http://ci.example", Say: said.say}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		refused := errors.New("connection refused")
		if err := client.retry(ctx, func() error { time.Sleep(5 * time.Second); return nil }); err != nil {
			t.Error(err)
		}
		answers := []error{refused, nil}
		if err := client.retry(ctx, func() (err error) { err, answers = answers[0], answers[1:]; return err }); err != nil || len(said.all()) > 0 {
			t.Errorf("%v, %q", err, said.all())
		}
		err := client.retry(ctx, func() error { return refused })
		if lines := said.all(); err != refused || len(lines) != 1 || !regexp.MustCompile(`^http://ci\.example is away \(connection refused\); trying on for [34]s$`).MatchString(lines[0]) {
			t.Errorf("%v, %q", err, lines)
		}
	})
}

// Nor has who waits to wait for long once it is back.
func TestClient_IsThereWhenTheServerIsBack(t *testing.T) {
	t.Parallel()
	for range 20 { // the pauses are random
		synctest.Test(t, func(t *testing.T) {
			var client Client
			begin := time.Now()
			err := client.retry(t.Context(), func() error {
				if time.Since(begin) < 40*time.Second {
					return errors.New("connection refused")
				}
				return nil
			})
			if took := time.Since(begin); err != nil || took > 40*time.Second+maxAwaited {
				t.Errorf("it was back after 40 s, and asked after %v: %v", took, err)
			}
		})
	}
}

// Names below localhost are this machine, whether or not its resolver knows them.
func TestClient_FindsNamesBelowLocalhost(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.Host }))
	defer server.Close()
	address := strings.Replace(server.URL, "127.0.0.1", "CI.localhost", 1)
	client, err := NewClient(address, "")
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.HTTP.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if host := <-asked; !strings.HasPrefix(host, "CI.localhost:") {
		t.Errorf("asked as %s", host)
	}
}
