//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// writer is the reference of the fan-out: a loop of write(2) over sockets, one
// message a write, and nothing else. The system calls are made without the Go
// scheduler's knowledge, as a program in C would make them.
//
//	listen                                answers its address
//	accept <n>                            takes n connections; answers n
//	send <messages> <rate> <size> <some>  writes messages of size bytes, so many a second, to
//	                                      some of the sockets, which take turns; answers how
//	                                      many writes that were
type writer struct {
	listener *net.TCPListener
	sockets  []int
	files    []*os.File // keep the sockets open
}

func (w *writer) obey(order []string) (string, error) {
	numbers := make([]int, len(order))
	for i, s := range order[1:] {
		var err error
		if numbers[i+1], err = strconv.Atoi(s); err != nil {
			return "", err
		}
	}
	switch {
	case len(order) == 1 && order[0] == "listen":
		var err error
		if w.listener, err = net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
			return "", err
		}
		return w.listener.Addr().String(), nil
	case len(order) == 2 && order[0] == "accept":
		return order[1], w.accept(numbers[1])
	case len(order) == 5 && order[0] == "send":
		return w.send(numbers[1], numbers[2], numbers[3], numbers[4])
	}
	return "", fmt.Errorf("unknown order %s", strings.Join(order, " "))
}

func (w *writer) accept(n int) error {
	for range n {
		conn, err := w.listener.AcceptTCP()
		if err != nil {
			return err
		}
		file, err := conn.File() // a descriptor that the runtime's poller knows nothing of
		if err != nil {
			return err
		}
		conn.Close()
		w.files = append(w.files, file)
		fd := int(file.Fd())
		if err := unix.SetNonblock(fd, true); err != nil {
			return err
		}
		w.sockets = append(w.sockets, fd)
	}
	return nil
}

// message is a frame of size bytes that readers count like the server's.
func message(size int) []byte {
	const head, end = "id: aaaaaa-100000\nevent: log\ndata: ", "\n\n"
	return []byte(head + string(bytes.Repeat([]byte("x"), max(0, size-len(head)-len(end)))) + end)
}

func (w *writer) send(messages, rate, size, some int) (string, error) {
	msg, pace := message(size), time.Second/time.Duration(rate)
	writes := 0
	for i, start := 0, time.Now(); i < messages; i++ {
		if wait := time.Until(start.Add(time.Duration(i) * pace)); wait > 0 {
			sleep := unix.NsecToTimespec(int64(wait))
			_ = unix.Nanosleep(&sleep, nil)
		}
		for range some {
			if err := write(w.sockets[writes%len(w.sockets)], msg); err != nil {
				return "", err
			}
			writes++
		}
	}
	return strconv.Itoa(writes), nil
}

// write is write(2). It does not block, so that the runtime need not know.
func write(fd int, data []byte) error {
	n, _, errno := syscall.RawSyscall(syscall.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&data[0])), uintptr(len(data)))
	if errno != 0 {
		return fmt.Errorf("write: %w", errno)
	}
	if int(n) != len(data) {
		return fmt.Errorf("only %d of %d bytes were written", n, len(data))
	}
	return nil
}
