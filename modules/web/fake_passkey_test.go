package web

import (
	"context"
	"encoding/json"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (f *fake) BeginPasskeyLogin(_ context.Context, party uptime.RelyingParty) (manage.Ceremony, error) {
	return manage.Ceremony{Options: json.RawMessage(`{"rpId":"` + party.ID + `"}`), State: "state of a log-in"}, f.failure
}

func (f *fake) LoginPasskey(_ context.Context, in manage.PasskeyAnswer) (manage.Session, error) {
	if f.failure != nil {
		return manage.Session{}, f.failure
	}
	if in.State != "state of a log-in" || string(in.Answer) != "right" {
		return manage.Session{}, uptime.Fail(uptime.CodeUnauthorized, "This passkey is not known here, or its answer was not right.")
	}
	return manage.Session{Cookie: "ok", Persistent: in.Remember, ExpiresAt: sampleNow().Add(time.Hour)}, nil
}

func (f *fake) TicketPasskeys(_ context.Context, ticket string, _ uptime.RelyingParty) bool {
	return ticket == "ticket" && f.factor
}

func (f *fake) BeginPasskeyFactor(_ context.Context, ticket string, party uptime.RelyingParty) (manage.Ceremony, error) {
	if ticket != "ticket" {
		return manage.Ceremony{}, uptime.Fail(uptime.CodeSecondFactor, "That took too long; log in again.")
	}
	return manage.Ceremony{Options: json.RawMessage(`{"rpId":"` + party.ID + `"}`), State: "state of a factor"}, nil
}

func (f *fake) LoginTicketPasskey(_ context.Context, ticket string, in manage.PasskeyAnswer) (manage.Session, error) {
	switch {
	case ticket != "ticket":
		return manage.Session{}, uptime.Fail(uptime.CodeSecondFactor, "That took too long; log in again.")
	case in.State != "state of a factor" || string(in.Answer) != "right":
		return manage.Session{}, uptime.Fail(uptime.CodeUnauthorized, "This passkey is not known here, or its answer was not right.")
	}
	return manage.Session{Cookie: "ok"}, nil
}

func (f *fake) OwnPasskeys(context.Context, uptime.Actor) (uptime.List[manage.PasskeyView], error) {
	if f.empty {
		return uptime.List[manage.PasskeyView]{}, f.broken
	}
	now := sampleNow()
	used := now.Add(-3 * time.Hour)
	return uptime.List[manage.PasskeyView]{Items: []manage.PasskeyView{
		{ID: 1, Name: "Chrome on Linux", Host: "localhost", CreatedAt: now.Add(-40 * 24 * time.Hour), LastUsedAt: &used, Synced: true},
		{ID: 2, Name: hostile, Host: "monitor.example.com", CreatedAt: now.Add(-time.Hour)},
	}}, f.broken
}

func (f *fake) BeginPasskey(_ context.Context, _ uptime.Actor, in manage.NewPasskey) (manage.Ceremony, error) {
	if in.CurrentPassword != "right" {
		return manage.Ceremony{}, uptime.Invalid(uptime.FieldError{Field: "current_password", Message: "is wrong"})
	}
	return manage.Ceremony{Options: json.RawMessage(`{"rp":{"id":"` + in.Party.ID + `"}}`), State: "state of a new one"}, nil
}

func (f *fake) CreatePasskey(_ context.Context, _ uptime.Actor, in manage.PasskeyAnswer) (manage.PasskeyView, error) {
	if in.State != "state of a new one" || string(in.Answer) != "right" {
		return manage.PasskeyView{}, uptime.Fail(uptime.CodeConflict, "That took too long; add the passkey again.")
	}
	return manage.PasskeyView{ID: 3}, f.change(json.RawMessage(`{"passkey":"added"}`))
}

func (f *fake) RenamePasskey(_ context.Context, _ uptime.Actor, id int64, name string) error {
	switch {
	case id > 2:
		return uptime.ErrNotFound
	case len(name) > 60:
		return uptime.Invalid(uptime.FieldError{Field: "name", Message: "must have at most 60 characters"})
	}
	raw, err := json.Marshal(map[string]any{"renamed": name})
	if err != nil {
		return err
	}
	return f.change(raw)
}

func (f *fake) DeletePasskey(_ context.Context, _ uptime.Actor, id int64) error {
	if id > 2 {
		return uptime.ErrNotFound
	}
	return f.change(json.RawMessage(`{"passkey":"removed"}`))
}
