package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// counter is a server over samples that its browser reaches at localhost.
func counter(t *testing.T) (base string) {
	t.Helper()
	w, f := setup(t)
	f.factor = true
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.theme = "auto"
		f.mu.Unlock()
		r.AddCookie(&http.Cookie{Name: ticketCookie, Value: "ticket"})
		if strings.HasPrefix(r.URL.Path, "/settings") {
			r.AddCookie(&http.Cookie{Name: sessionCookie, Value: "ok"})
		}
		from(uptime.Request{Host: r.Host, Local: true})(r)
		w.ServeHTTP(rw, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
}

// passkeyForms tells which forms, buttons and sentences of passkeys can be seen.
const passkeyForms = `[...document.querySelectorAll('form[data-passkey], [data-passkey-without], [data-passkey-elsewhere]')]
	.filter(e => e.checkVisibility()).map(e => e.dataset.passkey ?? Object.keys(e.dataset)[0]).join(' ')`

func visiblePasskeys(ctx context.Context, t *testing.T, url string) string {
	t.Helper()
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1360, 900), chromedp.Navigate(url)))
	seen, err := chromedp.Run(ctx, chromedp.Evaluate[string](passkeyForms))
	require.NoError(t, err)
	return seen
}

// TestPasskeyFormsAreShownWhereTheyWork: in a browser that knows passkeys, at the address
// that they are for.
func TestPasskeyFormsAreShownWhereTheyWork(t *testing.T) {
	t.Parallel()
	base, ctx := counter(t), browse(t)
	found := complaints(ctx, t)
	for path, kind := range map[string]string{"/login": "login", "/login/2fa": "factor", "/settings/security": "create"} {
		require.Equal(t, kind, visiblePasskeys(ctx, t, base+path))
		if *shotDir != "" {
			photographPasskeys(ctx, t, base+path, kind)
		}
	}
	require.Empty(t, found())

	elsewhere := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w, _ := setup(t)
		anonymous(r)
		from(uptime.Request{Host: "localhost:1", Local: true})(r) // a proxy says so that tells a wrong port
		w.ServeHTTP(rw, r)
	}))
	t.Cleanup(elsewhere.Close)
	require.Equal(t, "passkeyElsewhere", visiblePasskeys(ctx, t, elsewhere.URL+"/login"))

	_, err := chromedp.Call(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: `delete window.PublicKeyCredential`})
	require.NoError(t, err)
	require.Empty(t, visiblePasskeys(ctx, t, base+"/login"))
	require.Empty(t, visiblePasskeys(ctx, t, base+"/login/2fa"))
	require.Equal(t, "passkeyWithout", visiblePasskeys(ctx, t, base+"/settings/security"))
}

// photographPasskeys shows the page in both themes and two widths.
func photographPasskeys(ctx context.Context, t *testing.T, url, name string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(*shotDir, 0o755))
	for _, theme := range []string{"light", "dark"} {
		emulate(ctx, t, "prefers-color-scheme", theme)
		for _, width := range []int64{1360, 390} {
			view := []chromedp.EmulateViewportOption{}
			if width < 500 {
				view = append(view, chromedp.EmulateMobile)
			}
			require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 900, view...), chromedp.Navigate(url)))
			_, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.querySelectorAll('.rename').forEach((d, i) => { d.open = i === 1 }), true`))
			require.NoError(t, err)
			png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
			require.NoError(t, err)
			file := filepath.Join(*shotDir, fmt.Sprintf("passkey-%s-%s-%d.png", name, theme, width))
			require.NoError(t, os.WriteFile(file, png, 0o600))
		}
	}
}
