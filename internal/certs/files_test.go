package certs

import (
	"bytes"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/certtest"
)

// A shop shows a certificate to whoever comes.
type shop struct {
	t       *testing.T
	ca      *certtest.Authority
	cert    string
	key     string
	said    bytes.Buffer // the log
	files   *Files
	address string
}

func newShop(t *testing.T) *shop {
	dir := t.TempDir()
	s := &shop{t: t, ca: certtest.New(t), cert: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem")}
	s.ca.Issue(s.cert, s.key, time.Now().Add(90*24*time.Hour), "one.example")
	var err error
	if s.files, err = Open(s.cert, s.key, slog.New(slog.NewTextHandler(&s.said, nil))); err != nil {
		t.Fatal(err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", s.files.Config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	s.address = ln.Addr().String()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { // says back what it hears
				defer conn.Close()
				b := make([]byte, 1)
				for {
					if _, err := conn.Read(b); err != nil {
						return
					}
					conn.Write(b)
				}
			}()
		}
	}()
	return s
}

// visit shakes hands, and returns the name that it was shown.
func (s *shop) visit() (*tls.Conn, string) {
	s.t.Helper()
	conn, err := tls.Dial("tcp", s.address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	return conn, conn.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func (s *shop) shows(want string) {
	s.t.Helper()
	if _, got := s.visit(); got != want {
		s.t.Errorf("it shows %s, want %s\n%s", got, want, s.log())
	}
}

// log returns what was said since it was last called.
func (s *shop) log() string {
	s.files.mu.Lock() // under which it is said
	defer s.files.mu.Unlock()
	defer s.said.Reset()
	return s.said.String()
}

// TestFiles_Renewal renews a certificate in the ways of the tools that do it: the
// next handshake shows the new one, and a connection from before goes on.
func TestFiles_Renewal(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	conn, name := s.visit()
	if name != "one.example" {
		t.Fatal(name)
	}
	goesOn := func() {
		t.Helper()
		if _, err := conn.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Fatal(err)
		}
	}
	soon := time.Now().Add(60 * 24 * time.Hour)
	s.ca.Issue(s.cert, s.key, soon, "two.example") // written over
	s.shows("two.example")
	goesOn()

	next := t.TempDir() // moved into place
	s.ca.Issue(filepath.Join(next, "c"), filepath.Join(next, "k"), soon, "three.example")
	for from, to := range map[string]string{"c": s.cert, "k": s.key} {
		if err := os.Rename(filepath.Join(next, from), to); err != nil {
			t.Fatal(err)
		}
	}
	s.shows("three.example")
	goesOn()

	for from, to := range map[string]string{"c": s.cert, "k": s.key} { // behind links, which move
		s.ca.Issue(filepath.Join(next, "c4"), filepath.Join(next, "k4"), soon, "four.example")
		os.Remove(to)
		if err := os.Symlink(filepath.Join(next, from+"4"), to); err != nil {
			t.Fatal(err)
		}
	}
	s.shows("four.example")
	goesOn()
	if said := s.log(); strings.Contains(said, "WARN") && !strings.Contains(said, "is no good") { // when only one of the two was there
		t.Error(said)
	}
}

// TestFiles_BrokenRenewal keeps the certificate before, says so once, and takes
// the next one that is good.
func TestFiles_BrokenRenewal(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	before, _ := os.ReadFile(s.cert)
	for what, spoil := range map[string]func(){
		"half of it":        func() { os.WriteFile(s.cert, before[:len(before)/2], 0o600) },
		"empty":             func() { os.WriteFile(s.cert, nil, 0o600) },
		"gone":              func() { os.Remove(s.cert) },
		"another's key":     func() { s.ca.Issue(filepath.Join(t.TempDir(), "c"), s.key, time.Now().Add(time.Hour), "other.example") },
		"expired long ago":  func() { s.ca.Issue(s.cert, s.key, time.Now().Add(-time.Hour), "old.example") },
		"a folder in place": func() { os.Remove(s.cert); os.Mkdir(s.cert, 0o700) },
	} {
		s.log()
		spoil()
		for range 3 {
			s.shows("one.example")
		}
		if said := s.log(); strings.Count(said, "the one before it stays") != 1 {
			t.Errorf("%s: it says %q", what, said)
		}
		os.RemoveAll(s.cert)
		s.ca.Issue(s.cert, s.key, time.Now().Add(30*24*time.Hour), "one.example")
		s.shows("one.example")
	}
	s.ca.Issue(s.cert, s.key, time.Now().Add(30*24*time.Hour), "two.example")
	s.shows("two.example")
}

// TestFiles_EndsSoon says once that nobody has renewed a certificate.
func TestFiles_EndsSoon(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.ca.Issue(s.cert, s.key, time.Now().Add(3*24*time.Hour), "one.example")
	for range 3 {
		s.shows("one.example")
	}
	if said := s.log(); strings.Count(said, "expires soon and was not renewed") != 1 {
		t.Errorf("it says %q", said)
	}
}

func TestFiles_NoneAtFirst(t *testing.T) {
	t.Parallel()
	if _, err := Open("/nowhere/cert.pem", "/nowhere/key.pem", slog.Default()); err == nil || !strings.HasPrefix(err.Error(), "read the certificate /nowhere/cert.pem and its key /nowhere/key.pem: ") {
		t.Error(err)
	}
}

// TestConfig_Versions speaks TLS 1.2 and 1.3, and nothing older.
func TestConfig_Versions(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for version, want := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", s.address, &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
		if (err == nil) != want {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
		if err == nil {
			conn.Close()
		}
	}
}

// TestHello_Bounded drops a hello that is longer than any is, and one that is no
// hello at all.
func TestHello_Bounded(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	long := []byte{1, 1, 0, 0} // a client hello of 64 KiB
	long = append(long, make([]byte, 1<<16)...)
	var records []byte
	for rest := long; len(rest) > 0; {
		n := min(len(rest), 16<<10)
		records = append(records, 22, 3, 1, byte(n>>8), byte(n))
		records = append(records, rest[:n]...)
		rest = rest[n:]
	}
	for what, sent := range map[string][]byte{"a long hello": records, "noise": bytes.Repeat([]byte{0xff}, 64)} {
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(time.Minute))
		conn.Write(sent)
		var answer bytes.Buffer
		answer.ReadFrom(conn) // to the end, or a reset
		conn.Close()
		if b := answer.Bytes(); len(b) > 0 && b[0] != 21 {
			t.Errorf("%s: it answers %x", what, b)
		}
	}
	s.shows("one.example")
}
