package uptime

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Sentinel errors of the contracts. Compare with errors.Is.
var (
	// ErrNotFound: the object is not there, was deleted, or is not yours.
	ErrNotFound = errors.New("not found")
	// ErrConflict: a unique key is taken.
	ErrConflict = errors.New("conflict")
	// ErrStale: the object changed since it was read (a failed If-Match).
	ErrStale = errors.New("changed in between")
	// ErrFenced: a newer leader has raised the epoch; leading must end at once.
	ErrFenced = errors.New("fenced by a newer leader")
	// ErrFull: a bounded queue takes no more.
	ErrFull = errors.New("queue full")
	// ErrLost: the queue lost what it held; leading must begin anew.
	ErrLost = errors.New("the queue lost what it held")
	// ErrUnavailable: a dependency is away; try again later.
	ErrUnavailable = errors.New(Sentence("unavailable"))
)

// Code classifies an application error; one map in api and one in web turn it
// into an HTTP status.
type Code string

// The codes. Each maps to the HTTP status named beside it.
const (
	CodeMalformed    Code = "malformed"         // 400
	CodeUnauthorized Code = "unauthorized"      // 401
	CodeSecondFactor Code = "totp_required"     // 401: the password is right, a one-time code is needed
	CodeForbidden    Code = "forbidden"         // 403
	CodeNotFound     Code = "not_found"         // 404
	CodeConflict     Code = "conflict"          // 409
	CodePaused       Code = "paused"            // 409
	CodePrecondition Code = "precondition"      // 412
	CodeTooLarge     Code = "too_large"         // 413
	CodeMediaType    Code = "unsupported_media" // 415
	CodeInvalid      Code = "invalid"           // 422
	CodeLimited      Code = "rate_limited"      // 429
	CodeInternal     Code = "internal"          // 500
	CodeUnavailable  Code = "unavailable"       // 503
	CodeNoWorker     Code = "no_worker"         // 503
)

// FieldError names one field that cannot be used and says what is allowed.
type FieldError struct {
	Field   string // dotted path as in the JSON: "http.url", "http.expected_status[0]"
	Message string // for people: "must be an absolute http or https URL"
}

// Error is an application error: something that a user did or that they must
// know of. Detail is shown to them; Err is for the log and is not.
type Error struct {
	Code       Code
	Detail     string
	Fields     []FieldError
	RetryAfter time.Duration // for CodeLimited and CodeUnavailable
	Err        error
}

// Error gives code, detail and fields on one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "; %s %s", f.Field, f.Message)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Invalid is the error of a request whose fields cannot be used.
func Invalid(fields ...FieldError) *Error {
	return &Error{Code: CodeInvalid, Detail: "Some fields cannot be used.", Fields: fields}
}

// Fail is an application error with a code and a sentence for people.
func Fail(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// CodeOf gives the code of an error: its own, or the one that its sentinel
// stands for, or CodeInternal.
func CodeOf(err error) Code {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Code
	case errors.Is(err, ErrNotFound):
		return CodeNotFound
	case errors.Is(err, ErrConflict):
		return CodeConflict
	case errors.Is(err, ErrStale):
		return CodePrecondition
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrFull):
		return CodeUnavailable
	}
	return CodeInternal
}
