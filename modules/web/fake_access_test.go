package web

import (
	"context"
	"encoding/json"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (f *fake) Invited(_ context.Context, invite string) (manage.InvitationView, error) {
	v := manage.InvitationView{UserView: manage.UserView{ID: 2, Email: "noa@example.com", Role: uptime.RoleEditor, Invited: true}, Workspace: "Shop"}
	switch invite {
	case "inv_ok":
	case "inv_mine":
		v.ID, v.Email, v.HasAccount, v.HasPassword = 1, "mia@example.com", true, true
	case "inv_known":
		v.HasAccount = true
	default:
		return manage.InvitationView{}, uptime.ErrNotFound
	}
	return v, f.broken
}

func (f *fake) JoinWorkspace(_ context.Context, _ uptime.Actor, invite, current string) error {
	if current != "right" {
		return uptime.Invalid(uptime.FieldError{Field: "current_password", Message: "is wrong"})
	}
	return f.change(json.RawMessage(`{"joined":"` + invite + `"}`))
}

func (f *fake) CanReset() bool { return !f.isFresh() }

func (f *fake) RequestReset(_ context.Context, email string, _ manage.Client) error {
	if email == "" {
		return uptime.Invalid(uptime.FieldError{Field: "email", Message: "is required"})
	}
	return f.change(json.RawMessage(`{"reset":"asked"}`))
}

func (f *fake) ResetOf(_ context.Context, token string) (manage.UserView, error) {
	if token != "rst_ok" {
		return manage.UserView{}, uptime.ErrNotFound
	}
	return manage.UserView{ID: 2, Email: "noa@example.com", Role: uptime.RoleEditor}, f.broken
}

func (f *fake) Reset(ctx context.Context, in manage.ResetInput) error {
	if _, err := f.ResetOf(ctx, in.Token); err != nil {
		return err
	}
	if len(in.Password) < 12 {
		return uptime.Invalid(uptime.FieldError{Field: "password", Message: "must have at least 12 characters"})
	}
	return f.change(json.RawMessage(`{"reset":"done"}`))
}

func (f *fake) AcceptInvite(ctx context.Context, in manage.InviteInput) (manage.Session, error) {
	if _, err := f.Invited(ctx, in.Token); err != nil {
		return manage.Session{}, err
	}
	if len(in.Password) < 12 {
		return manage.Session{}, uptime.Invalid(uptime.FieldError{Field: "password", Message: "must have at least 12 characters"})
	}
	raw, err := json.Marshal(in)
	if err != nil {
		return manage.Session{}, err
	}
	return manage.Session{Cookie: "ok"}, f.change(raw)
}

func (f *fake) NewTOTP(context.Context, uptime.Actor) (manage.TOTPView, error) {
	return manage.TOTPView{Secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", URL: "otpauth://totp/Monitor:mia@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Monitor"}, f.broken
}

func (f *fake) TOTPOf(ctx context.Context, a uptime.Actor, _ string) (manage.TOTPView, error) {
	return f.NewTOTP(ctx, a)
}

func (f *fake) NewRecoveryCodes(_ context.Context, _ uptime.Actor, current string) (manage.RecoveryView, error) {
	if current != "right" {
		return manage.RecoveryView{}, uptime.Invalid(uptime.FieldError{Field: "current_password", Message: "is wrong"})
	}
	return manage.RecoveryView{RecoveryCodes: sampleCodes()}, f.change(json.RawMessage(`{}`))
}

func sampleCodes() []string {
	return []string{"abcd-efgh-ijkl-mnop", "2345-6723-4567-2345", "qrst-uvwx-yz23-4567", "aaaa-bbbb-cccc-dddd"}
}

func (f *fake) LoginTicket(_ context.Context, ticket, code string, _ manage.Client) (manage.Session, error) {
	switch {
	case ticket != "ticket":
		return manage.Session{}, uptime.Fail(uptime.CodeSecondFactor, "That took too long; log in again.")
	case code != "123456" && code != "123 456":
		return manage.Session{}, uptime.Fail(uptime.CodeUnauthorized, "The code is wrong, or was used before.")
	}
	return manage.Session{Cookie: "ok"}, nil
}

func (f *fake) AuditLog(_ context.Context, _ uptime.Actor, filter uptime.AuditFilter, _ uptime.Page) (uptime.List[manage.AuditView], error) {
	if filter.ObjectType == "token" {
		return uptime.List[manage.AuditView]{}, f.broken
	}
	line := func(action, object string, id int64, detail string) manage.AuditView {
		return manage.AuditView{
			ID: 9, At: sampleNow().Add(-time.Minute), UserID: 1, User: "Mia Berg", Email: "mia@example.com", Address: "192.0.2.10",
			Action: action, ObjectType: object, ObjectID: id, Detail: json.RawMessage(detail),
		}
	}
	odd := line("user.update", "user", 2, `{"name":{"from":"<script>alert(1)</script>","to":"=HYPERLINK(\"x\")"}}`)
	odd.User, odd.TokenID = `=cmd|' /C calc'!A0`, 3
	return uptime.List[manage.AuditView]{Items: []manage.AuditView{
		line("monitor.update", "monitor", 1, `{"interval":{"from":"60s","to":"30s"},"group":{"from":null,"to":"web"},"http":{"from":{"url":"https://a.example"},"to":{"url":"https://b.example"}}}`),
		odd, line("channel.delete", "channel", 3, `{"name":"Ops"}`),
		{At: sampleNow(), Action: "user.setup", ObjectType: "user", Detail: json.RawMessage("null")},
	}, Next: "older"}, f.broken
}

func (f *fake) OwnSessions(context.Context, uptime.Actor) (uptime.List[manage.SessionView], error) {
	const desk = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
	now := sampleNow()
	one := func(id, address, agent string, current bool, age time.Duration) manage.SessionView {
		return manage.SessionView{
			ID: id, Current: current, Address: address, UserAgent: agent,
			CreatedAt: now.Add(-10 * age), LastSeenAt: now.Add(-age), ExpiresAt: now.Add(30 * 24 * time.Hour),
		}
	}
	return uptime.List[manage.SessionView]{Items: []manage.SessionView{
		one("desk", "192.0.2.10", desk, true, time.Minute), one("phone", "2001:db8::17", phone, false, 3*time.Hour),
		one("program", "198.51.100.4", "curl/8.14.1", false, 26*time.Hour), one("odd", "203.0.113.9", "<script>alert(1)</script> x", false, 50*time.Hour),
	}}, f.broken
}

func (f *fake) EndOwnSession(_ context.Context, _ uptime.Actor, id string) error {
	if id != "phone" {
		return uptime.ErrNotFound
	}
	return f.change(json.RawMessage(`{"ended":"phone"}`))
}

func (f *fake) LogoutOthers(context.Context, uptime.Actor) error {
	return f.change(json.RawMessage(`{"ended":"others"}`))
}
