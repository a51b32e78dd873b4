// Command stepcast shows builds while they run: a server that keeps their logs
// in PostgreSQL and streams them, and the commands that report to it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/stepcast/stepcast/internal/embedded"
	"github.com/stepcast/stepcast/internal/spool"
)

// version is set when a release is built: -ldflags "-X main.version=1.2.3".
var version = "dev"

type cli struct {
	Run     runCmd     `cmd:"" group:"report" help:"Run a command and report its output and its end, live."`
	Build   buildCmd   `cmd:"" group:"report" help:"Start and finish a build of several steps."`
	Step    stepCmd    `cmd:"" group:"report" help:"Say where a step stands that runs elsewhere."`
	Flush   flushCmd   `cmd:"" group:"report" help:"Deliver what earlier runs on this machine left behind."`
	Tail    tailCmd    `cmd:"" group:"watch" help:"Follow a build in the terminal."`
	List    listCmd    `cmd:"" group:"watch" help:"List the newest builds."`
	Serve   serveCmd   `cmd:"" group:"serve" help:"Run the server."`
	Project projectCmd `cmd:"" group:"serve" help:"Say who may see which project."`
	Token   tokenCmd   `cmd:"" group:"serve" help:"Make, list and end tokens."`
	Link    linkCmd    `cmd:"" group:"serve" help:"Show one build to people outside."`
	Audit   auditCmd   `cmd:"" group:"serve" help:"Show who did what to tokens, links, projects and sessions."`
	Admin   adminCmd   `cmd:"" group:"serve" help:"What an operator needs rarely."`

	Completion completionCmd `cmd:"" group:"more" help:"Print a script that makes your shell complete command lines of stepcast."`

	Version kong.VersionFlag `help:"Print the version and exit."`
}

// stdio is where a command reads and writes.
type stdio struct {
	In  *os.File
	Out io.Writer
	Err io.Writer
}

// say shows one line to the user.
func (s stdio) say(line string) { fmt.Fprintf(s.Err, "stepcast: %s\n", line) }

// exitCode as an error ends the program with that code and says nothing more.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// Exit codes of our own. Those of a wrapped command go through as they are.
const (
	exitFailed  = 1   // it did not work
	exitUsage   = 2   // the command line is wrong
	exitRunSelf = 125 // `run` failed before it could start the command
)

func main() {
	// Providers, whom the server asks by this transport, have 10 s for an answer. A connection
	// over HTTP/2 that died without a word would else be used for each attempt.
	http.DefaultTransport.(*http.Transport).HTTP2 = &http.HTTP2Config{SendPingTimeout: 5 * time.Second, PingTimeout: 4 * time.Second}
	os.Exit(run(context.Background(), os.Args[1:], stdio{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

// run is the whole program. Each command is a struct with its flags and a
// method Run(context.Context, stdio) error. Ctrl-C and SIGTERM cancel the
// context, but not in `run`, where they are the wrapped command's business.
func run(ctx context.Context, args []string, std stdio) int {
	var c cli
	parser := newParser(&c, std)
	switch {
	case len(args) == 0: // help, but no success
		parser.Stdout = std.Err
		parser.Exit = func(int) {}
		_, _ = parser.Parse([]string{"--help"})
		return exitUsage
	case args[0] == "version":
		args = []string{"--version"}
	case args[0] == "help":
		args = append(args[1:len(args):len(args)], "--help")
	}
	kctx, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(std.Err, "stepcast: %s; see `%s --help`\n", wrong(err), wanted(err))
		if len(args) > 0 && args[0] == "run" {
			return exitRunSelf
		}
		return exitUsage
	}
	if kctx.Selected().Name != "run" {
		var stop context.CancelFunc
		ctx, stop = signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		defer stop()
	}
	kctx.BindTo(ctx, (*context.Context)(nil))

	err = kctx.Run(std)
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintf(std.Err, "stepcast: %v\n", err)
	return exitFailed
}

// newParser reads command lines into c.
func newParser(c *cli, std stdio) *kong.Kong {
	dataDir, err := embedded.DefaultDataDir()
	if err != nil {
		dataDir = "none, there is no home directory"
	}
	spoolDir, err := spool.DefaultRoot()
	if err != nil {
		spoolDir = "memory, there is no home directory"
	}
	parser := kong.Must(c,
		kong.Name("stepcast"),
		kong.Description(description),
		kong.Vars{
			"version":   fmt.Sprintf("stepcast %s (%s, %s/%s)", version, runtime.Version(), runtime.GOOS, runtime.GOARCH),
			"data_dir":  dataDir,
			"spool_dir": spoolDir,
		},
		kong.Writers(std.Out, std.Err),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ValueFormatter(withEnvironment),
		kong.Help(printHelp),
		kong.ExplicitGroups(helpGroups),
	)
	forgetEmpty(parser)
	return parser
}

// forgetEmpty makes a variable that is empty one that is not set, as Compose and
// CI systems leave those that they have no value for.
func forgetEmpty(parser *kong.Kong) {
	_ = kong.Visit(parser.Model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			flag.Tag.Envs = slices.DeleteFunc(slices.Clone(flag.Envs), func(name string) bool { return os.Getenv(name) == "" })
		}
		return next(nil)
	})
}

// meant are the flags that other programs have other names for, too far from ours to be
// guessed from their letters: where the server is, and where it serves.
var meant = map[string][]string{
	"server":   {"url"},
	"endpoint": {"url"},
	"host":     {"url", "listen"},
	"address":  {"url", "listen"},
	"addr":     {"url", "listen"},
	"bind":     {"listen"},
	"port":     {"listen"},
}

// wrong says what is wrong with a command line.
func wrong(err error) string {
	if strings.HasPrefix(err.Error(), `expected "<command> `) {
		return errNoCommand.Error()
	}
	var parse *kong.ParseError
	name, unknown := strings.CutPrefix(err.Error(), "unknown flag --")
	if unknown && errors.As(err, &parse) {
		for _, flag := range parse.Context.Flags() {
			if slices.Contains(meant[name], flag.Name) {
				return fmt.Sprintf("%v, did you mean \"--%s\"?", err, flag.Name)
			}
		}
	}
	return err.Error()
}

// wanted is the command that a wrong command line is one of, as far as it goes.
func wanted(err error) string {
	var parse *kong.ParseError
	if errors.As(err, &parse) && parse.Context.Selected() != nil {
		return parse.Context.Selected().FullPath()
	}
	return "stepcast"
}
