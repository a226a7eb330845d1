package web

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func TestGettingStartedGoesWhenItIsDoneOrSentAway(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.empty = true
	require.Contains(t, ask(w, "/", nil).Body.String(), "Getting started")
	require.Equal(t, http.StatusSeeOther, ask(w, "/settings/getting-started", url.Values{}).Code)
	require.Equal(t, map[string]any{"preferences": map[string]any{"getting_started_done": true}}, f.lastSaved(t))
	likes := uptime.DefaultPreferences()
	likes.Started = true
	f.likes = &likes
	require.NotContains(t, ask(w, "/", nil).Body.String(), "Getting started")
	f.likes, f.empty = nil, false
	require.NotContains(t, ask(w, "/", nil).Body.String(), "Getting started", "every step is done")
	f.role, f.empty = uptime.RoleViewer, true
	require.NotContains(t, ask(w, "/", nil).Body.String(), "Getting started", "viewers can do none of it")
}

func TestSilenceUntilATimeOfTheReader(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/monitors/1/silence", url.Values{"for": {"until"}, "until": {"2026-11-24T18:30"}, "note": {"works"}})
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, map[string]any{"until": "2026-11-24T17:30:00Z", "note": "works"}, f.lastSaved(t), "Berlin is an hour ahead")
	f.failure = uptime.Invalid(uptime.FieldError{Field: "until", Message: "must be at least 1m from now"})
	rec = ask(w, "/monitors/1/silence", url.Values{"for": {"until"}, "until": {""}})
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "silence-bad", cookieOf(t, rec, flashCookie).Value)
}
