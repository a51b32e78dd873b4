//go:build unix

package embedded

import (
	"os/exec"
	"syscall"
)

// Orphan starts PostgreSQL on a stopped server's cluster behind its back, as
// if a server before had left it there.
func (s *Server) Orphan() (*exec.Cmd, error) {
	args := []string{"-D", s.dir.cluster()}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command(s.bin.postgres(), args...)
	cmd.Env = append(baseEnv, s.bin.env...)
	cmd.Dir = "/"
	s.as.apply(cmd)
	return cmd, cmd.Start()
}

// Credential is the user that PostgreSQL runs as; nil: our own.
func (s *Server) Credential() *syscall.Credential {
	if s.as == nil {
		return nil
	}
	return &s.as.cred
}

// Socket is the folder of the socket.
func (s *Server) Socket() string { return s.socket }

// Version is of the binaries, as "15.18".
func (s *Server) Version() string { return s.bin.version }

var (
	Unpack   = unpack
	BoundLog = boundLog
	HomeDir  = homeDir
)

const (
	MaxLog     = maxLog
	NpmVersion = npmVersion
)
