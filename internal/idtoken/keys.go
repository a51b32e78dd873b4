package idtoken

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/stepcast/stepcast/internal/ci"
)

const (
	fetchEvery = 3 * time.Second  // at most so often an issuer is asked
	fetchTime  = 10 * time.Second // for one answer
	maxAnswer  = 1 << 20          // bytes of one
	maxKeys    = 100              // of an issuer
	keysFresh  = time.Hour        // after which they are asked for again
	keysGood   = 24 * time.Hour   // for how long, when there is no answer
)

// keys are those of an issuer, as far as they have been asked for.
type keys struct {
	issuer string
	client *http.Client

	fetching sync.Mutex // held by who asks; guards:
	tried    time.Time
	failed   bool // to get an answer then

	mu  sync.Mutex
	set map[string]jose.JSONWebKey // by id
	at  time.Time                  // when the issuer said so
}

func newKeys(issuer string) *keys {
	return &keys{issuer: issuer, client: &http.Client{
		Timeout:       fetchTime,
		Transport:     bounded{issuer},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errElsewhere },
	}}
}

// find returns the key of that id; ok is false when the issuer has none. The
// error is errRecent, when there is no asking it now.
func (k *keys) find(ctx context.Context, id string) (key jose.JSONWebKey, ok bool, err error) {
	key, ok, age := k.look(id)
	if ok && age < keysFresh {
		return key, true, nil
	}
	before := time.Now()
	k.fetching.Lock()
	defer k.fetching.Unlock()
	meanwhile := k.tried.After(before) // somebody else asked
	switch {
	case meanwhile && !k.failed:
	case meanwhile, time.Since(k.tried) < fetchEvery:
		err = errRecent
	default:
		k.tried = time.Now()
		err = k.fetch(ctx)
		k.failed = err != nil
	}
	if key, ok, age = k.look(id); ok && age < keysGood {
		return key, true, nil
	}
	return key, false, err
}

// errRecent says that the issuer was asked a moment ago. It may have another key
// since, or answer again.
var errRecent = errors.New("it was asked a moment ago")

// look returns what is known of a key, and since when.
func (k *keys) look(id string) (key jose.JSONWebKey, ok bool, age time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok = k.set[id]
	return key, ok, time.Since(k.at)
}

// fetch asks the issuer where its keys are, and for them. A request that goes
// away takes nothing from those that wait for the same.
func (k *keys) fetch(ctx context.Context) error {
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), k.client)
	provider, err := oidc.NewProvider(ctx, k.issuer)
	if err != nil {
		return fmt.Errorf("discover: %w", err)
	}
	var where struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&where); err != nil {
		return fmt.Errorf("discover: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, where.Keys, nil)
	if err != nil {
		return fmt.Errorf("ask for keys: %w", err)
	}
	resp, err := k.client.Do(req)
	if err != nil {
		return fmt.Errorf("ask for keys: %w", err)
	}
	defer resp.Body.Close()
	var list struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	set := make(map[string]jose.JSONWebKey)
	for _, text := range list.Keys[:min(len(list.Keys), maxKeys)] {
		var key jose.JSONWebKey // one that is not understood is not ours
		if key.UnmarshalJSON(text) == nil && key.KeyID != "" && key.IsPublic() && key.Valid() && (key.Use == "" || key.Use == "sig") {
			set[key.KeyID] = key
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.set, k.at = set, time.Now()
	return nil
}

// signature verifies one token, for go-oidc, and keeps what comes of it.
type signature struct {
	keys    *keys
	payload []byte
	err     error // why it could not be verified, if not for the signature
}

// VerifySignature implements [oidc.KeySet]. The key is the one that the token
// names: one without a name is none of a job.
func (s *signature) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	key, ok, err := s.keys.find(ctx, keyID(token))
	if err != nil {
		s.err = &ci.Problem{Code: IssuerAway, Detail: "The keys of the ID token's issuer cannot be had at the moment; send the same again."}
		if !errors.Is(err, errRecent) { // it was told of
			s.err = fmt.Errorf("%w (%s: %w)", s.err, s.keys.issuer, err)
		}
		return nil, s.err
	}
	if !ok {
		return nil, errors.New("the issuer has no such key")
	}
	accepted := make([]jose.SignatureAlgorithm, len(algorithms))
	for i, name := range algorithms {
		accepted[i] = jose.SignatureAlgorithm(name)
	}
	if key.Algorithm != "" {
		accepted = []jose.SignatureAlgorithm{jose.SignatureAlgorithm(key.Algorithm)}
	}
	jws, err := jose.ParseSignedCompact(token, accepted)
	if err != nil {
		return nil, fmt.Errorf("read the token: %w", err)
	}
	s.payload, err = jws.Verify(key.Key)
	return s.payload, err
}

// bounded asks nobody but an issuer, and takes no more than an answer of its
// that has a right size: discovery may name the keys' address.
type bounded struct{ issuer string }

var errElsewhere = errors.New("it points to somewhere else")

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	issuer, err := url.Parse(b.issuer)
	if err != nil || r.URL.Scheme != issuer.Scheme || r.URL.Host != issuer.Host {
		return nil, errElsewhere
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("it answers %s", resp.Status)
	case len(body) > maxAnswer:
		return nil, fmt.Errorf("it answers more than %d bytes", maxAnswer)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
