//go:build linux

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// crowd is any number of streams in one epoll loop, each of an address of its own,
// which takes down what arrives at which of them and when.
//
//	open <address> <file> <over> <patience>  opens the streams whose paths are the lines of
//	                                         the file, evenly over so many milliseconds, and
//	                                         reads until all are live, for so many seconds at
//	                                         most; answers how long that took each of them
//	                                         (median, 99th percentile, longest) and all, in
//	                                         microseconds. Streams that were open once resume
//	await <n> <patience>                     reads until n changes have arrived in all
//	fence <file> <patience>                  reads until the fence has arrived at every stream, and
//	                                         writes what has arrived before: its stream, counted
//	                                         from 0, its change, and the nanosecond, one a line
//	close                                    closes the streams
//
// Changes are step events with the key change-<number>; the fence has the key fence.
// Ids come in order, so whoever has the fence has all changes that came before it.
type crowd struct {
	epoll   int
	streams []*crowdStream
	byFD    map[int32]*crowdStream
	buf     []byte
	live    int // streams that are
	fenced  int // likewise
	seen    []sighting
}

type crowdStream struct {
	place  int
	fd     int
	opened time.Time
	took   time.Duration // to live; 0: it is not
	fenced bool
	rest   []byte // of a frame that has not ended
	last   string // id
}

type sighting struct {
	stream, change int
	at             int64 // Unix nanoseconds
}

func newCrowd() *crowd {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		panic(err)
	}
	return &crowd{epoll: epoll, byFD: make(map[int32]*crowdStream), buf: make([]byte, 256<<10)}
}

func (c *crowd) obey(order []string) (string, error) {
	switch {
	case len(order) == 5 && order[0] == "open":
		over, err1 := strconv.Atoi(order[3])
		patience, err2 := strconv.Atoi(order[4])
		if err := errors.Join(err1, err2); err != nil {
			return "", err
		}
		return c.open(order[1], order[2], time.Duration(over)*time.Millisecond, patience)
	case len(order) == 3 && order[0] == "await":
		n, err1 := strconv.Atoi(order[1])
		patience, err2 := strconv.Atoi(order[2])
		if err := errors.Join(err1, err2); err != nil {
			return "", err
		}
		return "", c.read(patience, func() bool { return len(c.seen) >= n })
	case len(order) == 3 && order[0] == "fence":
		patience, err := strconv.Atoi(order[2])
		if err == nil {
			err = c.read(patience, func() bool { return c.fenced == len(c.streams) })
		}
		if err == nil {
			err = c.report(order[1])
		}
		return "", err
	case len(order) == 1 && order[0] == "close":
		for _, s := range c.streams {
			unix.Close(s.fd)
		}
		clear(c.byFD)
		return "", nil
	}
	return "", fmt.Errorf("unknown order %s", strings.Join(order, " "))
}

func (c *crowd) open(address, file string, over time.Duration, patience int) (string, error) {
	tcp, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	paths := strings.Fields(string(text))
	if len(c.streams) == 0 {
		for i := range paths {
			c.streams = append(c.streams, &crowdStream{place: i})
		}
	}
	c.live, c.fenced, c.seen = 0, 0, nil
	start := time.Now()
	for i, s := range c.streams {
		at := start.Add(over * time.Duration(i) / time.Duration(len(paths)))
		for time.Now().Before(at) {
			if err := c.poll(at); err != nil {
				return "", err
			}
		}
		if err := c.connect(s, tcp, paths[i]); err != nil {
			return "", fmt.Errorf("stream %d: %w", i, err)
		}
	}
	if err := c.read(patience, func() bool { return c.live == len(c.streams) }); err != nil {
		return "", err
	}
	all := time.Since(start)
	took := make([]time.Duration, len(c.streams))
	for i, s := range c.streams {
		took[i] = s.took
	}
	slices.Sort(took)
	return fmt.Sprint(took[len(took)/2].Microseconds(), " ", took[len(took)*99/100].Microseconds(), " ", took[len(took)-1].Microseconds(), " ", all.Microseconds()), nil
}

func (c *crowd) connect(s *crowdStream, to *net.TCPAddr, path string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make a socket: %w", err)
	}
	*s = crowdStream{place: s.place, fd: fd, opened: time.Now(), last: s.last}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: to.Port, Addr: [4]byte(to.IP.To4())}); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	request := "GET " + path + " HTTP/1.1\r\nHost: " + to.String() + "\r\nAccept: text/event-stream\r\n"
	if s.last != "" {
		request += "Last-Event-ID: " + s.last + "\r\n"
	}
	if _, err := unix.Write(fd, []byte(request+"\r\n")); err != nil {
		return fmt.Errorf("send the request: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	c.byFD[int32(fd)] = s
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

// read reads what arrives until it is enough.
func (c *crowd) read(patience int, enough func() bool) error {
	deadline := time.Now().Add(time.Duration(patience) * time.Second)
	for !enough() {
		if time.Now().After(deadline) {
			return fmt.Errorf("after %d s %d of %d streams are live, %d have the fence, and %d changes have arrived", patience, c.live, len(c.streams), c.fenced, len(c.seen))
		}
		if err := c.poll(deadline); err != nil {
			return err
		}
	}
	return nil
}

// poll reads once from whatever is ready, if something is before a moment.
func (c *crowd) poll(until time.Time) error {
	var events [256]unix.EpollEvent
	n, err := unix.EpollWait(c.epoll, events[:], int(max(0, time.Until(until).Milliseconds())))
	if err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("wait for sockets: %w", err)
	}
	for _, e := range events[:max(n, 0)] {
		s := c.byFD[e.Fd]
		n, err := unix.Read(s.fd, c.buf)
		if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return fmt.Errorf("stream %d was closed: %w: %s", s.place, cmp.Or(err, errors.New("by the server")), s.rest)
		}
		c.take(s, c.buf[:n])
	}
	return nil
}

// take takes down the frames that have ended.
func (c *crowd) take(s *crowdStream, data []byte) {
	now := time.Now()
	if len(s.rest) > 0 {
		data = append(s.rest, data...)
	}
	for {
		frame, rest, ended := bytes.Cut(data, []byte("\n\n"))
		if !ended {
			s.rest = append(s.rest[:0:0], data...)
			return
		}
		data = rest
		if id := field(frame, "id: "); id != nil {
			s.last = string(id)
		}
		switch event := field(frame, "event: "); string(event) {
		case "live":
			s.took = now.Sub(s.opened)
			c.live++
		case "step":
			key := field(frame, "data: ")
			if _, change, ok := bytes.Cut(key, []byte(`"key":"change-`)); ok {
				number, _, _ := bytes.Cut(change, []byte(`"`))
				n, _ := strconv.Atoi(string(number))
				c.seen = append(c.seen, sighting{s.place, n, now.UnixNano()})
			} else if bytes.Contains(key, []byte(`"key":"fence"`)) && !s.fenced {
				s.fenced = true
				c.fenced++
			}
		}
	}
}

// field is the rest of the line that begins so; nil: there is none.
func field(frame []byte, name string) []byte {
	for line := range bytes.Lines(frame) {
		if value, ok := bytes.CutPrefix(line, []byte(name)); ok {
			return bytes.TrimSuffix(value, []byte("\n"))
		}
	}
	return nil
}

func (c *crowd) report(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	for _, s := range c.seen {
		fmt.Fprintln(out, s.stream, s.change, s.at)
	}
	return errors.Join(out.Flush(), file.Close())
}
