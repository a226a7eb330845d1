package manage_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// provider says of who logs in what a test wants; package auth tests the real one.
type provider struct {
	mu       sync.Mutex
	person   uptime.OIDCPerson
	err      error
	started  uptime.OIDCRequest
	finished []uptime.OIDCRequest
}

func (p *provider) AuthURL(_ context.Context, r uptime.OIDCRequest) (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.started = r
	return "https://id.example.com/auth?state=" + url.QueryEscape(r.State), p.err
}

func (p *provider) Identify(_ context.Context, r uptime.OIDCRequest, a uptime.OIDCAnswer) (uptime.OIDCPerson, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finished = append(p.finished, r)
	if a.Code != "good code" {
		return uptime.OIDCPerson{}, uptime.Fail(uptime.CodeUnauthorized, "A bad code.")
	}
	return p.person, p.err
}

// sso is a bundle with a provider.
type sso struct {
	*bundle
	provider *provider
}

// person who logs in at the provider, by their number.
func person(number, email string, groups ...string) uptime.OIDCPerson {
	return uptime.OIDCPerson{
		Identity: uptime.Identity{Issuer: "https://id.example.com", Subject: number},
		Email:    email, EmailVerified: true, Name: "Pia\nLund", Groups: groups,
	}
}

func setupSSO(t *testing.T, config manage.OIDCConfig) *sso {
	t.Helper()
	s := &sso{setup(t), &provider{}}
	s.configure(config)
	return s
}

// configure starts the program anew with other settings.
func (s *sso) configure(config manage.OIDCConfig) {
	config.Name = "Acme"
	deps := s.deps
	deps.Provider, deps.Config.OIDC = s.provider, config
	s.Manage = manage.New(deps)
}

func (s *sso) start(t *testing.T, next string) manage.OIDCInput {
	t.Helper()
	start, err := s.StartOIDC(context.Background(), next)
	require.NoError(t, err)
	u, err := url.Parse(start.URL)
	require.NoError(t, err)
	return manage.OIDCInput{
		Ticket: start.Ticket, State: u.Query().Get("state"), Answer: uptime.OIDCAnswer{Code: "good code"},
		Client: manage.Client{Address: "192.0.2.7", UserAgent: "Browser"},
	}
}

// login takes a person through the whole way.
func (s *sso) login(t *testing.T, p uptime.OIDCPerson) (manage.Session, error) {
	t.Helper()
	in := s.start(t, "/")
	s.provider.mu.Lock()
	s.provider.person = p
	s.provider.mu.Unlock()
	session, _, err := s.LoginOIDC(context.Background(), in)
	return session, err
}

// actor of a log-in that has to work.
func (s *sso) actor(t *testing.T, p uptime.OIDCPerson) uptime.Actor {
	t.Helper()
	session, err := s.login(t, p)
	require.NoError(t, err)
	actor, _, err := s.ActorOfSession(context.Background(), session.Cookie, "192.0.2.7")
	require.NoError(t, err)
	return actor
}

// refused is what somebody who is not let in reads.
func (s *sso) refused(t *testing.T, code uptime.Code, p uptime.OIDCPerson) string {
	t.Helper()
	session, err := s.login(t, p)
	require.Equal(t, code, uptime.CodeOf(err), "%v", err)
	require.Empty(t, session.Cookie)
	e, ok := errors.AsType[*uptime.Error](err)
	require.True(t, ok)
	return e.Detail
}

// user adds one with a password.
func (s *sso) user(t *testing.T, email, role string) manage.UserView {
	t.Helper()
	v, _, err := s.CreateUser(context.Background(), s.owner, json.RawMessage(`{"email":"`+email+`","role":"`+role+`","password":"`+password+`"}`))
	require.NoError(t, err)
	return v
}

func groups(owner, admin, editor, viewer string) map[uptime.Role][]string {
	out := map[uptime.Role][]string{}
	for role, names := range map[uptime.Role]string{uptime.RoleOwner: owner, uptime.RoleAdmin: admin, uptime.RoleEditor: editor, uptime.RoleViewer: viewer} {
		out[role] = strings.Fields(names)
	}
	return out
}
