package server

import (
	_ "embed"
	"net/http"

	"github.com/labstack/echo/v4"
)

// openapiJSON is the contract, in detail. A test holds the routes and the
// problems to it.
//
//go:embed openapi.json
var openapiJSON []byte

func (s *Server) openapi(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "no-cache")
	c.Response().Header().Set("X-Content-Type-Options", "nosniff")
	return c.Blob(http.StatusOK, "application/json", openapiJSON)
}
