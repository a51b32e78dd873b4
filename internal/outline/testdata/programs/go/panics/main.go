package main

import "strings"

func main() { show([]string{"a"}) }

func show(words []string) {
	strings.Map(func(r rune) rune { panic("no such letter: " + string(r)) }, words[0])
}
