package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stepcast/stepcast/internal/page"
)

// What an answer is, by what it may do where it is shown.
const (
	data     = "data" // JSON, streams: nothing
	markup   = "XML"
	site     = "a page"
	noScript = "a page without JavaScript"
	gallery  = "the gallery"
	framed   = "a frame"
	picture  = "a picture"
	bytesOf  = "a log"
	worker   = "a script"

	explanation = "what a refusal is" // data, or a page for people
)

// policies are how the Content-Security-Policy of each begins; a frame's goes on
// with who may show it.
var policies = map[string]string{
	data:     "default-src 'none'; frame-ancestors 'none'",
	markup:   xmlPolicy,
	site:     pagePolicy,
	noScript: plainPolicy,
	gallery:  galleryPolicy,
	framed:   framePolicy,
	picture:  "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
	bytesOf:  "default-src 'none'; sandbox; frame-ancestors 'none'",
	worker:   "default-src 'none'; connect-src 'self'; frame-ancestors 'none'",
}

// notData are the routes that answer with anything else when all goes well, and
// unless it is their own address, where they do.
var notData = map[string]struct{ kind, path string }{
	"GET /":                              {site, ""},
	"GET /builds/:id":                    {site, ""},
	"GET /wall":                          {site, ""},
	"GET /embed":                         {gallery, ""},
	"GET /problems/":                     {explanation, ""},
	"GET /problems/:code":                {explanation, "/problems/log-gap"},
	"GET /plain":                         {noScript, ""},
	"GET /plain/builds/:id":              {noScript, ""},
	"GET /sign-in":                       {noScript, ""},
	"GET /plain/builds/:id/steps/*":      {noScript, "/plain/builds/{build}/steps/test"},
	"GET /api/v1/builds/:id/steps/*/log": {bytesOf, "/api/v1/builds/{build}/steps/test/log"},
	"GET /badge/*":                       {picture, "/badge/{project}.svg"},
	"GET /cc.xml":                        {markup, ""},
	"GET /builds.atom":                   {markup, ""},
	"GET /embed/status/*":                {framed, "/embed/status/{project}"},
	"GET /embed/board":                   {framed, "/embed/board?project={project}"},
	"GET /embed/steps":                   {framed, "/embed/steps?project={project}"},
	"GET /embed/steps/:id":               {framed, ""},
	"GET /settings":                      {noScript, ""},
	"GET /settings/projects/*":           {noScript, ""},
	"GET /settings/tokens":               {noScript, ""},
	"GET /settings/audit":                {noScript, ""},
	"GET /builds/:id/share":              {noScript, ""},
	"GET /embed/log":                     {framed, "/embed/log?project={project}"},
	"GET /embed/log/:id":                 {framed, ""},
	"GET /embed/log/:id/*":               {framed, "/embed/log/{build}/test"},
}

// TestHeaders_EveryRoute asks every route of the router in every way that makes
// a difference, and what is no route at all, and holds the headers of each
// answer. A route that is new is held to be data, and fails until it is, or says
// above what it is.
func TestHeaders_EveryRoute(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*testServer{"over HTTP": start(t), "over HTTPS": startTLS(t).testServer} {
		project := "acme/api"
		build := s.secretive(project)
		s.setVisibility(project, "public")
		answers := 0
		hold := func(what string, r *route, kind string, a answer) {
			t.Helper()
			answers++
			for _, wrong := range wrongHeaders(r, kind, a, name == "over HTTPS") {
				t.Errorf("%s, %s: %d with %s", name, what, a.status, wrong)
			}
		}
		for _, r := range s.routes() {
			is, ok := notData[r.method+" "+r.path]
			if !ok {
				is.kind = data
			}
			if is.path == "" {
				is.path = strings.NewReplacer(":id", "{build}", "steps/*", "steps/test", "*", "{project}").Replace(r.path)
			}
			path := strings.NewReplacer("{build}", build, "{project}", project).Replace(is.path)
			more := path + "?"
			if strings.Contains(path, "?") {
				more = path + "&"
			}
			ask := func(how, method, path, body string, headers ...string) {
				t.Helper()
				a := s.do(method, path, body, headers...)
				kind := refusal(a)
				if picture := strings.HasPrefix(a.header.Get("Content-Type"), "image/"); is.kind != explanation && (a.status < 300 && a.status != http.StatusNoContent || a.status == http.StatusNotModified || picture) {
					kind = is.kind
				}
				hold(how+" "+method+" "+path, &r, kind, a)
			}
			bearer := "Authorization: Bearer " + s.token
			elsewhere := []string{"Origin: https://portal.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors"}
			body := map[bool]string{true: "{"}[!safe(r.method)]
			methods := []string{r.method}
			if r.method == http.MethodGet {
				methods = append(methods, http.MethodHead)
			}
			for _, method := range methods {
				ask("with a token,", method, path, body, bearer)
				ask("without one,", method, path, body, "Sec-Fetch-Site: same-origin")
				ask("from elsewhere,", method, path, body, elsewhere...)
				ask("with a token that is none,", method, path, body, "Authorization: Bearer stp_x")
				ask("again,", method, path, body, bearer, "If-None-Match: *")
				ask("as a person,", method, path, body, "Accept: text/html")
			}
			ask("with more,", r.method, more+"nonsense=1&%zz=2", body, bearer)
			if r.from == anywhere {
				hold("before "+path+" is asked from elsewhere", nil, data, s.do("OPTIONS", path, "", append(elsewhere, "Access-Control-Request-Method: GET")...))
			}
		}
		nowhere := []string{"/nothing", "/api/v1/nothing", "/api/v1/builds/x/y/z", "//", "/../etc/passwd", "/%2e%2e/", "/builds/none", "/assets/", "/assets/../index.html", "/embed/", "/problems/none", "/%00"}
		for _, path := range nowhere {
			for _, method := range []string{"GET", "HEAD", "POST", "OPTIONS"} {
				a := s.do(method, path, "", "Accept: text/html")
				hold(method+" "+path, nil, refusal(a), a)
			}
		}
		for _, r := range s.routes() {
			path := strings.NewReplacer(":id", build, "*", project).Replace(r.path)
			for _, method := range []string{"PUT", "TRACE", "PROPFIND"} { // which none has
				a := s.do(method, path, "")
				hold(method+" "+path, nil, refusal(a), a)
			}
		}
		t.Logf("%s: %d answers", name, answers)
	}
}

// refusal is what an answer is that is no success: a page, for people.
func refusal(a answer) string {
	switch {
	case !strings.HasPrefix(a.header.Get("Content-Type"), "text/html"):
		return data
	case a.header.Get("Content-Security-Policy") == pagePolicy:
		return site
	}
	return noScript
}

// A file comes whole: of thousands of ranges each would be a part of the answer.
func TestHeaders_NoRanges(t *testing.T) {
	t.Parallel()
	s := start(t)
	whole := s.get("/widgets.js")
	if a := s.get("/widgets.js", "Range: bytes=0-0"+strings.Repeat(",1-1", 5000)); a.status != 200 || a.body != whole.body {
		t.Errorf("thousands of ranges: %d, %d bytes of %d", a.status, len(a.body), len(whole.body))
	}
}

// TestHeaders_Assets holds what pages are made of.
func TestHeaders_Assets(t *testing.T) {
	t.Parallel()
	s := start(t)
	for path, kind := range map[string]string{page.StylePath: data} {
		for _, wrong := range wrongHeaders(nil, kind, s.get(path), false) {
			t.Errorf("%s: %s", path, wrong)
		}
	}
	for part := range strings.SplitSeq(s.get("/").body, `"`) {
		if !strings.HasPrefix(part, "/assets/") {
			continue
		}
		a, kind := s.get(part), data
		switch {
		case strings.HasSuffix(part, ".js"):
			kind = worker
		case strings.HasSuffix(part, ".svg"):
			kind = picture
		}
		for _, wrong := range wrongHeaders(nil, kind, a, false) {
			t.Errorf("%s: %s", part, wrong)
		}
		if kept := a.header.Get("Cache-Control"); kept != "public, max-age=31536000, immutable" {
			t.Errorf("%s: Cache-Control: %s", part, kept)
		}
	}
}

// TestHeaders_Stream has a stream on a connection of its own say what every other
// answer says.
func TestHeaders_Stream(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, r := range s.routes() {
		if r.path != "/api/v1/events" {
			continue
		}
		_, status, header := s.dial(r.path, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors", "Origin: https://portal.example")
		for _, wrong := range wrongHeaders(&r, data, answer{status: status, header: header}, false) {
			t.Error(wrong)
		}
		if header.Get("Access-Control-Allow-Origin") != "*" || header.Get("Content-Type") != "text/event-stream" {
			t.Error(header)
		}
	}
}

// TestHeaders_StrictTransport keeps browsers to HTTPS where it is what they came
// by, and leaves the names alone that every machine has for itself.
func TestHeaders_StrictTransport(t *testing.T) {
	t.Parallel()
	proxied := Config{Open: true, Proxies: trusted("127.0.0.0/8")}
	for name, of := range map[string]struct {
		cfg     Config
		headers []string
		want    bool
	}{
		"HTTP":                            {Config{Open: true}, nil, false},
		"HTTP, says the client":           {Config{Open: true}, []string{"X-Forwarded-Proto: https"}, false},
		"HTTPS at a trusted proxy":        {proxied, []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: ci.example"}, true},
		"HTTP at a trusted proxy":         {proxied, []string{"X-Forwarded-Proto: http"}, false},
		"a public address that is HTTPS":  {Config{Open: true, PublicURL: "https://ci.example"}, []string{"Host: ci.example"}, true},
		"a public address that is HTTP":   {Config{Open: true, PublicURL: "http://ci.example"}, []string{"Host: ci.example"}, false},
		"this machine, by HTTPS":          {proxied, []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: localhost:8443"}, false},
		"a name of it, by HTTPS":          {proxied, []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: ci.localhost"}, false},
		"a name that only begins like it": {proxied, []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: localhost.example"}, true},
	} {
		s := &testServer{t: t, Server: New(of.cfg)}
		s.url = serveHandler(t, s.Server)
		got := s.get("/healthz", of.headers...).header.Get("Strict-Transport-Security")
		if want := map[bool]string{true: strictTransport}[of.want]; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// wrongHeaders says what is not as it has to be of an answer of a kind, of a
// route if it is one's.
func wrongHeaders(r *route, kind string, a answer, https bool) (wrong []string) {
	h := a.header
	is := func(name, want string) {
		if got := strings.Join(h.Values(name), " | "); got != want {
			wrong = append(wrong, fmt.Sprintf("%s: %s, want %q", name, got, want))
		}
	}
	is("X-Content-Type-Options", "nosniff")
	is("Referrer-Policy", "same-origin")
	is("Permissions-Policy", standing.Get("Permissions-Policy"))
	is("Strict-Transport-Security", map[bool]string{true: strictTransport}[https])
	policy := h.Get("Content-Security-Policy")
	switch ancestors, ok := strings.CutPrefix(policy, policies[kind]); {
	case !ok, len(h.Values("Content-Security-Policy")) != 1:
		wrong = append(wrong, fmt.Sprintf("the policy %q, which is not that of %s", policy, kind))
	case kind == framed && ancestors == "":
		wrong = append(wrong, "a frame for nobody")
	case kind != framed && (ancestors != "" || !strings.Contains(policy, "frame-ancestors 'none'")):
		wrong = append(wrong, fmt.Sprintf("the policy %q", policy))
	}
	if strings.Contains(policy, "unsafe-inline") != (kind == picture || kind == markup) || strings.Contains(policy, "unsafe-eval") {
		wrong = append(wrong, fmt.Sprintf("the policy %q", policy))
	}

	// What others may load, and who may keep what.
	resource, opener := "same-origin", "same-origin"
	if r != nil && r.from == anywhere && !strings.HasPrefix(r.path, "/api/") {
		resource, opener = "cross-origin", ""
	}
	is("Cross-Origin-Resource-Policy", resource)
	is("Cross-Origin-Opener-Policy", opener)
	is("Access-Control-Allow-Credentials", "")
	kept, varies := h.Get("Cache-Control"), strings.Join(h.Values("Vary"), ", ")
	if kept == "" || a.status >= 400 && kept != "no-store" {
		wrong = append(wrong, "Cache-Control: "+kept)
	}
	if r != nil && r.access != public && a.status != http.StatusForbidden && !strings.Contains(kept, "no-store") && !strings.Contains(kept, "private") {
		wrong = append(wrong, "Cache-Control: "+kept+", which lets anybody keep it")
	}
	if r != nil && (r.from == anywhere || r.access != public && a.status < 400) && !slices.Contains(strings.Split(varies, ", "), "Cookie") {
		wrong = append(wrong, "Vary: "+varies)
	}
	if kind := h.Get("Content-Type"); kind == "" && a.body != "" {
		wrong = append(wrong, "no Content-Type")
	}
	return wrong
}
