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

// The same bytes make the same text, each behind its own beginning.
func TestTokenFrom(t *testing.T) {
	t.Parallel()
	random := func() *strings.Reader { return strings.NewReader(strings.Repeat("\xffab\x00", 16)) }
	token, link := TokenFrom(random()), LinkFrom(random())
	if _, err := ParseToken(token); err != nil || token != TokenFrom(random()) || token[4:] != link[4:] {
		t.Errorf("%q, %q: %v", token, link, err)
	}
}

// Neither a token nor a link passes for the other, and a typo is found in both.
func TestLink(t *testing.T) {
	t.Parallel()
	link, token := NewLink(), NewToken()
	sum, ok := ParseLink(link)
	if again, _ := ParseLink(link); !ok || len(link) != 40 || again != sum || link == NewLink() {
		t.Fatalf("ParseLink(%q): %v", link, ok)
	}
	for i := range len(link) {
		typo := link[:i] + string(base62[(strings.IndexByte(base62, link[i])+1)%62]) + link[i+1:]
		if _, ok := ParseLink(typo); ok {
			t.Errorf("%q passes for %q", typo, link)
		}
	}
	for _, bad := range []string{"", "stl_", link[:39], link + "0", token, "stl_" + token[4:39]} {
		if _, ok := ParseLink(bad); ok {
			t.Errorf("ParseLink(%q)", bad)
		}
	}
	if _, err := ParseToken(link); err == nil {
		t.Error("a link passes for a token")
	}
	if other, ok := ParseLink("stl_" + token[4:]); !ok || other == func() [32]byte { sum, _ := ParseToken(token); return sum }() {
		t.Error("a link has the sum of a token")
	}
}
