package store

import (
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// apply decides one situation and writes what it came to; states and events are
// collected and written for the whole batch.
func (r *recording) apply(situation uptime.Situation) error {
	before := situation.Monitor
	decision := r.decide(situation)
	after := before
	after.State = decision.State
	r.changed = append(r.changed, after)
	if calm, ok := uptime.CalmOf(after, situation.Incidents); ok && len(decision.Incidents) == 0 {
		r.calm[after.ID] = calmMonitor{calm, r.revisions[after.ID] + 1}
	}
	if after.State.Status != before.State.Status {
		notice, err := statusNotice(after, before.State.Status)
		if err != nil {
			return err
		}
		r.after = append(r.after, notice)
	}
	for i := range decision.Incidents {
		change := &decision.Incidents[i]
		id, err := r.saveChange(r.tx, change, situation.Now)
		if err != nil {
			return err
		}
		r.events = append(r.events, change.Events...)
		r.after = append(r.after, uptime.Notice{Topic: uptime.TopicIncident, WorkspaceID: before.WorkspaceID, ID: id})
	}
	r.events = append(r.events, decision.Events...)
	r.done.Retries = append(r.done.Retries, decision.Retries...)
	return nil
}

func statusNotice(m uptime.Monitor, was uptime.Status) (uptime.Notice, error) {
	data, err := json.Marshal(struct {
		ID     int64         `json:"id"`
		Status uptime.Status `json:"status"`
		Was    uptime.Status `json:"was"`
		Since  time.Time     `json:"since"`
	}{m.ID, m.State.Status, was, m.State.Since})
	if err != nil {
		return uptime.Notice{}, fmt.Errorf("write a notice: %w", err)
	}
	return uptime.Notice{Topic: uptime.TopicStatus, WorkspaceID: m.WorkspaceID, ID: m.ID, Data: data}, nil
}

// saveChange inserts, updates or softly deletes an incident with its timeline
// and fills its id into the events, which the caller inserts.
func (s *Store) saveChange(tx *gorm.DB, c *uptime.IncidentChange, now time.Time) (int64, error) {
	inc := &c.Incident
	inc.UpdatedAt = now
	inc.Version++
	if inc.ID == 0 {
		inc.CreatedAt = now
		if err := insertIncident(tx, inc); err != nil {
			return 0, err
		}
		for i := range c.Events {
			e := &c.Events[i]
			e.IncidentID = inc.ID
			if e.Data.Incident != nil {
				data := *e.Data.Incident
				data.ID = inc.ID
				e.Data.Incident = &data
			}
		}
	} else if err := updateIncident(tx, *inc); err != nil {
		return 0, err
	}
	if c.Retract {
		if err := tx.Exec("UPDATE incidents SET deleted_at = ? WHERE id = ?", at(now), inc.ID).Error; err != nil {
			return 0, fmt.Errorf("retract incident %d: %w", inc.ID, err)
		}
	}
	return inc.ID, insertUpdates(tx, inc.ID, c.Updates)
}
