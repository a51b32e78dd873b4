package server

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
)

// base is the server's own address, which absolute ones begin with: scheme and
// host. It is the one that the server was told, else the one that the request
// came to. What is no host and port gets into no answer.
func (s *Server) base(c echo.Context) (string, error) {
	if s.cfg.PublicURL != "" {
		return s.cfg.PublicURL, nil
	}
	r := c.Request()
	if !isHostPort(r.Host) {
		return "", &ci.Problem{Code: badHost, Detail: "The Host header of the request is no host name with or without a port."}
	}
	if s.secure(c) {
		return "https://" + r.Host, nil
	}
	return "http://" + r.Host, nil
}

// onlyHere is that address when it leads everybody to their own machine, and so
// nobody else to this server; else it is empty.
func (s *Server) onlyHere(c echo.Context) string {
	base, err := s.base(c)
	if err != nil {
		return ""
	}
	if _, host, _ := strings.Cut(base, "://"); !loopback(host) {
		return ""
	}
	return base
}

var hostPort = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$`)

// isHostPort tells whether a text is a host, a name of 253 characters at most, with or
// without a port.
func isHostPort(text string) bool {
	found := hostPort.FindStringSubmatch(text)
	return found != nil && len(found[1]) <= 253
}

// serves tells whether an address is of this server: of the one that it was
// told, or of the one that the request came to, where a proxy may have come by
// another scheme.
func (s *Server) serves(c echo.Context, u *url.URL) bool {
	if u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme] // which a proxy may add
	return strings.TrimSuffix(u.Host, port) == strings.TrimSuffix(c.Request().Host, port) || u.Scheme+"://"+u.Host == s.cfg.PublicURL
}

// withQuery is a path with the parameters that there are.
func withQuery(path string, q url.Values) string {
	if query := q.Encode(); query != "" {
		return path + "?" + query
	}
	return path
}

// buildsPath is the list of a project's builds, on a branch unless that is
// empty.
func buildsPath(project, branch string) string {
	q := url.Values{"project": {project}}
	if branch != "" {
		q.Set("branch", branch)
	}
	return withQuery("/", q)
}

func buildPath(id ci.BuildID) string { return "/builds/" + id.String() }
