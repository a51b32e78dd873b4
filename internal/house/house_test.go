package house

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/stepcast/stepcast/"

// rules says what each package may import: of ours, and of other modules. The
// standard library is everybody's. A package that is not here may not exist;
// to move a wall, change the line and say why in ARCHITECTURE.md.
var rules = map[string]struct{ ours, others []string }{
	// The domain and what knows nothing of it.
	"internal/ci":          {others: []string{"github.com/google/uuid"}},
	"internal/groupcommit": {},
	"internal/turns":       {},
	"internal/mask":        {},
	"internal/sse":         {},
	"internal/badge":       {},
	"internal/ansi":        {others: []string{"github.com/charmbracelet/x/ansi"}},
	"internal/search":      {ours: []string{"internal/ansi"}},
	"internal/outline":     {ours: []string{"internal/ci"}},
	"migrations":           {},
	"web":                  {},

	// Adapters: one outside thing each.
	"internal/certs":    {others: []string{"golang.org/x/crypto"}},
	"internal/idtoken":  {ours: []string{"internal/ci", "internal/cienv"}, others: []string{"github.com/coreos/go-oidc/v3", "github.com/go-jose/go-jose/v4"}},
	"internal/cienv":    {ours: []string{"internal/ci"}},
	"internal/feed":     {ours: []string{"internal/ci", "internal/sse", "internal/turns"}},
	"internal/spool":    {ours: []string{"internal/ci"}, others: []string{"github.com/gofrs/flock"}},
	"internal/embedded": {others: []string{"github.com/gofrs/flock", "golang.org/x/sys"}},
	"internal/page":     {ours: []string{"internal/ci", "web"}},
	"internal/plain":    {ours: []string{"internal/ci", "internal/page"}},
	"internal/forms":    {ours: []string{"internal/ci", "internal/page"}},
	"internal/postgres": {
		ours: []string{"internal/ci", "internal/groupcommit", "internal/turns", "migrations"},
		others: []string{
			"github.com/jackc/pgx/v5", "github.com/pressly/goose/v3", // nowhere else but in pgtest and the references of bench
			"github.com/klauspost/compress", "github.com/google/uuid", "golang.org/x/sync",
		},
	},
	"internal/runner": {
		ours:   []string{"internal/ci", "internal/sse", "internal/spool", "internal/mask", "internal/outline"},
		others: []string{"github.com/klauspost/compress", "github.com/charmbracelet/x/ansi", "github.com/creack/pty", "golang.org/x/sys"},
	},
	"internal/server": {
		ours: []string{"internal/ci", "internal/sse", "internal/feed", "internal/postgres", "internal/ansi", "internal/badge", "internal/page", "internal/plain", "internal/forms", "internal/search", "web", "internal/idtoken", "internal/turns"},
		others: []string{
			"github.com/labstack/echo/v4", // nowhere else
			"github.com/klauspost/compress", "golang.org/x/sys", "golang.org/x/time", "github.com/google/uuid",
			"github.com/coreos/go-oidc/v3", "golang.org/x/oauth2",
		},
	},
	"internal/metrics": {
		ours:   []string{"internal/postgres", "internal/server"},
		others: []string{"github.com/prometheus/client_golang"}, // nowhere else
	},
	"cmd/stepcast": {
		ours:   []string{"internal/ci", "internal/cienv", "internal/certs", "internal/server", "internal/postgres", "internal/embedded", "internal/feed", "internal/idtoken", "internal/runner", "internal/spool", "internal/mask", "internal/outline", "internal/metrics"},
		others: []string{"github.com/alecthomas/kong", "github.com/gofrs/flock", "golang.org/x/sync", "golang.org/x/sys"},
	},

	// Tests and tools; see testOnly.
	"internal/house":           {},
	"internal/judge":           {others: []string{"github.com/google/uuid", "golang.org/x/sys"}},
	"internal/judge/cmd/judge": {ours: []string{"internal/judge"}},
	"internal/certtest":        {},
	"internal/pgtest": {
		ours:   []string{"internal/embedded", "internal/sweep", "migrations"},
		others: []string{"github.com/jackc/pgx/v5", "github.com/pressly/goose/v3", "github.com/gofrs/flock", "golang.org/x/sys"},
	},
	"internal/idp":           {}, // its test checks it against github.com/coreos/go-oidc/v3
	"internal/page/pagetest": {},
	"internal/termtest":      {others: []string{"github.com/charmbracelet/x/ansi", "golang.org/x/sys"}},
	"scripts/gotest":         {},
	"scripts/sweep":          {ours: []string{"internal/sweep"}},
	"internal/sweep": {
		ours:   []string{"internal/ci", "internal/mask"},
		others: []string{"github.com/klauspost/compress"},
	},
	"internal/bench": {
		ours:   []string{"internal/ci", "internal/embedded", "internal/sse"},
		others: []string{"github.com/jackc/pgx/v5", "github.com/klauspost/compress", "golang.org/x/sync", "golang.org/x/sys"},
	},
}

// testOnly are packages that the program must not link.
var testOnly = []string{"internal/judge", "internal/pgtest", "internal/house", "internal/bench", "internal/termtest", "internal/idp", "internal/page/pagetest", "internal/certtest", "internal/sweep"}

// maxModules bounds what the program links, itself included.
const maxModules = 45

// TestArchitecture holds the table of ARCHITECTURE.md to what is there: each
// package has a row, or is below one that has, and each file that a row names is
// in its folder.
func TestArchitecture(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	file := regexp.MustCompile("`([a-z_]+\\.(?:go|css))`")
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\| (.*)$").FindAllStringSubmatch(string(page), -1) {
		folders = append(folders, row[1])
		for _, named := range file.FindAllStringSubmatch(row[2], -1) {
			if _, err := os.Stat(filepath.Join("../..", row[1], named[1])); err != nil {
				t.Errorf("the row of %s names %s, which is not there", row[1], named[1])
			}
		}
	}
	for name := range rules {
		if !slices.ContainsFunc(folders, func(folder string) bool { return strings.HasPrefix(name+"/", folder+"/") }) {
			t.Errorf("%s has no row", name)
		}
	}
}

type goPackage struct {
	ImportPath string
	Imports    []string
	Standard   bool
	Module     *struct{ Path string }
}

func list(t *testing.T, args ...string) map[string]goPackage {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-deps", "-json=ImportPath,Imports,Standard,Module"}, args...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		t.Fatalf("go list: %v", err)
	}
	packages := make(map[string]goPackage)
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages[p.ImportPath] = p
	}
}

func TestImports(t *testing.T) {
	t.Parallel()
	packages := list(t, "./...")
	for path, p := range packages {
		name, ours := strings.CutPrefix(path, module)
		if !ours {
			continue
		}
		rule, ok := rules[name]
		if !ok {
			t.Errorf("%s has no rule: say in house_test.go what it may import", name)
			continue
		}
		for _, imported := range p.Imports {
			target, ok := packages[imported]
			switch short, ours := strings.CutPrefix(imported, module); {
			case !ok || target.Standard || target.Module == nil:
			case ours && !slices.Contains(rule.ours, short):
				t.Errorf("%s imports %s, which it may not", name, short)
			case !ours && !slices.Contains(rule.others, target.Module.Path):
				t.Errorf("%s imports %s, which it may not", name, imported)
			}
		}
	}
}

func TestProgram_LinksLittle(t *testing.T) {
	t.Parallel()
	modules := make(map[string]bool)
	for path, p := range list(t, "./cmd/stepcast") {
		if p.Module != nil {
			modules[p.Module.Path] = true
		}
		if name, ours := strings.CutPrefix(path, module); ours && slices.Contains(testOnly, name) {
			t.Errorf("the program links %s, which is for tests", name)
		}
	}
	if len(modules) > maxModules {
		t.Errorf("the program links %d modules, more than %d: %v", len(modules), maxModules, slices.Sorted(maps.Keys(modules)))
	}
	t.Logf("%d modules", len(modules))
}
