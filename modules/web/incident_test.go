package web

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func incidentShots() []shot {
	ok, bad := http.StatusOK, http.StatusUnprocessableEntity
	refuse := func(f *fake) {
		f.failure = uptime.Invalid(
			uptime.FieldError{Field: "title", Message: "must not be empty"},
			uptime.FieldError{Field: "started_at", Message: "must not be in the future"},
			uptime.FieldError{Field: "monitor_ids[0]", Message: "is not a monitor of yours"},
			uptime.FieldError{Field: "next_update_by", Message: "must be in the future"},
			uptime.FieldError{Field: "message", Message: "must be at most 5000 characters"},
			uptime.FieldError{Field: "postmortem.text", Message: "must be at most 50000 characters"},
		)
	}
	form := url.Values{"title": {hostile}, "severity": {"major"}, "started_at": {"2026-11-24T14:00"}, "monitor_ids": {"1", "11"}, "message": {hostile}, "q": {"api"}}
	edit := url.Values{"title": {"Payments " + hostile}, "severity": {"minor"}, "started_at": {"2026-11-24T14:00"}, "monitor_ids": {"1"}, "version": {"old"}}
	long := url.Values{"text": {"First.\n\n" + hostile + "\n\nLast."}, "published": {"on"}, "preview": {"1"}}
	return []shot{
		{"incident-new", "/incidents/new", nil, ok, nil, nil},
		{"incident-new-refused", "/incidents", form, bad, refuse, nil},
		{"incident-by-hand", "/incidents/20", nil, ok, nil, nil},
		{"incident-line-edit", "/incidents/20?edit=53", nil, ok, nil, nil},
		{"incident-line-refused", "/incidents/20/updates/53", url.Values{"message": {hostile}}, bad, refuse, nil},
		{"incident-over", "/incidents/21", nil, ok, nil, nil},
		{"incident-edit", "/incidents/20/edit", nil, ok, nil, nil},
		{"incident-edit-own", "/incidents/1/edit", nil, ok, nil, nil},
		{"incident-conflict", "/incidents/20/edit", edit, http.StatusConflict, nil, nil},
		{"incident-delete", "/incidents/20/delete", nil, ok, nil, nil},
		{"incident-viewer", "/incidents/20", nil, ok, func(f *fake) { f.role = uptime.RoleViewer }, nil},
		{"postmortem", "/incidents/21/postmortem", nil, ok, nil, nil},
		{"postmortem-preview", "/incidents/21/postmortem", long, ok, nil, nil},
		{"postmortem-refused", "/incidents/21/postmortem", url.Values{"text": {hostile}, "version": {fingerprint(sampleOver().Postmortem)}}, bad, refuse, nil},
		{"postmortem-conflict", "/incidents/21/postmortem", url.Values{"text": {hostile}, "version": {"old"}}, http.StatusConflict, nil, nil},
		{"incidents-storm", "/incidents", nil, ok, func(f *fake) { f.storm = true }, nil},
		{"incidents-filtered", "/incidents?show=open&impact=major&tag=team:web&group=Shop&from=2026-11-01&to=2026-11-24&q=down&size=25", nil, ok, nil, nil},
		{"incidents-none", "/incidents?q=" + url.QueryEscape(hostile+"?"), nil, ok, nil, nil},
	}
}

func TestIncidentFilter(t *testing.T) {
	t.Parallel()
	berlin := zone("Europe/Berlin")
	f := readIncidentFilter(url.Values{"show": {"x"}, "impact": {"huge"}, "from": {"2026-10-25"}, "to": {"2026-10-24"}, "tag": {":v"}, "page": {"-1"}, "size": {"7"}, "q": {" a\u0007b "}})
	require.Equal(t, IncidentFilter{Query: "a b", From: "2026-10-24", To: "2026-10-25", Page: 1, Size: 50}, f)
	got := f.filter(berlin)
	require.Equal(t, time.Date(2026, 10, 23, 22, 0, 0, 0, time.UTC), got.From.UTC())
	require.Equal(t, time.Date(2026, 10, 25, 23, 0, 0, 0, time.UTC), got.To.UTC(), "a day of 25 hours")
	require.Equal(t, "/incidents?from=2026-10-24&q=a+b&to=2026-10-25", f.url(func(*IncidentFilter) {}))
	require.Len(t, f.chips(nil), 3)
	f = readIncidentFilter(url.Values{"show": {"open"}, "impact": {"none"}, "tag": {"team:web"}, "group": {"Shop"}, "page": {"3"}, "size": {"25"}, "from": {"soon"}})
	require.Equal(t, uptime.IncidentFilter{
		Unresolved: true, Severities: []uptime.Severity{uptime.SeverityNone}, Tags: []uptime.TagFilter{{Name: "team", Value: "web", HasValue: true}},
		Group: "Shop", Offset: 50, OpenFirst: true,
	}, f.filter(berlin))
	require.Equal(t, "/incidents?group=Shop&impact=none&page=2&show=open&size=25&tag=team%3Aweb", f.url(func(n *IncidentFilter) { n.Page = 2 }))
}

// TestIncidentsTogether: however a list is paged, each incident is in one row.
func TestIncidentsTogether(t *testing.T) {
	t.Parallel()
	now := sampleNow()
	eu, us, shop, web := label{group: "Shop/EU"}, label{group: "Shop/US"}, label{group: "Shop"}, label{tag: "team:web"}
	labels := map[int64][]label{1: {eu, shop, web}, 2: {eu, shop}, 3: {us, shop, web}, 4: {web}, 5: nil}
	of := func(id int64, after time.Duration, over bool) manage.IncidentView {
		inc := manage.IncidentView{ID: 100 + id, MonitorID: &id, StartedAt: now.Add(-after)}
		if over {
			inc.ResolvedAt = &now
		}
		return inc
	}
	hand := manage.IncidentView{ID: 1, StartedAt: now.Add(-30 * time.Second)}
	list := []manage.IncidentView{
		of(1, 0, false), hand, of(2, 30*time.Second, false), of(3, time.Minute, false), of(4, 2*time.Minute, false), of(5, 0, false),
		of(1, 2*time.Minute+time.Second, false), of(2, time.Minute, true), of(3, 2*time.Minute, true),
	}
	shared, members := gathered(list, make([]bool, len(list)), 0, labels)
	require.Equal(t, shop, shared, "the closest of those that most share")
	require.Equal(t, []int{0, 2, 3}, members)
	shared, members = gathered(list, []bool{true, false, true, true}, 1, labels)
	require.Empty(t, shared)
	require.Equal(t, []int{1}, members, "one made by hand stands alone")
	_, members = gathered(list, make([]bool, len(list)), 7, labels)
	require.Equal(t, []int{7, 8}, members, "resolved ones are apart")

	for size := 1; size <= len(list); size++ {
		seen := map[int64]int{}
		for at := 0; at < len(list); at += size {
			page := list[at:min(at+size, len(list))]
			taken := make([]bool, len(page))
			for i := range page {
				if taken[i] {
					continue
				}
				_, members := gathered(page, taken, i, labels)
				for _, n := range members {
					require.False(t, taken[n])
					taken[n] = true
					seen[page[n].ID+int64(at+n)*1000]++
				}
			}
		}
		require.Len(t, seen, len(list), size)
	}
}

func TestTimelineOfAnIncident(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	html := plain(ask(w, "/incidents/1", nil).Body.String())
	order := []string{"Alert sent to On-call webhook", "Alert to On-call webhook failed for good", "Identified", "Confirmed", "First failure"}
	at := 0
	for _, word := range order {
		next := strings.Index(html[at:], word)
		require.GreaterOrEqual(t, next, 0, word)
		at += next
	}
	require.Contains(t, html, "Detected after")
	require.Contains(t, html, "Down after 3 failed checks in a row")
	html = ask(w, "/incidents/20", nil).Body.String()
	require.Contains(t, html, "Update overdue by 12\u00a0min")
	require.Contains(t, html, " · Internal")
	require.Contains(t, html, "edited ")
	require.Regexp(t, `<li class="done"><span class="ball" aria-hidden="true"></span>Investigating<span class="visually-hidden"> \(done\)</span></li><li aria-current="step">`, html)
	html = ask(w, "/incidents/21", nil).Body.String()
	require.Contains(t, html, `aria-current="step"><span class="ball" aria-hidden="true"></span>Post-mortem`)
	require.Contains(t, html, "<p>A disk was full.\nNobody saw it.</p>")
}

// inGerman is a request of a browser that asks for it.
func inGerman(r *http.Request) { r.Header.Set("Accept-Language", "de") }

// TestIncidentInGerman: the program's words are said in it, those of people are as they
// wrote them.
func TestIncidentInGerman(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	html := plain(ask(w, "/incidents/1", nil, inGerman).Body.String())
	for _, want := range []string{"<h1>api-eu-003 ist ausgefallen</h1>", "Ausfall festgestellt", "Nachricht an On-call webhook gesendet", "The new release ran out of file handles."} {
		require.Contains(t, html, want)
	}
	require.Contains(t, ask(w, "/incidents/1/edit", nil, inGerman).Body.String(), `value="api-eu-003 is down"`, "an input holds what is stored")
	de := lang.Of("de")
	id := int64(1)
	require.Equal(t, "Shop ist ausgefallen", titleOf(de, manage.IncidentView{Title: "Shop is down", MonitorID: &id}))
	require.Equal(t, "Shop is down", titleOf(de, manage.IncidentView{Title: "Shop is down"}), "somebody wrote it")
	require.Equal(t, "Timed out", titleOf(de, manage.IncidentView{Title: "Timed out", MonitorID: &id}))
	require.Equal(t, "Timed out", causeOf(de, manage.IncidentView{Cause: "Timed out"}))
	require.Equal(t, "Zeitüberschreitung. Keine Verbindung", causeOf(de, manage.IncidentView{Cause: "Timed out. No connection", MonitorID: &id}))

	s := &scene{now: sampleNow(), loc: time.UTC, lang: de}
	line := func(u manage.UpdateView) TimelineRow { return s.line(manage.IncidentView{}, u, 0) }
	require.Empty(t, line(manage.UpdateView{Stage: uptime.StageResolved, AuthorID: &id, Message: "Resolved."}).Message, "the word says it")
	require.Equal(t, "Wieder verfügbar", line(manage.UpdateView{Stage: uptime.StageResolved, Message: "Recovered."}).Word)
	require.Equal(t, "Keine Verbindung", line(manage.UpdateView{Message: "No connection"}).Message)
	require.Equal(t, "No connection", line(manage.UpdateView{AuthorID: &id, Message: "No connection", Internal: true}).Message)
	for message, want := range map[string]bool{"Took it over.": true, "Assigned to Noa Lind.": true, "Assigned to Noa.\nShe knows.": false, "Over.": false} {
		require.Equal(t, want, handsOver(manage.UpdateView{AuthorID: &id, Internal: true, Message: message}), message)
	}
}

func TestIncidentIsWrittenByHand(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	in := url.Values{"title": {"Slow"}, "severity": {"major"}, "stage": {"identified"}, "message": {" One.\r\nTwo. "}, "internal": {"on"}, "monitor_ids": {"2", "x", "2", "1"}, "started_at": {"2026-11-24T14:30"}}
	rec := ask(w, "/incidents", in)
	require.Equal(t, http.StatusSeeOther, rec.Code, rec.Body.String())
	require.Equal(t, "/incidents/1", rec.Header().Get("Location"))
	require.Equal(t, map[string]any{
		"title": "Slow", "severity": "major", "stage": "identified", "message": "One.\nTwo.", "internal": true,
		"monitor_ids": []any{2.0, 1.0}, "started_at": "2026-11-24T13:30:00Z",
	}, f.lastSaved(t), "the time is of Berlin")

	in.Set("find", "1")
	html := ask(w, "/incidents", in).Body.String()
	require.Contains(t, html, `value="Slow"`, "a search keeps what was typed")
	require.Regexp(t, `id="m2" name="monitor_ids" value="2" checked`, html)
	require.Len(t, f.saved, 1)

	edit := ask(w, "/incidents/20/edit", nil).Body.String()
	version := regexp.MustCompile(`name="version" value="([0-9a-f]+)"`).FindStringSubmatch(edit)[1]
	in = url.Values{"title": {"Slower"}, "severity": {"major"}, "started_at": {"2026-11-24T13:55"}, "monitor_ids": {"1"}, "version": {version}}
	require.Equal(t, "/incidents/20", ask(w, "/incidents/20/edit", in).Header().Get("Location"))
	require.Equal(t, map[string]any{"title": "Slower", "severity": "major", "monitor_ids": []any{1.0}}, f.lastSaved(t), "the minute that was shown moves nothing")

	in.Set("version", "of before")
	rec = ask(w, "/incidents/20/edit", in)
	require.Equal(t, http.StatusConflict, rec.Code)
	require.Contains(t, rec.Body.String(), "Noa Lind changed this incident <time")
	require.Contains(t, rec.Body.String(), `<td data-label="stored">Payments are slow</td><td data-label="yours">Slower</td>`)
	require.Contains(t, rec.Body.String(), `name="version" value="`+version+`"`, "saving again overwrites")
	require.Regexp(t, `name="title" value="Slower"`, rec.Body.String())
	require.Len(t, f.saved, 2)
	f.failure = uptime.Fail(uptime.CodePrecondition, "It was changed.")
	in.Set("version", version)
	require.Equal(t, http.StatusConflict, ask(w, "/incidents/20/edit", in).Code, "it changed between the reading and the saving")
}

func TestComposer(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	in := url.Values{"message": {"Soon."}, "stage": {"monitoring"}, "next_update_by": {"2026-11-24T16:00"}}
	require.Equal(t, http.StatusSeeOther, ask(w, "/incidents/20/updates", in).Code)
	require.Equal(t, map[string]any{"message": "Soon.", "internal": false, "stage": "monitoring", "next_update_by": "2026-11-24T15:00:00Z"}, f.lastSaved(t))
	rec := ask(w, "/incidents/20/updates/53", url.Values{"message": {"Better."}, "internal": {"on"}})
	require.Equal(t, "/incidents/20#u53", rec.Header().Get("Location"))
	require.Equal(t, map[string]any{"message": "Better.", "internal": true}, f.lastSaved(t))
	require.Equal(t, "/incidents/20", ask(w, "/incidents/20/updates/53/delete", url.Values{}).Header().Get("Location"))
	require.Equal(t, http.StatusNotFound, ask(w, "/incidents/20/updates/x", url.Values{"message": {"a"}}).Code)

	ask(w, "/incidents/20/assign", url.Values{"owner_id": {"3"}})
	require.Equal(t, map[string]any{"owner_id": 3.0}, f.lastSaved(t))
	ask(w, "/incidents/20/assign", url.Values{"owner_id": {""}})
	require.Equal(t, map[string]any{"owner_id": nil}, f.lastSaved(t))
	require.Equal(t, http.StatusUnprocessableEntity, ask(w, "/incidents/20/assign", url.Values{"owner_id": {"x"}}).Code)

	rec = ask(w, "/incidents/20/delete", url.Values{})
	require.Equal(t, "/incidents", rec.Header().Get("Location"))
	require.Contains(t, ask(w, "/incidents", nil, func(r *http.Request) { r.AddCookie(rec.Result().Cookies()[0]) }).Body.String(), `action="/incidents/20/restore"`)
	require.Equal(t, http.StatusConflict, ask(w, "/incidents/1/delete", nil).Code, "what happened stays")
	ask(w, "/incidents/21/postmortem", url.Values{"text": {" A.\r\n\r\nB. "}, "version": {fingerprint(sampleOver().Postmortem)}})
	require.Equal(t, map[string]any{"postmortem": map[string]any{"text": "A.\n\nB.", "published": false}}, f.lastSaved(t))

	f.role = uptime.RoleEditor
	html := ask(w, "/incidents/20", nil).Body.String()
	require.Contains(t, html, `?edit=53#u53`)
	require.NotContains(t, html, `?edit=52`, "somebody else wrote it")
	require.NotContains(t, ask(w, "/incidents/20?edit=52", nil).Body.String(), "Delete update")
}

func TestIncidentsAsFiles(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	f.storm = true
	rec := ask(w, "/incidents.csv", nil)
	require.Equal(t, "text/csv; charset=utf-8", rec.Header().Get("Content-Type"))
	require.Equal(t, `attachment; filename="monitor-incidents.csv"`, rec.Header().Get("Content-Disposition"))
	lines, err := csv.NewReader(rec.Body).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, 11)
	require.Equal(t, "Payments are slow", lines[3][1])
	var list []manage.IncidentView
	require.NoError(t, json.Unmarshal(ask(w, "/incidents.json?show=open", nil).Body.Bytes(), &list))
	require.Len(t, list, 8)
	require.Equal(t, "'=1+1", incidentCells(manage.IncidentView{Title: "=1+1"})[1])

	f.breaksOff = true
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { ask(w, "/incidents.csv", nil) }, "a part is not taken for the whole")
	f.breaksOff, f.empty = false, true
	require.Equal(t, "[]\n", ask(w, "/incidents.json", nil).Body.String())
	f.broken = uptime.ErrUnavailable
	require.Equal(t, http.StatusServiceUnavailable, ask(w, "/incidents.csv", nil).Code)
}

// TestIncidentKeys: single letters work outside of fields, for who wants them.
func TestIncidentKeys(t *testing.T) {
	t.Parallel()
	ctx, base, f := desk(t, func(*fake) {})
	found := complaints(ctx, t)
	press := func(key string) { require.NoError(t, chromedp.Do(ctx, chromedp.KeyEvent(key))) }
	require.Equal(t, "BODY", does(ctx, t, base+"/incidents/20", `return document.activeElement.tagName`))
	press("u")
	require.Equal(t, "f-message", says(ctx, t, `document.activeElement.value = ''; return document.activeElement.id`), "the test's keyboard types whatever is prevented")
	press("a")
	press("u")
	require.Equal(t, "au|0", says(ctx, t, `return document.activeElement.value + '|' + location.search.length`), "in a field they are letters")
	require.Equal(t, "We have found the cause and are working on it.|identified|true", says(ctx, t, `
		const message = document.getElementById('f-message'), select = document.getElementById('f-text');
		message.value = '';
		select.value = '2';
		select.dispatchEvent(new Event('change'));
		message.form.dispatchEvent(new Event('submit')); // or leaving would ask about what was typed
		return [message.value, document.getElementById('f-stage').value, document.querySelector('[data-texts-plain]').hidden].join('|')`))
	require.Equal(t, "off", does(ctx, t, base+"/incidents/20", `return document.body.dataset.keys = 'off'`))
	press("u")
	require.Equal(t, "BODY", says(ctx, t, `return document.activeElement.tagName`))
	require.Empty(t, f.saved)
	require.Equal(t, "ready", does(ctx, t, base+"/incidents/20", `return 'ready'`))
	_, err := chromedp.RunResponse(ctx, chromedp.KeyEvent("a"))
	require.NoError(t, err)
	require.Equal(t, "told", says(ctx, t, `await until(() => document.body.textContent.includes('Acknowledged. Reminders stop')); return 'told'`))
	require.Len(t, f.saved, 1)
	require.Empty(t, found())
}

// TestIncidentWithoutScripts: whatever the page offers works.
func TestIncidentWithoutScripts(t *testing.T) {
	t.Parallel()
	ctx, base, f := desk(t, func(*fake) {})
	b := plainBrowser{t, ctx, base}
	stopScripts(ctx, t)
	b.open("/incidents/new")
	b.types("#f-title", "Slow")
	b.types("#f-q", "check")
	path, _ := b.press(`button[name="find"]`)
	require.Equal(t, "/incidents", strings.TrimSuffix(path, "#f-monitor-ids"))
	require.NoError(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#m2"))))
	b.press(`.foot .btn-primary`)
	require.Equal(t, "Slow", f.lastSaved(t)["title"])
	require.Equal(t, []any{2.0}, f.lastSaved(t)["monitor_ids"])
	b.open("/incidents/20")
	require.NoError(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#f-message"), "News."+kb.Tab)))
	_, text := b.press(`[data-composer] .actions button`)
	require.Contains(t, text, "Update posted.")
	require.Equal(t, "News.", f.lastSaved(t)["message"])
}

// TestIncidentListStands: a list of many asks as often as one of few.
func TestIncidentListStands(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	c := &counted{fake: f}
	w.deps.Manage = c
	require.Equal(t, http.StatusOK, ask(w, "/incidents", nil).Code)
	few := c.calls.Swap(0)
	f.storm = true
	rec := ask(w, "/incidents", nil)
	require.Equal(t, few, c.calls.Load())
	require.Contains(t, rec.Body.String(), "2\u00a0monitors of group Shop/EU, 4\u00a0incidents")
}
