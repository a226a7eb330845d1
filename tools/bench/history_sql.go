package main

import (
	"context"
	"database/sql"
	"strings"
	"time"
)

// Codes of results, as modules/store/code.go freezes them.
const (
	codeUp     = 1
	codeDown   = 3
	codeStatus = 7
)

// outagesSQL opens and ends the incidents of one monitor's bad results. Its
// parameters are the monitor, the interval, the phase, the first slot's number and
// that after the last, and how often an outage is and how long.
func outagesSQL(series, value string) []string {
	text := `INSERT INTO incidents (workspace_id, monitor_id, title, status, stage, severity, cause, error_kind,
			started_at, confirmed_at, resolved_at, recovered_at, ended_at, version, created_at, updated_at)
		SELECT m.workspace_id, m.id, m.name || ' is down', 'resolved', 'resolved', 'major', 'Status 503 Service Unavailable, expected 200-299',
			'status', k * ?2 + ?3, k * ?2 + ?3, (k + ?7) * ?2 + ?3, (k + ?7) * ?2 + ?3, (k + ?7) * ?2 + ?3, 1, k * ?2 + ?3, k * ?2 + ?3
		FROM monitors m, (SELECT VALUE AS k FROM SERIES) s
		WHERE m.id = ?1 AND (k + 37 * m.id) % ?6 = 0`
	if value == "g" { // PostgreSQL
		series += " AS g"
		for _, n := range []string{"1", "2", "3", "6", "7"} {
			text = strings.ReplaceAll(text, "?"+n, "$"+n+"::bigint")
		}
	}
	return []string{strings.NewReplacer("VALUE", value, "SERIES", series).Replace(text)}
}

// backdateSQL lets the monitors have been there since the beginning. Its parameter
// is that time.
func backdateSQL() []string {
	return []string{
		"UPDATE monitor_schedules SET from_at = $1",
		"UPDATE monitors SET created_at = $1, check_at = $1",
		"UPDATE monitor_states SET since = $1, judge_from = $1",
	}
}

// sumAnewSQL lets the program sum everything up from the beginning.
func sumAnewSQL() []string {
	return []string{"UPDATE sequences SET value = 0 WHERE name IN ('rolled_hours', 'rolled_days')"}
}

func rolledDays(ctx context.Context, db *sql.DB) (time.Time, error) {
	var at int64
	err := db.QueryRowContext(ctx, "SELECT value FROM sequences WHERE name = 'rolled_days'").Scan(&at)
	return time.UnixMilli(at), err
}
