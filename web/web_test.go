package web

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// The policy that pages are served with allows nothing inline.
func TestFiles_NothingInline(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"index.html", "gallery.html"} {
		page, err := fs.ReadFile(Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		for _, inline := range []string{"<style", " style=", " onload=", "javascript:"} {
			if strings.Contains(string(page), inline) {
				t.Errorf("%s contains %q", name, inline)
			}
		}
		for _, script := range regexp.MustCompile(`<script[^>]*>`).FindAllString(string(page), -1) {
			if !strings.Contains(script, ` src="/assets/`) && !strings.Contains(script, ` src="/widgets.js"`) {
				t.Errorf("%s: a script that is not a file: %s", name, script)
			}
		}
	}
}

func TestFiles_HasWhatThePageNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"index.html", "gallery.html"} {
		page, err := fs.ReadFile(Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		named := regexp.MustCompile(`(?:src|href)="/(assets/[^"]+)"`).FindAllStringSubmatch(string(page), -1)
		if len(named) < 3 {
			t.Fatalf("%s names %d assets, want its script, its stylesheet and its icon", name, len(named))
		}
		for _, match := range named {
			if _, err := fs.Stat(Files(), match[1]); err != nil {
				t.Error(err)
			}
		}
	}
}

// A build that was broken off in its midst has pages, and nothing for the pages of others.
func TestFiles_AreOfAWholeBuild(t *testing.T) {
	t.Parallel()
	for _, name := range []string{FrameScript(), FrameStyle()} {
		if _, err := fs.Stat(Files(), strings.TrimPrefix(name, "/")); err != nil {
			t.Error(err)
		}
	}
	if len(Widgets()) == 0 || len(FrameHeights()) == 0 {
		t.Error("a script is empty")
	}
}

// What the first page costs to load: whoever opens a link from a phone waits for it. It is 60 KB as gzip -9
// has them. Go's gzip makes 0.89 % more of the same scripts: 61,436 bytes instead of 60,893.
const scriptBudget = 60 * 1024 * 10_089 / 10_000

// What the wallboard loads beside them.
const wallBudget = 6 * 1024 * 10_089 / 10_000

func TestFiles_ScriptsWithinBudget(t *testing.T) {
	t.Parallel()
	scripts, err := fs.Glob(Files(), "assets/*.js")
	if err != nil {
		t.Fatal(err)
	}
	total, wall := 0, 0
	for _, name := range scripts {
		script, err := fs.ReadFile(Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		size := compressed(t, script)
		t.Logf("%s: %d bytes", name, size)
		if strings.HasPrefix(name, "assets/wall-page-") {
			wall += size
			continue
		}
		total += size
	}
	if wall == 0 || wall > wallBudget {
		t.Errorf("the wallboard's own script is %d bytes compressed, of a budget of %d", wall, wallBudget)
	}
	if total > scriptBudget {
		t.Errorf("the scripts of the first page are %d bytes compressed, over the budget of %d: what to leave out before anything new goes in, CONTRIBUTING.md says under \"The pages\"", total, scriptBudget)
	}
}

// What the elements cost the pages of others: 15 KB as gzip -9 has them, and a
// little more as Go's gzip has.
const widgetsBudget = 15 * 1024 * 10_089 / 10_000

func TestWidgets_WithinBudget(t *testing.T) {
	t.Parallel()
	size := compressed(t, Widgets())
	t.Logf("widgets.js: %d bytes", size)
	if size > widgetsBudget {
		t.Errorf("widgets.js is %d bytes compressed, over the budget of %d: it is loaded by pages that have better things to load", size, widgetsBudget)
	}
}

// The gallery's own script, beside which it loads the widgets'.
const galleryBudget = 15 * 1024 * 10_089 / 10_000

func TestGallery_WithinBudget(t *testing.T) {
	t.Parallel()
	scripts, err := fs.Glob(Files(), "assets/embed/gallery-*.js")
	if err != nil || len(scripts) != 1 {
		t.Fatalf("the gallery has the scripts %v, %v", scripts, err)
	}
	script, err := fs.ReadFile(Files(), scripts[0])
	if err != nil {
		t.Fatal(err)
	}
	size := compressed(t, script)
	t.Logf("%s: %d bytes", scripts[0], size)
	if size > galleryBudget {
		t.Errorf("the gallery's script is %d bytes compressed, over the budget of %d", size, galleryBudget)
	}
}

// A page may load the script twice, or that of two servers.
func TestWidgets_DoNothingTheSecondTime(t *testing.T) {
	t.Parallel()
	if want := `customElements.get("stepcast-status")||`; !strings.HasPrefix(string(Widgets()), want) {
		t.Errorf("widgets.js does not begin with %s", want)
	}
}

// compressed is how many bytes are left of a script that was compressed as well
// as gzip can.
func compressed(t *testing.T, script []byte) int {
	var small bytes.Buffer
	z, err := gzip.NewWriterLevel(&small, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(script); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return small.Len()
}
