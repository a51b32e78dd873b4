// Package forms is where people sign in, and change who may see what: projects,
// tokens, links and what was done to them, as whole HTML documents. It is pure:
// data in, HTML out, and knows neither HTTP nor SQL.
//
// What it promises: everything can be done without a script, with the keyboard
// alone and on a narrow screen; a form that was refused has what was typed,
// except for secrets, and says beside each field what is wrong, the first of
// which has the focus; nothing that cannot be undone happens without a question;
// and the text of a token or a link is on the one page that Made is, and on no
// other.
package forms
