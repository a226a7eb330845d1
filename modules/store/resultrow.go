package store

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// resultColumns in the order of resultRow.fields.
const resultColumns = `monitor_id, region_id, scheduled_at, started_ms, response_us, dns_us, connect_us, tls_us,
	first_byte_us, status, error_kind, status_code, attempt, error`

// resultReading is resultColumns to be read: PostgreSQL keeps an attempt in a
// "char", its integer of one byte.
const resultReading = `monitor_id, region_id, scheduled_at, started_ms, response_us, dns_us, connect_us, tls_us,
	first_byte_us, status, error_kind, status_code, CAST(attempt AS INTEGER), error`

// resultRow is a row of check_results.
type resultRow struct {
	MonitorID   int64
	RegionID    int64
	ScheduledAt int64
	StartedMS   int64 // after ScheduledAt
	ResponseUS  int64
	DNSUS       int64
	ConnectUS   int64
	TLSUS       int64
	FirstByteUS int64
	Status      int16
	ErrorKind   int16
	StatusCode  int64
	Attempt     int64
	Error       *string
}

func (r *resultRow) fields() []any {
	return []any{
		&r.MonitorID, &r.RegionID, &r.ScheduledAt, &r.StartedMS, &r.ResponseUS, &r.DNSUS, &r.ConnectUS, &r.TLSUS,
		&r.FirstByteUS, &r.Status, &r.ErrorKind, &r.StatusCode, &r.Attempt, &r.Error,
	}
}

const maxErrorText = 1024

// micros fits a duration into its column: whole microseconds, up to 35 minutes.
func micros(d time.Duration) int64 {
	return min(max(d.Microseconds(), 0), math.MaxInt32)
}

func clampInt16(n int) int64 { return int64(min(max(n, math.MinInt16), math.MaxInt16)) }

func clampInt8(n int) int64 { return int64(min(max(n, math.MinInt8), math.MaxInt8)) }

// normalResult is the result as it will be read back, so that what is decided
// from a new result and from a stored one is the same.
func normalResult(r uptime.Result) uptime.Result {
	r.ScheduledAt = r.ScheduledAt.UTC().Truncate(time.Millisecond)
	if r.StartedAt.IsZero() {
		r.StartedAt = r.ScheduledAt
	}
	started := min(max(r.StartedAt.Sub(r.ScheduledAt), math.MinInt32*time.Millisecond), math.MaxInt32*time.Millisecond)
	r.StartedAt = r.ScheduledAt.Add(started.Truncate(time.Millisecond))
	for _, d := range []*time.Duration{&r.Response, &r.Phases.DNS, &r.Phases.Connect, &r.Phases.TLS, &r.Phases.FirstByte} {
		*d = time.Duration(micros(*d)) * time.Microsecond
	}
	r.StatusCode, r.Attempt = int(clampInt16(r.StatusCode)), int(clampInt8(r.Attempt))
	r.Status = resultStatus(r.Status)
	r.ErrorKind = kindOf(kindCode(r.ErrorKind))
	r.Error = uptime.Clean(r.Error, maxErrorText) // one NUL would fail the whole batch
	return r
}

// resultStatus: what is none of the four words is unknown.
func resultStatus(s uptime.Status) uptime.Status {
	switch s {
	case uptime.Up, uptime.Degraded, uptime.Down:
		return s
	case uptime.Unknown, uptime.Pending, uptime.Paused, uptime.Maintenance:
	}
	return uptime.Unknown
}

// rowOfResult of a normal result.
func rowOfResult(r uptime.Result, regionID int64) resultRow {
	row := resultRow{
		MonitorID: r.MonitorID, RegionID: regionID, ScheduledAt: r.ScheduledAt.UnixMilli(),
		StartedMS: r.StartedAt.Sub(r.ScheduledAt).Milliseconds(), ResponseUS: micros(r.Response),
		DNSUS: micros(r.Phases.DNS), ConnectUS: micros(r.Phases.Connect), TLSUS: micros(r.Phases.TLS),
		FirstByteUS: micros(r.Phases.FirstByte), Status: statusCode(r.Status), ErrorKind: kindCode(r.ErrorKind),
		StatusCode: int64(r.StatusCode), Attempt: int64(r.Attempt),
	}
	if r.Error != "" {
		row.Error = &r.Error
	}
	return row
}

func (r resultRow) result(workspaceID int64, region string) uptime.Result {
	us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	slot := time.UnixMilli(r.ScheduledAt).UTC()
	out := uptime.Result{
		MonitorID: r.MonitorID, WorkspaceID: workspaceID, Region: region,
		ScheduledAt: slot, StartedAt: slot.Add(millis(r.StartedMS)), Attempt: int(r.Attempt),
		Outcome: uptime.Outcome{
			Status: statusOf(r.Status), ErrorKind: kindOf(r.ErrorKind), Response: us(r.ResponseUS),
			Phases:     uptime.Phases{DNS: us(r.DNSUS), Connect: us(r.ConnectUS), TLS: us(r.TLSUS), FirstByte: us(r.FirstByteUS)},
			StatusCode: int(r.StatusCode),
		},
	}
	if r.Error != nil {
		out.Error = *r.Error
	}
	return out
}

// resultRows reads rows whose columns are resultReading.
func resultRows(db *gorm.DB, query string, args ...any) ([]resultRow, error) {
	rows, err := db.Raw(query, args...).Rows() //nolint:sqlclosecheck // each closes them
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	var out []resultRow
	err = each(rows, func() error {
		var r resultRow
		if err := rows.Scan(r.fields()...); err != nil {
			return err
		}
		out = append(out, r)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read results: %w", err)
	}
	return out, nil
}

// each calls fn for every row and closes them.
func each(rows *sql.Rows, fn func() error) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := fn(); err != nil {
			return err
		}
	}
	return rows.Err()
}

// sortNewest orders by slot, newest first, then region.
func sortNewest(rows []resultRow) {
	slices.SortFunc(rows, func(a, b resultRow) int {
		return cmp.Or(cmp.Compare(b.ScheduledAt, a.ScheduledAt), cmp.Compare(a.RegionID, b.RegionID))
	})
}
