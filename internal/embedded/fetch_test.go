//go:build unix

package embedded_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stepcast/stepcast/internal/embedded"
)

// archive packs files by name.
func archive(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	w := tar.NewWriter(zipped)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	err := embedded.Unpack(archive(t, map[string]string{
		"package/native/lib/libx.so.1.2":   "library",
		"package/native/pg-symlinks.json":  `[{"source":"native/lib/libx.so.1.2","target":"native/lib/libx.so.1"}]`,
		"package/scripts/hydrate.js":       "never",
		"package/native/../../../escaped":  "never",
		"/package/native/absolute":         "never",
		"elsewhere/native/lib/libx.so.1.2": "never",
	}), dir)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "native/lib/libx.so.1")); err != nil || string(text) != "library" {
		t.Errorf("through the link: %q, %v", text, err)
	}
	for _, name := range []string{"scripts", "../escaped", "../../escaped", "native/absolute"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

func TestUnpack_LinkOutside(t *testing.T) {
	t.Parallel()
	for _, links := range []string{
		`[{"source":"../../../etc/passwd","target":"native/lib/x"}]`,
		`[{"source":"../../x","target":"../../y"}]`,
		`[{"source":"/etc/passwd","target":"/etc/x"}]`,
		`nonsense`,
	} {
		err := embedded.Unpack(archive(t, map[string]string{"package/native/pg-symlinks.json": links}), filepath.Join(t.TempDir(), "out"))
		if err == nil {
			t.Errorf("%s was followed", links)
		}
	}
}
