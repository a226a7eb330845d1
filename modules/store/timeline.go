package store

import (
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// withUpdates adds the timelines of the incidents.
func withUpdates(db *gorm.DB, list []uptime.Incident) error {
	if len(list) == 0 {
		return nil
	}
	place := make(map[int64]*uptime.Incident, len(list))
	ids := make([]int64, 0, len(list))
	for i := range list {
		place[list[i].ID] = &list[i]
		ids = append(ids, list[i].ID)
	}
	var rows []struct {
		ID         int64
		IncidentID int64
		At         instant
		AuthorID   reference
		Author     string
		Stage      uptime.Stage
		Message    string
		Internal   bool
		EditedAt   instant
	}
	err := db.Raw(`SELECT u.id, u.incident_id, u.at, u.author_id, coalesce(a.name, '') AS author, u.stage, u.message, u.internal, u.edited_at
		FROM incident_updates u LEFT JOIN users a ON a.id = u.author_id
		WHERE u.incident_id IN (?) ORDER BY u.incident_id, u.at, u.id`, ids).Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("read updates of incidents: %w", err)
	}
	for _, r := range rows {
		place[r.IncidentID].Updates = append(place[r.IncidentID].Updates, uptime.IncidentUpdate{
			ID: r.ID, IncidentID: r.IncidentID, At: r.At.time(), AuthorID: int64(r.AuthorID), Author: r.Author,
			Stage: r.Stage, Message: r.Message, Internal: r.Internal, EditedAt: r.EditedAt.time(),
		})
	}
	return nil
}

// told gives a living incident with its timeline.
func told(db *gorm.DB, ws, id int64) (uptime.Incident, error) {
	i, err := livingIncident(db, ws, id)
	if err != nil {
		return i, err
	}
	list := []uptime.Incident{i}
	err = withUpdates(db, list)
	return list[0], err
}

// insertUpdates adds lines to an incident's timeline.
func insertUpdates(tx *gorm.DB, incidentID int64, updates []uptime.IncidentUpdate) error {
	for _, u := range updates {
		if err := tx.Exec(`INSERT INTO incident_updates (incident_id, at, author_id, stage, message, internal)
			VALUES (?, ?, ?, ?, ?, ?)`, incidentID, at(u.At), reference(u.AuthorID), string(u.Stage), u.Message, u.Internal).Error; err != nil {
			return fmt.Errorf("insert an update of incident %d: %w", incidentID, err)
		}
	}
	return nil
}

// saveUpdates writes what a change made of the lines that were there: others take their
// place by id, and those that are no more are deleted.
func saveUpdates(tx *gorm.DB, incidentID int64, before, after []uptime.IncidentUpdate) error {
	kept := make(map[int64]uptime.IncidentUpdate, len(after))
	for _, u := range after {
		kept[u.ID] = u
	}
	for _, old := range before {
		now, there := kept[old.ID]
		var err error
		switch {
		case !there:
			err = tx.Exec(`DELETE FROM incident_updates WHERE incident_id = ? AND id = ?`, incidentID, old.ID).Error
		case now != old:
			err = tx.Exec(`UPDATE incident_updates SET message = ?, internal = ?, edited_at = ? WHERE incident_id = ? AND id = ?`,
				now.Message, now.Internal, at(now.EditedAt), incidentID, old.ID).Error
		}
		if err != nil {
			return fmt.Errorf("change an update of incident %d: %w", incidentID, err)
		}
	}
	return nil
}
