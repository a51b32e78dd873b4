package certs

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

// Files is a certificate with its chain, and its key, in two PEM files.
type Files struct {
	cert, key string
	warner    warner

	mu    sync.Mutex
	from  [2]stamp // of the files when they were last read, whatever came of it
	shown *tls.Certificate
}

// A stamp is what of a file tells whether it is still the one that was read; nil
// where there is none. It follows links: tools that renew certificates often
// move one.
type stamp fs.FileInfo

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return nil
	}
	return info
}

func same(a, b stamp) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// Open reads a certificate and its key.
func Open(cert, key string, log *slog.Logger) (*Files, error) {
	f := &Files{cert: cert, key: key, warner: warner{log: log, every: 24 * time.Hour}}
	f.from = [2]stamp{stampOf(cert), stampOf(key)}
	var err error
	if f.shown, err = load(cert, key); err != nil {
		return nil, err
	}
	f.warner.look(time.Now(), f.shown.Leaf)
	return f, nil
}

func load(cert, key string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("read the certificate %s and its key %s: %w", cert, key, err)
	}
	return &pair, nil
}

func holds(cert *tls.Certificate, now time.Time) bool {
	return !now.Before(cert.Leaf.NotBefore) && !now.After(cert.Leaf.NotAfter)
}

// Config is for a server that shows the certificate.
func (f *Files) Config() *tls.Config {
	c := base()
	c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return f.Current(), nil }
	return c
}

// Current is the certificate as it is now: read again where a file has changed
// since, unless what is there is no good. To look costs two stats, which is
// nothing beside a handshake.
func (f *Files) Current() *tls.Certificate {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	// Before the files are read: a change while they are is seen the next time.
	from := [2]stamp{stampOf(f.cert), stampOf(f.key)}
	if !same(from[0], f.from[0]) || !same(from[1], f.from[1]) {
		f.from = from
		next, err := load(f.cert, f.key)
		switch {
		case err != nil: // perhaps one of them is about to follow
			f.warner.log.Warn("the renewed certificate is no good, the one before it stays", "error", err)
		case !holds(next, now) && holds(f.shown, now):
			f.warner.log.Warn("the renewed certificate does not hold now, the one before it stays", "from", next.Leaf.NotBefore, "until", next.Leaf.NotAfter)
		default:
			f.shown = next
			f.warner.log.Info("the certificate was renewed", "names", next.Leaf.DNSNames, "expires", next.Leaf.NotAfter)
		}
	}
	f.warner.look(now, f.shown.Leaf)
	return f.shown
}
