package manage

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"monitor/modules/uptime"
)

const (
	// oidcFor is how long one may take at the provider.
	oidcFor = 10 * time.Minute
	// maxOIDCTicket is within what every browser takes as a cookie.
	maxOIDCTicket = 3500
)

// identityProvider is where people log in by OpenID Connect. Its errors are those that
// people read: CodeUnavailable where it is away or not set up as it should be,
// CodeUnauthorized for an answer that is not to be trusted.
type identityProvider interface {
	AuthURL(ctx context.Context, r uptime.OIDCRequest) (string, error)
	// Identify asks who brought the answer. The caller has compared the state.
	Identify(ctx context.Context, r uptime.OIDCRequest, a uptime.OIDCAnswer) (uptime.OIDCPerson, error)
}

// OIDCStart is where to send a browser, and what it must bring back.
type OIDCStart struct {
	URL    string
	Ticket string // value of its cookie, for ten minutes
}

// OIDCInput is what a browser comes back with.
type OIDCInput struct {
	Ticket string
	State  string
	Answer uptime.OIDCAnswer
	Error  string // code of the provider, "": there was none
	Client Client
}

// oidcTicket ties a log-in at the provider to the browser that began it.
type oidcTicket struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	Next     string `json:"x"`
	Until    int64  `json:"t"` // Unix ms
}

// oidcPlace: such a ticket opens as nothing else, and nothing else as one.
func oidcPlace() uptime.SecretPlace { return uptime.SecretPlace{Table: "log-in", Field: "oidc"} }

// OIDCName is what the provider is called; "" where there is none.
func (m *Manage) OIDCName() string {
	if m.deps.Provider == nil {
		return ""
	}
	return m.deps.Config.OIDC.Name
}

// StartOIDC begins a log-in at the provider; next is where to go afterwards.
// CodeUnavailable where the provider is away.
func (m *Manage) StartOIDC(ctx context.Context, next string) (OIDCStart, error) {
	if m.deps.Provider == nil {
		return OIDCStart{}, fmt.Errorf("provider: %w", uptime.ErrNotFound)
	}
	verifier, _ := m.deps.Secrets.New("")
	request := uptime.OIDCRequest{State: m.deps.Random(), Nonce: m.deps.Random(), Verifier: verifier}
	url, err := m.deps.Provider.AuthURL(ctx, request)
	if err != nil {
		m.deps.Log.WarnContext(ctx, "begin a log-in by OpenID Connect", "error", err)
		return OIDCStart{}, err
	}
	ticket := oidcTicket{
		State: request.State, Nonce: request.Nonce, Verifier: request.Verifier, Next: next,
		Until: m.deps.Clock().Add(oidcFor).UnixMilli(),
	}
	sealed, err := m.sealOIDC(ticket)
	if err == nil && len(sealed) > maxOIDCTicket {
		ticket.Next = "/" // a log-in goes before the way back
		sealed, err = m.sealOIDC(ticket)
	}
	return OIDCStart{URL: url, Ticket: sealed}, err
}

// LoginOIDC ends a log-in at the provider and begins a web session. next is where to
// go, also after an error of a log-in that this browser began. CodeUnauthorized and
// CodeForbidden with a sentence for who is not let in, CodeUnavailable, CodeLimited.
func (m *Manage) LoginOIDC(ctx context.Context, in OIDCInput) (session Session, next string, err error) {
	if m.deps.Provider == nil {
		return Session{}, "", fmt.Errorf("provider: %w", uptime.ErrNotFound)
	}
	ticket, ok := m.openOIDC(in.Ticket)
	if !ok || subtle.ConstantTimeCompare([]byte(in.State), []byte(ticket.State)) != 1 {
		return Session{}, "", uptime.Fail(uptime.CodeUnauthorized, "That log-in was begun in another browser, or took longer than ten minutes. Try again.")
	}
	address := "login:" + uptime.Network(in.Client.Address)
	if err := m.limit(ctx, address, addressRate()); err != nil {
		return Session{}, ticket.Next, err
	}
	if err := m.spendOIDC(ctx, ticket); err != nil {
		return Session{}, ticket.Next, err
	}
	user, err := m.identify(ctx, ticket, in)
	if err != nil {
		m.deps.Log.WarnContext(ctx, "log-in by OpenID Connect refused", "address", in.Client.Address, "error", err)
		return Session{}, ticket.Next, err
	}
	m.giveBack(ctx, address, addressRate())
	session, err = m.newSession(ctx, user, false, in.Client)
	if uptime.CodeOf(err) == uptime.CodeUnauthorized {
		err = uptime.Fail(uptime.CodeUnauthorized, "Your account was changed at the same moment. Try again.")
	}
	if err != nil {
		return Session{}, ticket.Next, err
	}
	return session, ticket.Next, m.auditOIDC(ctx, user, in.Client)
}

func (m *Manage) sealOIDC(t oidcTicket) (string, error) {
	raw, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("write ticket: %w", err)
	}
	sealed, err := m.deps.Sealer.Seal(oidcPlace(), string(raw))
	if err != nil {
		return "", fmt.Errorf("seal ticket: %w", err)
	}
	return sealed, nil
}

func (m *Manage) openOIDC(sealed string) (t oidcTicket, ok bool) {
	if sealed == "" || len(sealed) > maxOIDCTicket {
		return t, false
	}
	raw, err := m.deps.Sealer.Open(oidcPlace(), sealed)
	if err != nil || json.Unmarshal([]byte(raw), &t) != nil {
		return t, false
	}
	return t, t.State != "" && m.deps.Clock().UnixMilli() < t.Until
}

// spendOIDC lets each ticket be used once, whatever a browser keeps: the limiter
// remembers it, over all processes, for longer than it is good.
func (m *Manage) spendOIDC(ctx context.Context, t oidcTicket) error {
	err := m.limit(ctx, "oidc:"+m.deps.Secrets.Hash(t.State), uptime.Rate{Limit: 1, Per: 2 * oidcFor})
	if uptime.CodeOf(err) == uptime.CodeLimited {
		return uptime.Fail(uptime.CodeUnauthorized, "That log-in was used before. Try again.")
	}
	return err
}

// identify asks the provider who came back, and finds their account or makes one.
func (m *Manage) identify(ctx context.Context, t oidcTicket, in OIDCInput) (uptime.User, error) {
	if in.Error != "" {
		return uptime.User{}, m.providerSaid(in.Error)
	}
	if in.Answer.Code == "" || len(in.Answer.Code) > 4096 || len(in.Answer.Issuer) > 2048 {
		return uptime.User{}, uptime.Fail(uptime.CodeUnauthorized, "%s sent you back without an answer. Try again.", m.OIDCName())
	}
	person, err := m.deps.Provider.Identify(ctx, uptime.OIDCRequest{State: t.State, Nonce: t.Nonce, Verifier: t.Verifier}, in.Answer)
	if err != nil {
		return uptime.User{}, err
	}
	// A replica may not know yet who was linked a moment ago.
	return m.admit(uptime.WithFresh(ctx), person, in.Client)
}

var errorCode = regexp.MustCompile(`^[a-z_]{1,40}$`)

// providerSaid tells of an error that the provider sent people back with (RFC 6749,
// 4.1.2.1, and OpenID Connect Core 1.0, 3.1.2.6). Only its code is shown: the rest may be
// anybody's words.
func (m *Manage) providerSaid(code string) error {
	name := m.OIDCName()
	switch code {
	case "access_denied":
		return uptime.Fail(uptime.CodeForbidden, "%s did not let you in: you declined, or may not use this there.", name)
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		return uptime.Fail(uptime.CodeUnauthorized, "%s wants something from you first. Try again.", name)
	case "temporarily_unavailable", "server_error":
		return uptime.Fail(uptime.CodeUnavailable, "%s does not work at the moment. Try again in a minute, or log in with a password.", name)
	}
	if !errorCode.MatchString(code) {
		code = uptime.Say("an unknown error")
	}
	return uptime.Fail(uptime.CodeUnauthorized, "%s sent you back with an error (%s). If it stays so, an admin has to look at how log-in is set up.", name, code)
}

// auditOIDC notes a log-in that has happened: a line that cannot be written makes
// nobody log in again.
func (m *Manage) auditOIDC(ctx context.Context, user uptime.User, client Client) error {
	line := m.audited(actorOf(user, "", client.Address), "user.login_oidc", "user", user.ID)
	err := m.deps.AuditLog.WriteAudit(ctx, *line)
	if errors.Is(err, uptime.ErrUnavailable) {
		m.deps.Log.WarnContext(ctx, "write the audit log", "action", line.Action, "user_id", user.ID, "error", err)
		return nil
	}
	return err
}
