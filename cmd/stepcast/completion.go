package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCmd prints what makes a shell complete command lines of ours.
type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is what --help says beyond the flags.
func (c *completionCmd) Help() string {
	return `Put one of these where your shell reads it at its start:

  ~/.bashrc                     eval "$(stepcast completion bash)"
  ~/.zshrc, after compinit      source <(stepcast completion zsh)
  ~/.config/fish/config.fish    stepcast completion fish | source`
}

// Run prints the script.
func (c *completionCmd) Run(_ context.Context, std stdio, kctx *kong.Context) error {
	write := map[string]func(io.Writer, []completionNode){"bash": writeBash, "zsh": writeZsh, "fish": writeFish}[c.Shell]
	var script bytes.Buffer
	write(&script, completionNodes(kctx.Model.Node))
	if _, err := std.Out.Write(script.Bytes()); err != nil {
		return fmt.Errorf("print the script: %w", err)
	}
	return nil
}

// completionNode is what may follow a command: other commands, or flags and
// arguments.
type completionNode struct {
	path     []string // stepcast, build, start
	commands []completionWord
	flags    []completionFlag
	values   []string // that the first argument may have, as far as they are known
	wraps    bool     // a command line of another program follows
}

type completionWord struct{ name, help string }

type completionFlag struct {
	names  []string // with their dashes
	help   string
	value  string   // what is to be given with it; empty: nothing
	values []string // all that it may be; nil: anything
	dir    bool     // it is a directory
	many   bool     // it may be given again
}

// completionNodes lists a command and those below it. What kong calls an enum,
// and the tag complete, say which values there are.
func completionNodes(n *kong.Node) []completionNode {
	node := completionNode{path: []string{n.Name}}
	for p := n.Parent; p != nil; p = p.Parent {
		node.path = append([]string{p.Name}, node.path...)
	}
	for _, group := range n.AllFlags(true) {
		for _, f := range group {
			node.flags = append(node.flags, flagCompletion(f))
		}
	}
	for _, arg := range n.Positional {
		node.wraps = node.wraps || arg.PassthroughMode != kong.PassThroughModeNone
		if arg.Position == 0 {
			node.values = knownValues(arg)
		}
	}
	nodes := []completionNode{}
	for _, child := range n.Children {
		if !child.Hidden {
			node.commands = append(node.commands, completionWord{child.Name, brief(child.Help)})
			nodes = append(nodes, completionNodes(child)...)
		}
	}
	return append([]completionNode{node}, nodes...)
}

func flagCompletion(f *kong.Flag) completionFlag {
	c := completionFlag{names: []string{"--" + f.Name}, help: brief(f.Help), many: f.IsCumulative()}
	if f.Short != 0 {
		c.names = append([]string{"-" + string(f.Short)}, c.names...)
	}
	if f.Tag.Negatable != "" {
		c.names = append(c.names, "--no-"+f.Name)
	}
	if !f.IsBool() && !f.IsCounter() {
		c.value, c.values, c.dir = strings.Trim(f.FormatPlaceHolder(), `"`), knownValues(f.Value), f.Tag.Type == "path"
	}
	return c
}

func knownValues(v *kong.Value) []string {
	if v.Enum != "" {
		return v.EnumSlice()
	}
	if known := v.Tag.Get("complete"); known != "" {
		return strings.Split(known, ",")
	}
	return nil
}

// brief is the first sentence of a help text.
func brief(help string) string {
	sentence, _, _ := strings.Cut(help, ". ")
	return strings.TrimSuffix(sentence, ".")
}

// quote makes one word of a text, for all three shells.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// id is the name of a shell function of a command's.
func (n *completionNode) id() string {
	return "_" + strings.ReplaceAll(strings.Join(n.path, "_"), "-", "_")
}

func writeBash(w io.Writer, nodes []completionNode) {
	fmt.Fprint(w, `# Completion of stepcast for bash: eval "$(stepcast completion bash)"

# What may follow a command.
_stepcast_at() {
	commands='' flags='' valued='' values='' wraps=''
	case $1 in
`)
	var known strings.Builder
	dirs := []string{}
	for _, n := range nodes {
		var commands, flags, valued []string
		for _, c := range n.commands {
			commands = append(commands, c.name)
		}
		path := strings.Join(n.path, " ")
		for _, f := range n.flags {
			flags = append(flags, f.names...)
			if f.value == "" {
				continue
			}
			valued = append(valued, f.names...)
			for _, name := range f.names {
				switch {
				case f.values != nil:
					fmt.Fprintf(&known, "\t%s) values=%s ;;\n", quote(path+" "+name), quote(strings.Join(f.values, " ")))
				case f.dir:
					dirs = append(dirs, quote(path+" "+name))
				}
			}
		}
		fmt.Fprintf(w, "\t%s)\n", quote(path))
		for _, list := range []struct {
			name  string
			words []string
		}{{"commands", commands}, {"flags", flags}, {"valued", valued}, {"values", n.values}} {
			if len(list.words) > 0 {
				fmt.Fprintf(w, "\t\t%s=%s\n", list.name, quote(strings.Join(list.words, " ")))
			}
		}
		if n.wraps {
			fmt.Fprint(w, "\t\twraps=1\n")
		}
		fmt.Fprint(w, "\t\t;;\n")
	}
	fmt.Fprintf(w, `	esac
}

# What may be given with a flag.
_stepcast_with() {
	values='' dirs=''
	case $1 in
%s	%s) dirs=1 ;;
	esac
}

_stepcast() {
	local commands flags valued values wraps dirs
	local cur=${COMP_WORDS[COMP_CWORD]} at=stepcast flag='' word i
	COMPREPLY=()
	_stepcast_at "$at"
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ -n $flag ]]; then
			[[ $word == '=' ]] || flag='' # --flag=value comes as three words
		elif [[ $word == ':' ]]; then
			flag=: # and an address as several
		elif [[ $word == -- && -n $wraps ]]; then
			_stepcast_wrapped $((i + 1))
			return
		elif [[ $word == -* ]]; then
			[[ " $valued " == *" $word "* ]] && flag=$word
		elif [[ " $commands " == *" $word "* ]]; then
			at+=" $word"
			_stepcast_at "$at"
		elif [[ -n $wraps ]]; then
			_stepcast_wrapped "$i"
			return
		fi
	done
	[[ $cur == '=' ]] && cur=''
	if [[ -n $flag ]]; then
		_stepcast_with "$at $flag"
		if [[ -n $dirs ]]; then
			local IFS=$'\n'
			compopt -o filenames 2>/dev/null
			COMPREPLY=($(compgen -d -- "$cur"))
		else
			COMPREPLY=($(compgen -W "$values" -- "$cur"))
		fi
	elif [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$flags" -- "$cur"))
	elif [[ -n $wraps ]]; then
		_stepcast_wrapped "$COMP_CWORD"
	else
		COMPREPLY=($(compgen -W "$commands $values" -- "$cur"))
	fi
}

# Completes a command line that begins with the word of this number.
_stepcast_wrapped() {
	if declare -F _command_offset >/dev/null; then
		_command_offset "$1"
	elif ((COMP_CWORD == $1)); then
		COMPREPLY=($(compgen -c -- "${COMP_WORDS[COMP_CWORD]}"))
	else
		local IFS=$'\n'
		compopt -o filenames 2>/dev/null
		COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
	fi
}

complete -F _stepcast stepcast
`, known.String(), strings.Join(dirs, " | "))
}

func writeZsh(w io.Writer, nodes []completionNode) {
	fmt.Fprint(w, "#compdef stepcast\n# Completion of stepcast for zsh: source <(stepcast completion zsh), after compinit\n")
	plain := strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`)
	for _, n := range nodes {
		fmt.Fprintf(w, "\n%s() {\n\tlocal context state state_descr line\n\ttypeset -A opt_args\n\t_arguments -C -S -s", n.id())
		for _, f := range n.flags {
			for _, name := range f.names {
				spec, again := name, ""
				if f.many {
					again = "*"
				} else if len(f.names) > 1 {
					again = "(" + strings.Join(f.names, " ") + ")"
				}
				switch {
				case f.value == "":
				case strings.HasPrefix(name, "--"):
					spec += "="
				default:
					spec += "+"
				}
				spec = again + spec + "[" + plain.Replace(f.help) + "]"
				if f.value != "" {
					spec += ":" + plain.Replace(f.value) + ":"
				}
				switch {
				case f.values != nil:
					spec += "(" + strings.Join(f.values, " ") + ")"
				case f.dir:
					spec += "_files -/"
				}
				fmt.Fprintf(w, " \\\n\t\t%s", quote(spec))
			}
		}
		switch {
		case n.wraps:
			fmt.Fprint(w, " \\\n\t\t'(-)1:command: _command_names -e' \\\n\t\t'*::argument: _normal'\n")
		case len(n.commands) > 0:
			fmt.Fprint(w, " \\\n\t\t'1:command:->command' \\\n\t\t'*::argument:->argument'\n\tcase $state in\n\tcommand)\n\t\tlocal -a commands=(\n")
			for _, c := range n.commands {
				fmt.Fprintf(w, "\t\t\t%s\n", quote(strings.ReplaceAll(c.name, ":", `\:`)+":"+c.help))
			}
			fmt.Fprint(w, "\t\t)\n\t\t_describe command commands\n\t\t;;\n\targument)\n\t\tcase $line[1] in\n")
			for _, c := range n.commands {
				child := completionNode{path: append(n.path[:len(n.path):len(n.path)], c.name)}
				fmt.Fprintf(w, "\t\t%s) %s ;;\n", c.name, child.id())
			}
			fmt.Fprint(w, "\t\tesac\n\t\t;;\n\tesac\n")
		case n.values != nil:
			fmt.Fprintf(w, " \\\n\t\t%s\n", quote("1:argument:("+strings.Join(n.values, " ")+")"))
		default:
			fmt.Fprint(w, "\n")
		}
		fmt.Fprint(w, "}\n")
	}
	fmt.Fprint(w, `
if [[ ${funcstack[1]} == _stepcast ]]; then
	_stepcast "$@"
else
	compdef _stepcast stepcast
fi
`)
}

func writeFish(w io.Writer, nodes []completionNode) {
	fmt.Fprint(w, `# Completion of stepcast for fish: stepcast completion fish | source

# Tells whether the command line has got as far as this command.
function __stepcast_at
	set -l at stepcast
	for word in (commandline -opc)[2..-1]
		switch "$at $word"
`)
	var paths, wrapping []string
	for _, n := range nodes[1:] {
		paths = append(paths, quote(strings.Join(n.path, " ")))
		if n.wraps {
			wrapping = append(wrapping, quote(strings.Join(n.path, " ")+" --"))
		}
	}
	fmt.Fprintf(w, `			case %s
				set at "$at $word"
			case %s
				set at wrapped
		end
	end
	test "$at" = "$argv"
end

# Completes the command line after --.
function __stepcast_wrapped
	set -l words (commandline -opc) (commandline -ct)
	set -l i (contains -i -- -- $words)
	complete -C (string join ' ' -- (string escape -- $words[(math $i + 1)..-2]) $words[-1])
end

complete -c stepcast -f
complete -c stepcast -n '__stepcast_at wrapped' -a '(__stepcast_wrapped)'
`, strings.Join(paths, " "), strings.Join(wrapping, " "))
	for _, n := range nodes {
		at := fmt.Sprintf("complete -c stepcast -n %s", quote("__stepcast_at "+strings.Join(n.path, " ")))
		for _, c := range n.commands {
			fmt.Fprintf(w, "%s -a %s -d %s\n", at, c.name, quote(c.help))
		}
		if n.values != nil {
			fmt.Fprintf(w, "%s -a %s\n", at, quote(strings.Join(n.values, " ")))
		}
		for _, f := range n.flags {
			line := at
			for _, name := range f.names {
				if long, ok := strings.CutPrefix(name, "--"); ok {
					line += " -l " + long
				} else {
					line += " -s " + name[1:]
				}
			}
			switch {
			case f.dir:
				line += " -x -a '(__fish_complete_directories)'"
			case f.values != nil:
				line += " -x -a " + quote(strings.Join(f.values, " "))
			case f.value != "":
				line += " -x"
			}
			fmt.Fprintf(w, "%s -d %s\n", line, quote(f.help))
		}
	}
}
