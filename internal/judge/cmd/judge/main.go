// Command judge is the load and the checker of package judge as a process of
// its own. It reads orders from standard input, one JSON object a line, and
// answers each with one; it ends with its input.
//
//	{"do":"start","plan":{"servers":["http://127.0.0.1:8080"],"token":"stp_…","shared":4,"others":8,"readers":10}}
//	{"do":"status"}
//	{"do":"finish","patience":60000000000}
package main

import (
	"fmt"
	"os"

	"github.com/stepcast/stepcast/internal/judge"
)

func main() {
	if err := judge.Main(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "judge:", err)
		os.Exit(1)
	}
}
