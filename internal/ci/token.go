package ci

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"strings"
)

// A token is "stp_", 30 random base62 characters and a checksum of six, the
// CRC-32 (IEEE) of those 30 in base62: a scanner recognises a leaked one
// without asking, and a typo is told from a revoked token.
const (
	tokenPrefix = "stp_"
	tokenRandom = 30
	tokenCheck  = 6
	base62      = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// NewToken returns a fresh token. Its text is shown once and kept nowhere; the
// database holds the sum that ParseToken returns.
func NewToken() string {
	token := []byte(tokenPrefix)
	for len(token) < len(tokenPrefix)+tokenRandom {
		var b [1]byte
		rand.Read(b[:])  // never fails
		if b[0] < 4*62 { // so that all characters are equally likely
			token = append(token, base62[b[0]%62])
		}
	}
	return string(token) + tokenSum(string(token[len(tokenPrefix):]))
}

// ParseToken checks the form of a token and returns the SHA-256 of its text,
// which is what the database knows. The error is a *Problem.
func ParseToken(s string) (sum [32]byte, err error) {
	rest, ok := strings.CutPrefix(s, tokenPrefix)
	switch {
	case !ok:
		return sum, &Problem{Code: TokenMalformed, Detail: "A token begins with stp_; this is something else."}
	case len(rest) != tokenRandom+tokenCheck:
		return sum, &Problem{Code: TokenMalformed, Detail: "The token is too short or too long; it was not copied whole."}
	case rest[tokenRandom:] != tokenSum(rest[:tokenRandom]):
		return sum, &Problem{Code: TokenMalformed, Detail: "The token's checksum is wrong; there is a typo in it."}
	}
	return sha256.Sum256([]byte(s)), nil
}

// TokenID is by what a token is spoken of: the first sixteen digits of its sum.
// Whoever holds a leaked token can work out which one it is.
func TokenID(sum [32]byte) string { return fmt.Sprintf("%x", sum[:8]) }

func tokenSum(random string) string {
	n := crc32.ChecksumIEEE([]byte(random))
	sum := make([]byte, tokenCheck)
	for i := tokenCheck - 1; i >= 0; i-- {
		sum[i] = base62[n%62]
		n /= 62
	}
	return string(sum)
}

// TokenMalformed is a token that cannot be one.
const TokenMalformed Code = "token-malformed"
