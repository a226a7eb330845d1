package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// TestMonitorRows: the rows of the list, by id; those that are not there are left out.
func TestMonitorRows(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/monitors/rows?ids=5,1,99&status=down", nil)
	require.Equal(t, http.StatusOK, rec.Code)
	require.Contains(t, rec.Header().Values("Vary"), "Accept-Language, HX-Request")
	html := rec.Body.String()
	require.Equal(t, 2, strings.Count(html, "<tr"))
	list := ask(w, "/monitors?status=down", nil).Body.String()
	row := html[strings.Index(html, `<tr id="m1"`):]
	row = row[:strings.Index(row, "</tr>")]
	require.Contains(t, list, row, "a row is that of the list")
	require.Contains(t, row, `href="/monitors/1?status=down"`, "and knows it")
	f.becomes(uptime.Down, 5)
	require.Contains(t, ask(w, "/monitors/rows?ids=5", nil).Body.String(), `data-state="down"`)
	require.Equal(t, http.StatusOK, ask(w, "/monitors/rows", nil).Code)
	for _, ids := range []string{"a", "-1", "0", "1.5", strings.Repeat("1,", 201), "99999999999999999999"} {
		require.Equal(t, http.StatusUnprocessableEntity, ask(w, "/monitors/rows?ids="+ids, nil).Code, ids)
	}
	require.Equal(t, http.StatusUnauthorized, ask(w, "/monitors/rows?ids=1", nil, anonymous, asFragment).Code)
}

// TestNeighbours: a monitor's page leads to the next one of the list that it was opened
// from.
func TestNeighbours(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	page := ask(w, "/monitors/1?status=down&sort=name&range=7d&page=3", nil).Body.String()
	require.Contains(t, page, `href="/monitors/1/next?sort=name&amp;status=down"`)
	require.Contains(t, page, `href="/monitors/1?range=24h&amp;tab=checks&amp;sort=name&amp;status=down"`, "ranges keep it")
	require.Contains(t, page, `name="back" value="/monitors/1?sort=name&amp;status=down"`, "and so do actions")
	for path, want := range map[string]string{
		"/monitors/1/next?status=down":     "/monitors/2?status=down",
		"/monitors/2/previous?status=down": "/monitors/1?status=down",
		"/monitors/2/next?status=down":     "/monitors/2?status=down",
		"/monitors/1/previous":             "/monitors/1",
		"/monitors/2/next":                 "/monitors/3",
	} {
		rec := ask(w, path, nil)
		require.Equal(t, http.StatusSeeOther, rec.Code, path)
		require.Equal(t, want, rec.Header().Get("Location"), path)
	}
	require.Equal(t, http.StatusNotFound, ask(w, "/monitors/99/next", nil).Code)
}

func found(t *testing.T, w http.Handler, query string) []hit {
	t.Helper()
	rec := ask(w, "/search?"+query, nil)
	require.Equal(t, http.StatusOK, rec.Code)
	require.Equal(t, "no-store", rec.Header().Get("Cache-Control"))
	var h hits
	require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &h))
	require.LessOrEqual(t, len(h.Items), maxHits)
	return h.Items
}

func titles(list []hit) (out []string) {
	for _, h := range list {
		out = append(out, h.Title)
	}
	return out
}

// TestPaletteFinds: things, pages and actions, as far as the role goes.
func TestPaletteFinds(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	list := found(t, w, "q=check")
	require.Equal(t, hit{Key: "monitor:2", Title: "checkout", Detail: "https://shop.example.com/checkout", Icon: "down", State: "down", Word: "Down", URL: "/monitors/2"}, list[0])
	require.Contains(t, titles(list), "Pause checkout")
	require.Contains(t, titles(list), "Check checkout now")
	require.Equal(t, "/monitors/2/pause", found(t, w, "q=pause+checkout")[0].Post)
	require.Equal(t, "/monitors/2/check", found(t, w, "q=check+checkout")[0].Post)
	require.Contains(t, titles(found(t, w, "q=acknowledge+api")), "Acknowledge api-eu-003 is down")
	require.Equal(t, "/monitors/9/resume", found(t, w, "q=resume+mail")[0].Post)
	require.Equal(t, "/monitors/new", found(t, w, "q=new+mon")[0].URL)
	dark := found(t, w, "q=theme+dark")[0]
	require.Equal(t, "/settings/theme", dark.Post)
	require.Equal(t, map[string]string{"theme": "dark"}, dark.Fields)
	require.Equal(t, "/settings/audit", found(t, w, "q=audit")[0].URL)
	require.Empty(t, found(t, w, "q=nothing+is+called+so"))
	require.NotEmpty(t, found(t, w, ""))
	lately := found(t, w, "recent=monitor:5,page:/settings/audit,monitor:99,act:/monitors/1/pause,monitor:5,monitor:x")
	require.Equal(t, []string{"auth-us-001", "Audit log"}, titles(lately)[:2])

	f.role = uptime.RoleViewer
	for _, q := range []string{"q=check", "q=pause+checkout", "q=new", "q=acknowledge+api", "q=audit", "q=people", "q=wallboards", "", "recent=page:/settings/audit,page:/monitors/new"} {
		for _, h := range found(t, w, q) {
			require.True(t, h.Post == "" || h.Post == "/settings/theme", "%s: a viewer is offered %s", q, h.Post)
			require.NotContains(t, []string{"/settings/audit", "/settings/people", "/settings/wallboards", "/monitors/new", "/channels/new"}, h.URL, q)
		}
	}
	require.Equal(t, "checkout", found(t, w, "q=check")[0].Title)
	require.Equal(t, http.StatusSeeOther, ask(w, "/search?q=a", nil, anonymous).Code)
	require.Equal(t, http.StatusOK, ask(w, "/search?q="+strings.Repeat("a", 5000), nil).Code)
	require.Equal(t, http.StatusOK, ask(w, "/search?recent="+strings.Repeat("monitor:1,", 500)+strconv.Itoa(1), nil).Code)
}

// TestPaletteSpeaks: what the palette offers is found by its name in the reader's language
// and in English.
func TestPaletteSpeaks(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	first := func(words string) hit {
		t.Helper()
		var h hits
		require.NoError(t, json.Unmarshal(ask(w, "/search?q="+url.QueryEscape(words), nil, inGerman).Body.Bytes(), &h))
		require.NotEmpty(t, h.Items, words)
		return h.Items[0]
	}
	for words, want := range map[string]string{
		"neuer mon": "Neuer Monitor", "new mon": "Neuer Monitor", "vorfälle": "Vorfälle", "incidents": "Vorfälle",
		"design dunkel": "Design: dunkel", "theme dark": "Design: dunkel",
		"pausieren checkout": "checkout pausieren", "checkout pausieren": "checkout pausieren", "Pause checkout": "checkout pausieren",
		"checkout jetzt prüfen": "checkout jetzt prüfen", "prüfen checkout": "checkout jetzt prüfen", "check checkout now": "checkout jetzt prüfen",
		"bestätigen: api": "Bestätigen: api-eu-003 ist ausgefallen", "acknowledge api": "Bestätigen: api-eu-003 ist ausgefallen",
	} {
		require.Equal(t, want, first(words).Title, words)
	}
	require.Equal(t, "Ausgefallen", first("checkout").Word)
	require.Equal(t, "/monitors/2/check", found(t, w, "q=check+checkout+now")[0].Post)
	require.NotContains(t, titles(found(t, w, "q=checkout+pause")), "Pause checkout", "in English what to do comes first")
	f.role = uptime.RoleViewer
	require.Empty(t, first("pausieren checkout").Post)
}
