//go:build !linux

package server

import (
	"net"
	"time"
)

// setUserTimeout is for Linux alone; elsewhere the write deadline and
// keepalives have to do.
func setUserTimeout(*net.TCPConn, time.Duration) {}
