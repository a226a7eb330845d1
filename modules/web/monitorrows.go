package web

import (
	"net/http"
	"strconv"
	"strings"

	"monitor/modules/uptime"
)

// maxRows bounds the rows of one question.
const maxRows = 200

// monitorRows gives the rows of some monitors as the list has them, for a page that
// shows them already; those that are not there are left out.
func (w *Web) monitorRows(r *request) error {
	ids, err := rowIDs(r.QueryParam("ids"))
	if err != nil {
		return err
	}
	s, err := r.scene(r.t("Monitors"), "Monitors")
	if err != nil {
		return err
	}
	likes := preferencesOf(s.me)
	f := readFilter(r.QueryParams(), w.deps.Manage.MonitorKinds(), likes)
	p, show := MonitorsPage{Frame: s.frame, Filter: f}, showOf(likes, s.frame.CanEdit)
	show.Group = show.Group && !f.Grouped()
	if len(ids) > 0 {
		list, err := w.deps.Manage.Monitors(r.Request().Context(), r.actor, uptime.MonitorFilter{IDs: ids}, uptime.Page{Limit: maxRows})
		if err != nil {
			return err
		}
		if p.Rows, err = r.rows(s, list.Items, show); err != nil {
			return err
		}
		for i := range p.Rows {
			if f.Grouped() { // there a name goes without that of its group
				p.Rows[i].Name = shortName(p.Rows[i].Name, list.Items[i].Group)
			}
		}
	}
	along(p.Rows, f)
	return w.show(r.Context, http.StatusOK, "monitors", "some-rows", p)
}

// rowIDs reads ids with commas between them.
func rowIDs(text string) ([]int64, error) {
	var ids []int64
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		id, err := strconv.ParseInt(part, 10, 64)
		if err != nil || id <= 0 || len(ids) == maxRows {
			return nil, uptime.Invalid(uptime.FieldError{Field: "ids", Message: "must be at most 200 ids with commas between them"})
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// listFilter is the filter of the list that somebody was led by; how much of it a page
// shows, and how, is no part of that.
func (r *request) listFilter() Filter {
	return readFilter(r.QueryParams(), r.web.deps.Manage.MonitorKinds(), uptime.DefaultPreferences())
}

// way is the filter as the rest of an address, so that a monitor's page knows the list
// that it was opened from: "", or "?" and what differs from the usual.
func (f Filter) way() string {
	return strings.TrimPrefix(f.url(func(n *Filter) { n.Size, n.View = f.usual.PageSize, f.usual.View }), "/monitors")
}

// along makes the links of rows lead on with the filter.
func along(rows []MonitorRow, f Filter) {
	way := f.way()
	for i := range rows {
		rows[i].Way = way
	}
}

func (w *Web) monitorNext(r *request) error     { return r.goBeside(false) }
func (w *Web) monitorPrevious(r *request) error { return r.goBeside(true) }

// goBeside leads to the monitor after the one of the path, or before it, in the order of
// the list that it was opened from. It is looked for only when somebody goes there.
func (r *request) goBeside(before bool) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	f := r.listFilter()
	find := f.filter()
	find.Offset = 0
	next, err := r.web.deps.Manage.Neighbour(r.Request().Context(), r.actor, id, find, before)
	if err != nil {
		return err
	}
	switch {
	case next != 0:
		return r.Redirect(http.StatusSeeOther, monitorURL(next)+f.way())
	case before:
		return r.done("first-monitor", monitorURL(id)+f.way())
	}
	return r.done("last-monitor", monitorURL(id)+f.way())
}
