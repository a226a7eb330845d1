package web

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// TagsPage is the tags and groups that monitors have, where they are renamed.
type TagsPage struct {
	Frame
	Tabs   []Link
	Tags   []LabelRow
	Groups []LabelRow
	Many   bool // more tags than are shown
}

// LabelRow is a tag or a group with how many monitors have it.
type LabelRow struct {
	Label  string
	N      int64
	URL    string // of the list of these monitors
	Member string // which input of the actions names it: "tag" or "group"
	Rename string // actions on many monitors
	Remove string // "": none
	Within bool   // is part of the row above: a value of a name, a group in a group
}

// mostTagRows is how many tags the store counts.
const mostTagRows = 100

func (w *Web) tags(r *request) error {
	s, err := r.scene(r.t("Tags and groups"), "Settings", Crumb{r.t("Settings"), "/settings/profile"})
	if err != nil {
		return err
	}
	known, err := w.deps.Manage.Facets(r.Request().Context(), r.actor, uptime.MonitorFilter{})
	if err != nil {
		return err
	}
	p := TagsPage{Frame: s.frame, Tabs: r.settingsTabs("Tags"), Tags: tagRows(known.Tags), Groups: groupRows(known.Groups), Many: len(known.Tags) >= mostTagRows}
	return r.page(http.StatusOK, "tags", "", p)
}

// tagRows are tags by name, each with its values below where it has several: a monitor
// has one value of a name, so that they add up.
func tagRows(tags []manage.TagCountView) []LabelRow {
	byName := map[string][]manage.TagCountView{}
	sums := map[string]int64{}
	for _, t := range tags {
		byName[t.Name] = append(byName[t.Name], t)
		sums[t.Name] += t.Count
	}
	names := slices.SortedFunc(maps.Keys(byName), func(a, b string) int { return cmp.Or(cmp.Compare(sums[b], sums[a]), strings.Compare(a, b)) })
	var rows []LabelRow
	for _, name := range names {
		values := byName[name]
		if len(values) > 1 {
			rows = append(rows, tagRow(name, sums[name], false))
		}
		for _, v := range values {
			label := name
			if v.Value != "" || len(values) > 1 { // "team:" is the one without a value alone
				label += ":" + v.Value
			}
			rows = append(rows, tagRow(label, v.Count, len(values) > 1))
		}
	}
	return rows
}

func tagRow(label string, n int64, within bool) LabelRow {
	return LabelRow{
		Label: label, N: n, URL: "/monitors?" + url.Values{"tag": {label}}.Encode(), Member: "tag",
		Rename: manage.BulkTagRename, Remove: manage.BulkTagRemove, Within: within,
	}
}

// groupRows are groups by path; one has what is in the groups within it, too.
func groupRows(groups map[string]int64) []LabelRow {
	sums := groupSums(groups)
	paths := slices.Sorted(maps.Keys(sums))
	rows := make([]LabelRow, 0, len(paths))
	for _, path := range paths[:min(len(paths), mostGroups)] {
		rows = append(rows, LabelRow{
			Label: path, N: sums[path], URL: "/monitors?" + url.Values{"group": {path}}.Encode(), Member: "group",
			Rename: manage.BulkGroupRename, Within: strings.Contains(path, "/"),
		})
	}
	return rows
}
