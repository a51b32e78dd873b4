package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Sockets of one address that say nothing make room for those that do; when all
// are busy, one more is closed.
func TestLimits_Connections(t *testing.T) {
	t.Parallel()
	const most = 5
	s := limited(t, Limits{ConnsOfAddress: most, Requests: -1})
	build := s.create(`{"project":"p"}`)
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	for range 3 { // a stream is counted as one, and as no connection
		r, _, _ := s.dial(build + "/events")
		r.until("live")
	}
	closed := make(chan struct{}, 100)
	for range 20 {
		conn := s.connect().conn
		go func() {
			if n, _ := conn.Read(make([]byte, 1)); n == 0 {
				closed <- struct{}{}
			}
		}()
	}
	for range 20 - most {
		<-closed
	}
	there := s.from("127.0.0.1")
	for range 10 {
		if status, _, body := s.ask(there, build); status != 200 {
			t.Fatalf("among idle sockets: %d %s", status, body)
		}
	}
	for range most { // one of which came with each of the requests
		<-closed
	}

	var uploads []*uploader
	for i := range 2 * most { // which are no connections either
		log := fmt.Sprintf("%s/steps/s%d/log", build, i)
		u := s.upload(log, "Upload-Offset: 0")
		u.send("live\n")
		s.eventually(log, "live\n")
		uploads = append(uploads, u)
	}
	if a := s.write(build+"/updates", `{"updates":[]}`); a.status != 200 {
		t.Errorf("a report among uploads: %d %s", a.status, a.body)
	}
	// slowly sends a request whose body is being read, and comes no further.
	slowly := func(request string, length int, headers ...string) *raw {
		r := s.connect()
		fmt.Fprintf(r.conn, "%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nExpect: 100-continue\r\n%s\r\n", request, length, strings.Join(headers, ""))
		if line, err := r.r.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
			t.Fatalf("%s: %q, %v", request, line, err)
		}
		r.r.ReadString('\n')
		return r
	}
	for range most {
		slowly("POST /sign-in", 9000, "Content-Type: application/x-www-form-urlencoded\r\n")
	}
	for range 3 {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		if a := s.write(build+"/updates", `{"updates":[]}`); a.status != 200 {
			t.Errorf("a report among slow bodies: %d %s", a.status, a.body)
		}
	}
	for sure := true; sure; { // until the last report is over for the server too
		sure = false
		s.limits.conns.mu.Lock()
		for _, open := range s.limits.conns.of {
			for _, h := range open {
				sure = sure || h.sure
			}
		}
		s.limits.conns.mu.Unlock()
	}
	var busy []*raw
	body := strings.Repeat(" ", 512<<10) + `{"updates":[]}` // as much gives it time
	for range most {
		r := slowly("POST "+build+"/updates", len(body), "Authorization: Bearer "+s.token+"\r\n")
		fmt.Fprint(r.conn, body[:len(body)-1])
		busy = append(busy, r)
	}
	conn := s.connect().conn
	if n, err := conn.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("one more than are busy: %d bytes, %v", n, err)
	}
	if status, _, _ := s.ask(s.from("127.0.0.2"), build); status != 200 {
		t.Errorf("from another address: %d", status)
	}
	for _, r := range busy {
		fmt.Fprint(r.conn, body[len(body)-1:])
		if res, err := http.ReadResponse(r.r, nil); err != nil || res.StatusCode != 200 {
			t.Errorf("a request that was busy: %v, %v", res, err)
		}
	}
	for _, u := range uploads {
		if status, _ := u.finish(); status != 204 {
			t.Errorf("an upload: %d", status)
		}
	}
	if s.limits.refused[limitConns].Load() == 0 {
		t.Error("nothing is counted")
	}
	if a := s.write(build+"/updates", `{"updates":[]}`); a.status != 200 {
		t.Errorf("afterwards: %d %s", a.status, a.body)
	}
}
