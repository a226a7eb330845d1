package web

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func accepts(languages string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Accept-Language", languages) }
}

// chose makes somebody who chose the language of pages.
func (f *fake) chose(language string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.language = language
}

func TestPagesAreInTheLanguageThatWasChosen(t *testing.T) {
	t.Parallel()
	for _, one := range []struct{ chosen, accepted, want string }{
		{"", "", "en"}, {"auto", "de-AT, en;q=0.5", "de"}, {"auto", "fr", "en"}, {"en", "de", "en"}, {"de", "en", "de"}, {"pt-BR", "de", "de"},
	} {
		w, f := setup(t)
		f.chose(one.chosen)
		html := ask(w, "/settings/profile", nil, accepts(one.accepted)).Body.String()
		require.Contains(t, html, `<html lang="`+one.want+`"`, one)
		require.Contains(t, html, map[string]string{"en": `<span class="label">Overview</span>`, "de": `<span class="label">Übersicht</span>`}[one.want], one)
		require.Contains(t, html, map[string]string{"en": "<strong>owner</strong>", "de": "<strong>Inhaber</strong>"}[one.want], one)
	}
}

func TestGatesAreInTheLanguageOfTheBrowser(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.chose("en") // of somebody who is not there
	rec := ask(w, "/login", nil, anonymous, accepts("de"))
	require.Contains(t, rec.Body.String(), `<html lang="de"`)
	require.Contains(t, rec.Body.String(), ">Passwort vergessen?</a>")
	require.Contains(t, rec.Header().Values("Vary"), "Accept-Language, HX-Request")
	require.Contains(t, ask(w, "/login", nil, anonymous, accepts("fr, en")).Body.String(), ">Forgot your password?</a>")
	f.failure = &uptime.Error{Code: uptime.CodeLimited, Detail: "Too many.", RetryAfter: 90e9}
	rec = ask(w, "/login", url.Values{"email": {"mia@example.com"}, "password": {"wrong"}}, anonymous, accepts("de"))
	require.Equal(t, http.StatusTooManyRequests, rec.Code)
	require.Contains(t, rec.Body.String(), "Zu viele Versuche. In 1\u00a0min\u00a030\u00a0s erneut versuchen.")
}

// TestInvitationsSpeakOneLanguage: who is logged in reads all of the page in their own.
func TestInvitationsSpeakOneLanguage(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.chose("de")
	html := ask(w, "/invite/inv_mine", nil, accepts("en")).Body.String()
	require.Contains(t, html, `<html lang="de"`)
	require.Contains(t, html, "<h1>Shop beitreten</h1>")
	require.Contains(t, html, "Sie wurden als Bearbeiter eingeladen. Ihre Passkeys")
	require.Contains(t, html, ">Aktuelles Passwort")
}

func TestLanguageIsKept(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.chose("de")
	html := ask(w, "/settings/profile", nil).Body.String()
	require.Contains(t, html, `<option value="auto">Wie der Browser</option><option value="en">English</option><option value="de" selected>Deutsch</option>`)
	form := url.Values{
		"name": {"Mia"}, "time_zone": {"UTC"}, "theme": {"auto"}, "language": {"en"},
		"preferences.density": {"compact"}, "preferences.page_size": {"50"},
	}
	require.Equal(t, http.StatusSeeOther, ask(w, "/settings/profile", form).Code)
	require.Equal(t, map[string]any{"density": "compact", "page_size": 50.0, "shortcuts": false}, f.lastSaved(t)["preferences"])
	require.Equal(t, "en", f.lastSaved(t)["language"])

	f.failure = uptime.Invalid(uptime.FieldError{Field: "language", Message: "is required"})
	rec := ask(w, "/settings/profile", form)
	require.Equal(t, http.StatusUnprocessableEntity, rec.Code)
	require.Contains(t, rec.Body.String(), `<option value="en" selected>English</option>`, "what was chosen stays")
	require.Contains(t, rec.Body.String(), `<a href="#f-language">Sprache: `)
}
