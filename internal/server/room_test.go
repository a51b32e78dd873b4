package server

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/turns"
)

// await waits until so many wait for room.
func await(t *testing.T, room *turns.Room, waiting int) {
	t.Helper()
	for room.Waiting() != waiting {
		if t.Context().Err() != nil {
			t.Fatalf("%d wait, want %d", room.Waiting(), waiting)
		}
		runtime.Gosched()
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

// TestBodies_ArriveWhenThereIsRoom begins as many long bodies with a token as there is
// room for: another of it waits for that, and nobody else's does.
func TestBodies_ArriveWhenThereIsRoom(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.arriving = turns.NewRoom(2 * maxBody)
	build := s.create(`{"project":"p"}`)
	mine, others := s.tokenFor("*", ci.ScopeReport), s.tokenFor("*", ci.ScopeReport)
	var slow []*raw
	for range 2 {
		r := s.connect()
		fmt.Fprintf(r.conn, "POST %s/updates HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", build, mine, maxBody)
		if line, err := r.r.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") { // it is being read
			t.Fatalf("%q, %v", line, err)
		}
		slow = append(slow, r)
	}
	update := func(token string) answer {
		return s.do("POST", build+"/updates", `{"updates":[{"step":{"key":"a"}}]}`, "Authorization: Bearer "+token, "Content-Type: application/json")
	}
	answered := make(chan answer, 1)
	go func() { answered <- update(mine) }()
	await(t, s.arriving, 1)
	if a := update(others); a.status != 200 {
		t.Errorf("another's: %d %s", a.status, a.body)
	}
	slow[0].conn.Close()
	if a := <-answered; a.status != 200 {
		t.Errorf("the one that waited: %d %s", a.status, a.body)
	}
}
