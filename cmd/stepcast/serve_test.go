package main

import "testing"

func TestPublicURL(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                           "",
		"https://ci.example":         "https://ci.example",
		"HTTPS://CI.example:8443/":   "https://ci.example:8443",
		"http://[::1]:8080":          "http://[::1]:8080",
		"ci.example":                 "error",
		"ftp://ci.example":           "error",
		"https://ci.example/builds":  "error",
		"https://ci.example?a=b":     "error",
		"https://user:pw@ci.example": "error",
		"https://":                   "error",
		"https://ci.example\"><b>":   "error",
	} {
		got, err := publicURL(text)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}
