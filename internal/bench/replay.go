//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// measureReplay stores a build, starts the server anew, so that nothing of it
// is in memory but what the kernel keeps, and reads it from the first event to
// the end. The reference likewise.
func measureReplay(ctx context.Context, r *round) ([]value, error) {
	sample := newSample(4, r.size.lines, linesPerPost, 128)
	srv, err := r.startServer(ctx)
	if err != nil {
		return nil, err
	}
	_, builds, err := postAll(ctx, srv, sample.pieces, 1)
	if err == nil {
		err = srv.finishBuild(ctx, builds[0])
	}
	srv.stop()
	if err != nil {
		return nil, err
	}
	if srv, err = r.startServer(ctx); err != nil {
		return nil, err
	}
	defer srv.stop()
	use, err := watch(srv)
	if err != nil {
		return nil, err
	}
	took, frames, size, err := readToEnd(srv, builds[0])
	used, useErr := use.since()
	srv.stop()
	if err = errors.Join(err, useErr); err != nil {
		return nil, err
	}
	if frames != len(sample.pieces) {
		return nil, fmt.Errorf("%d log events were read, not %d", frames, len(sample.pieces))
	}

	ref, err := r.startReference(ctx)
	if err != nil {
		return nil, err
	}
	_, err = r.copyIn(ctx, ref, sample)
	ref.stop()
	if err != nil {
		return nil, err
	}
	if ref, err = r.startReference(ctx); err != nil {
		return nil, err
	}
	defer ref.stop()
	copied, err := ref.psql(ctx, `\copy lines to '/dev/null'`)
	if err != nil {
		return nil, err
	}
	note := fmt.Sprintf("%d lines, %.0f MB on the wire; %s", sample.lines, float64(size)/1e6, used)
	return []value{{got: took.Seconds(), reference: copied.Seconds(), ratio: took.Seconds() / copied.Seconds(), note: note}}, nil
}

// readToEnd reads a finished build as fast as it comes and counts its log
// events and bytes.
func readToEnd(s *server, build string) (took time.Duration, frames, size int, err error) {
	const frame = "\nevent: log\n" // as long as that of the end
	start := time.Now()
	conn, err := net.Dial("tcp", s.addr)
	if err != nil {
		return 0, 0, 0, err
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET /api/v1/builds/%s/events HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", build, s.addr); err != nil {
		return 0, 0, 0, err
	}
	buf := make([]byte, 1<<20)
	for kept, ended := 0, false; ; {
		n, err := conn.Read(buf[kept:])
		data := buf[:kept+n]
		size += n
		frames += bytes.Count(data, []byte(frame))
		ended = ended || bytes.Contains(data, []byte("\nevent: end\n"))
		if errors.Is(err, io.EOF) {
			if !ended {
				return 0, 0, 0, errors.New("the stream was closed before its end")
			}
			return time.Since(start), frames, size, nil
		}
		if err != nil {
			return 0, 0, 0, err
		}
		kept = copy(buf[:len(frame)-1], data[max(0, len(data)-len(frame)+1):])
	}
}
