package ci

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// The text of a token is "stp_", 30 random base62 characters and a checksum of
// six, the CRC-32 (IEEE) of those 30 in base62: a scanner recognises a leaked one
// without asking, and a typo is told from a revoked token. That of a link begins
// with "stl_", so that neither can stand for the other.
const (
	tokenPrefix = "stp_"
	linkPrefix  = "stl_"
	textRandom  = 30
	textCheck   = 6
	base62      = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// NewToken returns a fresh token. Its text is shown once and kept nowhere; the
// database holds the sum that ParseToken returns.
func NewToken() string { return TokenFrom(rand.Reader) }

// TokenFrom is NewToken with random bytes of the caller's: 64 are enough.
func TokenFrom(random io.Reader) string { return newText(tokenPrefix, random) }

// NewLink returns the text of a fresh link, which is kept as a token's is.
func NewLink() string { return LinkFrom(rand.Reader) }

// LinkFrom is NewLink with random bytes of the caller's, as TokenFrom has it.
func LinkFrom(random io.Reader) string { return newText(linkPrefix, random) }

func newText(prefix string, random io.Reader) string {
	text := []byte(prefix)
	for len(text) < len(prefix)+textRandom {
		var b [1]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			panic("ci: no random bytes: " + err.Error())
		}
		if b[0] < 4*62 { // so that all characters are equally likely
			text = append(text, base62[b[0]%62])
		}
	}
	return string(text) + textSum(string(text[len(prefix):]))
}

// ParseToken checks the form of a token and returns the SHA-256 of its text,
// which is what the database knows. The error is a *Problem.
func ParseToken(s string) (sum [32]byte, err error) {
	rest, ok := strings.CutPrefix(s, tokenPrefix)
	switch {
	case strings.HasPrefix(s, linkPrefix):
		return sum, &Problem{Code: TokenMalformed, Detail: "This is the text of a link, which is opened in a browser, and no token; a token begins with stp_."}
	case !ok:
		return sum, &Problem{Code: TokenMalformed, Detail: "A token begins with stp_; this is something else."}
	case len(rest) != textRandom+textCheck:
		return sum, &Problem{Code: TokenMalformed, Detail: "The token is too short or too long; it was not copied whole."}
	case rest[textRandom:] != textSum(rest[:textRandom]):
		return sum, &Problem{Code: TokenMalformed, Detail: "The token's checksum is wrong; there is a typo in it."}
	}
	return sha256.Sum256([]byte(s)), nil
}

// ParseLink returns the sum of a link's text; ok is false for what is none, or
// was not copied whole.
func ParseLink(s string) (sum [32]byte, ok bool) {
	rest, ok := strings.CutPrefix(s, linkPrefix)
	if !ok || len(rest) != textRandom+textCheck || rest[textRandom:] != textSum(rest[:textRandom]) {
		return sum, false
	}
	return sha256.Sum256([]byte(s)), true
}

// TokenID is by what a token, or a link, is spoken of: the first sixteen digits
// of its sum. Whoever holds a leaked one can work out which one it is.
func TokenID(sum [32]byte) string { return fmt.Sprintf("%x", sum[:8]) }

func textSum(random string) string {
	n := crc32.ChecksumIEEE([]byte(random))
	sum := make([]byte, textCheck)
	for i := textCheck - 1; i >= 0; i-- {
		sum[i] = base62[n%62]
		n /= 62
	}
	return string(sum)
}

// TokenMalformed is a token that cannot be one.
const TokenMalformed Code = "token-malformed"

// TokenScope is a token that may not do such a thing, of whatever it is asked.
const TokenScope Code = "token-scope"
