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
)

// script makes a handler of a script for pages of any origin. Its address stays
// the same, so browsers ask each time whether it still is what they have.
func script(read func() []byte) echo.HandlerFunc {
	file := sync.OnceValue(func() servedScript { return newServedScript(read()) })
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Access-Control-Allow-Origin", "*") // for those who ask for it as a module
		h.Set("Cache-Control", "no-cache")
		h.Add("Vary", "Accept-Encoding")
		h.Set("Content-Type", contentType(".js"))
		body, tag := file().plain, file().plainTag
		if strings.Contains(c.Request().Header.Get("Accept-Encoding"), "gzip") {
			body, tag = file().small, file().smallTag
			h.Set("Content-Encoding", "gzip")
		}
		h.Set("Etag", `"`+tag+`"`)
		http.ServeContent(c.Response(), c.Request(), "", time.Time{}, bytes.NewReader(body))
		return nil
	}
}

// A servedScript is plain and compressed, each with the tag that changes with it.
type servedScript struct {
	plain, small       []byte
	plainTag, smallTag string
}

func newServedScript(plain []byte) servedScript {
	var small bytes.Buffer
	z, err := gzip.NewWriterLevel(&small, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(plain)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		panic(fmt.Errorf("compress a script: %w", err)) // into memory
	}
	sum := sha256.Sum256(plain)
	tag := hex.EncodeToString(sum[:16])
	return servedScript{plain, small.Bytes(), tag, tag + "-gzip"}
}
