package mask

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// obeyed is what a stream that obeys commands makes of a text, and the errors
// that it met.
func obeyed(m *Masker, pieces ...string) (string, []error) {
	var out []byte
	var refused []error
	s := m.Stream(func(p []byte) { out = append(out, p...) })
	s.Commands(func(err error) { refused = append(refused, err) })
	for _, piece := range pieces {
		s.Write([]byte(piece))
	}
	s.Close()
	return string(out), refused
}

func TestCommands(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text, want string
		refused          error
	}{
		{"GitHub", "::add-mask::s3cret\na s3cret\n", "::add-mask::***\na ***\n", nil},
		{"GitHub, after blanks", " \t::add-mask::s3cret\ns3cret", " \t::add-mask::***\n***", nil},
		{"GitHub, in capitals", "::Add-Mask::s3cret\ns3cret", "::Add-Mask::***\n***", nil},
		{"GitHub, with properties", "::add-mask a=b,c=d::s3cret\ns3cret", "::add-mask a=b,c=d::***\n***", nil},
		{"GitHub, with colons in the value", "::add-mask::s3cret::x\ns3cret::x s3cret", "::add-mask::***\n*** s3cret", nil},
		{"GitHub, with blanks in the value", "::add-mask:: s3cret \ns3cret s3cret", "::add-mask::***\n*** ***", nil},
		{"GitHub, several lines", "::add-mask::first%0D%0Asecond%25\nfirst\nsecond%\n", "::add-mask::***\n***\n", nil},
		{"GitHub, several lines, seen one by one", "::add-mask::first%0Asecond%250A\nsecond%0A first\n", "::add-mask::***\n*** ***\n", nil},
		{"GitHub, not escaped", "::add-mask::100%25-s3cret\n100%25-s3cret 100%-s3cret", "::add-mask::***\n*** ***", nil},
		{"GitHub, from Windows", "::add-mask::s3cret\r\ns3cret\r\n", "::add-mask::***\r\n***\r\n", nil},
		{"GitHub, after a carriage return", "50 %\r::add-mask::s3cret\rs3cret", "50 %\r::add-mask::***\r***", nil},
		{"GitHub, at the end", "s3cret\n::add-mask::s3cret", "s3cret\n::add-mask::***", nil},
		{"GitHub, twice", "::add-mask::s3cret\n::add-mask::s3cret2\ns3cret2 s3cret", "::add-mask::***\n::add-mask::***\n*** ***", nil},
		{"GitHub, a second one after text", "a\n::add-mask::s3cret\nb\n::add-mask::other\nother s3cret", "a\n::add-mask::***\nb\n::add-mask::***\n*** ***", nil},
		{"GitHub, too short", "::add-mask::abc\nabc", "::add-mask::***\nabc", ErrTooShort},
		{"GitHub, empty", "::add-mask::\nabc", "::add-mask::\nabc", nil},
		{"GitHub, not at the beginning", "x ::add-mask::s3cret\ns3cret", "x ::add-mask::s3cret\ns3cret", nil},
		{"GitHub, another command", "::add-masks::s3cret\n::add::s3cret\n::\n:\n: :add-mask::s3cret", "::add-masks::s3cret\n::add::s3cret\n::\n:\n: :add-mask::s3cret", nil},
		{"GitHub, not whole", "::add-mask:s3cret\n::add-mask s3cret\n::add-mask", "::add-mask:s3cret\n::add-mask s3cret\n::add-mask", nil},
		{"Azure, a variable", "##vso[task.setvariable variable=x;issecret=true]s3cret\ns3cret", "##vso[task.setvariable variable=x;issecret=true]***\n***", nil},
		{"Azure, in other words", "##VSO[task.setVariable isSecret = True ; variable=x;]s3cret\ns3cret", "##VSO[task.setVariable isSecret = True ; variable=x;]***\n***", nil},
		{"Azure, a variable that is none", "##vso[task.setvariable variable=x;issecret=false]s3cret\ns3cret", "##vso[task.setvariable variable=x;issecret=false]s3cret\ns3cret", nil},
		{"Azure, without a word of it", "##vso[task.setvariable variable=x]s3cret\n##vso[task.setvariable]s3cret", "##vso[task.setvariable variable=x]s3cret\n##vso[task.setvariable]s3cret", nil},
		{"Azure, a secret", "##vso[task.setsecret]s3cret\ns3cret", "##vso[task.setsecret]***\n***", nil},
		{"Azure, several lines", "##vso[task.setsecret]first%0Asecond%AZP25\nsecond% first", "##vso[task.setsecret]***\n*** ***", nil},
		{"Azure, not whole", "##vso[task.setsecret\n##vso[task.setvariable issecret=true;\n##vso[", "##vso[task.setsecret\n##vso[task.setvariable issecret=true;\n##vso[", nil},
		{"Azure, another command", "##vso[task.setsecrets]s3cret\n##vso[task.complete]s3cret\n## Heading\n#", "##vso[task.setsecrets]s3cret\n##vso[task.complete]s3cret\n## Heading\n#", nil},
		{"a line that is too long", "a\n::add-mask::s3cret" + strings.Repeat("x", maxLine) + "\nb\n", "a\n::add-mask::***\nb\n", ErrTooLong},
		{"a line that is too long to be known", "##vso[task.setvariable s3cret" + strings.Repeat("x", maxLine) + "\nb\n", "##vso[task.setvariable***\nb\n", ErrTooLong},
		{"a line that is too long and does not end", "::add-mask::s3cret" + strings.Repeat("x", 3*maxLine), "::add-mask::***", ErrTooLong},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var want []error
			if c.refused != nil {
				want = []error{c.refused}
			}
			check := func(pieces ...string) {
				t.Helper()
				got, refused := obeyed(New(), pieces...)
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Fatalf("in %d pieces (-want +got):\n%s", len(pieces), diff)
				}
				if !slices.EqualFunc(refused, want, errors.Is) {
					t.Fatalf("in %d pieces: refused: %v, want %v", len(pieces), refused, want)
				}
			}
			check(c.text)
			if len(c.text) > 1000 {
				check(inPieces(c.text, []byte{0, 3, 14})...)
				return
			}
			check(inPieces(c.text, nil)...)
			for i := range len(c.text) {
				check(c.text[:i], c.text[i:])
			}
		})
	}
}

// A command is one even where its line, or the one before, holds other values.
func TestCommands_AmongOtherValues(t *testing.T) {
	t.Parallel()
	m := with(t, "old-value", "key\n::add-m")
	got, _ := obeyed(m, "old-val", "ue\n::add-", "mask::new-value\nnew-value key\n::add-", "mask::third-one\nthird-one")
	if want := "***\n***ask::***\n*** ***ask::***\n***"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCommands_HideInOtherStreams(t *testing.T) {
	t.Parallel()
	m := New()
	var stdout, stderr string
	s := m.Stream(func(p []byte) { stdout += string(p) })
	s.Commands(nil)
	other := m.Stream(func(p []byte) { stderr += string(p) })
	s.Write([]byte("::add-mask::s3cret"))
	if other.Write([]byte("s3cret not yet\n")); stderr != "s3cret not yet\n" {
		t.Errorf("before the line is whole: %q", stderr)
	}
	if stdout != "" {
		t.Errorf("the line that is not whole shows %q", stdout)
	}
	s.Write([]byte("\n"))
	if other.Write([]byte("s3cret now\n")); stderr != "s3cret not yet\n*** now\n" {
		t.Errorf("after it: %q", stderr)
	}
}

func FuzzCommands(f *testing.F) {
	f.Add("a\n ::add-mask::s3cret%0Amore\r\ns3cret\nmore\n", []byte{1, 2, 3})
	f.Add("##vso[task.setvariable variable=x;issecret=true]s3cret\ns3cret", []byte{5})
	f.Add("##vso[task.setsecret]s3cret\r::ADD-MASK a::other\n# other s3cret", []byte{})
	f.Add("::add-mask:::add-mask::\n::add-mask::::add-mask::x", []byte{8})
	f.Add("::add-mask::::add-mask::\n::add-mask::\n##vso[task.setsecret ]]]]]]", []byte{2})
	f.Fuzz(func(t *testing.T, text string, lens []byte) {
		if len(text) > 2000 {
			return
		}
		m := New()
		want, refused := obeyed(m, text)
		got, again := obeyed(New(), inPieces(text, lens)...)
		if got != want || len(again) != len(refused) {
			t.Fatalf("%q in pieces: %q with %v, whole: %q with %v", text, got, again, want, refused)
		}
		if len(m.values) == 0 && len(refused) == 0 && want != text {
			t.Fatalf("%q registers nothing and becomes %q", text, want)
		}
		// The text once more, now that all its values are known.
		known, _ := obeyed(m, text)
		for value := range m.values {
			if !strings.Contains(value, "*") && strings.Contains(known, value) {
				t.Fatalf("%q shows %q", known, value)
			}
		}
	})
}
