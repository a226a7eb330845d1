package manage

import (
	"context"
	"slices"
	"strings"
	"time"

	"monitor/modules/uptime"
)

// Monitor gives one monitor. ErrNotFound.
func (m *Manage) Monitor(ctx context.Context, actor uptime.Actor, id int64) (MonitorView, error) {
	if err := m.permit(actor, Read); err != nil {
		return MonitorView{}, err
	}
	mon, err := m.deps.Monitors.Monitor(ctx, actor.WorkspaceID, id)
	if err != nil {
		return MonitorView{}, err
	}
	return m.monitorView(mon), nil
}

// Monitors lists them. CodeInvalid for a filter that cannot be used.
func (m *Manage) Monitors(ctx context.Context, actor uptime.Actor, f uptime.MonitorFilter, p uptime.Page) (uptime.List[MonitorView], error) {
	var none uptime.List[MonitorView]
	if err := m.permit(actor, Read); err != nil {
		return none, err
	}
	p, err := page(p)
	if err != nil {
		return none, err
	}
	if err := m.checkFilter(f); err != nil {
		return none, err
	}
	list, err := m.deps.MonitorLists.Monitors(ctx, actor.WorkspaceID, f, p)
	if err != nil {
		return none, err
	}
	return mapList(list, m.monitorView), nil
}

// CountMonitors counts what Monitors would list.
func (m *Manage) CountMonitors(ctx context.Context, actor uptime.Actor, f uptime.MonitorFilter) (int64, error) {
	if err := m.permit(actor, Read); err != nil {
		return 0, err
	}
	if err := m.checkFilter(f); err != nil {
		return 0, err
	}
	return m.deps.MonitorLists.CountMonitors(ctx, actor.WorkspaceID, f)
}

// maxIDs bounds the monitors that a list is asked for by id.
const maxIDs = 200

func (m *Manage) checkFilter(f uptime.MonitorFilter) error {
	b := &body{}
	for _, status := range f.Statuses {
		if !status.Valid() {
			b.fail("status", "must be one of %s", joined(uptime.Statuses()))
		}
	}
	names := kindNames(m.deps.ProbeKinds)
	for _, name := range f.Types {
		if !slices.Contains(names, name) {
			b.fail("type", "must be one of %s", strings.Join(names, ", "))
		}
	}
	if len(f.IDs) > maxIDs {
		b.fail("ids", "must be at most %d", maxIDs)
	}
	for _, tag := range f.Tags {
		if tag.Name == "" || hasControl(tag.Name+tag.Value, "") {
			b.fail("tag", "must be a tag's name, or its name and value such as team:web")
		}
	}
	if hasControl(f.Query, "") || len(f.Query) > 1000 {
		b.fail("q", "must be at most 1000 bytes without control characters")
	}
	if hasControl(f.Group, "") || len(f.Group) > 1000 {
		b.fail("group", "must be at most 1000 bytes without control characters")
	}
	sorts := []string{"status", "name", "checked", "response", "group"}
	if f.Sort != "" && !slices.Contains(sorts, f.Sort) {
		b.fail("sort", "must be one of %s", strings.Join(sorts, ", "))
	}
	if f.Offset < 0 {
		b.fail("page", "must not be negative")
	}
	return b.finish("a filter")
}

// Facets counts what Monitors would list, and what it would with other conditions.
func (m *Manage) Facets(ctx context.Context, actor uptime.Actor, f uptime.MonitorFilter) (FacetsView, error) {
	if err := m.permit(actor, Read); err != nil {
		return FacetsView{}, err
	}
	if err := m.checkFilter(f); err != nil {
		return FacetsView{}, err
	}
	found, err := m.deps.Groups.Facets(ctx, actor.WorkspaceID, f)
	if err != nil {
		return FacetsView{}, err
	}
	v := FacetsView{Total: found.Total, Statuses: map[uptime.Status]int64{}, Types: found.Types, Groups: found.Groups, Tags: []TagCountView{}}
	for _, status := range uptime.Statuses() {
		v.Statuses[status] = found.Statuses[status]
	}
	if v.Groups == nil {
		v.Groups = map[string]int64{}
	}
	for _, t := range found.Tags {
		v.Tags = append(v.Tags, TagCountView{t.Name, t.Value, t.N})
	}
	return v, nil
}

// Groups lists groups of what Monitors would list, worst first, with some of their
// monitors, and counts all groups.
func (m *Manage) Groups(ctx context.Context, actor uptime.Actor, f uptime.MonitorFilter, limit, offset int) ([]GroupView, int64, error) {
	return m.groups(ctx, actor, f, limit, offset, m.deps.Groups.Groups)
}

// GroupHeads is Groups without their monitors, for less.
func (m *Manage) GroupHeads(ctx context.Context, actor uptime.Actor, f uptime.MonitorFilter, limit, offset int) ([]GroupView, int64, error) {
	return m.groups(ctx, actor, f, limit, offset, m.deps.Groups.GroupHeads)
}

type readGroups func(ctx context.Context, ws int64, f uptime.MonitorFilter, limit, offset int) ([]uptime.MonitorGroup, int64, error)

func (m *Manage) groups(ctx context.Context, actor uptime.Actor, f uptime.MonitorFilter, limit, offset int, read readGroups) ([]GroupView, int64, error) {
	if err := m.permit(actor, Read); err != nil {
		return nil, 0, err
	}
	if err := m.checkFilter(f); err != nil {
		return nil, 0, err
	}
	groups, total, err := read(ctx, actor.WorkspaceID, f, limit, offset)
	if err != nil {
		return nil, 0, err
	}
	out := make([]GroupView, len(groups))
	for i, g := range groups {
		out[i] = GroupView{Path: g.Path, Worst: g.Worst, Counts: g.Counts}
		for _, mon := range g.Rows {
			out[i].Rows = append(out[i].Rows, m.monitorView(mon))
		}
	}
	return out, total, nil
}

// maxExpiring bounds what ExpiringCertificates gives.
const maxExpiring = 20

// ExpiringCertificates gives the monitors that are not paused and whose certificate
// ends within a time from now, or did already: the first to end first, up to 20.
func (m *Manage) ExpiringCertificates(ctx context.Context, actor uptime.Actor, within time.Duration) ([]MonitorView, error) {
	if err := m.permit(actor, Read); err != nil {
		return nil, err
	}
	list, err := m.deps.MonitorLists.ExpiringMonitors(ctx, actor.WorkspaceID, m.deps.Clock().Add(within), maxExpiring)
	if err != nil {
		return nil, err
	}
	return mapList(uptime.List[uptime.Monitor]{Items: list}, m.monitorView).Items, nil
}

// Counts gives the living monitors by status, every status included.
func (m *Manage) Counts(ctx context.Context, actor uptime.Actor) (Counts, error) {
	if err := m.permit(actor, Read); err != nil {
		return nil, err
	}
	counts, err := m.deps.MonitorLists.StatusCounts(ctx, actor.WorkspaceID)
	if err != nil {
		return nil, err
	}
	all := Counts{}
	for _, status := range uptime.Statuses() {
		all[status] = counts[status]
	}
	return all, nil
}

// TagsAndGroups gives the names in use.
func (m *Manage) TagsAndGroups(ctx context.Context, actor uptime.Actor) (TagsAndGroups, error) {
	if err := m.permit(actor, Read); err != nil {
		return TagsAndGroups{}, err
	}
	tags, groups, err := m.deps.MonitorLists.TagsAndGroups(ctx, actor.WorkspaceID)
	if err != nil {
		return TagsAndGroups{}, err
	}
	return TagsAndGroups{Tags: tags, Groups: groups}, nil
}

// MonitorKinds describes the types of monitors, in the order shown to people.
func (m *Manage) MonitorKinds() []uptime.Kind { return m.deps.ProbeKinds.Kinds() }

// ChannelKinds describes the types of channels, in the order shown to people.
func (m *Manage) ChannelKinds() []uptime.Kind { return m.deps.ChannelKinds.Kinds() }
