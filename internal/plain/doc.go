// Package plain is the accessible view: the builds, a build and a step's log as
// whole HTML documents, for screen readers, text browsers, paper and links in
// e-mails. It is pure: data in, HTML out, and knows neither HTTP nor SQL.
//
// What it promises: a page needs no script, holds still while it is read and
// says as of when it is true; whatever a build says of itself is text, which
// html/template escapes, and can neither become markup nor bend the direction
// of what stands around it; and a page is bounded, however long a log, a line
// or a list is. Addresses are made here and nowhere else.
package plain
