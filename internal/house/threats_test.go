package house

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testDefined = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	testNamed   = regexp.MustCompile("`((?:Test|Fuzz)\\w+|[\\w-]+\\.spec\\.ts)`")
)

// TestThreatModel_NamesTests holds docs/threat-model.md to its word: each threat
// names a test, and each test that it names is there.
func TestThreatModel_NamesTests(t *testing.T) {
	t.Parallel()
	there := make(map[string]bool)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git"):
			return filepath.SkipDir
		case strings.HasSuffix(d.Name(), ".spec.ts"):
			there[d.Name()] = true
		case strings.HasSuffix(d.Name(), "_test.go"):
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, match := range testDefined.FindAllSubmatch(text, -1) {
				there[string(match[1])] = true
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	_, threats, _ := strings.Cut(string(page), "\n## Threats\n")
	threats, _, _ = strings.Cut(threats, "\n## ")
	rows := 0
	for line := range strings.Lines(threats) {
		threat, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		if !ok || !strings.HasPrefix(line, "| ") || threat == "Threat" {
			continue
		}
		rows++
		named := testNamed.FindAllStringSubmatch(line, -1)
		if len(named) == 0 {
			t.Errorf("no test holds off %q", threat)
		}
		for _, match := range named {
			if !there[match[1]] {
				t.Errorf("%s, which is to hold off %q, is not there", match[1], threat)
			}
		}
	}
	if rows < 15 {
		t.Errorf("%d threats were found on the page", rows)
	}
}
