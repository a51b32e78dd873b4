//go:build unix

package spool

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// checkOwner refuses a folder that is another user's or that others may write
// to: what is in it would be sent with our token.
func checkOwner(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return plain(err)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("it belongs to another user (%d)", stat.Uid)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return errors.New("others may write to it")
	}
	return nil
}

func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return plain(err)
	}
	defer f.Close()
	return f.Sync()
}
