package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/auth"
	"monitor/modules/uptime"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	b := setup(t, perMinute(3)) // the set-up took one from the address
	for left := 2; left >= 0; left-- {
		a := b.ask(t, "GET", "/api/v1/me", "")
		require.Equal(t, http.StatusOK, a.status)
		require.Equal(t, "3", a.header.Get("RateLimit-Limit"))
		require.Equal(t, strconv.Itoa(left), a.header.Get("RateLimit-Remaining"))
		require.NotEmpty(t, a.header.Get("RateLimit-Reset"))
	}
	a := b.ask(t, "GET", "/api/v1/me", "")
	require.Equal(t, http.StatusTooManyRequests, a.status)
	require.Equal(t, "rate_limited", a.text("code"))
	require.Equal(t, "0", a.header.Get("RateLimit-Remaining"))
	wait, err := strconv.Atoi(a.header.Get("Retry-After"))
	require.NoError(t, err)
	require.InDelta(t, 20, wait, 2)

	// Tokens that are no tokens count against the address, which no good token does.
	for range 2 {
		require.Equal(t, http.StatusUnauthorized, b.ask(t, "GET", "/api/v1/me", "", as("x")).status)
	}
	require.Equal(t, http.StatusTooManyRequests, b.ask(t, "GET", "/api/v1/me", "", as("y")).status)
	require.Equal(t, http.StatusTooManyRequests, b.ask(t, "POST", "/api/v1/auth/login", "{}", anonymous).status)
	b.from(func(r *uptime.Request) { r.Address = "192.0.2.8" })
	require.Equal(t, http.StatusUnauthorized, b.ask(t, "GET", "/api/v1/me", "", as("x")).status)
}

func TestLimitsTurnedOff(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NotContains(t, b.ask(t, "GET", "/api/v1/me", "").header, "Ratelimit-Limit")
}

func TestLimiterThatFailsLocksNobodyOut(t *testing.T) {
	t.Parallel()
	b := setup(t, perMinute(1), func(p *Params) { p.Limiter = brokenLimiter{} })
	for range 3 {
		a := b.ask(t, "GET", "/api/v1/me", "")
		require.Equal(t, http.StatusOK, a.status)
		require.Equal(t, "1", a.header.Get("RateLimit-Remaining"))
	}
}

type brokenLimiter struct{}

func (brokenLimiter) GiveBack(context.Context, string, uptime.Rate) error { return errors.New("away") }

func (brokenLimiter) Allow(context.Context, string, uptime.Rate) (uptime.LimitDecision, error) {
	return uptime.LimitDecision{}, errors.New("away")
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "::ffff:192.0.2.7", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
		"fe80::1%eth0": "fe80::/64", "": "", "nonsense": "nonsense",
	} {
		require.Equal(t, want, uptime.Network(address))
	}
}

func TestTokensByEitherHeader(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret := b.made(t, "/tokens", `{"name":"ci","role":"editor","scopes":["read"]}`).text("secret")
	require.True(t, strings.HasPrefix(secret, "mon_"))
	for _, who := range []asking{as(secret), with("Authorization", "bearer "+secret), func(r *http.Request) {
		r.Header.Del("Authorization")
		r.Header.Set("X-Api-Key", secret)
	}} {
		require.Equal(t, http.StatusOK, b.ask(t, "GET", "/api/v1/monitors", "", who).status)
		a := b.ask(t, "POST", "/api/v1/monitors", leastMonitor, who)
		require.Equal(t, http.StatusForbidden, a.status)
		require.Equal(t, "To change monitors the API token needs the scope write.", a.text("detail"))
	}
	push := b.made(t, "/tokens", `{"name":"push","scopes":["push"]}`).text("secret")
	require.Equal(t, http.StatusForbidden, b.ask(t, "GET", "/api/v1/events", "", as(push)).status)
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := with("Idempotency-Key", "deploy-1")
	first := b.made(t, "/monitors", leastMonitor, key)
	require.Empty(t, first.header.Get("Idempotency-Replayed"))
	again := b.made(t, "/monitors", leastMonitor, key)
	require.Equal(t, "true", again.header.Get("Idempotency-Replayed"))
	require.Equal(t, first.body, again.body)
	for _, name := range []string{"Location", "ETag", "Content-Type"} {
		require.Equal(t, first.header.Get(name), again.header.Get(name), name)
	}
	require.Len(t, b.ask(t, "GET", "/api/v1/monitors", "").list("data"), 1)

	other := b.ask(t, "POST", "/api/v1/monitors", strings.Replace(leastMonitor, "Shop", "Shed", 1), key)
	require.Equal(t, http.StatusUnprocessableEntity, other.status)
	require.Equal(t, "idempotency_key_reused", other.text("code"))
	path := b.ask(t, "POST", "/api/v1/monitors/test", leastMonitor, key)
	require.Equal(t, "idempotency_key_reused", path.text("code"))

	// Another actor's key is another key.
	secret := b.made(t, "/tokens", `{"name":"ci","role":"editor"}`).text("secret")
	require.Empty(t, b.made(t, "/monitors", leastMonitor, key, as(secret)).header.Get("Idempotency-Replayed"))
}

func TestIdempotencyForgetsFailures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := with("Idempotency-Key", "k")
	require.Equal(t, http.StatusUnprocessableEntity, b.ask(t, "POST", "/api/v1/monitors", `{}`, key).status)
	b.made(t, "/monitors", leastMonitor, key)
	down := with("Idempotency-Key", "204")
	pair := b.ask(t, "POST", "/api/v1/auth/login", `{"email":"owner@example.com","password":"`+ownPassword+`"}`, anonymous)
	body := `{"refresh_token":"` + pair.text("refresh_token") + `"}`
	for _, replayed := range []string{"", "true"} {
		a := b.ask(t, "POST", "/api/v1/auth/logout", body, down)
		require.Equal(t, http.StatusNoContent, a.status)
		require.Empty(t, a.body)
		require.Equal(t, replayed, a.header.Get("Idempotency-Replayed"))
	}
}

func TestIdempotencyWhileTheFirstRuns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.made(t, "/monitors", leastMonitor)
	began, goOn := make(chan struct{}), make(chan struct{})
	b.queue.onPush = func([]uptime.Job) error {
		close(began)
		<-goOn
		return uptime.ErrFull
	}
	key, done := with("Idempotency-Key", "slow"), make(chan got)
	go func() {
		first, _ := b.send(t.Context(), "POST", "/api/v1/monitors/1/check", "", key) // without an answer its status is none
		done <- first
	}()
	<-began
	second := b.ask(t, "POST", "/api/v1/monitors/1/check", "", key)
	close(goOn)
	require.Equal(t, http.StatusConflict, second.status)
	require.Equal(t, "conflict", second.text("code"))
	require.Equal(t, http.StatusServiceUnavailable, (<-done).status)
}

// TestStoredSecretsAreSealed: an answer that shows a secret is not kept in clear.
func TestStoredSecretsAreSealed(t *testing.T) {
	t.Parallel()
	kept := &keepsAnswers{}
	b := setup(t, func(p *Params) { kept.answers, p.Answers = p.Answers, kept })
	key := with("Idempotency-Key", "token")
	first := b.made(t, "/tokens", `{"name":"ci"}`, key)
	require.Len(t, kept.stored, 1)
	require.NotContains(t, string(kept.stored[0].Body), first.text("secret"))
	again := b.made(t, "/tokens", `{"name":"ci"}`, key)
	require.Equal(t, first.body, again.body)
	invite := b.made(t, "/users", `{"email":"g@example.com","role":"viewer"}`, with("Idempotency-Key", "user"))
	require.Len(t, kept.stored, 2)
	require.NotContains(t, string(kept.stored[1].Body), invite.text("invite_url"))
}

type keepsAnswers struct {
	answers
	stored []uptime.StoredAnswer
}

func (k *keepsAnswers) FinishIdempotent(ctx context.Context, key uptime.IdempotencyKey, a uptime.StoredAnswer) error {
	k.stored = append(k.stored, a)
	return k.answers.FinishIdempotent(ctx, key, a)
}

func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.made(t, "/monitors", leastMonitor)
	path, tag := made.header.Get("Location"), made.header.Get("ETag")
	require.Equal(t, "/api/v1/monitors/1", path)
	read := b.ask(t, "GET", path, "")
	require.Equal(t, tag, read.header.Get("ETag"))
	require.Equal(t, "no-store", read.header.Get("Cache-Control"))
	// The tag stays when the status changes: it must never stand for the whole
	// answer.
	slot := time.Now().UTC().Truncate(time.Millisecond)
	up := uptime.Result{
		MonitorID: 1, WorkspaceID: 1, Region: "default", ScheduledAt: slot, StartedAt: slot, Attempt: 1,
		Outcome: uptime.Outcome{Status: uptime.Up},
	}
	_, err := b.store.Record(t.Context(), []uptime.Result{up}, uptime.Judge(auth.ID))
	require.NoError(t, err)
	for _, match := range []string{tag, "W/" + tag, "*"} {
		now := b.ask(t, "GET", path, "", with("If-None-Match", match))
		require.Equal(t, http.StatusOK, now.status, match)
		require.Equal(t, tag, now.header.Get("ETag"))
		require.Equal(t, "up", now.text("status"))
	}
	changed := b.ask(t, "PATCH", path, `{"name":"Shed"}`, with("If-Match", tag), with("Content-Type", "application/merge-patch+json"))
	require.Equal(t, http.StatusOK, changed.status, changed.body)
	require.NotEqual(t, tag, changed.header.Get("ETag"))
	require.Equal(t, http.StatusPreconditionFailed, b.ask(t, "PUT", path, leastMonitor, with("If-Match", tag)).status)
	require.Equal(t, http.StatusOK, b.ask(t, "GET", path, "", with("If-None-Match", tag)).status)

	// An answer can be PUT back.
	require.Equal(t, http.StatusOK, b.ask(t, "PUT", path, b.ask(t, "GET", path, "").body).status)

	head := b.ask(t, "HEAD", path, "")
	require.Equal(t, http.StatusOK, head.status)
	require.Empty(t, head.body)
	require.Equal(t, strconv.Itoa(len(b.ask(t, "GET", path, "").body)), head.header.Get("Content-Length"))
	require.Equal(t, http.StatusNotFound, b.ask(t, "HEAD", "/api/v1/monitors/9", "").status)
}

func TestInternalErrorsSayNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, func(p *Params) { p.Answers = brokenAnswers{} })
	a := b.ask(t, "POST", "/api/v1/monitors", leastMonitor, with("Idempotency-Key", "k"))
	require.Equal(t, http.StatusInternalServerError, a.status)
	require.Equal(t, "internal error", a.text("detail"))
	require.Equal(t, "internal", a.text("code"))
	require.NotContains(t, a.body, "hunter2")
	require.Equal(t, 1, strings.Count(b.log.String(), "hunter2"))
	require.Contains(t, b.log.String(), "request_id=req-1")

	a = b.ask(t, "POST", "/api/v1/monitors", leastMonitor, with("Idempotency-Key", "panic"))
	require.Equal(t, http.StatusInternalServerError, a.status)
	require.Equal(t, "internal error", a.text("detail"))

	a = b.ask(t, "POST", "/api/v1/monitors", leastMonitor, with("Idempotency-Key", "away"))
	require.Equal(t, http.StatusServiceUnavailable, a.status)
	require.Equal(t, "unavailable", a.text("code"))
	require.Equal(t, "5", a.header.Get("Retry-After"))
}

type brokenAnswers struct{ answers }

func (brokenAnswers) BeginIdempotent(_ context.Context, k uptime.IdempotencyKey, _ time.Duration) (*uptime.StoredAnswer, error) {
	switch k.Key {
	case "panic":
		panic("hunter3")
	case "away":
		return nil, uptime.ErrUnavailable
	}
	return nil, errors.New("password is hunter2")
}

func TestEveryCodeHasItsStatus(t *testing.T) {
	t.Parallel()
	for code, want := range map[uptime.Code]int{
		uptime.CodeMalformed: 400, uptime.CodeUnauthorized: 401, uptime.CodeForbidden: 403, uptime.CodeNotFound: 404,
		uptime.CodeConflict: 409, uptime.CodePaused: 409, uptime.CodePrecondition: 412, uptime.CodeTooLarge: 413,
		uptime.CodeMediaType: 415, uptime.CodeInvalid: 422, uptime.CodeKeyReused: 422, uptime.CodeLimited: 429,
		uptime.CodeInternal: 500, uptime.CodeUnavailable: 503, uptime.CodeNoWorker: 503, "anything": 500,
	} {
		require.Equal(t, want, statusOf(code), code)
		require.NotEmpty(t, problemOf(uptime.Fail(code, ""), "").Detail)
	}
	require.Equal(t, 404, problemOf(uptime.ErrNotFound, "").Status)
	require.Equal(t, 503, problemOf(context.DeadlineExceeded, "").Status)
}
