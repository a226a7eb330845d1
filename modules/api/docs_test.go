package api

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

var shots = flag.String("shots", "", "folder for screenshots of the documentation")

func browse(t *testing.T) context.Context {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx), "start chromium: install Debian's package chromium")
	return ctx
}

// TestDocsInABrowser: a reader tries calls on the page, under its policy.
func TestDocsInABrowser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := browse(t)
	t.Cleanup(b.server.CloseClientConnections)
	var mu sync.Mutex
	var wrong []string
	require.NoError(t, chromedp.Listen(ctx, func(ev any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := ev.(type) {
		case *cdplog.EventEntryAdded:
			if e.Entry.Level == cdplog.EntryLevelError {
				wrong = append(wrong, e.Entry.Text)
			}
		case *runtime.EventExceptionThrown:
			wrong = append(wrong, e.ExceptionDetails.Text)
		}
	}))
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1200, 900), chromedp.Navigate(b.server.URL+"/api/docs")))
	try := func(operation, path string) string {
		answer, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(async () => {
			const wait = async (find) => { for (;;) { const e = find(); if (e) return e; await new Promise(requestAnimationFrame); } };
			const d = document.getElementById('`+operation+`');
			d.open = true;
			(await wait(() => [...d.querySelectorAll('button')].find((b) => b.textContent === 'Try it'))).click();
			document.getElementById('token').value = '`+b.token+`';
			const first = d.querySelector('input');
			if ('`+path+`') first.value = '`+path+`';
			d.querySelector('form').requestSubmit();
			const out = d.querySelector('form pre');
			await wait(() => out.textContent.length > 1 && d.querySelectorAll('button')[1].hidden);
			return out.textContent;
		})()`, chromedp.EvalAwaitPromise))
		require.NoError(t, err)
		return answer
	}
	require.Contains(t, try("readProfile", ""), "owner@example.com")
	made := try("createMonitor", "")
	require.True(t, strings.HasPrefix(made, "201"), made)
	require.Contains(t, try("readMonitor", "1"), `"name": "Shop"`)
	for _, width := range []int64{320, 1200} {
		require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(width, 900)))
		wide, err := chromedp.Run(ctx, chromedp.Evaluate[int64](`document.documentElement.scrollWidth`))
		require.NoError(t, err)
		require.LessOrEqual(t, wide, width)
		b.photograph(ctx, t, width)
	}
	mu.Lock()
	defer mu.Unlock()
	require.Empty(t, wrong)
}

func (b *bundle) photograph(ctx context.Context, t *testing.T, width int64) {
	t.Helper()
	if *shots == "" {
		return
	}
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(*shots, "docs-"+strconv.FormatInt(width, 10)+".png"), png, 0o600))
}
