package search

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// A SyntaxError says what is wrong with a regular expression, and where.
type SyntaxError struct {
	Why  string // a clause that a person understands
	At   int    // the place of Text in the expression, in characters from 1; 0: it is about all of it
	Text string // the part that is wrong
}

// Error is one sentence.
func (e *SyntaxError) Error() string {
	if e.At == 0 {
		return fmt.Sprintf("The regular expression cannot be used: %s.", e.Why)
	}
	return fmt.Sprintf("The regular expression is wrong at character %d, %s: %s.", e.At, shown(e.Text), e.Why)
}

const (
	tooLarge = "it is too large when its repetitions are written out"
	unclosed = "this parenthesis is never closed; write \\( to find one"
)

// whys says in plain words what the parser finds fault with.
var whys = map[syntax.ErrorCode]string{
	syntax.ErrInvalidCharClass:      "this is no class of characters",
	syntax.ErrInvalidCharRange:      "this is no range of characters, or one that runs backwards",
	syntax.ErrInvalidEscape:         "this escape has no meaning; write \\\\ to find a backslash",
	syntax.ErrInvalidNamedCapture:   "a group is named as in (?P<name>…), each name once",
	syntax.ErrInvalidPerlOp:         "this kind of group is not known; looking ahead or behind is not possible",
	syntax.ErrInvalidRepeatOp:       "a repetition cannot itself be repeated; put it into parentheses",
	syntax.ErrInvalidRepeatSize:     "this repeats too often, at most 1000 times, or from more to fewer",
	syntax.ErrMissingBracket:        "this bracket is never closed; write \\[ to find one",
	syntax.ErrMissingParen:          unclosed,
	syntax.ErrMissingRepeatArgument: "there is nothing before it to repeat; write a backslash before it to find it as it is",
	syntax.ErrTrailingBackslash:     "nothing comes after the last backslash; write \\\\ to find one",
	syntax.ErrUnexpectedParen:       "this parenthesis was never opened; write \\) to find one",
	syntax.ErrNestingDepth:          "it is nested too deeply",
	syntax.ErrLarge:                 tooLarge,
}

// explain puts the parser's error into plain words.
func explain(text string, flags syntax.Flags, err error) *SyntaxError {
	var e *syntax.Error
	if !errors.As(err, &e) || whys[e.Code] == "" {
		return &SyntaxError{Why: "it cannot be read"}
	}
	out := &SyntaxError{Why: whys[e.Code], Text: e.Expr}
	var place int // in bytes
	switch e.Code {
	case syntax.ErrNestingDepth, syntax.ErrLarge:
		return &SyntaxError{Why: whys[e.Code]}
	case syntax.ErrMissingParen, syntax.ErrUnexpectedParen: // of which the parser names no place
		place = oddParenthesis(text)
		out.Text = text[place:]
		if e.Code == syntax.ErrUnexpectedParen {
			out.Text = ")"
		}
	case syntax.ErrTrailingBackslash:
		place, out.Text = len(text)-1, `\`
	default:
		place = firstFault(text, flags, e)
	}
	out.At = utf8.RuneCountInString(text[:place]) + 1
	return out
}

// firstFault finds the part that the parser names: it may stand in the
// expression more than once, and is wrong only where the parser, given no more
// than up to there, says the same.
func firstFault(text string, flags syntax.Flags, e *syntax.Error) int {
	for place := 0; ; {
		i := strings.Index(text[place:], e.Expr)
		if i < 0 {
			return max(0, strings.Index(text, e.Expr))
		}
		place += i
		_, err := syntax.Parse(text[:place+len(e.Expr)], flags)
		var same *syntax.Error
		if errors.As(err, &same) && same.Code == e.Code && same.Expr == e.Expr {
			return place
		}
		place++
	}
}

// oddParenthesis finds the first closing parenthesis that none was opened for,
// else the last one that is not closed.
func oddParenthesis(text string) int {
	var opened []int
	class := -1 // where the class began in which we are
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case strings.HasPrefix(text[i:], `\Q`) && class < 0:
			end := strings.Index(text[i:], `\E`)
			if end < 0 {
				i = len(text)
			} else {
				i += end + 1
			}
		case c == '\\':
			i++
		case class >= 0:
			switch {
			case c == ']' && i > class+1 && text[class+1:i] != "^":
				class = -1
			case strings.HasPrefix(text[i:], "[:"):
				if end := strings.Index(text[i:], ":]"); end > 0 {
					i += end + 1
				}
			}
		case c == '[':
			class = i
		case c == '(':
			opened = append(opened, i)
		case c == ')' && len(opened) == 0:
			return i
		case c == ')':
			opened = opened[:len(opened)-1]
		}
	}
	if len(opened) == 0 {
		return 0
	}
	return opened[len(opened)-1]
}

// shown quotes a part of an expression, cut after some characters.
func shown(text string) string {
	const most = 20
	n := 0
	for i := range text {
		if n++; n > most {
			return "“" + text[:i] + "…”"
		}
	}
	return "“" + text + "”"
}
