package idtoken

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/stepcast/stepcast/internal/ci"
)

const (
	leeway   = time.Minute // by which clocks may differ
	maxToken = 16 << 10    // bytes; GitHub's have about 2 KiB
)

// algorithms are those by which whoever can verify a token cannot make one.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}

// Verifier verifies the tokens of some issuers. A nil one takes none.
type Verifier struct {
	issuers  []Issuer
	keys     map[string]*keys // by the issuer's URL
	audience string
	rules    []Rule
}

// New returns a verifier of tokens for an audience. It asks nobody anything yet.
func New(issuers []Issuer, audience string, rules []Rule) *Verifier {
	v := &Verifier{issuers: issuers, keys: make(map[string]*keys), audience: audience, rules: rules}
	for _, i := range issuers {
		v.keys[i.URL] = newKeys(i.URL)
	}
	return v
}

// Verify says what a token says of its job. The error is a *ci.Problem, and of
// an issuer that has just not answered it is wrapped with the cause, which comes
// no more often than issuers are asked. It holds no part of the token but what
// an issuer signed.
func (v *Verifier) Verify(ctx context.Context, token string) (*Job, error) {
	name, err := issuerOf(token)
	if err != nil {
		return nil, err
	}
	var issuers []Issuer
	if v != nil {
		issuers = v.issuers
	}
	issuer, ok := find(issuers, name)
	if !ok || issuer.URL != name {
		return nil, &ci.Problem{Code: WrongIssuer, Field: "jwt", Detail: "This server takes no ID tokens of that issuer; whoever runs it can name the issuer with --runner-issuer."}
	}
	signed := signature{keys: v.keys[name]}
	// What is left to us: what is wrong is said in words of our own, and a
	// clock may be a little off.
	config := &oidc.Config{SupportedSigningAlgs: algorithms, SkipClientIDCheck: true, SkipExpiryCheck: true}
	if _, err := oidc.NewVerifier(name, &signed, config).Verify(ctx, token); err != nil {
		switch {
		case signed.err != nil:
			return nil, signed.err
		case signed.payload != nil:
			return nil, malformed("what it says of its issuer, its audience or its time is not of their form")
		}
		return nil, &ci.Problem{Code: WrongSignature, Field: "jwt", Detail: "The ID token is not signed by a key of its issuer."}
	}
	c, err := parseClaims(signed.payload)
	if err != nil {
		return nil, malformed("its claims are no JSON object")
	}
	if !c.has("aud", v.audience) {
		return nil, &ci.Problem{Code: WrongAudience, Field: "jwt", Detail: fmt.Sprintf("The ID token was made for others; ask for one for the audience %s.", v.audience)}
	}
	expires, err := inTime(c, time.Now())
	if err != nil {
		return nil, err
	}
	j, err := newJob(issuer, signed.payload)
	if err != nil {
		return nil, err
	}
	j.Expires, j.rules = expires.Add(leeway), v.rules
	return j, nil
}

// inTime tells until when a token is good, if it is good at that time.
func inTime(c claims, now time.Time) (expires time.Time, err error) {
	expires, ends := c.time("exp")
	issued, begins := c.time("iat")
	after, delayed := c.time("nbf")
	switch {
	case !ends || !begins || c["nbf"] != nil && !delayed:
		return expires, malformed("it does not say from when until when it is good")
	case !now.Before(expires.Add(leeway)):
		return expires, &ci.Problem{Code: WrongTime, Field: "jwt", Detail: "The ID token has expired; ask for a new one, and see that the clocks are right."}
	case issued.After(now.Add(leeway)), delayed && after.After(now.Add(leeway)):
		return expires, &ci.Problem{Code: WrongTime, Field: "jwt", Detail: "The ID token is of a time to come; see that the clocks are right."}
	}
	return expires, nil
}

// issuerOf reads who a token, which nobody has verified yet, says it is of.
func issuerOf(token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(token) > maxToken || len(parts) != 3 {
		return "", malformed("it is too long, or not of three parts with dots between them")
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", malformed("it is not written in base64url")
	}
	c, err := parseClaims(payload)
	if err != nil {
		return "", malformed("its claims are no JSON object")
	}
	issuer, ok := c.text("iss")
	if !ok {
		return "", malformed("it does not say by whom it was issued")
	}
	return issuer, nil
}

// keyID reads the id of the key by which a token says it is signed.
func keyID(token string) string {
	head, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		return ""
	}
	var h struct {
		KeyID string `json:"kid"`
	}
	_ = json.Unmarshal(text, &h) // what is wrong with it go-oidc has found
	return h.KeyID
}
