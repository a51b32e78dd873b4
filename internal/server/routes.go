package server

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/forms"
	"github.com/stepcast/stepcast/internal/page"
	"github.com/stepcast/stepcast/web"
)

// A route is a method, a path, whose pages may use it, what it asks of its
// caller, and who answers.
type route struct {
	method, path string
	from         origin
	access       access
	handler      echo.HandlerFunc
}

// routes is the whole HTTP surface. A route that is not listed does not exist,
// and none can be listed without saying who may use it: pages of this server and
// programs here, pages of any site too anywhere. GET routes answer HEAD
// too. The star is a step's key, slashes and all.
func (s *Server) routes() []route {
	return []route{
		// Writing
		{"POST", "/api/v1/builds", here, report, s.createBuild},
		{"POST", "/api/v1/builds/:id/updates", here, report, s.build(s.postUpdates)},
		{"PATCH", "/api/v1/builds/:id/steps/*/log", here, report, s.build(s.patchLog)},
		{"POST", exchangePath, here, public, s.exchange}, // its body shows who asks

		// Reading
		{"GET", "/api/v1/builds", anywhere, status, s.inTurn(s.lists, s.listBuilds)},
		{"GET", "/api/v1/builds/latest", anywhere, status, s.inTurn(s.lists, s.latestBuild)},
		{"GET", "/api/v1/builds/:id", anywhere, progress, s.inTurn(s.builds, s.build(s.getBuild))},
		{"GET", "/api/v1/builds/:id/search", anywhere, read, s.build(s.searchBuild)},
		{"GET", "/api/v1/builds/:id/events", anywhere, status, s.resumed(s.build(s.buildEvents))},
		{"GET", "/api/v1/builds/:id/notes", anywhere, read, s.inTurn(s.builds, s.build(s.listNotes))},
		{"GET", "/api/v1/builds/:id/steps/*/lines", anywhere, read, s.inTurn(s.logs, s.build(s.getLines))},
		{"GET", "/api/v1/builds/:id/steps/*/log", anywhere, uploaded, s.inTurn(s.logs, s.build(s.getLog))},
		{"GET", "/api/v1/events", anywhere, status, s.feedEvents},
		{"GET", "/api/v1/streams", anywhere, status, s.streams},
		{"GET", "/api/v1/projects", anywhere, status, s.inTurn(s.lists, s.listProjects)},
		{"GET", "/api/v1/projects/*", anywhere, settings, s.getProject}, // …/{project}

		// Administration
		{"PATCH", "/api/v1/projects/*", here, admin, s.patchProject},
		{"POST", "/api/v1/tokens", here, admin, s.createToken},
		{"GET", "/api/v1/tokens", here, admin, s.listTokens},
		{"DELETE", "/api/v1/tokens/:token", here, admin, s.revokeToken},
		{"POST", "/api/v1/builds/:id/links", here, admin, s.build(s.createLink)},
		{"GET", "/api/v1/builds/:id/links", here, admin, s.build(s.listLinks)},
		{"DELETE", "/api/v1/links/:link", here, admin, s.revokeLink},
		{"GET", "/api/v1/audit", here, admin, s.listAudit},

		// The same in formats of others
		{"GET", "/badge/*", anywhere, public, s.badge},     // …/{project}.svg
		{"GET", "/shields/*", anywhere, public, s.shields}, // …/{project}.json
		{"GET", "/cc.xml", anywhere, status, s.inTurn(s.lists, s.cctray)},
		{"GET", "/builds.atom", anywhere, status, s.inTurn(s.lists, s.atom)},
		{"GET", "/oembed", anywhere, public, s.inTurn(s.lists, s.oembed)},

		// Operations, and what explains the rest
		{"GET", "/healthz", here, public, s.healthz},
		{"GET", "/readyz", here, public, s.readyz},
		{"GET", "/api/v1/openapi.json", anywhere, public, s.openapi},
		{"GET", problemsPath, here, public, s.listProblems},
		{"GET", problemsPath + ":code", here, public, s.explain},

		// Pages
		{"GET", "/", here, public, s.page},
		{"GET", "/builds/:id", here, public, s.buildPage},
		{"GET", "/wall", here, public, s.wall},
		{"GET", "/assets/*", here, public, s.asset},
		{"GET", page.StylePath, here, public, s.style},

		// People
		{"GET", signInPath, here, public, s.signInPage},
		{"POST", signInPath, here, public, s.signIn},
		{"GET", signInPath + "/oidc", here, public, s.toProvider},
		{"GET", callbackPath, here, public, s.fromProvider},
		{"POST", "/sign-out", here, public, s.signOut},
		{"GET", "/api/v1/me", here, anyone, s.me},

		// Who may see what, without JavaScript
		{"GET", forms.SettingsPath, here, anyone, s.settingsPage},
		{"GET", forms.SettingsPath + "/projects/*", here, settings, s.projectPage}, // …/{project}
		{"POST", forms.SettingsPath + "/projects/*", here, admin, s.postProject},
		{"GET", forms.TokensPath, here, admin, s.tokensPage},
		{"POST", forms.TokensPath, here, admin, s.postTokens},
		{"GET", forms.AuditPath, here, admin, s.auditPage},
		{"GET", "/builds/:id/share", here, admin, s.build(s.sharePage)},
		{"POST", "/builds/:id/share", here, admin, s.build(s.postShare)},

		// For pages of others
		{"GET", "/widgets.js", anywhere, public, script(web.Widgets)},
		{"GET", "/embed.js", anywhere, public, script(web.FrameHeights)},
		{"GET", "/embed", here, public, s.gallery},
		{"GET", "/embed/status/*", anywhere, public, s.embedStatus}, // …/{project}
		{"GET", "/embed/board", anywhere, public, s.inTurn(s.lists, s.embedBoard)},
		{"GET", "/embed/steps", anywhere, public, s.embedBuild("steps")},
		{"GET", "/embed/steps/:id", anywhere, public, s.embedBuild("steps")},
		{"GET", "/embed/log", anywhere, public, s.embedBuild("log")},
		{"GET", "/embed/log/:id", anywhere, public, s.embedBuild("log")},
		{"GET", "/embed/log/:id/*", anywhere, public, s.embedBuild("log")}, // …/{key}

		// The same without JavaScript
		{"GET", "/plain", here, status, s.inTurn(s.lists, s.plainBuilds)},
		{"GET", "/plain/builds/:id", here, read, s.inTurn(s.builds, s.build(s.plainBuild))},
		{"GET", "/plain/builds/:id/steps/*", here, read, s.inTurn(s.logs, s.build(s.plainLog))}, // …/{key}
	}
}

// router puts the routes behind the guard.
func (s *Server) router() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.answer
	e.Use(s.readOn, s.observe, s.unproxy, s.headers, s.recover, s.orUnavailable, paced, s.guard)
	behind := make(map[string]ends) // a star, by method and address up to it
	for _, r := range s.routes() {
		h := s.check(r)
		if path, end, goesOn := strings.Cut(r.path, "*/"); goesOn {
			r.path = path + "*"
			address := r.method + " " + r.path
			if behind[address] == nil {
				behind[address] = ends{}
			}
			behind[address][end] = h
			h = behind[address].dispatch
		}
		e.Add(r.method, r.path, h)
		if r.method == http.MethodGet {
			e.Add(http.MethodHead, r.path, h)
		}
		if r.from == anywhere {
			e.Add(http.MethodOptions, r.path, preflight)
		}
	}
	return e
}

// ends are the routes that go on behind a star, by their last segment. To Echo
// they are one route, whose star takes in the rest of the address.
type ends map[string]echo.HandlerFunc

func (of ends) dispatch(c echo.Context) error {
	key, end, err := belowStep(c)
	if err != nil {
		return err
	}
	if h := of[end]; h != nil {
		return h(c)
	}
	if end == "" { // the slash is what is wrong
		return nothingHere(c.Request())
	}
	if strings.HasSuffix(key, "/log") { // so it was, before curl completed it
		return &ci.Problem{Code: ci.NotFound, Detail: "There is nothing at this address; a step's log is at …/steps/{key}/log, without a slash behind it, where curl -T adds the name of its file."}
	}
	return &ci.Problem{Code: ci.NotFound, Detail: "There is nothing at this address; a step's log is at …/steps/{key}/log, lines of it are at …/steps/{key}/lines, and what happens to it goes to the build's …/updates with POST."}
}

// stepKey reads the {key} of …/steps/{key}/…, with plain or escaped slashes.
func stepKey(c echo.Context) (ci.StepKey, error) {
	key, _, err := belowStep(c)
	if err != nil {
		return "", err
	}
	if err := ci.CheckStepKey(key); err != nil {
		return "", err
	}
	return ci.StepKey(key), nil
}

// belowStep cuts what follows …/steps/ before its last segment.
func belowStep(c echo.Context) (key, end string, err error) {
	rest, ok := star(c)
	if !ok {
		return "", "", &ci.Problem{Code: ci.Invalid, Field: "key", Detail: "The step key in the address is not escaped correctly."}
	}
	i := max(0, strings.LastIndexByte(rest, '/'))
	return rest[:i], strings.TrimPrefix(rest[i:], "/"), nil
}

// star is what the star of a route stands for, with plain or escaped slashes;
// ok is false when it is not escaped correctly.
func star(c echo.Context) (rest string, ok bool) {
	rest = c.Param("*")
	if c.Request().URL.RawPath == "" {
		return rest, true
	}
	rest, err := url.PathUnescape(rest) // then Echo matched the escaped path
	return rest, err == nil
}
