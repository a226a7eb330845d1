package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// Tiles gives the worst monitors that the filter chooses, by severity and then name, up
// to limit. It reads no more of them than a wallboard shows.
func (s *Store) Tiles(ctx context.Context, ws int64, f uptime.MonitorFilter, limit int) (tiles []uptime.Tile, err error) {
	err = s.report(ctx, func(db *gorm.DB) error {
		var ids []int64
		if err := s.filtered(db, ws, f).Order("severity, name_key, id").Limit(limit).Pluck("id", &ids).Error; err != nil {
			return fmt.Errorf("choose tiles: %w", err)
		}
		var rows []struct {
			ID, Since  int64
			Name       string
			Derived    int16
			IsRetrying bool
		}
		// Retrying is what uptime.Monitor.Retrying says.
		sql := `SELECT m.id, m.name, coalesce(s.since, 0) AS since, ` + derivedSQL() + ` AS derived,
			(m.enabled AND s.status <> ? AND s.consecutive_failures > 0) AS is_retrying
			FROM monitors m JOIN monitor_states s ON s.monitor_id = m.id WHERE m.id IN ?`
		args := append(unknownAt(s.now()), codeDown, orNone(ids))
		if err := db.Raw(sql, args...).Scan(&rows).Error; err != nil {
			return fmt.Errorf("read tiles: %w", err)
		}
		tiles = make([]uptime.Tile, 0, len(rows))
		for _, r := range rows {
			t := uptime.Tile{ID: r.ID, Name: r.Name, Status: statusOf(r.Derived), Retrying: r.IsRetrying}
			if r.Since > 0 {
				t.Since = time.UnixMilli(r.Since).UTC()
			}
			tiles = append(tiles, t)
		}
		place := make(map[int64]int, len(ids))
		for i, id := range ids {
			place[id] = i
		}
		slices.SortFunc(tiles, func(a, b uptime.Tile) int { return place[a.ID] - place[b.ID] })
		return nil
	})
	return tiles, err
}
