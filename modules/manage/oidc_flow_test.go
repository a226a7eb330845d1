package manage_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// TestOIDCTickets: what a browser brings back is good once, in that browser, for ten
// minutes.
func TestOIDCTickets(t *testing.T) {
	t.Parallel()
	s, ctx := setupSSO(t, manage.OIDCConfig{SignUp: true, DefaultRole: uptime.RoleViewer}), context.Background()
	s.provider.person = person("1", "pia@example.com")
	refused := func(t *testing.T, in manage.OIDCInput, says string) {
		t.Helper()
		asked := len(s.provider.finished)
		session, _, err := s.LoginOIDC(ctx, in)
		require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err), "%v", err)
		require.ErrorContains(t, err, says)
		require.Empty(t, session.Cookie)
		require.Len(t, s.provider.finished, asked, "the provider is not asked")
	}
	in := s.start(t, "/monitors?q=a")
	for name, change := range map[string]func(*manage.OIDCInput){
		"NoTicket":     func(in *manage.OIDCInput) { in.Ticket = "" },
		"NotSealed":    func(in *manage.OIDCInput) { in.Ticket = `{"s":"` + in.State + `","t":9999999999999}` },
		"Cut":          func(in *manage.OIDCInput) { in.Ticket = in.Ticket[:len(in.Ticket)-2] },
		"Huge":         func(in *manage.OIDCInput) { in.Ticket = strings.Repeat("x", 1<<20) },
		"AnotherState": func(in *manage.OIDCInput) { in.State = "another" },
		"NoState":      func(in *manage.OIDCInput) { in.State = "" },
		"OfAnother":    func(in *manage.OIDCInput) { in.Ticket = s.start(t, "/").Ticket },
		"OfAPassword":  func(in *manage.OIDCInput) { in.Ticket = s.passwordTicket(t) },
		"ErrorUnasked": func(in *manage.OIDCInput) { in.State, in.Error = "x", "access_denied" },
	} {
		t.Run(name, func(t *testing.T) {
			other := in
			change(&other)
			refused(t, other, "begun in another browser")
		})
	}
	session, next, err := s.LoginOIDC(ctx, in)
	require.NoError(t, err)
	require.NotEmpty(t, session.Cookie)
	require.False(t, session.Persistent)
	require.Equal(t, "/monitors?q=a", next)
	request := s.provider.finished[0]
	require.GreaterOrEqual(t, len(request.Verifier), 43, "RFC 7636, 4.1")
	require.LessOrEqual(t, len(request.Verifier), 128)
	require.NotEqual(t, request.State, request.Nonce)
	refused(t, in, "was used before")

	late := s.start(t, "/")
	require.NotEqual(t, request.Verifier, s.provider.started.Verifier)
	s.clock.add(10 * time.Minute)
	refused(t, late, "longer than ten minutes")
	for next, want := range map[string]string{
		"/monitors?q=" + strings.Repeat("x", 1500): "/monitors?q=" + strings.Repeat("x", 1500),
		"/monitors?q=" + strings.Repeat("&", 1500): "/",
		"/monitors?q=" + strings.Repeat("x", 5000): "/",
	} {
		long := s.start(t, next)
		require.LessOrEqual(t, len(long.Ticket), 3500, "a browser takes it as a cookie")
		_, next, err = s.LoginOIDC(ctx, long)
		require.NoError(t, err)
		require.Equal(t, want, next)
	}
	without := s.start(t, "/")
	without.Answer.Code = ""
	refused(t, without, "without an answer")
	huge := s.start(t, "/")
	huge.Answer.Code = strings.Repeat("x", 5000)
	refused(t, huge, "without an answer")
}

// passwordTicket is that of a log-in whose password was right.
func (s *sso) passwordTicket(t *testing.T) string {
	t.Helper()
	v := s.user(t, "two@example.com", "viewer")
	in := login(password)
	in.Email = "two@example.com"
	pair, err := s.Login(context.Background(), in)
	require.NoError(t, err)
	actor, err := s.Authenticate(context.Background(), pair.AccessToken, "")
	require.NoError(t, err)
	require.Equal(t, v.ID, actor.UserID)
	turnOn(t, s.bundle, actor)
	session, _ := s.LoginSession(context.Background(), in)
	require.NotEmpty(t, session.Ticket)
	return session.Ticket
}

func TestOIDCProviderErrors(t *testing.T) {
	t.Parallel()
	s, ctx := setupSSO(t, manage.OIDCConfig{SignUp: true, DefaultRole: uptime.RoleViewer}), context.Background()
	for said, want := range map[string]struct {
		code uptime.Code
		says string
	}{
		"access_denied":               {uptime.CodeForbidden, "did not let you in"},
		"login_required":              {uptime.CodeUnauthorized, "wants something from you"},
		"server_error":                {uptime.CodeUnavailable, "does not work at the moment"},
		"temporarily_unavailable":     {uptime.CodeUnavailable, "does not work at the moment"},
		"invalid_scope":               {uptime.CodeUnauthorized, "(invalid_scope)"},
		"<b>call +1 900</b>":          {uptime.CodeUnauthorized, "(an unknown error)"},
		strings.Repeat("x_", 100_000): {uptime.CodeUnauthorized, "(an unknown error)"},
	} {
		in := s.start(t, "/incidents")
		in.Error, in.Answer.Code = said, ""
		_, next, err := s.LoginOIDC(ctx, in)
		require.Equal(t, want.code, uptime.CodeOf(err))
		require.ErrorContains(t, err, want.says)
		require.Equal(t, "/incidents", next, "who tries again comes where they wanted to")
	}
	require.Empty(t, s.provider.finished)

	s.provider.err = uptime.Fail(uptime.CodeUnavailable, "Acme does not answer.")
	_, err := s.StartOIDC(ctx, "/")
	require.Equal(t, uptime.CodeUnavailable, uptime.CodeOf(err))
	s.provider.err = nil
	bad := s.start(t, "/")
	bad.Answer.Code = "bad code"
	_, _, err = s.LoginOIDC(ctx, bad)
	require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(err))

	// Without a provider there is nothing.
	plain := manage.New(s.deps)
	require.Empty(t, plain.OIDCName())
	_, err = plain.StartOIDC(ctx, "/")
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, _, err = plain.LoginOIDC(ctx, bad)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

// TestOIDCIsLimited: one network cannot make the provider work without end.
func TestOIDCIsLimited(t *testing.T) {
	t.Parallel()
	s, ctx := setupSSO(t, manage.OIDCConfig{}), context.Background()
	var last error
	for range 101 {
		in := s.start(t, "/")
		in.Answer.Code = "bad code"
		_, _, last = s.LoginOIDC(ctx, in)
	}
	require.Equal(t, uptime.CodeLimited, uptime.CodeOf(last))
	require.Len(t, s.provider.finished, 100)
}
