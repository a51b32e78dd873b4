package server

import (
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"
)

// clientAddr is the address that a request comes from.
func (s *Server) clientAddr(c echo.Context) netip.Addr {
	peer, _ := netip.ParseAddrPort(c.Request().RemoteAddr) // one of no address is none
	return peer.Addr().Unmap()
}

// secure tells whether a request came over HTTPS.
func (s *Server) secure(c echo.Context) bool {
	return c.Request().TLS != nil || strings.HasPrefix(s.cfg.PublicURL, "https://")
}
