package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/stepcast/stepcast/internal/ci"
	"github.com/stepcast/stepcast/internal/idtoken"
	"github.com/stepcast/stepcast/internal/plain"
	"github.com/stepcast/stepcast/internal/postgres"
)

// The refusals of HTTP itself; those of the domain are in ci.
const (
	invalidJSON       ci.Code = "invalid-json"
	unreadableRequest ci.Code = "unreadable"
	tooLarge          ci.Code = "too-large"
	tooSlow           ci.Code = "too-slow"
	brokenOff         ci.Code = "broken-off"
	noBody            ci.Code = "no-body"
	mediaType         ci.Code = "media-type"
	badEncoding       ci.Code = "content-encoding"
	badRange          ci.Code = "range"
	badMethod         ci.Code = "method"
	badFormat         ci.Code = "format"
	badHost           ci.Code = "host"
	crossOrigin       ci.Code = "cross-origin"
	tokenMissing      ci.Code = "token-missing"
	tokenUnknown      ci.Code = "token-unknown"
	tokenExpired      ci.Code = "token-expired"
	tokenRevoked              = postgres.TokenRevoked
	tokenScope                = ci.TokenScope
	tokenProject      ci.Code = "token-project"
	tokenInAddress    ci.Code = "token-in-address"
	sessionEnded      ci.Code = "session-ended"
	tooManyTries      ci.Code = "too-many-attempts"
	linkUnknown       ci.Code = "link-unknown"
	linkExpired       ci.Code = "link-expired"
	linkRevoked       ci.Code = "link-revoked"
	shuttingDown      ci.Code = "shutting-down"
	rewound           ci.Code = "rewound"
	internalError     ci.Code = "internal"
	tooManyRequests   ci.Code = "too-many-requests"
)

// problemsPath is where problems are explained: the type of each begins so.
const problemsPath = "/problems/"

// A kind of problem, as /problems/<code> explains it.
type kind struct {
	status int
	title  string
	about  string // what to do, in a sentence or two
}

// problems is every answer that is no success: the whole way from an error to
// HTTP.
var problems = map[ci.Code]kind{
	ci.Invalid: {400, "Invalid value",
		"A field of the request or a part of its address has a value that is not allowed. The field is named; for a list of updates, index is its position. Nothing of the request was stored."},
	ci.InvalidID: {400, "Invalid build id",
		"A build id is a UUID in its usual form of 36 characters."},
	unreadableRequest: {400, "Unreadable request",
		"The request is no HTTP. Mostly a header has a character that none may have, such as the CR at the end of a line of a file from Windows, or of a header that was read before. Take it off: tr -d '\\r'."},
	invalidJSON: {400, "Invalid JSON",
		"The body could not be read as JSON. The detail says at which byte. Text must be UTF-8; send other bytes as base64."},
	ci.TooMany: {400, "Too many elements",
		"A list or a build has more members than limit allows. Split the request, or the build."},
	ci.TooLong: {400, "Text too long",
		"A text has more bytes than limit allows."},
	ci.NeedsCycle: {400, "Circular needs",
		"The needs of some steps lead in a circle, so that none of them could ever start."},
	ci.UnknownStep: {404, "No such step",
		"The build has no step of that key. Announce a step before its first heartbeat."},
	ci.NotFound: {404, "Not found",
		"There is nothing at this address, or the token may not see it."},
	ci.BuildIDTaken: {409, "Build id already in use",
		"A build of another project has this id. Choose a fresh UUID for each build."},
	ci.ProjectCase: {409, "Project name differs only in case",
		"Another project has this name in other letters. Use that one's spelling."},
	ci.AlreadySet: {409, "Value already set",
		"The branch and the commit of a build are set once. Repeating the same value is fine."},
	ci.StatusFinal: {409, "Status is final",
		"The build or step has another final status already, named in current_status; it stays. A step that runs again is reported under another key, and a rerun as a build of its own."},
	ci.LogGap: {409, "Gap in the log",
		"The text begins beyond the end of the step's log. Go back to offset, which is what the server has, and send from there."},
	ci.LogIncomplete: {409, "Log incomplete",
		"log_bytes names more bytes than the server has. Send the rest from offset on, then say it again."},
	ci.LogLonger: {409, "Log longer than announced",
		"log_bytes names fewer bytes than the server has; offset is its count. Count the bytes again. If they are right, some came twice: the whole was sent where only the rest was wanted, or the same without Upload-Offset. Without log_bytes the step can end all the same."},
	ci.LogComplete: {409, "Log is closed",
		"The step's log was closed at offset, by a final status with log_bytes or a day after the step's end, and takes no more text. Send log_bytes after the last text."},
	ci.NoteGap: {409, "Gap in the notes",
		"A step's notes are numbered 0, 1, 2 …, and this one is not the next. Go back to number, which is how many the server has, and send from there."},
	ci.NotesClosed: {409, "Step takes no more notes",
		"Notes are taken until a day after the step's end, and that is over. Those that the server has, number of them, stay."},
	ci.StepTaken: {409, "Step belongs to another reporter",
		"Another reporter named itself for this step first, and one step cannot show two. Report yours under a key of its own."},
	ci.BuildFinished: {409, "Build has ended",
		"A build that has ended takes no new steps. Report them to a new build."},
	tooLarge: {413, "Request too large",
		"A request has at most 1 MiB, counted after decompression. Split it; PATCH …/log has no such limit."},
	tooSlow: {408, "Request too slow",
		"The body did not arrive at the least pace. Send it again; PATCH …/log has no least pace."},
	brokenOff: {408, "Request broke off",
		"The connection ended before the whole body had arrived. Send it again. Of an upload what arrived is stored, and the answer says how far that is."},
	noBody: {411, "No body announced",
		"An upload has Content-Length, or Transfer-Encoding: chunked, also if it is empty. A line end in a header's value, as of a token from a file, ends the headers there, and what follows is lost: Upload-Offset, Content-Length and the text."},
	mediaType: {415, "Unsupported content type",
		"Send application/json, or application/x-ndjson with one update a line."},
	badEncoding: {415, "Unsupported content encoding",
		"A body is sent plain, or with Content-Encoding gzip or zstd."},
	badRange: {416, "Range not available",
		"The log does not have these bytes or lines, or, since some of it is lost, cannot be addressed by bytes."},
	badMethod: {405, "Method not allowed",
		"The address exists, but not for this method; Allow lists those that it has."},
	badFormat: {501, "Format not implemented",
		"oEmbed comes as format=json or format=xml."},
	badHost: {421, "Host name not allowed",
		"Without sign-in this server answers to loopback names only, so that no other site can reach it through a browser. Use http://localhost or http://127.0.0.1, or start the server with --open."},
	crossOrigin: {403, "Cross-origin request refused",
		"A browser asked on behalf of another site. Other sites may read what is public, or what a token is for, and never write; the rest is for this server's own pages and programs that are no browsers."},
	tokenMissing: {401, "Token required",
		"Send Authorization: Bearer stp_…, a token with the scope that the request needs. stepcast token create makes one; a local server keeps its first one in <data-dir>/token."},
	ci.TokenMalformed: {401, "Malformed token",
		"A token is stp_ and 36 letters and digits, the last six of them a checksum. It was cut, or mistyped."},
	tokenUnknown: {401, "Unknown token",
		"No token of this server has this text. It may be of another server, or have been deleted."},
	tokenExpired: {401, "Token expired",
		"Make a new one with stepcast token create."},
	tokenRevoked: {401, "Token revoked",
		"Somebody ended it on purpose. Ask for another one."},
	tokenInAddress: {401, "Token not for addresses",
		"The parameter token takes tokens with the scope status and no other, since addresses are seen by many. Send any other as Authorization: Bearer stp_…."},
	sessionEnded: {401, "Session ended",
		"The browser's session is over: somebody signed out, here or everywhere, the token that it was made with was revoked, or it was as old as sessions get. Sign in again."},
	tooManyTries: {429, "Too many attempts",
		"From one address so many sign-ins are tried a minute, and no more. Wait a moment, then try again."},
	tokenScope: {403, "Insufficient token scope",
		"The token is valid but has not the scope that the request needs."},
	tokenProject: {403, "Token is for other projects",
		"The token is valid but bound to other projects."},
	linkUnknown: {404, "Unknown link",
		"No link to this build has this text: it was not copied whole, or is one of another server."},
	linkExpired: {410, "Link expired",
		"A link to a build lasts as long as whoever made it said, and 90 days at most. Ask for another one."},
	linkRevoked: {410, "Link revoked",
		"Somebody ended it on purpose. Ask for another one."},
	ci.Overloaded: {503, "Server overloaded",
		"The server has more to do than it can take. Send the same again after Retry-After; nothing of it was stored."},
	ci.Unavailable: {503, "Database unavailable",
		"The server cannot reach its database. Send the same again after Retry-After."},
	ci.DiskFull: {503, "Disk full",
		"Too little space is left to store anything safely; reading goes on. Free some space, then send the same again."},
	ci.OutcomeUnknown: {503, "Outcome unknown",
		"The connection to the database broke while it was storing this. Send the same again: what is there already is not stored twice."},
	shuttingDown: {503, "Server shutting down",
		"This process is about to end. Send the same again after Retry-After; another one will answer."},
	rewound: {503, "Database put back",
		"The database was just put back to an earlier state, in which this build is not there; its runner may be about to create it again. Ask again after Retry-After. A minute after it was put back the answer is that there is no such build."},
	internalError: {500, "Internal server error",
		"Something went wrong that is not the request's fault. The server's log says what."},
	idtoken.Malformed: {401, "No ID token of a job",
		"GitHub Actions and GitLab CI give their jobs ID tokens, JSON Web Tokens that say which job it is. This is none of them, or one of another kind."},
	idtoken.WrongIssuer: {401, "Issuer not accepted",
		"The ID token is of an issuer that this server does not know. Whoever runs it names the issuers with --runner-issuer."},
	idtoken.WrongSignature: {401, "Signature not valid",
		"The ID token is not signed by a key of its issuer with an algorithm that proves it."},
	idtoken.WrongAudience: {401, "Wrong audience",
		"The ID token was made to be shown to somebody else. The detail names the audience to ask for."},
	idtoken.WrongTime: {401, "ID token not good now",
		"ID tokens are good for a short time. Ask for a new one; if that is refused too, a clock is wrong."},
	postgres.Replayed: {401, "ID token used already",
		"An ID token is exchanged for one token of one build. Only who asks for that again, with the text of the token, is answered again."},
	idtoken.NotAllowed: {403, "Job not allowed",
		"The ID token is true, but no rule of this server lets the job report to that project. Whoever runs the server can add one with --runner-allow."},
	idtoken.OtherRun: {403, "Build of another run",
		"A job reports to builds whose ids are derived from its own run."},
	postgres.TokenTaken: {409, "Token's text in use",
		"The text that was chosen for the token is that of another one. Make up another for each build."},
	idtoken.IssuerAway: {503, "Issuer unavailable",
		"The keys of the ID token's issuer cannot be had at the moment. Send the same again after Retry-After."},
	tooManyRequests: {429, "Too many at once",
		"An address, a token or a project has as much open, or asks as often, as it may; limit is the bound. Send the same again after Retry-After. Reports of builds have no rate."},
}

// answer turns an error into the response, unless one has begun.
func (s *Server) answer(err error, c echo.Context) {
	p := s.problem(err, c)
	if c.Response().Committed { // broken off, lest a part is taken for the whole
		panic(http.ErrAbortHandler)
	}
	if l, ok := limitOf[p.Code]; ok {
		s.limits.refused[l].Add(1)
	}
	k := problems[p.Code]
	h := c.Response().Header()
	for _, name := range []string{"Location", "Content-Disposition", "Content-Encoding", "Content-Length", "Etag", "Accept-Ranges"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	switch {
	case k.status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", challenge(p.Code))
	case k.status == http.StatusServiceUnavailable, k.status == http.StatusTooManyRequests && h.Get("Retry-After") == "":
		h.Set("Retry-After", retryAfter())
	case p.Code == badEncoding:
		h.Set("Accept-Encoding", "gzip, zstd, identity")
	}
	if waitsForAnswer(c.Request()) || leftLong(c.Request()) {
		h.Set("Connection", "close") // else net/http asks for the body, or reads of it, before it answers
	}
	if p.Offset != nil && c.Request().Method == http.MethodPatch {
		h.Set("Upload-Offset", strconv.FormatInt(*p.Offset, 10))
	}
	if k.status == http.StatusNotFound && p.Code != linkUnknown && wantsPage(c.Request()) && s.document(c, k.status) == nil {
		return
	}
	if isForm(c.Request().URL.Path) && p.Code != crossOrigin {
		s.formProblem(c, p, k) // to a peer that is gone, if it fails
		return
	}
	if forPeople(c.Request(), k.status) {
		view := plain.Message{Title: k.title, Text: p.Detail, Far: c.Request().URL.Path == "/wall"}
		if k.status < http.StatusInternalServerError && !view.Far { // else it may not be known who asks, or nobody signs in there
			view.Frame, view.Hidden = s.frame(c), k.status == http.StatusNotFound
		}
		plainPage(c, k.status, view.HTML())
		return
	}
	var body bytes.Buffer
	if strings.HasPrefix(c.Request().Header.Get("Accept"), "text/plain") { // a shell, which takes no JSON apart
		h.Set("Content-Type", "text/plain; charset=utf-8")
		body.WriteString(p.Detail + "\n")
	} else {
		h.Set("Content-Type", "application/problem+json")
		writeProblem(&body, p, k)
	}
	h.Set("Content-Length", strconv.Itoa(body.Len())) // it is whole before the request is: see readOn
	c.Response().WriteHeader(k.status)
	if c.Request().Method != http.MethodHead {
		c.Response().Write(body.Bytes())
	}
}

// writeProblem writes a problem as RFC 9457 has it.
func writeProblem(w io.Writer, p *ci.Problem, k kind) {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // a sentence is read as it stands
	encoder.Encode(struct {      // encodes whatever is in it
		Type    string    `json:"type"`
		Title   string    `json:"title"`
		Status  int       `json:"status"`
		Detail  string    `json:"detail"`
		Index   *int      `json:"index,omitempty"`
		Field   string    `json:"field,omitempty"`
		Offset  *int64    `json:"offset,omitempty"`
		Number  *int64    `json:"number,omitempty"`
		Limit   int64     `json:"limit,omitempty"`
		Current ci.Status `json:"current_status,omitempty"`
	}{problemsPath + string(p.Code), k.title, k.status, p.Detail, p.Index, p.Field, p.Offset, p.Number, p.Limit, p.Status})
}

// retryAfter is in seconds, and spread, so that not all come back at once.
func retryAfter() string { return strconv.Itoa(1 + rand.IntN(4)) }

// forPrograms are the beginnings of addresses that no person goes to.
var forPrograms = []string{"/api/", "/badge/", "/shields/", "/cc.xml", "/builds.atom", "/oembed"}

func beginsWith(path string, some ...string) bool {
	return slices.ContainsFunc(some, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// wantsPage tells whether a person went to an address where a page could be.
func wantsPage(r *http.Request) bool {
	if beginsWith(r.URL.Path, forPrograms...) || beginsWith(r.URL.Path, "/assets/", problemsPath, "/plain/") || isForm(r.URL.Path) {
		return false
	}
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// forPeople tells whether an answer is read by a person: of the accessible view,
// of a wallboard and where one signs in all are, and of other pages that there is
// nothing, or no more, unless a program went there, such as one with the API's
// address wrong.
func forPeople(r *http.Request, status int) bool {
	if beginsWith(r.URL.Path+"/", plain.Root+"/", signInPath+"/", "/sign-out/", "/wall/") {
		return true
	}
	return (status == http.StatusNotFound || status == http.StatusGone) && !beginsWith(r.URL.Path, forPrograms...) && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// problem finds out what an error means to the one who asked. What is a fault
// of the server is logged here, and only here.
func (s *Server) problem(err error, c echo.Context) *ci.Problem {
	r := c.Request()
	if p := ci.AsProblem(err); p != nil {
		if k, known := problems[p.Code]; known {
			if k.status >= 500 && err != error(p) { // the cause is for the operator
				s.log.Warn("request", "method", r.Method, "path", r.URL.Path, "error", err)
			}
			return p
		}
	}
	var he *echo.HTTPError
	if errors.As(err, &he) {
		switch he.Code {
		case http.StatusNotFound:
			return nothingHere(r)
		case http.StatusMethodNotAllowed:
			more := ""
			switch c.Path() { // where many an API has them changed
			case "/api/v1/builds/:id":
				more = "; what happens to a build goes to …/updates with POST"
			case "/api/v1/builds/:id/steps/*":
				switch path := r.URL.Path; {
				case strings.HasSuffix(path, "/log"):
					more = "; its text is sent with PATCH, as by curl -X PATCH -T"
				case !strings.HasSuffix(path, "/lines"): // for no method
					return &ci.Problem{Code: ci.NotFound, Detail: "There is nothing at this address; what happens to a step goes to the build's …/updates with POST."}
				}
			}
			return &ci.Problem{Code: badMethod, Detail: fmt.Sprintf("This address takes %s, not %s%s.", methods(c.Response().Header().Get("Allow")), printable(r.Method), more)}
		}
	}
	if !errors.Is(err, context.Canceled) && !errors.Is(err, errGone) { // else nobody is there to be answered
		s.log.Error("request", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	return &ci.Problem{Code: internalError, Detail: "The server failed at this request; its log says why."}
}

// nothingHere answers for addresses that no route has. A program is told where
// those of the API are, and what it is that programs mostly get wrong.
func nothingHere(r *http.Request) *ci.Problem {
	more := "; /api/v1/openapi.json lists those of the API"
	switch path := r.URL.Path; {
	case forPeople(r, http.StatusNotFound):
		more = ""
	case strings.HasPrefix(path, "//"):
		more = ", which begins with two slashes: end the address of the server without one"
	case strings.HasSuffix(path, "/"):
		more = "; those of the API end without a slash, and /api/v1/openapi.json lists them"
	}
	return &ci.Problem{Code: ci.NotFound, Detail: "There is nothing at this address" + more + "."}
}

// methods says in a sentence what Allow lists. OPTIONS is had everywhere, and
// nothing that one is told to use.
func methods(allow string) string {
	names := slices.DeleteFunc(strings.Split(allow, ", "), func(name string) bool { return name == http.MethodOptions })
	slices.Sort(names)
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// challenge is the WWW-Authenticate of RFC 6750.
func challenge(code ci.Code) string {
	if code == tokenMissing || code == sessionEnded {
		return `Bearer realm="stepcast"`
	}
	return `Bearer realm="stepcast", error="invalid_token", error_description="` + problems[code].title + `"`
}

// explain answers GET /problems/{code}.
func (s *Server) explain(c echo.Context) error {
	code := c.Param("code")
	k, ok := problems[ci.Code(code)]
	if !ok {
		return &ci.Problem{Code: ci.NotFound, Detail: "There is no problem of this name; " + problemsPath + " lists them."}
	}
	if !strings.Contains(c.Request().Header.Get("Accept"), "text/html") {
		return c.String(http.StatusOK, fmt.Sprintf("%s (HTTP status %d)\n\n%s\n", k.title, k.status, k.about))
	}
	return plainPage(c, http.StatusOK, plain.Message{Frame: s.frame(c), Title: k.title, Text: k.about}.HTML())
}

// listProblems answers GET /problems/.
func (s *Server) listProblems(c echo.Context) error {
	view := plain.Message{Title: "Problems", Text: "What an answer that is no success may be: its type is the address of one of these."}
	var text strings.Builder
	for _, code := range slices.Sorted(maps.Keys(problems)) {
		k, path := problems[code], problemsPath+string(code)
		fmt.Fprintf(&text, "%s: %s (HTTP status %d)\n", path, k.title, k.status)
		view.Kinds = append(view.Kinds, plain.Kind{Path: path, Title: k.title, Status: k.status, Text: k.about})
	}
	if !strings.Contains(c.Request().Header.Get("Accept"), "text/html") {
		return c.String(http.StatusOK, text.String())
	}
	view.Frame = s.frame(c)
	return plainPage(c, http.StatusOK, view.HTML())
}

// printable shows a piece of a request in an answer: bounded, on one line.
func printable(s string) string {
	if len(s) > 60 {
		s = s[:60] + "…"
	}
	return strconv.Quote(strings.ToValidUTF8(s, "\uFFFD"))
}
