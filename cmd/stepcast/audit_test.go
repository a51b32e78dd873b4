package main

import "testing"

func TestDetails(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{"name":"portal","scopes":["read","status"],"expires_at":null}`: "name portal, scopes read status",
		`{"visibility":{"from":"private","to":"public"}}`:                "visibility private → public",
		`{"name":"לוח","ends":"2026-11-22T10:00:00Z"}`:                   "ends 2026-11-22 10:00:00, name לוח",
		`{"name":"a\u202ezzz\u2066\u200b\u001b[2J\nb"}`:                  `name a\u202ezzz\u2066\u200b [2J b`,
		`no object`: "",
	} {
		if got := details([]byte(data)); got != want {
			t.Errorf("%s: %q, want %q", data, got, want)
		}
	}
}
