package store

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// Availability tells, for windows of these lengths that end now, how much of them a
// living monitor was up: what Stats says of each, by one reading of the longest.
func (s *Store) Availability(ctx context.Context, ws, monitorID int64, lengths []time.Duration) (out []uptime.Availability, err error) {
	if len(lengths) == 0 {
		return nil, nil
	}
	err = s.report(ctx, func(db *gorm.DB) error {
		if _, err := s.livingMonitor(db, ws, monitorID); err != nil {
			return err
		}
		to := s.now()
		r, err := s.newReading(db, []int64{monitorID}, to.Add(-slices.Max(lengths)).UnixMilli(), to.UnixMilli(), false)
		if err != nil {
			return err
		}
		if err := r.readRollups(r.to, false); err != nil {
			return err
		}
		whole, _, err := r.timelines(monitorID)
		if err != nil {
			return err
		}
		out = make([]uptime.Availability, len(lengths))
		for i, length := range lengths {
			m := whole.measure(to.Add(-length).UnixMilli(), r.to)
			out[i] = uptime.Availability{Uptime: m.uptime(), Coverage: m.coverage(), Downtime: millis(m.down)}
		}
		return nil
	})
	return out, err
}
