// Package pagetest reads pages, in tests, and holds them to what every page
// without JavaScript promises.
package pagetest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

// Hostile is a text that would do something if anything took it for more.
const Hostile = `"><script>alert(1)</script><img src=x onerror=alert(1)>` + "\u202e'`{{.}}&amp;</li></ol></title></textarea></select>"

// Element is an element of a page.
type Element struct {
	Name string
	Attr map[string]string
	Text string // all of it, below it too
}

// Parse reads a page, whose tags must be balanced: its elements in the order of
// the document. It complains of whatever no page may have.
func Parse(t *testing.T, page []byte) (all []*Element) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var open []*Element
	ids, wanted := map[string]bool{}, map[string]string{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, page)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &Element{Name: token.Name.Local, Attr: map[string]string{}}
			for _, a := range token.Attr {
				e.Attr[a.Name.Local] = a.Value
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" {
					t.Errorf("<%s %s=%q>", e.Name, a.Name.Local, a.Value)
				}
			}
			if id := e.Attr["id"]; id != "" && ids[id] {
				t.Errorf("the id %s is there twice", id)
			} else {
				ids[id] = true
			}
			for _, name := range []string{"for", "aria-describedby", "aria-labelledby"} {
				for id := range strings.FieldsSeq(e.Attr[name]) {
					wanted[id] = name
				}
			}
			if href := e.Attr["href"]; e.Name == "a" && !strings.HasPrefix(href, "/") && !strings.HasPrefix(href, "#") && !strings.HasPrefix(href, "https://") {
				t.Errorf("a link to %q", href)
			}
			all, open = append(all, e), append(open, e)
		case xml.EndElement:
			if n := len(open); n == 0 || open[n-1].Name != token.Name.Local {
				t.Fatalf("</%s> ends nothing in\n%s", token.Name.Local, page)
			}
			open = open[:len(open)-1]
		case xml.CharData:
			for _, e := range open {
				e.Text += string(token)
			}
		}
	}
	for id, by := range wanted {
		if !ids[id] {
			t.Errorf("%s names %s, which is not there", by, id)
		}
	}
	for name, want := range map[string]int{"title": 1, "h1": 1, "main": 1, "header": 1, "script": 0, "style": 0, "img": 0} {
		if got := len(Named(all, name)); got != want {
			t.Errorf("%d <%s> in\n%s", got, name, page)
		}
	}
	if all[0].Name != "html" || all[0].Attr["lang"] != "en" {
		t.Errorf("the page begins with %+v", all[0])
	}
	return all
}

// Named are the elements of a name.
func Named(all []*Element, name string) (found []*Element) {
	for _, e := range all {
		if e.Name == name {
			found = append(found, e)
		}
	}
	return found
}

// Texts are what the elements of a name say, each on one line.
func Texts(all []*Element, name string) (found []string) {
	for _, e := range Named(all, name) {
		found = append(found, strings.Join(strings.Fields(e.Text), " "))
	}
	return found
}

// Linked is where the link with this text leads.
func Linked(all []*Element, text string) string {
	for _, e := range Named(all, "a") {
		if strings.Join(strings.Fields(e.Text), " ") == text {
			return e.Attr["href"]
		}
	}
	return ""
}
