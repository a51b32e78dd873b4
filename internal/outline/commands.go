package outline

import (
	"strings"

	"github.com/stepcast/stepcast/internal/ci"
)

// command reads a command of GitHub Actions, ::error file=x.go,line=3::message,
// or of Azure Pipelines, ##[error]message and
// ##vso[task.logissue type=error;sourcepath=x.go;linenumber=3]message.
// Sources: docs.github.com/actions/reference/workflow-commands and
// github.com/actions/runner, src/Runner.Common/ActionCommand.cs;
// learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands.
func (p *Parser) command(text string) bool {
	text = strings.TrimSpace(text)
	if len(text) < 4 {
		return false
	}
	if rest, ok := strings.CutPrefix(text, "::"); ok {
		head, data, ok := strings.Cut(rest, "::")
		if !ok {
			return false
		}
		return p.github(head, data)
	}
	if rest, ok := strings.CutPrefix(text, "##["); ok {
		name, data, ok := strings.Cut(rest, "]")
		if !ok {
			return false
		}
		switch name {
		case "group":
			p.flatGroup(data)
		case "endgroup":
			p.endKind(flat, "", 0)
		case "error":
			p.problem(p.lines, ci.LevelError, place{}, "", data)
		case "warning":
			p.problem(p.lines, ci.LevelWarning, place{}, "", data)
		default:
			return false
		}
		return true
	}
	if rest, ok := strings.CutPrefix(text, "##vso["); ok {
		head, message, ok := strings.Cut(rest, "]")
		name, fields, _ := strings.Cut(head, " ")
		if !ok || name != "task.logissue" {
			return false
		}
		return p.issue(fields, message)
	}
	return false
}

// github carries out what stands between the colons of a command.
func (p *Parser) github(head, data string) bool {
	if p.groups.stopped != "" {
		if head == p.groups.stopped {
			p.groups.stopped = ""
		}
		return true
	}
	name, fields, _ := strings.Cut(head, " ")
	name = strings.ToLower(name)
	switch name {
	case "group":
		p.flatGroup(unescapeData(data))
		return true
	case "endgroup":
		p.endKind(flat, "", 0)
		return true
	case "stop-commands":
		if len(data) <= ci.MaxNoteName {
			p.groups.stopped = strings.TrimSpace(data)
		}
		return true
	case "error", "warning", "notice":
	default:
		return false
	}
	a := ci.Annotation{Level: ci.Level(name), Message: unescapeData(data)}
	for field := range strings.SplitSeq(fields, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		value = unescapeProperty(value)
		switch strings.ToLower(key) {
		case "file":
			a.File = value
		case "line":
			a.Line = number(value)
		case "endline":
			a.EndLine = number(value)
		case "col":
			a.Column = number(value)
		case "title":
			a.Title = value
		}
	}
	if a.Line == 0 {
		a.EndLine, a.Column = 0, 0
	}
	p.annotate(p.lines, a)
	return true
}

// issue carries out a task.logissue of Azure's.
func (p *Parser) issue(fields, message string) bool {
	a := ci.Annotation{Message: unescapeAzure(message)}
	for field := range strings.SplitSeq(fields, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		value = unescapeAzure(value)
		switch strings.ToLower(key) {
		case "type":
			a.Level = ci.Level(strings.ToLower(value))
		case "sourcepath":
			a.File = value
		case "linenumber":
			a.Line = number(value)
		case "columnnumber":
			a.Column = number(value)
		case "code":
			a.Title = value
		}
	}
	if a.Level != ci.LevelError && a.Level != ci.LevelWarning {
		return false
	}
	p.annotate(p.lines, a)
	return true
}

// flatGroup begins a group that ends the one before it.
func (p *Parser) flatGroup(name string) {
	p.endKind(flat, "", 0)
	p.beginGroup(openGroup{kind: flat}, name, true)
}

var (
	dataEscapes     = strings.NewReplacer("%25", "%", "%0D", "\r", "%0A", "\n", "%0d", "\r", "%0a", "\n")
	propertyEscapes = strings.NewReplacer("%25", "%", "%0D", "\r", "%0A", "\n", "%0d", "\r", "%0a", "\n", "%3A", ":", "%3a", ":", "%2C", ",", "%2c", ",")
	azureEscapes    = strings.NewReplacer("%AZP25", "%", "%0D", "\r", "%0A", "\n", "%3B", ";", "%5D", "]")
)

func unescapeData(s string) string     { return dataEscapes.Replace(s) }
func unescapeProperty(s string) string { return propertyEscapes.Replace(s) }
func unescapeAzure(s string) string    { return azureEscapes.Replace(s) }

// number reads a line or column; what is none is 0.
func number(s string) int64 {
	n, rest, ok := cutNumber(strings.TrimSpace(s))
	if !ok || rest != "" {
		return 0
	}
	return n
}
