package web

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

func (f *fake) endSessions(ended bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = ended
}

// leads clicks and gives the path of the page that this led to.
func leads(ctx context.Context, t *testing.T, base, button string) string {
	t.Helper()
	answer, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(button)))
	require.NoError(t, err)
	return strings.TrimPrefix(answer.URL, base)
}

// sessionEnds: who has to log in again while they fill in a form finds it as it was.
func sessionEnds(t *testing.T) {
	t.Helper()
	ctx, base, f := desk(t, func(*fake) {})
	found := complaints(ctx, t)
	does(ctx, t, base+"/monitors/new", `
		document.getElementById('f-name').value = 'Half done';
		document.getElementById('f-http-url').value = 'https://example.com/half';
		document.getElementById('f-http-verify-tls').checked = false;
		document.getElementById('c3').checked = true;
		return 'typed'`)
	f.endSessions(true)
	require.Equal(t, "/login?next=%2Fmonitors%2Fnew", leads(ctx, t, base, ".foot .btn-primary"))
	require.Empty(t, f.saved)
	f.endSessions(false)
	says(ctx, t, `
		document.getElementById('f-email').value = 'mia@example.com';
		document.getElementById('f-password').value = 'right';
		return 'typed'`)
	require.Equal(t, "/monitors/new", leads(ctx, t, base, "main .btn-primary"))
	require.Equal(t, "Half done|https://example.com/half|false|true|restored", says(ctx, t, `
		await until(() => document.getElementById('restored'));
		return [document.getElementById('f-name').value, document.getElementById('f-http-url').value, document.getElementById('f-http-verify-tls').checked,
			document.getElementById('c3').checked, document.activeElement.id].join('|')`))
	require.Equal(t, "|false", does(ctx, t, base+"/monitors/new", `
		return document.getElementById('f-name').value + '|' + Boolean(document.getElementById('restored'))`), "once")
	require.Empty(t, found())
}
