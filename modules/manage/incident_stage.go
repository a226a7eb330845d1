package manage

import (
	"context"
	"encoding/json"
	"time"

	"monitor/modules/uptime"
)

// moveStage brings an incident to a stage and says so in its timeline.
func moveStage(inc *uptime.Incident, now time.Time, stage uptime.Stage, line uptime.IncidentUpdate) ([]uptime.IncidentUpdate, uptime.EventType, error) {
	var tell uptime.EventType
	moved := stage != inc.Stage
	switch {
	case moved && !inc.Unresolved():
		return nil, "", uptime.Fail(uptime.CodeConflict, "The incident is resolved; its stage cannot change any more.")
	case moved && stage == uptime.StageResolved:
		resolve(inc, now)
		tell = uptime.EventResolved
		if line.Message == "" {
			line.Message = resolvedLine
		}
	case moved:
		inc.Stage = stage
	}
	if !moved && line.Message == "" {
		return nil, "", nil
	}
	if moved {
		line.Stage = stage
	}
	return []uptime.IncidentUpdate{line}, tell, nil
}

func resolve(inc *uptime.Incident, now time.Time) {
	inc.Status, inc.Stage, inc.ResolvedAt = uptime.IncidentResolved, uptime.StageResolved, now
	inc.NextReminderAt, inc.NextUpdateBy = time.Time{}, time.Time{}
}

// AcknowledgeIncident takes {"message"} or nothing. Reminders end, and who acknowledges
// becomes the owner where there is none. CodeConflict when it is acknowledged or resolved
// already.
func (m *Manage) AcknowledgeIncident(ctx context.Context, actor uptime.Actor, id int64, raw json.RawMessage) (IncidentView, error) {
	message, err := m.readIncidentMessage(actor, raw)
	if err != nil {
		return IncidentView{}, err
	}
	return m.changeIncident(ctx, actor, id, "incident.acknowledge", func(inc *uptime.Incident, now time.Time) ([]uptime.IncidentUpdate, uptime.EventType, error) {
		if inc.Status != uptime.IncidentOpen {
			return nil, "", uptime.Fail(uptime.CodeConflict, "The incident is already %v.", inc.Status)
		}
		inc.Status, inc.AcknowledgedAt, inc.AcknowledgedBy = uptime.IncidentAcknowledged, now, actor.UserID
		inc.NextReminderAt = time.Time{}
		if inc.OwnerID == 0 {
			inc.OwnerID = actor.UserID
		}
		if message == "" {
			message = uptime.Say("Acknowledged.")
		}
		return []uptime.IncidentUpdate{{Message: message, Internal: true}}, uptime.EventAcknowledged, nil
	})
}

// ResolveIncident takes {"message"} or nothing. CodeConflict when it is resolved
// already.
func (m *Manage) ResolveIncident(ctx context.Context, actor uptime.Actor, id int64, raw json.RawMessage) (IncidentView, error) {
	message, err := m.readIncidentMessage(actor, raw)
	if err != nil {
		return IncidentView{}, err
	}
	return m.changeIncident(ctx, actor, id, "incident.resolve", func(inc *uptime.Incident, now time.Time) ([]uptime.IncidentUpdate, uptime.EventType, error) {
		if !inc.Unresolved() {
			return nil, "", uptime.Fail(uptime.CodeConflict, "The incident is already resolved.")
		}
		return moveStage(inc, now, uptime.StageResolved, uptime.IncidentUpdate{Message: message})
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
