package app_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// channelIsTested: a test sends what an outage and its end would send and shows what was
// answered; who refuses the secret is quoted.
func channelIsTested(t *testing.T) {
	t.Helper()
	p := serve(t, t.TempDir())
	c, got := p.setup(), make(chan received, 10)
	open := newPeer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- received{r.Header.Clone(), body, http.StatusAccepted}
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"queued": "<b>yes</b>"}`)
	}))
	shut := newPeer(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "the token is wrong or was revoked")
	}))
	b := openTab(t, p.base)
	b.logIn("33-log-in", "owner@example.com")
	add := func(what, name, url string) {
		b.do(what, b.open("/channels/new?type=webhook"), openDetails(), fill("name", name), fill("settings.url", url), fill("settings.secret", hookSecret), press("Save"), heading(name))
	}
	const result = `JSON.stringify([...document.querySelectorAll('#test-result .stack-s')].map((part) => [...part.children].map((e) => e.textContent.replaceAll('\u00a0', ' ').replace(/ in .*/, '').trim())))`

	add("33-added", "Open", open.URL)
	b.do("33-taken", press("Send test"), sees("Taken"))
	require.JSONEq(t, `[["TakenIncident opened", "Answered 202", "{\"queued\": \"<b>yes</b>\"}"], ["TakenIncident resolved", "Answered 202", "{\"queued\": \"<b>yes</b>\"}"]]`, b.reads(result))
	for _, of := range []string{"incident.opened", "incident.resolved"} {
		one := <-got
		requireSigned(t, one, []byte(hookSecret))
		require.Equal(t, "test", one.message(t).Type)
		require.Contains(t, string(one.body), of)
	}
	require.Empty(t, got, "two messages and no more")

	add("33-second", "Shut", shut.URL)
	b.do("33-refused", press("Send test"), sees("Refused"), chromedp.WaitVisible(chromedp.CSS(`#test-result .excerpt`)))
	require.JSONEq(t, `[["RefusedIncident opened", "HTTP 401: the token is wrong or was revoked", "the token is wrong or was revoked"], ["RefusedIncident resolved", "HTTP 401: the token is wrong or was revoked", "the token is wrong or was revoked"]]`, b.reads(result))
	require.Empty(t, c.must(http.StatusOK, http.MethodGet, "/api/v1/deliveries", nil).list(t), "a test is no delivery")
}
