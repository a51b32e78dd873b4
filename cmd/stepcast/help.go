package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// description is what a person reads who types stepcast alone.
const description = `Shows builds while they run: whoever runs one reports it, a server keeps it, and everybody watches, in a browser or in a terminal.

To see it, in one terminal and then in another:

  stepcast serve
  stepcast run -- make test`

// helpGroups are the titles of the groups of commands and flags.
var helpGroups = []kong.Group{
	{Key: "report", Title: "Report builds:"},
	{Key: "watch", Title: "Watch builds:"},
	{Key: "serve", Title: "Run the server:"},
	{Key: "more", Title: "More:"},
	{Key: "Flags", Title: "Flags:"},
	{Key: "Build", Title: "What is reported:"},
	{Key: "Secrets", Title: "What is hidden:", Description: "Besides what the CI system names, and values that the command registers with ::add-mask::"},
	{Key: "Spool", Title: "What waits for the server:"},
	{Key: "Network", Title: "How the server is reached:"},
	{Key: "Which build", Title: "Which build, when none is named:"},
	{Key: "People", Title: "Who may watch:"},
	{Key: "Runners", Title: "Who reports without a token:"},
	{Key: "Limits", Title: "What one may take, and where that is seen:", Description: "0 bounds nothing. An IPv6 address is its /64; those of loopback are not held to what an address may."},
	{Key: "Server", Title: "The server:", Description: "On its own machine the server, and a token, are found without being named."},
}

// flagGroups is the order of the groups of a command's flags.
var flagGroups = []string{"Build", "Flags", "Network", "Secrets", "Which build", "Server", "Spool", "People", "Runners", "Limits"}

// printHelp prints a command's flags in the order of their groups, and of what
// every command has only --help.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	help := ctx.Model.HelpFlag
	help.Help = "Show this help."
	options.FlagsLast = ctx.Selected() == nil || !ctx.Selected().Leaf() // the commands are what is looked for
	if n := ctx.Selected(); n != nil {
		n.Flags = append(n.Flags, help)
		for _, f := range n.Flags {
			if f.Group == nil {
				f.Group = &helpGroups[slices.IndexFunc(helpGroups, func(g kong.Group) bool { return g.Key == "Flags" })]
			}
		}
		slices.SortStableFunc(n.Flags, func(a, b *kong.Flag) int {
			return cmp.Compare(slices.Index(flagGroups, a.Group.Key), slices.Index(flagGroups, b.Group.Key))
		})
		for p := n.Parent; p != nil; p = p.Parent {
			p.Flags = nil
		}
	}
	return kong.DefaultHelpPrinter(options, ctx)
}

// withEnvironment says which variables stand for a flag or an argument.
func withEnvironment(v *kong.Value) string {
	envs := v.Tag.Envs
	if v.Flag != nil {
		envs = v.Flag.Envs // with those that are empty now
	}
	if len(envs) == 0 {
		return v.Help
	}
	return v.Help + " [$" + strings.Join(envs, ", $") + "]"
}
