package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// gaugesSQL reads what metrics tell of living monitors m of all workspaces, by id.
// Its parameters are unknownAt's, the id to begin after and a limit.
func gaugesSQL() string {
	return "SELECT m.id, m.name, m.type, " + derivedSQL() + `, s.last_response_us, s.cert_not_after
	FROM monitors m JOIN monitor_states s ON s.monitor_id = m.id
	WHERE m.deleted_at IS NULL AND m.id > ? ORDER BY m.id LIMIT ?`
}

// MonitorGauges gives what metrics tell of the living monitors of all workspaces
// with an id above afterID, by id. One short read that keeps no writer waiting.
func (s *Store) MonitorGauges(ctx context.Context, afterID int64, limit int) ([]uptime.MonitorGauge, error) {
	var out []uptime.MonitorGauge
	err := s.report(ctx, func(db *gorm.DB) error {
		args := slices.Concat(unknownAt(s.now()), []any{afterID, limit})
		rows, err := db.Raw(gaugesSQL(), args...).Rows()
		if err != nil {
			return err
		}
		out = make([]uptime.MonitorGauge, 0, limit)
		return each(rows, func() error {
			var g uptime.MonitorGauge
			var status int16
			var took int64
			var certificate instant
			if err := rows.Scan(&g.ID, &g.Name, &g.Type, &status, &took, &certificate); err != nil {
				return err
			}
			g.Status, g.Response, g.Certificate = statusOf(status), time.Duration(took)*time.Microsecond, certificate.time()
			out = append(out, g)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read monitors for metrics: %w", err)
	}
	return out, nil
}
