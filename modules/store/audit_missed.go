package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

const (
	auditPage   = 20             // monitors
	auditWindow = 24 * time.Hour // of slots held in memory
)

// AuditMissed compares the slots that were due in [from, to) with results and
// booked ranges, books the difference with the reason and counts it. It can be
// run again, and over any window. Schedules of monitors that were purged are
// gone with them.
func (s *Store) AuditMissed(ctx context.Context, from, to time.Time, reason uptime.MissedReason) (booked int64, err error) {
	if err := s.readBy(ctx, s.main, s.regions.load); err != nil {
		return 0, fmt.Errorf("audit missed slots: %w", err)
	}
	for start := from; start.Before(to); start = start.Add(auditWindow) {
		end := start.Add(auditWindow)
		if end.After(to) {
			end = to
		}
		n, err := s.auditWindow(ctx, start, end, reason)
		booked += n
		if err != nil {
			return booked, fmt.Errorf("audit missed slots: %w", err)
		}
	}
	return booked, s.writeBy(ctx, s.main, func(tx *gorm.DB) error { return raise(tx, sequenceAudit, to.UnixMilli()) })
}

// LastAudit is the end of the newest window that was audited, zero if none was.
func (s *Store) LastAudit(ctx context.Context) (last time.Time, err error) {
	err = s.readBy(ctx, s.main, func(db *gorm.DB) error {
		ms, err := sequence(db, sequenceAudit)
		last = instant(ms).time()
		return err
	})
	return last, err
}

func (s *Store) auditWindow(ctx context.Context, from, to time.Time, reason uptime.MissedReason) (booked int64, err error) {
	for after := int64(0); ; {
		var ids []int64
		var missing []uptime.MissedRange
		err := s.readBy(ctx, s.main, func(db *gorm.DB) error {
			err := db.Raw(`SELECT DISTINCT monitor_id FROM monitor_schedules
				WHERE monitor_id > ? AND from_at < ? AND (until_at IS NULL OR until_at >= ?) ORDER BY monitor_id LIMIT ?`,
				after, at(to), at(from), auditPage).Scan(&ids).Error
			if err != nil || len(ids) == 0 {
				return err
			}
			missing, err = s.missing(db, ids, from, to, reason)
			return err
		})
		if err != nil || len(ids) == 0 {
			return booked, err
		}
		if err := s.BookMissed(ctx, missing); err != nil {
			return booked, err
		}
		for _, m := range missing {
			booked += m.Count
		}
		after = ids[len(ids)-1]
	}
}

// takenSpan is a run of slots that have a result or are booked.
type takenSpan struct{ from, to int64 }

type place struct{ monitor, region int64 }

// missing finds the slots due in [from, to) that nothing is known of.
func (s *Store) missing(db *gorm.DB, ids []int64, from, to time.Time, reason uptime.MissedReason) ([]uptime.MissedRange, error) {
	plans, err := s.schedules(db, ids, from, to)
	if err != nil {
		return nil, err
	}
	spans, err := s.takenSpans(db, ids, from, to)
	if err != nil {
		return nil, err
	}
	var out []uptime.MissedRange
	for _, id := range ids {
		for _, plan := range plans[id] {
			regions, err := plan.regionNames()
			if err != nil {
				return nil, err
			}
			// Slots in (after, until].
			after := max(int64(plan.FromAt), from.UnixMilli()-1)
			until := to.UnixMilli() - 1
			if plan.UntilAt != 0 {
				until = min(until, int64(plan.UntilAt))
			}
			for _, region := range regions {
				number, _ := s.regions.id(region)
				g := gaps{monitor: id, interval: plan.interval(), region: region, reason: reason}
				out = append(out, g.find(after, until, spans[place{id, number}])...)
			}
		}
	}
	return out, nil
}

// gaps finds runs of grid slots outside of spans.
type gaps struct {
	monitor  int64
	interval time.Duration
	region   string
	reason   uptime.MissedReason
}

func (g gaps) find(after, until int64, spans []takenSpan) (out []uptime.MissedRange) {
	add := func(after, until int64) {
		first := time.UnixMilli(after)
		n := uptime.SlotsBetween(g.monitor, g.interval, first, time.UnixMilli(until))
		if n == 0 {
			return
		}
		start := uptime.NextSlot(g.monitor, g.interval, first)
		out = append(out, uptime.MissedRange{
			MonitorID: g.monitor, Region: g.region, Reason: g.reason, Count: n,
			From: start, To: start.Add(time.Duration(n-1) * g.interval),
		})
	}
	for _, span := range spans {
		add(after, min(span.from-1, until))
		after = max(after, span.to)
	}
	add(after, until)
	return out
}

// takenSpans of each monitor and region, ascending.
func (s *Store) takenSpans(db *gorm.DB, ids []int64, from, to time.Time) (map[place][]takenSpan, error) {
	out := map[place][]takenSpan{}
	rows, err := db.Raw(`SELECT monitor_id, region_id, scheduled_at FROM check_results
		WHERE monitor_id IN ? AND region_id IN ? AND scheduled_at >= ? AND scheduled_at < ?`,
		ids, s.regions.all(), from.UnixMilli(), to.UnixMilli()).Rows()
	if err != nil {
		return nil, fmt.Errorf("read slots with results: %w", err)
	}
	err = each(rows, func() error {
		var p place
		var slot int64
		if err := rows.Scan(&p.monitor, &p.region, &slot); err != nil {
			return err
		}
		out[p] = append(out[p], takenSpan{slot, slot})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read slots with results: %w", err)
	}
	var booked []missedRow
	err = db.Where("monitor_id IN ? AND from_at < ? AND to_at >= ?", ids, at(to), at(from)).Find(&booked).Error
	if err != nil {
		return nil, fmt.Errorf("read booked slots: %w", err)
	}
	for _, b := range booked {
		p := place{b.MonitorID, b.RegionID}
		out[p] = append(out[p], takenSpan{b.FromAt, b.ToAt})
	}
	for _, spans := range out {
		slices.SortFunc(spans, func(a, b takenSpan) int { return cmp.Compare(a.from, b.from) })
	}
	return out, nil
}
