package certs

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACME gets a certificate for each of some names, and renews it a month before
// its end. The authority asks at port 443 of that name over TLS (TLS-ALPN-01), or
// at port 80 over HTTP (HTTP-01) where Challenges answers.
type ACME struct {
	domains []string
	manager *autocert.Manager
	warner  warner
}

// NewACME is for names that lead to this server. The directory is the
// authority's; empty, it is Let's Encrypt. To use it is to agree to the
// authority's terms. Account, keys and certificates are kept in the folder dir,
// which is closed to everybody else.
func NewACME(domains []string, email, directory, dir string, log *slog.Logger) (*ACME, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for certificates: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil { // where it was there already
		return nil, fmt.Errorf("close the folder for certificates: %w", err)
	}
	ours := autocert.HostWhitelist(domains...)
	return &ACME{
		domains: domains,
		manager: &autocert.Manager{
			Prompt: autocert.AcceptTOS,
			Cache:  autocert.DirCache(dir),
			HostPolicy: func(ctx context.Context, host string) error {
				if name, _, err := net.SplitHostPort(host); err == nil { // of a request
					host = name
				}
				return ours(ctx, host)
			},
			Email:  email,
			Client: &acme.Client{DirectoryURL: directory, UserAgent: "stepcast"},
		},
		warner: warner{log: log, every: time.Hour},
	}, nil
}

// Config is for a server that shows the certificates, and answers the authority
// over TLS.
func (a *ACME) Config() *tls.Config {
	c := base()
	c.NextProtos = append(c.NextProtos, acme.ALPNProto)
	c.GetCertificate = a.certificate
	return c
}

// certificate finds the one for who asks. Who names nobody, as a probe by
// address, gets the first.
func (a *ACME) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if slices.Contains(hello.SupportedProtos, acme.ALPNProto) { // the authority
		return a.manager.GetCertificate(hello)
	}
	if hello.ServerName == "" {
		named := *hello
		named.ServerName = a.domains[0]
		hello = &named
	}
	cert, err := a.manager.GetCertificate(hello)
	switch {
	case err == nil:
		a.warner.look(time.Now(), cert.Leaf)
	case a.ours(hello.ServerName): // else a scanner's business
		a.warner.warn(time.Now(), "no certificate for "+hello.ServerName, "error", err)
	}
	return cert, err
}

func (a *ACME) ours(name string) bool {
	return a.manager.HostPolicy(context.Background(), strings.TrimSuffix(name, ".")) == nil
}

// Fetch gets what certificates are missing, so that the first visitor does not
// wait, and the operator hears of what is wrong. A server with Config has to be
// listening. It is done when all are there, or were tried, or ctx is done.
func (a *ACME) Fetch(ctx context.Context) {
	done := make(chan struct{})
	go func() { // what it asks the authority has no end but a bound of minutes
		defer close(done)
		for _, domain := range a.domains {
			if ctx.Err() != nil {
				return
			}
			if cert, err := a.certificate(modernHello(domain)); err == nil {
				a.warner.log.Info("certificate", "name", domain, "expires", cert.Leaf.NotAfter)
			}
		}
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// modernHello is of a client that can do with an ECDSA key, as all of today can.
func modernHello(name string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{
		ServerName:        name,
		SignatureSchemes:  []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256},
		SupportedCurves:   []tls.CurveID{tls.CurveP256},
		CipherSuites:      []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		SupportedVersions: []uint16{tls.VersionTLS12},
	}
}

// Challenges answers the authority over HTTP, and hands everything else on.
func (a *ACME) Challenges(next http.Handler) http.Handler { return a.manager.HTTPHandler(next) }
