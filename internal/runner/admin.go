package runner

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// Token is a token as the server tells of it.
type Token struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"`
	Project   string     `json:"project"`         // a pattern
	Build     *string    `json:"build,omitempty"` // for which alone it is
	MadeBy    *string    `json:"made_by"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	UsedAt    *time.Time `json:"used_at"`
	UsedFrom  *string    `json:"used_from"`
	Text      string     `json:"token,omitempty"` // of a new one only
}

// Link is a link to a build as the server tells of it.
type Link struct {
	ID        string     `json:"id"`
	Build     string     `json:"build"`
	Scope     string     `json:"scope"`
	MadeBy    *string    `json:"made_by"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	UsedAt    *time.Time `json:"used_at"`
	UsedFrom  *string    `json:"used_from"`
	URL       string     `json:"url,omitempty"` // of a new one only
}

// Entry is a line of the audit as the server tells of it.
type Entry struct {
	ID      string          `json:"id"`
	At      time.Time       `json:"at"`
	Actor   string          `json:"actor"`
	Address *string         `json:"address"`
	Action  string          `json:"action"`
	Project string          `json:"project"` // or a pattern
	Target  string          `json:"target"`
	Detail  json.RawMessage `json:"detail"`
}

// CreateToken makes a token. It is asked for once: repeated, it would make
// another one.
func (c *Client) CreateToken(ctx context.Context, name, project string, scopes []string, expires *time.Time) (Token, error) {
	var t Token
	err := c.do(ctx, http.MethodPost, "/api/v1/tokens", mustJSON(struct {
		Name    string     `json:"name"`
		Project string     `json:"project"`
		Scopes  []string   `json:"scopes"`
		Expires *time.Time `json:"expires_at"`
	}{name, project, scopes, expires}), &t)
	if err != nil {
		return t, err
	}
	sum, bad := ci.ParseToken(t.Text)
	if bad != nil {
		return t, notStepcast()
	}
	t.ID = ci.TokenID(sum) // which is shown, whatever the server says
	return t, nil
}

// maxAddress bounds an address that is shown, in bytes.
const maxAddress = 2000

// mostPages bounds how many pages of a list are read.
const mostPages = 10_000

// pages reads a list, page by page, until most of it are there; 0: all.
func pages[T any](ctx context.Context, c *Client, path string, q url.Values, name string, most int) (all []T, err error) {
	for range mostPages {
		limit := 200 // the largest page that every list has
		if most > 0 {
			limit = min(limit, most-len(all))
		}
		q.Set("limit", strconv.Itoa(limit))
		var page map[string]json.RawMessage
		if err := c.until(ctx, http.MethodGet, path+"?"+q.Encode(), nil, &page); err != nil {
			return all, err
		}
		var some []T
		var next *string
		if json.Unmarshal(page[name], &some) != nil || page["next"] != nil && json.Unmarshal(page["next"], &next) != nil {
			return all, notStepcast()
		}
		if all = append(all, some...); next == nil || most > 0 && len(all) >= most {
			break
		}
		q.Set("before", *next)
	}
	return all, nil
}

// safe makes what is shown of an answer fit for a terminal.
func safe(texts ...*string) {
	for _, text := range texts {
		if text != nil {
			*text = label(*text, ci.MaxName)
		}
	}
}

// Tokens lists the tokens for what the client administers, the newest first;
// with builds those for one build too, of which runners get one for each.
func (c *Client) Tokens(ctx context.Context, builds bool) ([]Token, error) {
	q := url.Values{}
	if builds {
		q.Set("builds", "true")
	}
	tokens, err := pages[Token](ctx, c, "/api/v1/tokens", q, "tokens", 0)
	for i := range tokens {
		t := &tokens[i]
		safe(&t.ID, &t.Name, &t.Project, t.Build, t.MadeBy, t.UsedFrom)
		for j := range t.Scopes {
			safe(&t.Scopes[j])
		}
	}
	return tokens, err
}

// RevokeToken ends a token for good.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.until(ctx, http.MethodDelete, "/api/v1/tokens/"+id, nil, nil)
}

// CreateLink makes a link to a build, with the scope read or status, that lasts
// for so long; 0: for as long as the server lets links last by itself. It is asked
// for once, as a token is.
func (c *Client) CreateLink(ctx context.Context, build ci.BuildID, scope string, lasts time.Duration) (Link, error) {
	want := map[string]any{"scope": scope}
	if lasts > 0 {
		want["expires_in"] = int64(lasts / time.Second)
	}
	var l Link
	err := c.do(ctx, http.MethodPost, "/api/v1/builds/"+build.String()+"/links", mustJSON(want), &l)
	if err != nil {
		return l, err
	}
	u, bad := url.Parse(l.URL)
	if bad != nil {
		return l, notStepcast()
	}
	sum, ok := ci.ParseLink(u.Query().Get("link"))
	if !ok {
		return l, notStepcast()
	}
	l.URL = label(l.URL, maxAddress)
	l.ID = ci.TokenID(sum) // which is shown, whatever the server says
	return l, nil
}

// Links lists the links to a build, the newest first.
func (c *Client) Links(ctx context.Context, build ci.BuildID) ([]Link, error) {
	links, err := pages[Link](ctx, c, "/api/v1/builds/"+build.String()+"/links", url.Values{}, "links", 0)
	for i := range links {
		l := &links[i]
		safe(&l.ID, &l.Build, &l.Scope, l.MadeBy, l.UsedFrom)
	}
	return links, err
}

// RevokeLink ends a link for good.
func (c *Client) RevokeLink(ctx context.Context, id string) error {
	return c.until(ctx, http.MethodDelete, "/api/v1/links/"+id, nil, nil)
}

// Audit lists who did what to a project, or to those of a pattern, the newest
// first and at most so many; "" is of all that the client administers.
func (c *Client) Audit(ctx context.Context, project string, most int) ([]Entry, error) {
	q := url.Values{}
	if project != "" {
		q.Set("project", project)
	}
	entries, err := pages[Entry](ctx, c, "/api/v1/audit", q, "entries", most)
	for i := range entries {
		e := &entries[i]
		safe(&e.ID, &e.Actor, e.Address, &e.Action, &e.Project, &e.Target)
	}
	return entries, err
}

// Project is a project as the server tells of it.
type Project struct {
	Name           string   `json:"name"`
	Visibility     string   `json:"visibility"`
	FrameAncestors []string `json:"frame_ancestors"` // not in lists
}

// Projects lists the projects that the client may see, by name.
func (c *Client) Projects(ctx context.Context) ([]Project, error) {
	var list struct {
		Projects []Project `json:"projects"`
	}
	err := c.until(ctx, http.MethodGet, "/api/v1/projects", nil, &list)
	for i := range list.Projects {
		p := &list.Projects[i]
		safe(&p.Name, &p.Visibility)
	}
	return list.Projects, err
}

// ProjectSet is what can be set of a project. What is not present stays as it
// is.
type ProjectSet struct {
	Visibility     string             // empty: as it is
	FrameAncestors ci.Field[[]string] // origins; null: any
}

// SetProject sets something of a project.
func (c *Client) SetProject(ctx context.Context, name string, set ProjectSet) error {
	change := make(map[string]any)
	if set.Visibility != "" {
		change["visibility"] = set.Visibility
	}
	if set.FrameAncestors.Present {
		change["frame_ancestors"] = set.FrameAncestors.Value
	}
	return c.until(ctx, http.MethodPatch, "/api/v1/projects/"+name, mustJSON(change), nil)
}
