package api

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"monitor/modules/uptime"
)

// maxToken bounds what is looked at as a token, in bytes.
const maxToken = 4 << 10

// tokenOf gives the token of a request: Bearer, else X-API-Key, else "". Headers
// that are given twice name nobody.
func tokenOf(r *http.Request) string {
	if given := r.Header.Values("Authorization"); len(given) == 1 {
		scheme, token, _ := strings.Cut(given[0], " ")
		if strings.EqualFold(scheme, "Bearer") {
			return usable(strings.TrimSpace(token))
		}
	}
	if given := r.Header.Values("X-API-Key"); len(given) == 1 {
		return usable(strings.TrimSpace(given[0]))
	}
	return ""
}

func usable(token string) string {
	if len(token) > maxToken {
		return ""
	}
	return token
}

// challenge tells a client how to come back.
func challenge(r *http.Request) string {
	if tokenOf(r) == "" {
		return `Bearer realm="monitor"`
	}
	return `Bearer realm="monitor", error="invalid_token"`
}

// admit finds out who asks and takes one from their allowance. A bad token
// counts against the address, so that guessing has an end.
func (s *server) admit(c *call) error {
	address := "address:" + uptime.Network(c.request.Address)
	if c.route.access.has(anyone) {
		return s.limit(c, address)
	}
	token := tokenOf(c.r)
	if token == "" {
		return s.refuse(c, address, uptime.Fail(uptime.CodeUnauthorized,
			"Send a token: Authorization: Bearer TOKEN."))
	}
	actor, err := s.Manage.Authenticate(c.r.Context(), token, c.request.Address)
	if err != nil {
		return s.refuse(c, address, err)
	}
	c.actor = actor
	if err := s.limit(c, keyOf(actor)); err != nil {
		return err
	}
	s.readFresh(c)
	return nil
}

func (s *server) refuse(c *call, address string, err error) error {
	if uptime.CodeOf(err) != uptime.CodeUnauthorized {
		return err
	}
	return errors.Join(s.limit(c, address), err)
}

func keyOf(actor uptime.Actor) string {
	if key := actor.Key(); key.TokenID != 0 {
		return "token:" + strconv.FormatInt(key.TokenID, 10)
	}
	return "user:" + strconv.FormatInt(actor.UserID, 10)
}

// limit takes one from the key's allowance and tells of it in headers. A limiter
// that fails locks nobody out.
func (s *server) limit(c *call, key string) error {
	if s.PerMinute <= 0 {
		return nil
	}
	ctx := c.r.Context()
	d, err := s.Limiter.Allow(ctx, "api:"+key, uptime.Rate{Limit: s.PerMinute, Per: time.Minute})
	if err != nil {
		if ctx.Err() == nil {
			s.Log.WarnContext(ctx, "limit requests", "error", err)
		}
		d = uptime.LimitDecision{Allowed: true, Limit: s.PerMinute, Remaining: s.PerMinute}
	}
	h := c.w.Header()
	h.Set("RateLimit-Limit", strconv.Itoa(d.Limit))
	h.Set("RateLimit-Remaining", strconv.Itoa(d.Remaining))
	h.Set("RateLimit-Reset", wholeSeconds(d.ResetAfter))
	if d.Allowed {
		return nil
	}
	return &uptime.Error{
		Code: uptime.CodeLimited, RetryAfter: max(d.RetryAfter, time.Second),
		Detail: "Too many requests; slow down.",
	}
}
