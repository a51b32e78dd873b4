// Command sweep looks for secrets in what the tests kept in a folder, prints
// each with its place, and fails when there is one; see package sweep. It fails
// as well when nothing is there of a kind that -want names: who looks at nothing
// finds nothing.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/stepcast/stepcast/internal/sweep"
)

func main() {
	want := flag.String("want", "", "the kinds that must be there, with commas")
	flag.Parse()
	report, err := sweep.Search(flag.Arg(0))
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, kind := range sweep.Kinds {
		fmt.Printf("%s: %d places\n", kind, report.Files[kind])
		if report.Files[kind] == 0 && slices.Contains(strings.Split(*want, ","), string(kind)) {
			fmt.Printf("nothing of the kind %s was kept: the tests no longer do\n", kind)
			err = os.ErrNotExist
		}
	}
	fmt.Printf("%d secrets, %d MiB\n", report.Secrets, report.Bytes>>20)
	for _, finding := range report.Findings {
		fmt.Println(finding)
	}
	if err != nil || len(report.Findings) > 0 {
		os.Exit(1)
	}
}
