package manage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"monitor/modules/uptime"
)

const (
	maxIncidentMonitors = 200
	maxMessage          = 5_000

	// resolvedLine is of a timeline, where nobody wrote one.
	resolvedLine uptime.Sentence = "Resolved."
)

func stages() []uptime.Stage {
	return []uptime.Stage{uptime.StageInvestigating, uptime.StageIdentified, uptime.StageMonitoring, uptime.StageResolved}
}

func severities() []uptime.Severity {
	return []uptime.Severity{uptime.SeverityNone, uptime.SeverityMinor, uptime.SeverityMajor, uptime.SeverityCritical}
}

// CreateIncident makes one by hand from {"title","stage","severity","message","internal",
// "monitor_ids","started_at","owner_id","next_update_by"}; all but the title have defaults.
func (m *Manage) CreateIncident(ctx context.Context, actor uptime.Actor, raw json.RawMessage) (IncidentView, error) {
	if err := m.permit(actor, ChangeIncident); err != nil {
		return IncidentView{}, err
	}
	b, err := parseBody(raw)
	if err != nil {
		return IncidentView{}, err
	}
	now := m.deps.Clock().Truncate(time.Millisecond)
	inc := uptime.Incident{
		WorkspaceID: actor.WorkspaceID, Status: uptime.IncidentOpen, Stage: uptime.StageInvestigating,
		Severity: uptime.SeverityMinor, StartedAt: now,
	}
	line := uptime.IncidentUpdate{At: now, AuthorID: actor.UserID, Author: actor.Name}
	b.required("title", uptime.MaxNameLength, &inc.Title)
	choice(b, "stage", stages()[:3], &inc.Stage)
	choice(b, "severity", severities(), &inc.Severity)
	b.prose("message", maxMessage, &line.Message)
	b.boolean("internal", &line.Internal)
	readStart(b, now, &inc)
	readPromise(b, now, &inc.NextUpdateBy)
	if inc.MonitorIDs, err = m.readMonitorIDs(ctx, actor, b); err != nil {
		return IncidentView{}, err
	}
	if err := m.readOwner(ctx, actor, b, &inc.OwnerID); err != nil {
		return IncidentView{}, err
	}
	b.readOnly(slices.Concat(whatHappened(), []string{"postmortem"})...)
	if err := b.finish("an incident"); err != nil {
		return IncidentView{}, err
	}
	inc.ConfirmedAt = now
	if line.Message != "" {
		line.Stage = inc.Stage
		inc.Updates = []uptime.IncidentUpdate{line}
		tellCause(&inc, "", line)
	}
	audit := m.audited(actor, "incident.create", "incident", 0)
	audit.Detail = detail(map[string]any{"title": inc.Title, "severity": inc.Severity})
	saved, err := m.deps.Incidents.CreateIncident(ctx, inc, audit)
	if err != nil {
		return IncidentView{}, err
	}
	m.announce(ctx, notice(uptime.TopicIncident, saved.WorkspaceID, saved.ID))
	return m.incidentView(ctx, saved, map[int64]string{}), nil
}

// whatHappened are the members of an incident that nobody writes.
func whatHappened() []string {
	return []string{
		"id", "monitor_id", "status", "acknowledged_at", "acknowledged_by", "acknowledged_by_name", "confirmed_at", "recovered_at", "resolved_at",
		"duration_seconds", "owner_name", "cause", "error_kind", "evidence", "updates", "created_at", "updated_at",
	}
}

func readStart(b *body, now time.Time, inc *uptime.Incident) {
	if !b.moment("started_at", &inc.StartedAt) {
		return
	}
	switch {
	case inc.StartedAt.After(now):
		b.fail("started_at", "must not be in the future")
	case !inc.ResolvedAt.IsZero() && inc.StartedAt.After(inc.ResolvedAt):
		b.fail("started_at", "must not be after the end")
	}
}

// tellCause keeps the cause of an incident made by hand what its first line says, as long
// as that is for everybody.
func tellCause(inc *uptime.Incident, was string, line uptime.IncidentUpdate) {
	if inc.MonitorID != 0 || inc.Cause != was {
		return
	}
	inc.Cause = line.Message
	if line.Internal {
		inc.Cause = ""
	}
}

// readMonitorIDs reads which monitors an incident made by hand is about.
func (m *Manage) readMonitorIDs(ctx context.Context, actor uptime.Actor, b *body) ([]int64, error) {
	ids, at, _ := b.ids("monitor_ids", maxIncidentMonitors)
	if len(ids) == 0 {
		return ids, nil
	}
	found, err := m.deps.IncidentDesk.MonitorsOf(ctx, actor.WorkspaceID, ids)
	if err != nil {
		return nil, fmt.Errorf("read monitors: %w", err)
	}
	for _, id := range ids {
		if !slices.ContainsFunc(found, func(mon uptime.Monitor) bool { return mon.ID == id }) {
			b.fail(fmt.Sprintf("monitor_ids[%d]", at[id]), "is not a monitor of yours")
		}
	}
	return ids, nil
}

// PatchIncident merges {"title","stage","severity","owner_id","next_update_by",
// "postmortem","message","internal"} and, of one made by hand, {"monitor_ids",
// "started_at"}. A message, a new stage or another owner becomes a line of the timeline;
// the stage resolved resolves.
func (m *Manage) PatchIncident(ctx context.Context, actor uptime.Actor, id int64, patch json.RawMessage, ifMatch string) (IncidentView, error) {
	if err := m.permit(actor, ChangeIncident); err != nil {
		return IncidentView{}, err
	}
	old, err := m.deps.Incidents.Incident(ctx, actor.WorkspaceID, id)
	if err != nil {
		return IncidentView{}, err
	}
	base, err := json.Marshal(m.incidentView(ctx, old, map[int64]string{}))
	if err != nil {
		return IncidentView{}, fmt.Errorf("write incident: %w", err)
	}
	b, asked, err := mergePatch(base, patch)
	if err != nil {
		return IncidentView{}, err
	}
	change, err := m.readIncidentPatch(ctx, actor, b, asked, old)
	if err != nil {
		return IncidentView{}, err
	}
	return m.changeIncident(ctx, actor, id, "incident.update", func(inc *uptime.Incident, now time.Time) ([]uptime.IncidentUpdate, uptime.EventType, error) {
		if err := checkMatch(ifMatch, inc.Version); err != nil {
			return nil, "", err
		}
		return change(inc, now)
	})
}

// incidentChange changes an incident and says what is added to its timeline and
// what channels are told; nothing and "": nothing.
type incidentChange func(inc *uptime.Incident, now time.Time) ([]uptime.IncidentUpdate, uptime.EventType, error)

// readIncidentPatch reads what the patch asks for, and only that is changed: an incident
// may have gone on since it was read. What the patch leaves alone is not judged: the
// program's own titles follow no limit, and an answer may be sent back whole.
func (m *Manage) readIncidentPatch(ctx context.Context, actor uptime.Actor, b, asked *body, old uptime.Incident) (incidentChange, error) {
	next, line, now := old, uptime.IncidentUpdate{}, m.deps.Clock()
	var failed error
	readers := map[string]func(){
		"title":          func() { b.required("title", uptime.MaxNameLength, &next.Title) },
		"stage":          func() { choice(b, "stage", stages(), &next.Stage) },
		"severity":       func() { choice(b, "severity", severities(), &next.Severity) },
		"owner_id":       func() { next.OwnerID = 0; failed = errors.Join(failed, m.readOwner(ctx, actor, b, &next.OwnerID)) },
		"next_update_by": func() { next.NextUpdateBy = time.Time{}; readPromise(b, now, &next.NextUpdateBy) },
		"postmortem":     func() { readPostmortem(b, now, &next) },
		"started_at":     func() { readStart(b, now, &next) },
		"monitor_ids": func() {
			ids, err := m.readMonitorIDs(ctx, actor, b)
			next.MonitorIDs, failed = ids, errors.Join(failed, err)
		},
	}
	same, changed := sameMembers(m.incidentView(ctx, old, map[int64]string{}), asked), map[string]bool{}
	for _, field := range []string{"title", "stage", "severity", "owner_id", "next_update_by", "postmortem", "started_at", "monitor_ids"} {
		b.readOnly(field)
		ofMonitor := old.MonitorID != 0 && (field == "started_at" || field == "monitor_ids")
		if asked.given(field) && !ofMonitor && !same[field] {
			changed[field] = true
			readers[field]()
		}
	}
	b.prose("message", maxMessage, &line.Message)
	b.boolean("internal", &line.Internal)
	b.readOnly(whatHappened()...)
	if failed != nil {
		return nil, failed
	}
	if err := b.finish("an incident"); err != nil {
		return nil, err
	}
	return patching(changed, next, line, m.nameOf(ctx, actor.WorkspaceID, next.OwnerID, map[int64]string{}), actor), nil
}

// patching brings the changed members of next, and a line, to an incident. owner is the name of
// who is to have it.
func patching(changed map[string]bool, next uptime.Incident, line uptime.IncidentUpdate, owner string, actor uptime.Actor) incidentChange {
	return func(inc *uptime.Incident, now time.Time) ([]uptime.IncidentUpdate, uptime.EventType, error) {
		if changed["title"] {
			inc.Title = next.Title
		}
		if changed["severity"] {
			inc.Severity = next.Severity
		}
		if changed["monitor_ids"] {
			inc.MonitorIDs = next.MonitorIDs
		}
		if changed["started_at"] {
			inc.StartedAt = next.StartedAt
		}
		var lines []uptime.IncidentUpdate
		if changed["owner_id"] {
			lines = handOver(inc, next.OwnerID, owner, actor)
		}
		stage := inc.Stage
		if changed["stage"] {
			stage = next.Stage
		}
		more, tell, err := moveStage(inc, now, stage, line)
		if err == nil && changed["next_update_by"] {
			err = keepPromise(inc, next.NextUpdateBy)
		}
		if err == nil && changed["postmortem"] {
			err = writePostmortem(inc, next.Postmortem)
		}
		return append(lines, more...), tell, err
	}
}

// sameMembers are the members of a body that say what the object says already: an answer
// sent back whole asks for nothing.
func sameMembers(view IncidentView, asked *body) map[string]bool {
	out := map[string]bool{}
	for name, now := range members(view) {
		out[name] = string(now) == string(asked.fields[name]) && string(now) != "null"
	}
	return out
}

func (m *Manage) changeIncident(ctx context.Context, actor uptime.Actor, id int64, action string, change incidentChange) (IncidentView, error) {
	audit := m.audited(actor, action, "incident", id)
	saved, err := m.deps.Incidents.UpdateIncident(ctx, actor.WorkspaceID, id, func(inc *uptime.Incident) ([]uptime.IncidentUpdate, []uptime.Event, error) {
		now := m.deps.Clock().Truncate(time.Millisecond)
		before := incidentMembers(*inc, "")
		lines, tell, err := change(inc, now)
		if err != nil {
			return nil, nil, err
		}
		message := ""
		for i := range lines {
			lines[i].IncidentID, lines[i].At, lines[i].AuthorID, lines[i].Author = inc.ID, now, actor.UserID, actor.Name
			message = lines[i].Message
		}
		after := incidentMembers(*inc, message)
		audit.Detail = changes(before, after, before, after)
		return lines, m.incidentEvents(actor, *inc, tell, now), nil
	}, audit)
	if err != nil {
		return IncidentView{}, err
	}
	m.announce(ctx, notice(uptime.TopicIncident, saved.WorkspaceID, id), notice(uptime.TopicOutbox, saved.WorkspaceID, 0))
	return m.incidentView(ctx, saved, map[int64]string{}), nil
}

// incidentMembers are what people change of an incident, for the audit log, and what they
// write beside it. Lines that were there are named by their ids.
func incidentMembers(inc uptime.Incident, message string) map[string]json.RawMessage {
	out := members(struct {
		Title        string                `json:"title"`
		Status       uptime.IncidentStatus `json:"status"`
		Stage        uptime.Stage          `json:"stage"`
		Severity     uptime.Severity       `json:"severity"`
		StartedAt    time.Time             `json:"started_at"`
		MonitorIDs   []int64               `json:"monitor_ids"`
		OwnerID      *int64                `json:"owner_id"`
		NextUpdateBy *time.Time            `json:"next_update_by"`
		Postmortem   string                `json:"postmortem"`
		Published    bool                  `json:"postmortem_published"`
		Message      string                `json:"message,omitempty"`
	}{
		inc.Title, inc.Status, inc.Stage, inc.Severity, inc.StartedAt.UTC(), orEmpty(inc.MonitorIDs), idOrNil(inc.OwnerID), timeOrNil(inc.NextUpdateBy),
		inc.Postmortem.Text, inc.Postmortem.Published, message,
	})
	for _, u := range inc.Updates {
		said, err := json.Marshal(map[string]any{"message": u.Message, "internal": u.Internal})
		if err == nil {
			out[fmt.Sprintf("update %d", u.ID)] = said
		}
	}
	return out
}

// incidentEvents gives what the channels of the incident's monitor are told. One
// made by hand belongs to no monitor and so to no channel.
func (m *Manage) incidentEvents(actor uptime.Actor, inc uptime.Incident, tell uptime.EventType, now time.Time) []uptime.Event {
	if tell == "" || inc.MonitorID == 0 {
		return nil
	}
	event := uptime.NewEvent(m.deps.Random, tell, uptime.Monitor{ID: inc.MonitorID, WorkspaceID: inc.WorkspaceID}, &inc, nil, now)
	// The store knows the monitor and fills it in.
	event.Data.Monitor = nil
	if tell == uptime.EventAcknowledged {
		event.Data.Incident.AcknowledgedBy = actor.Name
	}
	if tell == uptime.EventResolved {
		event.Data.Incident.Reason = "Resolved by " + cmp.Or(actor.Name, "hand") + "."
	}
	return []uptime.Event{event}
}
