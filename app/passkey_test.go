package app_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"monitor/modules/auth"
	"monitor/modules/uptime"
)

// authenticator puts one into the browser that keeps passkeys and verifies its person, who
// is always there.
func (b tab) authenticator() webauthn.AuthenticatorID {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{})
	require.NoError(b.t, err)
	added, err := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Ctap2version: "ctap2_1", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true,
		AutomaticPresenceSimulation: true,
	}})
	require.NoError(b.t, err)
	return added.AuthenticatorID
}

// verifies says whether the authenticator knows its person.
func (b tab) verifies(id webauthn.AuthenticatorID, known bool) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: id, IsUserVerified: known})
	require.NoError(b.t, err)
}

// present says whether somebody is there to answer what is asked from now on. Who is
// answers what a page asks by itself, too, as if they had chosen what the browser offers.
func (b tab) present(id webauthn.AuthenticatorID, there bool) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: id, Enabled: there})
	require.NoError(b.t, err)
}

func (b tab) reads(script string) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](script))
	require.NoError(b.t, err)
	return text
}

const logOut = `document.querySelector('form[action="/logout"]').requestSubmit()`

// fillPasskey types what adding one asks for.
func fillPasskey(name string) []step {
	return []step{
		chromedp.SetValue(chromedp.CSS(`#f-name-passkey`), name),
		chromedp.SetValue(chromedp.CSS(`#f-current-password-passkey`), ownerPassword),
		press("Add a passkey"),
	}
}

// TestPasskeysInABrowser: a person adds a passkey, logs in by it alone and as a second
// factor, is refused where it must be, and removes it.
func TestPasskeysInABrowser(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir())
	c := p.setup()
	b := openTab(t, strings.Replace(p.base, "127.0.0.1", "localhost", 1))
	device := b.authenticator()
	logIn := []step{fill("email", "owner@example.com"), fill("password", ownerPassword), press("Log in")}

	b.do("pk-01-log-in", append([]step{b.open("/login")}, append(logIn, heading("Overview"))...)...)
	b.do("pk-02-wrong-password", b.open("/settings/security"), chromedp.SetValue(chromedp.CSS(`#f-current-password-passkey`), "wrong"), press("Add a passkey"), sees("Current password is wrong."))
	b.do("pk-03-added", append(fillPasskey("Laptop"), sees("Passkey added."), sees("Laptop"))...)
	// Browsers of before 2025 leave the reading and writing of JSON to the page.
	const older = `delete PublicKeyCredential.parseCreationOptionsFromJSON; delete PublicKeyCredential.parseRequestOptionsFromJSON; delete PublicKeyCredential.prototype.toJSON`
	b.do("pk-04-known-device", append(append([]step{run(older)}, fillPasskey("Laptop again")...), sees("This device has a passkey of yours already."))...)
	require.Contains(t, string(c.must(200, "GET", "/api/v1/me/passkeys", nil).raw), `"name":"Laptop","host":"localhost"`)

	b.do("pk-05-offered", run(logOut), heading("Overview"))
	b.present(device, false)
	touch := func(what, button string, then ...step) {
		t.Helper()
		b.present(device, true)
		b.do(what, append([]step{press(button)}, then...)...)
		b.present(device, false)
	}
	b.do("pk-06-logged-out", run(logOut), heading("Log in"), sees("Log in with a passkey"))
	b.verifies(device, false)
	touch("pk-07-not-verified", "Log in with a passkey", sees("It was cancelled, or took too long."))
	b.verifies(device, true)
	b.do("pk-08-log-in", b.open("/login?next=/settings/security"), sees("Log in with a passkey"))
	touch("pk-09-by-passkey", "Log in with a passkey", heading("Security"))
	require.NotContains(t, b.reads(`document.querySelector('section[aria-labelledby=passkeys]').textContent`), "never used")

	// With a second factor the passkey alone is enough, and after the password it stands in
	// for the code.
	secret := c.must(200, "POST", "/api/v1/me/totp", nil).object(t)["secret"].(string)
	session := client{t: t, base: p.base}
	session.token = session.must(200, "POST", "/api/v1/auth/login", map[string]any{"email": "owner@example.com", "password": ownerPassword}).object(t)["access_token"].(string)
	session.must(200, "PATCH", "/api/v1/me", map[string]any{
		"totp": true, "totp_secret": secret, "current_password": ownerPassword,
		"totp_code": auth.OneTimeCodes{}.Code(secret, auth.StepAt(uptime.SystemClock())),
	})
	b.do("pk-10-password-first", append([]step{run(logOut), heading("Log in")}, append(logIn, heading("One-time code"), sees("Use a passkey"))...)...)
	touch("pk-11-second-factor", "Use a passkey", heading("Overview"))
	b.do("pk-12-logged-out", run(logOut), heading("Log in"), sees("Log in with a passkey"), run(older))
	touch("pk-13-passkey-alone", "Log in with a passkey", heading("Overview"))
	lines := c.must(200, "GET", "/api/v1/audit-log?object_type=passkey", nil).raw
	require.Equal(t, 4, strings.Count(string(lines), `"passkey.login"`))
	require.Equal(t, 1, strings.Count(string(lines), `"second_factor":true`))

	b.do("pk-14-remove", b.open("/settings/security"), run(`document.querySelector('a[aria-label="Remove Laptop"]').click()`), chromedp.WaitVisible(chromedp.CSS(`dialog[open] .btn-fill`)))
	b.do("pk-15-removed", chromedp.Click(chromedp.CSS(`dialog[open] .btn-fill`)), sees("Passkey removed."))
	b.do("pk-16-logged-out", run(logOut), heading("Log in"), sees("Log in with a passkey"))
	touch("pk-17-not-known", "Log in with a passkey", sees("This passkey is not known here"))
	b.do("pk-18-password-first", append(logIn, heading("One-time code"))...)
	require.Equal(t, "0", b.reads(`String(document.querySelectorAll('[data-passkey]').length)`), "who has none is not asked for one")

	// At another name of the machine none can be used, and the page says so.
	b.base = p.base
	b.do("pk-19-by-address", b.open("/login"), sees("Passkeys need the name of a host"))
	require.Equal(t, 0, p.stop())
}
