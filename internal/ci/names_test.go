package ci

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MaxName)
	for _, c := range []struct {
		name          string
		step, project bool
	}{
		{"a", true, true}, {"acme/api", true, true}, {"a/b/c/d", true, true}, {"a/b/c/d/e", true, false}, {"A.b_c-9", true, true},
		{"...", true, true}, {".a", true, true}, {"-", true, true}, {long, true, true}, {"api.svg", true, false}, {"api.json", true, false}, {"api.svg/x", true, true},
		{"", false, false}, {"/", false, false}, {"a/", false, false}, {"/a", false, false}, {"a//b", false, false}, {".", false, false}, {"..", false, false},
		{"a/../b", false, false}, {"a/./b", false, false}, {long + "x", false, false}, {"a b", false, false}, {"a\x00", false, false}, {"a\n", false, false},
		{"é", false, false}, {"a*", false, false}, {"*", false, false}, {"a\\b", false, false}, {"a%2Fb", false, false}, {"\xff", false, false}, {"a\u202eb", false, false},
	} {
		if err := CheckStepKey(c.name); (err == nil) != c.step {
			t.Errorf("step key %q: %v", c.name, err)
		}
		if err := CheckProject(c.name); (err == nil) != c.project {
			t.Errorf("project %q: %v", c.name, err)
		}
	}
	if p := AsProblem(CheckStepKey(long + "x")); p.Code != TooLong || p.Limit != MaxName {
		t.Errorf("a long key is %v", p)
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range []string{"a", "acme/api", "a//b", "../x", "a\x1b[31m", strings.Repeat("ü", 150), "a.svg", "acme/*", "*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, err := range []error{CheckStepKey(s), CheckProject(s), CheckPattern(s)} {
			if err == nil {
				continue
			}
			if detail := AsProblem(err).Detail; len(detail) > 500 || !utf8.ValidString(detail) || strings.ContainsFunc(detail, unicode.IsControl) {
				t.Fatalf("%q is refused with %q", s, detail)
			}
		}
		if name := ProjectName(s); name != "" && CheckProject(name) != nil {
			t.Fatalf("%q became the project %q", s, name)
		}
		if key := StepKeyOf(s); key != "" && (CheckStepKey(string(key)) != nil || StepKeyOf(string(key)) != key) {
			t.Fatalf("%q became the step key %q", s, key)
		}
		if CheckProject(s) == nil && (CheckStepKey(s) != nil || CheckPattern(s) != nil || !MatchProject(s, s)) {
			t.Fatalf("the project %q is no step key or no pattern", s)
		}
	})
}

func TestNames_OfText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MaxName+1)
	for _, c := range []struct{ text, project, step string }{
		{"octocat/Hello-World", "octocat/Hello-World", "octocat/Hello-World"},
		{"group/sub/deep/er/api", "sub/deep/er/api", "group/sub/deep/er/api"},
		{"My Project/api", "My-Project/api", "My-Project/api"},
		{"deploystacks: [aws, monitoring]", "deploystacks-aws-monitoring", "deploystacks-aws-monitoring"},
		{"a--b", "a--b", "a--b"}, {"//a/../b/./", "a/b", "a/b"}, {"acme/logo.svg", "acme/logo-svg", "acme/logo.svg"},
		{"acme/logo.svg.json", "acme/logo.svg-json", "acme/logo.svg.json"},
		{"tests\x1b[31m\n", "tests-31m", "tests-31m"}, {"\xff\xfea", "a", "a"}, {"日本", "", ""}, {"", "", ""}, {"../..", "", ""}, {long, "", ""},
	} {
		if got := ProjectName(c.text); got != c.project {
			t.Errorf("the project of %q is %q, want %q", c.text, got, c.project)
		}
		if got := StepKeyOf(c.text); got != StepKey(c.step) {
			t.Errorf("the step key of %q is %q, want %q", c.text, got, c.step)
		}
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{" a\nb\t", 10, "a b"}, {"\x1b[31m", 10, "[31m"}, {"é\xff", 10, "é"}, {"ééé", 5, "éé"}, {"x\u2028y", 10, "x\u2028y"}, {"", 1, ""},
	} {
		if got := OneLine(c.text, c.limit); got != c.want {
			t.Errorf("%q is %q, want %q", c.text, got, c.want)
		}
	}
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text  string
		limit int
		want  string
	}{
		{" a\nb ", 3, "a b"}, {"a bc", 2, "a…"}, {"aaé", 3, "aa…"}, {"aaé", 4, "aaé"}, {"", 1, ""},
	} {
		if got := Excerpt(c.text, c.limit); got != c.want {
			t.Errorf("%q is %q, want %q", c.text, got, c.want)
		}
	}
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, project string
		want             bool
	}{
		{"*", "acme/api", true}, {"acme/api", "acme/api", true}, {"acme/*", "acme/api", true}, {"acme/*", "acme/api/deploy", true},
		{"acme/*", "acme", false}, {"acme/*", "acmes/api", false}, {"acme", "acme/api", false}, {"acme/api", "acme/API", false}, {"acme/*", "other", false},
	} {
		if got := MatchProject(c.pattern, c.project); got != c.want {
			t.Errorf("%s matches %s: %v", c.pattern, c.project, got)
		}
	}
	for pattern, ok := range map[string]bool{
		"*": true, "acme/*": true, "acme/api": true, "a/b/c/*": true, "acme.json/*": true,
		"": false, "/*": false, "**": false, "acme*": false, "acme/*/x": false, "acme/*/*": false, "a/b/c/d/*": false, "acme.json": false, "*/x": false,
		strings.Repeat("x", MaxName) + "/*": false,
	} {
		if err := CheckPattern(pattern); (err == nil) != ok {
			t.Errorf("pattern %q: %v", pattern, err)
		}
	}
}

func TestParseReported(t *testing.T) {
	t.Parallel()
	for _, s := range []Status{Queued, Running, Passed, Failed, Canceled, Skipped} {
		if got, err := ParseReported(string(s)); err != nil || got != s {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"lost", "", "PASSED", "success", "passed "} {
		if _, err := ParseReported(s); AsProblem(err) == nil || AsProblem(err).Field != "status" {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// TestPatternsOf: a pattern is among them exactly if it matches.
func TestPatternsOf(t *testing.T) {
	t.Parallel()
	for project, want := range map[string]string{
		"web": "web *", "acme/api": "acme/api acme/* *", "a/b/c/d": "a/b/c/d a/b/c/* a/b/* a/* *",
	} {
		got := PatternsOf(project)
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %s", project, got, want)
		}
		for _, pattern := range got {
			if !MatchProject(pattern, project) || CheckPattern(pattern) != nil {
				t.Errorf("%s does not match %s", pattern, project)
			}
		}
	}
}
