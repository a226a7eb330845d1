package web

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// MonitorRow is a monitor in any list.
type MonitorRow struct {
	ID                int64
	Name, Target, URL string
	Kind, Group       string
	Show              Show
	Way               string // the filter of the list, for links that lead on: "" or "?…"
	Pill              Pill
	Tags              []string
	MoreTags          int
	Bar               Bar
	Uptime, P95       string
	Checked           When
	Since             string // "4 min 10 s" in this state, or ""
	Error             string
	Incident          int64 // unresolved, 0: none
	Acknowledged      string
	Silenced          bool
}

// Spans of the bars in lists, of whose time the 95th percentile is, and of uptime.
const (
	barSlots   = 48
	barWidth   = 30 * time.Minute
	uptimeSpan = 30 * 24 * time.Hour
)

// pillOf a monitor: its status, or that it is being tried again.
func pillOf(m manage.MonitorView) Pill {
	if m.Retrying {
		return Pill{State: retrying(), More: fmt.Sprintf("%d/%d", m.ConsecutiveFailures, m.FailuresBeforeDown)}
	}
	return Pill{State: stateOf(m.Status)}
}

func (s *scene) row(m manage.MonitorView) MonitorRow {
	row := MonitorRow{
		ID: m.ID, Name: m.Name, Target: m.Target, Group: m.Group, URL: monitorURL(m.ID), Pill: pillOf(m),
		Checked: s.whenPtr(m.LastCheckedAt), Uptime: "—", P95: "—", Silenced: m.SilencedUntil != nil,
	}
	all := tagList(m.Tags)
	row.Tags = all[:min(2, len(all))]
	row.MoreTags = len(all) - len(row.Tags)
	if m.StatusSince != nil && s.now.Sub(*m.StatusSince) >= time.Second {
		row.Since = s.lang.Span(s.now.Sub(*m.StatusSince))
	}
	return row
}

func monitorURL(id int64) string { return "/monitors/" + strconv.FormatInt(id, 10) }

// tagList is "name:value", or the name alone, sorted.
func tagList(tags map[string]string) []string {
	out := make([]string, 0, len(tags))
	for name, value := range tags {
		if value != "" {
			name += ":" + value
		}
		out = append(out, name)
	}
	slices.SortFunc(out, strings.Compare)
	return out
}

// rows draws monitors with their bars and figures: as many queries as for one.
func (r *request) rows(s *scene, list []manage.MonitorView, show Show) ([]MonitorRow, error) {
	out, kinds := make([]MonitorRow, len(list)), r.web.deps.Manage.MonitorKinds()
	for i, m := range list {
		out[i] = s.row(m)
		out[i].Show, out[i].Kind = show, s.t(kindLabel(kinds, m.Type))
	}
	if len(list) == 0 || !show.Bar && !show.Uptime && !show.P95 {
		return out, nil
	}
	ids := make([]int64, len(list))
	for i, m := range list {
		ids[i] = m.ID
	}
	ctx, uses := r.Request().Context(), r.web.deps.Manage
	// Slots end on whole half hours, so that bars do not crawl with each look.
	end := r.now.Truncate(barWidth).Add(barWidth)
	glances, err := uses.Glances(ctx, r.actor, ids, uptime.GlanceQuery{
		From: end.Add(-barSlots * barWidth), To: end, Width: barWidth, Since: r.now.Add(-uptimeSpan),
	})
	if err != nil {
		return nil, err
	}
	for i, m := range list {
		out[i].glance(s.lang, glances[m.ID])
	}
	return out, nil
}

// glance fills in the bar and the figures.
func (row *MonitorRow) glance(l *lang.Language, g uptime.Glance) {
	row.Bar = skyline(g.Buckets, barLabel(l, g.Buckets, row.Name))
	row.Uptime = l.Percent(g.Uptime)
	if g.P95 > 0 {
		ms := float64(g.P95) / float64(time.Millisecond)
		row.P95 = msText(l, &ms)
	}
}
