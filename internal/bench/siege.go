//go:build linux

package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// How much comes from the one address of the besiegers.
const (
	siegeSockets  = 1000
	siegeTrickles = 500
	siegeBombs    = 5           // a second, in each encoding
	siegeFrom     = "127.0.0.2" // the writers are at 127.0.0.1
)

// measureSiege has 20 builds report as in the row latency, beside each of three
// assaults from one address and, before and after each, alone, and compares how
// long it took until their posts were acknowledged.
func measureSiege(ctx context.Context, r *round) ([]value, error) {
	srv, err := r.startServerAt(ctx, "server", "STEPCAST_LIMIT_LOOPBACK=true")
	if err != nil {
		return nil, err
	}
	defer srv.stop()
	besiegers, err := startHelper("siege")
	if err != nil {
		return nil, err
	}
	defer besiegers.stop()
	builds, err := srv.createBuilds(ctx, latencyBuilds)
	if err != nil {
		return nil, err
	}
	writers, err := newWriters(srv, builds, r.size.duration)
	if err != nil {
		return nil, err
	}
	defer writers.close()
	if _, err := writers.write(ctx); err != nil { // the first posts are of a server that has just started
		return nil, err
	}
	quiet, err := srv.createBuild(ctx, 0) // whose streams have nothing to say: see the rows fanout
	if err != nil {
		return nil, err
	}
	if err := forgetPeakOf(srv.pid()); err != nil {
		return nil, err
	}
	before, err := writers.write(ctx)
	if err != nil {
		return nil, err
	}
	calm, err := peakMemoryOf(srv.pid())
	if err != nil {
		return nil, err
	}
	path := "/api/v1/builds/" + builds[0] + "/updates"
	var values []value
	var closed float64
	for _, assault := range []string{
		fmt.Sprintf("sockets %s %d /api/v1/builds/%s/events", srv.addr, max(siegeSockets/r.size.readers, 10), quiet),
		fmt.Sprintf("trickle %s %d %s %s", srv.addr, max(siegeTrickles/r.size.readers, 10), path, srv.token),
		fmt.Sprintf("bombs %s %s %s", srv.addr, path, srv.token),
	} {
		if err := besiegers.ask(ctx, assault); err != nil {
			return nil, err
		}
		beside, err := writers.write(ctx)
		if err != nil {
			return nil, err
		}
		said, err := besiegers.reply(ctx, "stop")
		if err != nil {
			return nil, err
		}
		after, err := writers.write(ctx)
		if err != nil {
			return nil, err
		}
		alone := slices.Concat(before, after)
		slices.Sort(alone)
		before = after
		v := compared(beside, alone)
		if seconds, rest, ok := strings.Cut(said, " s, "); ok {
			if closed, err = strconv.ParseFloat(seconds, 64); err != nil {
				return nil, err
			}
			said = rest
		}
		v.note = fmt.Sprintf("p50 %.1f against %.1f ms, longest %.1f against %.1f; %s", ms(beside[len(beside)/2]), ms(alone[len(alone)/2]), ms(beside[len(beside)-1]), ms(alone[len(alone)-1]), said)
		values = append(values, v)
	}
	peak, err := peakMemoryOf(srv.pid())
	if err != nil {
		return nil, err
	}
	memory := value{got: float64(peak) / (1 << 20), reference: float64(calm) / (1 << 20), ratio: float64(peak) / float64(calm)}
	return append(values, value{got: closed, ratio: closed}, memory), nil
}

// compared is the 99th percentiles of two sorted lists of times.
func compared(beside, alone []time.Duration) value {
	p99 := func(times []time.Duration) float64 { return ms(times[len(times)*99/100]) }
	return value{got: p99(beside), reference: p99(alone), ratio: p99(beside) / p99(alone)}
}

// writers report builds, each a post of 100 lines ten times a second.
type writers struct {
	posters []*poster
	sample  *sample
	posts   int // of each, at a time
}

func newWriters(srv *server, builds []string, during time.Duration) (*writers, error) {
	w := &writers{posts: max(int(during.Seconds()*latencyPosts), 2)}
	w.sample = newSample(7, latencyBuilds*latencyLines, latencyLines, 128)
	for _, build := range builds {
		p, err := newPoster(srv, build, "test")
		if err != nil {
			w.close()
			return nil, err
		}
		w.posters = append(w.posters, p)
	}
	return w, nil
}

func (w *writers) close() {
	for _, p := range w.posters {
		p.close()
	}
}

// write sends all posts of one time, and returns how long each took from when
// it was due to its acknowledgement, sorted.
func (w *writers) write(ctx context.Context) ([]time.Duration, error) {
	const interval = time.Second / latencyPosts
	start := time.Now().Add(interval)
	took := make([]time.Duration, len(w.posters)*w.posts)
	group, ctx := errgroup.WithContext(ctx)
	for i, p := range w.posters {
		group.Go(func() error {
			for k := range w.posts {
				due := start.Add(time.Duration(i)*interval/time.Duration(len(w.posters)) + time.Duration(k)*interval)
				if err := pause(ctx, time.Until(due)); err != nil {
					return err
				}
				if err := p.post(w.sample.pieces[i]); err != nil {
					return err
				}
				took[i*w.posts+k] = time.Since(due)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	slices.Sort(took)
	return took, nil
}

// siege assaults a server from one address until it is told to stop.
//
//	sockets <address> <n> <path>            holds n sockets: half of them ask for a stream, half
//	                                        say nothing, and one that is closed comes back
//	trickle <address> <n> <path> <token>    sends n bodies, a byte of each every 200 ms
//	bombs <address> <path> <token>          sends 10 GiB in gzip, and in zstd, five times a second
//	stop                                    ends it; answers what came of it. Of a trickle it waits
//	                                        until all are closed, and answers first how long that took
type siege struct {
	ctx  context.Context
	end  context.CancelFunc
	wait sync.WaitGroup
	say  func() string
}

func (s *siege) obey(order []string) (string, error) {
	switch {
	case len(order) == 4 && order[0] == "sockets":
		n, err := strconv.Atoi(order[2])
		if err == nil {
			s.sockets(order[1], n, order[3])
		}
		return "", err
	case len(order) == 5 && order[0] == "trickle":
		n, err := strconv.Atoi(order[2])
		if err == nil {
			s.trickle(order[1], n, order[3], order[4])
		}
		return "", err
	case len(order) == 4 && order[0] == "bombs":
		return "", s.bombs(order[1], order[2], order[3])
	case len(order) == 1 && order[0] == "stop":
		s.end()
		s.wait.Wait()
		return s.say(), nil
	}
	return "", fmt.Errorf("unknown order %s", strings.Join(order, " "))
}

func (s *siege) begin() { s.ctx, s.end = context.WithCancel(context.Background()) }

// dial connects from the one address. The connection is closed when the siege
// ends, unless it lasts.
func (s *siege) dial(address string, lasts bool) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: net.ParseIP(siegeFrom)}}).Dial("tcp", address)
	if err == nil && !lasts {
		context.AfterFunc(s.ctx, func() { conn.Close() })
	}
	return conn, err
}

func (s *siege) sockets(address string, n int, path string) {
	s.begin()
	var open, most, again atomic.Int64
	for i := range n {
		s.wait.Go(func() {
			for s.ctx.Err() == nil {
				conn, err := s.dial(address, false)
				if err == nil {
					if now := open.Add(1); now > most.Load() {
						most.Store(now) // about
					}
					if i%2 == 0 {
						fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n\r\n", path, address)
					}
					_, _ = io.Copy(io.Discard, conn)
					conn.Close()
					open.Add(-1)
				}
				again.Add(1)
				_ = pause(s.ctx, time.Second+rand.N(time.Second))
			}
		})
	}
	s.say = func() string {
		return fmt.Sprintf("%d sockets, which came back %d times", n, again.Load()-int64(n))
	}
}

func (s *siege) trickle(address string, n int, path, token string) {
	s.begin()
	start := time.Now()
	var answers, last atomic.Int64
	for range n {
		s.wait.Go(func() {
			conn, err := s.dial(address, true)
			if err != nil {
				return
			}
			defer conn.Close()
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Length: 100000\r\n\r\n", path, address, token)
			closed := make(chan struct{})
			go func() {
				defer close(closed)
				text, _ := io.ReadAll(conn)
				if bytes.HasPrefix(text, []byte("HTTP/1.1 408 ")) {
					answers.Add(1)
				}
				last.Store(int64(time.Since(start))) // of the last one, the longest
			}()
			for drip := time.Tick(200 * time.Millisecond); ; {
				select {
				case <-closed:
					return
				case <-drip:
					_, _ = conn.Write([]byte(" "))
				}
			}
		})
	}
	s.say = func() string {
		return fmt.Sprintf("%.1f s, %d bodies, %d answered 408", time.Duration(last.Load()).Seconds(), n, answers.Load())
	}
}

func (s *siege) bombs(address, path, token string) error {
	s.begin()
	packed, err := packZeros(10 << 30)
	if err != nil {
		return err
	}
	var sent, refused atomic.Int64
	for encoding, bomb := range packed {
		var body bytes.Buffer // chunked, so that its length warns nobody
		for len(bomb) > 0 {
			n := min(len(bomb), 64<<10)
			fmt.Fprintf(&body, "%x\r\n%s\r\n", n, bomb[:n])
			bomb = bomb[n:]
		}
		body.WriteString("0\r\n\r\n")
		s.wait.Go(func() {
			for s.ctx.Err() == nil {
				conn, err := s.dial(address, false)
				if err != nil {
					return
				}
				go func() {
					fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Encoding: %s\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n", path, address, token, encoding)
					_, _ = conn.Write(body.Bytes())
				}()
				sent.Add(1)
				if resp, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil && resp.StatusCode == http.StatusRequestEntityTooLarge {
					refused.Add(1)
				}
				conn.Close()
				_ = pause(s.ctx, time.Second/siegeBombs)
			}
		})
	}
	s.say = func() string { return fmt.Sprintf("%d bombs, %d answered 413", sent.Load(), refused.Load()) }
	return nil
}

// packZeros packs so many zeros as small as they get.
func packZeros(size int) (map[string][]byte, error) {
	// A zstd frame (RFC 8878) of blocks that each say: 128 KiB of zeros.
	z := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58} // magic, no content size, a window of 2 MiB
	for n := 0; n < size; n += 128 << 10 {
		block := uint32(128<<10)<<3 | 1<<1
		if n+128<<10 >= size {
			block |= 1
		}
		z = append(binary.LittleEndian.AppendUint32(z, block)[:len(z)+3], 0)
	}
	// Members of gzip one after the other are one stream (RFC 1952).
	const piece = 10 << 20
	var member bytes.Buffer
	w := gzip.NewWriter(&member)
	_, err := w.Write(make([]byte, piece))
	err = errors.Join(err, w.Close())
	return map[string][]byte{"zstd": z, "gzip": bytes.Repeat(member.Bytes(), size/piece)}, err
}
