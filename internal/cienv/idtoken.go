package cienv

import "net/url"

// IDTokens is how a job gets ID tokens, by which it can prove to others what it
// is. Either URL and Secret are set, or Token is.
type IDTokens struct {
	URL    string // GitHub: asked for a token, with the audience as the parameter audience
	Secret string // the bearer token of that request
	Token  string // GitLab: the one that the job has, for the audience that its configuration names
}

// idTokenName is the variable that a GitLab job names in id_tokens.
const idTokenName = "STEPCAST_ID_TOKEN"

// FindIDTokens tells how the job gets ID tokens; ok is false when it gets none,
// as without `permissions: id-token: write` on GitHub and without an entry in
// `id_tokens` on GitLab:
// https://docs.github.com/en/actions/reference/security/oidc
// https://docs.gitlab.com/ci/secrets/id_token_authentication/
func FindIDTokens(env Env) (t IDTokens, ok bool) {
	v := vars{env}
	switch {
	case inGitHub(v):
		t.URL, t.Secret = v.get("ACTIONS_ID_TOKEN_REQUEST_URL"), v.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
		u, err := url.Parse(t.URL)
		return t, t.Secret != "" && err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
	case inGitLab(v):
		t.Token = v.get(idTokenName)
		return t, t.Token != ""
	}
	return t, false
}
