package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/web"
)

// script is the widgets' script as it is served: plain and compressed, each
// with the tag that changes with it.
var script = sync.OnceValue(func() (s struct {
	plain, small       []byte
	plainTag, smallTag string
}) {
	s.plain = web.Widgets()
	var small bytes.Buffer
	z, err := gzip.NewWriterLevel(&small, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(s.plain)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(fmt.Errorf("compress widgets.js: %w", err)) // into memory
	}
	s.small = small.Bytes()
	sum := sha256.Sum256(s.plain)
	s.plainTag = hex.EncodeToString(sum[:16])
	s.smallTag = s.plainTag + "-gzip"
	return s
})

// widgets answers with the script that defines the custom elements, to pages of
// any origin. Its address stays the same, so browsers ask each time whether it
// is still what they have.
func (s *Server) widgets(c echo.Context) error {
	h := c.Response().Header()
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache")
	h.Add("Vary", "Accept-Encoding")
	h.Set("Content-Type", contentType(".js"))
	body, tag := script().plain, script().plainTag
	if strings.Contains(c.Request().Header.Get("Accept-Encoding"), "gzip") {
		body, tag = script().small, script().smallTag
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Etag", `"`+tag+`"`)
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, bytes.NewReader(body))
	return nil
}
