package runner

import (
	"context"
	"net/http"
	"time"

	"github.com/stepcast/stepcast/internal/ci"
)

// Token is a token as the server tells of it.
type Token struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"`
	Project   string     `json:"project"` // a pattern
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	RevokedAt *time.Time `json:"revoked_at"`
	Text      string     `json:"token"` // of a new one only
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

// Tokens lists the tokens for what the client's own is for, the newest first.
func (c *Client) Tokens(ctx context.Context) ([]Token, error) {
	var list struct {
		Tokens []Token `json:"tokens"`
	}
	err := c.until(ctx, http.MethodGet, "/api/v1/tokens", nil, &list)
	for i := range list.Tokens {
		t := &list.Tokens[i]
		t.ID, t.Name, t.Project = printable(t.ID, ci.MaxName), printable(t.Name, ci.MaxName), printable(t.Project, ci.MaxName)
		for j, scope := range t.Scopes {
			t.Scopes[j] = printable(scope, ci.MaxName)
		}
	}
	return list.Tokens, err
}

// RevokeToken ends a token for good.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.until(ctx, http.MethodDelete, "/api/v1/tokens/"+id, nil, nil)
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
		p.Name, p.Visibility = printable(p.Name, ci.MaxName), printable(p.Visibility, ci.MaxName)
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
