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
	}
	err := db.Raw(`SELECT u.id, u.incident_id, u.at, u.author_id, coalesce(a.name, '') AS author, u.stage, u.message
		FROM incident_updates u LEFT JOIN users a ON a.id = u.author_id
		WHERE u.incident_id IN (?) ORDER BY u.incident_id, u.at, u.id`, ids).Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("read updates of incidents: %w", err)
	}
	for _, r := range rows {
		place[r.IncidentID].Updates = append(place[r.IncidentID].Updates, uptime.IncidentUpdate{
			ID: r.ID, IncidentID: r.IncidentID, At: r.At.time(), AuthorID: int64(r.AuthorID), Author: r.Author,
			Stage: r.Stage, Message: r.Message,
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
