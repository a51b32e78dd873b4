package ci

import "testing"

func TestGrant_Covers(t *testing.T) {
	t.Parallel()
	one, two := NewBuildID(), NewBuildID()
	for name, c := range map[string]struct {
		grant   Grant
		project string
		build   BuildID
		want    bool
	}{
		"a project":                     {Grant{Project: "acme/*"}, "acme/api", BuildID{}, true},
		"its builds":                    {Grant{Project: "acme/*"}, "acme/api", one, true},
		"another project":               {Grant{Project: "acme/*"}, "other/api", one, false},
		"its build":                     {Grant{Project: "acme/api", Build: one}, "acme/api", one, true},
		"another build":                 {Grant{Project: "acme/api", Build: one}, "acme/api", two, false},
		"what is of the project itself": {Grant{Project: "acme/api", Build: one}, "acme/api", BuildID{}, false},
		"that id in another project":    {Grant{Project: "acme/api", Build: one}, "acme/web", one, false},
	} {
		if got := c.grant.Covers(c.project, c.build); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
