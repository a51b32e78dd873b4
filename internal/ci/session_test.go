package ci

import (
	"strings"
	"testing"
)

func TestSession(t *testing.T) {
	t.Parallel()
	first := NewSession()
	key, ok := ParseSession(first)
	if !ok || first == NewSession() {
		t.Fatalf("%s: %v", first, ok)
	}
	renewed := RenewSession(first)
	after, ok := ParseSession(renewed)
	if !ok || after.Name != key.Name || after.Sum == key.Sum || renewed == RenewSession(first) {
		t.Errorf("%s is renewed to %s", first, renewed)
	}
	if other, _ := ParseSession(NewSession()); other.Name == key.Name {
		t.Error("two sessions have one name")
	}
	for _, s := range []string{"", "sts_", first[1:], first[:len(first)-1], first + "0", "stp_" + first[4:], strings.Replace(first, first[9:10], "-", 1), first[:10] + "é" + first[12:], " " + first} {
		if _, ok := ParseSession(s); ok {
			t.Errorf("%q passes", s)
		}
	}
}
