package ci

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/uuid"
)

func TestCursor(t *testing.T) {
	t.Parallel()
	epoch := Epoch{1, 2, 3}
	build := BuildID{0x01, 0x90}
	prefix := CursorPrefix(epoch, build.Name())
	if len(prefix) != 6 {
		t.Fatalf("prefix %q", prefix)
	}
	for other, p := range map[string]string{
		"epoch": CursorPrefix(Epoch{1, 2, 4}, build.Name()),
		"build": CursorPrefix(epoch, BuildID{0x01, 0x91}.Name()),
		"log":   CursorPrefix(epoch, FeedName),
	} {
		if p == prefix {
			t.Errorf("another %s has the same prefix", other)
		}
	}
	for _, id := range []EventID{0, 1, 1201, 1<<63 - 1} {
		want := Cursor{Prefix: prefix, ID: id}
		if got, ok := ParseCursor(want.String()); !ok || got != want {
			t.Errorf("%v came back as %v, %v", want, got, ok)
		}
	}
	for _, bad := range []string{
		"", "-", "1201", "k3f9qa", "k3f7qa-", "k3f7qa-x", "k3f7qa--1", "k3f7qa-+1", "k3f7qa-01", "k3f7qa-1 ", " k3f7qa-1", "k3f7qa-1_0",
		"K3F7QA-1", "k3f9qa-1", "k3f7q-12", "k3f7qaa-1", "k3f7qa-9223372036854775808", "k3f7qa-99999999999999999999", "k3f7qa-1\n", "é3f7q-1",
		"k3f7qa-1,k3f7qa-2", "k3f7qa-0x1",
	} {
		if c, ok := ParseCursor(bad); ok {
			t.Errorf("%q is taken for the cursor %v", bad, c)
		}
	}
}

// TestCursorPrefix_Stays pins the prefix: two releases that run side by side
// have to agree on it.
func TestCursorPrefix_Stays(t *testing.T) {
	t.Parallel()
	for name, want := range map[LogName]string{FeedName: "pnf4yr", "0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10": "prt7vf"} {
		if got := CursorPrefix(Epoch{0: 1, 15: 16}, name); got != want {
			t.Errorf("the prefix of %s is %s, was %s", name, got, want)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	for _, s := range []string{"k3f7qa-1201", "abcdef-0", "222222-9223372036854775807", "abcdef-00", "abcdef-", "-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, ok := ParseCursor(s); ok && (c.String() != s || c.ID < 0) {
			t.Fatalf("%q was read as %v", s, c)
		}
	})
}

func TestBuildID(t *testing.T) {
	t.Parallel()
	id := NewBuildID()
	if got, err := ParseBuildID(id.String()); err != nil || got != id {
		t.Errorf("%v came back as %v, %v", id, got, err)
	}
	if got, err := ParseBuildID(strings.ToUpper(id.String())); err != nil || got != id {
		t.Errorf("in capitals it is %v, %v", got, err)
	}
	var back struct{ ID BuildID }
	if err := json.Unmarshal(mustJSON(struct{ ID BuildID }{id}), &back); err != nil || back.ID != id {
		t.Errorf("through JSON it is %v, %v", back.ID, err)
	}
	for _, bad := range []string{"", "x", "0190f3c48f5e7c3a9d2b1f6f2f1c7a10", "{0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10}", "urn:uuid:0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10",
		"0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a1g", "0190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a1", "0190f3c4_8f5e_7c3a_9d2b_1f6f2f1c7a10", " 190f3c4-8f5e-7c3a-9d2b-1f6f2f1c7a10"} {
		if _, err := ParseBuildID(bad); AsProblem(err) == nil || AsProblem(err).Code != InvalidID {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestDerivedBuildID_Stays pins the derived ids: clients of two releases that
// run in one pipeline have to agree on them.
func TestDerivedBuildID_Stays(t *testing.T) {
	t.Parallel()
	if want := uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/stepcast/stepcast#build")); buildSpace != want {
		t.Errorf("the namespace is %s, not the %s that its comment says", buildSpace, want)
	}
	for _, c := range []struct {
		run  string
		n    int
		want string
	}{
		{"github https://github.com octocat/hello-world 1658821493 1", 0, "cd3f9649-8367-5ed5-827f-5134d0fcfc94"},
		{"github https://github.com octocat/hello-world 1658821493 1", 1, "9f989aaa-7d9f-5f8c-81de-965a0266fd72"},
		{"github https://github.com octocat/hello-world 1658821493 2", 0, "fa7a6c43-24fe-5dfe-b271-ec0f7454592a"},
		{RunOf("", "github https://github.com octocat/hello-world 1658821493 2"), 0, "fa7a6c43-24fe-5dfe-b271-ec0f7454592a"},
		{RunOf("octocat/hello-world", "github https://github.com octocat/hello-world 1658821493 1"), 0, "ddcc4f20-b703-85ca-af87-2aef5aa13721"},
		{RunOf("octocat/hello-world", "github https://github.com octocat/hello-world 1658821493 1"), 1, "ddcc4f20-b703-85ca-8015-a81a060f6da0"},
		{RunOf("octocat/spoon-knife", "github https://github.com octocat/hello-world 1658821493 1"), 0, "d1887392-7200-85ca-b802-d070ba17f4d6"},
	} {
		got := DerivedBuildID(c.run, c.n)
		if got.String() != c.want {
			t.Errorf("%s, %d: %s, was %s", c.run, c.n, got, c.want)
		}
		if back, err := ParseBuildID(got.String()); err != nil || back != got {
			t.Errorf("%s came back as %s, %v", got, back, err)
		}
	}
}

// TestBuildID_CheckProject keeps the ids of a project's runs to it, however well
// others can guess them; any other id is anybody's.
func TestBuildID_CheckProject(t *testing.T) {
	t.Parallel()
	run := RunOf("acme/api", "gitlab https://gitlab.example 4711")
	for n := range MaxSeries {
		id := DerivedBuildID(run, n)
		if uuid.UUID(id).Version() != 8 || uuid.UUID(id).Variant() != uuid.RFC4122 {
			t.Errorf("%s is of version %d and variant %s", id, uuid.UUID(id).Version(), uuid.UUID(id).Variant())
		}
		if err := id.CheckProject("acme/api"); err != nil {
			t.Errorf("%s in its own project: %v", id, err)
		}
		for _, project := range []string{"acme/api/deploy", "acme", "evil/x", "Acme/api", "acme/ap\u0456"} {
			if p := AsProblem(id.CheckProject(project)); p == nil || p.Code != Invalid || p.Field != "id" {
				t.Errorf("%s in %s: %v", id, project, p)
			}
		}
	}
	another := BuildID(uuid.MustParse("0198c0de-0000-8000-8000-000000000001")) // of version 8
	for _, id := range []BuildID{NewBuildID(), BuildID(uuid.New()), DerivedBuildID("a run", 0), another, {}} {
		if err := id.CheckProject("acme/api"); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}
