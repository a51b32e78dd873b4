//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// readers are any number of sockets in one epoll loop, which do nothing but
// count the frames that arrive: the same for the server as for the bare loop.
//
//	connect <address> <path> <n>       opens n streams; answers n
//	await <event> <count> <seconds>    reads until each socket got so many frames
//	                                   of an event since it began or since the last
//	                                   await; answers frames and bytes of all sockets
type readers struct {
	epoll   int
	sockets map[int32]*socket
	buf     []byte
}

type socket struct {
	carry [32]byte // the last bytes, in which a frame's name may have begun
	n     int      // of carry
	count int
}

func newReaders() *readers {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		panic(err)
	}
	return &readers{epoll: epoll, sockets: make(map[int32]*socket), buf: make([]byte, 256<<10)}
}

func (r *readers) obey(order []string) (string, error) {
	switch {
	case len(order) == 4 && order[0] == "connect":
		n, err := strconv.Atoi(order[3])
		if err != nil {
			return "", err
		}
		for range n {
			if err := r.connect(order[1], order[2]); err != nil {
				return "", fmt.Errorf("reader %d: %w", len(r.sockets)+1, err)
			}
		}
		return order[3], nil
	case len(order) == 4 && order[0] == "await":
		count, err1 := strconv.Atoi(order[2])
		seconds, err2 := strconv.Atoi(order[3])
		if err := errors.Join(err1, err2); err != nil {
			return "", err
		}
		return r.await("event: "+order[1]+"\n", count, time.Duration(seconds)*time.Second)
	}
	return "", fmt.Errorf("unknown order %s", strings.Join(order, " "))
}

func (r *readers) connect(address, path string) error {
	tcp, err := net.ResolveTCPAddr("tcp4", address)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make a socket: %w", err)
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: tcp.Port, Addr: [4]byte(tcp.IP.To4())}); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	request := "GET " + path + " HTTP/1.1\r\nHost: " + address + "\r\nAccept: text/event-stream\r\n\r\n"
	if _, err := unix.Write(fd, []byte(request)); err != nil {
		return fmt.Errorf("send the request: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return err
	}
	r.sockets[int32(fd)] = &socket{}
	return unix.EpollCtl(r.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (r *readers) await(name string, count int, patience time.Duration) (string, error) {
	done, frames, size := 0, 0, 0
	deadline := time.Now().Add(patience)
	events := make([]unix.EpollEvent, 256)
	for _, s := range r.sockets {
		s.count = 0
	}
	for done < len(r.sockets) {
		wait := time.Until(deadline)
		if wait <= 0 {
			return "", fmt.Errorf("after %v only %d of %d sockets have %d frames", patience, done, len(r.sockets), count)
		}
		n, err := unix.EpollWait(r.epoll, events, int(wait.Milliseconds())+1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return "", fmt.Errorf("wait for sockets: %w", err)
		}
		for _, e := range events[:max(n, 0)] {
			s := r.sockets[e.Fd]
			copy(r.buf, s.carry[:s.n])
			n, err := unix.Read(int(e.Fd), r.buf[s.n:])
			if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR) {
				continue
			}
			if err != nil || n == 0 {
				return "", fmt.Errorf("a stream was closed after %d frames: %v", s.count, err)
			}
			data := r.buf[:s.n+n]
			found := bytes.Count(data, []byte(name))
			frames, size = frames+found, size+n
			if s.count < count && s.count+found >= count {
				done++
			}
			s.count += found
			s.n = copy(s.carry[:len(name)-1], data[max(0, len(data)-len(name)+1):])
		}
	}
	return fmt.Sprint(frames, " ", size), nil
}
