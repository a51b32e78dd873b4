package ci

import (
	"crypto/rand"
	"crypto/sha256"
	"strings"
)

// What a browser keeps of its session is "sts_" and 43 random base62
// characters, which are 256 bits. The first 21 of them, 125 bits, name the
// session and stay; the others are drawn anew from time to time. So whoever comes
// with the right name and a former rest gives away that there are two who hold
// the session.
const (
	sessionPrefix = "sts_"
	sessionName   = 21
	sessionRandom = 43
)

// SessionKey is what the database knows of such a text.
type SessionKey struct {
	Name [32]byte // SHA-256 of what stays
	Sum  [32]byte // SHA-256 of the whole
}

// NewSession returns the text for a fresh session.
func NewSession() string { return sessionPrefix + RandomText(sessionRandom) }

// RenewSession returns a fresh text for the session that a text is of.
func RenewSession(text string) string {
	kept := len(sessionPrefix) + sessionName
	return text[:kept] + RandomText(sessionRandom-sessionName)
}

// ParseSession checks the form of such a text; ok is false for what is none.
func ParseSession(text string) (key SessionKey, ok bool) {
	rest, ok := strings.CutPrefix(text, sessionPrefix)
	if !ok || !IsRandomText(rest, sessionRandom) {
		return key, false
	}
	return SessionKey{sha256.Sum256([]byte(rest[:sessionName])), sha256.Sum256([]byte(text))}, true
}

// RandomText is n base62 characters that nobody can guess: 5.95 bits each.
func RandomText(n int) string {
	text := make([]byte, 0, n)
	for len(text) < n {
		var b [1]byte
		rand.Read(b[:])  // never fails
		if b[0] < 4*62 { // so that all characters are equally likely
			text = append(text, base62[b[0]%62])
		}
	}
	return string(text)
}

// IsRandomText tells whether a text could be one.
func IsRandomText(s string, n int) bool {
	return len(s) == n && strings.Trim(s, base62) == ""
}
