package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// livingMonitor gives the settings of a monitor, or gorm.ErrRecordNotFound.
func (s *Store) livingMonitor(db *gorm.DB, ws, id int64) (monitorRow, error) {
	var rows []monitorRow
	err := db.Where("id = ? AND workspace_id = ? AND deleted_at IS NULL", id, ws).Limit(1).Find(&rows).Error
	if err != nil {
		return monitorRow{}, fmt.Errorf("read a monitor: %w", err)
	}
	if len(rows) == 0 {
		return monitorRow{}, fmt.Errorf("read a monitor: %w", gorm.ErrRecordNotFound)
	}
	return rows[0], nil
}

// Result gives one stored result.
func (s *Store) Result(ctx context.Context, ws, monitorID int64, region string, slot time.Time) (out uptime.Result, err error) {
	err = s.read(ctx, func(db *gorm.DB) error {
		if _, err := s.livingMonitor(db, ws, monitorID); err != nil {
			return err
		}
		regionID, err := s.regionID(db, region)
		if err != nil {
			return err
		}
		rows, err := resultRows(db, "SELECT "+resultReading+" FROM check_results WHERE monitor_id = ? AND region_id = ? AND scheduled_at = ?",
			monitorID, regionID, slot.UnixMilli())
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return fmt.Errorf("read a result: %w", gorm.ErrRecordNotFound)
		}
		out = rows[0].result(ws, region)
		return nil
	})
	return out, err
}

// Results lists those of a monitor, newest first.
func (s *Store) Results(ctx context.Context, ws, monitorID int64, f uptime.ResultFilter, p uptime.Page) (uptime.List[uptime.Result], error) {
	var out uptime.List[uptime.Result]
	err := s.report(ctx, func(db *gorm.DB) error {
		out = uptime.List[uptime.Result]{Items: []uptime.Result{}}
		if _, err := s.livingMonitor(db, ws, monitorID); err != nil {
			return err
		}
		limit := pageLimit(p)
		rows, err := s.resultPage(db, monitorID, f, p, limit+1)
		if err != nil {
			return err
		}
		if len(rows) > limit {
			rows = rows[:limit]
			last := rows[limit-1]
			out.Next = encodeCursor(resultsCursor, last.ScheduledAt, last.RegionID)
		}
		for _, row := range rows {
			region, err := s.regionName(db, row.RegionID)
			if err != nil {
				return err
			}
			out.Items = append(out.Items, row.result(ws, region))
		}
		return nil
	})
	return out, err
}

const resultsCursor = "results"

// resultPage reads each region's part by its key and joins them: an order over
// all regions has no index, which would cost a byte on every row.
func (s *Store) resultPage(db *gorm.DB, monitorID int64, f uptime.ResultFilter, p uptime.Page, limit int) ([]resultRow, error) {
	var slot, after int64
	if p.Cursor != "" {
		if err := decodeCursor(resultsCursor, p.Cursor, &slot, &after); err != nil {
			return nil, err
		}
	}
	if err := s.regions.load(db); err != nil {
		return nil, err
	}
	regions := s.regions.all()
	if f.Region != "" {
		id, err := s.regionID(db, f.Region)
		if err != nil {
			return nil, err
		}
		regions = []int64{id}
	}
	var out []resultRow
	for _, region := range regions {
		query := "SELECT " + resultReading + " FROM check_results WHERE monitor_id = ? AND region_id = ?"
		args := []any{monitorID, region}
		add := func(condition string, value any) {
			query += " AND " + condition
			args = append(args, value)
		}
		if p.Cursor != "" && region > after {
			add("scheduled_at <= ?", slot)
		} else if p.Cursor != "" {
			add("scheduled_at < ?", slot)
		}
		if !f.From.IsZero() {
			add("scheduled_at >= ?", f.From.UnixMilli())
		}
		if !f.To.IsZero() {
			add("scheduled_at < ?", f.To.UnixMilli())
		}
		if f.Status != "" {
			add("status = ?", statusCode(f.Status))
		}
		rows, err := resultRows(db, query+" ORDER BY scheduled_at DESC LIMIT ?", append(args, limit)...)
		if err != nil {
			return nil, err
		}
		out = append(out, rows...)
	}
	sortNewest(out)
	return out[:min(limit, len(out))], nil
}
