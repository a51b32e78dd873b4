package judge

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

// frame is one dispatched SSE event.
type frame struct {
	id, event string
	data      []byte // valid until the next frame
}

// frames reads an event stream. An event that was cut off by the end of the
// stream is not dispatched, as the standard wants it.
type frames struct {
	r    *bufio.Reader
	line []byte
	data []byte
	id   string // of the last frame that had one
}

func newFrames(r io.Reader) *frames { return &frames{r: bufio.NewReaderSize(r, 32<<10)} }

// next returns the next frame with an event name or data.
func (f *frames) next() (frame, error) {
	f.data = f.data[:0]
	var event string
	var hasData bool
	for {
		line, err := f.readLine()
		if err != nil {
			return frame{}, err
		}
		if len(line) == 0 {
			if hasData || event != "" {
				return frame{id: f.id, event: event, data: f.data}, nil
			}
			continue // a block with nothing but id, retry or comments
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "id":
			if !strings.ContainsRune(string(value), 0) {
				f.id = string(value)
			}
		case "event":
			event = string(value)
		case "data":
			if hasData {
				f.data = append(f.data, '\n')
			}
			hasData = true
			f.data = append(f.data, value...)
		}
	}
}

// readLine returns a line without its end, valid until the next call.
func (f *frames) readLine() ([]byte, error) {
	f.line = f.line[:0]
	for {
		part, err := f.r.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			f.line = append(f.line, part...)
			continue
		}
		if err != nil {
			return nil, err
		}
		if len(f.line) > 0 {
			f.line = append(f.line, part...)
			part = f.line
		}
		return bytes.TrimSuffix(part[:len(part)-1], []byte("\r")), nil
	}
}
