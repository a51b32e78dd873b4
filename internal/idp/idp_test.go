package idp_test

import (
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/stepcast/stepcast/internal/idp"
)

// TestSign_IsWhatItSaysItIs holds the tokens to another's idea of them: the
// right ones are right, or a forged one proves nothing where it is refused.
func TestSign_IsWhatItSaysItIs(t *testing.T) {
	t.Parallel()
	p := idp.New(t)
	provider, err := oidc.NewProvider(t.Context(), p.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	verify := func(token string) error {
		_, err := provider.Verifier(&oidc.Config{ClientID: "somebody"}).Verify(t.Context(), token)
		return err
	}
	claims := idp.Claims{"aud": "somebody", "sub": "one"}
	for _, right := range []idp.Signature{"", idp.ByES256, idp.NoKid} {
		if err := verify(p.Sign(claims, right)); err != nil {
			t.Errorf("signed right, %q: %v", right, err)
		}
	}
	for _, forged := range []idp.Signature{idp.None, idp.ByPublic, idp.ByOther, idp.UnknownKey, idp.Broken, idp.Bare, idp.Swapped} {
		if err := verify(p.Sign(claims, forged)); err == nil {
			t.Errorf("signed %s: it passes", forged)
		}
	}
	for name, claims := range map[string]idp.Claims{
		"for somebody else": {"aud": "somebody else"},
		"by somebody else":  {"aud": "somebody", "iss": "https://issuer.example"},
		"over":              {"aud": "somebody", "exp": time.Now().Add(-time.Second).Unix()},
		"without an end":    {"aud": "somebody", "exp": nil},
		"yet to come":       {"aud": "somebody", "nbf": time.Now().Add(time.Hour).Unix()},
	} {
		if err := verify(p.Sign(claims)); err == nil {
			t.Errorf("%s: it passes", name)
		}
	}
	former := p.Sign(claims)
	p.Rotate(t)
	if err := verify(p.Sign(claims)); err != nil {
		t.Errorf("by a new key: %v", err)
	}
	for end := time.Now().Add(time.Minute); verify(former) == nil; { // by what is kept, until the new keys are
		if time.Now().After(end) {
			t.Fatal("by a key that is no longer one: it passes")
		}
	}
}
