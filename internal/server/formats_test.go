package server

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/postgres"
)

const elsewhere = "Sec-Fetch-Site: cross-site" // a stranger

// built makes a build of acme/api with a status and a step "test" of the same.
func (s *testServer) built(branch, status string) (path string) {
	s.t.Helper()
	build := s.create(fmt.Sprintf(`{"project":"acme/api","branch":%q,"title":"Mend <it> & \"that\"","author":"ann","commit":"c0ffee"}`, branch))
	if status != "queued" {
		s.update(build, fmt.Sprintf(`{"step":{"key":"test","status":%[1]q}},{"build":{"status":%[1]q}}`, status))
	}
	return build
}

// publish makes acme/api, with a first build, and lets anybody see it.
func (s *testServer) publish() {
	s.t.Helper()
	s.create(`{"project":"acme/api","branch":"first"}`)
	s.setVisibility("acme/api", "public")
}

// says is what a badge says when it is read out.
func (a answer) says() string {
	var svg struct {
		Role  string `xml:"role,attr"`
		Label string `xml:"aria-label,attr"`
	}
	if err := xml.Unmarshal([]byte(a.body), &svg); err != nil || svg.Role != "img" {
		return fmt.Sprintf("no badge: %v, %d %s", err, a.status, a.body)
	}
	return svg.Label
}

func TestBadge(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.built("main", "passed")
	s.built("main", "running")
	s.built("next", "failed")
	s.built("work", "running")
	for path, want := range map[string]string{
		"acme/api.svg":                               "acme/api: failed, running",
		"acme/api.svg?branch=main":                   "acme/api, main: passed, running",
		"acme/api.svg?branch=next":                   "acme/api, next: failed",
		"acme/api.svg?branch=work":                   "acme/api, work: running",
		"acme%2Fapi.svg?branch=next&step=test":       "acme/api, next, test: failed",
		"acme/api.svg?branch=main&step=test":         "acme/api, main, test: passed, running",
		"acme/api.svg?branch=next&style=flat-square": "acme/api, next: failed",
		"acme/api.svg?branch=nope":                   "acme/api, nope: unknown",
		"acme/api.svg?step=nope":                     "acme/api, nope: unknown",
		"acme/api.svg?step=a//b":                     "acme/api, a//b: unknown",
		"acme/none.svg":                              "acme/none: unknown",
		"ACME/api.svg":                               "ACME/api: unknown",
		"..svg":                                      ".: unknown",
		"acme/api.svg?style=neon":                    "build: unknown style",
		"acme/api.svg?brunch=main":                   "build: unknown parameter",
		"acme/api.svg?label=%FF":                     "build: malformed address",
		"acme/api.svg?label=%zz":                     "build: malformed address",
	} {
		a := s.get("/badge/" + path)
		if got := a.says(); got != want || a.status != 200 || a.header.Get("Cache-Control") != "no-cache" || a.header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
			t.Errorf("%s: %d %s, want %s", path, a.status, got, want)
		}
	}
	s.built("main", "queued")
	if got := s.get("/badge/acme/api.svg").says(); got != "acme/api: failed, queued" {
		t.Error(got)
	}
	if a := s.get("/badge/acme/api.svg?label=a+%3Cb%3E&branch=next"); !strings.Contains(a.body, ">a &lt;b&gt;</text>") {
		t.Error(a.body)
	}
	if a := s.get("/badge/acme/api.svg?label=&branch=next"); strings.Count(a.body, "<text ") != 1 {
		t.Errorf("an empty label is none: %s", a.body)
	}
	if a := s.get("/badge/acme/api"); a.status != 404 {
		t.Errorf("without .svg: %d", a.status)
	}
}

func TestBadge_AskedAgain(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish()
	build := s.built("main", "running")
	for _, path := range []string{"/badge/acme/api.svg", "/shields/acme/api.json", "/cc.xml", "/builds.atom", "/oembed?url=" + url.QueryEscape(s.url+strings.TrimPrefix(build, "/api/v1"))} {
		a := s.get(path)
		tag := a.header.Get("ETag")
		if a.status != 200 || tag == "" {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
		for _, match := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
			if b := s.get(path, "If-None-Match: "+match); b.status != 304 || b.body != "" || b.header.Get("ETag") != tag || !strings.HasSuffix(b.header.Get("Cache-Control"), "no-cache") {
				t.Errorf("%s, If-None-Match: %s: %d", path, match, b.status)
			}
		}
		if head := s.do("HEAD", path, ""); head.status != 200 || head.body != "" || head.header.Get("ETag") != tag || head.header.Get("Content-Length") != fmt.Sprint(len(a.body)) {
			t.Errorf("HEAD %s: %d %v", path, head.status, head.header)
		}
	}
	tag := s.get("/badge/acme/api.svg").header.Get("ETag")
	s.update(build, `{"build":{"status":"passed"}}`)
	if a := s.get("/badge/acme/api.svg", "If-None-Match: "+tag); a.status != 200 || a.says() != "acme/api: passed" {
		t.Errorf("after the end: %d %s", a.status, a.body)
	}
}

// TestFormats_Reach: what a caller may not see looks in every format as what is
// not there.
func TestFormats_Reach(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := strings.TrimPrefix(s.built("main", "passed"), "/api/v1")
	token := s.addToken(postgres.Token{Name: "portal", Scopes: []ci.Scope{ci.ScopeStatus}, Project: "acme/*"})
	other := s.addToken(postgres.Token{Name: "other", Scopes: []ci.Scope{ci.ScopeStatus}, Project: "other/*"})
	hidden := []string{elsewhere, "Origin: https://portal.example"}
	for _, path := range []string{"/badge/acme/api.svg", "/shields/acme/api.json", "/cc.xml", "/builds.atom"} {
		with := "?token="
		seen := s.get(path+with+token, hidden...)
		if seen.status != 200 || !strings.Contains(seen.body, "passed") && !strings.Contains(seen.body, "Success") || seen.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s with a token: %d %v %s", path, seen.status, seen.header, seen.body)
		}
		if strings.Contains(seen.body, token) {
			t.Errorf("%s repeats the token", path)
		}
		none := s.get(strings.Replace(path, "acme/api", "acme/none", 1), hidden...)
		for _, query := range []string{"", with + other} {
			a := s.get(path+query, hidden...)
			if a.status != 200 || strings.Contains(a.body, "Success") || strings.Contains(a.body, "passed") {
				t.Errorf("%s%s: %d %s", path, query, a.status, a.body)
			}
			if !strings.Contains(path, ".xml") && strings.ReplaceAll(a.body, "acme/api", "acme/none") != none.body {
				t.Errorf("%s%s is not like one that is not there:\n%s\n%s", path, query, a.body, none.body)
			}
		}
	}
	// A picture is a picture, whatever the token, and says that it is that which is no good.
	for _, refused := range []string{"stp_nonsense", s.tokenFor("acme/*", ci.ScopeRead)} {
		for _, project := range []string{"acme/api", "acme/none"} {
			if a := s.get("/badge/" + project + ".svg?token=" + refused); a.status != 200 || a.says() != project+": token refused" {
				t.Errorf("%d %s", a.status, a.body)
			}
		}
	}
	for _, path := range []string{"/cc.xml", "/builds.atom"} {
		if a := s.get(path + "?token=stp_nonsense"); a.status != 401 {
			t.Errorf("%s with a bad token: %d", path, a.status)
		}
	}
	for of, want := range map[string]int{
		build: 404, build + "?token=" + token: 200, "/embed/status/acme/api?token=" + token: 200, "/embed/status/acme/api?token=" + other: 404, "/?project=acme/api": 404,
	} {
		a := s.get("/oembed?url="+url.QueryEscape(s.url+of), hidden...)
		if a.status != want || want == 200 && !strings.Contains(a.body, "?token="+token) {
			t.Errorf("oembed of %s: %d, want %d: %s", of, a.status, want, a.body)
		}
	}
	// Whoever sees all here would embed what others do not see.
	for _, of := range []string{build, "/?project=acme/api", "/embed/log?project=acme/api"} {
		if a := s.get("/oembed?url=" + url.QueryEscape(s.url+of)); a.status != 401 {
			t.Errorf("oembed of %s: %d", of, a.status)
		}
		if a := s.get("/oembed?token=" + token + "&url=" + url.QueryEscape(s.url+of)); a.status != 200 || !strings.Contains(a.body, "token="+token) {
			t.Errorf("oembed of %s, with a token: %d %s", of, a.status, a.body)
		}
	}

	s.setVisibility("acme/api", "public")
	for path, want := range map[string]string{"/badge/acme/api.svg": "acme/api: passed", "/badge/acme/api.svg?token=stp_nonsense": "acme/api: passed", "/shields/acme/api.json": `"message":"passed"`, "/cc.xml": `"Success"`, "/builds.atom": "acme/api #1 passed", "/oembed?url=" + url.QueryEscape(s.url+"/?project=acme/api"): "/embed/board"} {
		if a := s.get(path, hidden...); a.status != 200 || !strings.Contains(a.body, want) {
			t.Errorf("%s of a public project: %d %s", path, a.status, a.body)
		}
	}
}

func TestShields(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.built("main", "failed")
	s.built("main", "running")
	for path, want := range map[string]string{
		"acme/api.json":                  `{"schemaVersion":1,"label":"build","message":"failed, running","color":"#b3212b","cacheSeconds":300}`,
		"acme%2Fapi.json?step=test":      `{"schemaVersion":1,"label":"test","message":"failed, running","color":"#b3212b","cacheSeconds":300}`,
		"acme/none.json?label=a%22%3Cb":  `{"schemaVersion":1,"label":"a\"\u003cb","message":"unknown","color":"#59636e","isError":true,"cacheSeconds":300}`,
		"acme/api.json?style=flat-squar": `{"schemaVersion":1,"label":"build","message":"unknown parameter","color":"#59636e","isError":true,"cacheSeconds":300}`,
	} {
		a := s.get("/shields/" + path)
		if a.status != 200 || strings.TrimSpace(a.body) != want || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s\nwant %s", path, a.status, a.body, want)
		}
	}
}

// TestCCTray holds cc.xml to what CCTray's description asks for:
// https://cctray.org/v1.
func TestCCTray(t *testing.T) {
	t.Parallel()
	s := start(t)
	entries := func(query string) map[string]string {
		t.Helper()
		a := s.get("/cc.xml" + query)
		var list struct {
			XMLName  xml.Name
			Projects []struct {
				Name     string    `xml:"name,attr"`
				Activity string    `xml:"activity,attr"`
				Status   string    `xml:"lastBuildStatus,attr"`
				Label    string    `xml:"lastBuildLabel,attr"`
				Time     time.Time `xml:"lastBuildTime,attr"`
				URL      string    `xml:"webUrl,attr"`
			} `xml:"Project"`
		}
		if err := xml.Unmarshal([]byte(a.body), &list); err != nil || a.status != 200 || list.XMLName.Local != "Projects" || a.header.Get("Content-Type") != "application/xml; charset=utf-8" {
			t.Fatalf("%s: %v, %d %s", query, err, a.status, a.body)
		}
		said := map[string]string{}
		for _, p := range list.Projects {
			if time.Since(p.Time).Abs() > time.Hour || p.Activity != "Sleeping" && p.Activity != "Building" {
				t.Errorf("%+v", p)
			}
			if path, ok := strings.CutPrefix(p.URL, s.url); !ok || s.get(path).status != 200 {
				t.Errorf("%s leads nowhere", p.URL)
			}
			said[p.Name] = strings.TrimSpace(p.Activity + " " + p.Status + " " + p.Label)
		}
		return said
	}
	want := func(query string, want map[string]string) {
		t.Helper()
		if got := entries(query); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	want("", map[string]string{})
	s.built("main", "queued")
	want("", map[string]string{"acme/api": "Building Unknown"})
	for status, word := range map[string]string{"passed": "Success", "failed": "Failure", "canceled": "Unknown", "skipped": "Unknown"} {
		s.built("main", status)
		for _, said := range entries("") {
			if !strings.HasPrefix(said, "Sleeping "+word+" ") {
				t.Errorf("%s: %s", status, said)
			}
		}
	}
	s.built(`a <"b">`, "passed")
	s.built("main", "failed")
	s.built("main", "running") // keeps the last result
	s.create(`{"project":"other","status":"running"}`)
	want("", map[string]string{"acme/api": "Building Failure 7", "other": "Building Unknown"})
	want("?project=acme/*&project=x", map[string]string{"acme/api": "Building Failure 7"})
	want("?project=acme/api&branch="+url.QueryEscape(`a <"b">`), map[string]string{"acme/api": "Sleeping Success 6"})
	want("?branch=none", map[string]string{})
	want("?each=branch", map[string]string{"acme/api (main)": "Building Failure 7", `acme/api (a <"b">)`: "Sleeping Success 6", "other": "Building Unknown"})
	for _, query := range []string{"?each=step", "?each=branch&branch=main", "?project=a//b", "?status=failed"} {
		if a := s.get("/cc.xml" + query); a.status != 400 {
			t.Errorf("%s: %d", query, a.status)
		}
	}
	if got := ccStatuses[ci.Lost]; got != "Exception" {
		t.Errorf("lost is %s", got)
	}
}

// What turns text around is shown by its number, where others show it.
func TestFormats_NothingTurnsText(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := strings.TrimPrefix(s.create(`{"project":"acme/turned","branch":"a\u202eb","title":"c\u2066d"}`), "/api/v1")
	s.setVisibility("acme/turned", "public")
	oembed := "/oembed?url=" + url.QueryEscape(s.url+build)
	for path, want := range map[string]string{
		"/cc.xml?each=branch":  `name="acme/turned (a\u202eb)"`,
		oembed + "&format=xml": `#1: c\u2066d</title>`,
		oembed:                 `#1: c\\u2066d"`,
	} {
		if a := s.get(path); !strings.Contains(a.body, want) || strings.ContainsAny(a.body, "\u202e\u2066") {
			t.Errorf("%s does not say %s: %s", path, want, a.body)
		}
	}
}

func TestAtom_IsNotUpdatedBeforeItWasPublished(t *testing.T) {
	t.Parallel()
	finished := time.Date(2026, 11, 22, 10, 0, 0, 430e6, time.UTC) // by its runner's clock
	e := newAtomEntry(ci.Build{CreatedAt: finished.Add(4 * time.Millisecond), FinishedAt: &finished}, "")
	if e.Published != "2026-11-22T10:00:00.434Z" || e.Updated != e.Published {
		t.Errorf("published %s, updated %s", e.Published, e.Updated)
	}
	finished = finished.Add(time.Second)
	if e = newAtomEntry(ci.Build{CreatedAt: finished.Add(-time.Second), FinishedAt: &finished}, ""); e.Updated != "2026-11-22T10:00:01.43Z" {
		t.Errorf("updated %s", e.Updated)
	}
}

func TestAtom(t *testing.T) {
	t.Parallel()
	s := start(t)
	read := func(path string) (f atomFeed) {
		t.Helper()
		a := s.get(path)
		if err := xml.Unmarshal([]byte(a.body), &f); err != nil || a.status != 200 || a.header.Get("Content-Type") != "application/atom+xml; charset=utf-8" {
			t.Fatalf("%s: %v, %d %s", path, err, a.status, a.body)
		}
		return f
	}
	link := func(links []atomLink, rel string) string {
		for _, l := range links {
			if l.Rel == rel {
				return strings.TrimPrefix(l.Href, s.url)
			}
		}
		return ""
	}
	empty := read("/builds.atom")
	if !strings.HasPrefix(empty.ID, "urn:uuid:") || empty.Entries != nil || link(empty.Links, "self") != "/builds.atom" || link(empty.Links, "alternate") != "/" {
		t.Errorf("%+v", empty)
	}
	for i := range feedEntries + 5 {
		status := []string{"passed", "failed"}[i%2]
		s.built([]string{"main", "next"}[i%5/4], status)
	}
	s.built("main", "running")
	f := read("/builds.atom")
	if f.ID != empty.ID || len(f.Entries) != feedEntries || f.Updated != f.Entries[0].Updated {
		t.Errorf("%s, %d entries, updated %s, not %s", f.ID, len(f.Entries), f.Updated, f.Entries[0].Updated)
	}
	e := f.Entries[0]
	if e.Title != `acme/api #55 passed: Mend <it> & "that"` || e.Author.Name != "ann" || !strings.Contains(e.Summary, "commit c0ffee") || s.get(link(e.Links, "alternate")).status != 200 {
		t.Errorf("%+v", e)
	}
	seen := map[string]bool{}
	last := time.Now().Add(time.Hour)
	for path := "/builds.atom"; path != ""; {
		f := read(path)
		if got := link(f.Links, "self"); got != path || f.ID != empty.ID {
			t.Errorf("%s is called %s, %s", path, got, f.ID)
		}
		for _, e := range f.Entries {
			at, err := time.Parse(time.RFC3339, e.Updated)
			if err != nil || at.After(last) || seen[e.ID] {
				t.Errorf("%+v after %s: %v", e, last, err)
			}
			last, seen[e.ID] = at, true
		}
		path = link(f.Links, "next")
	}
	if len(seen) != feedEntries+5 {
		t.Errorf("%d builds on all pages", len(seen))
	}
	s.write("/api/v1/builds", `{"project":"acme/turned","status":"passed","branch":"a\u202eb","title":"c\u2066d","author":"e\u202ef"}`)
	if e := read("/builds.atom?project=acme/turned").Entries[0]; !strings.Contains(e.Summary, `branch a\u202eb`) || !strings.HasSuffix(e.Title, `c\u2066d`) || e.Author.Name != `e\u202ef` {
		t.Errorf("what turns text around: %+v", e)
	}
	some := read("/builds.atom?status=failed&project=acme/*&branch=next")
	if len(some.Entries) == 0 || some.ID == empty.ID || some.Title != "Builds of acme/* on next: failed" || link(some.Links, "alternate") != "/?branch=next&project=acme%2F%2A&status=failed" {
		t.Errorf("%+v", some)
	}
	if again := read("/builds.atom?branch=next&project=acme/*&status=failed&project=acme/*"); again.ID != some.ID {
		t.Errorf("the same filter has the ids %s and %s", some.ID, again.ID)
	}
	for _, query := range []string{"?status=running", "?project=a//b", "?before=x", "?page=2"} {
		if a := s.get("/builds.atom" + query); a.status != 400 {
			t.Errorf("%s: %d", query, a.status)
		}
	}
}

func TestOEmbed(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish()
	build := strings.TrimPrefix(s.built("main", "passed"), "/api/v1")
	id := strings.TrimPrefix(build, "/builds/")
	ask := func(of, more string) answer { return s.get("/oembed?url=" + url.QueryEscape(of) + more) }
	source := regexp.MustCompile(`^<iframe src="([^"]*)" title="([^"]*)" width="(\d+)" height="(\d+)" sandbox="[a-z -]+" loading="lazy" frameborder="0" style="max-width:100%"></iframe>$`)
	for of, want := range map[string]string{
		build:                                   "/embed/steps/" + id,
		build + "#test:L3":                      "/embed/steps/" + id,
		"/?project=acme/api&status=failed":      "/embed/board?project=acme%2Fapi",
		"/?project=acme/*&branch=main":          "/embed/board?branch=main&amp;project=acme%2F%2A",
		"/embed/status/acme/api?branch=main":    "/embed/status/acme/api?branch=main",
		"/embed/status/acme%2Fapi?theme=dark":   "/embed/status/acme%2Fapi?theme=dark",
		"/embed/board":                          "/embed/board",
		"/embed/steps/" + id:                    "/embed/steps/" + id,
		"/embed/log/" + id + "/test?lines=5":    "/embed/log/" + id + "/test?lines=5",
		"/embed/log?project=acme/api&step=test": "/embed/log?project=acme%2Fapi&amp;step=test",
		`/embed/board?x="><script>alert(1)`:     "/embed/board?x=%22%3E%3Cscript%3Ealert%281%29",
	} {
		a := ask(s.url+of, "&format=json&dnt=true")
		var o oembedAnswer
		if err := json.Unmarshal([]byte(a.body), &o); err != nil || a.status != 200 || a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", of, a.status, a.body)
			continue
		}
		found := source.FindStringSubmatch(o.HTML)
		if found == nil || found[1] != s.url+want || o.Version != "1.0" || o.Type != "rich" || o.Title == "" || o.ProviderURL != s.url+"/" ||
			found[3] != fmt.Sprint(o.Width) || found[4] != fmt.Sprint(o.Height) {
			t.Errorf("%s: %+v\nwant %s", of, o, want)
		}
		var x oembedAnswer
		if a := ask(s.url+of, "&format=xml"); xml.Unmarshal([]byte(a.body), &x) != nil || x.HTML != o.HTML || x.Title != o.Title || !strings.HasPrefix(a.header.Get("Content-Type"), "text/xml") {
			t.Errorf("%s as XML: %d %s", of, a.status, a.body)
		}
	}
	var o oembedAnswer
	json.Unmarshal([]byte(ask(s.url+build, "&maxwidth=300&maxheight=9999").body), &o)
	if o.Width != 300 || o.Height != 400 || o.Title != `acme/api #2: Mend <it> & "that"` || !strings.Contains(o.HTML, `title="acme/api #2: Mend &lt;it&gt; &amp; &#34;that&#34;"`) {
		t.Errorf("%+v", o)
	}
	for _, c := range []struct {
		of, more string
		status   int
	}{
		{s.url + "/builds/" + ci.NewBuildID().String(), "", 404},
		{s.url + "/builds/x", "", 404},
		{s.url + "/", "", 404},
		{s.url + "/?project=acme/none", "", 404},
		{s.url + "/wall", "", 404},
		{s.url + "/embed", "", 404},
		{s.url + "/embed/status/a//b", "", 404},
		{"https://elsewhere.example" + build, "", 404},
		{"http://user@" + strings.TrimPrefix(s.url, "http://") + build, "", 404},
		{"javascript:alert(1)", "", 404},
		{"", "", 400},
		{s.url + build, "&format=yaml", 501},
		{s.url + build, "&maxwidth=wide", 400},
	} {
		if a := ask(c.of, c.more); a.status != c.status {
			t.Errorf("%s%s: %d, want %d", c.of, c.more, a.status, c.status)
		}
	}
}

// TestPages_Alternates follows what the pages say of their other forms, as
// consumers do.
func TestPages_Alternates(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish()
	build := strings.TrimPrefix(s.built("main", "passed"), "/api/v1")
	tags := regexp.MustCompile(`<link rel="alternate" type="([^"]+)" href="([^"]+)" />`)
	for path, want := range map[string]int{build: 3, "/": 1, "/?project=acme/*&branch=main": 3, "/?project=acme/*&status=failed": 3, "/?project=acme/*&status=running": 2, "/?project=acme/none": 0, "/?project=%22%3E": 0, "/wall": 0, "/builds/" + ci.NewBuildID().String(): 0} {
		a := s.get(path, "Accept: text/html")
		found := tags.FindAllStringSubmatch(a.body, -1)
		if a.status != 200 || len(found) != want || len(a.header.Values("Link")) != want {
			t.Errorf("%s: %d, %v, %v", path, a.status, found, a.header.Values("Link"))
		}
		for i, tag := range found {
			href := strings.ReplaceAll(tag[2], "&amp;", "&")
			if b := s.get(strings.TrimPrefix(href, s.url)); b.status != 200 || a.header.Values("Link")[i] != fmt.Sprintf(`<%s>; rel="alternate"; type="%s"`, href, tag[1]) {
				t.Errorf("%s: %s: %d %s", path, href, b.status, b.body)
			}
		}
	}
	// Whoever may not see a build is told nothing of it.
	private := strings.TrimPrefix(s.create(`{"project":"private"}`), "/api/v1")
	if a := s.get(private, "Authorization: Bearer "+s.addToken(postgres.Token{Name: "other", Scopes: []ci.Scope{ci.ScopeRead}, Project: "other"})); a.status != 200 || a.header.Get("Link") != "" {
		t.Errorf("%d %v", a.status, a.header.Values("Link"))
	}
}

func TestFormats_Addresses(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.publish()
	build := strings.TrimPrefix(s.built("main", "passed"), "/api/v1")
	s.cfg.Open = true
	for _, path := range []string{"/cc.xml", "/builds.atom"} {
		if a := s.get(path, "Host: ci.example:8080"); a.status != 200 || !strings.Contains(a.body, `"http://ci.example:8080/`) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
		for _, host := range []string{`a'b`, "a;b", "a,b", "a(b)", "[::1]x", "a&b"} {
			if a := s.get(path, "Host: "+host); a.status != 421 && a.status != 400 || strings.Contains(a.body, "//"+host) {
				t.Errorf("%s, Host: %s: %d %s", path, host, a.status, a.body)
			}
		}
	}
	if a := s.get(build, "Host: a&b"); a.status != 200 || a.header.Get("Link") != "" {
		t.Errorf("a page: %d %v", a.status, a.header)
	}
	s.cfg.PublicURL = "https://ci.example"
	for _, path := range []string{"/cc.xml", "/builds.atom", "/oembed?url=https%3A%2F%2Fci.example" + url.QueryEscape(build), "/oembed?url=" + url.QueryEscape(s.url+build)} {
		if a := s.get(path, "X-Forwarded-Proto: ftp", "X-Forwarded-Host: evil.example"); a.status != 200 || !strings.Contains(a.body, `https://ci.example/`) || strings.Contains(a.body, "evil") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

// TestFormats_Documented asks for every address that docs/badges.md gives.
func TestFormats_Documented(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.create(`{"project":"acme/api","branch":"main","id":"0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10","status":"running"}`)
	s.setVisibility("acme/api", "public")
	s.update("/api/v1/builds/0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10", `{"step":{"key":"test/linux","status":"passed"}},{"build":{"status":"passed"}}`)
	s.cfg.PublicURL = "https://ci.example"
	text, err := os.ReadFile("../../docs/badges.md")
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, match := range regexp.MustCompile("https://ci\\.example(/[^\\s\"`)\\[]+)").FindAllStringSubmatch(string(text), -1) {
		paths = append(paths, html.UnescapeString(match[1]))
	}
	for _, match := range regexp.MustCompile(`url=(https%3A%2F%2Fci\.example[^&)]+)&style`).FindAllStringSubmatch(string(text), -1) {
		path, err := url.QueryUnescape(match[1])
		if err != nil {
			t.Error(err)
		}
		paths = append(paths, strings.TrimPrefix(path, s.cfg.PublicURL))
	}
	if len(paths) < 12 {
		t.Errorf("only %d addresses: %v", len(paths), paths)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "/*") || path == "/oembed" { // a scheme, an endpoint
			continue
		}
		a := s.get(path)
		if a.status != 200 || strings.HasPrefix(path, "/badge/") && a.says() != "acme/api, main: passed" || strings.HasPrefix(path, "/shields/") && !strings.Contains(a.body, `"message":"passed"`) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}
