package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/labstack/echo/v4"

	"monitor/modules/uptime"
)

// encoded is an answer as it goes out, and as it is kept for repeats.
type encoded struct {
	status int
	header map[string]string
	body   []byte
}

// serve is the pipeline that every route stands behind.
func (s *server) serve(rt route, w *echo.Response, r *http.Request, param func(string) string) {
	c := &call{s: s, route: rt, w: w, r: r, request: uptime.RequestOf(r.Context()), param: param}
	defer func() { //nolint:contextcheck // the call's request carries its context
		if cause := recover(); cause != nil {
			s.panicked(c, cause)
		}
	}()
	answer, err := s.run(c) //nolint:contextcheck // the call's request carries its context
	switch {
	case err != nil:
		s.wrote(r.Context(), c, problemOf(err, "").Status)
		s.fail(w, r, err)
	case answer != nil:
		s.wrote(r.Context(), c, answer.status)
		s.write(c, *answer)
	}
}

// run gives the answer; nil when the handler wrote it itself.
func (s *server) run(c *call) (*encoded, error) {
	if err := s.admit(c); err != nil {
		return nil, err
	}
	if err := c.readQuery(); err != nil {
		return nil, err
	}
	if err := c.readBody(); err != nil {
		return nil, err
	}
	key, once, err := s.idempotencyKey(c)
	if err != nil {
		return nil, err
	}
	if once {
		return s.runOnce(c, key)
	}
	return c.handle()
}

// handle calls the handler and encodes what it answers.
func (c *call) handle() (*encoded, error) {
	rep, err := c.route.handle(c.s, c)
	if err != nil || rep.streamed {
		return nil, err
	}
	answer := &encoded{status: rep.status, header: map[string]string{}}
	if answer.status == 0 {
		answer.status = c.route.status
	}
	if rep.etag != "" {
		answer.header["ETag"] = rep.etag
	}
	if rep.location != "" {
		answer.header["Location"] = rep.location
	}
	if rep.body == nil {
		return answer, nil
	}
	answer.header["Content-Type"] = "application/json"
	if answer.body, err = json.Marshal(rep.body); err != nil {
		return nil, fmt.Errorf("write answer: %w", err)
	}
	return answer, nil
}

// write sends the answer. It is never 304: the ETag is the version of the
// settings, which stays while status and times change.
func (s *server) write(c *call, answer encoded) {
	h := c.w.Header()
	for name, value := range answer.header {
		h.Set(name, value)
	}
	h.Set("Cache-Control", "no-store")
	send(c.w, c.r, answer.status, answer.body)
}

// panicked turns a panic into an internal error. A stream that has begun is cut:
// its client must not take it for whole.
func (s *server) panicked(c *call, cause any) {
	if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(cause)
	}
	s.Log.ErrorContext(c.r.Context(), "a handler panicked", "panic", cause, "request_id", c.request.ID,
		"method", c.r.Method, "path", uptime.CleanLine(c.r.URL.Path, 512), "stack", string(debug.Stack()))
	if c.w.Committed {
		panic(http.ErrAbortHandler)
	}
	s.fail(c.w, c.r, uptime.Fail(uptime.CodeInternal, "panic"))
}
