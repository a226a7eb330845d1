package store

import (
	"fmt"
	"time"

	"gorm.io/gorm"
)

// outageRow is the time of one outage in Unix milliseconds; To is 0 while it
// goes on.
type outageRow struct {
	MonitorID int64
	From      int64
	To        int64
}

// overlap with [from, to).
func (o outageRow) overlap(from, to int64) int64 {
	end := to
	if o.To != 0 {
		end = min(to, o.To)
	}
	return max(0, end-max(o.From, from))
}

// outages of monitors that touch [from, to): their own incidents, resolved by
// hand or not, from the first failure to the first success, and what retention
// left of older ones. Retracted incidents are none. The outages of one monitor
// do not overlap.
func outages(db *gorm.DB, ids []int64, from, to time.Time) (map[int64][]outageRow, error) {
	var rows []struct {
		MonitorID   int64
		StartedAt   instant
		RecoveredAt instant
	}
	err := db.Raw(`SELECT monitor_id, started_at, recovered_at FROM incidents
		WHERE monitor_id IN ? AND deleted_at IS NULL AND started_at < ? AND (recovered_at IS NULL OR recovered_at > ?)
		UNION ALL
		SELECT monitor_id, started_at, recovered_at FROM past_outages
		WHERE monitor_id IN ? AND started_at < ? AND recovered_at > ?`,
		ids, at(to), at(from), ids, at(to), at(from)).Scan(&rows).Error
	if err != nil {
		return nil, fmt.Errorf("read outages: %w", err)
	}
	out := map[int64][]outageRow{}
	for _, r := range rows {
		out[r.MonitorID] = append(out[r.MonitorID], outageRow{r.MonitorID, int64(r.StartedAt), int64(r.RecoveredAt)})
	}
	return out, nil
}
