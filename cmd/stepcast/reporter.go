package main

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"os"
	"strings"

	"github.com/stepcast/stepcast/internal/cienv"
	"github.com/stepcast/stepcast/internal/runner"
	"github.com/stepcast/stepcast/internal/spool"
)

// reporterFlags are those of every command that reports.
type reporterFlags struct {
	serverFlags
	Audience string `help:"For whom a CI system's ID token is asked, where the job was given no token. Default: the server's address." env:"STEPCAST_AUDIENCE" placeholder:"TEXT" group:"Server"`
}

// reporter is client for commands that report. A job of a CI system that was
// given no token shows its ID token, and gets one; see runner.Exchange. Tokens
// are kept below spoolDir; project is that of the builds, where a flag says so.
func (f *reporterFlags) reporter(say func(string), project, spoolDir string) (*runner.Client, error) {
	c, err := f.client(say)
	if !errors.Is(err, errNoToken) {
		return c, err
	}
	system, _ := cienv.Detect(cienv.Process())
	ids, ok := cienv.FindIDTokens(cienv.Process())
	switch {
	case system.Run == "" || system.System != "github" && system.System != "gitlab":
		return c, err
	case !ok:
		return c, errNoIDToken
	}
	x := &runner.Exchange{Project: cmp.Or(project, os.Getenv("STEPCAST_PROJECT"), system.Project), Run: system.Run}
	if spoolDir = cmp.Or(spoolDir, os.Getenv("STEPCAST_SPOOL_DIR")); spoolDir == "" {
		spoolDir, _ = spool.DefaultRoot() // without one, memory has to do
	}
	if spoolDir != "" {
		x.Dir, _ = spool.Folder(spoolDir, "tokens")
	}
	x.IDToken = func(context.Context) (string, error) { return ids.Token, nil }
	if ids.Token == "" {
		x.IDToken = runner.GitHubIDToken(ids.URL, ids.Secret, cmp.Or(f.Audience, origin(c.URL)))
	}
	c.Exchange = x
	return c, nil
}

// origin is the form that an address has in --public-url.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Scheme + "://" + strings.ToLower(u.Host)
}
