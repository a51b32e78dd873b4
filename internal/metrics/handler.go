package metrics

import (
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Handler answers GET /metrics and /debug/pprof/. It asks nobody who they are:
// it belongs on an address that only operators reach. Of the usual profiles it
// leaves out the command line, which may have the password of a database. Unless
// it is open it answers to loopback names only, since any other may be one that
// a hostile site points here.
func (m *Metrics) Handler(open bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !open && !loopback(r.Host) {
			http.Error(w, "This address answers to loopback names only.", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// loopback tells whether a Host header with a port names this very machine.
func loopback(host string) bool {
	name, _, _ := net.SplitHostPort(host)
	addr, err := netip.ParseAddr(name)
	return name == "localhost" || err == nil && addr.IsLoopback()
}
