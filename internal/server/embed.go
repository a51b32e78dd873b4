package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/web"
)

var widgetsTag = func() string {
	sum := sha256.Sum256(web.Widgets())
	return `"` + hex.EncodeToString(sum[:16]) + `"`
}()

// widgets answers with the script that defines the custom elements, to pages of
// any origin. Its address stays the same, so browsers ask each time whether it
// still is what they have.
func (s *Server) widgets(c echo.Context) error {
	h := c.Response().Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	h.Set("Etag", widgetsTag)
	h.Set("Content-Type", contentType(".js"))
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, bytes.NewReader(web.Widgets()))
	return nil
}
