package server

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"
)

// standing is what every answer says, unless its route says otherwise: that it
// is of the type that it names, no document that could do or frame anything, and
// for this server's own pages.
var standing = http.Header{
	"X-Content-Type-Options":       {"nosniff"},
	"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'"},
	"Cross-Origin-Opener-Policy":   {"same-origin"},
	"Cross-Origin-Resource-Policy": {"same-origin"}, // of pictures and scripts: what asks by CORS is for access.go
	"Referrer-Policy":              {"same-origin"}, // addresses of builds are nobody else's business
	"Permissions-Policy":           {"accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()"},
}

// embeddable lets pages of others load an answer that is no data: a picture, a
// script or a frame. A frame in a sandbox would not show what isolates itself.
func embeddable(h http.Header) {
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Del("Cross-Origin-Opener-Policy")
}

// strictTransport holds browsers that came by HTTPS to it (RFC 6797) for half a
// year, in seconds: longer than anybody who works with the server stays away.
// It is no longer, and says nothing of subdomains, since it comes without being
// asked for and concerns all ports of the name.
const strictTransport = "max-age=15552000"

// headers gives every answer its headers, also those of addresses that are none.
// What a route says otherwise it sets itself.
func (s *Server) headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		stand(h)
		if s.secure(c) && !localName(c.Request().Host) {
			h.Set("Strict-Transport-Security", strictTransport)
		}
		c.Response().Before(func() {
			keep(h, own(c) || h["Set-Cookie"] != nil)
			leaveEntrance(c.Request()) // for its peer, which may take nothing
		})
		return next(c)
	}
}

// stand sets what every answer says. The values are shared: none is written to.
func stand(h http.Header) {
	for name, value := range standing {
		h[name] = value
	}
}

// own tells whether an answer is for whoever asked: its route asks who that is,
// or it has shown who it is.
func own(c echo.Context) bool {
	who, _ := c.Get(callerKey).(*caller)
	a, ok := c.Get(accessKey).(access)
	return ok && a != public || who != nil && who.shows()
}

// keep says who may keep an answer: nobody, unless it says so itself, and if it
// depends on who asks, only whoever asked.
func keep(h http.Header, own bool) {
	switch kept := h.Get("Cache-Control"); {
	case kept == "":
		h.Set("Cache-Control", "no-store")
	case own && !strings.Contains(kept, "no-store") && !strings.Contains(kept, "private"):
		h.Set("Cache-Control", "private, "+kept)
	}
}

// localName tells whether a Host header is a name that every machine has for
// itself. A browser that keeps to HTTPS there would keep to it for every other
// program on its machine.
func localName(host string) bool {
	name := hostName(host)
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}
