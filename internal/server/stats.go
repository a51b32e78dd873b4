package server

import (
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"
)

// Stats is what an operator may want to know of a server. What is counted is
// counted from its start.
type Stats struct {
	Streams int              // open now, logs that are followed included
	Events  int64            // sent over streams
	Bytes   int64            // sent over streams
	Refused map[string]int64 // by limit; each of them is there
}

// Stats counts.
func (s *Server) Stats() Stats {
	stats := Stats{Streams: s.open.count(), Events: s.delivered.events.Load(), Bytes: s.delivered.bytes.Load(), Refused: make(map[string]int64)}
	for l, n := range s.limits.refused {
		stats.Refused[string(l)] = n.Load()
	}
	return stats
}

// Of a request.
const (
	routeKey   = "route"   // the path of its route, as routes has it
	lastingKey = "lasting" // it lasts as long as its client likes
)

// observe tells of each request what came of it. It answers errors itself, since
// only then their status is known.
func (s *Server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	if s.cfg.Observe == nil {
		return next
	}
	methods := []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPatch, http.MethodDelete, http.MethodOptions}
	return func(c echo.Context) error {
		start := time.Now()
		defer func() {
			route, method, took := "none", c.Request().Method, time.Since(start)
			if path, ok := c.Get(routeKey).(string); ok {
				route = path
			}
			if !slices.Contains(methods, method) {
				method = "other" // whatever a client makes up
			}
			if c.Get(lastingKey) == true {
				took = 0
			}
			s.cfg.Observe(route, method, c.Response().Status, took)
		}()
		if err := next(c); err != nil {
			c.Error(err)
		}
		return nil
	}
}
