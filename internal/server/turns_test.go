package server

import (
	"runtime"
	"testing"
)

// TestReports_AreDecodedInTurn takes all places: what arrives is decoded after that.
func TestReports_AreDecodedInTurn(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	var leave func()
	for range runtime.GOMAXPROCS(0) {
		leave, _ = s.decoding.Enter(t.Context(), "another")
	}
	const reports = 20
	answered := make(chan int, 2*reports)
	for range reports {
		go func() { answered <- s.write(build+"/updates", `{"updates":[{"step":{"key":"a"}}]}`).status }()
		go func() { answered <- s.write("/api/v1/builds", `{"project":"p"}`).status }()
	}
	for s.decoding.Waiting() < 2*reports {
		if len(answered) > 0 {
			t.Fatal("a report was decoded, where all places are taken")
		}
		runtime.Gosched()
	}
	leave()
	for range 2 * reports {
		if status := <-answered; status != 200 && status != 201 {
			t.Errorf("a report that had waited was answered %d", status)
		}
	}
}

// TestAnswers_AreMadeInTurn takes all places: what is looked for among all builds, or may
// be long, is made after that.
func TestAnswers_AreMadeInTurn(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p","status":"running","steps":[{"key":"a"}]}`)
	s.publish()
	var leave func()
	for range runtime.GOMAXPROCS(0) {
		leave, _ = s.answers.Enter(t.Context(), "another")
	}
	paths := []string{
		"/api/v1/builds", "/api/v1/builds/latest?project=p", build, "/api/v1/projects", "/api/v1/events", "/cc.xml", "/builds.atom", "/plain", "/badge/p.svg", "/badge/p.svg?step=a", "/shields/p.json",
	}
	answered := make(chan string, len(paths))
	for _, path := range paths {
		go func() {
			if a := s.get(path); a.status >= 400 {
				t.Errorf("%s: %d %s", path, a.status, a.body)
			}
			answered <- path
		}()
	}
	for s.answers.Waiting() < len(paths) {
		if len(answered) > 0 {
			t.Fatalf("%s was answered, where all places are taken", <-answered)
		}
		runtime.Gosched()
	}
	leave()
	for range paths {
		<-answered
	}
}
