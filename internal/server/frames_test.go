package server

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/stepcast/stepcast/internal/ci"
)

// fromPortal is how a browser asks for a frame on a page of another site.
var fromPortal = []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"}

// frameOf returns the document of a frame, and who may show it.
func (s *testServer) frameOf(path string, headers ...string) (body, ancestors string) {
	s.t.Helper()
	a := s.get(path, headers...)
	if a.status != http.StatusOK {
		s.t.Fatalf("%s: %d %s", path, a.status, a.body)
	}
	policy := a.header.Get("Content-Security-Policy")
	_, ancestors, _ = strings.Cut(policy, "frame-ancestors ")
	for _, name := range []string{"X-Frame-Options", "Cross-Origin-Opener-Policy"} {
		if a.header.Get(name) != "" {
			s.t.Errorf("%s: %s would keep it out of frames", path, name)
		}
	}
	return a.body, ancestors
}

func (s *testServer) setFramers(project, list string) {
	s.t.Helper()
	a := s.do("PATCH", "/api/v1/projects/"+project, `{"frame_ancestors":`+list+`}`, "Authorization: Bearer "+s.token, "Content-Type: application/json")
	if a.status != http.StatusOK {
		s.t.Fatalf("frame_ancestors of %s: %d %s", project, a.status, a.body)
	}
}

// frames are the addresses that show a project, or a build of it.
func frames(project, build string) []string {
	return []string{
		"/embed/status/" + project,
		"/embed/status/" + strings.ReplaceAll(project, "/", "%2F"),
		"/embed/board?project=" + project,
		"/embed/steps?project=" + project,
		"/embed/log?project=" + project,
		"/embed/steps/" + build,
		"/embed/log/" + build,
		"/embed/log/" + build + "/test",
	}
}

func TestFrames_PublicProject(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.secretive("acme/api")
	s.setVisibility("acme/api", "public")
	for _, path := range frames("acme/api", build) {
		body, ancestors := s.frameOf(path, fromPortal...)
		if ancestors != "*" {
			t.Errorf("%s may be framed by %s", path, ancestors)
		}
		if !strings.Contains(body, ` token="none"`) {
			t.Errorf("%s: whoever frames it sees more than a stranger:\n%s", path, body)
		}
	}
	s.setFramers("acme/api", `["https://portal.example","https://wall.example:8443"]`)
	for _, path := range frames("acme/api", build) {
		if _, ancestors := s.frameOf(path, fromPortal...); ancestors != "'self' https://portal.example https://wall.example:8443" {
			t.Errorf("%s may be framed by %s", path, ancestors)
		}
	}
}

// Whoever puts a private project into a frame learns nothing: not that there is
// one, and not from the policy either.
func TestFrames_PrivateIsAsIfItWereNot(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.secretive("acme/private")
	s.setFramers("acme/private", `["https://portal.example"]`)
	none := ci.BuildID(uuid.MustParse("0190a000-0000-7000-8000-000000000001")).String()
	reads := s.tokenFor("*", ci.ScopeRead)
	other := s.tokenFor("other", ci.ScopeStatus)
	there, missing := frames("acme/private", build), frames("acme/missing", none)
	for i := range there {
		for _, token := range []string{"", reads, other, "stp_nonsense"} {
			private, nowhere := there[i], missing[i]
			if token != "" {
				separator := map[bool]string{true: "&", false: "?"}[strings.Contains(private, "?")]
				private, nowhere = private+separator+"token="+token, nowhere+separator+"token="+token
			}
			body, ancestors := s.frameOf(private, fromPortal...)
			body = strings.NewReplacer("acme/private", "acme/missing", "acme%2Fprivate", "acme%2Fmissing", build, none).Replace(body)
			same, ancestorsToo := s.frameOf(nowhere, fromPortal...)
			if body != same || ancestors != "*" || ancestorsToo != "*" {
				t.Errorf("%s is told from %s: %s, %s\n%s\n%s", private, nowhere, ancestors, ancestorsToo, body, same)
			}
			if !strings.Contains(body, ` token="none"`) {
				t.Errorf("%s: whoever frames it sees more than a stranger:\n%s", private, body)
			}
			if token != "" && strings.Contains(body, token) {
				t.Errorf("%s: a token that is of no use here is in the document", private)
			}
			// What this server's own pages see all of, no others show, however it was asked for.
			if body, ancestors := s.frameOf(private); ancestors != "'self'" || strings.Contains(body, ` token="`) {
				t.Errorf("%s of this server's own may be framed by %s\n%s", private, ancestors, body)
			}
		}
	}
}

func TestFrames_StatusToken(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.secretive("acme/private")
	token := s.tokenFor("acme/*", ci.ScopeStatus)
	for _, path := range frames("acme/private", build) {
		path += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "token=" + token
		body, ancestors := s.frameOf(path, fromPortal...)
		if ancestors != "*" || !strings.Contains(body, ` token="`+token+`"`) {
			t.Errorf("%s may be framed by %s\n%s", path, ancestors, body)
		}
	}
	s.setFramers("acme/private", `["https://portal.example"]`)
	if _, ancestors := s.frameOf("/embed/status/acme/private?token="+token, fromPortal...); ancestors != "'self' https://portal.example" {
		t.Errorf("with a setting it may be framed by %s", ancestors)
	}
}

// What it shows tells visitors nothing of a refused token. Its element says why,
// to be read on the console, which names the elements that are unknown.
func TestFrames_SayWhyATokenIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.secretive("acme/private")
	for token, why := range map[string]string{
		s.tokenFor("acme/*", ci.ScopeStatus)[:20]: "The token is too short or too long; it was not copied whole.",
		s.tokenFor("acme/*", ci.ScopeRead):        "Addresses are seen by many, ",
	} {
		for _, path := range frames("acme/private", build) {
			path += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "token=" + token
			if body, _ := s.frameOf(path, fromPortal...); !strings.Contains(body, ` token="none" data-token-refused="`+why) || strings.Contains(body, token) {
				t.Errorf("%s does not say %q:\n%s", path, why, body)
			}
		}
	}
	if body, _ := s.frameOf("/embed/status/acme/private", fromPortal...); strings.Contains(body, "refused") {
		t.Errorf("a frame without a token says that it is refused:\n%s", body)
	}
}

// A board may be shown by whoever may show all of it, as far as strangers see
// it: what is private among its projects changes nothing.
func TestFrames_Board(t *testing.T) {
	t.Parallel()
	s := start(t)
	for _, project := range []string{"acme/api", "acme/web", "acme/private"} {
		s.secretive(project)
	}
	s.setFramers("acme/private", `[]`)
	s.setVisibility("acme/api", "public")
	s.setVisibility("acme/web", "public")
	for _, step := range []struct{ project, framers, want string }{
		{"acme/api", `null`, "*"},
		{"acme/api", `["https://a.example","https://b.example"]`, "'self' https://a.example https://b.example"},
		{"acme/web", `["https://b.example","https://c.example"]`, "'self' https://b.example"},
		{"acme/api", `["https://a.example"]`, "'self'"},
	} {
		s.setFramers(step.project, step.framers)
		if body, ancestors := s.frameOf("/embed/board?project=acme/*", fromPortal...); ancestors != step.want || !strings.Contains(body, `token="none"`) {
			t.Errorf("%s with %s: may be framed by %s, want %s", step.project, step.framers, ancestors, step.want)
		}
	}
}

func TestFrames_SayWhatTheAddressSays(t *testing.T) {
	t.Parallel()
	s := start(t)
	const build = "0190a000-0000-7000-8000-000000000001"
	for path, want := range map[string]string{
		"/embed/status/acme/api?branch=main&theme=dark":                     `<stepcast-status project="acme/api" branch="main" theme="dark"><a href="/?branch=main&amp;project=acme%2Fapi">acme/api</a>`,
		"/embed/board?project=acme/*&project=web&branch=main&mode=problems": `<stepcast-board projects="acme/* web" branches="main" mode="problems">`,
		"/embed/steps?project=acme/api&branch=main":                         `<stepcast-steps project="acme/api" branch="main">`,
		"/embed/steps/" + build:                                             `<stepcast-steps build="` + build + `"><a href="/builds/` + build + `">`,
		"/embed/log/" + build + "/test/linux?lines=20":                      `<stepcast-log build="` + build + `" step="test/linux" lines="20"><a href="/builds/` + build + `#test%2Flinux">`,
		"/embed/log/" + build + "/test%2Flinux":                             `<stepcast-log build="` + build + `" step="test/linux">`,
		"/embed/status/web?theme=light":                                     `<meta name="color-scheme" content="light">`, // or a page in the dark would show it on white
		"/embed/status/web":                                                 `<meta name="color-scheme" content="light dark">`,
		// What is not understood is left out.
		"/embed/status/web?theme=pink&lines=-1&utm_source=x&branch=%ff": `<stepcast-status project="web">`,
		"/embed/board?project=a*b&mode=x":                               `<stepcast-board projects="">`,
		// Nothing gets out of its attribute.
		"/embed/status/web?branch=%22%3E%3Cscript%3E": `<stepcast-status project="web" branch="&#34;&gt;&lt;script&gt;">`,
	} {
		if body, _ := s.frameOf(path); !strings.Contains(body, want) {
			t.Errorf("%s: want %s in\n%s", path, want, body)
		}
	}
	for _, path := range []string{"/embed/status/a%20b", "/embed/status/", "/embed/steps", "/embed/log?project=..", "/embed/steps/1", "/embed/log/" + build + "/a%00b"} {
		if a := s.get(path); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

// What a frame runs is what the server serves, and the policy lets it.
func TestFrames_LoadWhatIsThere(t *testing.T) {
	t.Parallel()
	s := start(t)
	body, _ := s.frameOf("/embed/status/web")
	for _, attribute := range []string{`<link rel="stylesheet" href="`, `<script type="module" src="`} {
		_, rest, found := strings.Cut(body, attribute)
		path, _, _ := strings.Cut(rest, `"`)
		if a := s.get(path); !found || a.status != http.StatusOK {
			t.Errorf("%s%s: %d", attribute, path, a.status)
		}
	}
	a := s.get("/embed.js", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script")
	if a.status != http.StatusOK || a.header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
		t.Errorf("/embed.js: %d %v", a.status, a.header)
	}
	if again := s.get("/embed.js", "If-None-Match: "+a.header.Get("Etag")); again.status != http.StatusNotModified {
		t.Errorf("/embed.js again: %d", again.status)
	}
	if a := s.get("/embed", fromPortal...); a.status != http.StatusForbidden {
		t.Errorf("the gallery in a frame of another site: %d", a.status)
	}
}
