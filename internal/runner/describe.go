package runner

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// gitTimeout bounds the look at the working copy, which is only a courtesy.
const gitTimeout = 5 * time.Second

// Describe finds out what is built in a directory: the project's name, from
// the address that git fetches from, else from the directory's name; and the
// branch and commit that are checked out. It changes nothing there.
func Describe(ctx context.Context, dir string) (project string, d Details) {
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	top := git(ctx, dir, "rev-parse", "--show-toplevel")
	if top == "" {
		if abs, err := filepath.Abs(dir); err == nil {
			dir = abs
		}
		return projectName(filepath.Base(dir)), Details{}
	}
	remote := git(ctx, dir, "config", "--get", "remote.origin.url")        // first: it names the build
	d.Branch = git(ctx, dir, "symbolic-ref", "--quiet", "--short", "HEAD") // none when a commit is checked out
	if fields := strings.SplitN(git(ctx, dir, "log", "-1", "--no-show-signature", "--no-use-mailmap", "--format=%H%x00%an%x00%s"), "\x00", 3); len(fields) == 3 {
		d.Commit, d.Author, d.Title = fields[0], fields[1], fields[2]
	}
	project = remoteProject(remote)
	if project == "" {
		project = projectName(filepath.Base(top))
	}
	return project, d
}

// workingDir is where we are; empty if that cannot be told.
func workingDir() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	return dir
}

// Or fills what is empty in d from e.
func (d Details) Or(e Details) Details {
	from := e.texts()
	for i, have := range d.texts() {
		if *have == "" {
			*have = *from[i]
		}
	}
	return d
}

// git asks git. The configuration of a repository that came from elsewhere may
// say where a commit that is missing is fetched from, and by which program: so
// nothing is fetched, by no protocol.
func git(ctx context.Context, dir string, args ...string) string {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	ownGroup(cmd)               // Ctrl-C is for the command
	cmd.WaitDelay = time.Second // what git is here may leave somebody behind who holds its output
	cmd.Env = append(os.Environ(), "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "GIT_PAGER=cat", "GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none")
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return string(bytes.TrimRight(out, "\r\n"))
}

// remoteProject makes acme/api of git@example.com:acme/api.git and of
// https://example.com/acme/api. Of a path on this machine it takes the last
// element; "" when there is nothing to take.
func remoteProject(remote string) string {
	path := strings.TrimSuffix(strings.TrimRight(remote, "/"), ".git")
	switch scheme, rest, found := strings.Cut(path, "://"); {
	case found && scheme == "file":
		path = filepath.Base(rest)
	case found:
		_, path, _ = strings.Cut(rest, "/")
		// A token may stand behind it.
		if i := strings.IndexAny(path, "?#"); i >= 0 && strings.HasPrefix(strings.ToLower(scheme), "http") {
			path = strings.TrimSuffix(strings.TrimRight(path[:i], "/"), ".git")
		}
	default:
		host, rest, scp := strings.Cut(path, ":")
		switch {
		case scp && len(host) > 1 && !strings.Contains(host, "/"):
			path = rest
		case path != "":
			path = filepath.Base(path)
		}
	}
	switch path {
	case "", ".", "..", string(filepath.Separator):
		return ""
	}
	return projectName(path)
}

// projectName is a project's name in any case.
func projectName(s string) string {
	return cmp.Or(ci.ProjectName(s), "unnamed")
}

// StepName makes a step key of a command's name: make of /usr/bin/make.
func StepName(command string) ci.StepKey {
	return cmp.Or(ci.StepKeyOf(strings.TrimSuffix(filepath.Base(command), ".exe")), "run")
}

// CommandLine shows a command as a person would type it.
func CommandLine(args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = arg
		if arg == "" || strings.ContainsAny(arg, " \t\n\"'\\$`&|;<>()*?[]#~!{}") {
			words[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}
