package main

import (
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/certtest"
	"github.com/stepcast/stepcast/internal/server"
)

func TestServe_TrustedProxies(t *testing.T) {
	t.Parallel()
	for words, want := range map[string]string{
		"":                             "",
		"loopback":                     "127.0.0.0/8 ::1/128",
		"private":                      "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7",
		"192.0.2.7":                    "192.0.2.7/32",
		"2001:db8::7":                  "2001:db8::7/128",
		"::ffff:192.0.2.7":             "192.0.2.7/32",
		"192.0.2.7/24,2001:db8::7/32":  "192.0.2.0/24 2001:db8::/32",
		"loopback,10.1.0.0/16":         "127.0.0.0/8 ::1/128 10.1.0.0/16",
		"0.0.0.0/0":                    "error",
		"::/0":                         "error",
		"::ffff:0.0.0.0/96":            "error",
		"proxy.example":                "error",
		"192.0.2.7/33":                 "error",
		"Loopback":                     "error",
		"192.0.2.7:8080":               "error",
		"192.0.2.0/24 198.51.100.0/24": "error",
	} {
		c := serveTLS{ProxyHeader: "X-Forwarded-For"}
		if words != "" {
			c.TrustedProxy = strings.Split(words, ",")
		}
		p, err := c.proxies()
		texts := make([]string, len(p.Trusted))
		for i, network := range p.Trusted {
			texts[i] = network.String()
		}
		got := strings.Join(texts, " ")
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%q: %q, %v, want %q", words, got, err, want)
		}
	}
}

// TestServe_HowItIsReached tells what is wrong with flags that do not go together,
// each in a sentence that names what to change.
func TestServe_HowItIsReached(t *testing.T) {
	t.Parallel()
	ca := certtest.New(t)
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	ca.Issue(cert, key, time.Now().Add(90*24*time.Hour), "ci.example")
	for name, of := range map[string]struct {
		serveTLS
		public string
		want   string // in the error
	}{
		"nothing":                   {serveTLS{}, "", ""},
		"a certificate":             {serveTLS{TLSCert: cert, TLSKey: key}, "", ""},
		"a certificate alone":       {serveTLS{TLSCert: cert}, "", "--tls-cert and --tls-key belong together"},
		"a key alone":               {serveTLS{TLSKey: key}, "", "--tls-cert and --tls-key belong together"},
		"the two mixed up":          {serveTLS{TLSCert: key, TLSKey: cert}, "", "read the certificate"},
		"a certificate and ACME":    {serveTLS{TLSCert: cert, TLSKey: key, ACMEDomain: []string{"ci.example"}}, "", "leave one of the two out"},
		"ACME":                      {serveTLS{ACMEDomain: []string{"ci.example", "www.ci.example"}}, "", ""},
		"ACME for an address":       {serveTLS{ACMEDomain: []string{"192.0.2.7"}}, "", "--acme-domain wants a name"},
		"ACME for a pattern":        {serveTLS{ACMEDomain: []string{"*.ci.example"}}, "", "--acme-domain wants a name"},
		"ACME for a URL":            {serveTLS{ACMEDomain: []string{"https://ci.example"}}, "", "--acme-domain wants a name"},
		"ACME for this machine":     {serveTLS{ACMEDomain: []string{"localhost"}}, "", "--acme-domain wants a name"},
		"ACME for nobody":           {serveTLS{ACMEEmail: "ops@ci.example"}, "", "say for which name with --acme-domain"},
		"an authority over HTTP":    {serveTLS{ACMEDomain: []string{"ci.example"}, ACMEDirectory: "http://ca.example/dir"}, "", "--acme-directory wants the https address"},
		"a redirect":                {serveTLS{RedirectListen: "127.0.0.1:0"}, "https://ci.example", ""},
		"a redirect to nowhere":     {serveTLS{RedirectListen: "127.0.0.1:0"}, "", "set --public-url"},
		"a redirect to HTTP":        {serveTLS{RedirectListen: "127.0.0.1:0"}, "http://ci.example", "set --public-url"},
		"a redirect with ACME":      {serveTLS{RedirectListen: "127.0.0.1:0", ACMEDomain: []string{"ci.example"}}, "", ""},
		"a redirect at no address":  {serveTLS{RedirectListen: "80"}, "https://ci.example", "--redirect-listen wants HOST:PORT"},
		"the standard's of nobody":  {serveTLS{ProxyHeader: "Forwarded"}, "", "say which ones with --trusted-proxy"},
		"the standard's of proxies": {serveTLS{ProxyHeader: "Forwarded", TrustedProxy: []string{"loopback"}}, "", ""},
	} {
		cfg := server.Config{PublicURL: of.public, Log: slog.New(slog.DiscardHandler)}
		f, err := of.serveTLS.configure(t.Context(), &cfg, t.TempDir())
		if err == nil {
			f.close()
		}
		if (err != nil) != (of.want != "") || err != nil && !strings.Contains(err.Error(), of.want) {
			t.Errorf("%s: %v, want %q", name, err, of.want)
		}
		if secure := of.TLSCert != "" || of.ACMEDomain != nil; err == nil && secure != (cfg.TLS != nil) {
			t.Errorf("%s: HTTPS is %v", name, cfg.TLS != nil)
		}
	}
}

// TestServe_LeavesItsAddress leaves one that the certificate is good for.
func TestServe_LeavesItsAddress(t *testing.T) {
	t.Parallel()
	ca := certtest.New(t)
	dir := t.TempDir()
	for name, of := range map[string]struct {
		names  []string // of the certificate; none: plain HTTP
		acme   string
		at     string
		public string
		want   string
	}{
		"HTTP":                      {nil, "", "127.0.0.1:8080", "https://ci.example", "http://127.0.0.1:8080"},
		"for this machine":          {[]string{"ci.example", "127.0.0.1"}, "", "127.0.0.1:8443", "", "https://127.0.0.1:8443"},
		"for this machine, by name": {[]string{"localhost"}, "", "127.0.0.1:8443", "", "https://localhost:8443"},
		"for this machine, IPv6":    {[]string{"::1"}, "", "[::1]:8443", "", "https://[::1]:8443"},
		"everywhere":                {[]string{"ci.example", "localhost"}, "", "[::]:8443", "", "https://localhost:8443"},
		"elsewhere":                 {[]string{"*.example", "ci.example"}, "", "0.0.0.0:8443", "", "https://ci.example:8443"},
		"elsewhere, at the usual":   {[]string{"ci.example"}, "", "0.0.0.0:443", "", "https://ci.example"},
		"elsewhere, said":           {[]string{"ci.example"}, "", "10.0.0.1:8443", "https://ci.example", "https://ci.example"},
		"a pattern":                 {[]string{"*.example"}, "", "10.0.0.1:8443", "", "https://10.0.0.1:8443"},
		"ACME":                      {nil, "ci.example", "0.0.0.0:443", "", "https://ci.example"},
		"ACME, at another port":     {nil, "ci.example", "0.0.0.0:8443", "", "https://ci.example:8443"},
		"ACME, said":                {nil, "ci.example", "0.0.0.0:8443", "https://ci.example", "https://ci.example"},
	} {
		var c serveTLS
		if of.names != nil {
			c.TLSCert, c.TLSKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
			ca.Issue(c.TLSCert, c.TLSKey, time.Now().Add(90*24*time.Hour), of.names...)
		}
		if of.acme != "" {
			c.ACMEDomain = []string{of.acme}
		}
		cfg := server.Config{PublicURL: of.public, Log: slog.New(slog.DiscardHandler)}
		f, err := c.configure(t.Context(), &cfg, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if got := f.address(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(of.at))); got != of.want {
			t.Errorf("%s: %s, want %s", name, got, of.want)
		}
	}
}

// TestServe_RefusesToBePublic does not let everybody read by accident: not at any
// address that others reach, however it is written, and not because the way
// there is encrypted.
func TestServe_RefusesToBePublic(t *testing.T) {
	t.Parallel()
	ca := certtest.New(t)
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	ca.Issue(cert, key, time.Now().Add(90*24*time.Hour), "ci.example")
	const public, wrong = "everybody who reaches ", "--listen wants HOST:PORT"
	for listen, want := range map[string]string{
		"0.0.0.0:0":                public,
		":0":                       public,
		"[::]:0":                   public,
		"[::ffff:0.0.0.0]:0":       public,
		"192.0.2.7:0":              public,
		"[2001:db8::7]:0":          public,
		"127.0.0.1.example:0":      public, // a name of others, or of nobody
		"localhost.evil.invalid:0": public,
		"127.1:0":                  public, // no address to Go
		"8080":                     wrong,
		"127.0.0.1":                wrong,
		"127.0.0.1:no-port":        wrong,
		"127.0.0.1:99999":          wrong,
		"unix:/run/stepcast.sock":  wrong,
		"/run/stepcast.sock":       wrong,
		"[::1:8080":                wrong,
	} {
		for _, more := range [][]string{nil, {"--tls-cert", cert, "--tls-key", key}} {
			_, stderr, code := output(t, stepcast(t, nil, append([]string{"serve", "--listen", listen}, more...)...))
			if code != exitFailed || !strings.Contains(stderr, want) || want == public && !strings.Contains(stderr, listen) {
				t.Errorf("%s %v: exit code %d, %q", listen, more, code, stderr)
			}
		}
	}
	for listen, want := range map[string]bool{
		"127.0.0.1:8080": true, "127.9.9.9:80": true, "[::1]:8080": true, "localhost:8080": true, "[::ffff:127.0.0.1]:80": true,
		"0.0.0.0:8080": false, ":8080": false, "[::]:80": false, "nowhere.invalid:80": false,
	} {
		if got := onLoopback(listen); got != want {
			t.Errorf("%s: on loopback %v", listen, got)
		}
	}
}
