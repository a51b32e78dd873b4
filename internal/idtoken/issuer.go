package idtoken

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// A system is what an issuer's tokens speak of.
type system string

const (
	github system = "github"
	gitlab system = "gitlab"
)

// Issuer is somebody whose ID tokens are taken.
type Issuer struct {
	URL    string // what it calls itself, in the tokens too
	system system
	server string // the address of the system whose jobs they are, as jobs know it
	short  string // what it is called in rules besides its URL
}

// ParseIssuer reads an issuer: `github` and `gitlab` are the public ones, else
// it is an address. One of the forms in which GitHub Enterprise calls itself,
//
//	https://ghes.example/_services/token         GitHub Enterprise Server
//	https://token.actions.acme.ghe.com           GitHub Enterprise Cloud
//	https://token.actions.githubusercontent.com/acme
//
// is a GitHub's, any other a GitLab's, which calls itself by its own address.
// One that does not, as a GitLab that others cannot reach, is followed by the
// system and its address: https://oidc.example=gitlab:https://gitlab.internal.
func ParseIssuer(s string) (Issuer, error) {
	switch s {
	case "github":
		return Issuer{"https://token.actions.githubusercontent.com", github, "https://github.com", s}, nil
	case "gitlab":
		return Issuer{"https://gitlab.com", gitlab, "https://gitlab.com", s}, nil
	}
	address, of, given := strings.Cut(s, "=")
	address = strings.TrimRight(address, "/")
	u, err := issuerURL(address)
	if err != nil {
		return Issuer{}, err
	}
	i := Issuer{URL: address}
	i.system, i.server = whose(u)
	if given {
		kind, server, _ := strings.Cut(of, ":")
		i.system, i.server = system(kind), server
		if _, err := issuerURL(server); err != nil || i.system != github && i.system != gitlab {
			return Issuer{}, fmt.Errorf("%q does not say whose jobs the issuer speaks of: write %s=gitlab:https://gitlab.example or =github:https://github.example", s, address)
		}
	}
	return i, nil
}

// issuerURL reads an address that keys may be fetched from: over HTTPS, or from
// this machine.
func issuerURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !onLoopback(u.Hostname())) {
		return nil, fmt.Errorf("an issuer is github, gitlab, or an address such as https://gitlab.example, not %q", s)
	}
	return u, nil
}

func onLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// whose tells by an issuer's address of which system it is, and where that is.
func whose(u *url.URL) (system, string) {
	actions, _ := strings.CutPrefix(strings.ToLower(u.Host), "token.actions.")
	path := strings.TrimRight(u.Path, "/")
	switch {
	case actions == "githubusercontent.com":
		return github, "https://github.com"
	case actions != strings.ToLower(u.Host) && strings.HasSuffix(actions, ".ghe.com"):
		return github, "https://" + actions
	case strings.HasSuffix(path, "/_services/token"):
		return github, u.Scheme + "://" + u.Host
	}
	return gitlab, u.Scheme + "://" + u.Host + path
}

// shared tells whether anybody at all can have jobs there.
func (i Issuer) shared() bool {
	return i.server == "https://github.com" || i.server == "https://gitlab.com"
}

// find returns the issuer of that name.
func find(issuers []Issuer, name string) (Issuer, bool) {
	n := slices.IndexFunc(issuers, func(i Issuer) bool { return name != "" && (i.URL == name || i.short == name) })
	if n < 0 {
		return Issuer{}, false
	}
	return issuers[n], true
}
