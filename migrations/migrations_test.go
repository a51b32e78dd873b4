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
	loop    = regexp.MustCompile(`LOOP\s+BEGIN\s+SET LOCAL lock_timeout = '1s';\s+LOCK TABLE ([\w, ]+) IN ACCESS EXCLUSIVE MODE;\s+EXIT;\s+` +
		`EXCEPTION WHEN lock_not_available THEN\s+PERFORM pg_sleep\(1\);\s+END;\s+END LOOP;`)
	takes = regexp.MustCompile(`\b(DROP (?:TABLE|COLUMN|FUNCTION)|RENAME|ALTER COLUMN|SET NOT NULL)\b`)
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
	var locked []string // so far, and until it commits
	rest := text
	for _, m := range loop.FindAllStringSubmatch(text, -1) {
		if len(locked) > 0 {
			wrong = append(wrong, "it waits for "+m[1]+" with "+strings.Join(locked, ", ")+" locked; lock them together, in one loop")
		}
		locked = append(locked, strings.Split(m[1], ", ")...)
		rest = strings.Replace(rest, m[0], "", 1)
	}
	if strings.Contains(rest, "LOCK TABLE") || strings.Contains(rest, "pg_sleep") {
		wrong = append(wrong, "a lock or a pg_sleep outside of the loop of 00006 has everybody wait")
	}
	for _, m := range alters.FindAllStringSubmatchIndex(text, -1) {
		table, what := text[m[2]:m[3]], text[m[4]:m[5]]
		if slices.Contains(own, table) {
			continue
		}
		before := loop.FindStringSubmatch(text[:m[0]])
		if before == nil || !slices.Contains(strings.Split(before[1], ", "), table) {
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
	loop := func(tables string) string {
		return "LOOP BEGIN SET LOCAL lock_timeout = '1s'; LOCK TABLE " + tables + " IN ACCESS EXCLUSIVE MODE; EXIT; EXCEPTION WHEN lock_not_available THEN PERFORM pg_sleep(1); END; END LOOP;\n"
	}
	const bare, alter = "LOCK TABLE steps IN ACCESS EXCLUSIVE MODE;\n", "ALTER TABLE steps ADD COLUMN n bigint;\n"
	lock := loop("steps")
	for text, want := range map[string]string{
		"CREATE TABLE a (b bigint); CREATE INDEX a_b ON a (b); ALTER TABLE a ADD COLUMN c text NOT NULL;": "",
		lock + "ALTER TABLE steps ADD COLUMN n bigint NOT NULL DEFAULT 0, ADD COLUMN m text;":             "",
		"CREATE INDEX CONCURRENTLY s ON steps (n); -- RENAME":                                             "",
		loop("builds, steps") + alter:          "",
		alter:                                  "in a loop",
		alter + lock:                           "in a loop",
		loop("builds") + alter:                 "in a loop",
		lock + "SELECT pg_sleep(9);\n" + alter: "outside of the loop",
		lock + alter + bare:                    "outside of the loop",
		strings.Replace(lock, "SET LOCAL lock_timeout = '1s';", "", 1): "outside of the loop",
		lock + loop("builds") + alter:                                  "lock them together",
		lock + "ALTER TABLE steps ADD COLUMN n bigint NOT NULL;":       "give it a DEFAULT",
		lock + "ALTER TABLE steps DROP COLUMN n;":                      "DROP COLUMN takes",
		"CREATE UNIQUE INDEX IF NOT EXISTS s ON steps (n);":            "CONCURRENTLY",
		"DROP TABLE feed;": "DROP TABLE takes",
	} {
		if wrong := unsafe(text); len(wrong) > 1 || !strings.Contains(strings.Join(wrong, ""), want) || (want == "") != (len(wrong) == 0) {
			t.Errorf("%s: %q, want %q", text, wrong, want)
		}
	}
}
