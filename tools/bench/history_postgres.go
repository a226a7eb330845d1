package main

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql's "pgx"
)

// postgresHistorian writes into the program's database.
type postgresHistorian struct{ db *sql.DB }

func newPostgresHistorian(_ context.Context, url string) (historian, error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &postgresHistorian{db}, nil
}

// write goes day by day, which are partitions, without an index until they are full.
func (h *postgresHistorian) write(ctx context.Context, p past) error {
	if err := execAll(ctx, h.db, []string{"SET synchronous_commit = off", "SET maintenance_work_mem = '256MB'"}); err != nil {
		return err
	}
	days := int(p.to.Sub(p.from).Hours()/24) + 1
	for d := range days {
		if err := h.day(ctx, p, p.from.AddDate(0, 0, d)); err != nil {
			return err
		}
		p.progress(d+1, days)
	}
	for _, id := range p.ids {
		first, phase := p.slots(id, p.from)
		last, _ := p.slots(id, p.to)
		if err := execAll(ctx, h.db, outagesSQL("generate_series($4::bigint, $5::bigint - 1)", "g"),
			id, p.interval.Milliseconds(), phase, first, last, p.outageEvery(), outageChecks); err != nil {
			return err
		}
	}
	if err := execAll(ctx, h.db, backdateSQL(), p.from.UnixMilli()); err != nil {
		return err
	}
	return execAll(ctx, h.db, append(sumAnewSQL(), "VACUUM (ANALYZE)", "CHECKPOINT"))
}

// day writes the results of one day, up to the end of the past.
func (h *postgresHistorian) day(ctx context.Context, p past, day time.Time) error {
	end := day.AddDate(0, 0, 1)
	table := "check_results_" + day.Format("20060102")
	number := day.Unix() / 86400
	fresh := []string{
		fmt.Sprintf("INSERT INTO result_days (day) VALUES (%d)", number),
		fmt.Sprintf("CREATE TABLE %s (LIKE check_results INCLUDING DEFAULTS)", table),
	}
	attach := []string{
		fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (monitor_id, region_id, scheduled_at)", table),
		fmt.Sprintf("ALTER TABLE check_results ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)", table, number*86_400_000, (number+1)*86_400_000),
	}
	var there bool
	if err := h.db.QueryRowContext(ctx, "SELECT to_regclass($1) IS NOT NULL", table).Scan(&there); err != nil {
		return err
	}
	if there { // the program made it ahead
		fresh, attach = nil, nil
	}
	if end.After(p.to) {
		end = p.to
	}
	if err := execAll(ctx, h.db, fresh); err != nil {
		return err
	}
	firsts, lasts, phases := make([]int64, len(p.ids)), make([]int64, len(p.ids)), make([]int64, len(p.ids))
	for i, id := range p.ids {
		firsts[i], phases[i] = p.slots(id, day)
		lasts[i], _ = p.slots(id, end)
	}
	_, err := h.db.ExecContext(ctx, `INSERT INTO `+table+` (monitor_id, region_id, scheduled_at, started_ms, response_us, dns_us,
			connect_us, tls_us, first_byte_us, status, error_kind, status_code, attempt, error)
		SELECT id, 1, k * $5 + phase, (random() * 3)::int, 8000 + (random() * 20000)::int, 0, 200 + (random() * 200)::int, 0,
			7000 + (random() * 15000)::int, CASE WHEN bad THEN $7::int ELSE $6::int END, CASE WHEN bad THEN $8::int ELSE 0 END,
			CASE WHEN bad THEN 503 ELSE 200 END, 1::"char", CASE WHEN bad THEN 'Status 503 Service Unavailable, expected 200-299' ELSE '' END
		FROM (
			SELECT m.id, m.phase, k, (k + 37 * m.id) % $9 < $10 AS bad
			FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS m (id, first, last, phase), generate_series(m.first, m.last - 1) k
		) s ON CONFLICT DO NOTHING`,
		p.ids, firsts, lasts, phases, p.interval.Milliseconds(), codeUp, codeDown, codeStatus, p.outageEvery(), outageChecks)
	if err != nil {
		return err
	}
	return execAll(ctx, h.db, attach)
}

func (h *postgresHistorian) rolled(ctx context.Context) (time.Time, error) {
	return rolledDays(ctx, h.db)
}

func (h *postgresHistorian) close() error { return h.db.Close() }
