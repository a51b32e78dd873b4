package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/stepcast/stepcast/internal/idtoken"
	"github.com/stepcast/stepcast/internal/server"
)

// serveRunners say which CI systems' jobs report without a token of their own.
type serveRunners struct {
	RunnerIssuer   []string      `help:"Whose jobs may report without a token, by the ID tokens that they get: github, gitlab, or the address of another GitLab or of GitHub Enterprise. May be given more than once." env:"STEPCAST_RUNNER_ISSUER" placeholder:"ISSUER" sep:"," group:"Runners"`
	RunnerAllow    []string      `help:"Which repositories, and where to. github:acme/*: each of acme to the project of its name, and below it; github:acme/api=backend/*: to others; with ;ref=refs/heads/main: if that claim of the ID token is so. May be given more than once." env:"STEPCAST_RUNNER_ALLOW" placeholder:"RULE" sep:"," group:"Runners"`
	RunnerAudience string        `help:"For whom the ID tokens have to be made. Default: --public-url." env:"STEPCAST_RUNNER_AUDIENCE" placeholder:"TEXT" group:"Runners"`
	RunnerLifetime time.Duration `help:"How long the tokens last that they get. Default: 6h." default:"6h" env:"STEPCAST_RUNNER_LIFETIME" placeholder:"TIME" group:"Runners"`
}

// configure says in cfg whose jobs report without a token.
func (c *serveRunners) configure(cfg *server.Config) (err error) {
	cfg.RunnerLifetime = c.RunnerLifetime
	cfg.Runners, err = c.verifier(cfg.PublicURL)
	return err
}

// verifier is what ID tokens are verified by; nil: none are taken.
func (c *serveRunners) verifier(publicURL string) (*idtoken.Verifier, error) {
	if len(c.RunnerIssuer) == 0 {
		if len(c.RunnerAllow) > 0 {
			return nil, errors.New("--runner-allow lets nobody in without --runner-issuer: name whose jobs they are, such as --runner-issuer github")
		}
		return nil, nil
	}
	if len(c.RunnerAllow) == 0 {
		return nil, errors.New("--runner-issuer lets nobody in without --runner-allow: name whose repositories may report, such as --runner-allow 'github:acme/*'")
	}
	audience := c.RunnerAudience
	if audience == "" {
		audience = publicURL
	}
	if audience == "" {
		return nil, errors.New("--runner-issuer needs to know for whom the ID tokens are made: give the server's address as --public-url, or a text of your own as --runner-audience")
	}
	if c.RunnerLifetime < time.Minute || c.RunnerLifetime > 7*24*time.Hour {
		return nil, fmt.Errorf("--runner-lifetime is between 1m and 168h, not %v", c.RunnerLifetime)
	}
	issuers := make([]idtoken.Issuer, len(c.RunnerIssuer))
	for i, text := range c.RunnerIssuer {
		var err error
		if issuers[i], err = idtoken.ParseIssuer(text); err != nil {
			return nil, fmt.Errorf("--runner-issuer: %w", err)
		}
	}
	rules := make([]idtoken.Rule, len(c.RunnerAllow))
	for i, text := range c.RunnerAllow {
		var err error
		if rules[i], err = idtoken.ParseRule(text, issuers); err != nil {
			return nil, fmt.Errorf("--runner-allow: %w", err)
		}
	}
	return idtoken.New(issuers, audience, rules), nil
}
