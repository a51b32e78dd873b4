package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/server"
)

// servePeople is who signs in, where, and what they get.
type servePeople struct {
	SignIn               bool          `help:"Readers have to sign in; who has not sees what is public. Set by --oidc-issuer too." env:"STEPCAST_SIGN_IN" group:"People"`
	OIDCIssuer           string        `name:"oidc-issuer" help:"The OpenID provider where people sign in. Send them back to <public-url>/sign-in/callback." env:"STEPCAST_OIDC_ISSUER" placeholder:"URL" group:"People"`
	OIDCClientID         string        `name:"oidc-client-id" help:"What the provider calls this server." env:"STEPCAST_OIDC_CLIENT_ID" placeholder:"ID" group:"People"`
	OIDCClientSecretFile string        `name:"oidc-client-secret-file" help:"Where the secret lies that the provider gave it. Default: the variable STEPCAST_OIDC_CLIENT_SECRET." env:"STEPCAST_OIDC_CLIENT_SECRET_FILE" placeholder:"FILE" type:"path" group:"People"`
	OIDCScopes           []string      `name:"oidc-scopes" help:"What to ask the provider for, besides openid. Default: profile,email." default:"profile,email" env:"STEPCAST_OIDC_SCOPES" placeholder:"SCOPE" group:"People"`
	OIDCGroupsClaim      string        `name:"oidc-groups-claim" help:"What the provider calls a person's groups. Default: groups." default:"groups" env:"STEPCAST_OIDC_GROUPS_CLAIM" placeholder:"CLAIM" group:"People"`
	OIDCName             string        `name:"oidc-name" help:"What people call the provider. Default: its host." env:"STEPCAST_OIDC_NAME" placeholder:"NAME" group:"People"`
	Grant                []string      `help:"What a group of people is given, status, read or admin, and for which projects; * stands for everybody who signs in. Once for each; in the variable, with semicolons between them." sep:";" env:"STEPCAST_GRANT" placeholder:"GROUP=ROLE:PATTERN" group:"People"`
	SessionLifetime      time.Duration `help:"How long somebody stays signed in. Default: 12h." default:"12h" env:"STEPCAST_SESSION_LIFETIME" placeholder:"TIME" group:"People"`
}

// The variable of the client's secret, which no flag can hold: command lines
// are seen by others.
const clientSecretVariable = "STEPCAST_OIDC_CLIENT_SECRET"

// Bounds of a session's lifetime.
const (
	leastLifetime = time.Minute
	mostLifetime  = 90 * 24 * time.Hour
)

// signInNeeded tells whether readers have to sign in.
func (c *servePeople) signInNeeded() bool { return c.SignIn || c.OIDCIssuer != "" }

// configure says in cfg who signs in, where, and what they get, and returns what
// the operator should know of it, a sentence or nothing.
func (c *servePeople) configure(cfg *server.Config, listen string) (note string, err error) {
	cfg.SignIn, cfg.SessionLifetime = c.signInNeeded(), c.SessionLifetime
	if c.SessionLifetime < leastLifetime || c.SessionLifetime > mostLifetime {
		return "", fmt.Errorf("--session-lifetime is between 1m and 2160h, not %s", c.SessionLifetime)
	}
	for _, text := range c.Grant {
		role, err := parseRole(text)
		if err != nil {
			return "", err
		}
		cfg.Roles = append(cfg.Roles, role)
	}
	if c.OIDCIssuer == "" {
		switch {
		case c.OIDCClientID != "" || c.OIDCClientSecretFile != "":
			return "", fmt.Errorf("--oidc-client-id is of a provider: name it with --oidc-issuer")
		case len(c.Grant) > 0:
			return "", fmt.Errorf("--grant is for people who sign in at a provider: name it with --oidc-issuer")
		}
		return "", nil
	}
	if err := server.CheckIssuer(c.OIDCIssuer); err != nil {
		return "", fmt.Errorf("--oidc-issuer: %w", err)
	}
	if c.OIDCClientID == "" {
		return "", fmt.Errorf("--oidc-issuer needs --oidc-client-id, which the provider shows where you register this server")
	}
	if cfg.PublicURL == "" && !onLoopback(listen) {
		return "", fmt.Errorf("the provider has to send people back to an address that it knows: set --public-url, such as https://ci.example.com")
	}
	secret, err := c.clientSecret()
	if err != nil {
		return "", err
	}
	cfg.OIDC = &server.OIDC{
		Issuer: c.OIDCIssuer, ClientID: c.OIDCClientID, ClientSecret: secret,
		Scopes: c.OIDCScopes, GroupsClaim: c.OIDCGroupsClaim, Name: c.OIDCName,
	}
	var notes []string
	if len(c.Grant) == 0 {
		notes = append(notes, "people who sign in are given nothing, since there is no --grant: they see what is public")
	}
	if secret == "" {
		notes = append(notes, "people sign in without a client's secret, which works where the provider knows this server as a public client (PKCE): else set --oidc-client-secret-file or "+clientSecretVariable)
	}
	return strings.Join(notes, "; "), nil
}

func (c *servePeople) clientSecret() (string, error) {
	if c.OIDCClientSecretFile == "" {
		return strings.TrimSpace(os.Getenv(clientSecretVariable)), nil
	}
	text, err := os.ReadFile(c.OIDCClientSecretFile)
	if err != nil {
		return "", fmt.Errorf("read the client's secret: %w", err)
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", fmt.Errorf("%s is empty; it is to hold the secret that the provider gave this server", c.OIDCClientSecretFile)
	}
	return secret, nil
}

// parseRole reads GROUP=ROLE:PATTERN. A group may have any character in it; what
// follows has neither of the two that part it.
func parseRole(text string) (role server.Role, err error) {
	wrong := func(what string) (server.Role, error) {
		return role, fmt.Errorf("--grant %q: %s, as in developers=read:acme/*", text, what)
	}
	i := strings.LastIndexByte(text, '=')
	if i <= 0 {
		return wrong("it takes a group, = and what it is given")
	}
	name, pattern, ok := strings.Cut(text[i+1:], ":")
	role = server.Role{Group: text[:i], Scope: ci.Scope(name), Project: pattern}
	switch {
	case !ok:
		return wrong("behind the = stand a role, a colon and a project or a pattern of projects")
	case !slices.Contains([]ci.Scope{ci.ScopeStatus, ci.ScopeRead, ci.ScopeAdmin}, role.Scope):
		return wrong("the role is status, read or admin")
	case ci.CheckPattern(pattern) != nil:
		return wrong("the colon is followed by a project, one with /* behind it, or *")
	}
	return role, nil
}
