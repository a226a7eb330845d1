package api

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"monitor/modules/uptime"
)

// codeMethod: the address is there, but not for this method (405).
const codeMethod uptime.Code = "method_not_allowed"

// retryLater is the wait asked for where an error names none.
const retryLater = 5 * time.Second

// Problem is the body of every error, after RFC 9457.
type Problem struct {
	Type      string         `json:"type" doc:"about:blank: the code says what it is"`
	Title     string         `json:"title" doc:"the name of the status"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail" doc:"a sentence for people"`
	Code      uptime.Code    `json:"code" doc:"for programs: malformed, unauthorized, totp_required, forbidden, not_found, conflict, paused, precondition, too_large, unsupported_media, invalid, idempotency_key_reused, rate_limited, internal, unavailable, no_worker …"`
	RequestID string         `json:"request_id"`
	Errors    []ProblemField `json:"errors" doc:"the fields that cannot be used; empty for other errors"`
}

// ProblemField is one field that cannot be used.
type ProblemField struct {
	Field   string `json:"field" doc:"path as in the body: http.expected_status[0]"`
	Message string `json:"message"`
}

// statusOf is THE map from codes to statuses.
func statusOf(code uptime.Code) int {
	statuses := map[uptime.Code]int{
		uptime.CodeMalformed:    http.StatusBadRequest,
		uptime.CodeUnauthorized: http.StatusUnauthorized,
		uptime.CodeSecondFactor: http.StatusUnauthorized,
		uptime.CodeForbidden:    http.StatusForbidden,
		uptime.CodeNotFound:     http.StatusNotFound,
		codeMethod:              http.StatusMethodNotAllowed,
		uptime.CodeConflict:     http.StatusConflict,
		uptime.CodePaused:       http.StatusConflict,
		uptime.CodePrecondition: http.StatusPreconditionFailed,
		uptime.CodeTooLarge:     http.StatusRequestEntityTooLarge,
		uptime.CodeMediaType:    http.StatusUnsupportedMediaType,
		uptime.CodeInvalid:      http.StatusUnprocessableEntity,
		uptime.CodeKeyReused:    http.StatusUnprocessableEntity,
		uptime.CodeLimited:      http.StatusTooManyRequests,
		uptime.CodeUnavailable:  http.StatusServiceUnavailable,
		uptime.CodeNoWorker:     http.StatusServiceUnavailable,
	}
	if status, known := statuses[code]; known {
		return status
	}
	return http.StatusInternalServerError
}

// plainly is what people read where an error has no words for them.
func plainly(code uptime.Code) string {
	switch code {
	case uptime.CodeNotFound:
		return "It is not there, or it is not yours."
	case uptime.CodeConflict:
		return "It is in conflict with something that is there already."
	case uptime.CodePrecondition:
		return "It was changed since you read it; read it again and repeat your change."
	case uptime.CodeUnavailable:
		return "Something that this needs is away at the moment; try again."
	default:
		return http.StatusText(statusOf(code))
	}
}

// problemOf gives what a stranger may know of err. code is that of the answer.
func problemOf(err error, requestID string) Problem {
	code := uptime.CodeOf(err)
	if code == uptime.CodeInternal && errors.Is(err, context.DeadlineExceeded) {
		code = uptime.CodeUnavailable
	}
	p := Problem{Type: "about:blank", Status: statusOf(code), Code: code, RequestID: requestID, Errors: []ProblemField{}}
	p.Title = http.StatusText(p.Status)
	if p.Status == http.StatusInternalServerError {
		p.Code, p.Detail = uptime.CodeInternal, "internal error"
		return p
	}
	p.Detail = plainly(code)
	if e, ok := errors.AsType[*uptime.Error](err); ok {
		if e.Detail != "" {
			p.Detail = e.Detail
		}
		for _, f := range e.Fields {
			p.Errors = append(p.Errors, ProblemField(f))
		}
	}
	return p
}

// fail writes the error. Internal ones are logged here, once.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	ctx := r.Context()
	p := problemOf(err, uptime.RequestOf(ctx).ID)
	h := w.Header()
	switch p.Status {
	case http.StatusInternalServerError:
		if ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "request failed", "error", err, "request_id", p.RequestID,
				"method", r.Method, "path", uptime.CleanLine(r.URL.Path, 512))
		}
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", challenge(r))
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		h.Set("Retry-After", wholeSeconds(max(waitOf(err), time.Second)))
	}
	raw, encodeErr := json.Marshal(p)
	if encodeErr != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	send(w, r, p.Status, raw)
}

func waitOf(err error) time.Duration {
	if e, ok := errors.AsType[*uptime.Error](err); ok && e.RetryAfter > 0 {
		return e.RetryAfter
	}
	return retryLater
}

// wholeSeconds rounds up: a client that comes back then is not too early.
func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(int64(math.Ceil(d.Seconds())), 10)
}

// send writes status and body; a HEAD gets its length only.
func send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	if status != http.StatusNoContent && status != http.StatusNotModified {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead && len(body) > 0 {
		_, _ = w.Write(body) // the client may be gone
	}
}
