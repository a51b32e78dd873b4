//go:build !linux

package server

import (
	"net"
	"time"
)

// setUserTimeout is for Linux alone; elsewhere the write deadline and
// keepalives have to do.
func setUserTimeout(*net.TCPConn, time.Duration) {}

// sendNow leaves everything to an ordinary write.
func sendNow(uintptr, []byte) int { return 0 }
