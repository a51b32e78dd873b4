package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/embedded"
	"github.com/stepcast/stepcast/internal/feed"
	"github.com/stepcast/stepcast/internal/metrics"
	"github.com/stepcast/stepcast/internal/postgres"
	"github.com/stepcast/stepcast/internal/runner"
	"github.com/stepcast/stepcast/internal/server"
)

// serveCmd runs the server.
type serveCmd struct {
	Listen            string        `help:"The address to serve at. Default: 127.0.0.1:8080." default:"127.0.0.1:8080" env:"STEPCAST_LISTEN" placeholder:"HOST:PORT"`
	DatabaseURL       string        `help:"The PostgreSQL, 15 or newer, to keep everything in. Default: one that the server runs itself, in the data directory." env:"STEPCAST_DATABASE_URL" placeholder:"URL"`
	ListenDatabaseURL string        `help:"The database's own address, where --database-url leads to a pooler such as PgBouncer, which is then used for reading." env:"STEPCAST_LISTEN_DATABASE_URL" placeholder:"URL"`
	DataDir           string        `help:"Where the data, the server's address and its first token are kept. Default: ${data_dir}." env:"STEPCAST_DATA_DIR" placeholder:"DIR" type:"path"`
	LostAfter         time.Duration `help:"How long a running step may be silent, if its runner sends no heartbeats, before it counts as lost. Default: 1h." default:"1h" env:"STEPCAST_LOST_AFTER" placeholder:"TIME"`
	PublicURL         string        `help:"Where browsers reach the server, for addresses in badges, feeds and embeds. Default: the Host of each request, over HTTP." env:"STEPCAST_PUBLIC_URL" placeholder:"URL"`
	Committers        int           `hidden:"" help:"Commits under way at once; a build is always with the same one." default:"1" env:"STEPCAST_COMMITTERS"`
	Open              bool          `help:"Serve at an address that other machines reach too, without sign-in: whoever reaches it reads everything." env:"STEPCAST_OPEN"`

	servePeople  `embed:""`
	serveRunners `embed:""`
	serveTLS     `embed:""`
	serveLimits  `embed:""`
}

// Help is what --help says beyond the flags.
func (c *serveCmd) Help() string {
	return `Keeps builds in PostgreSQL and shows them at the address that it prints. The first start makes a token, which commands of the same user find by themselves. Ctrl-C stops it; what was reported stays, until the data directory is deleted.

  stepcast serve
  stepcast serve --listen 127.0.0.1:9000 --data-dir ./data
  stepcast serve --database-url postgres://ci@db.example/stepcast`
}

// How long a database that is starting may take.
const databaseWait = time.Minute

// Run serves until the context ends. What was started last is stopped first:
// the HTTP server, then the store, then PostgreSQL.
func (c *serveCmd) Run(ctx context.Context, std stdio) error {
	paceHeap()
	log := slog.New(slog.NewTextHandler(std.Err, nil))
	slog.SetDefault(log)
	if err := c.checkListen(); err != nil {
		return err
	}
	public, err := publicURL(c.PublicURL)
	if err != nil {
		return err
	}
	cfg := server.Config{Log: log, Open: c.Open, PublicURL: public}
	note, err := c.servePeople.configure(&cfg, c.Listen)
	if err != nil {
		return err
	}
	if err := c.serveRunners.configure(&cfg); err != nil {
		return err
	}
	database := postgres.Config{URL: c.DatabaseURL, DirectURL: c.ListenDatabaseURL, Committers: c.Committers, LostAfter: c.LostAfter, Log: log}
	if err := c.limit(&cfg, &database); err != nil {
		return err
	}
	dir, err := c.dataDir()
	if err != nil {
		return err
	}
	front, err := c.serveTLS.configure(ctx, &cfg, dir)
	if err != nil {
		return err
	}
	defer front.close()
	ln, err := listen(ctx, "--listen", c.Listen)
	if at := readLine(dir, addressName); err != nil && leadsTo(at, c.Listen) {
		return fmt.Errorf("%s is taken, it seems by the server that has its data in %s: use that one, or give this one a --listen and a --data-dir of its own", c.Listen, dir)
	}
	if err != nil {
		return err
	}
	defer ln.Close()

	operators, err := c.listenForOperators(ctx)
	if err != nil {
		return err
	}
	if operators != nil {
		defer operators.Close()
	}

	// Each layer's context outlives the layer above it.
	layers, down := context.WithCancelCause(context.WithoutCancel(ctx))
	defer down(nil)
	if c.DatabaseURL == "" {
		pg, err := embedded.Start(ctx, embedded.Config{DataDir: dir, Log: log})
		if at := readLine(dir, addressName); at != "" && errors.Is(err, embedded.ErrLocked) {
			return fmt.Errorf("the server at %s has its data in %s: use that one, or give this one a --data-dir of its own", at, dir)
		}
		if err != nil {
			return err
		}
		database.URL, database.DiskFree = pg.URL(), pg.DiskFree
		pgCtx, pgDown := context.WithCancel(context.WithoutCancel(ctx))
		pgDone := make(chan error, 1)
		go func() { pgDone <- pg.Run(pgCtx) }()
		defer func() {
			pgDown()
			if err := <-pgDone; err != nil {
				log.Error("PostgreSQL did not stop cleanly", "err", err)
			}
		}()
	}
	store, err := openStore(ctx, database, databaseWait)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := firstToken(ctx, store, dir); err != nil {
		return err
	}

	tails := feed.New(store, feed.Options{Log: log})
	m := metrics.New()
	cfg.Store, cfg.Tails, cfg.Observe = store, tails, m.Observe
	srv := server.New(cfg)
	m.Read(metrics.Sources{Version: version, Server: srv.Stats, Store: store.Stats})
	address := front.address(ln.Addr())
	forget, err := leaveAddress(dir, address, c.TLSCert)
	if err != nil {
		return err
	}
	defer forget()
	held := hold(ln, dir)
	defer held.Close()
	greet(std.Err, cmp.Or(public, address), dir, c.DatabaseURL == "")
	if note != "" {
		log.Warn(note)
	}
	defer context.AfterFunc(ctx, func() { log.Info("stopping; whoever watches is sent away within some seconds") })()

	var group errgroup.Group
	group.Go(func() error { return store.Run(layers, tails) })
	group.Go(func() error { return ignoreCanceled(tails.Run(layers)) })
	if operators != nil {
		group.Go(func() error { return c.serveOperators(layers, operators, m) })
	}
	group.Go(func() error {
		defer down(nil)
		return srv.Serve(ctx, held)
	})
	group.Go(func() error { return front.run(layers, ln.Addr()) })
	group.Go(func() error { srv.CheckProvider(ctx); return nil })
	return group.Wait()
}

func ignoreCanceled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// checkListen keeps a server that lets everybody read on loopback, unless told
// otherwise.
func (c *serveCmd) checkListen() error {
	if err := checkAddress("--listen", c.Listen); err != nil {
		return err
	}
	switch {
	case c.Open && c.signInNeeded():
		return errors.New("--open lets everybody read who reaches the server, and with sign-in nobody does who has not: leave one of the two out")
	case c.Open || c.signInNeeded() || onLoopback(c.Listen):
		return nil
	}
	return fmt.Errorf("everybody who reaches %s could read every build: listen on a loopback address such as 127.0.0.1:8080, let people sign in with --sign-in or --oidc-issuer, or add --open if that is what you want", c.Listen)
}

// publicURL reads the address of the server: a scheme, a host and maybe a port.
// It is compared with others, so it has one form.
func publicURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(u.Host, `"'<>&`) || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("--public-url wants the address of the server without a path, such as https://ci.example.com, not %q", text)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func (c *serveCmd) dataDir() (string, error) {
	dir := c.DataDir
	if dir == "" {
		var err error
		if dir, err = embedded.DefaultDataDir(); err != nil {
			return "", fmt.Errorf("%w: choose a data directory with --data-dir", err)
		}
	}
	// The folder may be entered: PostgreSQL runs as another user when the
	// server is root. What is secret in it is closed by itself.
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("make the data directory: %w", err)
	}
	return filepath.Abs(dir)
}

// listen takes the address of a flag.
func listen(ctx context.Context, flag, address string) (net.Listener, error) {
	// Finds a peer that vanished within half a minute, also where the server
	// has nothing to say: an upload, or a log that is followed.
	alive := net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}
	ln, err := (&net.ListenConfig{KeepAliveConfig: alive}).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is taken by another program; choose another address with %s", address, flag)
	case err != nil:
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return ln, nil
}

// leadsTo tells whether the address that a server left is this one to listen at.
func leadsTo(left, listen string) bool {
	scheme, _, _ := strings.Cut(left, "://")
	return sameServer(left, scheme+"://"+listen)
}

// openStore migrates and opens the database, which may still be starting: that
// it waits for so long. A migration takes the time that it takes, for one that
// was broken off would begin anew at each start.
func openStore(ctx context.Context, cfg postgres.Config, wait time.Duration) (*postgres.Store, error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	direct := cmp.Or(cfg.DirectURL, cfg.URL)
	for said := false; ; said = true {
		var store *postgres.Store
		err := postgres.Migrate(ctx, direct, cfg.Log)
		if err == nil {
			if store, err = postgres.Open(ctx, cfg); err == nil {
				return store, nil
			}
		}
		if !postgres.IsAway(err) || waiting.Err() != nil {
			return nil, wrongAddress(err, cfg.DirectURL)
		}
		if !said {
			cfg.Log.Info("waiting for the database", "err", err)
		}
		timer := time.NewTimer(250 * time.Millisecond)
		select {
		case <-timer.C:
		case <-waiting.Done():
			timer.Stop()
			return nil, err
		}
	}
}

// wrongAddress says of which flag it is the fault that a pooler was found, or another database,
// where direct is that of --listen-database-url.
func wrongAddress(err error, direct string) error {
	switch {
	case errors.Is(err, postgres.ErrOtherDatabase):
		return errors.New("--database-url and --listen-database-url lead to two databases: name one, through the pooler and past it")
	case !errors.Is(err, postgres.ErrPooler):
		return err
	case direct == "":
		return errors.New("--database-url leads to a connection pooler: name the address of PostgreSQL itself too, with --listen-database-url, for what a pooler cannot do")
	}
	return errors.New("--listen-database-url leads to a connection pooler: it has to lead to PostgreSQL itself")
}

// firstToken makes a token with all scopes at the first start and keeps it
// where the commands of the same user find it. At a later start it makes sure
// that the database, which may be another one, knows it.
func firstToken(ctx context.Context, store *postgres.Store, dir string) error {
	path := filepath.Join(dir, "token")
	text, err := os.ReadFile(path)
	token := strings.TrimSpace(string(text))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		token = ci.NewToken()
		if err := writeFile(path, token+"\n", 0o600); err != nil {
			return fmt.Errorf("keep the first token: %w", err)
		}
	case err != nil:
		return fmt.Errorf("read the first token: %w", err)
	}
	sum, err := ci.ParseToken(token)
	if err != nil {
		return fmt.Errorf("%s holds no token (%w); delete the file to get a new one", path, err)
	}
	all := []ci.Scope{ci.ScopeReport, ci.ScopeRead, ci.ScopeStatus, ci.ScopeAdmin}
	_, err = store.AddToken(ctx, postgres.Itself, sum, postgres.Token{Name: "first token", Scopes: all, Project: "*"})
	return err
}

// addressName is the file in which a server leaves its address.
const addressName = "address"

// certificateName is the file, beside the address, that says where the server's
// certificate lies if it has one of its own: not the certificate, which is renewed.
const certificateName = "certificate"

// leaveAddress lets the other commands of this user find the server, and trust
// its certificate, until forget.
func leaveAddress(dir, address, certificate string) (forget func(), err error) {
	path, beside := filepath.Join(dir, addressName), filepath.Join(dir, certificateName)
	_ = os.Remove(filepath.Join(dir, formerCertificate))
	if certificate == "" {
		_ = os.Remove(beside)
	} else if err := writeFile(beside, certificate+"\n", 0o644); err != nil {
		return nil, fmt.Errorf("leave the certificate for the other commands: %w", err)
	}
	if err := writeFile(path, address+"\n", 0o644); err != nil {
		return nil, fmt.Errorf("leave the address for the other commands: %w", err)
	}
	return func() {
		if text, err := os.ReadFile(path); err == nil && strings.TrimSpace(string(text)) == address {
			now := time.Now()
			_ = os.Chtimes(path, now, now) // see restarting
			_ = os.Rename(path, filepath.Join(dir, formerAddress))
			_ = os.Rename(beside, filepath.Join(dir, formerCertificate))
		}
	}, nil
}

// formerAddress has the address of a server that has stopped: what is reported to
// it meanwhile is kept, and needs the token then.
const formerAddress = "former-address"

// formerCertificate is certificateName of a server that has stopped: a run that begins while
// it restarts trusts it when it is back.
const formerCertificate = "former-certificate"

// writeFile writes a whole file or none of it.
func writeFile(path, text string, mode fs.FileMode) error {
	temp := path + "." + rand.Text()[:8]
	if err := os.WriteFile(temp, []byte(text), mode); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		_ = os.Remove(temp)
		return err
	}
	return nil
}

// greet says once what a person needs next.
func greet(w io.Writer, address, dir string, own bool) {
	kept := "in the database that you named"
	if own {
		kept = dir + " (PostgreSQL runs in there)"
	}
	fmt.Fprintf(w, `
  Stepcast is up.

    Watch builds       %s
    In your project    %s
    Data               %s
    Token              %s

`, address, reportCommand(dir), kept, filepath.Join(dir, "token"))
}

// reportCommand is a command line that works in another terminal as it stands:
// it names the program where PATH does not lead to it, and the data directory
// where it is not the one that the commands look into by themselves.
func reportCommand(dir string) string {
	args := []string{program(), "run"}
	if usual, err := embedded.DefaultDataDir(); err != nil || usual != dir {
		args = append(args, "--data-dir", dir)
	}
	return runner.CommandLine(append(args, "--", "make", "test"))
}

// program is what a shell has to be told to run this program.
func program() string {
	self, err := os.Executable()
	if err != nil {
		return "stepcast"
	}
	if found, err := exec.LookPath("stepcast"); err == nil && sameFile(found, self) {
		return "stepcast"
	}
	return self
}

func sameFile(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
