package web

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// The policy that pages are served with allows nothing inline.
func TestFiles_NothingInline(t *testing.T) {
	t.Parallel()
	page, err := fs.ReadFile(Files(), "index.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, inline := range []string{"<style", " style=", " onload=", "javascript:"} {
		if strings.Contains(string(page), inline) {
			t.Errorf("index.html contains %q", inline)
		}
	}
	for _, script := range regexp.MustCompile(`<script[^>]*>`).FindAllString(string(page), -1) {
		if !strings.Contains(script, ` src="/assets/`) {
			t.Errorf("a script that is not a file: %s", script)
		}
	}
}

func TestFiles_HasWhatThePageNames(t *testing.T) {
	t.Parallel()
	page, err := fs.ReadFile(Files(), "index.html")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`(?:src|href)="/(assets/[^"]+)"`).FindAllStringSubmatch(string(page), -1)
	if len(named) < 3 {
		t.Fatalf("index.html names %d assets, want its script, its stylesheet and its icon", len(named))
	}
	for _, match := range named {
		if _, err := fs.Stat(Files(), match[1]); err != nil {
			t.Error(err)
		}
	}
}
