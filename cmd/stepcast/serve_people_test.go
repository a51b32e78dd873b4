package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/server"
)

func TestParseRole(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]server.Role{
		"developers=read:acme/*":                {Group: "developers", Scope: ci.ScopeRead, Project: "acme/*"},
		"*=status:*":                            {Group: "*", Scope: ci.ScopeStatus, Project: "*"},
		"release managers=admin:acme/api":       {Group: "release managers", Scope: ci.ScopeAdmin, Project: "acme/api"},
		"cn=dev,ou=a:b,dc=example=read:acme/x":  {Group: "cn=dev,ou=a:b,dc=example", Scope: ci.ScopeRead, Project: "acme/x"},
		"/acme/platform=read:acme/platform/web": {Group: "/acme/platform", Scope: ci.ScopeRead, Project: "acme/platform/web"},
	} {
		if got, err := parseRole(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, says := range map[string]string{
		"developers": "a group, = and what it is given", "=read:acme/*": "a group, = and what it is given",
		"developers=read": "behind the = stand", "developers=report:acme/*": "the role is", "developers=:acme/*": "the role is",
		"developers=read:": "followed by a project", "developers=read:acme*": "followed by a project", "developers=read:*/api": "followed by a project",
	} {
		if got, err := parseRole(text); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestServePeople(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	secret, empty := filepath.Join(dir, "secret"), filepath.Join(dir, "empty")
	for path, text := range map[string]string{secret: "s3cret\n", empty: "\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const loopback, anywhere, public = "127.0.0.1:8080", "0.0.0.0:8080", "https://ci.example"
	ask := servePeople{OIDCIssuer: "https://id.example", OIDCClientID: "stepcast", OIDCClientSecretFile: secret, Grant: []string{"a=read:b"}}
	with := func(change func(*servePeople)) servePeople {
		c := ask
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		flags          servePeople
		public, listen string
		says           string // of the error, or the note
		ok             bool
	}{
		"nothing":                {servePeople{}, "", loopback, "", true},
		"a token is enough":      {servePeople{SignIn: true}, "", anywhere, "", true},
		"a provider":             {ask, public, anywhere, "", true},
		"one, on this machine":   {with(func(c *servePeople) { c.OIDCIssuer = "http://localhost:8081/realms/x" }), "", loopback, "", true},
		"no address of its own":  {ask, "", anywhere, "set --public-url", false},
		"no groups":              {with(func(c *servePeople) { c.Grant = nil }), public, anywhere, "there is no --grant", true},
		"no secret":              {with(func(c *servePeople) { c.OIDCClientSecretFile = "" }), public, anywhere, "public client (PKCE)", true},
		"no client":              {with(func(c *servePeople) { c.OIDCClientID = "" }), public, anywhere, "needs --oidc-client-id", false},
		"no issuer":              {with(func(c *servePeople) { c.OIDCIssuer = "" }), public, anywhere, "name it with --oidc-issuer", false},
		"grants of no provider":  {servePeople{Grant: []string{"a=read:b"}}, public, anywhere, "name it with --oidc-issuer", false},
		"an issuer in the clear": {with(func(c *servePeople) { c.OIDCIssuer = "http://id.example" }), public, anywhere, "https://", false},
		"an issuer is no name":   {with(func(c *servePeople) { c.OIDCIssuer = "id.example" }), public, anywhere, "https://", false},
		"a grant of nothing":     {with(func(c *servePeople) { c.Grant = []string{"a"} }), public, anywhere, "--grant", false},
		"no secret in the file":  {with(func(c *servePeople) { c.OIDCClientSecretFile = empty }), public, anywhere, "is empty", false},
		"no file":                {with(func(c *servePeople) { c.OIDCClientSecretFile = dir + "/none" }), public, anywhere, "read the client's secret", false},
		"sessions of a second":   {with(func(c *servePeople) { c.SessionLifetime = time.Second }), public, anywhere, "--session-lifetime", false},
	} {
		if c.flags.SessionLifetime == 0 {
			c.flags.SessionLifetime = 12 * time.Hour
		}
		cfg := server.Config{PublicURL: c.public}
		note, err := c.flags.configure(&cfg, c.listen)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err != nil {
			note = err.Error()
		}
		if c.says == "" && note != "" || !strings.Contains(note, c.says) {
			t.Errorf("%s: it says %q", name, note)
		}
		if c.ok && cfg.SignIn != (c.flags.SignIn || c.flags.OIDCIssuer != "") {
			t.Errorf("%s: readers sign in: %v", name, cfg.SignIn)
		}
	}
	cfg := server.Config{PublicURL: public}
	if _, err := (&servePeople{
		OIDCIssuer: "https://id.example/", OIDCClientID: "c", OIDCClientSecretFile: secret, OIDCScopes: []string{"groups"}, OIDCGroupsClaim: "teams", OIDCName: "Acme",
		Grant: []string{"a=read:b", "*=status:c/*"}, SessionLifetime: time.Hour,
	}).configure(&cfg, anywhere); err != nil {
		t.Fatal(err)
	}
	want := server.Config{
		PublicURL: public, SignIn: true, SessionLifetime: time.Hour,
		OIDC:  &server.OIDC{Issuer: "https://id.example/", ClientID: "c", ClientSecret: "s3cret", Scopes: []string{"groups"}, GroupsClaim: "teams", Name: "Acme"},
		Roles: []server.Role{{Group: "a", Scope: ci.ScopeRead, Project: "b"}, {Group: server.Everybody, Scope: ci.ScopeStatus, Project: "c/*"}},
	}
	if diff := cmp.Diff(want, cfg); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCheckListen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		listen string
		open   bool
		people servePeople
		says   string // "": it may
	}{
		{"127.0.0.1:8080", false, servePeople{}, ""},
		{"localhost:0", false, servePeople{}, ""},
		{"[::1]:8080", false, servePeople{}, ""},
		{"0.0.0.0:8080", false, servePeople{}, "--sign-in"},
		{":8080", false, servePeople{}, "could read every build"},
		{"192.0.2.1:8080", true, servePeople{}, ""},
		{"192.0.2.1:8080", false, servePeople{SignIn: true}, ""},
		{"192.0.2.1:8080", false, servePeople{OIDCIssuer: "https://id.example"}, ""},
		{"192.0.2.1:8080", true, servePeople{SignIn: true}, "leave one of the two out"},
		{"127.0.0.1:8080", true, servePeople{OIDCIssuer: "https://id.example"}, "leave one of the two out"},
		{"8080", false, servePeople{SignIn: true}, "HOST:PORT"},
	} {
		err := (&serveCmd{Listen: c.listen, Open: c.open, servePeople: c.people}).checkListen()
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
