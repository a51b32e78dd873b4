package server

import (
	"net"
	"syscall"
	"time"
	"unsafe"
)

// sendNow sends what the socket takes at once. It never blocks, so the
// scheduler need not hear of it; that is a tenth of what a message costs.
func sendNow(fd uintptr, data []byte) int {
	n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)),
		syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// tcpUserTimeout is TCP_USER_TIMEOUT of linux/tcp.h, which package syscall
// lacks.
const tcpUserTimeout = 18

// setUserTimeout bounds how long sent data may stay unacknowledged (tcp(7)),
// for peers that vanish without a word.
func setUserTimeout(conn *net.TCPConn, d time.Duration) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(d.Milliseconds()))
	})
}
