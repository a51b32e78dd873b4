package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/stepcast/stepcast/internal/metrics"
	"github.com/stepcast/stepcast/internal/postgres"
	"github.com/stepcast/stepcast/internal/server"
)

// serveLimits is how much one address, one token and one project may take, and
// where operators see who took more. docs/limits.md has the reasons.
type serveLimits struct {
	MaxStreams           int    `help:"Streams that may be open at once. Default: 20000." default:"20000" env:"STEPCAST_MAX_STREAMS" placeholder:"N" group:"Limits"`
	MaxStreamsPerAddress int    `help:"The same, of one address. Default: 250." default:"250" env:"STEPCAST_MAX_STREAMS_PER_ADDRESS" placeholder:"N" group:"Limits"`
	MaxStreamsPerToken   int    `help:"The same, of one token or one session. Default: 1000." default:"1000" env:"STEPCAST_MAX_STREAMS_PER_TOKEN" placeholder:"N" group:"Limits"`
	MaxStreamsPerProject int    `help:"The same, of builds of one project. Default: 10000." default:"10000" env:"STEPCAST_MAX_STREAMS_PER_PROJECT" placeholder:"N" group:"Limits"`
	MaxConnsPerAddress   int    `name:"max-connections-per-address" help:"Other connections of one address; beyond that the longest idle one is closed. Default: 500." default:"500" env:"STEPCAST_MAX_CONNECTIONS_PER_ADDRESS" placeholder:"N" group:"Limits"`
	MaxRequests          int    `help:"Requests a second of one address, without a token. Default: 50." default:"50" env:"STEPCAST_MAX_REQUESTS" placeholder:"N" group:"Limits"`
	MaxReads             int    `help:"Requests a second of one token or one session, but for reports of builds. Default: 100." default:"100" env:"STEPCAST_MAX_READS" placeholder:"N" group:"Limits"`
	MaxFailures          int    `help:"Tokens a minute that are no good, of one address. Default: 30." default:"30" env:"STEPCAST_MAX_FAILURES" placeholder:"N" group:"Limits"`
	MaxUploads           int    `help:"Live uploads of logs that may be open at once. Default: 10000." default:"10000" env:"STEPCAST_MAX_UPLOADS" placeholder:"N" group:"Limits"`
	MaxUploadsPerAddress int    `help:"The same, of one address. Default: 2000." default:"2000" env:"STEPCAST_MAX_UPLOADS_PER_ADDRESS" placeholder:"N" group:"Limits"`
	MaxUploadsPerToken   int    `help:"The same, of one token. Default: 500." default:"500" env:"STEPCAST_MAX_UPLOADS_PER_TOKEN" placeholder:"N" group:"Limits"`
	MaxUploadsPerProject int    `help:"The same, to builds of one project. Default: 2000." default:"2000" env:"STEPCAST_MAX_UPLOADS_PER_PROJECT" placeholder:"N" group:"Limits"`
	MaxBuildLog          string `help:"Log text that is kept of a build. What comes beyond it is taken and not kept. Default: 4GiB." default:"4GiB" env:"STEPCAST_MAX_BUILD_LOG" placeholder:"SIZE" group:"Limits"`
	MaxProjectLog        string `help:"Log text that is kept of all builds of a project in a day. Default: 32GiB." default:"32GiB" env:"STEPCAST_MAX_PROJECT_LOG" placeholder:"SIZE" group:"Limits"`
	LimitLoopback        bool   `help:"Hold loopback addresses to what an address may too." env:"STEPCAST_LIMIT_LOOPBACK" group:"Limits"`

	AdminListen string `help:"Where operators get metrics (/metrics) and profiles (/debug/pprof/), which ask nobody who they are. Default: nowhere." env:"STEPCAST_ADMIN_LISTEN" placeholder:"HOST:PORT" group:"Limits"`
	AdminOpen   bool   `help:"Let --admin-listen be an address that other machines reach." env:"STEPCAST_ADMIN_OPEN" group:"Limits"`
}

// limit says in both what is bounded.
func (c *serveLimits) limit(cfg *server.Config, database *postgres.Config) error {
	bound := func(n int) int {
		if n == 0 {
			return -1
		}
		return n
	}
	for _, n := range []int{c.MaxStreams, c.MaxStreamsPerAddress, c.MaxStreamsPerToken, c.MaxStreamsPerProject, c.MaxConnsPerAddress, c.MaxRequests, c.MaxReads, c.MaxFailures, c.MaxUploads, c.MaxUploadsPerAddress, c.MaxUploadsPerToken, c.MaxUploadsPerProject} {
		if n < 0 {
			return fmt.Errorf("a limit is a number such as 250, or 0 for none, not %d", n)
		}
	}
	cfg.Limits = server.Limits{
		Streams: bound(c.MaxStreams), StreamsOfAddress: bound(c.MaxStreamsPerAddress), StreamsOfToken: bound(c.MaxStreamsPerToken), StreamsOfProject: bound(c.MaxStreamsPerProject),
		ConnsOfAddress: bound(c.MaxConnsPerAddress), Requests: bound(c.MaxRequests), Reads: bound(c.MaxReads), Failures: bound(c.MaxFailures),
		Uploads: bound(c.MaxUploads), UploadsOfAddress: bound(c.MaxUploadsPerAddress), UploadsOfToken: bound(c.MaxUploadsPerToken), UploadsOfProject: bound(c.MaxUploadsPerProject),
		Loopback: c.LimitLoopback,
	}
	for _, quota := range []struct {
		flag, text string
		bytes      *int64
	}{{"--max-build-log", c.MaxBuildLog, &database.BuildLog}, {"--max-project-log", c.MaxProjectLog, &database.ProjectLog}} {
		if quota.text == "0" {
			continue
		}
		var err error
		if *quota.bytes, err = parseSize(quota.text); err != nil {
			return fmt.Errorf("%s: %w; 0 keeps everything", quota.flag, err)
		}
	}
	return nil
}

// listenForOperators opens the address of --admin-listen; nil: there is none.
func (c *serveLimits) listenForOperators(ctx context.Context) (net.Listener, error) {
	if c.AdminListen == "" {
		return nil, nil
	}
	if _, _, err := net.SplitHostPort(c.AdminListen); err != nil {
		return nil, fmt.Errorf("--admin-listen wants HOST:PORT, such as 127.0.0.1:9090, not %q", c.AdminListen)
	}
	if !c.AdminOpen && !onLoopback(c.AdminListen) {
		return nil, fmt.Errorf("everybody who reaches %s could read the metrics and profiles of this server: let --admin-listen be a loopback address such as 127.0.0.1:9090, or add --admin-open if only operators reach it", c.AdminListen)
	}
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.AdminListen)
	if err != nil {
		return nil, fmt.Errorf("--admin-listen: %w", err)
	}
	return ln, nil
}

// serveOperators answers on ln until ctx is done. A profile that is under way is
// broken off then.
func (c *serveLimits) serveOperators(ctx context.Context, ln net.Listener, m *metrics.Metrics) error {
	hs := &http.Server{
		Handler:           m.Handler(c.AdminOpen),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	stop := context.AfterFunc(ctx, func() { hs.Close() })
	defer stop()
	if err := hs.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	}
	return nil
}
