//go:build unix

package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// account is the user that PostgreSQL runs as when the server runs as root,
// which PostgreSQL refuses. A nil account is the server's own user.
type account struct {
	name string
	cred syscall.Credential
}

// chooseAccount finds the user to run PostgreSQL as. A cluster that exists
// keeps its owner: the user postgres may have come to the machine later.
func chooseAccount(clusterDir string) (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	if info, err := os.Stat(clusterDir); err == nil {
		uid := info.Sys().(*syscall.Stat_t).Uid
		if uid == 0 {
			return nil, fmt.Errorf("%s belongs to root, as whom PostgreSQL does not run: give it to the user postgres (chown -R)", clusterDir)
		}
		u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
		if err != nil {
			return nil, fmt.Errorf("%s belongs to a user that does not exist: %w", clusterDir, err)
		}
		return newAccount(u)
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return newAccount(u)
		}
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as")
}

func newAccount(u *user.User) (*account, error) {
	a := &account{name: u.Username}
	ids, err := u.GroupIds()
	if err != nil {
		ids = nil // its own group is enough
	}
	for i, id := range append([]string{u.Uid, u.Gid}, ids...) {
		n, err := strconv.ParseUint(id, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("user %s: %w", u.Username, err)
		}
		switch i {
		case 0:
			a.cred.Uid = uint32(n)
		case 1:
			a.cred.Gid = uint32(n)
		default:
			a.cred.Groups = append(a.cred.Groups, uint32(n))
		}
	}
	return a, nil
}

// apply makes a command run as the account, in its own process group: Ctrl-C
// in a terminal must reach the server alone, which stops PostgreSQL when it
// has drained.
func (a *account) apply(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if a != nil {
		cmd.SysProcAttr.Credential = &a.cred
	}
}

// give makes the account the owner of a file.
func (a *account) give(path string) error {
	if a == nil {
		return nil
	}
	return os.Lchown(path, int(a.cred.Uid), int(a.cred.Gid))
}

// uid is the user id that PostgreSQL has.
func (a *account) uid() uint32 {
	if a == nil {
		return uint32(os.Geteuid())
	}
	return a.cred.Uid
}

// reach checks that the account can get into dir through all its parents, and
// names the one that it cannot enter. It tries, rather than compute it from
// mode bits: access lists and the like have their say too.
func (a *account) reach(ctx context.Context, dir string) error {
	if a == nil || a.enters(ctx, dir) == nil {
		return nil
	}
	path := "/"
	for _, name := range strings.Split(strings.Trim(dir, "/"), "/") {
		path = filepath.Join(path, name)
		if err := a.enters(ctx, path); errors.Is(err, fs.ErrPermission) {
			return fmt.Errorf("the user %s, as whom PostgreSQL runs, cannot enter %s: choose another place than %s, or open that folder (chmod o+x)", a.name, path, dir)
		} else if err != nil {
			return fmt.Errorf("enter %s as user %s: %w", path, a.name, err)
		}
	}
	return nil
}

// enters starts a program with dir as its working directory; the change of
// directory comes after the change of user.
func (a *account) enters(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", ":")
	cmd.Dir = dir
	a.apply(cmd)
	return cmd.Run()
}
