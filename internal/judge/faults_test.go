//go:build unix

package judge

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/stepcast/stepcast/internal/embedded"
	"github.com/stepcast/stepcast/internal/pgtest"
)

// long runs the long forms: STEPCAST_LONG=1, or scripts/faults.
var long = os.Getenv("STEPCAST_LONG") == "1"

// The judge's process is this very binary, started again.
func TestMain(m *testing.M) {
	if os.Getenv("STEPCAST_JUDGE") == "1" {
		if err := Main(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if seed := os.Getenv("STEPCAST_PRINT"); seed != "" { // a command under a runner
		n, err := strconv.ParseUint(seed, 10, 64)
		must(err)
		os.Exit(printSlowly(n))
	}
	code := m.Run()
	if dir := binaryDir; dir != "" {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

var binaryDir string

// serverBinary is the server under test: $STEPCAST_BIN, or built once.
var serverBinary = sync.OnceValues(func() (string, error) {
	if bin := os.Getenv("STEPCAST_BIN"); bin != "" {
		return filepath.Abs(bin)
	}
	dir, err := os.MkdirTemp("", "stepcast-judge-")
	if err != nil {
		return "", err
	}
	binaryDir = dir
	bin := filepath.Join(dir, "stepcast")
	if out, err := exec.Command("go", "build", "-o", bin, "github.com/stepcast/stepcast/cmd/stepcast").CombinedOutput(); err != nil {
		return "", fmt.Errorf("build stepcast: %w\n%s", err, out)
	}
	return bin, nil
})

// within is the time in which something was promised. The long forms hold to
// it; the short ones, which run beside other tests on any machine, allow more
// and print what they measured.
func within(promised time.Duration) time.Duration {
	if long {
		return promised
	}
	return 5 * promised
}

// arenas bounds how many arenas are open at once: each is several servers, a
// PostgreSQL and a load.
var arenas = make(chan struct{}, 2)

// arena is where a fault strikes: servers, each with a proxy before the
// PostgreSQL that they share, and a load in a process of its own. With an
// embedded arena there is one server, which runs PostgreSQL itself.
type arena struct {
	*testing.T
	servers []*Server
	pg      *embedded.Server // nil: embedded in the one server
	proxies []*PGProxy       // by server
	thieves []*AnswerThief   // by server; none until addThieves
	token   string
	judge   *Process
	rng     *rand.Rand
}

func newArena(t *testing.T, servers int, flags ...string) *arena {
	t.Helper()
	arenas <- struct{}{}
	t.Cleanup(func() { <-arenas })
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	a := &arena{T: t, rng: rand.New(rand.NewPCG(seed, 0)), pg: pgtest.Start(t)}
	for range servers {
		p := through(t, a.pg.URL())
		a.proxies = append(a.proxies, p.PGProxy)
		a.addServer(append([]string{"--database-url", p.address.String()}, flags...)...)
	}
	return a
}

// newEmbeddedArena is an arena of one server with a PostgreSQL of its own.
func newEmbeddedArena(t *testing.T) *arena {
	t.Helper()
	arenas <- struct{}{}
	t.Cleanup(func() { <-arenas })
	a := &arena{T: t, rng: rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))}
	a.addServer()
	return a
}

func (a *arena) addServer(flags ...string) {
	a.Helper()
	bin, err := serverBinary()
	a.must(err)
	s, err := NewServer(a.Context(), bin, pgtest.Dir(a.T), flags...)
	a.must(err)
	a.Cleanup(s.Stop)
	a.servers = append(a.servers, s)
	if a.token == "" {
		a.token, err = s.Token()
		a.must(err)
	}
}

func (a *arena) must(err error) {
	a.Helper()
	if err != nil {
		a.Fatal(err)
	}
}

func (a *arena) urls() (urls []string) {
	for _, s := range a.servers {
		urls = append(urls, s.URL)
	}
	return urls
}

// load starts the judge.
func (a *arena) load(plan Plan) {
	a.Helper()
	plan.Servers, plan.Token = a.urls(), a.token
	for _, thief := range a.thieves {
		plan.WriteTo = append(plan.WriteTo, "http://"+thief.Addr())
	}
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "STEPCAST_JUDGE=1")
	var err error
	a.judge, err = Start(command, plan)
	a.must(err)
	a.Cleanup(func() { _ = a.judge.Close() })
}

func (a *arena) status() Status {
	a.Helper()
	s, err := a.judge.Status()
	a.must(err)
	return s
}

// await polls until a condition holds, or fails the test.
func (a *arena) await(what string, patience time.Duration, ok func() bool) {
	a.Helper()
	for deadline := time.Now().Add(patience); !ok(); {
		if time.Now().After(deadline) {
			a.Fatalf("%s: not within %v; the load: %+v", what, patience, a.status())
		}
		pause(a.Context(), a.rng, 10*time.Millisecond)
	}
}

// progress waits until n more writes were acknowledged.
func (a *arena) progress(n int64) {
	a.Helper()
	from := a.status().Acked
	a.await(fmt.Sprintf("%d more acknowledged writes", n), time.Minute, func() bool { return a.status().Acked >= from+n })
}

// inFlight tells whether writes to a server (any, when empty) were under way.
func (a *arena) inFlight(server string, at time.Time) bool {
	a.Helper()
	n, err := a.judge.InFlight(server, at)
	a.must(err)
	return n > 0
}

// verdict ends the load and fails the test if anything was found.
func (a *arena) verdict() Report {
	a.Helper()
	report, err := a.judge.Finish(time.Minute)
	a.must(err)
	if len(report.Counts) > 0 {
		a.Errorf("findings: %v", report)
	} else {
		a.Log(report)
	}
	return report
}

// aFewWriters is the load under most faults: enough that a write is nearly
// always in flight, and not so much that it is the fault itself.
var aFewWriters = Plan{Shared: 6, Others: 10, Readers: 9, Feeds: 2, Updates: 4, Pace: 8 * time.Millisecond, Timeout: 3 * time.Second,
	Cut: Cut{Bytes: 64 << 10, Quiet: 2 * time.Second}}

// Faults under load: nothing that was acknowledged is lost, and nothing is
// repeated. Each strike says whether it hit, that is whether a write was in
// flight; only hits count.
func TestFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		servers     int // 0: one, with an embedded PostgreSQL
		thieves     bool
		short, long int // hits
		strike      func(a *arena, i int) (hit bool)
	}{
		{"kill -9 of a server process", 3, false, 4, 50, (*arena).killServer},
		{"restart of a server process", 3, false, 1, 20, (*arena).restartServer},
		{"kill -9 of the embedded PostgreSQL", 0, false, 2, 20, (*arena).killEmbedded},
		{"kill -9 of an external PostgreSQL", 3, false, 2, 20, (*arena).killExternal},
		{"kill -9 of the whole process group", 0, false, 2, 20, (*arena).killAll},
		{"connection cut in the middle of a commit", 3, false, 12, 200, (*arena).cutCommit},
		{"answer lost after the commit", 3, true, 40, 1000, (*arena).loseAnswers},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := enter(t, test.servers)
			if test.thieves {
				a.addThieves()
			}
			a.load(aFewWriters)
			a.progress(50)
			want, hits, tries := test.short, 0, 0
			if long {
				want = test.long
			}
			for ; hits < want; tries++ {
				if tries > 10*want+20 {
					t.Fatalf("only %d of %d strikes hit", hits, tries)
				}
				if test.strike(a, tries) {
					hits++
				}
				if test.thieves {
					hits = int(a.stolen())
				}
			}
			a.progress(50)
			a.verdict()
			t.Logf("%d strikes, of which %d hit a write in flight", tries, hits)
		})
	}
}

// TestFaults_OverQuota has writers go on and on beyond what is kept of their
// builds, while the processes that they write to are killed. Every log is cut
// where it is full, once, and all else is as it was.
func TestFaults_OverQuota(t *testing.T) {
	t.Parallel()
	const quota = 20_000
	a := newArena(t, 2, fmt.Sprint("--max-build-log=", quota))
	plan := aFewWriters
	plan.Quota = quota
	a.load(plan)
	want, hits := 3, 0
	if long {
		want = 50
	}
	a.await("as much as four times what is kept", time.Minute, func() bool {
		return a.status().AckedBytes > 4*quota*int64(plan.Others+1)
	})
	for i := 0; hits < want; i++ {
		if i > 10*want+20 {
			t.Fatalf("only %d of %d strikes hit", hits, i)
		}
		if a.killServer(i) {
			hits++
		}
	}
	a.progress(50)
	report := a.verdict()
	if report.AckedBytes < 4*quota*int64(plan.Others+1) {
		t.Errorf("%d bytes were acknowledged: no quota was used up", report.AckedBytes)
	}
}

func enter(t *testing.T, servers int) *arena {
	t.Helper()
	if servers == 0 {
		return newEmbeddedArena(t)
	}
	return newArena(t, servers)
}

func (a *arena) killServer(i int) bool {
	s := a.servers[i%len(a.servers)]
	at := time.Now()
	s.Kill()
	hit := a.inFlight(s.URL, at)
	away := 200 * time.Millisecond
	if long {
		away = 3 * time.Second
	}
	pause(a.Context(), a.rng, away)
	a.must(s.Start())
	a.must(s.AwaitReady(a.Context()))
	a.progress(20)
	return hit
}

// restartServer is SIGTERM: the process drains, and no stream may see anything
// but a 200 meanwhile, which the judge looks after.
func (a *arena) restartServer(i int) bool {
	s := a.servers[i%len(a.servers)]
	at := time.Now()
	a.must(s.Signal(syscall.SIGTERM))
	hit := a.inFlight(s.URL, at)
	select {
	case <-s.over:
	case <-time.After(30 * time.Second):
		a.Fatal("the server did not end within 30 s of SIGTERM")
	}
	a.must(s.Start())
	a.must(s.AwaitReady(a.Context()))
	a.progress(20)
	return hit
}

// killEmbedded also holds the server to being ready again within 5 s.
func (a *arena) killEmbedded(int) bool {
	at := time.Now()
	a.must(a.servers[0].KillPostgres())
	hit := a.inFlight("", at)
	a.progress(20)
	a.must(a.servers[0].AwaitReady(a.Context()))
	took := time.Since(at)
	a.Logf("20 more writes acknowledged, and ready, %v after the kill", took.Round(time.Millisecond))
	if took > within(5*time.Second) {
		a.Errorf("ready %v after the kill; 5 s were promised", took)
	}
	return hit
}

func (a *arena) killExternal(int) bool {
	at := time.Now()
	a.must(syscall.Kill(a.pg.PID(), syscall.SIGKILL))
	hit := a.inFlight("", at)
	a.progress(20)
	return hit
}

func (a *arena) killAll(int) bool {
	at := time.Now()
	a.must(a.servers[0].KillAll())
	hit := a.inFlight("", at)
	a.must(a.servers[0].Start())
	a.must(a.servers[0].AwaitReady(a.Context()))
	a.progress(20)
	return hit
}

// cutCommit cuts a write connection inside an append, before its commit,
// during it and after it, in turn. The append is the write in flight.
func (a *arena) cutCommit(i int) bool {
	sprung, release := a.proxies[i/4%len(a.proxies)].Trap("stepcast-write", Strike(i%4))
	defer release()
	select {
	case <-sprung:
	case <-time.After(10 * time.Second):
		a.Logf("no append stepped into the trap %v", Strike(i%4))
		return false
	}
	a.progress(5)
	return true
}

func (a *arena) addThieves() {
	for _, s := range a.servers {
		thief, err := NewAnswerThief(strings.TrimPrefix(s.URL, "http://"))
		a.must(err)
		a.Cleanup(thief.Close)
		a.thieves = append(a.thieves, thief)
	}
}

func (a *arena) stolen() (n int64) {
	for _, thief := range a.thieves {
		n += thief.Stolen()
	}
	return n
}

// loseAnswers swallows every third answer for a while.
func (a *arena) loseAnswers(int) bool {
	for _, thief := range a.thieves {
		thief.Steal(3)
	}
	a.progress(100)
	for _, thief := range a.thieves {
		thief.Steal(0)
	}
	return true
}

// A LISTEN that is dead in whatever way makes events late, by 2 s at most, and
// loses none.
func TestFaults_ListenDies(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		strike func(*arena) (struck int, after func())
	}{
		{"terminated", (*arena).terminateListen},
		{"hung", (*arena).hangListen},
		{"UNLISTEN", (*arena).unlisten},
		{"refused for good", (*arena).refuseListen},
	}
	strikes := 1
	if long {
		strikes = 20
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := newArena(t, 2)
			a.load(Plan{Shared: 4, Others: 6, Readers: 6, Feeds: 1, Pace: 10 * time.Millisecond})
			p := a.newProbe(a.servers[0].URL, a.servers[1].URL)
			a.Logf("in health, acknowledged on one process is seen on another after %v", p.worst(300*time.Millisecond).Round(time.Millisecond))
			var worst time.Duration
			hits := 0
			tries := 0
			for ; hits < strikes && tries < 10*strikes; tries++ {
				for _, proxy := range a.proxies {
					a.await("a LISTEN of every process", time.Minute, func() bool { return proxy.Connections("stepcast-listen") > 0 })
				}
				at := time.Now()
				struck, after := test.strike(a)
				if struck > 0 && a.inFlight("", at) {
					hits++
				}
				worst = max(worst, p.worst(3*time.Second))
				after()
			}
			p.finish()
			a.verdict()
			t.Logf("%d strikes, of which %d with a write in flight; seen at most %v after its acknowledgement", tries, hits, worst.Round(time.Millisecond))
			if hits < strikes {
				t.Errorf("only %d of %d strikes hit", hits, tries)
			}
			if worst > within(2*time.Second) {
				t.Errorf("an event was seen %v after its acknowledgement; 2 s were promised", worst)
			}
		})
	}
}

func (a *arena) terminateListen() (int, func()) {
	var n int
	a.must(a.sql().QueryRow(a.Context(), `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'stepcast-listen'`).Scan(&n))
	return n, func() {}
}

func (a *arena) hangListen() (n int, after func()) {
	var releases []func()
	for _, p := range a.proxies {
		m, release := p.Hang("stepcast-listen")
		n, releases = n+m, append(releases, release)
	}
	return n, func() {
		for _, release := range releases {
			release()
		}
	}
}

func (a *arena) unlisten() (n int, after func()) {
	for _, p := range a.proxies {
		n += p.Inject("stepcast-listen", "UNLISTEN *")
	}
	return n, func() {}
}

func (a *arena) refuseListen() (n int, after func()) {
	for _, p := range a.proxies {
		n += p.Refuse("stepcast-listen")
	}
	return n, func() {
		for _, p := range a.proxies {
			p.Refuse("")
		}
	}
}

// sql is a connection to the database, for the strikes that are statements.
func (a *arena) sql() *pgx.Conn {
	conn, err := pgx.Connect(a.Context(), a.pg.URL())
	a.must(err)
	a.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

// probe writes on one server and waits for the event on another.
type probe struct {
	*arena
	checker *Checker
	client  *client
	build   string
	text    Text
	end     int64
	seen    chan int64 // newest event seen, one slot
	stop    context.CancelFunc
}

func (a *arena) newProbe(writeTo, readFrom string) *probe {
	a.Helper()
	ctx, stop := context.WithCancel(a.Context())
	p := &probe{arena: a, checker: NewChecker(), build: uuid.NewString(), seen: make(chan int64, 1), stop: stop}
	p.text = TextOf(p.build, "probe")
	stats := &Stats{}
	p.client = newClient(p.checker, []string{writeTo}, a.token, 20*time.Second, stats)
	a.must(p.client.create(ctx, a.rng, p.build, "judge/probe"))
	r := newReader(p.checker, "probe", []string{readFrom}, []string{p.build}, Cut{}, 1, stats)
	r.seen = func(_ string, n int64) {
		select {
		case <-p.seen:
		default:
		}
		p.seen <- n
	}
	go r.run(ctx)
	a.Cleanup(stop)
	return p
}

// send posts one batch and returns the time from its acknowledgement to the
// sight of its last event.
func (p *probe) send(b *batch) time.Duration {
	p.Helper()
	o := p.client.send(p.Context(), p.rng, b)
	acked := time.Now()
	_, last, ok := ParseID(o.last)
	if !o.acked || !ok {
		p.Fatalf("the probe was not acknowledged: %+v", o)
	}
	timeout := time.After(20 * time.Second)
	for {
		select {
		case n := <-p.seen:
			if n >= last {
				return time.Since(acked)
			}
		case <-timeout:
			p.Fatal("the probe was not seen within 20 s")
		}
	}
}

// worst probes again and again for a while, and returns the longest delay.
func (p *probe) worst(d time.Duration) (worst time.Duration) {
	p.Helper()
	for until := time.Now().Add(d); time.Now().Before(until); {
		b := &batch{build: p.build}
		b.text(p.text, "probe", p.end, p.text.Width())
		worst = max(worst, p.send(b))
		p.end += p.text.Width()
		pause(p.Context(), p.rng, 50*time.Millisecond)
	}
	return worst
}

// finish ends the probe's build; its own history must be right as well.
func (p *probe) finish() {
	p.Helper()
	b := &batch{build: p.build}
	b.step("probe", "passed", &p.end)
	b.finish("passed")
	p.send(b)
	p.await("the end of the probe's build", 20*time.Second, p.checker.readersDone)
	p.stop()
	if found, _ := p.checker.Findings(); len(found) > 0 {
		p.Errorf("findings of the probe: %v", found)
	}
}

// A process that is stopped in the middle of a batch, its database connection
// with half of it, does not hold up what others write into the same build.
func TestFaults_StoppedInsideABatch(t *testing.T) {
	t.Parallel()
	a := newArena(t, 3)
	plan := aFewWriters
	plan.Shared, plan.Others, plan.Timeout = 12, 0, time.Second
	a.load(plan)
	a.progress(50)
	strikes := 2
	if long {
		strikes = 20
	}
	for i := range strikes {
		n := i % len(a.servers)
		s, strike := a.servers[n], HangInside
		sprung, release := a.proxies[n].Trap("stepcast-write", strike)
		select {
		case <-sprung:
		case <-time.After(20 * time.Second):
			t.Fatal("no append came by")
		}
		at := time.Now()
		a.must(s.Signal(syscall.SIGSTOP))
		if !a.inFlight(s.URL, at) {
			t.Error("no write was in flight on the stopped process")
		}
		a.progress(100)
		t.Logf("100 writes into the same build were acknowledged %v after one process was stopped inside a batch", time.Since(at).Round(time.Millisecond))
		a.must(s.Signal(syscall.SIGCONT))
		release()
		a.progress(20)
	}
	a.verdict()
}

// A dump is restored under open readers: each is told, and then has the right
// text. A dump that is older than the builds knows none of them; their runners
// create them again, and the database may give their rows to one another.
func TestFaults_DumpRestored(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"pg_dump", "pg_restore"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT TRIED: restoring a dump needs %s, which is not on this machine", tool)
		}
	}
	for _, older := range []bool{false, true} {
		t.Run(fmt.Sprintf("older than the builds=%v", older), func(t *testing.T) {
			t.Parallel()
			a := newArena(t, 3)
			dump := a.dump()
			a.load(Plan{Shared: 4, Others: 6, Readers: 9, Feeds: 2, Pace: 10 * time.Millisecond, Careful: true})
			restores := 1
			if long {
				restores = 10
			}
			for range restores {
				a.progress(100)
				if !older {
					dump = a.dump()
				}
				a.progress(200)
				a.restore(dump)
			}
			if report := a.verdict(); report.Gaps == 0 && !older {
				t.Error("no writer had to go back: nothing was rewound")
			}
		})
	}
}

func (a *arena) dump() string {
	a.Helper()
	file := filepath.Join(pgtest.Dir(a.T), "dump")
	a.run("pg_dump", "--format=custom", "--file="+file, a.pg.URL())
	return file
}

// restore puts a dump back while no write is in flight and readers are open,
// and waits until every open reader was told.
func (a *arena) restore(dump string) {
	a.Helper()
	a.must(a.judge.Pause())
	before := a.status()
	if before.Open == 0 {
		a.Fatal("no reader was open")
	}
	a.must(a.judge.Rewound())
	// The servers read on meanwhile, and may be what PostgreSQL ends it for;
	// then nothing of it was done.
	args := []string{"--clean", "--if-exists", "--single-transaction", "--dbname=" + a.pg.URL(), dump}
	for tries := 1; ; tries++ {
		out, err := exec.Command("pg_restore", args...).CombinedOutput()
		if err == nil {
			break
		}
		if tries == 10 || !strings.Contains(string(out), "deadlock detected") {
			a.Fatalf("pg_restore: %v\n%s", err, out)
		}
	}
	a.must(a.judge.Resume())
	a.await("a reset for every open reader", 30*time.Second, func() bool { return a.status().Resets >= before.Resets+before.Open })
	a.progress(100)
	a.Logf("restored under %d open streams", before.Open)
}

func (a *arena) run(name string, args ...string) {
	a.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		a.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// 16 writers into one build and 64 into others, on three processes, while 50
// readers disconnect at any byte and resume on any process.
func TestExactness(t *testing.T) {
	t.Parallel()
	a := newArena(t, 3)
	plan := Plan{Shared: 16, Others: 64, Readers: 50, Feeds: 4, Lines: 60, Updates: 16, Span: 2, Timeout: 20 * time.Second,
		Cut: Cut{Bytes: 32 << 10, Quiet: 500 * time.Millisecond}}
	want := int64(3000)
	if long {
		plan.Lines, plan.Updates, plan.Span, plan.Cut.Bytes, want = 12_600, 64, 1, 1<<20, 1_000_000
	}
	a.load(plan)
	a.await("all lines written", 20*time.Minute, func() bool { return a.status().Written })
	report := a.verdict()
	if report.Events < want {
		t.Errorf("%d events; %d were wanted", report.Events, want)
	}
	if report.Connections < 100 {
		t.Errorf("only %d connections: the readers hardly disconnected", report.Connections)
	}
}

// A reader that disconnects after every single event of a live build of 1,000
// events ends with exactly 1..1000.
func TestExactness_DisconnectAfterEveryEvent(t *testing.T) {
	t.Parallel()
	a := newArena(t, 3)
	const events = 1000
	checker, stats, build := NewChecker(), &Stats{}, uuid.NewString()
	c := newClient(checker, a.urls(), a.token, 20*time.Second, stats)
	a.must(c.create(t.Context(), a.rng, build, "judge/every-event"))
	r := newReader(checker, "every event", a.urls(), []string{build}, Cut{EveryEvent: true}, 1, stats)
	var reading sync.WaitGroup
	reading.Go(func() { r.run(t.Context()) })

	text, end := TextOf(build, "test"), int64(0)
	for n := int64(0); n < events-2; { // the last two are the step's and the build's end
		b := &batch{build: build}
		b.text(text, "test", end, text.Width())
		o := c.send(t.Context(), a.rng, b)
		if !o.acked {
			t.Fatalf("not acknowledged: %+v", o)
		}
		end += text.Width()
		_, n, _ = ParseID(o.last)
	}
	b := &batch{build: build}
	b.step("test", "passed", &end)
	b.finish("passed")
	if o := c.send(t.Context(), a.rng, b); !o.acked {
		t.Fatalf("not acknowledged: %+v", o)
	}
	reading.Wait()
	if last := r.views[build].Last(); last != events || !r.views[build].Ended() {
		t.Errorf("the reader ended at %d of %d", last, events)
	}
	if found, _ := checker.Findings(); len(found) > 0 {
		t.Errorf("findings: %v", found)
	}
	t.Logf("%d events over %d connections", stats.Seen.Load(), stats.Connections.Load())
	if stats.Seen.Load() != events || stats.Connections.Load() < events {
		t.Errorf("%d events were seen over %d connections", stats.Seen.Load(), stats.Connections.Load())
	}
}
