package idp

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

// Claims are what a token says. A value of nil stands for a claim that is not
// there.
type Claims map[string]any

// A Signature is how a token is signed; the zero value is right.
type Signature string

// What forgers try, and what is right too.
const (
	ByES256    Signature = "ES256"                 // right: the provider's other key
	None       Signature = "none"                  // the header says that there is no signature
	ByPublic   Signature = "HS256 by the public"   // a secret that everybody knows: the text (PEM) of the public key
	ByOther    Signature = "RS256 by another key"  // which the header calls by the provider's kid
	UnknownKey Signature = "RS256, of an unknown"  // kid, by a key of somebody else
	NoKid      Signature = "RS256, without a kid"  // right where the provider has one key of that kind
	Broken     Signature = "RS256, a bit flipped"  // in the signature
	Bare       Signature = "RS256, then stripped"  // the right header, and no signature
	Swapped    Signature = "RS256, claims swapped" // signed for another subject
)

// keys are what a provider signs with.
type keys struct {
	kid string
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
}

func newKeys(tb testing.TB) *keys {
	tb.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatalf("idp: %v", err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatalf("idp: %v", err)
	}
	return &keys{rand.Text(), r, e}
}

// set is the keys as a JWKS, RFC 7517.
func (k *keys) set() map[string]any {
	point, err := k.ec.PublicKey.Bytes() // 4, x, y
	if err != nil {
		panic(err)
	}
	return map[string]any{"keys": []any{
		map[string]any{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": k.kid,
			"n": encode(k.rsa.N.Bytes()), "e": encode(big.NewInt(int64(k.rsa.E)).Bytes())},
		map[string]any{"kty": "EC", "use": "sig", "alg": "ES256", "kid": k.kid + "-ec", "crv": "P-256",
			"x": encode(point[1:33]), "y": encode(point[33:])},
	}}
}

// sign makes a JWT in the compact form, RFC 7515. With other, a forger signs.
func (k *keys) sign(claims Claims, how Signature, other *keys) string {
	header := map[string]any{"alg": "RS256", "typ": "JWT", "kid": k.kid}
	signer := k.rsa
	switch how {
	case ByES256:
		header["alg"], header["kid"] = "ES256", k.kid+"-ec"
	case None:
		header["alg"] = "none"
	case ByPublic:
		header["alg"] = "HS256"
	case ByOther:
		signer = other.rsa
	case UnknownKey:
		signer, header["kid"] = other.rsa, other.kid
	case NoKid:
		delete(header, "kid")
	}
	signed := encodeJSON(header) + "." + encodeJSON(claims)
	digest := sha256.Sum256([]byte(signed))
	var signature []byte
	switch how {
	case None, Bare:
	case ByES256:
		r, s, err := ecdsa.Sign(rand.Reader, k.ec, digest[:])
		if err != nil {
			panic(err)
		}
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	case ByPublic:
		der, err := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
		if err != nil {
			panic(err)
		}
		mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
		mac.Write([]byte(signed))
		signature = mac.Sum(nil)
	default:
		var err error
		if signature, err = rsa.SignPKCS1v15(rand.Reader, signer, crypto.SHA256, digest[:]); err != nil {
			panic(err)
		}
	}
	switch how {
	case Broken:
		signature[len(signature)/2] ^= 1
	case Swapped:
		swapped := make(Claims, len(claims))
		for name, value := range claims {
			swapped[name] = value
		}
		swapped["sub"] = "somebody-else"
		signed = encodeJSON(header) + "." + encodeJSON(swapped)
	}
	return signed + "." + encode(signature)
}

// complete adds what every token says, where the claims do not say it: from
// whom, and that it holds from now on for five minutes.
func (c Claims) complete(issuer string, now time.Time) Claims {
	whole := Claims{"iss": issuer, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}
	for name, value := range c {
		if value == nil {
			delete(whole, name)
		} else {
			whole[name] = value
		}
	}
	return whole
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func encodeJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a test's own claims
	}
	return encode(b)
}
