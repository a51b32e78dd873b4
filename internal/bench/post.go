//go:build linux

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// poster sends updates over one connection, one request after the other, and
// does no more for it than HTTP/1.1 asks: the load is on the server's cores.
type poster struct {
	conn   net.Conn
	in     *bufio.Reader
	head   []byte // of a request, up to the length
	buf    []byte
	step   string
	offset int64 // of the next text
}

// newPoster connects a reporter of one step of a build.
func newPoster(s *server, build, step string) (*poster, error) {
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		return nil, err
	}
	return &poster{
		conn: conn, in: bufio.NewReader(conn), step: step,
		head: fmt.Appendf(nil, "POST /api/v1/builds/%s/updates HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: ", build, s.addr, s.token),
	}, nil
}

func (p *poster) close() { p.conn.Close() }

// text is the escaped form of a piece of log, and its length in the log.
type text struct {
	escaped []byte
	bytes   int64
}

func newText(raw []byte) text { return text{ci.AppendEscaped(nil, raw), int64(len(raw))} }

// post sends a text as the next piece of the step's log, and returns when it
// is acknowledged.
func (p *poster) post(t text) error {
	const open, at, body, end = `{"updates":[{"log":{"step":"`, `,"at":"`, `","text":"`, `"}}]}`
	var place [96]byte
	where := append(append(append(place[:0], open...), p.step...), `","offset":`...)
	where = append(strconv.AppendInt(where, p.offset, 10), at...)
	where = append(time.Now().UTC().AppendFormat(where, "2006-01-02T15:04:05.999999Z"), body...)
	p.buf = append(p.buf[:0], p.head...)
	p.buf = strconv.AppendInt(p.buf, int64(len(where)+len(t.escaped)+len(end)), 10)
	p.buf = append(append(p.buf, "\r\n\r\n"...), where...)
	p.buf = append(append(p.buf, t.escaped...), end...)
	if _, err := p.conn.Write(p.buf); err != nil {
		return fmt.Errorf("post: %w", err)
	}
	p.offset += t.bytes
	return p.answer()
}

// update sends one update of a build, and returns when it is acknowledged.
func (p *poster) update(s *server, build, update string) error {
	body := `{"updates":[` + update + `]}`
	p.buf = fmt.Appendf(p.buf[:0], "POST /api/v1/builds/%s/updates HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", build, s.addr, s.token, len(body), body)
	if _, err := p.conn.Write(p.buf); err != nil {
		return fmt.Errorf("post: %w", err)
	}
	return p.answer()
}

// answer reads one answer, which must be a 200.
func (p *poster) answer() error {
	length := 0
	for first := true; ; first = false {
		line, err := p.in.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")):
			rest, _ := p.in.Peek(p.in.Buffered())
			return fmt.Errorf("the post was answered %s: %s", line, rest)
		case len(line) > 15 && bytes.EqualFold(line[:15], []byte("Content-Length:")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[15:]))); err != nil {
				return fmt.Errorf("read the answer: %w", err)
			}
		case len(line) == 0:
			_, err := p.in.Discard(length)
			return err
		}
	}
}

// A sample is log text made before anything is measured: in pieces, as they
// are posted, and as one line a row.
type sample struct {
	lines  int
	pieces []text
	rows   func(w io.Writer) error // build, line and text, as COPY reads them
}

// newSample makes lines of size bytes, or, with size 0, of about 120, in
// pieces of perPiece lines.
func newSample(seed uint64, lines, perPiece, size int) *sample {
	w := newLineWriter(seed)
	return makeSample(lines, perPiece, size, func(dst []byte, _ int) []byte {
		if size > 0 {
			return w.sized(dst, size)
		}
		return w.line(dst)
	})
}

// makeSample makes lines with appendLine, which is told the number of each from
// 0; size is about how long they are, if it is known.
func makeSample(lines, perPiece, size int, appendLine func(dst []byte, n int) []byte) *sample {
	raw := make([]byte, 0, lines*max(size+1, 126))
	s := &sample{lines: lines}
	for n := 0; n < lines; {
		start := len(raw)
		for end := min(n+perPiece, lines); n < end; n++ {
			raw = append(appendLine(raw, n), '\n')
		}
		s.pieces = append(s.pieces, newText(raw[start:]))
	}
	s.rows = func(out io.Writer) error {
		buf := bufio.NewWriterSize(out, 1<<20)
		var place []byte
		n := 0
		for line := range bytes.Lines(raw) {
			n++
			place = append(strconv.AppendInt(append(place[:0], "1\t"...), int64(n), 10), '\t')
			_, _ = buf.Write(place)
			_, _ = buf.Write(line)
		}
		return buf.Flush()
	}
	return s
}
