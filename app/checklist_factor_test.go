package app_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"monitor/modules/auth"
	"monitor/modules/uptime"
)

// pastes puts a text into the field that has the focus, as the clipboard would: at once.
func (b tab) pastes(text string) {
	b.t.Helper()
	_, err := chromedp.Call(b.ctx, input.InsertText, input.InsertTextParams{Text: text})
	require.NoError(b.t, err)
}

// secondFactor: it is set up with what the page shows; after that a pasted code logs in,
// and so does a recovery code, once.
func secondFactor(t *testing.T) {
	t.Helper()
	p := serve(t, t.TempDir())
	p.setup()
	b := openTab(t, p.base)
	b.logIn("35-log-in", "owner@example.com")
	const oneTime = `document.querySelector('[autocomplete="one-time-code"]').name`
	b.do("35-enrol", b.open("/settings/security/totp"), heading("Second factor"))
	require.Equal(t, "totp_code", b.reads(oneTime))
	secret := strings.ReplaceAll(b.reads(`document.querySelector('.secret-text').textContent`), " ", "")
	// Each is good once. The second is that of the next step, which is taken early.
	b.do("35-codes", fill("totp_code", codeOf(secret, 0)), fill("current_password", ownerPassword), press("Turn on"), heading("Recovery codes"))
	codes := strings.Fields(b.reads(`[...document.querySelectorAll('#codes li')].map((e) => e.textContent.trim()).join(' ')`))
	require.Len(t, codes, 10)
	b.do("35-not-yet", press("Done"), heading("Recovery codes"))
	b.do("35-done", chromedp.Click(chromedp.CSS(`#saved`)), press("Done"), heading("Security"))

	password := []step{run(logOut), heading("Log in"), fill("email", "owner@example.com"), fill("password", ownerPassword), press("Log in"), heading("One-time code")}
	b.do("35-asked", append(password, chromedp.Focus(chromedp.CSS(`[name=code]`)))...)
	require.Equal(t, "code", b.reads(oneTime))
	require.Equal(t, "numeric", b.reads(`document.querySelector('[name=code]').inputMode`))
	b.pastes(codeOf(secret, 1)) // six digits send themselves
	b.do("35-by-code", heading("Overview"))

	recovery := append(password, chromedp.Click(chromedp.Search(`//a[.="Use a recovery code"]`)), heading("Recovery code"), fill("code", codes[3]), press("Log in"))
	b.do("35-recovery", append(recovery, heading("Overview"))...)
	b.do("35-recovery-again", append(recovery, heading("Recovery code"), chromedp.WaitVisible(chromedp.CSS(`#problem`)))...)
	require.NotEqual(t, "/", b.reads(`location.pathname`))
	b.do("35-another", fill("code", codes[4]), press("Log in"), heading("Overview"))
}

// codeOf is what an authenticator shows, so many steps from now.
func codeOf(secret string, later int64) string {
	return auth.OneTimeCodes{}.Code(secret, auth.StepAt(uptime.SystemClock())+later)
}
