package server

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

func loadOpenAPI(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapiJSON)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestOpenAPI_Routes holds the document to the routes and the problems, both
// ways.
func TestOpenAPI_Routes(t *testing.T) {
	t.Parallel()
	doc := loadOpenAPI(t)
	described := map[string]string{} // what it says of tokens
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			described[method+" "+path] = needed(op.Security)
		}
	}
	for _, r := range New(Config{}).routes() {
		path := strings.Replace(r.path, "/steps/*", "/steps/{key}", 1)
		path = strings.NewReplacer("/projects/*", "/projects/{project}", "/badge/*", "/badge/{project}.svg", "/shields/*", "/shields/{project}.json").Replace(path)
		path = regexp.MustCompile(`:id`).ReplaceAllString(path, "{build_id}")
		path = regexp.MustCompile(`:(\w+)`).ReplaceAllString(path, "{$1}")
		said, ok := described[r.method+" "+path]
		switch page := path == "/" || path == "/wall" || path == "/widgets.js" || strings.HasPrefix(path, "/embed") || strings.HasPrefix(path, "/builds/") || strings.HasPrefix(path, "/assets/") || strings.HasPrefix(path, "/plain") || strings.HasPrefix(path, "/style-") || strings.HasPrefix(path, "/sign-") || strings.HasPrefix(path, "/settings"); {
		case page:
		case !ok:
			t.Errorf("%s %s is not described", r.method, path)
		case r.access == public && said != "none", r.access.needsGrant() && said != "token", r.access != public && !r.access.needsGrant() && said != "none or token or status_token":
			t.Errorf("%s %s: a token is described as %s", r.method, path, said)
		}
		delete(described, r.method+" "+path)
	}
	for route := range described {
		t.Errorf("%s is described but does not exist", route)
	}
	types := map[any]bool{}
	for _, v := range doc.Components.Schemas["Problem"].Value.Properties["type"].Value.Enum {
		types[v] = true
	}
	for code := range problems {
		if typ := "/problems/" + string(code); !types[typ] {
			t.Errorf("%s is not described", typ)
		} else {
			delete(types, typ)
		}
	}
	for typ := range types {
		t.Errorf("%s is described but does not exist", typ)
	}
}

// needed is how a request may be authorized, by the description.
func needed(by *openapi3.SecurityRequirements) string {
	if by == nil {
		return "none"
	}
	var ways []string
	for _, way := range *by {
		names := slices.Collect(maps.Keys(way))
		ways = append(ways, cmp.Or(strings.Join(names, " and "), "none"))
	}
	return strings.Join(ways, " or ")
}

// closeAnswers lets no object of an answer have members that the document does
// not name: clients put up with those, and here they are members that were
// forgotten. What is put together of several parts knows only its own members,
// so it is made one object of all of theirs.
func closeAnswers(t *testing.T, doc *openapi3.T) {
	t.Helper()
	seen := make(map[*openapi3.Schema]bool)
	var walk func(*openapi3.SchemaRef)
	walk = func(schema *openapi3.SchemaRef) {
		if schema == nil || seen[schema.Value] {
			return
		}
		s := schema.Value
		seen[s] = true
		walk(s.Items)
		walk(s.AdditionalProperties.Schema)
		for _, member := range s.Properties {
			walk(member)
		}
		for _, part := range s.AllOf {
			walk(part)
			if len(part.Value.Properties) == 0 {
				t.Error("a part of an answer is no object, and lost here")
			}
			if s.Properties == nil {
				s.Properties = make(openapi3.Schemas)
			}
			maps.Copy(s.Properties, part.Value.Properties)
			s.Required = append(s.Required, part.Value.Required...)
		}
		s.AllOf = nil
		if len(s.AnyOf)+len(s.OneOf) > 0 {
			t.Error("an answer may be one of several, which are not closed here")
		}
		if len(s.Properties) > 0 && s.AdditionalProperties.Has == nil && s.AdditionalProperties.Schema == nil {
			s.AdditionalProperties.Has = new(bool)
		}
	}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for _, response := range op.Responses.Map() {
				for _, media := range response.Value.Content {
					walk(media.Schema)
				}
			}
		}
	}
}

// TestOpenAPI_Answers holds real requests and answers to the document.
func TestOpenAPI_Answers(t *testing.T) {
	t.Parallel()
	doc := loadOpenAPI(t)
	closeAnswers(t, doc)
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"application/xml", "application/atom+xml", "text/xml", "image/svg+xml"} {
		openapi3filter.RegisterBodyDecoder(text, openapi3filter.FileBodyDecoder)
	}
	s := startForJobs(t, "github:acme/*")
	build := s.finished("acme/api")
	small := startWith(t, postgres.Config{URL: pgtest.New(t), BuildLog: 10}, Config{})
	cut := small.create(`{"project":"acme/api","trigger":"push"}`)
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", cut + "/updates", `{"updates":[` + logText("test", 0, "more than ten bytes") + `]}`, 200},
		{"GET", cut + "/steps/test/lines", "", 200},
		{"POST", "/api/v1/builds", `{"project":"acme/api","branch":null,"title":"t","status":"running","steps":[{"key":"a","name":"A","needs":["b"]},{"key":"b"}]}`, 201},
		{"POST", "/api/v1/builds", `{"project":"a//b"}`, 400},
		{"POST", "/api/v1/builds", `{"project":"web"}`, 201},
		{"POST", build + "/updates", `{"updates":[{"build":{"title":"x","author":null}},{"step":{"key":"test","exit_code":2}}]}`, 200},
		{"POST", build + "/updates", `{"updates":[{"build":{"status":"passed"}}]}`, 409},
		{"POST", build + "/updates", `{"updates":[{"log":{"step":"test","offset":1000,"text":"x"}}]}`, 409},
		{"POST", build + "/updates", `{"updates":[{"note":{"step":"test","number":2,"line":1,"group":{"name":"g","level":1,"folded":true}}},{"note":{"step":"test","number":3,"line":2,"annotation":{"level":"error","message":"m","file":"a.go","file_line":3}}},
			{"note":{"step":"test","number":4,"line":null,"test":{"name":"t","status":"failed","duration_s":0.5}}},{"note":{"step":"test","number":5,"group_end":{"group":2,"duration_s":1}}}]}`, 200},
		{"POST", build + "/updates", `{"updates":[{"note":{"step":"test","number":7,"test":{"name":"t","status":"passed"}}}]}`, 409},
		{"POST", build + "/updates", `{"updates":[{"step":{"key":"test","reporter":"job 1"}}]}`, 200},
		{"POST", build + "/updates", `{"updates":[{"step":{"key":"test","reporter":"job 2"}}]}`, 409},
		{"GET", build + "/notes", "", 200},
		{"GET", build + "/notes?limit=1&kind=group&kind=test", "", 200},
		{"GET", build + "/notes?after=x", "", 400},
		{"GET", build + "/search?q=x&step=test&limit=1", "", 200},
		{"GET", build + "/search?q=(x&regex=true", "", 400},
		{"GET", "/api/v1/builds?limit=1&project=acme/*", "", 200},
		{"GET", "/api/v1/builds/latest?project=acme/api", "", 302},
		{"GET", build, "", 200},
		{"GET", build + "/events", "", 200},
		{"GET", build + "/events?after=x&limit=3", "", 200},
		{"GET", build + "/steps/build/lines", "", 200},
		{"GET", build + "/steps/test/lines?tail=1", "", 200},
		{"GET", build + "/steps/test/lines?from=0", "", 400},
		{"GET", build + "/steps/test/log", "", 200},
		{"GET", build + "/steps/none/log", "", 404},
		{"GET", "/api/v1/events", "", 200},
		{"GET", "/api/v1/projects", "", 200},
		{"GET", "/api/v1/projects/web", "", 200},
		{"PATCH", "/api/v1/projects/web", `{"visibility":"public","frame_ancestors":["https://portal.example"]}`, 200},
		{"PATCH", "/api/v1/projects/web", `{"frame_ancestors":null}`, 200},
		{"PATCH", "/api/v1/projects/none", `{"visibility":"public"}`, 404},
		{"POST", "/api/v1/tokens", `{"name":"portal","project":"acme/*","scopes":["status"],"expires_at":"2126-11-22T10:00:00Z"}`, 201},
		{"POST", "/api/v1/tokens", `{"project":"acme/*","scopes":["status"],"expires_in":3600}`, 201},
		{"POST", "/api/v1/tokens", `{"project":"acme","scopes":["write"]}`, 400},
		{"GET", "/api/v1/tokens", "", 200},
		{"GET", "/api/v1/tokens?limit=1&before=x", "", 400},
		{"GET", "/api/v1/audit?project=acme/*&limit=1", "", 200},
		{"POST", build + "/links", `{"scope":"status","expires_in":3600}`, 201},
		{"POST", build + "/links", `{"expires_in":3600,"expires_at":"2126-11-22T10:00:00Z"}`, 400},
		{"GET", build + "/links?limit=1", "", 200},
		{"DELETE", "/api/v1/links/0123456789abcdef", "", 404},
		{"GET", "/api/v1/audit?project=*/api", "", 400},
		{"GET", "/api/v1/me", "", 200},
		{"DELETE", "/api/v1/tokens/0123456789abcdef", "", 404},
		{"POST", "/api/v1/exchange", `{"jwt":"a.b.c","project":"acme/api","build":"018f2d5e-7c3a-7d2b-9f6f-2f1c7a10b3c4"}`, 401},
		{"POST", "/api/v1/exchange", `{"jwt":"` + s.github.Sign(githubClaims) + `","project":"acme/api","build":"` + githubBuild(4711, 1, 0).String() + `","token":"` + ci.NewToken() + `"}`, 201},
		{"POST", "/api/v1/exchange", `{"jwt":"` + s.github.Sign(githubClaims) + `","project":"acme/api","build":"` + githubBuild(4711, 1, 1).String() + `"}`, 401},
		{"GET", "/badge/acme%2Fapi.svg?branch=main&label=x&style=flat-square", "", 200},
		{"GET", "/shields/acme%2Fapi.json?step=test", "", 200},
		{"GET", "/shields/none.json", "", 200},
		{"GET", "/cc.xml?project=acme/*&each=branch", "", 200},
		{"GET", "/cc.xml?each=step", "", 400},
		{"GET", "/builds.atom?status=passed", "", 200},
		{"GET", "/builds.atom?status=running", "", 400},
		{"GET", "/oembed?url=" + url.QueryEscape(s.url+strings.TrimPrefix(build, "/api/v1")), "", 401},
		{"GET", "/oembed?url=" + url.QueryEscape(s.url+"/?project=web"), "", 200},
		{"GET", "/oembed?format=yaml&url=x", "", 501},
		{"GET", "/oembed?url=x", "", 404},
		{"GET", "/api/v1/openapi.json", "", 200},
		{"GET", "/healthz", "", 200},
		{"GET", "/problems/", "", 200},
		{"GET", "/problems/log-gap", "", 200},
	} {
		at := s.testServer
		if strings.HasPrefix(c.path, cut) {
			at = small
		}
		a := at.do(c.method, c.path, c.body, "Content-Type: application/json", "Authorization: Bearer "+at.token)
		if a.status != c.status {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.status, a.body)
		}
		req, _ := http.NewRequest(c.method, c.path, strings.NewReader(c.body))
		req.Header.Set("Content-Type", "application/json")
		route, params, err := router.FindRoute(req)
		for path, item := range doc.Paths.Map() { // what ends in a suffix the router does not know
			if head, suffix, ok := strings.Cut(path, "{project}"); ok && strings.HasPrefix(c.path, head) {
				project, _ := strings.CutSuffix(strings.TrimPrefix(req.URL.Path, head), suffix)
				route, err = &routers.Route{Spec: doc, Path: path, PathItem: item, Method: c.method, Operation: item.GetOperation(c.method)}, nil
				params = map[string]string{"project": project}
			}
		}
		if err != nil {
			t.Errorf("%s %s: %v", c.method, c.path, err)
			continue
		}
		in := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}}
		if err := openapi3filter.ValidateRequest(t.Context(), in); (err != nil) && c.status < 400 {
			t.Errorf("%s %s: the request is not as described: %v", c.method, c.path, err)
		}
		out := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: a.status, Header: a.header, Options: in.Options,
			Body: io.NopCloser(strings.NewReader(a.body))}
		if err := openapi3filter.ValidateResponse(t.Context(), out); err != nil {
			t.Errorf("%s %s: the answer is not as described: %v\n%s", c.method, c.path, err, fmt.Sprintf("%.300s", a.body))
		}
	}
}
