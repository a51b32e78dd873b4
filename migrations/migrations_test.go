package migrations

import (
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// kept are the files from before these rules were held here: no release has
// them yet, but databases of tests do.
var kept = []string{"00001_log.sql", "00002_notes.sql", "00005_people.sql"}

var (
	comment = regexp.MustCompile(`--.*`)
	makes   = regexp.MustCompile(`CREATE TABLE (?:IF NOT EXISTS )?(\w+)`)
	alters  = regexp.MustCompile(`ALTER TABLE (\w+)([^;]*);`)
	adds    = regexp.MustCompile(`ADD COLUMN ([^,;]+)`)
	indexes = regexp.MustCompile(`CREATE (?:UNIQUE )?INDEX (CONCURRENTLY )?.*?ON (\w+)`)
	takes   = regexp.MustCompile(`\b(DROP (?:TABLE|COLUMN|FUNCTION)|RENAME|ALTER COLUMN|SET NOT NULL)\b`)
)

// TestFiles_UnderTheReleaseBefore: while a new release starts, processes of the
// one before work on the same database, so a migration takes nothing away from
// them and has nobody wait for long. It reads the text, and sees what is usual
// and no more.
func TestFiles_UnderTheReleaseBefore(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(FS, "*.sql")
	if err != nil || len(names) < len(kept) {
		t.Fatal(names, err)
	}
	for _, name := range names {
		if slices.Contains(kept, name) {
			continue
		}
		file, err := fs.ReadFile(FS, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range unsafe(string(file)) {
			t.Errorf("%s: %s", name, wrong)
		}
	}
}

// unsafe says what of a migration's text the release before would notice.
func unsafe(file string) (wrong []string) {
	text := comment.ReplaceAllString(file, "")
	var own []string // tables that are new in it
	for _, m := range makes.FindAllStringSubmatch(text, -1) {
		own = append(own, m[1])
	}
	for _, m := range alters.FindAllStringSubmatch(text, -1) {
		table, what := m[1], m[2]
		if slices.Contains(own, table) {
			continue
		}
		if !strings.Contains(text, "LOCK TABLE "+table+" IN ACCESS EXCLUSIVE MODE") {
			wrong = append(wrong, "ALTER TABLE "+table+" waits for a lock with everybody behind it; take the lock before in a loop, as 00006 does")
		}
		for _, m := range adds.FindAllStringSubmatch(what, -1) {
			if strings.Contains(m[1], "NOT NULL") && !strings.Contains(m[1], "DEFAULT") {
				wrong = append(wrong, "the release before writes no "+m[1]+"; give it a DEFAULT")
			}
		}
	}
	for _, m := range indexes.FindAllStringSubmatch(text, -1) {
		if m[1] == "" && !slices.Contains(own, m[2]) {
			wrong = append(wrong, "an index on "+m[2]+" stops whoever writes to it; make it CONCURRENTLY, as 00004 does")
		}
	}
	for _, m := range takes.FindAllString(text, -1) {
		wrong = append(wrong, m+" takes something away that the release before uses; leave it for a later release")
	}
	return wrong
}

func TestUnsafe(t *testing.T) {
	t.Parallel()
	const lock = "LOCK TABLE steps IN ACCESS EXCLUSIVE MODE;\n"
	for text, want := range map[string]string{
		"CREATE TABLE a (b bigint); CREATE INDEX a_b ON a (b); ALTER TABLE a ADD COLUMN c text NOT NULL;": "",
		lock + "ALTER TABLE steps ADD COLUMN n bigint NOT NULL DEFAULT 0, ADD COLUMN m text;":             "",
		"CREATE INDEX CONCURRENTLY s ON steps (n); -- RENAME":                                             "",
		"ALTER TABLE steps ADD COLUMN n bigint;":                                                          "in a loop",
		lock + "ALTER TABLE steps ADD COLUMN n bigint NOT NULL;":                                          "give it a DEFAULT",
		lock + "ALTER TABLE steps DROP COLUMN n;":                                                         "DROP COLUMN takes",
		"CREATE UNIQUE INDEX IF NOT EXISTS s ON steps (n);":                                               "CONCURRENTLY",
		"DROP TABLE feed;": "DROP TABLE takes",
	} {
		if wrong := unsafe(text); len(wrong) > 1 || !strings.Contains(strings.Join(wrong, ""), want) || (want == "") != (len(wrong) == 0) {
			t.Errorf("%s: %q, want %q", text, wrong, want)
		}
	}
}
