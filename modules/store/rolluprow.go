package store

import (
	"fmt"
	"time"

	"gorm.io/gorm"
)

const hourMS = int64(time.Hour / time.Millisecond)

// The rollup tables.
const (
	hourly = "rollups_hourly"
	daily  = "rollups_daily"
	fine   = "rollups_fine"
)

// rollupRow sums the results of one monitor from one region over an hour or a UTC
// day. Region 0 is all regions, in rows of older versions.
type rollupRow struct {
	MonitorID, StartAt, RegionID           int64
	KnownMS, DownMS, UnknownMS, MaintainMS int64
	KnownSpans, DownSpans                  []byte // see spans.pack
	sums

	slices []byte // of an hour; a row of rollups_fine
}

// sums of what was counted in some time.
type sums struct {
	Up, Degraded, Down, Unknown int64
	ResponseUS                  int64
	Histogram                   []byte
}

const rollupColumns = `monitor_id, start_at, region_id, up, degraded, down, unknown, known_ms, down_ms, unknown_ms, maintenance_ms,
	known_spans, down_spans, response_us, histogram`

func (r *rollupRow) fields() []any {
	return []any{
		&r.MonitorID, &r.StartAt, &r.RegionID, &r.Up, &r.Degraded, &r.Down, &r.Unknown, &r.KnownMS, &r.DownMS, &r.UnknownMS, &r.MaintainMS,
		&r.KnownSpans, &r.DownSpans, &r.ResponseUS, &r.Histogram,
	}
}

func (r rollupRow) values() []any {
	return []any{
		r.MonitorID, r.StartAt, r.RegionID, r.Up, r.Degraded, r.Down, r.Unknown, r.KnownMS, r.DownMS, r.UnknownMS, r.MaintainMS,
		r.KnownSpans, r.DownSpans, r.ResponseUS, r.Histogram,
	}
}

// spans that are known, and of those that are down, within the row's time.
func (r rollupRow) spans() (known, down spans, err error) {
	if known, err = unpackSpans(r.KnownSpans, r.StartAt, r.KnownMS); err != nil {
		return nil, nil, err
	}
	down, err = unpackSpans(r.DownSpans, r.StartAt, r.DownMS)
	return known, down, err
}

// rollupSpans are the columns of a rollup that timelines are made from.
const rollupSpans = "monitor_id, start_at, region_id, known_ms, down_ms, known_spans, down_spans"

func (r *rollupRow) spanFields() []any {
	return []any{&r.MonitorID, &r.StartAt, &r.RegionID, &r.KnownMS, &r.DownMS, &r.KnownSpans, &r.DownSpans}
}

// rollups of monitors that start in [from, to), by monitor, start and region;
// without sums where only timelines are asked for.
func (s *Store) rollups(db *gorm.DB, table string, ids []int64, from, to int64, withSums bool) (out []rollupRow, err error) {
	if from >= to || len(ids) == 0 {
		return nil, nil
	}
	columns := rollupSpans
	if withSums {
		columns = rollupColumns
	}
	query := "SELECT " + columns + " FROM " + table + " WHERE monitor_id " + s.in(1) +
		" AND start_at >= $2 AND start_at < $3 ORDER BY monitor_id, start_at, region_id"
	var r rollupRow
	fields := r.spanFields()
	if withSums {
		fields = r.fields()
	}
	err = s.list(db, query, []any{ids, from, to}, func(scan func(...any) error) error {
		r = rollupRow{}
		if err := scan(fields...); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read rollups: %w", err)
	}
	return out, nil
}

// fineRollups gives the slices of monitors' hours that start in [from, to).
func (s *Store) fineRollups(db *gorm.DB, ids []int64, from, to int64) (out []rollupRow, err error) {
	if from >= to || len(ids) == 0 {
		return nil, nil
	}
	query := "SELECT monitor_id, start_at, region_id, slices FROM " + fine + " WHERE monitor_id " + s.in(1) + " AND start_at >= $2 AND start_at < $3"
	var r rollupRow
	fields := []any{&r.MonitorID, &r.StartAt, &r.RegionID, &r.slices}
	err = s.list(db, query, []any{ids, from, to}, func(scan func(...any) error) error {
		r.slices = nil
		if err := scan(fields...); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read slices: %w", err)
	}
	return out, nil
}
