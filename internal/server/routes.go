package server

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// A route is a method, a path, what it asks of its caller, and who answers.
type route struct {
	method, path string
	access       access
	handler      echo.HandlerFunc
}

// routes is the whole HTTP surface. A route that is not listed does not exist,
// and none can be listed without saying who may use it. GET routes answer HEAD
// too.
func (s *Server) routes() []route {
	return []route{
		// Writing
		{"POST", "/api/v1/builds", report, s.createBuild},
		{"POST", "/api/v1/builds/:id/updates", report, s.build(s.postUpdates)},
		{"PATCH", "/api/v1/builds/:id/steps/*", report, s.build(s.patchLog)}, // …/{key}/log

		// Reading
		{"GET", "/api/v1/builds", read, s.listBuilds},
		{"GET", "/api/v1/builds/latest", read, s.latestBuild},
		{"GET", "/api/v1/builds/:id", read, s.build(s.getBuild)},
		{"GET", "/api/v1/builds/:id/events", read, s.orUnavailable(s.build(s.buildEvents))},
		{"GET", "/api/v1/builds/:id/notes", read, s.build(s.listNotes)},
		{"GET", "/api/v1/builds/:id/steps/*", read, s.build(s.getLog)}, // …/{key}/log
		{"GET", "/api/v1/events", read, s.orUnavailable(s.feedEvents)},
		{"GET", "/api/v1/streams", read, s.orUnavailable(s.streams)},
		{"GET", "/api/v1/projects", read, s.listProjects},

		// Operations, and what explains the rest
		{"GET", "/healthz", public, s.healthz},
		{"GET", "/readyz", public, s.readyz},
		{"GET", "/api/v1/openapi.json", public, s.openapi},
		{"GET", "/problems/:code", public, s.explain},

		// Pages
		{"GET", "/", public, s.page},
		{"GET", "/builds/:id", public, s.page},
		{"GET", "/assets/*", public, s.asset},
	}
}

// router puts the routes behind the guard.
func (s *Server) router() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.answer
	e.Use(s.recover, s.guard, paced)
	for _, r := range s.routes() {
		h := s.check(r.access, r.handler)
		e.Add(r.method, r.path, h)
		if r.method == http.MethodGet {
			e.Add(http.MethodHead, r.path, h)
		}
	}
	return e
}
