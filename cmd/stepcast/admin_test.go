package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// Without the server's settings it says so, instead of beginning an epoch in a
// database that it made for this.
func TestAdminNewEpoch_MakesNoDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var out bytes.Buffer
	err := (&newEpochCmd{DataDir: dir}).Run(t.Context(), stdio{Out: &out})
	if err == nil || !strings.Contains(err.Error(), "--database-url") || out.Len() > 0 {
		t.Errorf("got %v and %q", err, out.String())
	}
	if there, err := os.ReadDir(dir); err != nil || len(there) > 0 {
		t.Errorf("it left %v, %v", there, err)
	}
}
