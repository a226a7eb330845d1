package web

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// TestFilterAndURL: an address that is read and written again says the same, and what
// cannot be used is left out.
func TestFilterAndURL(t *testing.T) {
	t.Parallel()
	kinds := append(sampleKinds(), uptime.Kind{Name: "tcp"})
	for given, want := range map[string]string{
		"":                                     "/monitors",
		"status=down&status=degraded":          "/monitors?status=down&status=degraded",
		"status=degraded&status=down":          "/monitors?status=down&status=degraded",
		"status=down&status=down&status=sad":   "/monitors?status=down",
		"type=http&type=tcp&type=x":            "/monitors?type=http&type=tcp",
		"tag=a&tag=b:c&tag=&tag=a&tag=:x":      "/monitors?tag=a&tag=b%3Ac",
		"group=Shop/EU&q=a+b":                  "/monitors?group=Shop%2FEU&q=a+b",
		"sort=group&dir=desc&page=3&size=100":  "/monitors?dir=desc&page=3&size=100&sort=group",
		"sort=size&dir=up&page=-1&size=7":      "/monitors",
		"size=50&view=list&page=1":             "/monitors",
		"view=grouped":                         "/monitors?view=grouped",
		"view=tree&page=99999999999999999999":  "/monitors",
		"q=%00%0a%e2%80%ae&group=%1b&tag=%00x": "/monitors?tag=x",
	} {
		q, err := url.ParseQuery(given)
		require.NoError(t, err)
		f := readFilter(q, kinds, uptime.DefaultPreferences())
		require.Equal(t, want, listURL(f.values()), given)
	}
	likes := uptime.DefaultPreferences()
	likes.View, likes.PageSize = "grouped", 200
	f := readFilter(url.Values{"view": {"list"}, "size": {"50"}}, kinds, likes)
	require.Equal(t, "/monitors?size=50&view=list", listURL(f.values()), "what is not as usual for them")
	f = readFilter(url.Values{}, kinds, likes)
	require.True(t, f.Grouped())
	require.Equal(t, "/monitors", listURL(f.values()))
}

func TestShortNames(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"Shop/EU/api", "Shop/EU", "api"},
		{"EU api", "Shop/EU", "api"},
		{"EUROPE", "Shop/EU", "EUROPE"},
		{"Shop", "Shop", "Shop"},
		{"api", "", "api"},
		{"Shop – db", "Shop", "db"},
		{"Shop/EU", "Shop/EU", "Shop/EU"},
	} {
		require.Equal(t, c[2], shortName(c[0], c[1]), c)
	}
}

// TestViewersSeeNoControls: who may change nothing is offered nothing.
func TestViewersSeeNoControls(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	for _, path := range []string{"/monitors", "/monitors?view=grouped"} {
		f.role = uptime.RoleViewer
		html := ask(w, path, nil).Body.String()
		for _, never := range []string{`form="bulk"`, `id="bulk"`, "row-menu", "data-menu", "data-pick", `id="selecting"`, `id="new"`, `name="shared"`} {
			require.NotContains(t, html, never, path)
		}
		require.Contains(t, html, "Save this view as")
		f.role = uptime.RoleEditor
		html = ask(w, path, nil).Body.String()
		for _, there := range []string{`form="bulk"`, `id="bulk"`, "row-menu", "data-menu", "data-pick"} {
			require.Contains(t, html, there, path)
		}
	}
}

func TestDisplayIsKept(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/settings/list", url.Values{"column": {"tags", "bar"}, "density": {"compact"}, "size": {"100"}, "view": {"grouped"}, "back": {"/monitors?status=down"}})
	require.Equal(t, "/monitors?status=down", rec.Header().Get("Location"))
	require.Equal(t, map[string]any{"preferences": map[string]any{
		"columns": []any{"tags", "bar"}, "density": "compact", "page_size": 100.0, "view": "grouped",
	}}, f.lastSaved(t))
	ask(w, "/settings/list", url.Values{"density": {"compact"}, "size": {"x"}, "back": {"//evil.example.com"}})
	require.Equal(t, []any{}, f.lastSaved(t)["preferences"].(map[string]any)["columns"], "every box unticked")
	require.Zero(t, f.lastSaved(t)["preferences"].(map[string]any)["page_size"], "refused by the rules")

	f.likes = &uptime.Preferences{Columns: []string{"type"}, Density: "compact", PageSize: 25, View: "list"}
	html := ask(w, "/monitors", nil).Body.String()
	require.Contains(t, html, `class="stack compact"`)
	require.Contains(t, html, `data-keys="off"`, "shortcuts are off")
	require.NotContains(t, html, `class="bar"`)
	require.Contains(t, html, ">HTTP(S)</td>")
	ask(w, "/settings/profile", url.Values{"name": {"Mia"}, "time_zone": {"UTC"}, "theme": {"auto"}, "preferences.density": {"comfortable"}, "preferences.page_size": {"200"}})
	require.Equal(t, map[string]any{"density": "comfortable", "page_size": 200.0, "shortcuts": false}, f.lastSaved(t)["preferences"])
}

func TestViewsAreSaved(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/monitors/views", url.Values{"name": {" Down "}, "query": {"status=down"}, "shared": {"on"}, "back": {"/monitors?status=down"}})
	require.Equal(t, "/monitors?status=down", rec.Header().Get("Location"))
	require.Equal(t, map[string]any{"name": "Down", "query": "status=down", "shared": true}, f.lastSaved(t))
	rec = ask(w, "/monitors/views/2/delete", url.Values{})
	require.Equal(t, "/monitors", rec.Header().Get("Location"))
	require.Equal(t, map[string]any{"view": 2.0}, f.lastSaved(t))
	f.failure = uptime.Invalid(uptime.FieldError{Field: "name", Message: "must not be empty"})
	rec = ask(w, "/monitors/views", url.Values{"name": {""}})
	require.Equal(t, http.StatusSeeOther, rec.Code)
	require.Equal(t, "view-name", rec.Result().Cookies()[0].Value)
	html := ask(w, "/monitors?status=down", nil).Body.String()
	require.Contains(t, html, `name="query" value="status=down&amp;view=list"`)
	require.Contains(t, html, `href="/monitors?status=down&amp;tag=env%3Aprod"`)
}

func TestExport(t *testing.T) {
	t.Parallel()
	w, f := setup(t)
	rec := ask(w, "/monitors.csv?status=down", nil)
	require.Equal(t, `attachment; filename="monitors.csv"`, rec.Header().Get("Content-Disposition"))
	lines, err := csv.NewReader(strings.NewReader(rec.Body.String())).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, 3)
	require.Equal(t, []string{
		"1", "api-eu-003", "http", "Shop/EU", "https://api-eu-003.example.com/healthz", "env:prod team:core tier:1", "true", "down", "2026-11-24T14:00:50Z", "60",
		"2026-11-24T14:04:57Z", "92", "Status 503 Service Unavailable, expected 200-299", "2026-05-08T14:05:00Z",
	}, lines[1])
	var all struct{ Data []map[string]any }
	require.NoError(t, json.Unmarshal(ask(w, "/monitors.json", nil).Body.Bytes(), &all))
	require.Len(t, all.Data, len(sampleList()))
	require.Equal(t, "********", all.Data[0]["http"].(map[string]any)["headers"].(map[string]any)["Authorization"])
	require.NoError(t, json.Unmarshal(ask(w, "/monitors.json?status=unknown", nil).Body.Bytes(), &all))
	require.Empty(t, all.Data)

	f.many = 250 // more than a page of them
	require.NoError(t, json.Unmarshal(ask(w, "/monitors.json", nil).Body.Bytes(), &all))
	require.Len(t, all.Data, 450, "the samples' second page is all of them")
	require.Equal(t, "'=1+2", cell("=1+2"))
}

// TestListCounts: each option says how many there are.
func TestListCounts(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	html := ask(w, "/monitors?status=down&tag=team:core", nil).Body.String()
	option := regexp.MustCompile(`value="(down|up|team:core|team:web)"( checked)?>[^<]*<span class="n">(\d+)</span>`)
	got := map[string]string{}
	for _, m := range option.FindAllStringSubmatch(html, -1) {
		got[m[1]] = m[3] + m[2]
	}
	require.Equal(t, map[string]string{"down": "2 checked", "up": "6", "team:core": "2 checked", "team:web": "3"}, got)
	require.Contains(t, html, `<option value="Shop">Shop (10)</option>`)
	require.Contains(t, html, `<option value="/">No group (1)</option>`)
}
