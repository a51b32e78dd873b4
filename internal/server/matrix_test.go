package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/forms"
	"github.com/stepcast/stepcast/internal/page"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

// marker is in the logs and the notes of what these tests write, and nowhere
// else.
const marker = "kq7xw2"

// secretive makes a finished build with the marker in its text, and returns its
// id.
func (s *testServer) secretive(project string) string {
	s.t.Helper()
	build := s.create(`{"project":"` + project + `","branch":"main","status":"running"}`)
	s.update(build, `{"step":{"key":"test","status":"running"}},`+logText("test", 0, "before\n"+marker+"\n")+
		`,{"note":{"step":"test","number":0,"line":2,"annotation":{"level":"error","message":"`+marker+`"}}}`+
		fmt.Sprintf(`,{"step":{"key":"test","status":"passed","log_bytes":%d}},{"build":{"status":"passed"}}`, len("before\n"+marker+"\n")))
	return strings.TrimPrefix(build, "/api/v1/builds/")
}

// setVisibility makes a project public or private.
func (s *testServer) setVisibility(project, visibility string) {
	s.t.Helper()
	a := s.do("PATCH", "/api/v1/projects/"+project, `{"visibility":"`+visibility+`"}`, "Authorization: Bearer "+s.addToken(postgres.Token{Name: "admin", Scopes: []ci.Scope{ci.ScopeAdmin}, Project: "*"}), "Content-Type: application/json")
	if a.status != http.StatusOK {
		s.t.Fatalf("make %s %s: %d %s", project, visibility, a.status, a.body)
	}
}

func (s *testServer) tokenFor(project string, scopes ...ci.Scope) string {
	s.t.Helper()
	return s.addToken(postgres.Token{Name: "for " + project, Scopes: scopes, Project: project})
}

// tokenOf is a token for one build.
func (s *testServer) tokenOf(project, build string, scopes ...ci.Scope) string {
	s.t.Helper()
	id, err := ci.ParseBuildID(build)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.addToken(postgres.Token{Name: "of " + build, Scopes: scopes, Project: project, Build: id})
}

// What a cell of the matrix may say besides a status: let in, whatever the
// handler makes of the request.
const letIn = 0

// A pair is what is answered about a public project and about a private one.
type pair [2]int

func both(status int) pair { return pair{status, status} }

// TestAccess_Matrix asks for every route as every kind of caller, of a public
// and of a private project, and holds each answer to a table.
func TestAccess_Matrix(t *testing.T) {
	t.Parallel()
	database := pgtest.New(t)
	s := startOn(t, database)
	projects := [2]string{"acme/public", "acme/private"}
	builds := [2]string{s.secretive(projects[0]), s.secretive(projects[1])}
	s.setVisibility(projects[0], "public")

	past, other := time.Now().Add(-time.Second), s.tokenFor("other/*", ci.ScopeStatus)
	statusOnly, reads := s.tokenFor("acme/*", ci.ScopeStatus), s.tokenFor("acme/*", ci.ScopeRead)
	reports, admins := s.tokenFor("acme/*", ci.ScopeReport), s.tokenFor("acme/*", ci.ScopeAdmin)
	reportsOne, readsOne := s.tokenOf(projects[1], builds[1], ci.ScopeReport), s.tokenOf(projects[1], builds[1], ci.ScopeRead)
	expired := s.addToken(postgres.Token{Name: "x", Scopes: []ci.Scope{ci.ScopeRead, ci.ScopeReport, ci.ScopeAdmin}, Project: "*", ExpiresAt: &past})
	revoked := s.tokenFor("*", ci.ScopeRead, ci.ScopeReport, ci.ScopeAdmin)
	sum, _ := ci.ParseToken(revoked)
	if err := s.store.RevokeToken(t.Context(), postgres.Itself, []string{"*"}, ci.TokenID(sum)); err != nil {
		t.Fatal(err)
	}

	// What each caller is answered, by what a route is about: one build, one
	// project, a list of whatever there is, or the log of a build among others.
	const build, project, list, log = "build", "project", "list", "log"
	fromElsewhere := []string{"Origin: https://portal.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors"}
	type caller struct {
		name    string
		headers []string
		token   string // in the address
		foreign bool
		sees    bool // the private project
		says    func(access, string, string) pair
	}
	callers := []caller{
		{"a page of the server", []string{"Sec-Fetch-Site: same-origin"}, "", false, true, withoutToken},
		{"no browser", nil, "", false, true, withoutToken},
		{"a stranger", fromElsewhere, "", true, false, func(a access, about, _ string) pair {
			if about == list || a == public {
				return both(letIn)
			}
			return pair{letIn, 404}
		}},
		{"a stranger with a status token", fromElsewhere, statusOnly, true, true, func(a access, about, _ string) pair {
			if (a == read || a == uploaded) && about == build {
				return pair{letIn, 403}
			}
			return both(letIn)
		}},
		{"no browser, with a status token", nil, statusOnly, false, true, func(a access, about, method string) pair {
			switch {
			case a == report || a == admin && !safe(method):
				return both(401) // it is looked for in the addresses of what reads
			case a == admin:
				return both(403)
			case (a == read || a == uploaded) && about == build:
				return pair{letIn, 403}
			}
			return both(letIn)
		}},
		{"a stranger with another project's status token", fromElsewhere, other, true, false, func(a access, about, _ string) pair {
			if about == list || a == public {
				return both(letIn)
			}
			return pair{letIn, 404}
		}},
		{"a stranger with a read token", append(fromElsewhere[:3:3], "Authorization: Bearer "+reads), "", true, true, func(access, string, string) pair { return both(letIn) }},
		{"a read token", []string{"Authorization: Bearer " + reads}, "", false, true, func(a access, _, _ string) pair {
			if a == report || a == admin {
				return both(403)
			}
			return both(letIn)
		}},
		{"a report token", []string{"Authorization: Bearer " + reports}, "", false, false, func(a access, about, method string) pair {
			switch {
			case a == public, a == report, a == progress, a == uploaded && method == http.MethodHead:
				return both(letIn)
			case about == build && a != admin:
				return pair{letIn, 403}
			}
			return both(403)
		}},
		{"an admin's token", []string{"Authorization: Bearer " + admins}, "", false, false, func(a access, about, _ string) pair {
			switch {
			case a == public, a == admin, a == settings:
				return both(letIn)
			case about == build && a != report:
				return pair{letIn, 403}
			}
			return both(403)
		}},
		{"another project's read token", []string{"Authorization: Bearer " + s.tokenFor("other/*", ci.ScopeRead)}, "", false, false, func(a access, about, _ string) pair {
			switch {
			case a == report || a == admin:
				return both(403)
			case about == list:
				return both(letIn)
			}
			return pair{letIn, 404}
		}},
		{"another project's report token", []string{"Authorization: Bearer " + s.tokenFor("other/*", ci.ScopeReport)}, "", false, false, func(a access, about, _ string) pair {
			switch {
			case a == report && about == build:
				return both(404) // what is public is so to be read
			case a == report:
				return both(letIn) // nothing was said of a project yet
			case about == build && a != admin:
				return pair{letIn, 404}
			}
			return both(403)
		}},
		{"another project's admin", []string{"Authorization: Bearer " + s.tokenFor("other/*", ci.ScopeAdmin)}, "", false, false, func(a access, about, _ string) pair {
			switch {
			case a == admin && about != list:
				return both(404)
			case a == admin:
				return both(letIn)
			case a == settings, a != report && about == build:
				return pair{letIn, 404}
			}
			return both(403)
		}},
		{"a report token of one build", []string{"Authorization: Bearer " + reportsOne}, "", false, false, func(a access, about, method string) pair {
			switch {
			case a == public:
				return both(letIn)
			case a == report && about == build:
				return pair{404, letIn}
			case a == report:
				return both(letIn) // nothing was said of a build yet
			case about == build && (a == progress || a == uploaded && method == http.MethodHead):
				return both(letIn)
			case about == build && a != admin:
				return pair{letIn, 403}
			}
			return both(403)
		}},
		{"a read token of one build", []string{"Authorization: Bearer " + readsOne}, "", false, false, func(a access, about, _ string) pair {
			switch {
			case a == report || a == admin:
				return both(403)
			case about == project:
				return pair{letIn, 404}
			}
			return both(letIn)
		}},
		{"a read token of another build", []string{"Authorization: Bearer " + s.tokenOf(projects[1], ci.NewBuildID().String(), ci.ScopeRead)}, "", false, false, func(a access, about, _ string) pair {
			switch {
			case a == report || a == admin:
				return both(403)
			case about != list:
				return pair{letIn, 404}
			}
			return both(letIn)
		}},
		{"a revoked token", []string{"Authorization: Bearer " + revoked}, "", false, false, badToken},
		{"an expired token", []string{"Authorization: Bearer " + expired}, "", false, false, badToken},
		{"a malformed token", []string{"Authorization: Bearer stp_123"}, "", false, false, badToken},
		{"a stranger with a read token in the address", fromElsewhere, reads, true, false, badToken},
	}
	// The same projects where readers have to sign in.
	anonymous := func(a access, about, _ string) pair {
		switch {
		case a.needsGrant():
			return both(401)
		case about == list:
			return both(letIn)
		}
		return pair{letIn, 404}
	}
	private := startOn(t, database, withSignIn, func(cfg *Config) {
		cfg.Roles = []Role{{"status", ci.ScopeStatus, "acme/*"}, {"read", ci.ScopeRead, "acme/*"}, {"admin", ci.ScopeAdmin, "acme/*"}}
	})
	as := func(group string) []string { return []string{"Cookie: stepcast=" + private.sessionOf(group)} }
	visit := func(want string) (cookie string) {
		_, path := private.link("/api/v1/builds/"+builds[1], want)
		b := private.browser()
		b.visit(path)
		return b.cookie()
	}
	const linked = "a browser that has opened a link" // nobody is known by it
	opened, openedStatus := visit(`{}`), visit(`{"scope":"status"}`)
	const nobody, ended = "nobody, who has to sign in", "an ended session"
	openToAll := len(callers)
	callers = append(callers, []caller{
		{nobody, nil, "", false, false, anonymous},
		{ended, []string{"Cookie: stepcast=" + ci.NewSession()}, "", false, false, anonymous},
		{"signed in, and given nothing", as("nothing"), "", false, false, func(a access, about, method string) pair {
			if a.needsGrant() {
				return both(403)
			}
			return anonymous(a, about, method)
		}},
		{"signed in with the role status", as("status"), "", false, true, func(a access, about, _ string) pair {
			switch {
			case a.needsGrant():
				return both(403)
			case (a == read || a == uploaded) && about == build:
				return pair{letIn, 403}
			}
			return both(letIn)
		}},
		{"signed in with the role read", as("read"), "", false, true, func(a access, _, _ string) pair {
			if a.needsGrant() {
				return both(403)
			}
			return both(letIn)
		}},
		{"signed in with a read token", []string{"Cookie: stepcast=" + private.session(reads)}, "", false, true, func(a access, _, _ string) pair {
			if a.needsGrant() {
				return both(403)
			}
			return both(letIn)
		}},
		{"signed in with the role admin", as("admin"), "", false, true, func(a access, _, _ string) pair {
			if a == report {
				return both(403)
			}
			return both(letIn)
		}},
		{linked, []string{"Cookie: stepcast=" + opened}, "", false, false, func(a access, about, _ string) pair {
			switch {
			case a.needsGrant():
				return both(403)
			case about == project:
				return pair{letIn, 404}
			}
			return both(letIn)
		}},
		{linked + " of the status", []string{"Cookie: stepcast=" + openedStatus}, "", false, false, func(a access, about, _ string) pair {
			switch {
			case a.needsGrant():
				return both(403)
			case about == project:
				return pair{letIn, 404}
			case (a == read || a == uploaded) && about == build:
				return pair{letIn, 403}
			}
			return both(letIn)
		}},
		{"a stranger, in the browser of who has the role admin", append(fromElsewhere[:3:3], as("admin")...), "", true, false, anonymous},
	}...)
	// How each route is asked for. A new one needs a line here.
	type sample struct {
		about, path string
		letIn       int // what whoever is let in is answered
	}
	samples := map[string]sample{
		"POST /api/v1/builds":                  {list, "", 400},
		"POST /api/v1/builds/:id/updates":      {build, "", 400},
		"POST /api/v1/exchange":                {list, "", 400},
		"PATCH /api/v1/builds/:id/steps/*/log": {build, "/api/v1/builds/{build}/steps/test/log", 409},
		"GET /api/v1/builds":                   {list, "", 200},
		"GET /api/v1/builds/latest":            {project, "/api/v1/builds/latest?project={project}", 302},
		"GET /api/v1/builds/:id":               {build, "", 200},
		"GET /api/v1/builds/:id/search":        {build, "/api/v1/builds/{build}/search?q=" + marker, 200},
		"GET /api/v1/builds/:id/events":        {build, "", 200},
		"GET /api/v1/builds/:id/notes":         {build, "", 200},
		"GET /api/v1/builds/:id/steps/*/lines": {build, "/api/v1/builds/{build}/steps/test/lines", 200},
		"GET /api/v1/builds/:id/steps/*/log":   {build, "/api/v1/builds/{build}/steps/test/log", 200},
		"GET /api/v1/events":                   {list, "", 200},
		"GET /api/v1/streams":                  {log, "/api/v1/streams?log={build}", 200},
		"GET /api/v1/projects":                 {list, "", 200},
		"GET /api/v1/projects/*":               {project, "/api/v1/projects/{project}", 200},
		"PATCH /api/v1/projects/*":             {project, "/api/v1/projects/{project}", 400},
		"POST /api/v1/tokens":                  {list, "", 400},
		"GET /api/v1/tokens":                   {list, "", 200},
		"DELETE /api/v1/tokens/:token":         {list, "/api/v1/tokens/0123456789abcdef", 404},
		"GET /api/v1/audit":                    {list, "", 200},
		"POST /api/v1/builds/:id/links":        {build, "", 400},
		"GET /api/v1/builds/:id/links":         {build, "", 200},
		"DELETE /api/v1/links/:link":           {list, "/api/v1/links/0123456789abcdef", 404},
		"GET /badge/*":                         {list, "/badge/{project}.svg", 200}, // see TestFormats_Reach
		"GET /shields/*":                       {list, "/shields/{project}.json", 200},
		"GET /cc.xml":                          {list, "", 200},
		"GET /builds.atom":                     {list, "", 200},
		"GET /oembed":                          {list, "/oembed?url=x", 404},
		"GET /healthz":                         {list, "", 200},
		"GET /readyz":                          {list, "", 200},
		"GET /api/v1/openapi.json":             {list, "", 200},
		"GET /problems/":                       {list, "", 200},
		"GET /problems/:code":                  {list, "/problems/not-found", 200},
		"GET /":                                {list, "", 200},
		"GET /builds/:id":                      {list, "", 200}, // the page is the same for any
		"GET /wall":                            {list, "", 200},
		"GET /assets/*":                        {list, "/assets/none", 404},
		"GET /widgets.js":                      {list, "", 200},
		"GET /plain":                           {list, "", 200},
		"GET /plain/builds/:id":                {build, "", 200},
		"GET /plain/builds/:id/steps/*":        {build, "/plain/builds/{build}/steps/test", 200},
		"GET " + page.StylePath:                {list, "", 200},
		"GET /embed.js":                        {list, "", 200},
		"GET /embed":                           {list, "", 200},
		"GET /embed/status/*":                  {list, "/embed/status/{project}", 200}, // the same for any; see frames_test.go
		"GET /embed/board":                     {list, "/embed/board?project={project}", 200},
		"GET /embed/steps":                     {list, "/embed/steps?project={project}", 200},
		"GET /embed/steps/:id":                 {list, "/embed/steps/{build}", 200},
		"GET /embed/log":                       {list, "/embed/log?project={project}", 200},
		"GET /embed/log/:id":                   {list, "/embed/log/{build}", 200},
		"GET /embed/log/:id/*":                 {list, "/embed/log/{build}/test", 200},
		"GET " + signInPath:                    {list, "", 200},
		"POST " + signInPath:                   {list, "", 415}, // this is no form
		"GET " + signInPath + "/oidc":          {list, "", 404}, // there is no provider
		"GET " + callbackPath:                  {list, "", 404},
		"POST /sign-out":                       {list, "", 415},
		"GET /api/v1/me":                       {list, "", 200},
		"GET " + forms.SettingsPath:            {list, "", 200},
		"GET /settings/projects/*":             {project, "/settings/projects/{project}", 200},
		"POST /settings/projects/*":            {project, "/settings/projects/{project}", 415}, // this is no form
		"GET " + forms.TokensPath:              {list, "", 200},
		"POST " + forms.TokensPath:             {list, "", 415},
		"GET " + forms.AuditPath:               {list, "", 200},
		"GET /builds/:id/share":                {build, "", 200},
		"POST /builds/:id/share":               {build, "", 415},
	}
	cells := 0
	for _, r := range s.routes() {
		sample, ok := samples[r.method+" "+r.path]
		if !ok {
			t.Errorf("%s %s: the matrix does not say how it is asked for", r.method, r.path)
			continue
		}
		methods := []string{r.method}
		if r.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		for n, caller := range callers {
			at := s
			if n >= openToAll {
				at = private
			}
			for _, method := range methods {
				want := caller.says(r.access, sample.about, method)
				if caller.name == ended && strings.HasPrefix(r.path, "/api/") { // to pages it is none
					want = both(401)
				}
				if caller.foreign && (r.from == here || r.method != http.MethodGet) {
					want = both(403)
				} else if r.access == public || r.access == anyone && want != both(401) {
					want = both(letIn)
				}
				for i := range projects {
					path := sample.path
					if path == "" {
						path = strings.Replace(r.path, ":id", "{build}", 1)
					}
					path = strings.NewReplacer("{build}", builds[i], "{project}", projects[i]).Replace(path)
					if caller.token != "" {
						path += map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "token=" + caller.token
					}
					status := want[i]
					if status == letIn {
						status = sample.letIn
					}
					cells++
					a := at.do(method, path, map[bool]string{true: "{", false: ""}[method == "POST" || method == "PATCH"], append([]string{"Content-Type: application/json"}, caller.headers...)...)
					cell := fmt.Sprintf("%s, as %s: %s", method, caller.name, path)
					if toSignIn := strings.HasPrefix(a.header.Get("Location"), forms.SignInPath+"?back="); isForm(r.path) && toSignIn && (status == 401 || caller.name == nobody || caller.name == ended || strings.HasPrefix(caller.name, linked)) {
						status = 303 // a person is sent there, whatever there is
					}
					if a.status != status {
						t.Errorf("%s: %d, want %d\n%.300s", cell, a.status, status, a.body)
					}
					if open := r.from == anywhere && caller.foreign || r.path == "/widgets.js" || r.path == "/embed.js"; (a.header.Get("Access-Control-Allow-Origin") == "*") != open || a.header.Get("Access-Control-Allow-Credentials") != "" {
						t.Errorf("%s: to scripts of other sites it says %q", cell, a.header["Access-Control-Allow-Origin"])
					}
					if hidden := strings.Contains(a.body, builds[1]) || strings.Contains(a.body, projects[1]); a.status == 200 && sample.about == list && showsProjects(r) && method == "GET" && hidden != caller.sees {
						t.Errorf("%s: of the private project it tells %v", cell, hidden)
					}
					if strings.Contains(caller.name, "status") && i == 1 && strings.Contains(a.body, marker) && sample.path != "/api/v1/builds/{build}/search?q="+marker {
						t.Errorf("%s: the log's text is in the answer", cell)
					}
					for _, secret := range []string{statusOnly, reads, reports, admins, reportsOne, readsOne, expired, revoked, other, opened, openedStatus} {
						if (secret == statusOnly || secret == other) && strings.HasPrefix(r.path, "/embed/") {
							continue // the frame's element reads with it
						}
						if strings.Contains(a.body, secret) || strings.Contains(fmt.Sprint(a.header), secret) {
							t.Errorf("%s: a token is in the answer", cell)
						}
					}
				}
			}
		}
	}
	t.Logf("%d cells", cells)
}

// showsProjects tells whether a route lists what there is of all projects.
func showsProjects(r route) bool {
	return slices.Contains([]string{"/api/v1/builds", "/api/v1/events", "/api/v1/projects", "/plain", "/cc.xml", "/builds.atom"}, r.path)
}

func withoutToken(a access, _, _ string) pair {
	if a == report || a == admin {
		return both(401)
	}
	return both(letIn)
}

func badToken(access, string, string) pair { return both(401) }
