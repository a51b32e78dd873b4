package ci

import (
	"strings"
	"testing"
)

func TestToken(t *testing.T) {
	t.Parallel()
	token := NewToken()
	sum, err := ParseToken(token)
	if err != nil || len(token) != 40 {
		t.Fatalf("ParseToken(%q): %v", token, err)
	}
	if again, _ := ParseToken(token); again != sum || token == NewToken() {
		t.Fatal("a token is not itself, or not random")
	}
	for i := range len(token) {
		typo := token[:i] + string(base62[(strings.IndexByte(base62, token[i])+1)%62]) + token[i+1:]
		if _, err := ParseToken(typo); err == nil {
			t.Errorf("%q passes for %q", typo, token)
		}
	}
	for _, bad := range []string{"", "stp_", token[:39], token + "0", "ghp_" + token[4:]} {
		if p := AsProblem(func() error { _, err := ParseToken(bad); return err }()); p == nil || p.Code != TokenMalformed {
			t.Errorf("ParseToken(%q): %v", bad, p)
		}
	}
}
