package server

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// Proxies says whose word counts on where a request comes from. Each of them
// has to write the header itself, or to append its own peer to what it got; any
// other header of the kind is what the client made up.
type Proxies struct {
	Trusted   []netip.Prefix // the addresses of the proxies themselves, and of nobody else
	Forwarded bool           // they write Forwarded (RFC 7239), not X-Forwarded-For, -Proto and -Host
}

func (p *Proxies) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(p.Trusted, func(of netip.Prefix) bool { return of.Contains(addr) })
}

// An origination is how a request set out: what its peer says when that is a
// trusted proxy, else what the connection shows.
type origination struct {
	client netip.Addr // zero: there is no knowing
	proto  string     // "http", "https"; "": nobody says
	host   string     // a name with or without a port; "": nobody says
}

// clientKey is of the address of a request's client.
const clientKey = "client"

// clientAddr is the address that a request comes from: its peer's, or, where
// the peer is a trusted proxy, the rightmost one that the proxies name and that
// is none of theirs. Nobody else can choose it. It has no zone, and an IPv4
// address is one, also on an IPv6 socket. It is zero where a peer has none.
func (s *Server) clientAddr(c echo.Context) netip.Addr {
	if client, ok := c.Get(clientKey).(netip.Addr); ok {
		return client
	}
	return s.cfg.Proxies.origination(c.Request()).client
}

// unproxy lets the rest of the server see a request as the first of the
// trusted proxies got it.
func (s *Server) unproxy(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		from := s.cfg.Proxies.origination(r)
		c.Set(clientKey, from.client)
		if from.host != "" {
			c.Set(innerHostKey, r.Host)
			r.Host = from.host
		}
		if from.proto == "https" {
			c.Set(secureKey, true)
		}
		return next(c)
	}
}

// innerHostKey is of the Host that a request came with, where a trusted proxy
// says that its own was another.
const innerHostKey = "inner host"

// secureKey is of a request that reached a trusted proxy over HTTPS.
const secureKey = "secure"

// secure tells whether a request came over HTTPS, all of its way but within
// what is trusted.
func (s *Server) secure(c echo.Context) bool {
	return c.Request().TLS != nil || c.Get(secureKey) == true || strings.HasPrefix(s.cfg.PublicURL, "https://")
}

func (p *Proxies) origination(r *http.Request) (from origination) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return from
	}
	from.client = plainAddr(peer.Addr())
	if !p.trusts(from.client) {
		return from
	}
	if p.Forwarded {
		p.forwarded(&from, r.Header["Forwarded"])
	} else {
		p.xForwarded(&from, r.Header)
	}
	if from.proto = strings.ToLower(from.proto); from.proto != "http" && from.proto != "https" {
		from.proto = ""
	}
	if !isHostPort(from.host) {
		from.host = ""
	}
	return from
}

// sent tells whether a request came by a trusted proxy.
func (p *Proxies) sent(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && p.trusts(plainAddr(peer.Addr()))
}

// xForwarded reads the headers that most proxies write. Each has at its end what
// the last proxy put there.
func (p *Proxies) xForwarded(from *origination, h http.Header) {
	for name := range fromRight(h["X-Forwarded-For"]) {
		addr, ok := parseNode(name)
		if !ok {
			break // whoever sent it did not know, or will not say
		}
		if from.client = addr; !p.trusts(addr) {
			break
		}
	}
	from.proto, from.host = last(h["X-Forwarded-Proto"]), last(h["X-Forwarded-Host"])
}

// forwarded reads the header of RFC 7239, one element a proxy.
func (p *Proxies) forwarded(from *origination, lines []string) {
	for text := range fromRight(lines) {
		e, ok := parseElement(text)
		if !ok {
			break
		}
		from.proto, from.host = e.proto, e.host
		addr, ok := parseNode(e.node)
		if !ok {
			break
		}
		if from.client = addr; !p.trusts(addr) {
			break
		}
	}
}

// fromRight yields the elements of a list in header lines, the last one first.
// It splits at every comma, also at one in quotes: how the left of a list reads,
// which anybody may have written, says nothing of where its right begins.
func fromRight(lines []string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for _, line := range slices.Backward(lines) {
			for more := true; more; {
				i := strings.LastIndexByte(line, ',')
				if !yield(strings.Trim(line[i+1:], " \t")) {
					return
				}
				if more = i >= 0; more {
					line = line[:i]
				}
			}
		}
	}
}

// last is the last element of a list in header lines.
func last(lines []string) string {
	for text := range fromRight(lines) {
		return text
	}
	return ""
}

// An element is what one proxy says in Forwarded.
type element struct{ node, proto, host string }

// parseElement reads a forwarded-element of RFC 7239, section 4: pairs of a name
// and a token or a quoted string, with semicolons between them.
func parseElement(text string) (e element, ok bool) {
	seen := make(map[string]bool)
	for {
		name, rest, found := strings.Cut(text, "=")
		name = strings.ToLower(strings.TrimLeft(name, " \t"))
		if !found || !isToken(name) || seen[name] {
			return e, false
		}
		seen[name] = true
		value, rest, ok := cutValue(rest)
		if !ok {
			return e, false
		}
		switch name {
		case "for":
			e.node = value
		case "proto":
			e.proto = value
		case "host":
			e.host = value
		}
		if rest = strings.TrimLeft(rest, " \t"); rest == "" {
			return e, true
		}
		if text, ok = strings.CutPrefix(rest, ";"); !ok {
			return e, false
		}
	}
}

// cutValue takes a token or a quoted string off the beginning of a text.
func cutValue(text string) (value, rest string, ok bool) {
	if text == "" || text[0] != '"' {
		i := strings.IndexAny(text, "; \t")
		if i < 0 {
			i = len(text)
		}
		return text[:i], text[i:], isToken(text[:i])
	}
	var unquoted strings.Builder
	for i := 1; i < len(text); i++ {
		switch b := text[i]; {
		case b == '"':
			return unquoted.String(), text[i+1:], true
		case b == '\\' && i+1 < len(text):
			i++
			unquoted.WriteByte(text[i])
		default:
			unquoted.WriteByte(b)
		}
	}
	return "", "", false
}

// isToken tells whether a text is a token of RFC 9110, section 5.6.2. A colon,
// which only quotes allow, passes: proxies write for=192.0.2.1:4711.
func isToken(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune(`"(),/;<=>?@[\]{}`, r)
	})
}

// parseNode reads an address with or without a port, as proxies write them:
// 192.0.2.1, 192.0.2.1:4711, 2001:db8::1, [2001:db8::1], [2001:db8::1]:4711.
func parseNode(text string) (addr netip.Addr, ok bool) {
	if with, err := netip.ParseAddrPort(text); err == nil {
		return plainAddr(with.Addr()), true
	}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); !ok || !strings.Contains(inner, ":") {
			return addr, false
		}
		text = inner
	}
	addr, err := netip.ParseAddr(text)
	return plainAddr(addr), err == nil
}

func plainAddr(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }
