package mask

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// awkward are values with something in them that some encoding treats in a
// way of its own. None holds a NUL, which no program takes as an argument.
var awkward = []string{
	"s3cret-value",
	"it's <a> & \"b\" \\ c/d $e `f` !g *h ?i",
	"#hash ~tilde :~home =~other {a,b} [c] (d) ^e|f;g",
	"~at the beginning",
	"user:p@ss/word?x=1&y=2+3%20#frag",
	"prüfe ✓ 日本語 😀",
	"line one\nline two\ttab\x07\x1b[0m\x01\x7f",
	"a\u2028b\u0085c\u00a0d\ufeffe",
	"BEGIN PRIVATE KEY\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\nMzEfYyjiWA4R4/M2bS1GB4t7NXp98C3SC6dVMvDuictGeurT8jNbvJZHtCSuYEvu\nNMoSfm76oqFvAp8Gy0iz5sxjZmSnXyCdPEovGhLa0VzMaQ8s+CLOyS56YyCFGeJZ\nEND PRIVATE KEY",
}

// programs print what they make of each of their arguments, and a record
// separator after it; those without arguments take one value as their input.
// What is left of each must be what is said here.
var programs = []struct {
	program string
	args    []string
	want    string // a regular expression, with § for [Hidden]
}{
	{"bash", []string{"-c", `for v; do printf '<%q>\x1e' "$v"; done`, "bash"}, `<(\$'§'|§)>`},
	{"bash", []string{"-c", `LC_ALL=C; for v; do printf '<%q>\x1e' "$v"; done`, "bash"}, `<(\$'§'|§)>`},
	{"bash", []string{"-c", `LC_ALL=C.UTF-8; for v; do printf '<%q>\x1e' "x: $v"; done`, "bash"}, `<(\$'x: §'|x:\\ §)>`},
	{"bash", []string{"-c", `for v; do printf '<%s>\x1e' "${v@Q}"; done`, "bash"}, `<\$?'§'>`},
	{"bash", []string{"-c", `for v; do declare -p v; printf '\x1e'; done`, "bash"}, `declare -- v=(\$'§'|"§")\n`},
	{"bash", []string{"-c", `for v; do (set -x; : "$v"); printf '\x1e' >&2; done`, "bash"}, `\+ : (\$?'§'|§)\n`},
	{"dash", []string{"-c", `for v; do export v; export -p; printf '\036'; done`, "dash"}, `(?s).*\nexport v=('§'|"'"'§'|'§'"'")\n`},
	{"env", []string{"printf", `<%q>\x1e`}, `<('§'|"§"|§)>`},
	{"base64", nil, `§\n?(Cg==|K|o=)\n`},
	{"base64", []string{"-w", "64"}, `§\n?(Cg==|K|o=)\n`},
	{"openssl", []string{"base64"}, `§\n?(Cg==|K|o=)\n`},
	{"openssl", []string{"base64", "-A"}, `§(Cg==|K|o=)`},
	{"xxd", []string{"-p", "-c", "0"}, `§0a\n`},
	{"python3", []string{"-c", `
import sys, base64, json, shlex
from urllib.parse import quote, quote_plus, urlencode
for s in sys.argv[1:]:
    b = s.encode()
    print(json.dumps(s), json.dumps(s, ensure_ascii=False), shlex.quote(s), quote(s), quote(s, safe=""), quote_plus(s), urlencode({"x": s}),
        b.hex(), base64.encodebytes(b"user:" + b).decode(), base64.urlsafe_b64encode(b).decode(), sep="|", end="\x1e")`},
		`"§"\|"§"\|('§'|§)\|§\|§\|§\|x=§\|§\|dXNlcj[op]§\n\|§`},
	{"node", []string{"-e", `
for (const s of process.argv.slice(1)) {
	const u = new URL("http://h/"), b = Buffer.from(s)
	u.username = u.password = s
	const p = u.href
	u.username = u.password = ""
	u.searchParams.set("x", s)
	process.stdout.write([JSON.stringify(s), encodeURIComponent(s), encodeURI(s), p, u.href, b.toString("hex"), b.toString("base64"), b.toString("base64url")].join("|") + "\x1e")
}`, "--"}, `"§"\|§\|§\|http://§:§@h/\|http://h/\?x=§\|§\|§\|§`},
	{"jq", []string{"-n", "-j", `$ARGS.positional[] | [tojson, @uri, @sh, @base64, "\u001e"] | join("|")`, "--args"}, `\|?"§"\|§\|'§'\|§\|`},
	{"php", []string{"-r", `foreach (array_slice($argv, 1) as $s) echo implode("|", [json_encode($s), urlencode($s), rawurlencode($s), bin2hex($s), base64_encode($s)]), "\x1e";`, "--"},
		`"§"\|§\|§\|§\|§`},
	{"ruby", []string{"-rjson", "-rcgi", "-rbase64", "-e", `ARGV.each { |s| print [s.to_json, CGI.escape(s), Base64.encode64(s)].join("|"), "\x1e" }`, "--"},
		`"§"\|§\|§\n`},
}

func TestForms_AsProgramsWriteThem(t *testing.T) {
	t.Parallel()
	m := with(t, awkward...)
	for _, p := range programs {
		if _, err := exec.LookPath(p.program); err != nil {
			t.Logf("%s is not on this machine", p.program)
			continue
		}
		want := regexp.MustCompile("^(" + strings.ReplaceAll(p.want, "§", `\*\*\*`) + ")$")
		check := func(value, printed string) {
			t.Helper()
			if got := masked(m, printed); !want.MatchString(got) {
				t.Errorf("%s of %q shows %q, want %s", p.program, value, got, want)
			}
		}
		if slices.Contains([]string{"base64", "openssl", "xxd"}, p.program) {
			for _, value := range awkward {
				cmd := exec.Command(p.program, p.args...)
				cmd.Stdin = strings.NewReader(value + "\n")
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("%s: %v", p.program, err)
				}
				check(value, string(out))
			}
			continue
		}
		cmd := exec.Command(p.program, append(slices.Clone(p.args), awkward...)...)
		if p.program == "dash" {
			cmd.Env = []string{}
		}
		out, err := cmd.CombinedOutput()
		records := strings.Split(string(out), "\x1e")
		if err != nil || len(records) != len(awkward)+1 {
			t.Errorf("%s: %v, printed %q", p.program, err, out)
			continue
		}
		for i, value := range awkward {
			check(value, records[i])
		}
	}
}

// Every form of a value is one that can be looked for, and few enough are.
func TestPatternsOf(t *testing.T) {
	t.Parallel()
	for _, value := range append([]string{"four", "\x00\x00\x00\x00", "\xff\xfe\xfd\xfc", strings.Repeat("x/y z", 5000)}, awkward...) {
		p := patternsOf(value)
		for _, pattern := range slices.Concat(p.plain, p.wrapped) {
			if len(pattern) < minValue || len(pattern) > maxPattern {
				t.Errorf("%.20q is looked for as %d bytes: %.20q", value, len(pattern), pattern)
			}
		}
		for _, pattern := range p.wrapped {
			if strings.ContainsAny(pattern, "\r\n") || !utf8.ValidString(pattern) {
				t.Errorf("%.20q in base64 is %.20q", value, pattern)
			}
		}
		if limit := 400 * len(value) * (2 + strings.Count(value, "\n")); p.cost() > limit+4000 {
			t.Errorf("%.20q takes %d bytes", value, p.cost())
		}
	}
}
