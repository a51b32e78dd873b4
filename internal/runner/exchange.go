package runner

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// Exchange gets the tokens of a CI system's job that was given none: the job
// shows an ID token, and gets a token of one build of its run.
//
// The token's text is made up here, and kept before it is asked for: whoever of
// the job comes first chooses it, the others ask for the same one. So it does
// not matter that an answer is lost, nor that a GitLab job has one ID token, which
// is good for one token.
type Exchange struct {
	Project string // that the builds are of, where it is not said
	Run     string // what, with the project, the builds' ids are derived from
	// IDToken gets an ID token for the server.
	IDToken func(ctx context.Context) (string, error)
	// Dir is where tokens are kept for other commands of the job, nobody else's;
	// empty: nowhere.
	Dir string
	// Hide is told of every secret before it is used.
	Hide func(secret string)

	mu      sync.Mutex
	tokens  map[subject]*keptToken
	shown   string  // the ID token that was exchanged last,
	usedFor subject // for this
}

// subject is what a token is for.
type subject struct {
	server, project string
	build           ci.BuildID
}

// keptToken is the token of a build, as it lies in Dir.
type keptToken struct {
	Token     string    `json:"token"`
	GotAt     time.Time `json:"got_at"` // by this machine's clock; zero: it may be good for nothing yet
	ExpiresAt time.Time `json:"expires_at"`

	tried time.Time // when a longer life was asked for
}

const (
	renewalTime  = 5 * time.Second    // that a longer life may hold up what is to be sent
	leastRenewal = time.Minute        // of tokens that seem to last no time at all: a clock is wrong
	keepTokens   = 7 * 24 * time.Hour // how long a token's file is kept
)

// old tells whether it is time to ask for a longer life.
func (k *keptToken) old(now time.Time) bool {
	lasts := max(k.ExpiresAt.Sub(k.GotAt)*2/3, leastRenewal)
	return now.Sub(k.GotAt) >= lasts && now.Sub(k.tried) >= leastRenewal
}

// about sends a request about a build with the token for it; without a project
// it is the one that the command reports for.
func (c *Client) about(ctx context.Context, project string, build ci.BuildID, request func(*Client) error) error {
	as, err := c.as(ctx, project, build)
	if err != nil {
		return err
	}
	err = request(as)
	var refused *refusal
	if c.Exchange == nil || !errors.As(err, &refused) || refused.status != http.StatusUnauthorized || !c.Exchange.forget(as.Token) {
		return err
	}
	// It has expired after all, or the server has lost it.
	if as, err = c.as(ctx, project, build); err != nil {
		return err
	}
	return request(as)
}

// as is the client with the token for a build, which one with a token of its
// own has.
func (c *Client) as(ctx context.Context, project string, build ci.BuildID) (*Client, error) {
	if c.Exchange == nil {
		return c, nil
	}
	token, err := c.Exchange.token(ctx, c, subject{c.URL, cmp.Or(project, c.Exchange.Project), build})
	if err != nil {
		return nil, err
	}
	as := *c
	as.Token = token
	return &as, nil
}

// token returns the token for a build.
func (x *Exchange) token(ctx context.Context, c *Client, of subject) (string, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	k, own := x.known(of), x.owns(of)
	if k == nil && own {
		k = x.choose(of)
		x.learn(of, k)
	}
	if k == nil {
		return "", &refusal{code: "no-token", status: http.StatusNotFound, detail: fmt.Sprintf("The job has no token for the build %s, which is none of its run's", of.build), index: -1}
	}
	switch now := time.Now(); {
	case !own:
	case k.GotAt.IsZero():
		if err := x.exchange(ctx, c, of, k); err != nil {
			return "", err
		}
	case k.old(now):
		k.tried = now
		soon, cancel := context.WithTimeout(ctx, renewalTime)
		defer cancel()
		_ = x.exchange(soon, c, of, k) // it is good for a while yet
	}
	return k.Token, nil
}

// HideKept hides what earlier commands on this machine have kept, of this job or
// others, as far as it may be good still. It asks nobody anything.
func (x *Exchange) HideKept() {
	files, _ := os.ReadDir(x.Dir) // without one there are none
	for _, file := range files[:min(len(files), mostHidden)] {
		if k := read(filepath.Join(x.Dir, file.Name())); k != nil && (k.GotAt.IsZero() || time.Now().Before(k.ExpiresAt)) {
			x.hide(k.Token)
		}
	}
}

// mostHidden bounds how many are looked at before a command starts.
const mostHidden = 200

// known returns what is known of a build's token; nil if there is nothing.
func (x *Exchange) known(of subject) *keptToken {
	if x.tokens[of] == nil {
		if k := x.load(of); k != nil {
			x.learn(of, k)
		}
	}
	return x.tokens[of]
}

func (x *Exchange) learn(of subject, k *keptToken) {
	if x.tokens == nil {
		x.tokens = make(map[subject]*keptToken)
	}
	x.tokens[of] = k
	x.hide(k.Token)
}

// owns tells whether a build is one of the job's run.
func (x *Exchange) owns(of subject) bool {
	for n := range ci.MaxSeries {
		if x.Run != "" && of.build == ci.DerivedBuildID(ci.RunOf(of.project, x.Run), n) {
			return true
		}
	}
	return false
}

// forget has a token that the server refused be asked for again; it tells whether
// that may help.
func (x *Exchange) forget(token string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	for of, k := range x.tokens {
		if k.Token == token && x.owns(of) {
			k.GotAt = time.Time{}
			return true
		}
	}
	return false
}

// exchange makes a token good, or good for longer.
func (x *Exchange) exchange(ctx context.Context, c *Client, of subject, k *keptToken) error {
	idToken, err := x.IDToken(ctx)
	if err != nil {
		return err
	}
	if idToken == x.shown && of != x.usedFor {
		return &refusal{code: "no-token", status: http.StatusNotFound, detail: fmt.Sprintf("The job's ID token is good for the build %s alone; give the job a token in STEPCAST_TOKEN", x.usedFor.build), index: -1}
	}
	x.hide(idToken)
	bare := *c
	bare.Token = ""
	var given struct {
		Token     string    `json:"token"`
		ExpiresAt time.Time `json:"expires_at"`
	}
	err = bare.do(ctx, http.MethodPost, "/api/v1/exchange", mustJSON(map[string]any{"jwt": idToken, "project": of.project, "build": of.build, "token": k.Token}), &given)
	if err == nil && given.Token != k.Token {
		err = notStepcast()
	}
	if err != nil {
		return err
	}
	k.GotAt, k.ExpiresAt = time.Now(), given.ExpiresAt
	x.shown, x.usedFor = idToken, of
	x.keep(of, k)
	return nil
}

func (x *Exchange) hide(secret string) {
	if x.Hide != nil {
		x.Hide(secret)
	}
}

// path is where a token lies.
func (x *Exchange) path(of subject) string {
	return filepath.Join(x.Dir, fmt.Sprintf("%x.json", sha256.Sum256([]byte(of.server+"\n"+of.project+"\n"+of.build.String()))))
}

// load reads what an earlier command kept; nil if there is nothing.
func (x *Exchange) load(of subject) *keptToken {
	if x.Dir == "" {
		return nil
	}
	return read(x.path(of))
}

func read(path string) *keptToken {
	text, err := os.ReadFile(path)
	k := &keptToken{}
	if err != nil || json.Unmarshal(text, k) != nil {
		return nil
	}
	if _, err := ci.ParseToken(k.Token); err != nil {
		return nil
	}
	return k
}

// choose makes up a token, unless another command has just done so.
func (x *Exchange) choose(of subject) *keptToken {
	k := &keptToken{Token: ci.NewToken()}
	if x.Dir == "" {
		return k
	}
	x.tidy()
	temp, err := x.write(k)
	if err == nil {
		err = os.Link(temp, x.path(of)) // whole, and only if there is none
		_ = os.Remove(temp)
	}
	if errors.Is(err, fs.ErrExist) {
		if other := x.load(of); other != nil {
			return other
		}
		x.keep(of, k) // what is there is good for nothing
	}
	return k
}

// keep writes down what is known of a token. Where that fails, other commands
// of the job get tokens of their own, if they can.
func (x *Exchange) keep(of subject, k *keptToken) {
	if x.Dir == "" {
		return
	}
	if temp, err := x.write(k); err == nil && os.Rename(temp, x.path(of)) != nil {
		_ = os.Remove(temp)
	}
}

func (x *Exchange) write(k *keptToken) (path string, err error) {
	f, err := os.CreateTemp(x.Dir, "new-*") // for its owner alone
	if err != nil {
		return "", err
	}
	_, err = f.Write(mustJSON(k))
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
	}
	return f.Name(), err
}

// tidy removes what is of no use to anybody any more.
func (x *Exchange) tidy() {
	files, _ := os.ReadDir(x.Dir)
	for _, file := range files {
		if info, err := file.Info(); err == nil && time.Since(info.ModTime()) > keepTokens {
			_ = os.Remove(filepath.Join(x.Dir, file.Name()))
		}
	}
}

// noIDToken says that the CI system has not answered.
type noIDToken struct{ cause error }

func (e noIDToken) Error() string { return "GitHub gives the job no ID token: " + e.cause.Error() }
func (e noIDToken) Unwrap() error { return e.cause }

// GitHubIDToken asks GitHub for an ID token for an audience, at the address and
// with the secret that it gives to a job for that:
// https://docs.github.com/en/actions/reference/security/oidc
func GitHubIDToken(address, secret, audience string) func(context.Context) (string, error) {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return func(ctx context.Context) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
		u, err := url.Parse(address)
		if err != nil {
			return "", noIDToken{errors.New("its address is none")}
		}
		query := u.Query()
		query.Set("audience", audience)
		u.RawQuery = query.Encode()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return "", noIDToken{errors.New("its address is none")}
		}
		req.Header.Set("Authorization", "Bearer "+secret)
		req.Header.Set("User-Agent", "stepcast")
		began := time.Now()
		resp, err := client.Do(req)
		if err != nil {
			return "", noIDToken{plain(err, began)}
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return "", noIDToken{plain(err, began)}
		}
		var given struct {
			Value string `json:"value"`
		}
		switch s := resp.StatusCode; {
		case s == http.StatusUnauthorized || s == http.StatusForbidden || s == http.StatusNotFound:
			return "", &refusal{status: s, code: "no-id-token", detail: "GitHub gives the job no ID token: the job may have ended, or lack the permission id-token: write", index: -1}
		case s != http.StatusOK:
			return "", noIDToken{fmt.Errorf("it answers %d %s", s, http.StatusText(s))}
		case json.Unmarshal(text, &given) != nil || given.Value == "":
			return "", noIDToken{errors.New("there is none in its answer")}
		}
		return given.Value, nil
	}
}
