package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/ncruces/go-sqlite3"

	"monitor/modules/failpoint"
	"monitor/modules/uptime"
)

// maxCalm bounds the monitors known to be calm; the map is emptied when full. One
// takes about 200 bytes.
const maxCalm = 500_000

// calmMonitors are those of which a success changes nothing but the newest figures,
// each with the revision of its state that this was seen at. It is a guess that
// the database confirms: Advance writes nothing where the revision is another.
type calmMonitors struct {
	mu   sync.Mutex
	byID map[int64]calmMonitor
}

type calmMonitor struct {
	uptime.Calm
	revision int64
}

func newCalmMonitors() *calmMonitors { return &calmMonitors{byID: map[int64]calmMonitor{}} }

// replace takes over what a recording found: of the monitors whose states it read,
// those that are calm now. Where it may not have been committed, none is.
func (c *calmMonitors) replace(read map[int64]int64, calm map[int64]calmMonitor, committed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byID)+len(calm) > maxCalm {
		clear(c.byID)
	}
	for id := range read {
		if m, ok := calm[id]; ok && committed {
			c.byID[id] = m
		} else {
			delete(c.byID, id)
		}
	}
}

func (c *calmMonitors) forget(ids ...int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		delete(c.byID, id)
	}
}

// pick gives the steps that these results may be, in order of monitor, one for
// each, and the indices of the results that they are not.
func (c *calmMonitors) pick(batch []uptime.Result) (steps []step, left []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	steps = make([]step, 0, len(batch))
	for i, r := range batch {
		m, ok := c.byID[r.MonitorID]
		if !ok || !m.Agrees(r) {
			left = append(left, i)
			continue
		}
		steps = append(steps, step{index: i, calm: m, row: resultRow{MonitorID: r.MonitorID}})
	}
	slices.SortFunc(steps, func(a, b step) int {
		return cmp.Or(cmp.Compare(a.row.MonitorID, b.row.MonitorID), batch[a.index].ScheduledAt.Compare(batch[b.index].ScheduledAt))
	})
	first := steps[:0]
	for _, st := range steps {
		if n := len(first); n > 0 && first[n-1].row.MonitorID == st.row.MonitorID {
			left = append(left, st.index)
			continue
		}
		first = append(first, st)
	}
	return first, left
}

// step is one success of a calm monitor.
type step struct {
	index int // in the batch
	calm  calmMonitor
	row   resultRow
	done  bool
}

// errNotCalm: what a calm monitor's new slot is, was stored before.
var errNotCalm = errors.New("a result of a later slot than the newest is stored already")

// Advance stores those results of a batch that are successes of calm monitors, in
// one transaction that reads nothing: it writes where the state still has the
// revision that this process knows, and is older than the result. left are the
// indices of the others, which Record must judge.
func (s *Store) Advance(ctx context.Context, batch []uptime.Result) (done uptime.Recorded, left []int, err error) {
	steps, left := s.calm.pick(batch)
	late := s.now().UnixMilli() - hourMS - dirtyAfter.Milliseconds()
	ready := steps[:0]
	for _, st := range steps {
		r := normalResult(batch[st.index])
		id, known := s.regions.id(r.Region)
		if st.row = rowOfResult(r, id); !known || st.row.ScheduledAt-st.row.ScheduledAt%hourMS <= late {
			left = append(left, st.index) // its hour may be rolled up
			continue
		}
		ready = append(ready, st)
	}
	if len(ready) == 0 {
		return done, left, nil
	}
	if s.dialect == dialectPostgres {
		err = s.advancePostgres(ctx, ready)
	} else {
		err = s.advanceSQLite(ctx, ready)
	}
	if errors.Is(err, errNotCalm) {
		for _, st := range ready {
			s.calm.forget(st.row.MonitorID)
			left = append(left, st.index)
		}
		return done, left, nil
	}
	if err != nil {
		return done, nil, fmt.Errorf("store agreeing results: %w", err)
	}
	done.Notices = make([]uptime.Notice, 0, len(ready))
	for _, st := range ready {
		if !st.done {
			s.calm.forget(st.row.MonitorID)
			left = append(left, st.index)
			continue
		}
		done.Stored++
		done.Notices = append(done.Notices, uptime.Notice{
			Topic: uptime.TopicResult, WorkspaceID: st.calm.WorkspaceID, ID: st.row.MonitorID,
			Slot: time.UnixMilli(st.row.ScheduledAt).UTC(),
		})
	}
	return done, left, nil
}

// The states are locked in order of id, as by Record. A step whose result cannot be
// inserted fails the statement (division by zero), so that it does nothing.
const advancePostgresSQL = `
WITH input AS MATERIALIZED (
	SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[],
		$9::int[], $10::smallint[], $11::int[], $12::bigint[])
		AS i (monitor_id, region_id, scheduled_at, started_ms, response_us, dns_us, connect_us, tls_us, first_byte_us,
			status_code, attempt, revision)
), calm AS MATERIALIZED (
	SELECT i.* FROM input i JOIN monitor_states s ON s.monitor_id = i.monitor_id
	WHERE s.revision = i.revision AND s.last_slot < i.scheduled_at
		AND EXISTS (SELECT 1 FROM result_days d WHERE d.day = i.scheduled_at / 86400000)
	ORDER BY s.monitor_id FOR UPDATE OF s
), moved AS (
	UPDATE monitor_states s SET last_slot = c.scheduled_at, known_slot = c.scheduled_at, last_response_us = c.response_us
	FROM calm c WHERE s.monitor_id = c.monitor_id
), stored AS (
	INSERT INTO check_results (` + resultColumns + `)
	SELECT monitor_id, region_id, scheduled_at, started_ms, response_us, dns_us, connect_us, tls_us, first_byte_us,
		$13::smallint, $14::smallint, status_code, attempt::"char", ''
	FROM calm ON CONFLICT DO NOTHING
	RETURNING monitor_id
)
SELECT coalesce(array_agg(monitor_id), '{}'), 1 / CASE WHEN count(*) = (SELECT count(*) FROM calm) THEN 1 ELSE 0 END FROM stored`

// codeDivisionByZero is PostgreSQL's.
const codeDivisionByZero = "22012"

func (s *Store) advancePostgres(ctx context.Context, steps []step) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	col := func(get func(step) int64) []int64 {
		out := make([]int64, len(steps))
		for i, st := range steps {
			out[i] = get(st)
		}
		return out
	}
	args := []any{
		col(func(st step) int64 { return st.row.MonitorID }), col(func(st step) int64 { return st.row.RegionID }),
		col(func(st step) int64 { return st.row.ScheduledAt }), col(func(st step) int64 { return st.row.StartedMS }),
		col(func(st step) int64 { return st.row.ResponseUS }), col(func(st step) int64 { return st.row.DNSUS }),
		col(func(st step) int64 { return st.row.ConnectUS }), col(func(st step) int64 { return st.row.TLSUS }),
		col(func(st step) int64 { return st.row.FirstByteUS }), col(func(st step) int64 { return st.row.StatusCode }),
		col(func(st step) int64 { return st.row.Attempt }), col(func(st step) int64 { return st.calm.revision }),
		int64(codeUp), int64(kindCode("")),
	}
	var moved []int64
	err := s.again(ctx, func() error {
		if failpoint.Error("store.serialization") != nil {
			return failure(&pgconn.PgError{Severity: "ERROR", Code: "40001", Message: "failpoint"})
		}
		db, err := s.hot.writes.DB()
		if err != nil {
			return err
		}
		var one int
		err = db.QueryRowContext(ctx, advancePostgresSQL, args...).Scan(pgtype.NewMap().SQLScanner(&moved), &one)
		switch {
		case err == nil:
			return nil
		case postgresCode(err) == codeDivisionByZero:
			return errNotCalm
		}
		return committing(failure(err)) // it is a transaction of its own
	})
	if err != nil {
		return err
	}
	slices.Sort(moved)
	for i := range steps {
		_, steps[i].done = slices.BinarySearch(moved, steps[i].row.MonitorID)
	}
	return nil
}

// advanceSQLite goes before other writers.
func (s *Store) advanceSQLite(ctx context.Context, steps []step) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return s.again(ctx, func() error {
		if err := s.gate.enter(ctx, s.hot.first); err != nil {
			return failure(err)
		}
		defer s.gate.leave()
		return failure(s.onWriter(ctx, func(conn *sqlite3.Conn) error { return s.quick.advance(conn, steps) }))
	})
}
