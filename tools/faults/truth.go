package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Codes of modules/store/code.go, which are frozen.
const (
	codePending = 0
	codeUp      = 1
	codeDown    = 3
	codeUnknown = 4
)

// truth is what the program stored, read past it.
type truth struct {
	results    map[int64][]result // by monitor, ascending
	missed     map[int64][]missed
	schedules  map[int64][]schedule
	incidents  map[int64][]incident // living ones, ascending
	states     map[int64]state
	deliveries []delivery
}

type result struct {
	slot, started, ended time.Time
	status, kind, code   int
	attempt              int
}

func (r result) String() string {
	word := map[int]string{codeUp: "up", codeDown: "down", codeUnknown: "unknown"}[r.status]
	return fmt.Sprintf("%s %s code %d kind %d attempt %d started +%d ms", r.slot.Format("04:05.000"), word, r.code, r.kind, r.attempt,
		r.started.Sub(r.slot).Milliseconds())
}

// missed is a range of slots that were booked.
type missed struct {
	from, to time.Time
	count    int64
	reason   int
}

// schedule says that grid slots in (from, until] were due.
type schedule struct {
	from, until time.Time // until zero: it goes on
	interval    time.Duration
}

type incident struct {
	id                 int64
	started, recovered time.Time
	resolved           bool
	reopened           int
}

type state struct {
	status, failures int
	lastSlot         time.Time
}

type delivery struct {
	event, kind string
	channel     int64
	channelType string
	incident    int64
	status      string
	attempts    int
}

// read reads all of it in one snapshot.
func (w *world) read(ctx context.Context) (*truth, error) {
	conn, err := pgx.Connect(ctx, w.postgres.PostgresURL("monitor"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // it only read
	t := &truth{
		results: map[int64][]result{}, missed: map[int64][]missed{}, schedules: map[int64][]schedule{},
		incidents: map[int64][]incident{}, states: map[int64]state{},
	}
	for _, part := range []func(context.Context, pgx.Tx) error{
		t.readResults, t.readMissed, t.readSchedules, t.readIncidents, t.readStates, t.readDeliveries,
	} {
		if err := part(ctx, tx); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// each scans the rows of a query into the same places, one after the other.
func each(ctx context.Context, tx pgx.Tx, query string, into []any, do func()) error {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return err
	}
	_, err = pgx.ForEachRow(rows, into, func() error {
		do()
		return nil
	})
	return err
}

func instant(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// perhaps is the zero time for NULL.
func perhaps(ms *int64) time.Time {
	if ms == nil {
		return time.Time{}
	}
	return instant(*ms)
}

func (t *truth) readResults(ctx context.Context, tx pgx.Tx) error {
	var id, slot, started, took int64
	var r result
	return each(ctx, tx, `SELECT monitor_id, scheduled_at, started_ms, response_us, status, error_kind, status_code, CAST(attempt AS INTEGER)
		FROM check_results ORDER BY monitor_id, scheduled_at`,
		[]any{&id, &slot, &started, &took, &r.status, &r.kind, &r.code, &r.attempt}, func() {
			r.slot = instant(slot)
			r.started = r.slot.Add(time.Duration(started) * time.Millisecond)
			r.ended = r.started.Add(time.Duration(took) * time.Microsecond)
			t.results[id] = append(t.results[id], r)
		})
}

func (t *truth) readMissed(ctx context.Context, tx pgx.Tx) error {
	var id, from, to int64
	var m missed
	return each(ctx, tx, `SELECT monitor_id, from_at, to_at, slots, reason FROM missed_slots ORDER BY monitor_id, from_at`,
		[]any{&id, &from, &to, &m.count, &m.reason}, func() {
			m.from, m.to = instant(from), instant(to)
			t.missed[id] = append(t.missed[id], m)
		})
}

func (t *truth) readSchedules(ctx context.Context, tx pgx.Tx) error {
	var id, from, interval int64
	var until *int64
	return each(ctx, tx, `SELECT monitor_id, from_at, until_at, interval_ms FROM monitor_schedules ORDER BY monitor_id, from_at`,
		[]any{&id, &from, &until, &interval}, func() {
			t.schedules[id] = append(t.schedules[id], schedule{instant(from), perhaps(until), time.Duration(interval) * time.Millisecond})
		})
}

func (t *truth) readIncidents(ctx context.Context, tx pgx.Tx) error {
	var id, started int64
	var recovered, resolved *int64
	var i incident
	return each(ctx, tx, `SELECT i.monitor_id, i.id, i.started_at, i.recovered_at, i.resolved_at,
			(SELECT count(*) FROM incident_updates u WHERE u.incident_id = i.id AND u.message LIKE 'Still down:%')
		FROM incidents i WHERE i.deleted_at IS NULL AND i.monitor_id IS NOT NULL ORDER BY i.monitor_id, i.started_at`,
		[]any{&id, &i.id, &started, &recovered, &resolved, &i.reopened}, func() {
			i.started, i.recovered, i.resolved = instant(started), perhaps(recovered), resolved != nil
			t.incidents[id] = append(t.incidents[id], i)
		})
}

func (t *truth) readStates(ctx context.Context, tx pgx.Tx) error {
	var id int64
	var last *int64
	var s state
	return each(ctx, tx, `SELECT monitor_id, status, consecutive_failures, last_slot FROM monitor_states`,
		[]any{&id, &s.status, &s.failures, &last}, func() {
			s.lastSlot = perhaps(last)
			t.states[id] = s
		})
}

func (t *truth) readDeliveries(ctx context.Context, tx pgx.Tx) error {
	var d delivery
	return each(ctx, tx, `SELECT d.event_id, d.event_type, d.channel_id, c.type, d.incident_id, d.status,
			(SELECT count(*) FROM delivery_attempts a WHERE a.delivery_id = d.id)
		FROM deliveries d JOIN channels c ON c.id = d.channel_id ORDER BY d.id`,
		[]any{&d.event, &d.kind, &d.channel, &d.channelType, &d.incident, &d.status, &d.attempts}, func() {
			t.deliveries = append(t.deliveries, d)
		})
}
