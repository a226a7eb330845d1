package manage

import (
	"context"
	"time"

	"monitor/modules/uptime"
)

// Incident gives one incident with its timeline. ErrNotFound.
func (m *Manage) Incident(ctx context.Context, actor uptime.Actor, id int64) (IncidentView, error) {
	if err := m.permit(actor, Read); err != nil {
		return IncidentView{}, err
	}
	inc, err := m.deps.Incidents.Incident(ctx, actor.WorkspaceID, id)
	if err != nil {
		return IncidentView{}, err
	}
	return m.incidentView(ctx, inc, map[int64]string{}), nil
}

// Incidents lists them, newest first.
func (m *Manage) Incidents(ctx context.Context, actor uptime.Actor, f uptime.IncidentFilter, p uptime.Page) (uptime.List[IncidentView], error) {
	var none uptime.List[IncidentView]
	if err := m.permit(actor, Read); err != nil {
		return none, err
	}
	p, err := page(p)
	if err != nil {
		return none, err
	}
	b := &body{}
	checkRange(b, f.From, f.To)
	for _, tag := range f.Tags {
		if tag.Name == "" || hasControl(tag.Name+tag.Value, "") {
			b.fail("tag", "must be a tag's name, or its name and value such as team:web")
		}
	}
	if f.Offset < 0 {
		b.fail("page", "must not be negative")
	}
	if err := b.finish("a filter"); err != nil {
		return none, err
	}
	list, err := m.deps.Incidents.Incidents(ctx, actor.WorkspaceID, f, p)
	if err != nil {
		return none, err
	}
	names := map[int64]string{}
	return mapList(list, func(i uptime.Incident) IncidentView { return m.incidentView(ctx, i, names) }), nil
}

// CountIncidents counts what Incidents would list.
func (m *Manage) CountIncidents(ctx context.Context, actor uptime.Actor, f uptime.IncidentFilter) (int64, error) {
	if err := m.permit(actor, Read); err != nil {
		return 0, err
	}
	return m.deps.Incidents.CountIncidents(ctx, actor.WorkspaceID, f)
}

// maxSpans bounds what IncidentSpans gives.
const maxSpans = 200

// IncidentSpans gives the monitor's own incidents that touch [from, to), newest
// first, up to 200 of them.
func (m *Manage) IncidentSpans(ctx context.Context, actor uptime.Actor, monitorID int64, from, to time.Time) ([]uptime.IncidentSpan, error) {
	if err := m.permit(actor, Read); err != nil {
		return nil, err
	}
	b := &body{}
	checkRange(b, from, to)
	if err := b.finish("a range"); err != nil {
		return nil, err
	}
	return m.deps.Incidents.IncidentSpans(ctx, actor.WorkspaceID, monitorID, from, to, maxSpans)
}

// incidentView shows an incident; names remembers those of users already read.
func (m *Manage) incidentView(ctx context.Context, i uptime.Incident, names map[int64]string) IncidentView {
	until := i.ResolvedAt
	if until.IsZero() {
		until = m.deps.Clock()
	}
	v := IncidentView{
		ID: i.ID, MonitorID: idOrNil(i.MonitorID), MonitorIDs: orEmpty(i.MonitorIDs), Title: i.Title, Status: i.Status,
		Stage: i.Stage, Severity: i.Severity, StartedAt: i.StartedAt.UTC(), AcknowledgedAt: timeOrNil(i.AcknowledgedAt),
		AcknowledgedBy: idOrNil(i.AcknowledgedBy), ResolvedAt: timeOrNil(i.ResolvedAt),
		DurationSeconds: max(seconds(until.Sub(i.StartedAt)), 0), Cause: i.Cause, ErrorKind: i.ErrorKind, Evidence: i.Evidence,
		ConfirmedAt: timeOrNil(i.ConfirmedAt), RecoveredAt: timeOrNil(i.RecoveredAt), OwnerID: idOrNil(i.OwnerID), NextUpdateBy: timeOrNil(i.NextUpdateBy),
		Updates: []UpdateView{}, CreatedAt: i.CreatedAt.UTC(), UpdatedAt: i.UpdatedAt.UTC(), ETag: etag(i.Version),
	}
	if i.MonitorID != 0 && len(v.MonitorIDs) == 0 {
		v.MonitorIDs = []int64{i.MonitorID}
	}
	if i.AcknowledgedBy != 0 {
		v.AcknowledgedByName = m.nameOf(ctx, i.WorkspaceID, i.AcknowledgedBy, names)
	}
	if i.OwnerID != 0 {
		v.OwnerName = m.nameOf(ctx, i.WorkspaceID, i.OwnerID, names)
	}
	if i.MonitorID == 0 {
		v.ConfirmedAt = nil
	}
	if !i.Unresolved() {
		v.NextUpdateBy = nil // a recovery by itself leaves it as it was
	}
	if p := i.Postmortem; p.Text != "" {
		v.Postmortem = &PostmortemView{Text: p.Text, Published: p.Published, WrittenAt: p.WrittenAt.UTC()}
	}
	for _, u := range i.Updates {
		if u.Author == "" && u.AuthorID != 0 { // who gave no name is known by another
			u.Author = m.nameOf(ctx, i.WorkspaceID, u.AuthorID, names)
		}
		v.Updates = append(v.Updates, UpdateView{
			ID: u.ID, At: u.At.UTC(), AuthorID: idOrNil(u.AuthorID), Author: u.Author, Stage: u.Stage, Message: u.Message,
			Internal: u.Internal, EditedAt: timeOrNil(u.EditedAt),
		})
	}
	return v
}

// nameOf gives a user's name for people; who is gone has none any more.
func (m *Manage) nameOf(ctx context.Context, ws, id int64, names map[int64]string) string {
	if name, known := names[id]; known {
		return name
	}
	user, err := m.deps.Users.User(ctx, ws, id)
	if err != nil {
		names[id] = ""
		return ""
	}
	names[id] = displayName(user)
	return names[id]
}
