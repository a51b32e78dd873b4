package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/labstack/echo/v4"
)

// worthwhile is from how many bytes on an answer is compressed: a shorter one
// takes a packet either way.
const worthwhile = 1400

// takesGzip tells whether the peer reads an answer that is compressed. Either
// way a cache has to know that there are two.
func takesGzip(c echo.Context) bool {
	c.Response().Header().Add("Vary", "Accept-Encoding")
	for _, header := range c.Request().Header.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(header, ",") {
			name, weight, _ := strings.Cut(coding, ";")
			if strings.EqualFold(strings.TrimSpace(name), "gzip") {
				return !zeroWeight.MatchString(weight)
			}
		}
	}
	return false
}

// zeroWeight is of what a peer does not take (RFC 9110, section 12.4.2).
var zeroWeight = regexp.MustCompile(`^\s*[qQ]=0(\.0*)?\s*$`)

// A file is one of the pages', as it is and compressed, each with the tag that
// changes with it.
type file struct {
	plain, small       []byte
	plainTag, smallTag string
}

func newFile(plain []byte) file {
	var small bytes.Buffer
	z, err := gzip.NewWriterLevel(&small, gzip.BestCompression)
	if err == nil {
		err = squeeze(z, plain)
	}
	if err != nil {
		panic(fmt.Errorf("compress a file: %w", err)) // into memory
	}
	sum := sha256.Sum256(plain)
	tag := hex.EncodeToString(sum[:16])
	return file{plain, small.Bytes(), `"` + tag + `"`, `"` + tag + `-gzip"`}
}

// serve answers with the file, after its header.
func (f file) serve(c echo.Context) error {
	h := c.Response().Header()
	body, tag := f.plain, f.plainTag
	if takesGzip(c) {
		body, tag = f.small, f.smallTag
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Etag", tag)
	c.Request().Header.Del("Range") // a header has room for thousands, which are a part of the answer each
	http.ServeContent(c.Response(), c.Request(), "", time.Time{}, bytes.NewReader(body))
	return nil
}

// gzippers write answers that are made anew each time: fast rather than small.
var gzippers = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
	if err != nil {
		panic(err) // the level is one
	}
	return z
}}

// gzipped is a body that is long enough, compressed.
func gzipped(body []byte) ([]byte, error) {
	small := bytes.NewBuffer(make([]byte, 0, len(body)/4))
	z := gzippers.Get().(*gzip.Writer)
	defer gzippers.Put(z)
	z.Reset(small)
	err := squeeze(z, body)
	return small.Bytes(), err
}

func squeeze(z *gzip.Writer, body []byte) error {
	if _, err := z.Write(body); err != nil {
		return err
	}
	return z.Close()
}

// gzippedParts compresses what is written, each time by itself: it keeps nothing
// in between, for a peer that is slow.
func gzippedParts(w io.Writer) io.WriteCloser {
	z, err := gzip.NewWriterLevel(w, gzip.StatelessCompression)
	if err != nil {
		panic(err) // the level is one
	}
	return z
}
