package web

import (
	"context"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (f *fake) OIDCName() string { return f.oidc }

func (f *fake) StartOIDC(_ context.Context, next string) (manage.OIDCStart, error) {
	if f.oidc == "" {
		return manage.OIDCStart{}, uptime.ErrNotFound
	}
	return manage.OIDCStart{URL: "https://id.example.com/auth?state=s", Ticket: "ticket of " + next}, f.failure
}

func (f *fake) LoginOIDC(_ context.Context, in manage.OIDCInput) (manage.Session, string, error) {
	next, ok := "", false
	if len(in.Ticket) > len("ticket of ") {
		next, ok = in.Ticket[len("ticket of "):], true
	}
	switch {
	case f.oidc == "":
		return manage.Session{}, "", uptime.ErrNotFound
	case f.failure != nil:
		return manage.Session{}, next, f.failure
	case !ok || in.State != "s" || in.Answer.Code != "c":
		return manage.Session{}, "", uptime.Fail(uptime.CodeUnauthorized, "That log-in was begun in another browser.")
	}
	return manage.Session{Cookie: "ok"}, next, nil
}
