package logincheck

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// TestLoginInABrowser: what a browser adds is the policies of the pages, and which
// cookies it sends on the way back from another site. With MONITOR_SHOTS=folder it leaves
// pictures there.
func TestLoginInABrowser(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	idp := startProvider(t, "http://"+address+"/login/oidc/callback", "pia@example.com")
	p := startProgram(t, address,
		"MONITOR_AUTH_OIDC_ISSUER="+idp.issuer, "MONITOR_AUTH_OIDC_CLIENT_ID="+clientID, "MONITOR_AUTH_OIDC_CLIENT_SECRET="+clientSecret,
		"MONITOR_AUTH_OIDC_NAME=Zitadel", "MONITOR_AUTH_OIDC_DEFAULT_ROLE=viewer")
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, opts...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	do := func(what string, steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		failed := chromedp.Do(ctx, steps...)
		if dir := os.Getenv("MONITOR_SHOTS"); dir != "" {
			png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			require.NoError(t, err)
			require.NoError(t, os.MkdirAll(dir, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, what+".png"), png, 0o600))
		}
		require.NoError(t, failed, what)
	}
	sees := func(text string) chromedp.Action[chromedp.Void] {
		return chromedp.WaitVisible(chromedp.Search(`//*[contains(text(), "` + text + `")]`))
	}
	do("oidc-1-login", chromedp.Navigate(p.base+"/monitors?q=shop"), sees("Log in with Zitadel"))
	do("oidc-2-provider", chromedp.Click(chromedp.CSS(`a[href^="/login/oidc"]`)), chromedp.WaitVisible(chromedp.CSS(`#username`)))
	do("oidc-3-back", chromedp.SetValue(chromedp.CSS(`#username`), "pia"), chromedp.SetValue(chromedp.CSS(`#password`), word),
		chromedp.Submit(chromedp.CSS(`form`)), chromedp.WaitVisible(chromedp.Search(`//h1[contains(., "Monitors")]`)))
	at, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.pathname + location.search`))
	require.NoError(t, err)
	require.Equal(t, "/monitors?q=shop", at)
	do("oidc-4-security", chromedp.Navigate(p.base+"/settings/security"), sees("You log in with Zitadel"))
}
