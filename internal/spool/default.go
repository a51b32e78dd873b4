package spool

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// DefaultRoot is where spools lie unless somebody says otherwise: for root
// /var/lib/stepcast/spool; for others $XDG_STATE_HOME/stepcast/spool, as the
// XDG Base Directory Specification has it, and where that is unusual, what is.
func DefaultRoot() (string, error) {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "stepcast", "spool"), nil
	}
	if runtime.GOOS == "windows" {
		dir, err := os.UserCacheDir() // %LocalAppData%
		return filepath.Join(dir, "stepcast", "spool"), err
	}
	if os.Geteuid() == 0 && runtime.GOOS == "linux" {
		return "/var/lib/stepcast/spool", nil
	}
	home, err := os.UserHomeDir()
	if err != nil || home == "" || home == "/" {
		return "", errors.New("there is no home directory")
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(home, "Library", "Application Support", "stepcast", "spool"), nil
	}
	return filepath.Join(home, ".local", "state", "stepcast", "spool"), nil
}
