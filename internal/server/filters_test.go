package server

import (
	"net/url"
	"strings"
	"testing"
)

// Each project is held against every pattern, and each build against every
// branch and status, so that nobody asks for more of them than a person would.
func TestFilters_AreFew(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.create(`{"project":"acme/api"}`)
	s.setVisibility("acme/api", "public")
	many := func(filter string) string { return strings.Repeat(filter+"&", mostFilters) }
	for path, filters := range map[string][]string{
		"/api/v1/events": {"project=acme/*", "branch=main"},
		"/api/v1/builds": {"project=acme/*", "branch=main", "status=passed"},
		"/cc.xml":        {"project=acme/*"},
		"/builds.atom":   {"project=acme/*", "branch=main", "status=passed"},
	} {
		for _, filter := range filters {
			if a := s.get(path+"?"+many(filter), stranger...); a.status != 200 {
				t.Errorf("%s with %d of %s: %d %s", path, mostFilters, filter, a.status, a.body)
			}
			if a := s.get(path+"?"+many(filter)+filter, stranger...); a.status != 400 || a.problem().Limit != mostFilters {
				t.Errorf("%s with more of %s: %d %s", path, filter, a.status, a.body)
			}
		}
	}
	board := "/?" + many("project=acme/*")
	if a := s.get("/oembed?url=" + url.QueryEscape(s.url+board)); a.status != 200 {
		t.Errorf("oembed: %d %s", a.status, a.body)
	}
	if a := s.get("/oembed?url=" + url.QueryEscape(s.url+board+"project=acme/*")); a.status != 404 {
		t.Errorf("oembed of more: %d", a.status)
	}
	if body, _ := s.frameOf("/embed/board?" + many("project=acme/*") + "project=acme/web&" + many("branch=main") + "branch=next"); strings.Contains(body, "acme/web") || strings.Contains(body, "next") {
		t.Errorf("a frame has more:\n%s", body)
	}
}
