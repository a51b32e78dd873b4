//go:build unix

package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/certtest"
	"github.com/stepcast/stepcast/internal/pgtest"
)

// serves starts a server on a database of its own and waits until it has left its
// address.
func serves(t *testing.T, dir string, env []string, args ...string) (cmd *exec.Cmd, address string, said *transcript) {
	t.Helper()
	cmd = stepcast(t, append([]string{"STEPCAST_DATA_DIR=" + dir, "STEPCAST_LISTEN=127.0.0.1:0"}, env...), append([]string{"serve"}, args...)...)
	said = new(transcript)
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	if !eventually(func() bool { address = readLine(dir, "address"); return address != "" }) {
		t.Fatalf("it does not serve: %s", said)
	}
	return cmd, address, said
}

// TestServe_HTTPS reports to a server over HTTPS as its neighbours on the machine
// do, and tells who may not trust it, or speaks to it in the wrong way, what to
// do.
func TestServe_HTTPS(t *testing.T) {
	t.Parallel()
	ca, dir := certtest.New(t), t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	ca.Issue(cert, key, time.Now().Add(90*24*time.Hour), "127.0.0.1", "ci.example")
	redirect := freeAddress(t)
	_, address, said := serves(t, dir, []string{"STEPCAST_DATABASE_URL=" + pgtest.New(t)}, "--tls-cert", cert, "--tls-key", key, "--redirect-listen", redirect, "--public-url", "https://ci.example")
	greets := func() bool { return strings.Contains(said.String(), "Watch builds       https://ci.example\n") }
	if !strings.HasPrefix(address, "https://127.0.0.1:") || !eventually(greets) { // its address is there before
		t.Fatalf("%s, and it says %s", address, said)
	}
	here := []string{"STEPCAST_DATA_DIR=" + dir}
	report := func(env ...string) (stderr string) {
		t.Helper()
		stdout, stderr, code := output(t, stepcast(t, append(here[:1:1], env...), "run", "--drain-timeout", "1s", "--project", "acme/tls", "--title", strings.Repeat("long ", 100), "--", "echo", "on"))
		if code != 0 || stdout != "on\n" {
			t.Errorf("%q: exit code %d, %q, %q", env, code, stdout, stderr)
		}
		return stderr
	}
	token := "STEPCAST_TOKEN=" + readLine(dir, "token") // which goes to its own address alone by itself
	for what, of := range map[string]struct {
		env  []string
		want string
	}{
		"nobody knows it":      {[]string{"STEPCAST_DATA_DIR=" + t.TempDir(), "STEPCAST_URL=" + address, token}, "its certificate is signed by nobody whom this machine knows; name the authority with --ca-file or STEPCAST_CA_FILE"},
		"another name":         {[]string{"STEPCAST_CA_FILE=" + ca.File, "STEPCAST_URL=" + strings.Replace(address, "127.0.0.1", "localhost", 1)}, "its certificate is for ci.example, 127.0.0.1, so that is what its address has to have in it"},
		"plain HTTP":           {[]string{"STEPCAST_URL=" + strings.Replace(address, "https", "http", 1), token}, "it answers 400 Bad Request; its address begins with https://"},
		"HTTPS, and it is not": {[]string{"STEPCAST_URL=https://" + redirect, token}, "it speaks plain HTTP; its address begins with http://"},
		"the redirect":         {[]string{"STEPCAST_URL=http://" + redirect, token}, "it redirects to https://ci.example/api/v1/builds"},
	} {
		if stderr := report(of.env...); !strings.Contains(stderr, of.want) {
			t.Errorf("%s: %q, want %q", what, stderr, of.want)
		}
	}
	for _, variable := range []string{"STEPCAST_DATA_DIR=" + dir, "STEPCAST_CA_FILE=" + ca.File, "SSL_CERT_FILE=" + ca.File} { // the first: what the server says at its start is enough
		if stderr := report(variable); stderr != "" {
			t.Errorf("%s: %q", variable, stderr)
		}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool}, ForceAttemptHTTP2: true}}
	resp, err := client.Get(address + "/api/v1/builds?project=acme/tls")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var list struct{ Builds []shownBuild }
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil || len(list.Builds) < 2 || resp.ProtoMajor != 2 || resp.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%d builds, %v, by %s, %v", len(list.Builds), err, resp.Proto, resp.Header)
	}

	if _, stderr, code := output(t, stepcast(t, append(here, "STEPCAST_CA_FILE="+key), "run", "--", "true")); code != 0 || !strings.Contains(stderr, key+" holds no certificate in PEM form") {
		t.Errorf("a file that is none: exit code %d, %q", code, stderr)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestServe_ACME gets a certificate from a real authority, which comes and looks,
// over TLS and where that does not lead here over HTTP, and has it still after a
// restart.
func TestServe_ACME(t *testing.T) {
	t.Parallel()
	authority := pebble(t)
	for name, reaches := range map[string]func(tlsAddress, httpAddress, nowhere string) (string, string){
		"TLS-ALPN-01": func(tlsAddress, _, nowhere string) (string, string) { return tlsAddress, nowhere },
		"HTTP-01":     func(_, httpAddress, nowhere string) (string, string) { return nowhere, httpAddress },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at, redirect, nowhere := freeAddress(t), freeAddress(t), freeAddress(t)
			tlsAddress, httpAddress := reaches(at, redirect, nowhere)
			directory, roots, trust := startPebble(t, authority, tlsAddress, httpAddress)
			dir, env := t.TempDir(), []string{"STEPCAST_DATABASE_URL=" + pgtest.New(t), "SSL_CERT_FILE=" + trust}
			args := []string{"--listen", at, "--redirect-listen", redirect, "--acme-domain", "ci.stepcast.test", "--acme-email", "ops@stepcast.test", "--acme-directory", directory}
			cmd, address, said := serves(t, dir, env, args...)
			if _, port, _ := net.SplitHostPort(at); address != "https://ci.stepcast.test:"+port {
				t.Errorf("it leaves %s", address)
			}
			show := func(name string) (*x509.Certificate, error) {
				conn, err := tls.Dial("tcp", at, &tls.Config{ServerName: name, RootCAs: roots})
				if err != nil {
					return nil, err
				}
				defer conn.Close()
				return conn.ConnectionState().PeerCertificates[0], nil
			}
			var first *x509.Certificate
			var err error
			if !eventually(func() bool { first, err = show("ci.stepcast.test"); return err == nil }) {
				cmd.Process.Signal(syscall.SIGTERM)
				cmd.Wait()
				t.Fatalf("%v\n%s", err, said)
			}
			if got := first.DNSNames; len(got) != 1 || got[0] != "ci.stepcast.test" {
				t.Errorf("the certificate is for %q", got)
			}
			if _, err := show("other.stepcast.test"); err == nil {
				t.Error("it has a certificate for another name")
			}
			if info, err := os.Stat(filepath.Join(dir, "acme")); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the folder of keys is %v, %v", info.Mode(), err)
			}
			client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
			resp, err := client.Get("http://" + redirect + "/builds/1?a=b")
			if err != nil || resp.StatusCode != http.StatusPermanentRedirect || resp.Header.Get("Location") != address+"/builds/1?a=b" {
				t.Errorf("plain HTTP: %v, %v", resp, err)
			}

			cmd.Process.Signal(syscall.SIGTERM)
			cmd.Wait()
			serves(t, dir, env, args...)
			var again *x509.Certificate
			if !eventually(func() bool { again, err = show("ci.stepcast.test"); return err == nil }) || again.SerialNumber.Cmp(first.SerialNumber) != 0 {
				t.Errorf("after a restart: %v", err)
			}
		})
	}
}

// pebbleVersion is of Let's Encrypt's own authority for tests, which is built
// once and kept.
const pebbleVersion = "v2.10.1"

func pebble(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("../../.cache/pebble", pebbleVersion))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "pebble")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	cmd := exec.CommandContext(t.Context(), "go", "install", "github.com/letsencrypt/pebble/v2/cmd/pebble@"+pebbleVersion)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("an ACME authority is needed, and could not be built: %v\n%s", err, out)
	}
	return path
}

// startPebble starts an authority that looks for all names at the same two
// addresses. It returns its directory, what its certificates are signed by, and
// a file with what its own is.
func startPebble(t *testing.T, path, tlsAddress, httpAddress string) (directory string, roots *x509.CertPool, trust string) {
	t.Helper()
	ca, dir := certtest.New(t), t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	ca.Issue(cert, key, time.Now().Add(24*time.Hour), "127.0.0.1")
	port := func(address string) json.Number {
		_, port, _ := net.SplitHostPort(address)
		return json.Number(port)
	}
	at, management := freeAddress(t), freeAddress(t)
	config, _ := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": at, "managementListenAddress": management, "certificate": cert, "privateKey": key,
		"tlsPort": port(tlsAddress), "httpPort": port(httpAddress),
		"profiles": map[string]any{"default": map[string]any{"description": "for tests", "validityPeriod": 90 * 24 * 3600}},
	}})
	if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "-config", filepath.Join(dir, "config.json"), "-dnsserver", everyNameIsHere(t))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("the authority says:\n%s", &said)
		}
	})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca.Pool}}}
	var root []byte
	if !eventually(func() bool {
		resp, err := client.Get("https://" + management + "/roots/0")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		root, err = io.ReadAll(resp.Body)
		return err == nil && resp.StatusCode == http.StatusOK
	}) {
		t.Fatal("the authority does not answer")
	}
	roots = x509.NewCertPool()
	if !roots.AppendCertsFromPEM(root) {
		t.Fatalf("%s", root)
	}
	return "https://" + at + "/dir", roots, ca.File
}

// everyNameIsHere answers questions for names (RFC 1035) over TCP: each is this
// machine's.
func everyNameIsHere(t *testing.T) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				var size [2]byte
				for {
					if _, err := io.ReadFull(conn, size[:]); err != nil {
						return
					}
					question := make([]byte, binary.BigEndian.Uint16(size[:]))
					if _, err := io.ReadFull(conn, question); err != nil {
						return
					}
					answer := answerHere(question)
					conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
				}
			}()
		}
	}()
	return ln.Addr().String()
}

// answerHere answers one question: 127.0.0.1 for who asks for an IPv4 address,
// and nothing for who asks for anything else.
func answerHere(question []byte) []byte {
	end := 12 // of the question: labels, a zero, type and class
	for end < len(question) && question[end] != 0 {
		end += 1 + int(question[end])
	}
	if end += 5; end > len(question) {
		return nil
	}
	answer := append([]byte(nil), question[:end]...)
	binary.BigEndian.PutUint16(answer[2:], 0x8180)   // a response, without error
	copy(answer[4:], []byte{0, 1, 0, 0, 0, 0, 0, 0}) // to one question
	if binary.BigEndian.Uint16(question[end-4:]) == 1 {
		answer[7] = 1
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1)
	}
	return answer
}
