package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/embedded"
	"github.com/stepcast/stepcast/internal/runner"
	"github.com/stepcast/stepcast/internal/spool"
)

// serverFlags are those of every command that talks to a server.
type serverFlags struct {
	URL     string `name:"url" help:"Its address, such as http://127.0.0.1:8080. Default: that of the server on this machine." env:"STEPCAST_URL" placeholder:"URL" group:"Server"`
	Token   string `help:"The token to send. Default: the first one of the server on this machine, if it is sent there." env:"STEPCAST_TOKEN" placeholder:"TOKEN" group:"Server"`
	CAFile  string `name:"ca-file" help:"Authorities that may have signed its certificate, as PEM, besides those that this machine knows." env:"STEPCAST_CA_FILE" placeholder:"FILE" type:"path" group:"Server"`
	DataDir string `help:"Where the server on this machine keeps its address and its first token. Default: ${data_dir}." env:"STEPCAST_DATA_DIR" placeholder:"DIR" type:"path" group:"Server"`
}

var (
	errNoToken = errors.New("no token was found: give one with --token or STEPCAST_TOKEN")

	errNoIDToken = errors.New("no token was found: give one in STEPCAST_TOKEN, or let the job get an ID token (GitHub: permissions, id-token: write; GitLab: id_tokens, STEPCAST_ID_TOKEN)")
)

// client finds the server and the token: from the flags, the environment, or
// the data directory of a server on this machine. That server's token goes to
// the address that it left there, while it runs, and to no other: what listens
// elsewhere on this machine, or later, may be anybody's. Its certificate is
// trusted there alone, too. The client is good for reading when the error is
// errNoToken.
func (f *serverFlags) client(say func(string)) (*runner.Client, error) {
	dir := f.dataDir()
	local := readLine(dir, addressName)
	if local != "" && !strings.Contains(local, "://") {
		local = "http://" + local
	}
	// A line end comes along with what is read from a file of Windows.
	server, token := cmp.Or(strings.TrimSpace(f.URL), local), strings.TrimSpace(f.Token)
	if server == "" {
		return nil, noServer(dir)
	}
	own := cmp.Or(local, readLine(dir, formerAddress))
	left := sameServer(server, own)
	borrowed := token == "" && left
	if borrowed {
		token = readLine(dir, "token")
	}
	c, err := runner.NewClient(server, token)
	if err != nil {
		return nil, err
	}
	if borrowed && strings.HasPrefix(server, "http://") { // else its certificate tells who it is
		c.Distrust(listener(own), func() error { return served(dir, server) })
	}
	c.Say = say
	switch certificate := cmp.Or(readLine(dir, certificateName), readLine(dir, formerCertificate)); {
	case f.CAFile != "":
		if err := c.TrustFile(f.CAFile); err != nil {
			return nil, err
		}
	case left && certificate != "":
		_ = c.TrustFile(certificate) // without it, the connection says what is wrong
	}
	switch {
	case token != "":
		return c, nil
	case own != "" && !left:
		return c, fmt.Errorf("%w; the one in %s goes to %s alone", errNoToken, dir, own)
	}
	return c, errNoToken
}

// dataDir is where a server of this machine is looked for; "": nowhere.
func (f *serverFlags) dataDir() string {
	if f.DataDir != "" {
		return f.DataDir
	}
	dir, _ := embedded.DefaultDataDir()
	return dir
}

// restartTime is for how long a server that was stopped may be about to start again, and
// restartDrain is --drain-timeout then, at most.
const (
	restartTime  = time.Minute
	restartDrain = 5 * time.Second
)

// restarting is the address of the server that has its data in a directory, if it stopped
// just now.
func restarting(dir string) string {
	left, err := os.Stat(filepath.Join(dir, formerAddress))
	if dir == "" || err != nil || time.Since(left.ModTime()).Abs() > restartTime || readLine(dir, addressName) != "" {
		return ""
	}
	return readLine(dir, formerAddress)
}

// noServer says that none was found, and where one was looked for: as root, or
// with STEPCAST_DATA_DIR, that is another place than where the server may run.
func noServer(dir string) error {
	switch {
	case dir == "":
		return errors.New("no server was found: name one with --url or STEPCAST_URL, or say where its data is with --data-dir")
	case readLine(dir, formerAddress) != "":
		return fmt.Errorf("the server that has its data in %s has stopped: start it again with `stepcast serve`, or name another with --url or STEPCAST_URL", dir)
	}
	return fmt.Errorf("no server was found in %s: start one with `stepcast serve`, name one with --url or STEPCAST_URL, or say where its data is with --data-dir", dir)
}

// reader is client for commands that only read.
func (f *serverFlags) reader(say func(string)) (*runner.Client, error) {
	c, err := f.client(say)
	if errors.Is(err, errNoToken) {
		err = nil
	}
	return c, err
}

func readLine(dir, name string) string {
	if dir == "" {
		return ""
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return line
}

// sameServer tells whether two addresses lead to one server: spoken to in the same
// way, at the same port of the same host, for which this machine has several names.
func sameServer(a, b string) bool {
	x, y := reached(a), reached(b)
	return x != place{} && x == y
}

// listener is where the server listens that left an address, as HOST:PORT: at
// another address of this machine, by which the same place is called, another may.
// It is "" where that server is everywhere.
func listener(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || ip.IsUnspecified() {
		return ""
	}
	return net.JoinHostPort(u.Hostname(), reached(address).port)
}

// place is where an address leads, and how what is there is spoken to.
type place struct{ scheme, host, port string }

func reached(server string) place {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" {
		return place{}
	}
	p := place{u.Scheme, strings.ToLower(u.Hostname()), u.Port()}
	switch p.host {
	case "127.0.0.1", "::1", "0.0.0.0", "::": // the last two are what a server listens at that is everywhere
		p.host = "localhost"
	}
	if p.port == "" {
		p.port = map[string]string{"http": "80", "https": "443"}[p.scheme]
	}
	return p
}

// spoolFlags say where a run keeps what the server does not have yet.
type spoolFlags struct {
	SpoolDir    string        `help:"Where it is kept. Default: ${spool_dir}." env:"STEPCAST_SPOOL_DIR" placeholder:"DIR" type:"path" group:"Spool"`
	SpoolAge    time.Duration `help:"How long a report that an earlier run left behind is tried before it is given up. Default: 24h." default:"24h" env:"STEPCAST_SPOOL_AGE" placeholder:"TIME" group:"Spool"`
	SpoolBudget string        `help:"How much of it all runs of this machine may keep. Default: 1GiB." env:"STEPCAST_SPOOL_BUDGET" placeholder:"SIZE" group:"Spool"`
}

// spool settles where spools lie and how large they may be. Without any place,
// root is empty.
func (f *spoolFlags) spool() (root string, opt spool.Options, err error) {
	root = f.SpoolDir
	if root == "" {
		root, _ = spool.DefaultRoot() // without one, memory has to do
	}
	opt.MaxAge = f.SpoolAge
	if f.SpoolBudget != "" {
		if opt.Budget, err = parseSize(f.SpoolBudget); err != nil {
			return root, opt, fmt.Errorf("--spool-budget or STEPCAST_SPOOL_BUDGET: %w", err)
		}
		if opt.Budget < leastBudget {
			return root, opt, fmt.Errorf("--spool-budget or STEPCAST_SPOOL_BUDGET: %s is too little: 4MiB is the least", f.SpoolBudget)
		}
	}
	return root, opt, nil
}

// leftovers are what earlier runs left where this one's spools lie, for the
// client that the caller gives them.
func (f *spoolFlags) leftovers(std stdio) (*runner.Leftovers, error) {
	root, opt, err := f.spool()
	if err != nil {
		return nil, err
	}
	return runner.NewLeftovers(nil, root, opt, std.say), nil
}

// parseSize reads a number of bytes, such as 512MiB, 1GiB or 1000000.
func parseSize(s string) (int64, error) {
	number, unit := s, int64(1)
	for _, u := range []struct {
		name  string
		bytes int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"k", 1 << 10}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"T", 1 << 40}} {
		if rest, ok := strings.CutSuffix(s, u.name); ok {
			number, unit = rest, u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 1 || n > 1<<62/unit {
		return 0, fmt.Errorf("a size is a number of bytes such as 512MiB or 1GiB, not %q", s)
	}
	return n * unit, nil
}

const leastBudget = 4 << 20

// describeFlags say what a build is of. What they leave empty comes from git.
type describeFlags struct {
	Project string `help:"The project, such as acme/api. Default: as the git remote is called, else the directory." env:"STEPCAST_PROJECT" placeholder:"NAME" group:"Build"`
	Branch  string `help:"The branch. Default: the one that is checked out." placeholder:"NAME" group:"Build"`
	Commit  string `help:"The commit. Default: the one that is checked out." placeholder:"HASH" group:"Build"`
	Title   string `help:"What people read first. Default: the commit's first line." placeholder:"TEXT" group:"Build"`
	Author  string `help:"Who made the change. Default: the commit's author." placeholder:"NAME" group:"Build"`
	Link    string `help:"Where the build came from: an http(s) address." placeholder:"URL" group:"Build"`
	Trigger string `help:"What set the build off, such as push or schedule." placeholder:"TEXT" group:"Build"`
}

func (f *describeFlags) check() error {
	if f.Link != "" {
		u, err := url.Parse(f.Link)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return fmt.Errorf("--link is an address that begins with http:// or https://, not %q", f.Link)
		}
	}
	if f.Project == "" {
		return nil
	}
	return sentence(ci.CheckProject(f.Project))
}

func (f *describeFlags) details() runner.Details {
	return runner.Details{Branch: f.Branch, Commit: f.Commit, Title: f.Title, Author: f.Author, URL: f.Link, Trigger: f.Trigger}
}

func describe(ctx context.Context) (string, runner.Details) { return runner.Describe(ctx, ".") }

// parseBuild reads a build's id, which may also be the address of its page.
func parseBuild(s string) (ci.BuildID, error) {
	if u, err := url.Parse(s); err == nil && u.Scheme != "" {
		_, rest, _ := strings.Cut(u.Path, "/builds/")
		s, _, _ = strings.Cut(rest, "/")
	}
	id, err := ci.ParseBuildID(s)
	return id, sentence(err)
}

// namedBuild finds the build that a person named: by its id, the address of its
// page, or as the pages call it, acme/api#12; #12 or 12 alone is one of project,
// or of the one that the current directory belongs to. What is wrong with the name
// ends the command.
func namedBuild(ctx context.Context, std stdio, client *runner.Client, name, project string) (ci.BuildID, error) {
	id, err := parseBuild(name)
	if err == nil {
		return id, nil
	}
	of, number, ok := numbered(name)
	if !ok || of != "" && ci.CheckProject(of) != nil {
		return id, usage(std, exitUsage, fmt.Errorf("a build is named by its id, by the address of its page, or by its project and number, such as acme/api#12, not %q", name))
	}
	if of = cmp.Or(of, project); of == "" {
		of, _ = describe(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, adminWait)
	defer cancel()
	b, err := client.NumberedBuild(ctx, of, number)
	switch {
	case errors.Is(err, runner.ErrNoBuild):
		return id, usage(std, exitUsage, fmt.Errorf("%s has no build %s#%d, or it is not for you to see; `stepcast list` shows which there are", client.URL, of, number))
	case err != nil:
		return id, fmt.Errorf("find the build %s#%d: %w", of, number, unanswered(client, err))
	}
	return b.ID, nil
}

// numbered reads what the pages call a build: acme/api #12. The project may be
// left out, and then the sign before the number, which means a comment to shells.
func numbered(name string) (project string, number int64, ok bool) {
	project, digits, found := strings.Cut(name, "#")
	if !found {
		project, digits = "", name
	}
	number, err := strconv.ParseInt(digits, 10, 64)
	return strings.TrimSpace(project), number, err == nil && number > 0
}

// sentence shows a problem to a person: without its code.
func sentence(err error) error {
	if p := ci.AsProblem(err); p != nil {
		return errors.New(p.Detail)
	}
	return err
}

// badKey says why a step cannot have a key, of which people often think as of
// its name.
func badKey(err error) error {
	return errors.New(sentence(err).Error() + " People read --name, which may be any text.")
}

// usage prints what is wrong with the command line and returns the exit code
// for it.
func usage(std stdio, code exitCode, err error) error {
	fmt.Fprintf(std.Err, "stepcast: %v\n", err)
	return code
}

// unanswered adds to an error that is no answer which server gave none.
func unanswered(c *runner.Client, err error) error {
	if runner.Passing(err) {
		return fmt.Errorf("%s is away: %w", c.URL, err)
	}
	return err
}
