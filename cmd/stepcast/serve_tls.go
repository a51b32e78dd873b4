package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/stepcast/stepcast/internal/certs"
	"github.com/stepcast/stepcast/internal/server"
)

// serveTLS is how the server is reached: over HTTPS, and through which proxies.
type serveTLS struct {
	TLSCert        string   `name:"tls-cert" help:"The certificate to serve HTTPS with, and those that it is signed by, as PEM. Read again when it changes." env:"STEPCAST_TLS_CERT" placeholder:"FILE" type:"path" group:"Network"`
	TLSKey         string   `name:"tls-key" help:"Its key, as PEM." env:"STEPCAST_TLS_KEY" placeholder:"FILE" type:"path" group:"Network"`
	ACMEDomain     []string `name:"acme-domain" help:"A name that leads to this server, to get and renew a certificate for; you agree to the terms of the authority. Once for each, or with commas." env:"STEPCAST_ACME_DOMAIN" placeholder:"NAME" group:"Network"`
	ACMEEmail      string   `name:"acme-email" help:"Where the authority may write to." env:"STEPCAST_ACME_EMAIL" placeholder:"ADDRESS" group:"Network"`
	ACMEDirectory  string   `name:"acme-directory" help:"The authority's ACME directory. Default: that of Let's Encrypt." env:"STEPCAST_ACME_DIRECTORY" placeholder:"URL" group:"Network"`
	RedirectListen string   `help:"An address to answer plain HTTP at, with nothing but the way to the public address and what the authority asks for there." env:"STEPCAST_REDIRECT_LISTEN" placeholder:"HOST:PORT" group:"Network"`
	TrustedProxy   []string `help:"Where the proxies are that say where requests come from: an address, a network such as 10.0.0.0/8, loopback, or private. Once for each, or with commas." env:"STEPCAST_TRUSTED_PROXY" placeholder:"NETWORK" group:"Network"`
	ProxyHeader    string   `help:"In which header they say so: X-Forwarded-For (with -Proto and -Host) or Forwarded. Default: X-Forwarded-For." default:"X-Forwarded-For" enum:"X-Forwarded-For,Forwarded" env:"STEPCAST_PROXY_HEADER" placeholder:"NAME" group:"Network"`
}

// A front is what is before the server, as it was told.
type front struct {
	files    *certs.Files // one of the two, or neither
	acme     *certs.ACME
	names    []string // of the certificate, where it is to come yet
	public   string   // as cfg has it
	redirect net.Listener
	log      *slog.Logger
}

// configure says in cfg how the server is reached. Certificates that it gets are
// kept in the data directory.
func (c *serveTLS) configure(ctx context.Context, cfg *server.Config, dir string) (*front, error) {
	f := &front{public: cfg.PublicURL, log: cfg.Log}
	var err error
	if cfg.Proxies, err = c.proxies(); err != nil {
		return nil, err
	}
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return nil, errors.New("--tls-cert and --tls-key belong together: a certificate and its key")
	case c.TLSCert != "" && len(c.ACMEDomain) > 0:
		return nil, errors.New("--tls-cert has a certificate and --acme-domain gets one: leave one of the two out")
	case len(c.ACMEDomain) == 0 && (c.ACMEEmail != "" || c.ACMEDirectory != ""):
		return nil, errors.New("--acme-email and --acme-directory are for certificates that the server gets: say for which name with --acme-domain")
	case c.TLSCert != "":
		if f.files, err = certs.Open(c.TLSCert, c.TLSKey, cfg.Log); err != nil {
			return nil, err
		}
		cfg.TLS = f.files.Config()
	case len(c.ACMEDomain) > 0:
		if err := c.checkACME(); err != nil {
			return nil, err
		}
		if f.acme, err = certs.NewACME(c.ACMEDomain, c.ACMEEmail, c.ACMEDirectory, filepath.Join(dir, "acme"), cfg.Log); err != nil {
			return nil, err
		}
		cfg.TLS, f.names = f.acme.Config(), c.ACMEDomain
	}
	if c.RedirectListen == "" {
		return f, nil
	}
	if !strings.HasPrefix(cfg.PublicURL, "https://") && f.acme == nil {
		return nil, errors.New("--redirect-listen sends everybody to the public address: set --public-url, such as https://ci.example.com")
	}
	if err := checkAddress("--redirect-listen", c.RedirectListen); err != nil {
		return nil, err
	}
	f.redirect, err = listen(ctx, "--redirect-listen", c.RedirectListen)
	return f, err
}

// proxies reads --trusted-proxy.
func (c *serveTLS) proxies() (p server.Proxies, err error) {
	p.Forwarded = c.ProxyHeader == "Forwarded"
	for _, word := range c.TrustedProxy {
		switch word {
		case "loopback":
			p.Trusted = append(p.Trusted, netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
			continue
		case "private": // RFC 1918, RFC 4193
			for _, network := range []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"} {
				p.Trusted = append(p.Trusted, netip.MustParsePrefix(network))
			}
			continue
		}
		network, err := netip.ParsePrefix(word)
		if addr, bad := netip.ParseAddr(word); bad == nil {
			network, err = addr.Unmap().WithZone("").Prefix(addr.Unmap().BitLen())
		}
		switch {
		case err != nil || network.Addr().Is4In6():
			return p, fmt.Errorf("--trusted-proxy wants an address, a network such as 10.0.0.0/8, loopback or private, not %q", word)
		case network.Bits() == 0:
			return p, fmt.Errorf("--trusted-proxy %s would let anybody say where a request comes from: name the network of the proxies", word)
		}
		p.Trusted = append(p.Trusted, network.Masked())
	}
	if p.Forwarded && len(p.Trusted) == 0 {
		return p, errors.New("--proxy-header is what proxies write: say which ones with --trusted-proxy")
	}
	return p, nil
}

func (c *serveTLS) checkACME() error {
	for _, name := range c.ACMEDomain {
		if net.ParseIP(name) != nil || !strings.Contains(strings.Trim(name, "."), ".") || strings.ContainsAny(name, "*:/ ") {
			return fmt.Errorf("--acme-domain wants a name that leads to this server, such as ci.example.com, not %q", name)
		}
	}
	if c.ACMEDirectory == "" {
		return nil
	}
	if u, err := url.Parse(c.ACMEDirectory); err != nil || u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("--acme-directory wants the https address of an ACME directory, not %q", c.ACMEDirectory)
	}
	return nil
}

// address is where the commands of this machine find a server that listens at
// one: over HTTPS by a name that its certificate is good for.
func (f *front) address(at net.Addr) string {
	if f.files == nil && f.acme == nil {
		return "http://" + at.String()
	}
	tcp := at.(*net.TCPAddr).AddrPort()
	port := strconv.Itoa(int(tcp.Port()))
	names := f.names
	if f.files != nil {
		leaf := f.files.Current().Leaf
		for _, here := range namesOf(tcp.Addr()) {
			if leaf.VerifyHostname(here) == nil {
				return "https://" + net.JoinHostPort(here, port)
			}
		}
		names = plainNames(leaf)
	}
	switch {
	case strings.HasPrefix(f.public, "https://"):
		return f.public
	case len(names) == 0:
		return "https://" + at.String() // it will be said what is wrong
	case port == "443":
		return "https://" + names[0]
	}
	return "https://" + net.JoinHostPort(names[0], port)
}

// namesOf are what this machine itself may call an address that it listens at.
func namesOf(at netip.Addr) []string {
	switch at = at.Unmap(); {
	case at.IsLoopback():
		return []string{at.String(), "localhost"}
	case at.IsUnspecified():
		return []string{"127.0.0.1", "localhost"}
	}
	return []string{at.String()}
}

// plainNames are the names of a certificate that are no patterns.
func plainNames(leaf *x509.Certificate) (names []string) {
	for _, name := range leaf.DNSNames {
		if !strings.HasPrefix(name, "*") {
			names = append(names, name)
		}
	}
	return names
}

// run does what is beside the server itself until ctx is done.
func (f *front) run(ctx context.Context, at net.Addr) error {
	var group errgroup.Group
	if f.acme != nil {
		group.Go(func() error { f.acme.Fetch(ctx); return nil })
	}
	if f.redirect != nil {
		to := f.public
		if !strings.HasPrefix(to, "https://") {
			to = f.address(at)
		}
		var challenges func(http.Handler) http.Handler
		if f.acme != nil {
			challenges = f.acme.Challenges
		}
		group.Go(func() error { return server.ServeRedirect(ctx, f.redirect, to, challenges, f.log) })
	}
	return group.Wait()
}

// close ends what configure began, if the server does not get to run.
func (f *front) close() {
	if f.redirect != nil {
		f.redirect.Close()
	}
}

// checkAddress tells whether a flag has an address to listen at.
func checkAddress(flag, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return fmt.Errorf("%s wants HOST:PORT, such as 127.0.0.1:8080, not %q", flag, address)
	}
	return nil
}

// onLoopback tells whether an address to listen at is one that only this machine
// reaches: all that its name stands for is. No name stands for all addresses.
func onLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil || host == "" {
		return false
	}
	all, err := net.LookupIP(host)
	for _, ip := range all {
		if !ip.IsLoopback() {
			return false
		}
	}
	return err == nil && len(all) > 0
}
