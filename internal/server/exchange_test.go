package server

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/idp"
	"github.com/stepcast/stepcast/internal/idtoken"
	"github.com/stepcast/stepcast/internal/pgtest"
	"github.com/stepcast/stepcast/internal/postgres"
)

const audience = "https://stepcast.example"

// Of a job on GitHub: run 4711's first attempt.
var githubClaims = idp.Claims{
	"aud": audience, "jti": "1", "sub": "repo:acme/api:ref:refs/heads/main", "repository": "acme/api", "repository_owner": "acme", "repository_owner_id": "1342004",
	"repository_id": "74", "run_id": "4711", "run_number": "10", "run_attempt": "1", "workflow": "CI", "ref": "refs/heads/main", "event_name": "push",
}

// Of a job in pipeline 574 of a GitLab.
var gitlabClaims = idp.Claims{
	"aud": audience, "jti": "1", "sub": "project_path:acme/tools/lint:ref_type:branch:ref:main", "project_path": "acme/tools/lint", "project_id": "20",
	"namespace_id": "72", "pipeline_id": "574", "job_id": "302", "ref": "main", "ref_type": "branch", "ref_path": "refs/heads/main", "ref_protected": "true", "runner_id": 1,
}

func with(claims idp.Claims, changes ...any) idp.Claims {
	changed := idp.Claims{}
	for name, value := range claims {
		changed[name] = value
	}
	for i := 0; i < len(changes); i += 2 {
		changed[changes[i].(string)] = changes[i+1]
	}
	return changed
}

// What jobs of those runs call them; see internal/cienv.
func githubBuild(run, attempt, n int) ci.BuildID {
	return ci.DerivedBuildID(ci.RunOf("acme/api", fmt.Sprintf("github https://github.com acme/api %d %d", run, attempt)), n)
}

func gitlabBuild(pipeline, n int) ci.BuildID {
	return ci.DerivedBuildID(ci.RunOf("acme/tools/lint", fmt.Sprintf("gitlab https://gitlab.example %d", pipeline)), n)
}

// jobs is a server that takes ID tokens, with the issuers of a GitHub and a
// GitLab.
type jobs struct {
	*testServer
	github, gitlab *idp.Provider
	another        func() *testServer // one more process,
	within         Limits             // which holds to these
}

func startForJobs(t *testing.T, rules ...string) *jobs {
	t.Helper()
	j := &jobs{github: idp.New(t), gitlab: idp.New(t)}
	var issuers []idtoken.Issuer
	for _, text := range []string{j.github.Issuer() + "=github:https://github.com", j.gitlab.Issuer() + "=gitlab:https://gitlab.example"} {
		issuer, err := idtoken.ParseIssuer(text)
		if err != nil {
			t.Fatal(err)
		}
		issuers = append(issuers, issuer)
	}
	var parsed []idtoken.Rule
	for _, text := range rules {
		rule, err := idtoken.ParseRule(strings.NewReplacer("github", j.github.Issuer(), "gitlab", j.gitlab.Issuer()).Replace(text), issuers)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, rule)
	}
	database := pgtest.New(t)
	j.another = func() *testServer {
		return startOn(t, database, func(cfg *Config) {
			cfg.Runners, cfg.RunnerLifetime, cfg.Limits = idtoken.New(issuers, audience, parsed), 6*time.Hour, j.within
		})
	}
	j.testServer = j.another()
	return j
}

// exchange asks for a token; want is its text, "" for one of the server's.
func (j *jobs) exchange(idToken, project string, build ci.BuildID, want string) answer {
	j.t.Helper()
	body := map[string]any{"jwt": idToken, "project": project, "build": build}
	if want != "" {
		body["token"] = want
	}
	text, err := json.Marshal(body)
	if err != nil {
		j.t.Fatal(err)
	}
	return j.do("POST", "/api/v1/exchange", string(text), "Content-Type: application/json")
}

// token is the text of a token that was got.
func (j *jobs) got(a answer) string {
	j.t.Helper()
	var given exchangedJSON
	if err := json.Unmarshal([]byte(a.body), &given); err != nil || a.status != http.StatusCreated || given.Token == "" {
		j.t.Fatalf("no token: %d %s", a.status, a.body)
	}
	return given.Token
}

// heard asks until the issuer, which is not asked all the time, has been.
func (j *jobs) heard(ask func() answer) answer {
	j.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); time.Now().Before(end); <-tick.C {
		if a := ask(); a.code() != string(idtoken.IssuerAway) {
			return a
		}
	}
	j.t.Fatal("the issuer is away for ever")
	return answer{}
}

func (a answer) code() string { return strings.TrimPrefix(a.problem().Type, "/problems/") }

func TestExchange_GivesATokenOfTheJobsBuild(t *testing.T) {
	t.Parallel()
	j := startForJobs(t, "github:acme/*", "gitlab:acme/*")
	for _, c := range []struct {
		name, idToken, project string
		build                  ci.BuildID
	}{
		{"GitHub", j.github.Sign(githubClaims), "acme/api", githubBuild(4711, 1, 0)},
		{"GitHub, by another key", j.github.Sign(with(githubClaims, "jti", "2", "run_id", "4712"), idp.ByES256), "acme/api/deploy", ci.DerivedBuildID(ci.RunOf("acme/api/deploy", "github https://github.com acme/api 4712 1"), 0)},
		{"GitHub, the next of the series", j.github.Sign(with(githubClaims, "jti", "3")), "acme/api", githubBuild(4711, 1, 7)},
		{"GitLab", j.gitlab.Sign(gitlabClaims), "acme/tools/lint", gitlabBuild(574, 0)},
		{"GitLab, for several", j.gitlab.Sign(with(gitlabClaims, "jti", "2", "pipeline_id", 575, "aud", []string{"https://vault.example", audience})), "acme/tools/lint", gitlabBuild(575, 0)},
	} {
		a := j.exchange(c.idToken, c.project, c.build, "")
		var given exchangedJSON
		if err := json.Unmarshal([]byte(a.body), &given); err != nil || a.status != 201 {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
			continue
		}
		sum, err := ci.ParseToken(given.Token)
		if err != nil || given.Project != c.project || given.Build != c.build || given.ID != ci.TokenID(sum) || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %+v, %v, %v", c.name, given, err, a.header)
		}
		if left := time.Until(given.ExpiresAt); left < 5*time.Hour || left > 6*time.Hour {
			t.Errorf("%s: it lasts for %v", c.name, left)
		}
		if a := j.do("POST", "/api/v1/builds", fmt.Sprintf(`{"id":%q,"project":%q,"status":"running"}`, c.build, c.project), "Authorization: Bearer "+given.Token, "Content-Type: application/json"); a.status != 201 {
			t.Errorf("%s: its build: %d %s", c.name, a.status, a.body)
		}
	}
	tokens := j.get("/api/v1/tokens?builds=true", "Authorization: Bearer "+j.addToken(postgres.Token{Scopes: []ci.Scope{ci.ScopeAdmin}, Project: "*"}))
	for _, name := range []string{`"GitHub Actions: acme/api, CI, run 4711, attempt 1"`, `"GitLab CI: acme/tools/lint, pipeline 574, job 302"`} {
		if !strings.Contains(tokens.body, name) {
			t.Errorf("no token is called %s: %s", name, tokens.body)
		}
	}
	audit := j.get("/api/v1/audit", "Authorization: Bearer "+j.addToken(postgres.Token{Scopes: []ci.Scope{ci.ScopeAdmin}, Project: "*"}))
	if strings.Count(audit.body, "token.exchange") != 5 || !strings.Contains(audit.body, githubBuild(4711, 1, 7).String()) {
		t.Errorf("the audit: %s", audit.body)
	}
}

// TestExchange_Forgeries holds each way to get at what is not the job's own to
// its answer. What is right but for that one thing gets a token: see above.
func TestExchange_Forgeries(t *testing.T) {
	t.Parallel()
	j := startForJobs(t, "github:acme/api", "github:acme/web;repository_owner_id=1342004;ref=refs/heads/*", "github:octo/*=octo/all", "gitlab:acme/*;ref_protected=true")
	now := time.Now()
	stranger := idp.New(t)
	github := func(changes ...any) string { return j.github.Sign(with(githubClaims, changes...)) }
	signed := func(how idp.Signature) string { return j.github.Sign(githubClaims, how) }
	right := github()
	parts := strings.Split(right, ".")
	web := []any{"repository", "acme/web", "run_id", "5"}
	webBuild := ci.DerivedBuildID(ci.RunOf("acme/web", "github https://github.com acme/web 5 1"), 0)
	own := githubBuild(4711, 1, 0)
	const api = "acme/api"
	for _, c := range []struct {
		name, idToken, project string
		build                  ci.BuildID
		status                 int
		code                   ci.Code
	}{
		{"another issuer's", stranger.Sign(githubClaims), api, own, 401, idtoken.WrongIssuer},
		{"another's that says it is the issuer's", stranger.Sign(with(githubClaims, "iss", j.github.Issuer())), api, own, 401, idtoken.WrongSignature},
		{"the other system's issuer", j.gitlab.Sign(githubClaims), api, own, 401, idtoken.Malformed},
		{"the issuer with a slash", github("iss", j.github.Issuer()+"/"), api, own, 401, idtoken.WrongIssuer},
		{"the issuer as a prefix", github("iss", j.github.Issuer()+".evil.example"), api, own, 401, idtoken.WrongIssuer},
		{"no issuer", github("iss", nil), api, own, 401, idtoken.Malformed},
		{"a list of issuers", github("iss", []string{j.github.Issuer()}), api, own, 401, idtoken.Malformed},

		{"another audience", github("aud", "https://stepcast.evil"), api, own, 401, idtoken.WrongAudience},
		{"the audience as a prefix", github("aud", audience+".evil"), api, own, 401, idtoken.WrongAudience},
		{"other audiences", github("aud", []string{"sts.amazonaws.com", "https://github.com/acme"}), api, own, 401, idtoken.WrongAudience},
		{"no audience", github("aud", nil), api, own, 401, idtoken.WrongAudience},
		{"an audience that is none", github("aud", map[string]any{audience: true}), api, own, 401, idtoken.Malformed},

		{"expired", github("exp", now.Add(-2*time.Minute).Unix()), api, own, 401, idtoken.WrongTime},
		{"not good yet", github("nbf", now.Add(2*time.Minute).Unix()), api, own, 401, idtoken.WrongTime},
		{"of tomorrow", github("iat", now.Add(24*time.Hour).Unix(), "exp", now.Add(25*time.Hour).Unix()), api, own, 401, idtoken.WrongTime},
		{"without an end", github("exp", nil), api, own, 401, idtoken.Malformed},
		{"without a beginning", github("iat", nil), api, own, 401, idtoken.Malformed},

		{"unsigned, and says so", signed(idp.None), api, own, 401, idtoken.WrongSignature},
		{"the signature taken off", signed(idp.Bare), api, own, 401, idtoken.WrongSignature},
		{"by the public key as a secret", signed(idp.ByPublic), api, own, 401, idtoken.WrongSignature},
		{"by another key of that name", signed(idp.ByOther), api, own, 401, idtoken.WrongSignature},
		{"without the name of a key", signed(idp.NoKid), api, own, 401, idtoken.WrongSignature},
		{"a bit flipped", signed(idp.Broken), api, own, 401, idtoken.WrongSignature},
		{"claims swapped", signed(idp.Swapped), api, own, 401, idtoken.WrongSignature},

		{"another repository", github("repository", "evil/api"), api, own, 403, idtoken.NotAllowed},
		{"the repository as a prefix", github("repository", "acme/api-evil"), api, own, 403, idtoken.NotAllowed},
		{"the repository and more", github("repository", "acme/api/evil"), api, own, 403, idtoken.NotAllowed},
		{"the repository in other letters", github("repository", "ACME/api"), api, own, 403, idtoken.NotAllowed},
		{"the owner as a prefix", github("repository", "acme-evil/api"), api, own, 403, idtoken.NotAllowed},
		{"a repository with a star", github("repository", "acme/*"), api, own, 401, idtoken.Malformed},
		{"a repository with a newline", github("repository", "acme/api\nx"), api, own, 401, idtoken.Malformed},
		{"another's, who took the name over", github(append(web, "repository_owner_id", "7")...), "acme/web", webBuild, 403, idtoken.NotAllowed},
		{"another ref", github(append(web, "ref", "refs/pull/7/merge")...), "acme/web", webBuild, 403, idtoken.NotAllowed},
		{"no ref", github(append(web, "ref", nil)...), "acme/web", webBuild, 403, idtoken.NotAllowed},
		{"a ref that is not protected", j.gitlab.Sign(with(gitlabClaims, "ref_protected", "false")), "acme/tools/lint", gitlabBuild(574, 0), 403, idtoken.NotAllowed},
		{"a fork's merge request", j.gitlab.Sign(with(gitlabClaims, "project_path", "evil/lint", "job_project_path", "acme/tools/lint")), "acme/tools/lint", gitlabBuild(574, 0), 403, idtoken.NotAllowed},

		{"another project", right, "acme/web", own, 403, idtoken.NotAllowed},
		{"the project as a prefix", right, "acme/api-evil", own, 403, idtoken.NotAllowed},
		{"the project above", right, "acme", own, 403, idtoken.NotAllowed},
		{"the project in other letters", right, "ACME/api", own, 403, idtoken.NotAllowed},
		{"a pattern for a project", right, "acme/*", own, 400, ci.Invalid},
		{"its own project, where another is named", github("repository", "octo/cat", "run_id", "6"), "octo/cat", ci.DerivedBuildID(ci.RunOf("octo/cat", "github https://github.com octo/cat 6 1"), 0), 403, idtoken.NotAllowed},

		{"another run's build", right, api, githubBuild(4712, 1, 0), 403, idtoken.OtherRun},
		{"another attempt's build", right, api, githubBuild(4711, 2, 0), 403, idtoken.OtherRun},
		{"its build in another project", right, api + "/deploy", githubBuild(4711, 1, 0), 403, idtoken.OtherRun},
		{"a build beyond the series", right, api, githubBuild(4711, 1, ci.MaxSeries), 403, idtoken.OtherRun},
		{"a build of nobody", right, api, ci.NewBuildID(), 403, idtoken.OtherRun},
		{"a pipeline of the same number", right, api, gitlabBuild(4711, 0), 403, idtoken.OtherRun},

		{"without a repository", github("repository", nil), api, own, 401, idtoken.Malformed},
		{"without a run", github("run_id", nil), api, own, 401, idtoken.Malformed},
		{"without an attempt", github("run_attempt", nil), api, own, 401, idtoken.Malformed},
		{"a run that is no number", github("run_id", "4711 1"), api, own, 401, idtoken.Malformed},
		{"a run that is an object", github("run_id", map[string]any{"x": 1}), api, own, 401, idtoken.Malformed},
		{"without a pipeline", j.gitlab.Sign(with(gitlabClaims, "pipeline_id", nil)), "acme/tools/lint", gitlabBuild(574, 0), 401, idtoken.Malformed},

		{"too long", github("padding", strings.Repeat("x", 20<<10)), api, own, 401, idtoken.Malformed},
		{"garbage", "garbage", api, own, 401, idtoken.Malformed},
		{"three dots", "...", api, own, 401, idtoken.Malformed},
		{"two parts of three", parts[0] + "." + parts[1], api, own, 401, idtoken.Malformed},
		{"a token of Stepcast", ci.NewToken(), api, own, 401, idtoken.Malformed},
		{"in JSON", fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q}`, parts[1], parts[0], parts[2]), api, own, 401, idtoken.Malformed},
		{"nothing", "", api, own, 400, ci.Invalid},
		{"by an unknown key", signed(idp.UnknownKey), api, own, 401, idtoken.WrongSignature}, // asks for keys
	} {
		if c.code == idtoken.WrongSignature && strings.Contains(c.name, "unknown") {
			j.github.Rotate(t) // and what was right before is none any more
			c.idToken = signed(idp.UnknownKey)
		}
		a := j.heard(func() answer { return j.exchange(c.idToken, c.project, c.build, "") })
		if p := a.problem(); a.status != c.status || a.code() != string(c.code) || p.Detail == "" {
			t.Errorf("%s: %d %s, want %d %s", c.name, a.status, a.body, c.status, c.code)
		}
		if len(c.idToken) > 20 && strings.Contains(a.body, c.idToken[len(c.idToken)-20:]) || strings.Contains(a.body, "oidc") || strings.Contains(a.body, "jose") || a.header.Get("Location") != "" {
			t.Errorf("%s: it tells too much: %s", c.name, a.body)
		}
	}
	if a := j.heard(func() answer { return j.exchange(j.github.Sign(githubClaims), api, own, "") }); a.status != 201 {
		t.Errorf("what is right: %d %s", a.status, a.body)
	}
}

// No ID token is as long as other bodies may be, which a stranger sends.
func TestExchange_LongBodies(t *testing.T) {
	t.Parallel()
	s := start(t)
	for n, want := range map[int]int{maxExchange - 100: 400, maxExchange: 413, maxBody - 100: 413} {
		body := `{"jwt":"` + strings.Repeat("a", n) + `"}`
		var packed bytes.Buffer
		z := gzip.NewWriter(&packed)
		z.Write([]byte(body))
		z.Close()
		for _, sent := range [][]string{{body}, {packed.String(), "Content-Encoding: gzip"}} {
			if a := s.do("POST", "/api/v1/exchange", sent[0], append(sent[1:], "Content-Type: application/json")...); a.status != want {
				t.Errorf("%d bytes %v: %d %s, want %d", n, sent[1:], a.status, a.body, want)
			}
		}
	}
}

// TestExchange_OneTokenForOneBuild repeats exchanges, with everything as it was
// and with something else.
func TestExchange_OneTokenForOneBuild(t *testing.T) {
	t.Parallel()
	j := startForJobs(t, "github:acme/*", "github:acme/api=other")
	text, other := ci.NewToken(), ci.NewToken()
	idToken := j.github.Sign(githubClaims)
	build, next := githubBuild(4711, 1, 0), githubBuild(4711, 1, 1)
	others := ci.DerivedBuildID(ci.RunOf("other", "github https://github.com acme/api 4711 1"), 0)
	if got := j.got(j.exchange(idToken, "acme/api", build, text)); got != text {
		t.Errorf("the token is not the one that was chosen")
	}
	again := j.github.Sign(with(githubClaims, "jti", "2"))
	withoutID := j.github.Sign(with(githubClaims, "jti", nil, "run_id", "9"))
	for _, c := range []struct {
		name, idToken, project string
		build                  ci.BuildID
		text                   string
		code                   ci.Code
	}{
		{"the same: the answer was lost", idToken, "acme/api", build, text, ""},
		{"another token", idToken, "acme/api", build, other, postgres.Replayed},
		{"a token of the server's", idToken, "acme/api", build, "", postgres.Replayed},
		{"another build", idToken, "acme/api", next, other, postgres.Replayed},
		{"another build by that token", idToken, "acme/api", next, text, postgres.TokenTaken},
		{"another project", idToken, "other", others, other, postgres.Replayed},
		{"another project by that token", idToken, "other", others, text, postgres.TokenTaken},
		{"a fresh ID token for that token", again, "acme/api", build, text, ""},
		{"which is used then", again, "acme/api", build, other, postgres.Replayed},
		{"a fresh ID token for somebody's token", j.github.Sign(with(githubClaims, "jti", "3")), "acme/api", build, j.token, postgres.TokenTaken},
		{"an ID token without an id", withoutID, "acme/api", githubBuild(9, 1, 0), other, ""},
		{"which is used too", withoutID, "acme/api", githubBuild(9, 1, 0), ci.NewToken(), postgres.Replayed},
	} {
		switch a := j.exchange(c.idToken, c.project, c.build, c.text); {
		case c.code == "" && (a.status != 201 || j.got(a) != c.text):
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		case c.code != "" && a.code() != string(c.code):
			t.Errorf("%s: %d %s, want %s", c.name, a.status, a.body, c.code)
		}
	}

	// Some who come at once with one ID token and tokens of their own, to two
	// processes.
	raced := j.github.Sign(with(githubClaims, "jti", "4", "run_id", "8"))
	answers := make(chan answer, 8)
	processes := []*jobs{j, {testServer: j.another()}}
	for i := range cap(answers) {
		go func() { answers <- processes[i%2].exchange(raced, "acme/api", githubBuild(8, 1, 0), ci.NewToken()) }()
	}
	codes := map[string]int{}
	for range cap(answers) {
		codes[(<-answers).code()]++
	}
	if codes[""] != 1 || codes[string(postgres.Replayed)] != cap(answers)-1 {
		t.Errorf("of %d at once: %v", cap(answers), codes)
	}

	// Revoked is revoked.
	sum, _ := ci.ParseToken(text)
	admin := "Authorization: Bearer " + j.tokenFor("*", ci.ScopeAdmin)
	if a := j.do("DELETE", "/api/v1/tokens/"+ci.TokenID(sum), "", admin); a.status != 204 {
		t.Fatalf("revoke: %d %s", a.status, a.body)
	}
	if a := j.exchange(idToken, "acme/api", build, text); a.code() != string(tokenRevoked) {
		t.Errorf("revoked, and asked for again: %d %s", a.status, a.body)
	}
	fresh := j.github.Sign(with(githubClaims, "jti", "5"))
	if a := j.exchange(fresh, "acme/api", build, ci.NewToken()); a.code() != string(tokenRevoked) {
		t.Errorf("revoked, and another one asked for: %d %s", a.status, a.body)
	}
	if a := j.exchange(fresh, "acme/api", next, ci.NewToken()); a.status != 201 {
		t.Errorf("for the next build: %d %s", a.status, a.body)
	}
}

// TestExchange_OneAddress lets the jobs of an address have their tokens, however
// much another of its jobs sends that is no good, and that one no more than others.
func TestExchange_OneAddress(t *testing.T) {
	t.Parallel()
	j := startForJobs(t, "github:acme/*")
	j.within = Limits{Failures: 3, Requests: 1, Reads: 2, Loopback: true}
	j.testServer = j.another()
	build, forged := githubBuild(4711, 1, 0), j.github.Sign(githubClaims, idp.None)
	statuses := map[int]int{}
	for range 12 {
		statuses[j.exchange(forged, "acme/api", build, "").status]++
	}
	if statuses[401] < 3 || statuses[429] == 0 || statuses[401]+statuses[429] != 12 {
		t.Errorf("forged: %v", statuses)
	}
	idToken, text := j.github.Sign(githubClaims), ci.NewToken()
	if a := j.exchange(idToken, "acme/api", build, text); a.status != 201 {
		t.Errorf("a job among them: %d %s", a.status, a.body)
	}
	for range 100 {
		if a := j.exchange(idToken, "acme/api", build, text); a.status == 429 {
			if a.header.Get("Retry-After") == "" || a.problem().Limit != 2 {
				t.Errorf("on and on: %s", a.body)
			}
			return
		}
	}
	t.Error("a job that asks on and on is never refused")
}

// TestExchange_BuildThatIsNone goes on to the next build of the series with an
// ID token that is still good.
func TestExchange_BuildThatIsNone(t *testing.T) {
	t.Parallel()
	j := startForJobs(t, "gitlab:acme/*")
	over, next := gitlabBuild(574, 0), gitlabBuild(574, 1)
	j.create(fmt.Sprintf(`{"id":%q,"project":"acme/tools/lint","status":"running"}`, over))
	earlier := ci.NewToken()
	if a := j.exchange(j.gitlab.Sign(with(gitlabClaims, "jti", "0")), "acme/tools/lint", over, earlier); a.status != 201 {
		t.Fatalf("while it runs: %d %s", a.status, a.body)
	}
	j.update("/api/v1/builds/"+over.String(), `{"build":{"status":"passed"}}`)
	idToken := j.gitlab.Sign(gitlabClaims)
	for _, c := range []struct {
		build ci.BuildID
		code  ci.Code
	}{{over, ci.BuildFinished}, {next, ""}, {over, postgres.Replayed}} {
		if a := j.exchange(idToken, "acme/tools/lint", c.build, ci.NewToken()); a.code() != string(c.code) {
			t.Errorf("%s: %d %s, want %s", c.build, a.status, a.body, c.code)
		}
	}
	// Who had a token for it still says its last words.
	if a := j.exchange(j.gitlab.Sign(with(gitlabClaims, "jti", "0")), "acme/tools/lint", over, earlier); a.status != 201 {
		t.Errorf("a token that was there before: %d %s", a.status, a.body)
	}
}

// TestExchange_TokenWritesItsBuildAlone tries each route that writes with the
// token of one build, on it and on others.
func TestExchange_TokenWritesItsBuildAlone(t *testing.T) {
	t.Parallel()
	j := startForJobs(t, "github:acme/*")
	own, other := githubBuild(4711, 1, 0), githubBuild(4712, 1, 0)
	foreign := ci.NewBuildID()
	j.create(fmt.Sprintf(`{"id":%q,"project":"acme/api","status":"running"}`, other))
	j.create(fmt.Sprintf(`{"id":%q,"project":"acme/web","status":"running"}`, foreign))
	auth := []string{"Authorization: Bearer " + j.got(j.exchange(j.github.Sign(githubClaims), "acme/api", own, "")), "Content-Type: application/json"}
	const updates = `{"updates":[{"step":{"key":"test","status":"running"}}]}`
	writes := map[string]func(build ci.BuildID, project string) (path, body string){
		"POST /api/v1/builds": func(build ci.BuildID, project string) (string, string) {
			return "/api/v1/builds", fmt.Sprintf(`{"id":%q,"project":%q}`, build, project)
		},
		"POST /api/v1/builds/:id/updates": func(build ci.BuildID, _ string) (string, string) {
			return "/api/v1/builds/" + build.String() + "/updates", updates
		},
		"PATCH /api/v1/builds/:id/steps/*/log": func(build ci.BuildID, _ string) (string, string) {
			return "/api/v1/builds/" + build.String() + "/steps/test/log", "text\n"
		},
	}
	for _, r := range j.routes() {
		if r.access != report {
			continue
		}
		write := writes[r.method+" "+r.path]
		if write == nil {
			t.Errorf("%s %s: not tried", r.method, r.path)
			continue
		}
		for _, c := range []struct {
			build   ci.BuildID
			project string
			writes  bool
		}{{own, "acme/api", true}, {own, "acme/api", true}, {other, "acme/api", false}, {githubBuild(4711, 1, 1), "acme/api", false}, {foreign, "acme/web", false}, {ci.NewBuildID(), "acme/web", false}, {own, "acme/web", false}} {
			if c.project == "acme/web" && c.build == own && r.path != "/api/v1/builds" {
				continue // there is no saying so
			}
			path, body := write(c.build, c.project)
			if a := j.do(r.method, path, body, auth...); (a.status/100 == 2) != c.writes || !c.writes && a.status != 403 && a.status != 404 {
				t.Errorf("%s, to %s of %s: %d %s", r.method, path, c.project, a.status, a.body)
			}
		}
	}
	if a := j.do("POST", "/api/v1/builds", `{"project":"acme/api"}`, auth...); a.status != 403 {
		t.Errorf("a build with an id of the server's: %d %s", a.status, a.body)
	}
	for _, path := range []string{"/api/v1/builds/" + other.String(), "/api/v1/tokens", "/api/v1/audit", "/api/v1/builds/" + own.String() + "/steps/test/log"} {
		if a := j.get(path, auth...); a.status != 403 && a.status != 404 {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for _, path := range []string{"/api/v1/builds", "/api/v1/projects"} {
		if a := j.get(path, auth...); a.status == 200 && strings.Contains(a.body, "acme/") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	if a := j.get("/api/v1/builds/"+own.String(), auth...); a.status != 200 {
		t.Errorf("its own build: %d %s", a.status, a.body)
	}
}

// TestExchange_IssuerAway has an issuer that is away at first, has other keys
// then, and is asked little whatever comes.
func TestExchange_IssuerAway(t *testing.T) {
	t.Parallel()
	j := startForJobs(t, "github:acme/*")
	j.github.Away(true)
	idToken, text := j.github.Sign(githubClaims), ci.NewToken()
	ask := func() answer { return j.exchange(idToken, "acme/api", githubBuild(4711, 1, 0), text) }
	for range 20 {
		if a := ask(); a.status != 503 || a.code() != string(idtoken.IssuerAway) || a.header.Get("Retry-After") == "" {
			t.Fatalf("away: %d %s", a.status, a.body)
		}
	}
	if n := j.github.Asked("/.well-known/openid-configuration"); n > 3 {
		t.Errorf("it was asked %d times", n)
	}
	j.github.Away(false)
	if a := j.heard(ask); a.status != 201 {
		t.Errorf("back: %d %s", a.status, a.body)
	}
	asked := j.github.Asked("/jwks")
	for range 20 {
		if a := ask(); a.status != 201 {
			t.Errorf("its keys are known: %d %s", a.status, a.body)
		}
	}
	j.github.Away(true)
	if a := ask(); a.status != 201 || j.github.Asked("/jwks") != asked {
		t.Errorf("its keys are known, and it is away: %d %s", a.status, a.body)
	}
	j.github.Away(false)
	j.github.Rotate(t)
	idToken = j.github.Sign(with(githubClaims, "jti", "2"))
	if a := j.heard(ask); a.status != 201 {
		t.Errorf("by another key: %d %s", a.status, a.body)
	}
}

// TestExchange_Off says what a server says that takes no ID tokens.
func TestExchange_Off(t *testing.T) {
	t.Parallel()
	j := &jobs{testServer: start(t)}
	if a := j.exchange(idp.New(t).Sign(githubClaims), "acme/api", githubBuild(4711, 1, 0), ""); a.status != 401 || a.code() != string(idtoken.WrongIssuer) {
		t.Errorf("%d %s", a.status, a.body)
	}
}
