package store

import (
	"encoding/json"
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// incidentRow is a row of incidents.
type incidentRow struct {
	ID             int64
	WorkspaceID    int64
	MonitorID      reference
	Title          string
	Status         uptime.IncidentStatus
	Stage          uptime.Stage
	Severity       uptime.Severity
	Cause          string
	ErrorKind      uptime.ErrorKind
	Evidence       string
	StartedAt      instant
	ConfirmedAt    instant
	AcknowledgedAt instant
	AcknowledgedBy reference
	ResolvedAt     instant
	RecoveredAt    instant
	EndedAt        instant
	NextReminderAt instant

	OwnerID             reference
	NextUpdateBy        instant
	Postmortem          string
	PostmortemAt        instant
	PostmortemPublished bool

	Version   int64
	CreatedAt instant `gorm:"autoCreateTime:false"`
	UpdatedAt instant `gorm:"autoUpdateTime:false"`
	DeletedAt instant
}

// TableName implements gorm's Tabler.
func (incidentRow) TableName() string { return "incidents" }

func (r incidentRow) incident() (uptime.Incident, error) {
	i := uptime.Incident{
		ID: r.ID, WorkspaceID: r.WorkspaceID, MonitorID: int64(r.MonitorID),
		Title: r.Title, Status: r.Status, Stage: r.Stage, Severity: r.Severity,
		Cause: r.Cause, ErrorKind: r.ErrorKind,
		StartedAt: r.StartedAt.time(), ConfirmedAt: r.ConfirmedAt.time(),
		AcknowledgedAt: r.AcknowledgedAt.time(), AcknowledgedBy: int64(r.AcknowledgedBy),
		ResolvedAt: r.ResolvedAt.time(), RecoveredAt: r.RecoveredAt.time(), EndedAt: r.EndedAt.time(),
		NextReminderAt: r.NextReminderAt.time(), OwnerID: int64(r.OwnerID), NextUpdateBy: r.NextUpdateBy.time(),
		Postmortem: uptime.Postmortem{Text: r.Postmortem, Published: r.PostmortemPublished, WrittenAt: r.PostmortemAt.time()},
		Version:    r.Version,
		CreatedAt:  r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(),
	}
	if r.Evidence != "" {
		if err := json.Unmarshal([]byte(r.Evidence), &i.Evidence); err != nil {
			return i, fmt.Errorf("read the evidence of incident %d: %w", r.ID, err)
		}
	}
	return i, nil
}

func rowOfIncident(i uptime.Incident) (incidentRow, error) {
	r := incidentRow{
		ID: i.ID, WorkspaceID: i.WorkspaceID, MonitorID: reference(i.MonitorID),
		Title: i.Title, Status: i.Status, Stage: i.Stage, Severity: i.Severity,
		Cause: i.Cause, ErrorKind: i.ErrorKind,
		StartedAt: at(i.StartedAt), ConfirmedAt: at(i.ConfirmedAt),
		AcknowledgedAt: at(i.AcknowledgedAt), AcknowledgedBy: reference(i.AcknowledgedBy),
		ResolvedAt: at(i.ResolvedAt), RecoveredAt: at(i.RecoveredAt), EndedAt: at(i.EndedAt),
		NextReminderAt: at(i.NextReminderAt), OwnerID: reference(i.OwnerID), NextUpdateBy: at(i.NextUpdateBy),
		Postmortem: i.Postmortem.Text, PostmortemAt: at(i.Postmortem.WrittenAt), PostmortemPublished: i.Postmortem.Published,
		Version:   i.Version,
		CreatedAt: at(i.CreatedAt), UpdatedAt: at(i.UpdatedAt),
	}
	if i.Evidence != nil {
		data, err := json.Marshal(i.Evidence)
		if err != nil {
			return r, fmt.Errorf("write the evidence of an incident: %w", err)
		}
		r.Evidence = string(data)
	}
	return r, nil
}

// insertIncident adds the incident, with the monitors of one made by hand, and
// fills its ID. The caller has set its times and version.
func insertIncident(tx *gorm.DB, i *uptime.Incident) error {
	row, err := rowOfIncident(*i)
	if err != nil {
		return err
	}
	if err := tx.Create(&row).Error; err != nil {
		return fmt.Errorf("insert an incident: %w", err)
	}
	i.ID = row.ID
	for _, monitorID := range i.MonitorIDs {
		if err := tx.Exec(`INSERT INTO incident_monitors (incident_id, monitor_id) VALUES (?, ?)
			ON CONFLICT DO NOTHING`, i.ID, monitorID).Error; err != nil {
			return fmt.Errorf("insert the monitors of an incident: %w", err)
		}
	}
	return nil
}

// updateIncident writes every column of a living incident but its identity. The
// caller has raised the version.
func updateIncident(tx *gorm.DB, i uptime.Incident) error {
	row, err := rowOfIncident(i)
	if err != nil {
		return err
	}
	res := tx.Model(&incidentRow{}).Where("id = ? AND deleted_at IS NULL", i.ID).
		Select("*").Omit("id", "workspace_id", "monitor_id", "created_at", "deleted_at").Updates(&row)
	if res.Error != nil {
		return fmt.Errorf("update incident %d: %w", i.ID, res.Error)
	}
	if res.RowsAffected == 0 {
		return fmt.Errorf("update incident %d: %w", i.ID, gorm.ErrRecordNotFound)
	}
	return nil
}
