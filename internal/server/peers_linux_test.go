package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/sse"
)

// A namespace is a network of its own, with a thread that is in it. It has no
// name: it is gone when the thread and the sockets are, also when the test
// process is killed.
type namespace struct {
	t      *testing.T
	thread int
	calls  chan func()
}

func newNamespace(t *testing.T) *namespace {
	t.Helper()
	n := &namespace{t: t, calls: make(chan func())}
	entered := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		n.thread = syscall.Gettid()
		entered <- syscall.Unshare(syscall.CLONE_NEWNET)
		for call := range n.calls {
			call()
		}
	}()
	t.Cleanup(func() { close(n.calls) })
	if err := <-entered; err != nil {
		t.Fatalf("root may not make network namespaces here, which this test needs (CAP_SYS_ADMIN): %v", err)
	}
	return n
}

// do runs f inside.
func (n *namespace) do(f func() error) error {
	done := make(chan error)
	n.calls <- func() { done <- f() }
	return <-done
}

// run runs a command of iproute2 inside.
func (n *namespace) run(command string) {
	n.t.Helper()
	words := strings.Fields(command)
	var said []byte
	err := n.do(func() (err error) {
		said, err = exec.Command(words[0], words[1:]...).CombinedOutput()
		return err
	})
	if err != nil {
		n.t.Fatalf("%s: %v %s(this test needs iproute2)", command, err, said)
	}
}

func (n *namespace) dial(address string) net.Conn {
	n.t.Helper()
	var conn net.Conn
	err := n.do(func() (err error) {
		conn, err = net.DialTimeout("tcp", address, patience)
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { conn.Close() })
	return conn
}

// TestPeers_Vanished cuts the wire to readers: their side acknowledges nothing
// and says nothing. The server lets go of them within 40 s: of those that it
// writes to, and of those that only get a ping now and then.
func TestPeers_Vanished(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes 40 s")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can make network namespaces")
	}
	s := start(t)
	here, there := newNamespace(t), newNamespace(t)
	here.run(fmt.Sprintf("ip link add wire address 02:00:00:00:00:01 type veth peer name wire address 02:00:00:00:00:02 netns /proc/%d/task/%d/ns/net", os.Getpid(), there.thread))
	for _, c := range []string{"ip address add %s/30 dev wire", "ip link set wire up"} {
		here.run(strings.Replace(c, "%s", "192.0.2.1", 1))
		there.run(strings.Replace(c, "%s", "192.0.2.2", 1))
	}
	// The next hop goes on answering, as a router would.
	here.run("ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev wire nud permanent")

	var ln net.Listener
	if err := here.do(func() (err error) {
		ln, err = net.Listen("tcp", "192.0.2.1:0")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})

	quiet := s.create(`{"project":"quiet","steps":[{"key":"a"}]}`)
	busy := s.create(`{"project":"busy","steps":[{"key":"a"}]}`)
	stays, _, _ := s.dial(quiet + "/events")
	stays.until("live")
	paths := []string{quiet + "/events", busy + "/events", "/api/v1/events?project=quiet"}
	for _, path := range paths {
		conn := there.dial(ln.Addr().String())
		conn.SetDeadline(time.Now().Add(patience))
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n", path)
		r := sse.NewReader(conn, 0) // to which the head is a few unknown fields
		for name := ""; name != "live"; {
			e, err := r.Next()
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			name = e.Name
		}
	}
	left := 1 + len(paths)
	s.awaitStreams(left)

	here.run("tc qdisc replace dev wire root blackhole")
	there.run("tc qdisc replace dev wire root blackhole")
	cut := time.Now()
	// Without TCP_USER_TIMEOUT it would be a quarter of an hour. The promise
	// is 40 s; the rest is for a machine that is busy.
	limit := time.NewTimer(50 * time.Second)
	defer limit.Stop()
	write := time.NewTicker(100 * time.Millisecond)
	defer write.Stop()
	text := strings.Repeat("0123456789abcde\n", 256) // 4 KiB
	for i := 0; left > 1; i++ {
		s.update(busy, logText("a", i*len(text), text))
		if n := s.openStreams(); n != left {
			t.Logf("%d of %d are let go of after %v", 1+len(paths)-n, len(paths), time.Since(cut).Round(100*time.Millisecond))
			left = n
		}
		select {
		case <-write.C:
		case <-limit.C:
			t.Fatalf("%d readers that vanished are still held", left-1)
		}
	}
	stays.conn.SetDeadline(time.Now().Add(patience))
	s.update(quiet, logText("a", 0, "x"))
	if f := stays.until("log"); left != 1 || !strings.Contains(f[len(f)-1], `"text":"x"`) {
		t.Errorf("the reader that stayed: %q", f)
	}
}

// TestPeers_Stalled has 1,000 readers that take nothing at all, of a build
// that goes on. Each is let go of once a write to it has waited for 10 s;
// until then neither the build's writer nor a reader that does read notices,
// and what they cost is bounded by the kernel's buffers.
func TestPeers_Stalled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes longer than the server waits for a peer")
	}
	const stalled = 1000
	s := start(t)
	build := s.create(`{"project":"p","steps":[{"key":"a"}]}`)
	offset := 0
	post := func(text string) time.Duration {
		t.Helper()
		begin := time.Now()
		s.update(build, logText("a", offset, text))
		offset += len(text)
		return time.Since(begin)
	}
	line := "what a step says in one line, more or less, and nothing besides\n"
	var alone, beside []time.Duration
	for range 100 {
		alone = append(alone, post(line))
	}

	reader, _, _ := s.dial(build + "/events")
	read := make(chan error, 1)
	size := 0 // bytes that it has of the log
	go func() {
		r := sse.NewReader(reader.r, 0)
		for at := 0; ; {
			e, err := r.Next()
			if err != nil {
				read <- err
				return
			}
			switch e.Name {
			case "end":
				read <- nil
				return
			case "build", "step", "log":
				if at++; number(e.ID) != at {
					read <- fmt.Errorf("%s %s, want event %d", e.Name, e.ID, at)
					return
				}
				var data struct{ Bytes int }
				if json.Unmarshal(e.Data, &data); e.Name == "log" {
					size += data.Bytes
				}
			}
			reader.conn.SetDeadline(time.Now().Add(patience))
		}
	}()

	before := measureMemory()
	little := net.Dialer{Timeout: patience, Control: func(_, _ string, c syscall.RawConn) (err error) {
		c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10) })
		return err
	}}
	var conns []net.Conn
	for range stalled {
		conn, err := little.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		fmt.Fprintf(conn, "GET %s/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n", build)
		conns = append(conns, conn)
	}
	s.awaitStreams(stalled + 1)
	connected := measureMemory()
	for range 8 { // more than the kernel's buffers take of it
		post(strings.Repeat(line, 1000))
	}
	full := time.Now()
	var first, last time.Duration // after which one, and all, were let go of
	var peak memory
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for n := s.open.count(); n > 1; n = s.open.count() {
		if n <= stalled && first == 0 {
			first = time.Since(full)
		}
		if last = time.Since(full); last > patience {
			t.Fatalf("%d streams are still open", n)
		}
		beside = append(beside, post(line))
		peak = peak.most(measureMemory())
		<-pace.C
	}
	if first > writeWait+5*time.Second { // not tight: without a deadline it is the kernel, after streamVanished
		t.Errorf("the first was let go of after %v", first)
	}
	t.Logf("let go of: the first after %v, the last after %v", first.Round(100*time.Millisecond), last.Round(100*time.Millisecond))
	t.Logf("a post took %v alone, %v beside %d stalled readers (medians of %d and %d)", median(alone), median(beside), stalled, len(alone), len(beside))
	t.Logf("KiB for each stalled reader, both ends of it: %d resident and %d of sockets when connected, at most %d and %d when stalled",
		(connected.resident-before.resident)/stalled, (connected.sockets-before.sockets)/stalled,
		(peak.resident-before.resident)/stalled, (peak.sockets-before.sockets)/stalled)

	s.update(build, `{"build":{"status":"passed"}}`)
	if err := <-read; err != nil || size != offset {
		t.Errorf("the reader beside them: %v, %d bytes of %d", err, size, offset)
	}
	// One of them reads on: what the kernel had, and after a resume the rest.
	conns[0].SetDeadline(time.Now().Add(patience))
	r := sse.NewReader(conns[0], 0)
	at := 0
	for {
		e, err := r.Next()
		if err != nil {
			t.Logf("one of them still got %d events", at)
			break
		}
		if e.Name == "end" {
			t.Error("a reader that took nothing has everything")
		}
		at = number(e.ID)
	}
	var header []string
	if at > 0 {
		header = append(header, "Last-Event-ID: "+r.LastID())
	}
	resumed, status, _ := s.dial(build+"/events", header...)
	if status != http.StatusOK {
		t.Fatalf("resumed: %d", status)
	}
	for r := sse.NewReader(resumed.r, 0); ; {
		e, err := r.Next()
		if err != nil {
			t.Fatalf("resumed, after %d: %v", at, err)
		}
		if e.Name == "end" {
			break
		}
		if e.Name != "live" {
			at++
		}
		if number(e.ID) != at {
			t.Fatalf("resumed: %s %s, want event %d", e.Name, e.ID, at)
		}
	}
	if last := number(s.last(build)); at != last {
		t.Errorf("resumed up to event %d of %d", at, last)
	}
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2].Round(10 * time.Microsecond)
}

// A memory is what this process has in use and what TCP has in the whole
// machine, in KiB.
type memory struct{ resident, sockets int }

func (m memory) most(other memory) memory {
	return memory{max(m.resident, other.resident), max(m.sockets, other.sockets)}
}

var (
	residentLine = regexp.MustCompile(`(?m)^VmRSS:\s+(\d+) kB`)
	socketsLine  = regexp.MustCompile(`(?m)^TCP: .* mem (\d+)$`)
)

func measureMemory() (m memory) {
	for _, source := range []struct {
		path string
		line *regexp.Regexp
		unit int // KiB
		to   *int
	}{
		{"/proc/self/status", residentLine, 1, &m.resident},
		{"/proc/thread-self/net/sockstat", socketsLine, os.Getpagesize() >> 10, &m.sockets},
	} {
		text, _ := os.ReadFile(source.path)
		if found := source.line.FindSubmatch(bytes.TrimSpace(text)); found != nil {
			n, _ := strconv.Atoi(string(found[1]))
			*source.to = n * source.unit
		}
	}
	return m
}
