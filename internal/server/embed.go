package server

import (
	"sync"

	"github.com/labstack/echo/v4"
)

// script makes a handler of a script for pages of any origin. Its address stays
// the same, so browsers ask each time whether it still is what they have.
func script(read func() []byte) echo.HandlerFunc {
	script := sync.OnceValue(func() file { return newFile(read()) })
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Access-Control-Allow-Origin", "*") // for those who ask for it as a module
		h.Set("Cache-Control", "no-cache")
		h.Set("Content-Type", contentType(".js"))
		return script().serve(c)
	}
}
