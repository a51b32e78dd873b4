package server

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// What trickles is closed, on every route but an upload to a log that its token
// may write: headers, bodies that are read, and bodies that nobody reads.
func TestLimits_TricklingBodies(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
	auth := "\r\nAuthorization: Bearer " + s.token
	requests := []string{
		"POST /api/v1/builds HTTP/1.1\r\nHost: localhost", // a header without an end
		"PATCH " + build + "/steps/a/log HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + ci.NewToken() + "\r\nContent-Length: 100000\r\n\r\n",
		"PATCH " + build + "/steps/a/lines HTTP/1.1\r\nHost: localhost" + auth + "\r\nContent-Length: 100000\r\n\r\n",
		"GET " + build + " HTTP/1.1\r\nHost: localhost" + auth + "\r\nContent-Length: 100000\r\n\r\n",
		"BREW /nowhere HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
	}
	id := strings.TrimPrefix(build, "/api/v1/builds/")
	for _, r := range s.routes() {
		if r.method == "GET" || r.method == "PATCH" && strings.HasSuffix(r.path, "/log") {
			continue
		}
		path := strings.NewReplacer(":id", id, ":token", "x", ":link", "x", "*", "p").Replace(r.path)
		requests = append(requests, r.method+" "+path+" HTTP/1.1\r\nHost: localhost"+auth+"\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
	}
	var trickles sync.WaitGroup
	for _, request := range requests {
		for range 3 {
			conn := s.connect().conn
			trickles.Go(func() {
				first, _, _ := strings.Cut(request, "\r\n")
				fmt.Fprint(conn, request)
				answered := make(chan error, 1)
				go func() {
					_, err := io.Copy(io.Discard, conn)
					answered <- err
				}()
				drip := time.NewTicker(200 * time.Millisecond)
				defer drip.Stop()
				for {
					select {
					case err := <-answered:
						if ne, ok := err.(net.Error); ok && ne.Timeout() {
							t.Errorf("%s: still open", first)
						}
						return
					case <-drip.C:
						conn.Write([]byte(" "))
					}
				}
			})
		}
	}
	u := s.upload(build+"/steps/a/log", "Upload-Offset: 0")
	trickles.Wait()
	u.send("slow")
	if status, offset := u.finish(); status != 204 || offset != "4" {
		t.Errorf("an upload that took its time: %d %s", status, offset)
	}
	if s.limits.refused[limitSlow].Load() == 0 {
		t.Error("nothing is counted")
	}
}

// bombs are 10 GiB of zeros, as small as they get; nested is one in another.
func bombs() map[string][]byte {
	const size = 10 << 30
	// A zstd frame (RFC 8878) of blocks that each say: 128 KiB of zeros.
	z := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58} // magic, no content size, a window of 2 MiB
	for n := 0; n < size; n += 128 << 10 {
		block := uint32(128<<10)<<3 | 1<<1
		if n+128<<10 >= size {
			block |= 1
		}
		z = append(binary.LittleEndian.AppendUint32(z, block)[:len(z)+3], 0)
	}
	gz := func(parts ...[]byte) []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		for _, part := range parts {
			w.Write(part)
		}
		w.Close()
		return out.Bytes()
	}
	// Members one after the other are one stream (RFC 1952): each is a
	// thousandth of what it unpacks to.
	member := gz(bytes.Repeat([]byte{0}, 10<<20))
	g := bytes.Repeat(member, size/(10<<20))
	return map[string][]byte{"zstd": z, "gzip": g, "gzip of zstd": gz(z), "gzip of gzip": gz(g)}
}

// TestBody_Bombs sends 10 GiB. It is cut off at what a request may have.
func TestBody_Bombs(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	for name, bomb := range bombs() {
		encoding, _, _ := strings.Cut(name, " ")
		conn := s.connect().conn
		go func() { // which may be answered before all of it is sent
			w := bufio.NewWriter(conn)
			fmt.Fprintf(w, "POST %s/updates HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Encoding: %s\r\nTransfer-Encoding: chunked\r\n\r\n", build, s.token, encoding)
			for len(bomb) > 0 {
				n := min(len(bomb), 64<<10)
				fmt.Fprintf(w, "%x\r\n%s\r\n", n, bomb[:n])
				bomb = bomb[n:]
			}
			io.WriteString(w, "0\r\n\r\n")
			w.Flush()
		}()
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		// What is unpacked once is no JSON, or too long.
		if res.StatusCode != 413 && !(strings.Contains(name, " of ") && res.StatusCode == 400) {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
		conn.Close()
	}
	if got := s.limits.refused[limitBody].Load(); got < 2 {
		t.Errorf("%d are counted", got)
	}
}
