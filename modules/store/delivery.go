package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

type deliveryRow struct {
	ID          int64
	WorkspaceID int64
	EventID     string
	EventType   uptime.EventType
	ChannelID   int64
	IncidentID  int64
	MonitorID   int64
	Chain       string
	Side        side
	Status      uptime.DeliveryStatus
	Reason      string
	Merges      bool
	Attempt     int
	ClaimedAt   instant
	DueAt       instant
	CreatedAt   instant `gorm:"autoCreateTime:false"`
	FinishedAt  instant
	HeldUntil   instant
}

// TableName implements gorm's Tabler.
func (deliveryRow) TableName() string { return "deliveries" }

func newDelivery(e uptime.Event, channelID int64, now instant) deliveryRow {
	chain, in := chainOf(e)
	return deliveryRow{
		WorkspaceID: e.WorkspaceID, EventID: e.ID, EventType: e.Type, ChannelID: channelID,
		IncidentID: e.IncidentID, MonitorID: e.MonitorID, Chain: chain, Side: in,
		Status: uptime.DeliveryPending, DueAt: now, CreatedAt: now,
	}
}

// delivery has no attempts: those of many rows are read at once (withAttempts).
func (r deliveryRow) delivery() uptime.Delivery {
	d := uptime.Delivery{
		ID: r.ID, WorkspaceID: r.WorkspaceID, EventID: r.EventID, EventType: r.EventType,
		ChannelID: r.ChannelID, IncidentID: r.IncidentID, MonitorID: r.MonitorID,
		Status: r.Status, Reason: r.Reason, Merges: r.Merges, CreatedAt: r.CreatedAt.time(), HeldUntil: r.HeldUntil.time(),
	}
	switch r.Status {
	case uptime.DeliveryPending:
		d.NextAttemptAt = r.DueAt.time()
	case uptime.DeliveryDelivered:
		d.DeliveredAt = r.FinishedAt.time()
	case uptime.DeliverySending, uptime.DeliveryDead, uptime.DeliveryMerged, uptime.DeliveryCancelled:
	}
	return d
}

type attemptRow struct {
	DeliveryID int64
	N          int
	At         instant
	DurationUs int64
	Outcome    uptime.AttemptOutcome
	StatusCode int
	Error      string
}

func insertAttempt(tx *gorm.DB, deliveryID int64, a uptime.Attempt) error {
	err := tx.Exec(`INSERT INTO delivery_attempts (delivery_id, n, at, duration_us, outcome, status_code, error)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		deliveryID, a.N, at(a.At), a.Duration.Microseconds(), string(a.Outcome), a.StatusCode, a.Error).Error
	if err != nil {
		return fmt.Errorf("insert attempt: %w", err)
	}
	return nil
}

// withAttempts gives the deliveries of rows with their attempts, oldest first.
func withAttempts(db *gorm.DB, rows []deliveryRow) ([]uptime.Delivery, error) {
	list := make([]uptime.Delivery, 0, len(rows))
	if len(rows) == 0 {
		return list, nil
	}
	place := make(map[int64]int, len(rows))
	ids := make([]int64, 0, len(rows))
	for i, r := range rows {
		list = append(list, r.delivery())
		place[r.ID] = i
		ids = append(ids, r.ID)
	}
	var attempts []attemptRow
	err := db.Raw(`SELECT * FROM delivery_attempts WHERE delivery_id IN (?) ORDER BY delivery_id, n`, ids).
		Scan(&attempts).Error
	if err != nil {
		return nil, fmt.Errorf("read attempts: %w", err)
	}
	for _, a := range attempts {
		d := &list[place[a.DeliveryID]]
		d.Attempts = append(d.Attempts, uptime.Attempt{
			N: a.N, At: a.At.time(), Duration: time.Duration(a.DurationUs) * time.Microsecond,
			Outcome: a.Outcome, StatusCode: a.StatusCode, Error: a.Error,
		})
	}
	return list, nil
}

// Deliveries lists deliveries, newest first.
func (s *Store) Deliveries(ctx context.Context, ws int64, f uptime.DeliveryFilter, p uptime.Page) (uptime.List[uptime.Delivery], error) {
	var list uptime.List[uptime.Delivery]
	err := s.report(ctx, func(db *gorm.DB) error {
		query := db.Where("workspace_id = ?", ws)
		if f.Status != "" {
			query = query.Where("status = ?", string(f.Status))
		}
		if f.ChannelID != 0 {
			query = query.Where("channel_id = ?", f.ChannelID)
		}
		// Without "<> 0" no planner takes the partial indexes for a parameter.
		if f.IncidentID != 0 {
			query = query.Where("incident_id = ? AND incident_id <> 0", f.IncidentID)
		}
		if f.MonitorID != 0 {
			query = query.Where("monitor_id = ? AND monitor_id <> 0", f.MonitorID)
		}
		rows, next, err := pageByID(query, p, "deliveries", descending, func(r deliveryRow) int64 { return r.ID })
		if err != nil {
			return err
		}
		list.Next = next
		list.Items, err = withAttempts(db, rows)
		return err
	})
	if err != nil {
		return uptime.List[uptime.Delivery]{}, fmt.Errorf("list deliveries: %w", err)
	}
	return list, nil
}

// Delivery gives one delivery with its attempts.
func (s *Store) Delivery(ctx context.Context, ws, id int64) (uptime.Delivery, error) {
	var d uptime.Delivery
	err := s.read(ctx, func(db *gorm.DB) error {
		var row deliveryRow
		err := db.Where("workspace_id = ? AND id = ?", ws, id).Take(&row).Error
		if err != nil {
			return err
		}
		list, err := withAttempts(db, []deliveryRow{row})
		if err == nil {
			d = list[0]
		}
		return err
	})
	if err != nil {
		return uptime.Delivery{}, fmt.Errorf("read delivery %d: %w", id, err)
	}
	return d, nil
}

// RetryDelivery makes a dead delivery due now. Any other, and one whose channel
// is disabled or deleted, gives an *uptime.Error with CodeConflict.
func (s *Store) RetryDelivery(ctx context.Context, ws, id int64, audit *uptime.Audit) (uptime.Delivery, error) {
	var d uptime.Delivery
	err := s.write(ctx, func(tx *gorm.DB) error {
		var row deliveryRow
		if err := s.forUpdate(tx).Where("workspace_id = ? AND id = ?", ws, id).Take(&row).Error; err != nil {
			return fmt.Errorf("read delivery %d: %w", id, err)
		}
		if err := checkRetry(tx, row); err != nil {
			return err
		}
		row.Status, row.Reason, row.DueAt, row.FinishedAt = uptime.DeliveryPending, "", at(s.now()), 0
		err := tx.Exec(`UPDATE deliveries SET status = 'pending', reason = '', due_at = ?, finished_at = NULL
			WHERE id = ?`, row.DueAt, row.ID).Error
		if err != nil {
			return fmt.Errorf("retry delivery: %w", err)
		}
		list, err := withAttempts(tx, []deliveryRow{row})
		if err != nil {
			return err
		}
		d = list[0]
		return insertAudit(tx, audit, row.ID)
	})
	if err != nil {
		return uptime.Delivery{}, err
	}
	return d, nil
}

func checkRetry(tx *gorm.DB, row deliveryRow) error {
	if row.Status != uptime.DeliveryDead {
		return uptime.Fail(uptime.CodeConflict, "Only a dead delivery can be sent again; this one is %v.", row.Status)
	}
	var usable int64
	err := tx.Raw(`SELECT count(*) FROM channels WHERE id = ? AND enabled AND deleted_at IS NULL`, row.ChannelID).
		Scan(&usable).Error
	if err != nil {
		return fmt.Errorf("read channel: %w", err)
	}
	if usable == 0 {
		return uptime.Fail(uptime.CodeConflict, "The channel of this delivery is disabled or deleted.")
	}
	return nil
}
