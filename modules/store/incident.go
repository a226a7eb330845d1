package store

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// Incident gives a living incident with its timeline.
func (s *Store) Incident(ctx context.Context, ws, id int64) (uptime.Incident, error) {
	var i uptime.Incident
	err := s.read(ctx, func(db *gorm.DB) (err error) {
		i, err = told(db, ws, id)
		return err
	})
	return i, err
}

func livingIncident(db *gorm.DB, ws, id int64) (uptime.Incident, error) {
	var row incidentRow
	err := db.Where("workspace_id = ? AND id = ? AND deleted_at IS NULL", ws, id).Take(&row).Error
	if err != nil {
		return uptime.Incident{}, fmt.Errorf("read incident %d: %w", id, err)
	}
	list, err := withMonitors(db.Session(&gorm.Session{NewDB: true}), []incidentRow{row})
	if err != nil {
		return uptime.Incident{}, err
	}
	return list[0], nil
}

// withMonitors gives the incidents of rows with the monitors of those made by
// hand.
func withMonitors(db *gorm.DB, rows []incidentRow) ([]uptime.Incident, error) {
	list, err := incidentsOf(rows)
	if err != nil || len(list) == 0 {
		return list, err
	}
	place := make(map[int64]*uptime.Incident, len(list))
	ids := make([]int64, 0, len(list))
	for i := range list {
		place[list[i].ID] = &list[i]
		ids = append(ids, list[i].ID)
	}
	var links []struct{ IncidentID, MonitorID int64 }
	err = db.Raw(`SELECT incident_id, monitor_id FROM incident_monitors WHERE incident_id IN (?)
		ORDER BY incident_id, monitor_id`, ids).Scan(&links).Error
	if err != nil {
		return nil, fmt.Errorf("read monitors of incidents: %w", err)
	}
	for _, l := range links {
		place[l.IncidentID].MonitorIDs = append(place[l.IncidentID].MonitorIDs, l.MonitorID)
	}
	return list, nil
}

// CreateIncident adds an incident made by hand, with its Updates. Monitors that
// are not of the workspace are a field error.
func (s *Store) CreateIncident(ctx context.Context, i uptime.Incident, audit *uptime.Audit) (uptime.Incident, error) {
	var out uptime.Incident
	err := s.write(ctx, func(tx *gorm.DB) error {
		if err := checkMonitors(tx, i.WorkspaceID, i.MonitorIDs); err != nil {
			return err
		}
		n := i
		now := s.now()
		n.ID, n.MonitorID, n.Version, n.CreatedAt, n.UpdatedAt = 0, 0, 1, now, now
		if n.StartedAt.IsZero() {
			n.StartedAt = now
		}
		if err := insertIncident(tx, &n); err != nil {
			return err
		}
		if err := insertUpdates(tx, n.ID, i.Updates); err != nil {
			return err
		}
		if err := insertAudit(tx, audit, n.ID); err != nil {
			return err
		}
		var err error
		out, err = told(tx, n.WorkspaceID, n.ID)
		return err
	})
	if err != nil {
		return uptime.Incident{}, fmt.Errorf("create incident: %w", err)
	}
	return out, nil
}

func checkMonitors(tx *gorm.DB, ws int64, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	var n int
	err := tx.Raw(`SELECT count(*) FROM monitors WHERE workspace_id = ? AND deleted_at IS NULL AND id IN (?)`, ws, ids).
		Scan(&n).Error
	if err != nil {
		return fmt.Errorf("read monitors: %w", err)
	}
	sorted := slices.Sorted(slices.Values(ids))
	if n != len(slices.Compact(sorted)) {
		return uptime.Invalid(uptime.FieldError{Field: "monitor_ids", Message: "must name monitors that exist"})
	}
	return nil
}

// UpdateIncident changes an incident by mutate, adds the updates that it gives
// to the timeline and tells its events to the channels of the incident's
// monitor. Of the lines that are in the timeline mutate may change message, audience
// and time of edit, and leave out those that are to go. The store fills what an event leaves out: ids, time, the monitor and
// the incident as it is after the change. An incident made by hand has no
// channels.
func (s *Store) UpdateIncident(ctx context.Context, ws, id int64,
	mutate func(*uptime.Incident) ([]uptime.IncidentUpdate, []uptime.Event, error), audit *uptime.Audit,
) (uptime.Incident, error) {
	var out uptime.Incident
	err := s.write(ctx, func(tx *gorm.DB) error {
		before, err := s.lockIncident(tx, ws, id)
		if err != nil {
			return err
		}
		timeline := []uptime.Incident{before}
		if err := withUpdates(tx, timeline); err != nil {
			return err
		}
		before = timeline[0]
		after := before
		after.MonitorIDs, after.Updates = slices.Clone(before.MonitorIDs), slices.Clone(before.Updates)
		updates, events, err := mutate(&after)
		if err != nil {
			return err
		}
		after.ID, after.WorkspaceID, after.MonitorID = before.ID, before.WorkspaceID, before.MonitorID
		after.Version, after.CreatedAt, after.UpdatedAt = before.Version, before.CreatedAt, before.UpdatedAt
		if len(updates) > 0 || len(events) > 0 || !reflect.DeepEqual(after, before) {
			if err := s.saveIncident(tx, before, after, updates, events); err != nil {
				return err
			}
			if err := insertAudit(tx, audit, id); err != nil {
				return err
			}
		}
		out, err = told(tx, ws, id)
		return err
	})
	if err != nil {
		return uptime.Incident{}, err
	}
	return out, nil
}

// lockIncident locks the state of the incident's monitor, then the incident: the
// recorder, which decides about it too, locks in the same order.
func (s *Store) lockIncident(tx *gorm.DB, ws, id int64) (uptime.Incident, error) {
	found, err := livingIncident(tx, ws, id)
	if err != nil {
		return found, err
	}
	if s.dialect != dialectPostgres {
		return found, nil
	}
	if found.MonitorID != 0 {
		if _, err := s.lockStates(tx, []int64{found.MonitorID}); err != nil {
			return found, err
		}
	}
	return livingIncident(s.forUpdate(tx), ws, id)
}

func (s *Store) saveIncident(tx *gorm.DB, before, after uptime.Incident, updates []uptime.IncidentUpdate, events []uptime.Event) error {
	now := s.now()
	after.Version, after.UpdatedAt = before.Version+1, now
	if err := updateIncident(tx, after); err != nil {
		return err
	}
	if err := saveMonitorIDs(tx, before, after); err != nil {
		return err
	}
	if err := saveUpdates(tx, after.ID, before.Updates, after.Updates); err != nil {
		return err
	}
	for i := range updates {
		if updates[i].At.IsZero() {
			updates[i].At = now
		}
	}
	if err := insertUpdates(tx, after.ID, updates); err != nil {
		return err
	}
	filled, err := s.fillEvents(tx, after, events)
	if err != nil {
		return err
	}
	_, err = s.insertEvents(tx, filled)
	return err
}

func saveMonitorIDs(tx *gorm.DB, before, after uptime.Incident) error {
	if slices.Equal(before.MonitorIDs, after.MonitorIDs) {
		return nil
	}
	if after.MonitorID != 0 {
		return uptime.Invalid(uptime.FieldError{Field: "monitor_ids", Message: "cannot be set: the incident belongs to one monitor"})
	}
	var added []int64
	for _, id := range after.MonitorIDs {
		if !slices.Contains(before.MonitorIDs, id) {
			added = append(added, id)
		}
	}
	if err := checkMonitors(tx, after.WorkspaceID, added); err != nil {
		return err
	}
	if err := tx.Exec(`DELETE FROM incident_monitors WHERE incident_id = ?`, after.ID).Error; err != nil {
		return fmt.Errorf("remove monitors of an incident: %w", err)
	}
	for _, id := range after.MonitorIDs {
		err := tx.Exec(`INSERT INTO incident_monitors (incident_id, monitor_id) VALUES (?, ?) ON CONFLICT DO NOTHING`,
			after.ID, id).Error
		if err != nil {
			return fmt.Errorf("add monitors of an incident: %w", err)
		}
	}
	return nil
}

// newestResult is the newest stored result of the monitor, nil if there is none.
func (s *Store) newestResult(tx *gorm.DB, m uptime.Monitor) (*uptime.Result, error) {
	rows, err := s.resultPage(tx, m.ID, uptime.ResultFilter{}, uptime.Page{}, 1)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	region, err := s.regionName(tx, rows[0].RegionID)
	if err != nil {
		return nil, err
	}
	newest := rows[0].result(m.WorkspaceID, region)
	return &newest, nil
}

// fillEvents completes events about an incident. An acknowledgement shows the
// newest result; an end by hand has none, for no check found it.
func (s *Store) fillEvents(tx *gorm.DB, i uptime.Incident, events []uptime.Event) ([]uptime.Event, error) {
	if len(events) == 0 {
		return nil, nil
	}
	monitor := uptime.Monitor{WorkspaceID: i.WorkspaceID}
	var err error
	if i.MonitorID != 0 {
		if monitor, err = one(tx, s.view(tx).Where("id = ?", i.MonitorID)); err != nil {
			return nil, err
		}
	}
	filled := make([]uptime.Event, 0, len(events))
	for _, e := range events {
		var newest *uptime.Result
		if e.Type == uptime.EventAcknowledged && i.MonitorID != 0 {
			if newest, err = s.newestResult(tx, monitor); err != nil {
				return nil, err
			}
		}
		base := uptime.NewEvent(s.random, e.Type, monitor, &i, newest, s.now())
		if i.MonitorID == 0 {
			base.Data.Monitor = nil
		}
		if e.ID != "" {
			base.ID = e.ID
		}
		if !e.At.IsZero() {
			base.At = e.At
		}
		if e.Data.Monitor != nil {
			base.Data.Monitor = e.Data.Monitor
		}
		if e.Data.Incident != nil {
			base.Data.Incident = e.Data.Incident
		}
		if e.Data.Result != nil {
			base.Data.Result = e.Data.Result
		}
		filled = append(filled, base)
	}
	return filled, nil
}
