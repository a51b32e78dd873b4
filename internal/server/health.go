package server

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/postgres"
)

// healthz says that the process answers.
func (s *Server) healthz(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	return s.json(c, http.StatusOK, map[string]string{"status": "ok"})
}

// health remembers what the database said a moment ago, so that whoever asks
// often does not ask it.
type health struct {
	mu   sync.Mutex
	at   time.Time
	last postgres.Health
}

const healthKept = time.Second

func (h *health) ask(store *postgres.Store) postgres.Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	if time.Since(h.at) > healthKept {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		h.last, h.at = store.Health(ctx), time.Time{}
		if l := &h.last; l.Database == nil && l.Migrations == nil && l.Writable == nil && l.Durability == nil && l.ListenAge >= 0 {
			h.at = time.Now() // whoever waits for a start wants to know at once
		}
	}
	return h.last
}

// listenMost is the silence after which LISTEN counts as broken. Everything
// still arrives then, by polling.
const listenMost = 30 * time.Second

// readyz says whether this process should be sent requests, and if not, why.
func (s *Server) readyz(c echo.Context) error {
	h := s.health.ask(s.store)
	type check struct {
		OK     bool   `json:"ok"`
		Detail string `json:"detail,omitempty"`
	}
	var ready struct {
		Ready      bool              `json:"ready"`
		Reasons    []string          `json:"reasons"`
		Checks     map[string]check  `json:"checks"`
		Settings   map[string]string `json:"settings"`
		ListenAge  *float64          `json:"listen_age_s"` // null: not heard yet
		DiskFree   uint64            `json:"disk_free_bytes,omitempty"`
		StreamsNow *int              `json:"streams,omitempty"`
	}
	ready.Checks, ready.Settings, ready.Reasons = make(map[string]check), h.Settings, []string{}
	if !s.cfg.SignIn { // else what others do is for those who see metrics
		streams := s.open.count()
		ready.DiskFree, ready.StreamsNow = h.DiskFree, &streams
	}
	if age := h.ListenAge.Seconds(); h.ListenAge >= 0 {
		ready.ListenAge = &age
	}
	require := func(name string, ok bool, reason string) {
		if ok {
			reason = ""
		} else {
			ready.Reasons = append(ready.Reasons, reason)
		}
		ready.Checks[name] = check{ok, reason}
	}
	// What the database says is for its operator, who reads the log.
	for _, e := range []struct {
		name   string
		err    error
		reason string
	}{
		{"database", h.Database, "The database does not answer."},
		{"migrations", h.Migrations, "The database's schema is not the one that this program needs."},
		{"writable", h.Writable, "The database takes no writes."},
		{"durability", h.Durability, "The database does not keep what it acknowledges: fsync, full_page_writes and synchronous_commit must be on."},
	} {
		if e.err != nil {
			s.log.Warn("not ready", "check", e.name, "error", e.err)
		}
		require(e.name, e.err == nil, e.reason)
	}
	silent := fmt.Sprintf("LISTEN has been silent for %v; streams are up to 2 s late.", h.ListenAge.Round(time.Second))
	if h.ListenAge < 0 {
		silent = "LISTEN has not answered yet; streams are up to 2 s late."
	}
	require("listen", h.ListenAge >= 0 && h.ListenAge < listenMost, silent)
	require("running", !s.draining.Load(), "This process is shutting down.")
	status := http.StatusOK
	if ready.Ready = len(ready.Reasons) == 0; !ready.Ready {
		status = http.StatusServiceUnavailable
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return s.json(c, status, ready)
}
