package sweep

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/mask"
)

// A Finding is a secret in a place where none may be.
type Finding struct {
	Kind  Kind
	Place string
	Line  int    // from 1
	What  string // with no more of the secret than its first characters
}

func (f Finding) String() string {
	return fmt.Sprintf("%s of %s, line %d: %s", f.Kind, f.Place, f.Line, f.What)
}

// Report is what was looked at and what was found.
type Report struct {
	Secrets  int
	Files    map[Kind]int
	Bytes    int64
	Findings []Finding // in order
}

// Search looks for secrets in what was kept in a folder.
func Search(dir string) (*Report, error) {
	all, addresses := mask.New(), mask.New()
	text, err := os.ReadFile(filepath.Join(dir, secretsName))
	if err != nil {
		return nil, fmt.Errorf("sweep: no secret was kept: %w", err)
	}
	r := &Report{Files: make(map[Kind]int)}
	status := make(map[string]bool)
	known := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		secret, forAddresses := strings.CutPrefix(strings.TrimSuffix(line, "\n"), statusMark)
		if known[secret] {
			continue // of a server that was started again
		}
		known[secret] = true
		r.Secrets++
		err := all.Add(secret)
		if forAddresses {
			status[secret] = true
		} else if err == nil {
			err = addresses.Add(secret)
		}
		if err != nil {
			return nil, fmt.Errorf("sweep: %w", err)
		}
	}
	type file struct {
		kind Kind
		path string
	}
	var (
		files   = make(chan file)
		workers sync.WaitGroup
		mu      sync.Mutex // guards r
		failed  error
	)
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for f := range files {
				text, err := os.ReadFile(f.path)
				place, _ := url.PathUnescape(filepath.Base(f.path))
				s := searcher{kind: f.kind, place: place, masker: all}
				if f.kind == Address {
					s.masker, s.fine = addresses, status
				}
				s.search(text)
				mu.Lock()
				if err != nil {
					failed = err
				}
				r.Files[f.kind]++
				r.Bytes += int64(len(text))
				r.Findings = append(r.Findings, s.findings...)
				mu.Unlock()
			}
		})
	}
	for _, kind := range Kinds {
		err := filepath.WalkDir(filepath.Join(dir, string(kind)), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() {
				files <- file{kind, path}
			}
			if os.IsNotExist(err) {
				return nil
			}
			return err
		})
		if err != nil {
			failed = err
		}
	}
	close(files)
	workers.Wait()
	if failed != nil {
		return nil, fmt.Errorf("sweep: %w", failed)
	}
	slices.SortFunc(r.Findings, func(a, b Finding) int { return strings.Compare(a.String(), b.String()) })
	return r, nil
}

// searcher looks through one file.
type searcher struct {
	kind     Kind
	place    string
	masker   *mask.Masker
	fine     map[string]bool // secrets that may be here
	findings []Finding
}

var (
	// ours is a token or a link, which have a checksum, or a session.
	ours = regexp.MustCompile(`st(?:[pl]_[0-9A-Za-z]{36}|s_[0-9A-Za-z]{43})`)
	// signed is a JSON Web Token, in which two objects are followed by a signature.
	signed = regexp.MustCompile(`eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}`)
	// opening is the address of a link, which whoever opens it asks for, once;
	// what that leads to, and all that a page asks for later, is without it.
	opening = regexp.MustCompile(`^https?://[^/?#]+/builds/[0-9a-f-]{36}\?link=stl_\w+$`)
	// binary is a bytea as COPY writes it.
	binary = regexp.MustCompile(`\\\\x(?:[0-9a-f]{2}){16,}`)
)

// most bounds the findings in one file; a leak is found again and again.
const most = 20

func (s *searcher) search(text []byte) {
	s.lines(text, text, 0)
	if s.kind != Database {
		return
	}
	for _, at := range binary.FindAllIndex(text, -1) {
		raw, err := hex.DecodeString(string(text[at[0]+3 : at[1]]))
		if err != nil {
			panic(err) // the expression has digits in pairs
		}
		if unpacked, err := unpacker.DecodeAll(raw, nil); err == nil {
			raw = unpacked
		}
		s.lines(raw, text, at[0])
	}
}

var unpacker = func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(64<<20))
	if err != nil {
		panic(err) // the options are right
	}
	return d
}()

// lines looks through a text, which is the whole file or stands, packed, at a
// place of it.
func (s *searcher) lines(text, file []byte, base int) {
	found := func(at int, what string) {
		if len(s.findings) == most {
			return
		}
		if base > 0 {
			at = base
		}
		s.findings = append(s.findings, Finding{s.kind, s.place, 1 + bytes.Count(file[:at], []byte("\n")), what})
	}
	before := len(s.findings)
	for _, at := range ours.FindAllIndex(text, -1) {
		if s.kind == Address && opening.Match(lineAt(text, at[0])) {
			continue
		}
		if secret := string(text[at[0]:at[1]]); wellFormed(secret) && !s.fine[secret] {
			found(at[0], "has the form of a secret: "+secret[:8]+"…")
		}
	}
	for _, at := range signed.FindAllIndex(text, -1) {
		found(at[0], "has the form of a signed token: "+string(text[at[0]:at[0]+8])+"…")
	}
	if len(s.findings) > before {
		return // the others are found when these are mended
	}
	if at := s.masked(text); at >= 0 {
		found(at, "is a secret that is known, as it is or encoded")
	}
}

// lineAt is the line with a place of a text, without its end.
func lineAt(text []byte, at int) []byte {
	begin := 1 + bytes.LastIndexByte(text[:at], '\n')
	line, _, _ := bytes.Cut(text[begin:], []byte("\n"))
	return line
}

// wellFormed is whether a text is a secret of ours. Tests write what looks like
// one and has a wrong checksum.
func wellFormed(text string) bool {
	_, bad := ci.ParseToken(text)
	_, link := ci.ParseLink(text)
	_, session := ci.ParseSession(text)
	return bad == nil || link || session
}

// masked is where the first known secret is that mask would hide, or -1.
func (s *searcher) masked(text []byte) int {
	at, rest := -1, text
	stream := s.masker.Stream(func(piece []byte) {
		if at >= 0 {
			return
		}
		if bytes.HasPrefix(rest, piece) {
			rest = rest[len(piece):]
			return
		}
		at = len(text) - len(rest)
		for i := range piece {
			if i == len(rest) || piece[i] != rest[i] {
				at += i
				return
			}
		}
	})
	_, _ = stream.Write(text)
	stream.Close()
	return at
}
