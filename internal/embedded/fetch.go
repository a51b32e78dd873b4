//go:build unix

package embedded

import (
	"context"
	"errors"
)

func (c Config) fetch(ctx context.Context, as *account) (binaries, error) {
	return binaries{}, errors.New("not yet")
}
