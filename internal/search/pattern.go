package search

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// MaxPattern is the greatest length of a pattern in bytes.
const MaxPattern = 1000

// maxNeedles bounds the literals that are looked for one after the other.
const maxNeedles = 16

// maxStates bounds what an expression may become, repetitions written out: the
// time for a byte of text grows with it.
const maxStates = 2500

// A Pattern is what is looked for. It belongs to one goroutine.
type Pattern struct {
	text  string
	flags syntax.Flags

	needles [][]byte // every match contains one of them; nil: nothing is known
	fold    bool     // they are folded, and are in the folded text
	whole   bool     // there is one, which is all that is looked for
	states  int

	compiled [4]*regexp.Regexp // see expression
}

// Options say how the text of a pattern is meant.
type Options struct {
	Regexp bool // it is a regular expression, else literal text
	Case   bool // letters match only as they are
}

// Compile reads a pattern. An expression that is none is a *SyntaxError.
func Compile(text string, o Options) (*Pattern, error) {
	p := &Pattern{text: text, flags: syntax.Perl}
	if !o.Regexp {
		p.flags = syntax.Literal
	}
	if !o.Case {
		p.flags |= syntax.FoldCase
	}
	tree, err := syntax.Parse(text, p.flags)
	if err != nil {
		return nil, explain(text, p.flags, err)
	}
	program, err := syntax.Compile(tree.Simplify())
	if err != nil {
		return nil, explain(text, p.flags, err)
	}
	if p.states = len(program.Inst); p.states > maxStates {
		return nil, &SyntaxError{Why: tooLarge}
	}
	p.look(tree)
	return p, nil
}

// look finds out what to look for before the expression is tried.
func (p *Pattern) look(tree *syntax.Regexp) {
	literals := required(tree)
	if len(literals) > maxNeedles {
		return
	}
	for _, l := range literals {
		p.fold = p.fold || l.fold && slices.ContainsFunc(l.runes, func(r rune) bool { return unicode.SimpleFold(r) != r })
	}
	for _, l := range literals {
		var needle []byte
		for _, r := range l.runes {
			if p.fold {
				r = folded(r)
			}
			needle = utf8.AppendRune(needle, r)
		}
		p.needles = append(p.needles, needle)
	}
	for tree.Op == syntax.OpCapture {
		tree = tree.Sub[0]
	}
	p.whole = tree.Op == syntax.OpLiteral && !slices.Contains(tree.Rune, '\n')
}

// literal is a run of characters, to be found as they are or folded.
type literal struct {
	runes []rune
	fold  bool
}

// required finds literals of which every match contains one, long ones if it
// can; none: there are no such.
func required(re *syntax.Regexp) (best []literal) {
	switch re.Op {
	case syntax.OpLiteral:
		return []literal{{re.Rune, re.Flags&syntax.FoldCase != 0}}
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if found := required(sub); shortest(found) > shortest(best) {
				best = found
			}
		}
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			found := required(sub)
			if found == nil {
				return nil
			}
			best = append(best, found...)
		}
	}
	return best
}

// shortest is the length of the shortest of literals in characters; 0: there
// are none.
func shortest(literals []literal) (n int) {
	for i, l := range literals {
		if i == 0 || len(l.runes) < n {
			n = len(l.runes)
		}
	}
	return n
}

// expression returns the pattern as a regular expression for a text that
// begins where a line does, or does not, and ends where one does.
func (p *Pattern) expression(begins, ends bool) *regexp.Regexp {
	i := 0
	if begins {
		i |= 1
	}
	if ends {
		i |= 2
	}
	if p.compiled[i] == nil {
		tree, err := syntax.Parse(p.text, p.flags)
		if err != nil {
			panic("search: " + err.Error()) // it was parsed once
		}
		p.compiled[i] = regexp.MustCompile(inside(tree, begins, ends).String())
	}
	return p.compiled[i]
}

// inside takes from an expression the beginning and the end of a line, where
// the text that it is for has no such place.
func inside(re *syntax.Regexp, begins, ends bool) *syntax.Regexp {
	for i, sub := range re.Sub {
		re.Sub[i] = inside(sub, begins, ends)
	}
	switch re.Op {
	case syntax.OpBeginText, syntax.OpBeginLine:
		if !begins {
			return &syntax.Regexp{Op: syntax.OpNoMatch}
		}
	case syntax.OpEndText, syntax.OpEndLine:
		if !ends {
			return &syntax.Regexp{Op: syntax.OpNoMatch}
		}
	}
	return re
}

// lines calls found with the begin and the end of each line of a block of whole
// lines that matches. lower is room for its folded form.
func (p *Pattern) lines(block []byte, lower *[]byte, found func(start, end int)) {
	hay, exact := p.hay(block, lower)
	sighted := p.needles != nil && exact
	places := make([]int, len(p.needles)) // of the next of each needle
	for i := range places {
		places[i] = -1
	}
	for start, end := 0, 0; start < len(block); start = end + 1 {
		if sighted {
			at := len(block)
			for i, needle := range p.needles {
				if places[i] < start {
					places[i] = len(block)
					if next := bytes.Index(hay[start:], needle); next >= 0 {
						places[i] = start + next
					}
				}
				at = min(at, places[i])
			}
			if at == len(block) {
				return
			}
			start += bytes.LastIndexByte(block[start:at], '\n') + 1
		}
		end = start + bytes.IndexByte(block[start:], '\n')
		if sighted && p.whole || p.expression(true, true).Match(block[start:end]) {
			found(start, end)
		}
	}
}

// matches tells whether a line, or a window of it, matches.
func (p *Pattern) matches(text []byte, begins, ends bool, lower *[]byte) bool {
	if hay, exact := p.hay(text, lower); p.needles != nil && exact {
		found := slices.ContainsFunc(p.needles, func(needle []byte) bool { return bytes.Contains(hay, needle) })
		if !found || p.whole {
			return found
		}
	}
	return p.expression(begins, ends).Match(text)
}

// hay is where the needles are looked for; with exact false, that there is none
// means nothing.
func (p *Pattern) hay(text []byte, lower *[]byte) (hay []byte, exact bool) {
	if !p.fold {
		return text, true
	}
	*lower, exact = fold((*lower)[:0], text)
	return *lower, exact
}

// ranges returns where the matches in a line are, as begins and ends in bytes,
// at most so many, without empty ones, of which there may be some. To find one
// match an expression may have to look at all that follows, as a.*z|a does: of
// a long line that bounds how many are looked for.
func (p *Pattern) ranges(text []byte, begins, ends bool, most int) [][]int {
	tries := 10 * most
	if !p.whole {
		tries = max(1, min(tries, windowWork/(p.states*(len(text)+1))))
	}
	found := p.expression(begins, ends).FindAllIndex(text, tries)
	found = slices.DeleteFunc(found, func(r []int) bool { return r[0] == r[1] })
	return found[:min(len(found), most)]
}
