package server

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/pgtest"
)

// proxied asks who the client is, and what else is known of where a request
// comes from. Headers are "Name: value".
func proxied(p Proxies, peer string, headers ...string) (client netip.Addr, host string, secure bool) {
	s := &Server{cfg: Config{Proxies: p}}
	r := httptest.NewRequest("GET", "http://in.example/", nil)
	r.RemoteAddr = peer
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	c := echo.New().NewContext(r, httptest.NewRecorder())
	s.unproxy(func(c echo.Context) error {
		client, host, secure = s.clientAddr(c), c.Request().Host, s.secure(c)
		return nil
	})(c)
	return client, host, secure
}

func trusted(prefixes ...string) (p Proxies) {
	for _, text := range prefixes {
		p.Trusted = append(p.Trusted, netip.MustParsePrefix(text))
	}
	return p
}

func TestClientAddr(t *testing.T) {
	t.Parallel()
	x := trusted("127.0.0.0/8", "10.0.0.0/8", "::1/128", "2001:db8:f::/48")
	standard := x
	standard.Forwarded = true
	for name, of := range map[string]struct {
		proxies Proxies
		peer    string
		headers []string
		want    string
	}{
		"no proxy is trusted":                  {Proxies{}, "127.0.0.1:9", []string{"X-Forwarded-For: 203.0.113.5"}, "127.0.0.1"},
		"the peer is not":                      {x, "198.51.100.7:9", []string{"X-Forwarded-For: 203.0.113.5", "X-Real-Ip: 203.0.113.5", "Forwarded: for=203.0.113.5"}, "198.51.100.7"},
		"it says nothing":                      {x, "127.0.0.1:9", nil, "127.0.0.1"},
		"it names its client":                  {x, "127.0.0.1:9", []string{"X-Forwarded-For: 203.0.113.5"}, "203.0.113.5"},
		"the client named others":              {x, "127.0.0.1:9", []string{"X-Forwarded-For: 1.1.1.1, 2.2.2.2, 203.0.113.5"}, "203.0.113.5"},
		"through two":                          {x, "10.0.0.1:9", []string{"X-Forwarded-For: 1.1.1.1, 203.0.113.5, 10.0.0.2"}, "203.0.113.5"},
		"in lines":                             {x, "10.0.0.1:9", []string{"X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 203.0.113.5", "X-Forwarded-For: 10.0.0.2"}, "203.0.113.5"},
		"from inside":                          {x, "10.0.0.1:9", []string{"X-Forwarded-For: 10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		"with a port":                          {x, "10.0.0.1:9", []string{"X-Forwarded-For: 203.0.113.5:4711"}, "203.0.113.5"},
		"IPv6":                                 {x, "[::1]:9", []string{"X-Forwarded-For: 2001:db8::5"}, "2001:db8::5"},
		"IPv6 with a port":                     {x, "[2001:db8:f::1]:9", []string{"X-Forwarded-For: [2001:db8::5]:4711"}, "2001:db8::5"},
		"IPv6 in brackets":                     {x, "[2001:db8:f::1]:9", []string{"X-Forwarded-For: [2001:db8::5]"}, "2001:db8::5"},
		"IPv4 on an IPv6 socket":               {x, "[::ffff:10.0.0.1]:9", []string{"X-Forwarded-For: ::ffff:203.0.113.5"}, "203.0.113.5"},
		"a zone":                               {trusted("fe80::/10"), "[fe80::1%eth0]:9", []string{"X-Forwarded-For: fe80::2%x"}, "fe80::2"},
		"it does not know":                     {x, "10.0.0.1:9", []string{"X-Forwarded-For: 203.0.113.5, unknown, 10.0.0.2"}, "10.0.0.2"},
		"it writes nonsense":                   {x, "10.0.0.1:9", []string{"X-Forwarded-For: 203.0.113.5, 256.1.1.1"}, "10.0.0.1"},
		"an empty element":                     {x, "10.0.0.1:9", []string{"X-Forwarded-For: 203.0.113.5,"}, "10.0.0.1"},
		"the other header":                     {x, "10.0.0.1:9", []string{"Forwarded: for=203.0.113.5"}, "10.0.0.1"},
		"the standard's other":                 {standard, "10.0.0.1:9", []string{"X-Forwarded-For: 203.0.113.5"}, "10.0.0.1"},
		"the standard's":                       {standard, "10.0.0.1:9", []string{"Forwarded: for=203.0.113.5"}, "203.0.113.5"},
		"the standard's, with all that it has": {standard, "10.0.0.1:9", []string{`Forwarded: for=1.1.1.1, For="[2001:db8::5]:4711";proto=https ; host="ci.example";by=_x`}, "2001:db8::5"},
		"the standard's, through two":          {standard, "10.0.0.1:9", []string{`Forwarded: for=1.1.1.1, for=203.0.113.5`, "Forwarded: for=10.0.0.2"}, "203.0.113.5"},
		"the standard's, hidden":               {standard, "10.0.0.1:9", []string{`Forwarded: for=1.1.1.1, for=_hidden, for=10.0.0.2`}, "10.0.0.2"},
		"the standard's, without":              {standard, "10.0.0.1:9", []string{`Forwarded: for=1.1.1.1, proto=https`}, "10.0.0.1"},
		"the standard's, twice":                {standard, "10.0.0.1:9", []string{`Forwarded: for=1.1.1.1;for=203.0.113.5`}, "10.0.0.1"},
		"a quote left open":                    {standard, "10.0.0.1:9", []string{`Forwarded: for="1.1.1.1`, `Forwarded: for=203.0.113.5`}, "203.0.113.5"},
		"no address":                           {x, "@", []string{"X-Forwarded-For: 203.0.113.5"}, "invalid IP"},
	} {
		if got, _, _ := proxied(of.proxies, of.peer, of.headers...); got.String() != of.want {
			t.Errorf("%s: %v, want %s", name, got, of.want)
		}
	}
}

// TestProxies_SchemeAndHost believes a trusted proxy where it says how it was
// asked, and what it says alone.
func TestProxies_SchemeAndHost(t *testing.T) {
	t.Parallel()
	x := trusted("10.0.0.0/8")
	standard := x
	standard.Forwarded = true
	for name, of := range map[string]struct {
		proxies Proxies
		peer    string
		headers []string
		host    string
		secure  bool
	}{
		"says nothing":          {x, "10.0.0.1:9", nil, "in.example", false},
		"says both":             {x, "10.0.0.1:9", []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: ci.example:8443"}, "ci.example:8443", true},
		"over HTTP":             {x, "10.0.0.1:9", []string{"X-Forwarded-Proto: http"}, "in.example", false},
		"the last one counts":   {x, "10.0.0.1:9", []string{"X-Forwarded-Proto: https, http", "X-Forwarded-Host: evil.example, ci.example"}, "ci.example", false},
		"no host":               {x, "10.0.0.1:9", []string{`X-Forwarded-Host: "><script>`}, "in.example", false},
		"not trusted":           {x, "198.51.100.7:9", []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example"}, "in.example", false},
		"the standard's":        {standard, "10.0.0.1:9", []string{`Forwarded: for=203.0.113.5;proto=HTTPS;host="ci.example:8443"`}, "ci.example:8443", true},
		"the first proxy's":     {standard, "10.0.0.1:9", []string{`Forwarded: for=203.0.113.5;proto=https;host=ci.example, for=10.0.0.2;proto=http;host=in`}, "ci.example", true},
		"the client's":          {standard, "10.0.0.1:9", []string{`Forwarded: for=1.1.1.1;proto=https;host=evil.example, for=203.0.113.5`}, "in.example", false},
		"not the standard's":    {standard, "10.0.0.1:9", []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example"}, "in.example", false},
		"the standard, in vain": {x, "10.0.0.1:9", []string{`Forwarded: for=203.0.113.5;proto=https;host=evil.example`}, "in.example", false},
	} {
		_, host, secure := proxied(of.proxies, of.peer, of.headers...)
		if host != of.host || secure != of.secure {
			t.Errorf("%s: %q, secure %v, want %q, %v", name, host, secure, of.host, of.secure)
		}
	}
}

// TestProxies_OnThisMachine has a page of a site that points its name here say
// what a proxy on this machine would: it cannot choose the Host that its browser
// sends, and that counts too.
func TestProxies_OnThisMachine(t *testing.T) {
	t.Parallel()
	for _, standard := range []bool{false, true} {
		s := startOn(t, pgtest.New(t), func(cfg *Config) {
			cfg.Proxies = trusted("127.0.0.0/8")
			cfg.Proxies.Forwarded = standard
		})
		said := map[bool]string{false: "X-Forwarded-Host: ", true: "Forwarded: host="}[standard]
		for _, of := range []struct {
			host, said string
			status     int
		}{
			{"evil.example", "localhost", 421},
			{"evil.example", "127.0.0.1", 421},
			{"evil.example", "", 421},
			{"localhost", "ci.example", 421},
			{"localhost", "localhost", 200},
			{"127.0.0.1:8080", "app.localhost", 200},
		} {
			if a := s.get("/api/v1/builds", "Host: "+of.host, said+of.said); a.status != of.status {
				t.Errorf("Host %s, %s%s: %d %s", of.host, said, of.said, a.status, a.body)
			}
		}
	}
}

// FuzzClientAddr has a client say whatever it likes: neither alone nor through
// proxies that add where it comes from does it choose its address.
func FuzzClientAddr(f *testing.F) {
	for _, said := range []string{
		"", "1.1.1.1", "1.1.1.1, 10.0.0.9", ",", "unknown", "[", "[::1]:x", "\"", `for="`, `for="\`, "for=1.1.1.1", "for=1.1.1.1,", `for="[::1]:80";proto=https`,
		`for=_a;by="`, "for=1.1.1.1;host=\"a,b\"", "10.0.0.9:80", "::ffff:10.0.0.9", " , ,\t", "127.0.0.1", "for=127.0.0.1", "for=10.0.0.9",
	} {
		f.Add(said, []byte{203, 0, 113, 5}, uint8(0))
		f.Add(said, []byte{203, 0, 113, 5}, uint8(0b1111))
		f.Add(said, []byte("\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05"), uint8(0b0101))
	}
	f.Fuzz(func(t *testing.T, said string, of []byte, how uint8) {
		client, ok := netip.AddrFromSlice(of)
		p := trusted("10.0.0.0/8", "127.0.0.0/8", "::1/128")
		if client = plainAddr(client); !ok || p.trusts(client) || strings.ContainsAny(said, "\r\n\x00") {
			t.Skip()
		}
		p.Forwarded = how&1 != 0
		hops, ownLine, withPort := 1+int(how>>1&1), how&4 != 0, how&8 != 0
		name := map[bool]string{false: "X-Forwarded-For", true: "Forwarded"}[p.Forwarded]
		both := http.Header{"X-Forwarded-For": {said}, "Forwarded": {said}, "X-Forwarded-Host": {said}, "X-Forwarded-Proto": {said}}

		// Alone.
		r := httptest.NewRequest("GET", "/", nil)
		r.Header, r.RemoteAddr = both.Clone(), netip.AddrPortFrom(client, 4711).String()
		if got := p.origination(r); got.client != client || got.host != "" || got.proto != "" {
			t.Fatalf("alone, %v says %q and is %+v", client, said, got)
		}
		// Through proxies: 10.0.0.1, and 10.0.0.2 before it.
		peer := client
		for hop := range hops {
			node := peer.String()
			if withPort || peer.Is6() && p.Forwarded {
				node = netip.AddrPortFrom(peer, 4711).String()
			}
			if p.Forwarded {
				node = `for="` + node + `"`
			}
			if ownLine {
				both.Add(name, node)
			} else {
				lines := both[name]
				lines[len(lines)-1] += ", " + node
			}
			peer = netip.AddrFrom4([4]byte{10, 0, 0, byte(hops - hop)})
		}
		r.Header, r.RemoteAddr = both, netip.AddrPortFrom(peer, 80).String()
		if got := p.origination(r).client; got != client {
			t.Fatalf("through %d, %v says %q and is %v: %q", hops, client, said, got, both[name])
		}
	})
}
