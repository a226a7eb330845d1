package main

import (
	"context"
	"database/sql"
	"time"
)

// sqliteHistorian writes into the program's file.
type sqliteHistorian struct{ db *sql.DB }

func newSQLiteHistorian(file string) (historian, error) {
	db, err := sql.Open("sqlite3", "file:"+file+"?_pragma=busy_timeout(60000)&_pragma=journal_mode(wal)&_pragma=synchronous(off)&_pragma=cache_size(-64000)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &sqliteHistorian{db}, nil
}

// write goes monitor by monitor, in order of the table's key.
func (h *sqliteHistorian) write(ctx context.Context, p past) error {
	for i, id := range p.ids {
		first, phase := p.slots(id, p.from)
		last, _ := p.slots(id, p.to)
		_, err := h.db.ExecContext(ctx, `INSERT INTO check_results (monitor_id, region_id, scheduled_at, started_ms, response_us, dns_us,
				connect_us, tls_us, first_byte_us, status, error_kind, status_code, attempt, error)
			SELECT ?1, 1, value * ?2 + ?3, abs(random() % 4), 8000 + abs(random() % 20000), 0, 200 + abs(random() % 200), 0,
				7000 + abs(random() % 15000), CASE WHEN bad THEN ?7 ELSE ?6 END, CASE WHEN bad THEN ?8 ELSE 0 END,
				CASE WHEN bad THEN 503 ELSE 200 END, 1, CASE WHEN bad THEN 'Status 503 Service Unavailable, expected 200-299' END
			FROM (SELECT value, (value + 37 * ?1) % ?9 < ?10 AS bad FROM generate_series(?4, ?5 - 1)) WHERE TRUE
			ON CONFLICT DO NOTHING`,
			id, p.interval.Milliseconds(), phase, first, last, codeUp, codeDown, codeStatus, p.outageEvery(), outageChecks)
		if err != nil {
			return err
		}
		if err := execAll(ctx, h.db, outagesSQL("generate_series(?4, ?5 - 1)", "value"),
			id, p.interval.Milliseconds(), phase, first, last, p.outageEvery(), outageChecks); err != nil {
			return err
		}
		p.progress(i+1, len(p.ids))
	}
	if err := execAll(ctx, h.db, backdateSQL(), p.from.UnixMilli()); err != nil {
		return err
	}
	return execAll(ctx, h.db, append(sumAnewSQL(), "PRAGMA wal_checkpoint(TRUNCATE)"))
}

func (h *sqliteHistorian) rolled(ctx context.Context) (time.Time, error) {
	return rolledDays(ctx, h.db)
}

func (h *sqliteHistorian) close() error { return h.db.Close() }
