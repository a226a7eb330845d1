package web

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"monitor/modules/lang"
	"monitor/modules/uptime"
)

// ErrorPage says what failed, what is still true and what to do.
type ErrorPage struct {
	Frame
	Status    int
	Heading   string
	Text      string
	RequestID string
	Input     []Fact // of a form that could not be taken
}

// statuses maps application codes to HTTP.
func statuses() map[uptime.Code]int {
	return map[uptime.Code]int{
		uptime.CodeMalformed: http.StatusBadRequest, uptime.CodeUnauthorized: http.StatusUnauthorized,
		uptime.CodeForbidden: http.StatusForbidden, uptime.CodeNotFound: http.StatusNotFound,
		uptime.CodeConflict: http.StatusConflict, uptime.CodePaused: http.StatusConflict,
		uptime.CodePrecondition: http.StatusPreconditionFailed, uptime.CodeTooLarge: http.StatusRequestEntityTooLarge,
		uptime.CodeMediaType: http.StatusUnsupportedMediaType, uptime.CodeInvalid: http.StatusUnprocessableEntity,
		uptime.CodeLimited: http.StatusTooManyRequests, uptime.CodeInternal: http.StatusInternalServerError,
		uptime.CodeUnavailable: http.StatusServiceUnavailable, uptime.CodeNoWorker: http.StatusServiceUnavailable,
	}
}

// statusOf an error of any kind.
func statusOf(err error) int {
	var he *echo.HTTPError
	var big *http.MaxBytesError
	var f *forbidden
	switch {
	case errors.As(err, &f):
		return http.StatusForbidden
	case errors.As(err, &big):
		return http.StatusRequestEntityTooLarge
	case errors.As(err, &he):
		return he.Code
	case errors.Is(err, context.DeadlineExceeded) && uptime.CodeOf(err) == uptime.CodeInternal:
		return http.StatusServiceUnavailable // what did not answer in time is away
	}
	if s, ok := statuses()[uptime.CodeOf(err)]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// answerError draws the error page. Our own failures are logged here and read
// "internal error" with the id of the request outside.
func (w *Web) answerError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	r := c.Request()
	status := statusOf(err)
	if status == http.StatusInternalServerError {
		w.deps.Log.ErrorContext(r.Context(), "page failed", slog.String("path", c.Path()), slog.Any("error", err))
	}
	w.setRetryAfter(c, err, status)
	if isFragment(r) {
		// The old content stays: it is dated, and better than an error page in
		// its place.
		c.Response().Header().Set("HX-Reswap", "none")
		w.logFailure(c, c.NoContent(status))
		return
	}
	p := ErrorPage{Frame: w.frameOf(err, c), Status: status, RequestID: uptime.RequestOf(r.Context()).ID}
	p.Heading, p.Text = explain(p.Lang, status, err)
	p.Title = p.Heading
	p.Crumbs = []Crumb{{Label: p.Heading}}
	if p.Me != nil && status >= http.StatusConflict {
		p.Input = typedInput(r)
	}
	if drawn := w.show(c, status, "error", "layout", p); drawn != nil {
		w.logFailure(c, drawn)
		w.logFailure(c, c.String(status, p.Heading))
	}
}

// typedInput is what a form held that could not be taken, so that nobody has to type it
// again: what a person typed, and nothing that may be secret. The body was read by who
// failed; what was not is not there.
func typedInput(r *http.Request) []Fact {
	var out []Fact
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		text := strings.Join(r.PostForm[name], ", ")
		switch {
		case strings.TrimSpace(text) == "", slices.Contains([]string{"etag", "workspace", "id", "back", "type", "confirm"}, name):
		case secretName.MatchString(name):
		default:
			out = append(out, Fact{name, uptime.Clean(text, 4096)})
		}
		if len(out) == 50 {
			break
		}
	}
	return out
}

// secretName is of inputs whose text is not to be shown again.
var secretName = regexp.MustCompile(`(?i)pass|secret|token|code|key|headers|url|body`)

// logFailure names the route: an address may hold a token.
func (w *Web) logFailure(c echo.Context, err error) {
	if err != nil {
		w.deps.Log.ErrorContext(c.Request().Context(), "error page failed", slog.String("path", c.Path()), slog.Any("error", err))
	}
}

// frameWithin bounds what an error page waits for its frame: a database that hangs
// would hold it up for as long as it held up the page, once more for each part.
const frameWithin = time.Second

// frameOf keeps the frame of somebody who is logged in, if it can still be read.
func (w *Web) frameOf(err error, c echo.Context) Frame {
	whole := c.Request()
	within, cancel := context.WithTimeout(whole.Context(), frameWithin)
	defer func() {
		cancel()
		c.SetRequest(whole)
	}()
	c.SetRequest(whole.WithContext(within))
	var f *failed
	var no *forbidden
	r := &request{Context: c, web: w, now: w.deps.Clock()}
	switch {
	case errors.As(err, &f):
		r = f.request
	case errors.As(err, &no):
		r.actor = no.actor
	default:
		return w.outside(c, "")
	}
	if s, err := r.scene("", ""); err == nil {
		return s.frame
	}
	return w.outside(c, "")
}

func (w *Web) setRetryAfter(c echo.Context, err error, status int) {
	wait := time.Duration(0)
	if e, ok := errors.AsType[*uptime.Error](err); ok {
		wait = e.RetryAfter
	}
	if wait == 0 && status == http.StatusServiceUnavailable {
		wait = 5 * time.Second
	}
	if wait > 0 {
		c.Response().Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
}

// explain gives heading and text of an error for people.
func explain(l *lang.Language, status int, err error) (heading, text string) {
	var e *uptime.Error
	detail := ""
	if errors.As(err, &e) {
		detail = l.Said(e.Detail)
	}
	or := func(fallback string) string {
		if detail != "" {
			return detail
		}
		return l.T(fallback)
	}
	switch status {
	case http.StatusForbidden:
		if no, ok := errors.AsType[*forbidden](err); ok {
			return l.T("You may not do this"), l.T("Your role is %s. To %s you need a higher one. An owner or admin of this workspace can change your role.",
				l.Word(string(no.actor.Role)), l.Word(string(no.action)))
		}
		return l.T("You may not do this"), or(lang.Key("Your role does not allow this."))
	case http.StatusNotFound:
		return l.T("Not here"), l.T("This page does not exist, or what it showed was deleted.")
	case http.StatusMethodNotAllowed:
		return l.T("Not here"), l.T("This address takes no request of this kind.")
	case http.StatusConflict, http.StatusPreconditionFailed:
		return l.T("That did not fit"), or(lang.Key("It changed in between. Go back, reload the page and try again."))
	case http.StatusRequestEntityTooLarge:
		return l.T("Too large"), l.T("The form holds more than 4 MB. Nothing was saved.")
	case http.StatusTooManyRequests:
		if e != nil && e.RetryAfter > 0 {
			return l.T("Too many requests"), l.T("Try again in %s.", l.Span(e.RetryAfter))
		}
		return l.T("Too many requests"), l.T("Try again in a moment.")
	case http.StatusServiceUnavailable:
		return l.T("Not available right now"), or(lang.Key("The database does not answer. Checks go on from what is queued and nothing is lost; this page works again as soon as it is back."))
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusUnauthorized:
		return l.T("That cannot be used"), or(lang.Key("Something in the request cannot be used. Nothing was changed."))
	}
	return l.T("Internal error"), l.T("Something failed on our side. Nothing that was saved before is lost.")
}

// refuseOrigin answers a post that came from another site's page.
func (w *Web) refuseOrigin(rw http.ResponseWriter, r *http.Request) {
	c := w.echo.NewContext(r, rw)
	//nolint:contextcheck // the context is that of c's request
	w.answerError(uptime.Fail(uptime.CodeForbidden, "This form was sent from another site's page, so it was refused. Open the page here and send it again."), c)
}
