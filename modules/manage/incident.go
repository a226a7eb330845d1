package manage

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"monitor/modules/uptime"
)

const (
	maxIncidentMonitors = 200
	maxMessage          = 10000
	resolvedLine        = "Resolved." // of a timeline, where nobody wrote one
)

func stages() []uptime.Stage {
	return []uptime.Stage{uptime.StageInvestigating, uptime.StageIdentified, uptime.StageMonitoring, uptime.StageResolved}
}

func severities() []uptime.Severity {
	return []uptime.Severity{uptime.SeverityNone, uptime.SeverityMinor, uptime.SeverityMajor, uptime.SeverityCritical}
}

// CreateIncident makes one by hand from {"title","stage","severity","message",
// "monitor_ids","started_at"}; all but the title have defaults.
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
	var message string
	b.required("title", uptime.MaxNameLength, &inc.Title)
	choice(b, "stage", stages()[:3], &inc.Stage)
	choice(b, "severity", severities(), &inc.Severity)
	b.prose("message", maxMessage, &message)
	if b.moment("started_at", &inc.StartedAt) && inc.StartedAt.After(now) {
		b.fail("started_at", "must not be in the future")
	}
	if inc.MonitorIDs, err = m.readMonitorIDs(ctx, actor, b); err != nil {
		return IncidentView{}, err
	}
	b.readOnly("id", "monitor_id", "status", "acknowledged_at", "acknowledged_by", "acknowledged_by_name", "resolved_at",
		"duration_seconds", "cause", "error_kind", "evidence", "updates", "created_at", "updated_at")
	if err := b.finish("an incident"); err != nil {
		return IncidentView{}, err
	}
	inc.Cause, inc.ConfirmedAt = message, now
	if message != "" {
		inc.Updates = []uptime.IncidentUpdate{{At: now, AuthorID: actor.UserID, Author: actor.Name, Stage: inc.Stage, Message: message}}
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

// readMonitorIDs reads which monitors an incident made by hand is about.
func (m *Manage) readMonitorIDs(ctx context.Context, actor uptime.Actor, b *body) ([]int64, error) {
	ids, at, _ := b.ids("monitor_ids", maxIncidentMonitors)
	for _, id := range ids {
		_, err := m.deps.Monitors.Monitor(ctx, actor.WorkspaceID, id)
		switch {
		case errors.Is(err, uptime.ErrNotFound):
			b.fail(fmt.Sprintf("monitor_ids[%d]", at[id]), "is not a monitor of yours")
		case err != nil:
			return nil, fmt.Errorf("read monitor: %w", err)
		}
	}
	return ids, nil
}

// PatchIncident merges {"title","stage","severity","monitor_ids","message"};
// monitor_ids only of one made by hand. A message or a new stage becomes a line
// of the timeline; the stage resolved resolves.
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
	return m.changeIncident(ctx, actor, id, "incident.update", func(inc *uptime.Incident, now time.Time) (*uptime.IncidentUpdate, uptime.EventType, error) {
		if err := checkMatch(ifMatch, inc.Version); err != nil {
			return nil, "", err
		}
		return change(inc, now)
	})
}

// incidentChange changes an incident and says what is added to its timeline and
// what channels are told; nil and "": nothing.
type incidentChange func(inc *uptime.Incident, now time.Time) (*uptime.IncidentUpdate, uptime.EventType, error)

func (m *Manage) readIncidentPatch(ctx context.Context, actor uptime.Actor, b, asked *body, old uptime.Incident) (incidentChange, error) {
	next := old
	var message string
	b.readOnly("title", "stage", "severity")
	// What the patch leaves alone is not judged: the program's own titles follow
	// no limit.
	if asked.given("title") {
		b.required("title", uptime.MaxNameLength, &next.Title)
	}
	if asked.given("stage") {
		choice(b, "stage", stages(), &next.Stage)
	}
	if asked.given("severity") {
		choice(b, "severity", severities(), &next.Severity)
	}
	b.prose("message", maxMessage, &message)
	if old.MonitorID != 0 || !asked.given("monitor_ids") {
		// An answer may be sent back whole.
		b.readOnly("monitor_ids")
	} else {
		var err error
		if next.MonitorIDs, err = m.readMonitorIDs(ctx, actor, b); err != nil {
			return nil, err
		}
	}
	b.readOnly("id", "monitor_id", "status", "started_at", "acknowledged_at", "acknowledged_by", "acknowledged_by_name",
		"resolved_at", "duration_seconds", "cause", "error_kind", "evidence", "updates", "created_at", "updated_at")
	if err := b.finish("an incident"); err != nil {
		return nil, err
	}
	return func(inc *uptime.Incident, now time.Time) (*uptime.IncidentUpdate, uptime.EventType, error) {
		inc.Title, inc.Severity, inc.MonitorIDs = next.Title, next.Severity, next.MonitorIDs
		return moveStage(inc, now, next.Stage, message, actor)
	}, nil
}

// moveStage brings an incident to a stage and says so in its timeline.
func moveStage(inc *uptime.Incident, now time.Time, stage uptime.Stage, message string, actor uptime.Actor) (*uptime.IncidentUpdate, uptime.EventType, error) {
	var tell uptime.EventType
	moved := stage != inc.Stage
	switch {
	case moved && !inc.Unresolved():
		return nil, "", uptime.Fail(uptime.CodeConflict, "The incident is resolved; its stage cannot change any more.")
	case moved && stage == uptime.StageResolved:
		resolve(inc, now)
		tell = uptime.EventResolved
		if message == "" {
			message = resolvedLine
		}
	case moved:
		inc.Stage = stage
	}
	if !moved && message == "" {
		return nil, "", nil
	}
	update := &uptime.IncidentUpdate{At: now, AuthorID: actor.UserID, Author: actor.Name, Message: message}
	if moved {
		update.Stage = stage
	}
	return update, tell, nil
}

func resolve(inc *uptime.Incident, now time.Time) {
	inc.Status, inc.Stage, inc.ResolvedAt = uptime.IncidentResolved, uptime.StageResolved, now
	inc.NextReminderAt = time.Time{}
}

// AcknowledgeIncident takes {"message"} or nothing. Reminders end. CodeConflict
// when it is acknowledged or resolved already.
func (m *Manage) AcknowledgeIncident(ctx context.Context, actor uptime.Actor, id int64, raw json.RawMessage) (IncidentView, error) {
	message, err := m.readIncidentMessage(actor, raw)
	if err != nil {
		return IncidentView{}, err
	}
	return m.changeIncident(ctx, actor, id, "incident.acknowledge", func(inc *uptime.Incident, now time.Time) (*uptime.IncidentUpdate, uptime.EventType, error) {
		if inc.Status != uptime.IncidentOpen {
			return nil, "", uptime.Fail(uptime.CodeConflict, "The incident is already %s.", inc.Status)
		}
		inc.Status, inc.AcknowledgedAt, inc.AcknowledgedBy = uptime.IncidentAcknowledged, now, actor.UserID
		inc.NextReminderAt = time.Time{}
		if message == "" {
			message = "Acknowledged."
		}
		return &uptime.IncidentUpdate{At: now, AuthorID: actor.UserID, Author: actor.Name, Message: message}, uptime.EventAcknowledged, nil
	})
}

// ResolveIncident takes {"message"} or nothing. CodeConflict when it is resolved
// already.
func (m *Manage) ResolveIncident(ctx context.Context, actor uptime.Actor, id int64, raw json.RawMessage) (IncidentView, error) {
	message, err := m.readIncidentMessage(actor, raw)
	if err != nil {
		return IncidentView{}, err
	}
	return m.changeIncident(ctx, actor, id, "incident.resolve", func(inc *uptime.Incident, now time.Time) (*uptime.IncidentUpdate, uptime.EventType, error) {
		if !inc.Unresolved() {
			return nil, "", uptime.Fail(uptime.CodeConflict, "The incident is already resolved.")
		}
		resolve(inc, now)
		if message == "" {
			message = resolvedLine
		}
		return &uptime.IncidentUpdate{
			At: now, AuthorID: actor.UserID, Author: actor.Name, Stage: uptime.StageResolved, Message: message,
		}, uptime.EventResolved, nil
	})
}

func (m *Manage) readIncidentMessage(actor uptime.Actor, raw json.RawMessage) (string, error) {
	if err := m.permit(actor, ChangeIncident); err != nil {
		return "", err
	}
	if len(raw) == 0 {
		return "", nil
	}
	b, err := parseBody(raw)
	if err != nil {
		return "", err
	}
	var message string
	b.prose("message", maxMessage, &message)
	return message, b.finish("this request")
}

// AddIncidentUpdate takes {"message","stage"}; the stage resolved resolves.
func (m *Manage) AddIncidentUpdate(ctx context.Context, actor uptime.Actor, id int64, raw json.RawMessage) (IncidentView, error) {
	if err := m.permit(actor, ChangeIncident); err != nil {
		return IncidentView{}, err
	}
	b, err := parseBody(raw)
	if err != nil {
		return IncidentView{}, err
	}
	var message string
	var stage uptime.Stage
	if _, there := b.take("message"); !there {
		b.fail("message", "is required")
	} else if b.prose("message", maxMessage, &message) && message == "" {
		b.fail("message", "must not be empty")
	}
	choice(b, "stage", stages(), &stage)
	if err := b.finish("an update"); err != nil {
		return IncidentView{}, err
	}
	return m.changeIncident(ctx, actor, id, "incident.comment", func(inc *uptime.Incident, now time.Time) (*uptime.IncidentUpdate, uptime.EventType, error) {
		to := stage
		if to == "" {
			to = inc.Stage
		}
		return moveStage(inc, now, to, message, actor)
	})
}

func (m *Manage) changeIncident(ctx context.Context, actor uptime.Actor, id int64, action string, change incidentChange) (IncidentView, error) {
	audit := m.audited(actor, action, "incident", id)
	saved, err := m.deps.Incidents.UpdateIncident(ctx, actor.WorkspaceID, id, func(inc *uptime.Incident) ([]uptime.IncidentUpdate, []uptime.Event, error) {
		now := m.deps.Clock().Truncate(time.Millisecond)
		before := incidentMembers(*inc, "")
		update, tell, err := change(inc, now)
		if err != nil {
			return nil, nil, err
		}
		message := ""
		if update != nil {
			message = update.Message
		}
		after := incidentMembers(*inc, message)
		audit.Detail = changes(before, after, before, after)
		var updates []uptime.IncidentUpdate
		if update != nil {
			update.IncidentID = inc.ID
			updates = append(updates, *update)
		}
		return updates, m.incidentEvents(actor, *inc, tell, now), nil
	}, audit)
	if err != nil {
		return IncidentView{}, err
	}
	m.announce(ctx, notice(uptime.TopicIncident, saved.WorkspaceID, id), notice(uptime.TopicOutbox, saved.WorkspaceID, 0))
	return m.incidentView(ctx, saved, map[int64]string{}), nil
}

// incidentMembers are what people change of an incident, for the audit log, and what they
// write beside it.
func incidentMembers(inc uptime.Incident, message string) map[string]json.RawMessage {
	return members(struct {
		Title    string                `json:"title"`
		Status   uptime.IncidentStatus `json:"status"`
		Stage    uptime.Stage          `json:"stage"`
		Severity uptime.Severity       `json:"severity"`
		Message  string                `json:"message,omitempty"`
	}{inc.Title, inc.Status, inc.Stage, inc.Severity, message})
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
