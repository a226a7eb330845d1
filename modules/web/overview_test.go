package web

import (
	"net/http"
	"net/url"
	"strings"
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

// TestOverviewInAStorm: however many incidents are open, they are counted, and each row that
// needs attention can be acknowledged.
func TestOverviewInAStorm(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	calm := ask(w, "/", nil).Body.String()
	const button = `/acknowledge"><input`
	require.Positive(t, strings.Count(calm, button))
	f.flood = 600
	stormy := ask(w, "/", nil).Body.String()
	require.Contains(t, stormy, "603\u00a0open incidents.")
	require.Equal(t, strings.Count(calm, button), strings.Count(stormy, button))
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
