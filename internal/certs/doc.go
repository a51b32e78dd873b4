// Package certs keeps the certificate that a server shows: one in files, which
// are read again when they change, or one that it gets and renews by itself
// from a certificate authority, by ACME (RFC 8555).
//
// A renewal takes effect at the next handshake, and connections that are open
// go on. A renewal that is no good is said in the log, and the certificate
// before it stays.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"sync"
	"time"
)

// endsSoon is how long before its end a certificate is said not to have been
// renewed. An authority that issues for 90 days is asked a month before.
const endsSoon = 14 * 24 * time.Hour

// base is what all have in common. Suites and curves are Go's own choice, which
// is kept up to date; so are the keys of sessions that are resumed, which live a
// day.
func base() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}

// A warner says the same only once a while.
type warner struct {
	log   *slog.Logger
	every time.Duration

	mu   sync.Mutex
	said map[string]time.Time // by message, of which there are few
}

func (w *warner) warn(now time.Time, message string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if last, ok := w.said[message]; ok && now.Sub(last) < w.every {
		return
	}
	if w.said == nil {
		w.said = make(map[string]time.Time)
	}
	w.said[message] = now
	w.log.Warn(message, args...)
}

// look says that a certificate that is shown is near its end.
func (w *warner) look(now time.Time, leaf *x509.Certificate) {
	switch left := leaf.NotAfter.Sub(now); {
	case left < 0:
		w.warn(now, "the certificate has expired, so that browsers and runners refuse it", "names", leaf.DNSNames, "expired", leaf.NotAfter)
	case left < endsSoon:
		w.warn(now, "the certificate expires soon and was not renewed", "names", leaf.DNSNames, "expires", leaf.NotAfter)
	}
}
