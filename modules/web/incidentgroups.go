package web

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"monitor/modules/manage"
)

// IncidentLine is a row of the list of incidents: one of them, or several that began together.
type IncidentLine struct {
	IncidentRow
	Members []IncidentRow // nil: it is one
}

// together is how close to one another incidents began that are shown as one row.
const together = 2 * time.Minute

// incidentLines draws a page of the list: see linesOf.
func (r *request) incidentLines(s *scene, list []manage.IncidentView) ([]IncidentLine, error) {
	found, err := r.web.deps.Manage.MonitorsOf(r.Request().Context(), r.actor, failingIn(list))
	if err != nil {
		return nil, err
	}
	labels := make(map[int64][]label, len(found))
	for _, m := range found {
		labels[m.ID] = labelsOf(m)
	}
	return s.linesOf(list, labels), nil
}

// failingIn are the monitors that incidents began with, each once.
func failingIn(list []manage.IncidentView) []int64 {
	var ids []int64
	for _, inc := range list {
		if inc.MonitorID != nil {
			ids = addOnce(ids, *inc.MonitorID)
		}
	}
	return ids
}

// linesOf a page of the list. Incidents of monitors of one group, or with a common tag,
// that began together are one row. Only the incidents of the page are looked at, and each
// of them is in exactly one row, so that paging neither loses nor doubles any; a group
// that goes over the end of a page begins a row of its own on the next.
func (s *scene) linesOf(list []manage.IncidentView, labels map[int64][]label) []IncidentLine {
	var out []IncidentLine
	taken := make([]bool, len(list))
	for i, inc := range list {
		if taken[i] {
			continue
		}
		shared, members := gathered(list, taken, i, labels)
		for _, n := range members {
			taken[n] = true
		}
		if len(members) == 1 {
			out = append(out, IncidentLine{IncidentRow: s.incidentRow(inc)})
			continue
		}
		out = append(out, s.incidentGroup(list, members, shared))
	}
	return out
}

// label is what monitors have in common: a group or a tag.
type label struct{ group, tag string }

// labelsOf are what a monitor may have in common with others, the closest first: its
// group, those above it, and its tags.
func labelsOf(m manage.MonitorView) []label {
	var out []label
	for group := m.Group; group != ""; {
		out = append(out, label{group: group})
		at := strings.LastIndexByte(group, '/')
		group = group[:max(at, 0)]
	}
	for _, tag := range tagList(m.Tags) {
		out = append(out, label{tag: tag})
	}
	return out
}

// gathered chooses which incidents of the page go with that at first: those of the label
// that most of them share, the closest one where several do. Resolved ones are apart from
// the others.
func gathered(list []manage.IncidentView, taken []bool, first int, labels map[int64][]label) (shared label, members []int) {
	lead := list[first]
	best := []int{first}
	if lead.MonitorID == nil {
		return shared, best
	}
	for _, l := range labels[*lead.MonitorID] {
		with := []int{first}
		for n := first + 1; n < len(list); n++ {
			inc := list[n]
			if lead.StartedAt.Sub(inc.StartedAt) > together {
				continue
			}
			if !taken[n] && inc.MonitorID != nil && (inc.ResolvedAt == nil) == (lead.ResolvedAt == nil) && slices.Contains(labels[*inc.MonitorID], l) {
				with = append(with, n)
			}
		}
		if len(with) > len(best) {
			shared, best = l, with
		}
	}
	return shared, best
}

// incidentGroup is one row for several incidents: the worst of each column.
func (s *scene) incidentGroup(list []manage.IncidentView, members []int, shared label) IncidentLine {
	var line IncidentLine
	monitors := map[int64]bool{}
	owners := map[string]bool{}
	worst, longest, earliest := list[members[0]], list[members[0]], list[members[0]]
	for _, n := range members {
		inc := list[n]
		line.Members = append(line.Members, s.incidentRow(inc))
		monitors[*inc.MonitorID] = true
		owners[inc.OwnerName] = true
		if rank(inc) > rank(worst) {
			worst = inc
		}
		if inc.DurationSeconds > longest.DurationSeconds {
			longest = inc
		}
		if inc.StartedAt.Before(earliest.StartedAt) {
			earliest = inc
		}
		line.Overdue = cmp.Or(line.Overdue, s.overdue(inc))
	}
	row := s.incidentRow(worst)
	row.Started, row.Duration, row.Overdue = s.when(earliest.StartedAt), s.incidentRow(longest).Duration, line.Overdue
	n := int64(len(monitors))
	if row.Title = s.lang.N(n, "%s monitor of group %s", "%s monitors of group %s", shared.group); shared.group == "" {
		row.Title = s.lang.N(n, "%s monitor with tag %s", "%s monitors with tag %s", shared.tag)
	}
	if len(monitors) < len(members) {
		row.Title += ", " + s.lang.N(int64(len(members)), "%s incident", "%s incidents")
	}
	row.Monitors, row.URL, row.Cause = s.lang.Figure(n), "", ""
	if len(owners) > 1 {
		delete(owners, "")
		row.Owner = s.lang.N(int64(len(owners)), "%s person", "%s people")
	}
	line.IncidentRow = row
	return line
}

// rank orders incidents of one group: open before acknowledged, then by impact.
func rank(inc manage.IncidentView) int {
	of := slices.IndexFunc(severityOptions(nil, ""), func(o Option) bool { return o.Value == string(inc.Severity) })
	if inc.AcknowledgedAt == nil {
		of += 10
	}
	return of
}
