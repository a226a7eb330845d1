package app_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// TestChecklist goes over points of the design's check-list for the web app that need
// the whole program, by their numbers; the others are tests of package web.
func TestChecklist(t *testing.T) {
	t.Parallel()
	for number, test := range map[string]func(*testing.T){
		"01": firstHour, "06": byKeyboardAlone, "13": downIsExactlyWhatIsDown, "19": testedUnsaved, "24": intervalForAll, "25": deletedAndBack,
		"27": outageIsSeen, "28": checkerIsSilent, "33": channelIsTested, "35": secondFactor,
	} {
		t.Run(number, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// logIn logs in by the form, in a browser that nobody is logged in in.
func (b tab) logIn(what, email string) {
	b.t.Helper()
	b.do(what, b.open("/login"), fill("email", email), fill("password", ownerPassword), press("Log in"), heading("Overview"))
}

// types presses them one after the other.
func types(text string, modifiers ...chromedp.Modifier) step {
	return chromedp.KeyEvent(text, chromedp.KeyModifiers(modifiers...))
}

// tabTo goes with the Tab key, or backwards, until the focus is on such an element.
func (b tab) tabTo(selector string, modifiers ...chromedp.Modifier) step {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		for range 120 {
			there, err := chromedp.Evaluate[bool](fmt.Sprintf(`document.activeElement.matches(%q)`, selector))(ctx, target)
			if err != nil || there {
				return chromedp.Void{}, err
			}
			if _, err := types(kb.Tab, modifiers...)(ctx, target); err != nil {
				return chromedp.Void{}, err
			}
		}
		return chromedp.Void{}, fmt.Errorf("no press of Tab leads to %s", selector)
	}
}

// byKeyboardAlone: a monitor is made, tested, saved, looked at and deleted without a
// pointer.
func byKeyboardAlone(t *testing.T) {
	t.Helper()
	p := serve(t, t.TempDir())
	tg, b := newTarget(t), openTab(t, p.base)
	b.do("06-set-up", b.open("/"), sees("Your name"), b.tabTo(`[name=name]`), types("Olive"), b.tabTo(`[name=email]`), types("olive@example.com"),
		b.tabTo(`[name=password]`), types(ownerPassword), b.tabTo(`[name=instance_name]`), types("Acme"), types(kb.Enter), sees("What should we watch?"))
	b.do("06-new", b.open("/monitors/new"), b.tabTo(`[name="http.url"]`), types(tg.URL+"/health"), b.tabTo(`[name=name]`), types("by keys"))
	b.do("06-test", types(kb.Enter, chromedp.ModifierCtrl, chromedp.ModifierShift), sees("Nothing was saved"), pill("up"))
	b.do("06-save", types(kb.Enter, chromedp.ModifierCtrl), heading("by keys"), pill("up"))
	b.do("06-pause", types("p"), sees("Monitor paused"), b.tabTo(`[data-key=p]`), types(kb.Enter), sees("Monitor resumed"))
	b.do("06-list", types("g"), types("m"), heading("Monitors"), types("j"), types(kb.Enter), heading("by keys"))
	b.do("06-ask", b.tabTo(`.actions details:last-of-type summary`), types(kb.Enter), b.tabTo(`a[data-confirm]`), types(kb.Enter),
		chromedp.WaitVisible(chromedp.CSS(`dialog[open]`)))
	b.do("06-keep", types(kb.Escape), chromedp.WaitNotPresent(chromedp.CSS(`dialog[open]`)), b.tabTo(`a[data-confirm]`))
	b.do("06-delete", types(kb.Enter), chromedp.WaitVisible(chromedp.CSS(`dialog[open]`)), b.tabTo(`dialog .btn-fill`), types(kb.Enter), sees("Monitor deleted"))
}

// downIsExactlyWhatIsDown: the filter shows each monitor that is down once, whatever its
// group, with the group open; and the badge of the navigation counts the same.
func downIsExactlyWhatIsDown(t *testing.T) {
	t.Helper()
	p := serve(t, t.TempDir())
	c, good, bad := p.setup(), newTarget(t), newTarget(t)
	bad.status.Store(http.StatusInternalServerError)
	var down []float64
	for i, at := range []struct {
		group string
		of    *target
	}{{"Shop/EU", good}, {"Shop/EU", bad}, {"Shop/US", bad}, {"", bad}, {"", good}, {"Lab", good}} {
		id, _ := c.must(http.StatusCreated, http.MethodPost, "/api/v1/monitors", map[string]any{
			"name": fmt.Sprintf("m%d", i), "type": "http", "group": at.group, "interval": "5s", "timeout": "2s", "failures_before_down": 1, "http": map[string]any{"url": at.of.URL},
		}).object(t)["id"].(float64)
		if at.of == bad {
			down = append(down, id)
		}
	}
	for _, id := range down {
		eventually(t, "it is down", func() bool { return c.monitorStatus(id) == "down" })
	}
	b := openTab(t, p.base)
	b.logIn("13-log-in", "owner@example.com")
	for name, path := range map[string]string{"list": "/monitors?status=down", "grouped": "/monitors?status=down&view=grouped"} {
		b.do("13-"+name, b.open(path), heading("Monitors"))
		got, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`JSON.stringify({
			rows: [...document.querySelectorAll('#list tbody tr')].filter((row) => row.checkVisibility()).map((row) => row.id).sort(),
			badge: document.querySelector('.side [data-count=down]').firstChild.textContent,
			title: document.title.split(' ')[0],
		})`))
		require.NoError(t, err)
		require.JSONEq(t, fmt.Sprintf(`{"rows": ["m%.0f", "m%.0f", "m%.0f"], "badge": "3", "title": "(3"}`, down[0], down[1], down[2]), got, name)
	}
}
