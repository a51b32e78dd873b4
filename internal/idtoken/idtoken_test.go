package idtoken

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/cienv"
)

func TestParseIssuer(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Issuer{
		"github":                                           {"https://token.actions.githubusercontent.com", github, "https://github.com", "github"},
		"gitlab":                                           {"https://gitlab.com", gitlab, "https://gitlab.com", "gitlab"},
		"https://gitlab.com":                               {"https://gitlab.com", gitlab, "https://gitlab.com", ""},
		"https://gitlab.example:8443/":                     {"https://gitlab.example:8443", gitlab, "https://gitlab.example:8443", ""},
		"https://example.com/gitlab":                       {"https://example.com/gitlab", gitlab, "https://example.com/gitlab", ""},
		"https://ghes.example/_services/token":             {"https://ghes.example/_services/token", github, "https://ghes.example", ""},
		"https://token.actions.acme.ghe.com":               {"https://token.actions.acme.ghe.com", github, "https://acme.ghe.com", ""},
		"https://token.actions.acme.ghe.com/acme":          {"https://token.actions.acme.ghe.com/acme", github, "https://acme.ghe.com", ""},
		"https://token.actions.evil.example":               {"https://token.actions.evil.example", gitlab, "https://token.actions.evil.example", ""},
		"https://oidc.example=gitlab:https://git.int":      {"https://oidc.example", gitlab, "https://git.int", ""},
		"http://127.0.0.1:80=github:https://git.int":       {"http://127.0.0.1:80", github, "https://git.int", ""},
		"https://token.actions.githubusercontent.com/acme": {"https://token.actions.githubusercontent.com/acme", github, "https://github.com", ""},

		"":                                {},
		"bitbucket":                       {},
		"http://gitlab.example":           {},
		"https://user@gitlab.example":     {},
		"https://gitlab.example?x=gitlab": {},
		"https://oidc.example=https://gitlab.example":     {},
		"https://oidc.example=gitea:https://git.int":      {},
		"https://oidc.example=gitlab:http://10.0.0.1:80/": {},
	} {
		got, err := ParseIssuer(text)
		if (err != nil) != (want == Issuer{}) || err == nil && got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestRules(t *testing.T) {
	t.Parallel()
	var issuers []Issuer
	for _, text := range []string{"github", "gitlab", "https://git.example"} {
		issuer, err := ParseIssuer(text)
		if err != nil {
			t.Fatal(err)
		}
		issuers = append(issuers, issuer)
	}
	hub := &Job{Issuer: issuers[0].URL, Repository: "acme/api", claims: claims{"ref": []byte(`"refs/heads/main"`), "repository_owner_id": []byte("42"), "ref_protected": []byte(`true`), "environment": []byte(`null`)}}
	deep := &Job{Issuer: issuers[2].URL, Repository: "a/b/c/d/e"}
	odd := &Job{Issuer: issuers[0].URL, Repository: "acme/logo.svg"}
	for _, c := range []struct {
		rule    string
		job     *Job
		project string
		ok      bool
	}{
		{"github:acme/*", hub, "acme/api", true},
		{"github:acme/*", hub, "acme/api/deploy/eu", true},
		{"github:acme/*", hub, "acme/web", false},
		{"github:acme/*", hub, "acme/api-evil", false},
		{"github:acme/api", hub, "acme/api", true},
		{"github:acme/web", hub, "acme/api", false},
		{"github:acme/api=acme/*", hub, "acme/web", true},
		{"github:acme/api=acme/*", hub, "acme", false},
		{"github:acme/api=*", hub, "other", true},
		{"github:acme/*=other", hub, "acme/api", false},
		{"https://token.actions.githubusercontent.com:acme/*", hub, "acme/api", true},
		{"gitlab:acme/*", hub, "acme/api", false},
		{"https://git.example:*", hub, "acme/api", false},
		{"github:acme/*;repository_owner_id=42", hub, "acme/api", true},
		{"github:acme/*;repository_owner_id=4", hub, "acme/api", false},
		{"github:acme/*;repository_owner_id=42;ref=refs/heads/main", hub, "acme/api", true},
		{"github:acme/*;repository_owner_id=42;ref=refs/heads/dev", hub, "acme/api", false},
		{"github:acme/*;ref=refs/heads/*", hub, "acme/api", true},
		{"github:acme/*;ref=refs/tags/*", hub, "acme/api", false},
		{"github:acme/*;ref_protected=true", hub, "acme/api", true},
		{"github:acme/*;environment=*", hub, "acme/api", false},
		{"https://git.example:*=tools", deep, "tools", true},
		{"https://git.example:*", deep, "b/c/d/e", false}, // as any other e could be called
		{"https://git.example:a/b/c/d/*=deep", deep, "deep", true},
		{"github:acme/*", odd, "acme/logo-svg", false},
	} {
		r, err := ParseRule(c.rule, issuers)
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		c.job.rules = []Rule{r}
		if err := c.job.CheckProject(c.project); (err == nil) != c.ok || err != nil && !errors.Is(err, &ci.Problem{Code: NotAllowed}) {
			t.Errorf("%s: of %s to %s: %v", c.rule, c.job.Repository, c.project, err)
		}
	}
	hub.rules = nil
	if hub.CheckProject("acme/api") == nil {
		t.Error("without a rule somebody is let in")
	}
	for rule, says := range map[string]string{
		"acme/*": "begin with an issuer", "": "begin with an issuer", ":acme/*": "begin with an issuer", "hub:acme/*": "begin with an issuer",
		"github:*": "all the world", "gitlab:*=x": "all the world", "https://gitlab.com:*": "all the world",
		"github:": "name a repository", "github:acme": "name a repository", "github:*/api": "name a repository", "github:acme/ap*": "name a repository", "github:acme/*/x": "name a repository",
		"github:acme/*=": "project pattern", "github:acme/*=a//b": "project pattern",
		"github:acme/*;ref": "a claim", "github:acme/*;=x": "a claim", "github:acme/*;ref=": "a claim",
	} {
		if _, err := ParseRule(rule, issuers); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", rule, err)
		}
	}
}

// FuzzToken reads whatever may come before a signature is looked at, and after.
func FuzzToken(f *testing.F) {
	f.Add(`{"iss":"https://gitlab.com","aud":["a","b"],"exp":1e9,"jti":"1","project_path":"acme/api","pipeline_id":574}`)
	f.Add(`{"iss":"x","aud":null,"exp":"1","nbf":-1,"project_path":"a/*","pipeline_id":1e400}`)
	f.Add(`{"iss":{},"exp":1e309,"pipeline_id":"0574"}`)
	f.Add(`[]`)
	gitlabCom, _ := ParseIssuer("gitlab")
	f.Fuzz(func(t *testing.T, payload string) {
		if issuer, err := issuerOf("e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".x"); (err == nil) == (issuer == "") {
			t.Errorf("an issuer %q, and %v", issuer, err)
		}
		c, err := parseClaims([]byte(payload))
		if err == nil {
			c.has("aud", "x")
			c.time("exp")
		}
		j, err := newJob(gitlabCom, []byte(payload))
		if err != nil {
			return
		}
		pipeline, _ := j.claims.text("pipeline_id")
		if j.Run != cienv.GitLabRun("https://gitlab.com", pipeline) || strings.ContainsAny(j.Repository, "*;=: \n") || len(j.Name) > maxName {
			t.Errorf("%+v", j)
		}
	})
}
