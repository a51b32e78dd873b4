package server

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// ServeRedirect answers plain HTTP on ln until ctx is done: whatever is asked for
// is at the public address, which has a scheme, a host and maybe a port, and
// nothing else is. The challenges of a certificate authority are answered by what
// around puts before that; nil: there are none.
func ServeRedirect(ctx context.Context, ln net.Listener, public string, around func(http.Handler) http.Handler, log *slog.Logger) error {
	var h http.Handler = redirect(public)
	if around != nil {
		h = around(h)
	}
	hs := httpServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stand(w.Header())
		w.Header().Set("Connection", "close") // nobody has a second question
		h.ServeHTTP(w, r)
	}), log)
	hs.ReadTimeout, hs.WriteTimeout = 5*time.Second, 5*time.Second
	failed := make(chan error, 1)
	go func() { failed <- hs.Serve(ln) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
		hs.Close()
		<-failed
		return nil
	}
}

// redirect sends everybody to the same place at the public address, whatever host
// they asked for. A method and its body stay what they are (308): a runner whose
// address is wrong is told so, and sends nothing twice.
func redirect(public string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.RequestURI()
		if !strings.HasPrefix(path, "/") { // OPTIONS *, CONNECT
			path = "/"
		}
		w.Header().Set("Location", public+path)
		w.Header().Set("Cache-Control", "no-store") // browsers would keep it for good, and an address changes
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusPermanentRedirect)
		fmt.Fprintf(w, "Stepcast is at %s\n", public)
	}
}
