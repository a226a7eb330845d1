package store

import (
	"encoding/json"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// lockStatesSQL locks in order of id, so that two recorders wait for each other
// and never stand in a circle. SQLite has one writer.
func (s *Store) lockStatesSQL() string {
	cols := "revision, " + strings.Join(stateColumns(), ", ")
	if s.dialect == dialectPostgres {
		return "SELECT " + cols + " FROM monitor_states WHERE monitor_id = ANY($1) ORDER BY monitor_id FOR UPDATE"
	}
	return "SELECT " + cols + " FROM monitor_states WHERE monitor_id IN (SELECT value FROM json_each(?)) ORDER BY monitor_id"
}

// ownIncidentsSQL locks them, too: people may be acknowledging one. Each part has
// an index, so that it costs little where a monitor has a long past.
func (s *Store) ownIncidentsSQL() string {
	list, lock := "IN (SELECT value FROM json_each(?1))", ""
	first := "?2"
	if s.dialect == dialectPostgres {
		list, first, lock = "= ANY($1)", "$2", " FOR UPDATE"
	}
	of := "SELECT id FROM incidents WHERE monitor_id " + list + " AND deleted_at IS NULL AND "
	return "SELECT * FROM incidents WHERE id IN (" +
		of + "resolved_at IS NULL UNION ALL " +
		of + "ended_at IS NULL UNION ALL " +
		of + "ended_at >= " + first + ") ORDER BY id" + lock
}

// idList is a list of ids as one parameter.
func (s *Store) idList(ids []int64) (any, error) {
	if s.dialect == dialectPostgres {
		return ids, nil
	}
	data, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("write a list of ids: %w", err)
	}
	return string(data), nil
}

// insertResults stores the rows that are not stored yet and reports which were
// new and which lie outside every partition. rows are sorted by key.
func (s *Store) insertResults(tx *gorm.DB, rows []resultRow) (isNew, outside map[resultKey]bool, err error) {
	if s.dialect == dialectPostgres {
		return insertResultsPostgres(tx, rows)
	}
	isNew, err = s.insertResultsSQLite(tx, rows)
	return isNew, nil, err
}

type resultKey struct{ monitor, region, slot int64 }

func (r resultRow) key() resultKey { return resultKey{r.MonitorID, r.RegionID, r.ScheduledAt} }

const insertResultSQLite = "INSERT INTO check_results (" + resultColumns + `)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`

func (s *Store) insertResultsSQLite(tx *gorm.DB, rows []resultRow) (isNew map[resultKey]bool, err error) {
	stmt, err := tx.Statement.ConnPool.PrepareContext(tx.Statement.Context, insertResultSQLite)
	if err != nil {
		return nil, fmt.Errorf("prepare to insert results: %w", err)
	}
	defer func() { _ = stmt.Close() }()
	isNew = make(map[resultKey]bool, len(rows))
	for _, r := range rows {
		res, err := stmt.ExecContext(tx.Statement.Context, r.MonitorID, r.RegionID, r.ScheduledAt, r.StartedMS, r.ResponseUS, r.DNSUS,
			r.ConnectUS, r.TLSUS, r.FirstByteUS, r.Status, r.ErrorKind, r.StatusCode, r.Attempt, r.Error)
		if err != nil {
			return nil, fmt.Errorf("insert a result: %w", err)
		}
		n, err := res.RowsAffected()
		if err != nil {
			return nil, fmt.Errorf("insert a result: %w", err)
		}
		if n > 0 {
			isNew[r.key()] = true
		}
	}
	return isNew, nil
}

// Whether a partition exists is part of the statement: a row without one would
// fail the whole batch. A day is removed from result_days in the transaction that
// drops its partition, and the drop waits for this statement's lock.
const insertResultsPostgresSQL = `
WITH input AS MATERIALIZED (
	SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[],
		$9::int[], $10::smallint[], $11::smallint[], $12::smallint[], $13::int[], $14::text[])
		AS i (` + resultColumns + `)
), stored AS (
	INSERT INTO check_results (` + resultColumns + `)
	SELECT monitor_id, region_id, scheduled_at, started_ms, response_us, dns_us, connect_us, tls_us, first_byte_us,
		status, error_kind, status_code, attempt::"char", coalesce(error, '') FROM input
	WHERE EXISTS (SELECT 1 FROM result_days d WHERE d.day = input.scheduled_at / 86400000)
	ON CONFLICT DO NOTHING
	RETURNING monitor_id, region_id, scheduled_at
)
SELECT monitor_id, region_id, scheduled_at, TRUE FROM stored
UNION ALL
SELECT monitor_id, region_id, scheduled_at, FALSE FROM input
WHERE NOT EXISTS (SELECT 1 FROM result_days d WHERE d.day = input.scheduled_at / 86400000)`

// GORM's builder spreads slices into (?,?,…): arrays go past it.
func insertResultsPostgres(tx *gorm.DB, batch []resultRow) (isNew, outside map[resultKey]bool, err error) {
	errs := make([]*string, len(batch))
	for i, r := range batch {
		errs[i] = r.Error
	}
	col := func(get func(resultRow) int64) []int64 {
		out := make([]int64, len(batch))
		for i, r := range batch {
			out[i] = get(r)
		}
		return out
	}
	rows, err := tx.Statement.ConnPool.QueryContext(tx.Statement.Context, insertResultsPostgresSQL,
		col(func(r resultRow) int64 { return r.MonitorID }), col(func(r resultRow) int64 { return r.RegionID }),
		col(func(r resultRow) int64 { return r.ScheduledAt }), col(func(r resultRow) int64 { return r.StartedMS }),
		col(func(r resultRow) int64 { return r.ResponseUS }), col(func(r resultRow) int64 { return r.DNSUS }),
		col(func(r resultRow) int64 { return r.ConnectUS }), col(func(r resultRow) int64 { return r.TLSUS }),
		col(func(r resultRow) int64 { return r.FirstByteUS }), col(func(r resultRow) int64 { return int64(r.Status) }),
		col(func(r resultRow) int64 { return int64(r.ErrorKind) }), col(func(r resultRow) int64 { return r.StatusCode }),
		col(func(r resultRow) int64 { return r.Attempt }), errs)
	if err != nil {
		return nil, nil, fmt.Errorf("insert results: %w", err)
	}
	isNew, outside = map[resultKey]bool{}, map[resultKey]bool{}
	err = each(rows, func() error {
		var key resultKey
		var stored bool
		if err := rows.Scan(&key.monitor, &key.region, &key.slot, &stored); err != nil {
			return err
		}
		if stored {
			isNew[key] = true
		} else {
			outside[key] = true
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("insert results: %w", err)
	}
	return isNew, outside, nil
}

// saveStates writes the states of monitors that this transaction has locked.
func (s *Store) saveStates(tx *gorm.DB, monitors []uptime.Monitor) error {
	rows := make([]stateRow, len(monitors))
	for i, m := range monitors {
		row, err := rowOfState(m)
		if err != nil {
			return err
		}
		rows[i] = row
	}
	if len(rows) == 0 {
		return nil
	}
	if s.dialect == dialectPostgres {
		return saveStatesPostgres(tx, rows)
	}
	return s.saveStatesSQLite(tx, rows)
}

func saveStateSQLite() string {
	return "UPDATE monitor_states SET " + strings.Join(stateColumns()[2:], " = ?, ") + " = ?, revision = revision + 1 WHERE monitor_id = ?"
}

func (s *Store) saveStatesSQLite(tx *gorm.DB, rows []stateRow) error {
	stmt, err := tx.Statement.ConnPool.PrepareContext(tx.Statement.Context, saveStateSQLite())
	if err != nil {
		return fmt.Errorf("prepare to update states: %w", err)
	}
	defer func() { _ = stmt.Close() }()
	for _, r := range rows {
		if _, err := stmt.ExecContext(tx.Statement.Context, r.Status, r.Since, r.LastRecovery, r.JudgeFrom, r.LastSlot, r.KnownSlot,
			r.ConsecutiveFailures, r.LastResponseUS, r.LastResult, r.LastErrorKind, r.LastError,
			r.CertNotAfter, r.CertWarned, r.Outage, r.Regions, r.MonitorID); err != nil {
			return fmt.Errorf("update the state of monitor %d: %w", r.MonitorID, err)
		}
	}
	return nil
}

const saveStatesPostgresSQL = `
UPDATE monitor_states s SET
	status = i.status, since = i.since, last_recovery = i.last_recovery, judge_from = i.judge_from,
	last_slot = i.last_slot, known_slot = i.known_slot, consecutive_failures = i.consecutive_failures,
	last_response_us = i.last_response_us, last_result = i.last_result, last_error_kind = i.last_error_kind,
	last_error = i.last_error, cert_not_after = i.cert_not_after, cert_warned = i.cert_warned,
	outage = i.outage, regions = i.regions, revision = s.revision + 1
FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
	$8::int[], $9::bigint[], $10::smallint[], $11::smallint[], $12::text[], $13::bigint[], $14::text[], $15::text[], $16::text[])
	AS i (monitor_id, status, since, last_recovery, judge_from, last_slot, known_slot, consecutive_failures,
		last_response_us, last_result, last_error_kind, last_error, cert_not_after, cert_warned, outage, regions)
WHERE s.monitor_id = i.monitor_id`

func saveStatesPostgres(tx *gorm.DB, rows []stateRow) error {
	num := func(get func(stateRow) int64) []int64 {
		out := make([]int64, len(rows))
		for i, r := range rows {
			out[i] = get(r)
		}
		return out
	}
	when := func(get func(stateRow) instant) []*int64 {
		out := make([]*int64, len(rows))
		for i, r := range rows {
			if v := int64(get(r)); v != 0 {
				out[i] = &v
			}
		}
		return out
	}
	text := func(get func(stateRow) string) []string {
		out := make([]string, len(rows))
		for i, r := range rows {
			out[i] = get(r)
		}
		return out
	}
	_, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context, saveStatesPostgresSQL,
		num(func(r stateRow) int64 { return r.MonitorID }), num(func(r stateRow) int64 { return int64(r.Status) }),
		when(func(r stateRow) instant { return r.Since }), when(func(r stateRow) instant { return r.LastRecovery }),
		when(func(r stateRow) instant { return r.JudgeFrom }), when(func(r stateRow) instant { return r.LastSlot }),
		when(func(r stateRow) instant { return r.KnownSlot }), num(func(r stateRow) int64 { return int64(r.ConsecutiveFailures) }),
		num(func(r stateRow) int64 { return r.LastResponseUS }), num(func(r stateRow) int64 { return int64(r.LastResult) }),
		num(func(r stateRow) int64 { return int64(r.LastErrorKind) }), text(func(r stateRow) string { return r.LastError }),
		when(func(r stateRow) instant { return r.CertNotAfter }), text(func(r stateRow) string { return r.CertWarned }),
		text(func(r stateRow) string { return r.Outage }), text(func(r stateRow) string { return r.Regions }))
	if err != nil {
		return fmt.Errorf("update states: %w", err)
	}
	return nil
}
