package server

import (
	"fmt"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/stepcast/stepcast/internal/page"
	"github.com/stepcast/stepcast/internal/plain"
)

// plainPath is where the accessible view shows a build.
func plainPath(build string) string { return strings.Replace(build, "/api/v1", plain.Root, 1) }

var shownLine = regexp.MustCompile(`(?s)<li(?: id="L(\d+)")?[^>]*>(?:<strong.*?</strong> )?<span class="text">(.*?)</span>`)

// lines returns the lines of a page of a log, numbers and texts.
func (a answer) lines() (numbers, texts []string) {
	for _, match := range shownLine.FindAllStringSubmatch(a.body, -1) {
		numbers, texts = append(numbers, match[1]), append(texts, html.UnescapeString(match[2]))
	}
	return numbers, texts
}

// href is where the link with a text leads; empty: there is none.
func (a answer) href(text string) string {
	match := regexp.MustCompile(`<a(?: rel="\w+")? href="([^"]*)"[^>]*>` + regexp.QuoteMeta(text) + `</a>`).FindStringSubmatch(a.body)
	if match == nil {
		return ""
	}
	return html.UnescapeString(match[1])
}

func TestPlain_EveryLineOnce(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	var text strings.Builder
	for i := 1; i <= 2500; i++ {
		fmt.Fprintf(&text, "\x1b[3%dmline %d <&>\x1b[0m\n", i%8, i)
	}
	whole := text.String()
	// In pieces that end in the middle of lines, escape sequences included.
	for at := 0; at < len(whole); at += 20_011 {
		s.update(build, logText("test/linux", at, whole[at:min(at+20_011, len(whole))]))
	}
	log := plainPath(build) + "/steps/test/linux"
	var numbers, texts []string
	pages := 0
	for next := log; next != ""; pages++ {
		a := s.get(next)
		if a.status != 200 {
			t.Fatalf("%s: %d %s", next, a.status, a.body)
		}
		n, s := a.lines()
		numbers, texts = append(numbers, n...), append(texts, s...)
		next = a.href("Next page")
	}
	if pages != 3 || len(numbers) != 2500 {
		t.Fatalf("%d lines on %d pages", len(numbers), pages)
	}
	for i, number := range numbers {
		if number != fmt.Sprint(i+1) || texts[i] != fmt.Sprintf("line %d <&>", i+1) {
			t.Fatalf("line %d has the number %s and is %q", i+1, number, texts[i])
		}
	}
	last := s.get(s.get(log).href("Last page"))
	if n, _ := last.lines(); n[0] != "2001" || last.href("Next page") != "" || last.href("Previous page") != log+"?from=1001" || last.href("First page") != log+"?from=1" {
		t.Errorf("the last page begins with line %s: %s", n[0], last.body)
	}
	for query, want := range map[string]string{"?line=1": "?from=1#L1", "?line=1000": "?from=1#L1000", "?line=1001": "?from=1001#L1001", "?line=2500&times=1": "?from=2001&times=1#L2500"} {
		if a := s.get(log + query); a.status != 303 || a.header.Get("Location") != log+want {
			t.Errorf("%s: %d, %s", query, a.status, a.header.Get("Location"))
		}
	}
	if a := s.get(strings.Replace(log, "test/linux", "test%2Flinux", 1)); a.status != 200 {
		t.Errorf("with an escaped slash: %d", a.status)
	}
}

func TestPlain_HolesAndLongLines(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	lost := func(offset, bytes int) string {
		return fmt.Sprintf(`{"log":{"step":"a","offset":%d,"lost":%d}}`, offset, bytes)
	}
	s.update(build, lost(0, 2)+","+logText("a", 2, "one\ntw")+","+lost(8, 4096)+","+logText("a", 4104, "o\nthree\n")+","+lost(4112, 5))
	log := plainPath(build) + "/steps/a"
	marks := regexp.MustCompile(`(\d[\d,]*) bytes of the log are missing|<span class="text">(\w+)<`)
	show := func(a answer) (said []string) {
		for _, m := range marks.FindAllStringSubmatch(a.body, -1) {
			said = append(said, m[1]+m[2])
		}
		return said
	}
	for query, want := range map[string]string{"": "2 one tw 4,096 o three 5", "?from=2": "tw 4,096 o three 5", "?from=3": "three 5"} {
		a := s.get(log + query)
		if got := strings.Join(show(a), " "); got != want || a.href("Next page") != "" {
			t.Errorf("%q: %s, want %s, and no page after it", query, got, want)
		}
	}
	s.update(build, `{"log":{"step":"c","offset":0,"lost":7}}`)
	if a := s.get(plainPath(build) + "/steps/c"); strings.Join(show(a), " ") != "7" || !strings.Contains(a.body, "<h2>1 line</h2>") {
		t.Errorf("nothing but a hole: %s", a.body)
	}
	// Lines of 3 MiB: a page ends with the one that fills it.
	at := 0
	for _, r := range "xyz" {
		for i := range 6 {
			piece := strings.Repeat(string(r), 512<<10)
			if i == 5 {
				piece += "\n"
			}
			s.update(build, logText("b", at, piece))
			at += len(piece)
		}
	}
	s.update(build, logText("b", at, "end"))
	log = plainPath(build) + "/steps/b"
	var pages []string
	for next := log; next != ""; {
		a := s.get(next)
		numbers, texts := a.lines()
		for _, text := range texts {
			if len(text) > 10_000 {
				t.Errorf("a line of %d bytes", len(text))
			}
		}
		if whole := a.href("Line 2 is longer: all of it"); next == log && s.get(whole).body != strings.Repeat("y", 3<<20)+"\n" {
			t.Errorf("the whole line is not at %q", whole)
		}
		pages = append(pages, strings.Join(numbers, " "))
		next = a.href("Next page")
		if early := strings.Contains(a.body, "The page ends here"); early != (next != "") {
			t.Errorf("that a page ends early is said: %v", early)
		}
	}
	if got := strings.Join(pages, "; "); got != "1 2; 3 4" {
		t.Errorf("the pages have the lines %s", got)
	}
	for query, want := range map[string]string{"?line=2": "?from=1#L2", "?line=3": "?from=3#L3", "?line=4&times=1": "?from=4&times=1#L4"} {
		if a := s.get(log + query); a.status != 303 || a.header.Get("Location") != log+want {
			t.Errorf("%s leads to %q, want %q", query, a.header.Get("Location"), want)
		}
	}
}

func TestPlain_Notes(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"acme/api","title":"<b>","steps":[{"key":"a"},{"key":"b"},{"key":"c"}]}`)
	notes := func(step string, notes ...string) {
		for i, n := range notes {
			notes[i] = fmt.Sprintf(`{"note":{"step":%q,"number":%d,%s}}`, step, i, n)
		}
		s.update(build, strings.Join(notes, ","))
	}
	s.update(build, logText("a", 0, strings.Repeat("x\n", 1200))+","+logText("b", 0, "y\n"))
	notes("b", `"line":1,"annotation":{"level":"error","message":"of a step that passed"}`)
	notes("a",
		`"line":1,"group":{"name":"Build"}`, `"line":3,"annotation":{"level":"warning","message":"old","file":"a.c","file_line":3}`,
		`"line":1100,"annotation":{"level":"error","message":"<broken>"}`, `"line":1101,"group_end":{"group":0,"duration_s":64}`,
		`"test":{"name":"t","suite":"s","status":"failed","message":"why"}`, `"test":{"name":"u","status":"passed"}`)
	s.update(build, `{"step":{"key":"b","status":"passed"}},{"step":{"key":"a","status":"failed","exit_code":2}},{"build":{"status":"failed"}}`)
	page := plainPath(build)
	a := s.get(page)
	for text, want := range map[string]string{"First error: a, line 1,100": page + "/steps/a?line=1100", "b, line 1": page + "/steps/b?line=1", "a, line 3": page + "/steps/a?line=3"} {
		if got := a.href(text); got != want {
			t.Errorf("%q leads to %q, want %q", text, got, want)
		}
	}
	for _, want := range []string{"<title>✗ failed: acme/api #1 · Stepcast</title>", "<bdi>&lt;b&gt;</bdi>", "1 failed test<", "2 errors<", "1 warning<", "&lt;broken&gt;", "why"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the build does not say %s", want)
		}
	}
	first, second := s.get(page+"/steps/a"), s.get(page+"/steps/a?from=1001")
	if !strings.Contains(first.body, `<h3><bdi>Build</bdi> <span class="muted">1,100 lines, 1 min 4 s</span></h3>`) || !strings.Contains(first.body, `<li id="L3" class="warning">`) {
		t.Errorf("the first page: %s", first.body[:3000])
	}
	if !strings.Contains(second.body, "<bdi>Build</bdi> (continued)") || !strings.Contains(second.body, `<li id="L1100" class="error">`) || !strings.Contains(second.body, "End of <bdi>Build</bdi></p>\n<ol start=\"1101\">") {
		t.Errorf("the second page: %s", second.body[:3000])
	}
	if a := s.get(page + "/steps/c"); !strings.Contains(a.body, "The step was skipped; it has no log.") {
		t.Errorf("without a log: %s", a.body)
	}
}

func TestPlain_Builds(t *testing.T) {
	t.Parallel()
	s := start(t)
	if a := s.get("/plain"); !strings.Contains(a.body, "There is no build yet.") {
		t.Errorf("%s", a.body)
	}
	for i := range 51 {
		s.create(fmt.Sprintf(`{"project":"acme/api","branch":"b%d","author":"Ada"}`, i%2))
	}
	s.create(`{"project":"other","status":"running"}`)
	count := func(path string) int { return strings.Count(s.get(path).body, "<h2>") }
	first := s.get("/plain?project=acme%2F*&branch=&status=queued&author=Ada") // as the form sends it
	older := first.href("Older builds")
	if n := strings.Count(first.body, "<h2>"); n != 50 || count(older) != 1 || !strings.Contains(older, "project=acme%2F%2A") {
		t.Errorf("%d builds, and %d at %s", n, count(older), older)
	}
	if back := s.get(older).href("Newest builds"); count(back) != 50 {
		t.Errorf("back to %s", back)
	}
	for query, want := range map[string]int{"project=acme%2Fapi&branch=b1": 25, "status=running": 1, "author=Bob": 0, "project=other&status=queued": 0} {
		if n := count("/plain?" + query); n != want {
			t.Errorf("%s: %d builds, want %d", query, n, want)
		}
	}
}

// TestPlain_InOneDress: every page can be styled and can run nothing, those
// that say what went wrong included.
func TestPlain_InOneDress(t *testing.T) {
	t.Parallel()
	s := start(t)
	build := s.create(`{"project":"p"}`)
	s.update(build, logText("a", 0, "x\n"))
	path := plainPath(build)
	for address, status := range map[string]int{
		"/plain": 200, path: 200, path + "/steps/a": 200,
		"/plain/nosuch": 404, "/plain/builds/x": 400, strings.Replace(path, "-", "0", 1): 400,
		"/plain/builds/00000000-0000-4000-8000-000000000000": 404, path + "/steps/b": 404, path + "/steps/": 400,
		path + "/steps/a?from=2": 416, path + "/steps/a?line=2": 416, path + "/steps/a?from=0": 400, path + "/steps/a?from=x": 400, path + "/steps/a?form=1": 400,
		"/plain?status=broken": 400, "/plain?project=%2F": 400, "/plain?before=x": 400, "/plain?x=1": 400, path + "?x": 400,
	} {
		a := s.get(address)
		if a.status != status || a.header.Get("Content-Type") != "text/html; charset=utf-8" || a.header.Get("Content-Security-Policy") != plainPolicy ||
			!strings.Contains(a.body, `<link rel="stylesheet" href="`+page.StylePath+`">`) || strings.Count(a.body, "<h1") != 1 {
			t.Errorf("%s: %d %v %s", address, a.status, a.header, a.body)
		}
		if head := s.do("HEAD", address, ""); head.status != status || head.body != "" {
			t.Errorf("HEAD %s: %d %q", address, head.status, head.body)
		}
	}
	if a := s.get("/problems/log-gap", "Accept: text/html"); a.header.Get("Content-Security-Policy") != plainPolicy {
		t.Errorf("a problem: %v", a.header)
	}
	if a := s.get(path, "Authorization: Bearer no"); a.status != 401 || a.header.Get("WWW-Authenticate") == "" {
		t.Errorf("with a bad token: %d", a.status)
	}
	style := s.get(page.StylePath)
	if style.status != 200 || style.header.Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(style.header.Get("Cache-Control"), "immutable") || style.body != string(page.Style) {
		t.Errorf("the stylesheet: %d %v", style.status, style.header)
	}
	for _, href := range regexp.MustCompile(`<link [^>]*href="([^"]+)"`).FindAllStringSubmatch(s.get("/plain").body, -1) {
		if a := s.get(href[1]); a.status != 200 {
			t.Errorf("%s: %d", href[1], a.status)
		}
	}
}

// TestPages_LeadToPlain: without JavaScript a page shows a link, and nothing
// else.
func TestPages_LeadToPlain(t *testing.T) {
	t.Parallel()
	s := start(t)
	const build = "/builds/3b241101-e2bb-4255-8caf-4136c566a962"
	for path, want := range map[string]string{"/": "/plain", build: "/plain" + build, "/builds/%22%3E%3Cscript%3E": "/plain"} {
		a := s.get(path)
		if got := a.href("The accessible view"); got != want || a.header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s leads to %q, want %q: %v", path, got, want, a.header)
		}
	}
}
