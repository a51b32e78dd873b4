package runner

import (
	"errors"
	"os"
)

// Terminal is one that a header can be shown on. On Windows there is none yet.
type Terminal struct{}

// OpenTerminal returns nil.
func OpenTerminal(*os.File) *Terminal { return nil }

// Write has nowhere to write to.
func (t *Terminal) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

func (t *Terminal) size() (columns, rows int) { return 0, 0 }

func (t *Terminal) hush() {}

func (t *Terminal) restore() {}

func (t *Terminal) signals() (<-chan os.Signal, func()) { return nil, func() {} }

func isSuspend(os.Signal) bool { return false }

func stopSelf() {}
