package server

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/turns"
)

// await waits until so many wait for room.
func await(t *testing.T, room *turns.Room, waiting int) {
	t.Helper()
	for end := time.Now().Add(patience); room.Waiting() != waiting; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("%d wait, want %d", room.Waiting(), waiting)
		}
	}
}

// TestLog_IsReadWhenThereIsRoom has all of a token's room taken: its next log waits for
// that, and nobody else's does.
func TestLog_IsReadWhenThereIsRoom(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	s.update(build, logText("a", 0, "short\n"))
	mine, others := s.tokenFor("*", ci.ScopeRead), s.tokenFor("*", ci.ScopeRead)
	sum, err := ci.ParseToken(mine)
	if err != nil {
		t.Fatal(err)
	}
	taken, err := s.reading.Take(t.Context(), ci.TokenID(sum), 2*mostUnread)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan answer, 1)
	go func() { answered <- s.get(build+"/steps/a/log", "Authorization: Bearer "+mine) }()
	await(t, s.reading, 1)
	if a := s.get(build+"/steps/a/log", "Authorization: Bearer "+others); a.body != "short\n" {
		t.Errorf("another's: %d %s", a.status, a.body)
	}
	taken.Keep(0)
	if a := <-answered; a.body != "short\n" {
		t.Errorf("the one that waited: %d %s", a.status, a.body)
	}
}

// TestBodies_ArriveWhereThereIsRoom has as much of a token's bodies arrived as there may
// be: another of it is to come again, and nobody else's is.
func TestBodies_ArriveWhereThereIsRoom(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.arriving = turns.NewRoom(maxBody)
	build := s.create(`{"project":"p"}`)
	mine, others := s.tokenFor("*", ci.ScopeReport), s.tokenFor("*", ci.ScopeReport)
	sum, err := ci.ParseToken(mine)
	if err != nil {
		t.Fatal(err)
	}
	slow := s.connect()
	fmt.Fprintf(slow.conn, "POST %s/updates HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", build, mine, maxBody, strings.Repeat(" ", maxBody-1))
	for end := time.Now().Add(patience); !s.arriving.Full(ci.TokenID(sum), 2); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("what was sent of a body has not arrived")
		}
	}
	update := func(token string) answer {
		return s.do("POST", build+"/updates", `{"updates":[{"step":{"key":"a"}}]}`, "Authorization: Bearer "+token, "Content-Type: application/json")
	}
	if a := update(mine); a.status != 503 || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "send the same request again") {
		t.Errorf("another one: %d %v %s", a.status, a.header, a.body)
	}
	if a := update(others); a.status != 200 {
		t.Errorf("another's: %d %s", a.status, a.body)
	}
	slow.conn.Close()
	for s.arriving.Full(ci.TokenID(sum), maxBody) {
		runtime.Gosched()
	}
	if a := update(mine); a.status != 200 {
		t.Errorf("when there is room again: %d %s", a.status, a.body)
	}
}
