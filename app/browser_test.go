package app_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"monitor/modules/testenv"
)

// step is one thing that a person does.
type step = chromedp.Action[chromedp.Void]

// tab is a browser tab that a person drives. With MONITOR_SHOTS=folder it
// leaves a picture of each step there.
type tab struct {
	t     *testing.T
	ctx   context.Context
	base  string
	shots string
}

func openTab(t *testing.T, base string) tab {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(testenv.Chromium(t)), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	require.NoError(t, chromedp.Do(ctx, chromedp.EmulateViewport(1360, 900)))
	return tab{t: t, ctx: ctx, base: base, shots: os.Getenv("MONITOR_SHOTS")}
}

// do runs steps; what says which ones when they fail.
func (b tab) do(what string, steps ...step) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	failed := chromedp.Do(ctx, steps...)
	if b.shots != "" {
		png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		require.NoError(b.t, err)
		require.NoError(b.t, os.MkdirAll(b.shots, 0o755))
		require.NoError(b.t, os.WriteFile(filepath.Join(b.shots, what+".png"), png, 0o600))
	}
	require.NoError(b.t, failed, what)
}

// open goes to a page of the program.
func (b tab) open(path string) step { return chromedp.Navigate(b.base + path) }

// fill types into the field of that name, over what stands there.
func fill(name, text string) step {
	return chromedp.SetValue(chromedp.CSS(field(name)), text)
}

func field(name string) string {
	return fmt.Sprintf(`input[name=%[1]q], textarea[name=%[1]q], select[name=%[1]q]`, name)
}

// press clicks the button with that text; a space is any space, as in sees.
func press(text string) step {
	return chromedp.Click(chromedp.Search(fmt.Sprintf("//button[normalize-space(translate(., '\u00a0', ' '))=%q]", text)))
}

// sees waits until the main part of the page, or what it tells at its foot, shows an
// element with that text.
func sees(text string) step {
	return chromedp.WaitVisible(chromedp.Search(fmt.Sprintf("//main//*[contains(translate(text(), '\u00a0', ' '), %[1]q)] | //*[@class='toasts']//*[contains(translate(text(), '\u00a0', ' '), %[1]q)]", text)))
}

// heading waits for the page whose heading holds the text.
func heading(text string) step {
	return chromedp.WaitVisible(chromedp.Search(fmt.Sprintf(`//h1[contains(., %q)]`, text)))
}

// run runs a script for what a person does by hand.
func run(script string) step {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Evaluate[int](script+`; 0`)(ctx, t)
		return chromedp.Void{}, err
	}
}

// pill waits until the pill of the page's monitor says that status.
func pill(state string) step {
	return chromedp.WaitVisible(chromedp.CSS(fmt.Sprintf(`main .pill[data-state=%q]`, state)))
}

// TestFirstHourInABrowser is what a stranger does: make the first owner, watch
// a page, add channels, lose the page, be told, get it back, be told.
func TestFirstHourInABrowser(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir())
	tg, h, box := newTarget(t), newHook(t), newMailbox(t, 0)
	b := openTab(t, p.base)
	b.do("01-set-up", b.open("/monitors"), sees("Your name"),
		fill("name", "Olive"), fill("email", "olive@example.com"), fill("password", ownerPassword), fill("instance_name", "Acme"))
	b.do("02-first-monitor", chromedp.Submit(chromedp.CSS(`form.form`)), sees("What should we watch?"))
	b.do("03-first-test", fill("http.url", tg.URL+"/health"), press("Check it now"), sees("Test result"), pill("up"))
	b.do("04-first-green", press("Start monitoring"), heading("127.0.0.1"), pill("up"))
	var path string
	path, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`location.pathname`))
	require.NoError(t, err)

	b.do("05-webhook", b.open("/channels/new?type=webhook"), openDetails(), fill("name", "Hook"), fill("settings.url", h.URL), fill("settings.secret", hookSecret),
		press("Save"), heading("Hook"))
	b.do("06-mail", b.open("/channels/new?type=email"), fill("name", "Mail"), fill("settings.to", "oncall@example.com"),
		openDetails(), fill("settings.smtp.host", box.addr.IP.String()), fill("settings.smtp.port", strconv.Itoa(box.addr.Port)),
		fill("settings.smtp.from", "monitor@example.com"), fill("settings.smtp.tls", "none"),
		press("Save"), heading("Mail"))
	b.do("07-channels-on-monitor", b.open(path+"/edit"), openDetails(), fill("interval", "5s"), fill("timeout", "2s"), fill("retry_interval", "1s"), tickAll("channel_ids"),
		press("Save"), heading("127.0.0.1"))

	tg.status.Store(http.StatusServiceUnavailable)
	b.do("08-down", sees("Down for"))
	eventually(t, "one webhook and one mail for the outage", func() bool { return len(h.accepted()) == 1 && len(box.received()) == 1 })
	requireSigned(t, h.accepted()[0], []byte(hookSecret))
	b.do("09-overview-down", b.open("/"), sees("503"))
	b.do("10-incident", b.open("/incidents"), sees("is down"))
	tg.status.Store(http.StatusOK)
	b.do("11-up-again", b.open(path), pill("up"))
	eventually(t, "one webhook and one mail for the recovery", func() bool { return len(h.accepted()) == 2 && len(box.received()) == 2 })
	require.Equal(t, "incident.resolved", h.accepted()[1].message(t).Type)
	b.do("12-monitors", b.open("/monitors"), pill("up"))
	b.do("13-log-out", chromedp.Click(chromedp.CSS(`summary.avatar`)), press("Log out"), sees("Password"))
	require.Equal(t, 0, p.stop())
}

// openDetails opens what is folded away, as a person would to reach a field.
func openDetails() step {
	return run(`document.querySelectorAll('details').forEach(d => d.open = true)`)
}

// tickAll ticks every box of that name.
func tickAll(name string) step {
	return run(fmt.Sprintf(`document.querySelectorAll('input[name=%s]').forEach(c => c.checked = true)`, name))
}

// TestCountBesideTheHeadingFollows: when monitors are made elsewhere, also while somebody is
// at a row.
func TestCountBesideTheHeadingFollows(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir())
	c, b := p.setup(), openTab(t, p.base)
	total := func(n string) step {
		return chromedp.WaitVisible(chromedp.Search(fmt.Sprintf(`//*[@id="total"][.=%q]`, n)))
	}
	c.paused("first", 2, nil)
	b.logIn("count-log-in", "owner@example.com")
	b.do("count-two", b.open("/monitors"), total("2"), chromedp.WaitVisible(chromedp.CSS(`#live[data-state=live]`)))
	c.paused("second", 1, nil)
	b.do("count-three", total("3"), run(`document.querySelector('#list tbody a.name').focus()`))
	c.paused("third", 1, nil)
	b.do("count-four", total("4"))
}
