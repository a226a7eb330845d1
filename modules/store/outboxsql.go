package store

import (
	"fmt"

	"gorm.io/gorm"
)

// When hundreds of monitors go down at once, what tells of it is written while
// the recorder waits: one statement for all rows on PostgreSQL, one that is
// prepared once on SQLite. Most of the time goes into the indexes of deliveries.

const eventColumns = "id, workspace_id, type, monitor_id, incident_id, at, data"

const insertEventSQLite = "INSERT INTO events (" + eventColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"

const insertEventsPostgres = "INSERT INTO events (" + eventColumns + `)
	SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[]) ON CONFLICT DO NOTHING`

// deliveryColumns of a new row. Its other ones follow from the event.
const deliveryColumns = `workspace_id, event_id, event_type, channel_id, incident_id, monitor_id, chain, side, due_at, created_at,
	reason, held_until, status, merges, attempt`

const insertDeliverySQLite = "INSERT INTO deliveries (" + deliveryColumns + `)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULLIF(?, 0), 'pending', FALSE, 0) ON CONFLICT (event_id, channel_id) DO NOTHING`

// The order of the rows is that of their ids, by which a chain is sent.
const insertDeliveriesPostgres = "INSERT INTO deliveries (" + deliveryColumns + `)
	SELECT i.workspace_id, i.event_id, i.event_type, i.channel_id, i.incident_id, i.monitor_id, i.chain, i.side, i.due_at, i.created_at,
		i.reason, NULLIF(i.held_until, 0), 'pending', FALSE, 0
	FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::bigint[], $10::bigint[],
		$11::text[], $12::bigint[])
		WITH ORDINALITY AS i (workspace_id, event_id, event_type, channel_id, incident_id, monitor_id, chain, side, due_at, created_at, reason, held_until, place)
	ORDER BY i.place ON CONFLICT (event_id, channel_id) DO NOTHING`

func (s *Store) insertEventRows(tx *gorm.DB, rows []eventRow) error {
	var err error
	if s.dialect == dialectPostgres {
		err = execArrays(tx, insertEventsPostgres,
			column(rows, func(r eventRow) string { return r.ID }), column(rows, func(r eventRow) int64 { return r.WorkspaceID }),
			column(rows, func(r eventRow) string { return r.Type }), column(rows, func(r eventRow) int64 { return r.MonitorID }),
			column(rows, func(r eventRow) int64 { return r.IncidentID }), column(rows, func(r eventRow) int64 { return int64(r.At) }),
			column(rows, func(r eventRow) string { return r.Data }))
	} else {
		err = execEach(tx, insertEventSQLite, rows, func(r eventRow) []any {
			return []any{r.ID, r.WorkspaceID, r.Type, r.MonitorID, r.IncidentID, int64(r.At), r.Data}
		})
	}
	if err != nil {
		return fmt.Errorf("insert events: %w", err)
	}
	return nil
}

func (s *Store) insertDeliveryRows(tx *gorm.DB, rows []deliveryRow) error {
	if len(rows) == 0 {
		return nil
	}
	var err error
	if s.dialect == dialectPostgres {
		err = execArrays(tx, insertDeliveriesPostgres,
			column(rows, func(r deliveryRow) int64 { return r.WorkspaceID }), column(rows, func(r deliveryRow) string { return r.EventID }),
			column(rows, func(r deliveryRow) string { return string(r.EventType) }), column(rows, func(r deliveryRow) int64 { return r.ChannelID }),
			column(rows, func(r deliveryRow) int64 { return r.IncidentID }), column(rows, func(r deliveryRow) int64 { return r.MonitorID }),
			column(rows, func(r deliveryRow) string { return r.Chain }), column(rows, func(r deliveryRow) string { return string(r.Side) }),
			column(rows, func(r deliveryRow) int64 { return int64(r.DueAt) }), column(rows, func(r deliveryRow) int64 { return int64(r.CreatedAt) }),
			column(rows, func(r deliveryRow) string { return r.Reason }), column(rows, func(r deliveryRow) int64 { return int64(r.HeldUntil) }))
	} else {
		err = execEach(tx, insertDeliverySQLite, rows, func(r deliveryRow) []any {
			return []any{
				r.WorkspaceID, r.EventID, string(r.EventType), r.ChannelID, r.IncidentID, r.MonitorID,
				r.Chain, string(r.Side), int64(r.DueAt), int64(r.CreatedAt), r.Reason, int64(r.HeldUntil),
			}
		})
	}
	if err != nil {
		return fmt.Errorf("insert deliveries: %w", err)
	}
	return nil
}

// column gives one field of all rows, as an array for unnest.
func column[R, V any](rows []R, get func(R) V) []V {
	out := make([]V, len(rows))
	for i, r := range rows {
		out[i] = get(r)
	}
	return out
}

// execArrays goes past GORM's builder, which spreads slices into (?,?,…).
func execArrays(tx *gorm.DB, text string, arrays ...any) error {
	_, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context, text, arrays...)
	return err
}

// execEach runs a statement that is prepared once for each row.
func execEach[R any](tx *gorm.DB, text string, rows []R, args func(R) []any) error {
	stmt, err := tx.Statement.ConnPool.PrepareContext(tx.Statement.Context, text)
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }()
	for _, r := range rows {
		if _, err := stmt.ExecContext(tx.Statement.Context, args(r)...); err != nil {
			return err
		}
	}
	return nil
}
