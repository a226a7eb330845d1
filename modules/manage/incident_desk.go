package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"monitor/modules/uptime"
)

// DeleteIncident removes an incident made by hand; for 7 days it can be brought back. One
// of a monitor stays: CodeConflict.
func (m *Manage) DeleteIncident(ctx context.Context, actor uptime.Actor, id int64, ifMatch string) error {
	if err := m.permit(actor, ChangeIncident); err != nil {
		return err
	}
	old, err := m.deps.Incidents.Incident(ctx, actor.WorkspaceID, id)
	if err != nil {
		return err
	}
	if old.MonitorID != 0 {
		return uptime.Fail(uptime.CodeConflict, "An incident of a monitor is what happened and stays; only those made by hand can be deleted.")
	}
	audit := m.audited(actor, "incident.delete", "incident", id)
	audit.Detail = detail(map[string]any{"title": old.Title})
	err = m.deps.IncidentDesk.DeleteIncident(ctx, actor.WorkspaceID, id, func(inc uptime.Incident) error { return checkMatch(ifMatch, inc.Version) }, audit)
	if err != nil {
		return err
	}
	m.announce(ctx, notice(uptime.TopicIncident, actor.WorkspaceID, id))
	return nil
}

// RestoreIncident brings a deleted incident back.
func (m *Manage) RestoreIncident(ctx context.Context, actor uptime.Actor, id int64) (IncidentView, error) {
	if err := m.permit(actor, ChangeIncident); err != nil {
		return IncidentView{}, err
	}
	saved, err := m.deps.IncidentDesk.RestoreIncident(ctx, actor.WorkspaceID, id, m.audited(actor, "incident.restore", "incident", id))
	if err != nil {
		return IncidentView{}, err
	}
	m.announce(ctx, notice(uptime.TopicIncident, saved.WorkspaceID, id))
	return m.incidentView(ctx, saved, map[int64]string{}), nil
}

// readOwner reads who takes care of an incident: a member who may log in.
func (m *Manage) readOwner(ctx context.Context, actor uptime.Actor, b *body, into *int64) error {
	if !b.id("owner_id", into) {
		return nil
	}
	user, err := m.deps.Users.User(ctx, actor.WorkspaceID, *into)
	switch {
	case errors.Is(err, uptime.ErrNotFound):
		b.fail("owner_id", "is nobody of this workspace")
	case err != nil:
		return fmt.Errorf("read the owner of an incident: %w", err)
	case !assignable(user):
		b.fail("owner_id", "is somebody who cannot log in")
	}
	return nil
}

func assignable(u uptime.User) bool { return !u.Disabled && !u.Invited() }

// handOver makes somebody the owner, 0 nobody, and says so to the team.
func handOver(inc *uptime.Incident, to int64, name string, actor uptime.Actor) []uptime.IncidentUpdate {
	if to == inc.OwnerID {
		return nil
	}
	said := uptime.Say("Assigned to %s.", name)
	switch {
	case to == 0 && inc.OwnerID == actor.UserID:
		said = uptime.Say("Gave it up: nobody takes care of it now.")
	case to == 0:
		said = uptime.Say("Took it from its owner: nobody takes care of it now.")
	case to == actor.UserID:
		said = uptime.Say("Took it over.")
	}
	inc.OwnerID = to
	return []uptime.IncidentUpdate{{Message: said, Internal: true}}
}

// HandedOver reports that a line of a timeline is what handOver says, in English as it is
// stored. Somebody could have typed the same: who asks looks at who may have.
func HandedOver(message string) bool {
	switch message {
	case "Took it over.", "Gave it up: nobody takes care of it now.", "Took it from its owner: nobody takes care of it now.":
		return true
	}
	return strings.HasPrefix(message, "Assigned to ") && strings.HasSuffix(message, ".") && !strings.Contains(message, "\n")
}

// Assignees are those who may take care of an incident, at most 200, by name.
func (m *Manage) Assignees(ctx context.Context, actor uptime.Actor) (uptime.List[PersonView], error) {
	var none uptime.List[PersonView]
	if err := m.permit(actor, ReadTeam); err != nil {
		return none, err
	}
	list, err := m.deps.Users.Users(ctx, actor.WorkspaceID, uptime.Page{Limit: 200})
	if err != nil {
		return none, err
	}
	list.Next = ""
	list.Items = slices.DeleteFunc(list.Items, func(u uptime.User) bool { return !assignable(u) })
	return mapList(list, func(u uptime.User) PersonView { return PersonView{ID: u.ID, Name: displayName(u)} }), nil
}

// MonitorsOf gives the living monitors among ids, by id; at most 200.
func (m *Manage) MonitorsOf(ctx context.Context, actor uptime.Actor, ids []int64) ([]MonitorView, error) {
	if err := m.permit(actor, Read); err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := m.deps.IncidentDesk.MonitorsOf(ctx, actor.WorkspaceID, ids[:min(len(ids), maxIncidentMonitors)])
	if err != nil {
		return nil, err
	}
	out := make([]MonitorView, 0, len(found))
	for _, mon := range found {
		out = append(out, m.monitorView(mon))
	}
	return out, nil
}

// IncidentEdits are the newest changes of an incident by people, at most 20, newest first.
// It is for who may change it: they hear what came between.
func (m *Manage) IncidentEdits(ctx context.Context, actor uptime.Actor, id int64) ([]AuditView, error) {
	if err := m.permit(actor, ReadTeam); err != nil {
		return nil, err
	}
	if _, err := m.deps.Incidents.Incident(ctx, actor.WorkspaceID, id); err != nil {
		return nil, err
	}
	list, err := m.deps.AuditLog.AuditLog(ctx, actor.WorkspaceID, uptime.AuditFilter{ObjectType: "incident", ObjectID: id}, uptime.Page{Limit: 20})
	if err != nil {
		return nil, err
	}
	out := mapList(list, auditView).Items
	for i := range out { // where somebody was is for admins
		out[i].Address, out[i].Email = "", ""
	}
	return out, nil
}

// maxPostmortem bounds a post-mortem, in characters.
const maxPostmortem = 50_000

// readPostmortem reads {"text","published"}; null takes it away.
func readPostmortem(b *body, now time.Time, inc *uptime.Incident) {
	raw, there := b.take("postmortem")
	if !there {
		inc.Postmortem = uptime.Postmortem{}
		return
	}
	p := &body{}
	if json.Unmarshal(raw, &p.fields) != nil || p.fields == nil {
		b.fail("postmortem", "must be an object or null")
		return
	}
	next := uptime.Postmortem{WrittenAt: now.Truncate(time.Millisecond)}
	p.prose("text", maxPostmortem, &next.Text)
	p.boolean("published", &next.Published)
	p.readOnly("written_at")
	for _, e := range fieldsOf(p.finish("a post-mortem")) {
		b.fail("postmortem."+e.Field, "%s", e.Message)
	}
	if next.Text == "" {
		next = uptime.Postmortem{}
	}
	inc.Postmortem = next
}

func fieldsOf(err error) []uptime.FieldError {
	if e, ok := errors.AsType[*uptime.Error](err); ok {
		return e.Fields
	}
	return nil
}

// writePostmortem sets it; what goes on has none yet.
func writePostmortem(inc *uptime.Incident, next uptime.Postmortem) error {
	if next == inc.Postmortem {
		return nil
	}
	if inc.Unresolved() && next.Text != "" {
		return uptime.Fail(uptime.CodeConflict, "The incident is not resolved yet; its post-mortem comes after that.")
	}
	if next.Text == inc.Postmortem.Text && next.Text != "" {
		next.WrittenAt = inc.Postmortem.WrittenAt
	}
	inc.Postmortem = next
	return nil
}
