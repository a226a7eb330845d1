package recorder

import (
	"sync"
	"time"

	"monitor/modules/uptime"
)

// slot is one that has no result.
type slot struct {
	workspace, monitor int64
	region             string
	at                 time.Time
}

func slotOf(r uptime.Result) slot { return slot{r.WorkspaceID, r.MonitorID, r.Region, r.ScheduledAt} }

// due reports whether the job was one of the schedule's grid: no retry, no check
// by hand, and not the check at once after a change, from which the grid counts.
func due(l uptime.Lease, slot time.Time) bool {
	return l.Attempt <= 1 && !l.ByHand && (l.Spec.Of.IsZero() || !slot.Equal(l.Spec.Of))
}

// missedSlots collects missed slots until they are booked, neighbours as one
// range.
type missedSlots struct {
	bound int

	mu       sync.Mutex
	ranges   []uptime.MissedRange
	open     map[rangeKey]int // index of the newest range of a monitor
	receipts []string         // of jobs to be acknowledged when all is booked
	since    time.Time        // of the oldest
}

type rangeKey struct {
	monitor int64
	region  string
	reason  uptime.MissedReason
}

func newMissedSlots(bound int) *missedSlots {
	return &missedSlots{bound: bound, open: map[rangeKey]int{}}
}

// add joins a slot to the range that it follows within the interval, 0 when that
// is not known. Beyond the bound slots are dropped: the audit will find them.
func (m *missedSlots) add(s slot, interval time.Duration, reason uptime.MissedReason, receipt string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.ranges) == 0 {
		m.since = time.Now()
	}
	if receipt != "" {
		m.receipts = append(m.receipts, receipt)
	}
	key := rangeKey{s.monitor, s.region, reason}
	if i, ok := m.open[key]; ok {
		r := &m.ranges[i]
		switch gap := s.at.Sub(r.To); {
		case gap == 0:
			return
		case gap > 0 && gap <= interval:
			r.To, r.Count = s.at, r.Count+1
			return
		}
	}
	if len(m.ranges) >= m.bound {
		return
	}
	m.open[key] = len(m.ranges)
	m.ranges = append(m.ranges, uptime.MissedRange{
		MonitorID: s.monitor, WorkspaceID: s.workspace, Region: s.region, From: s.at, To: s.at, Count: 1, Reason: reason,
	})
}

func (m *missedSlots) pending() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.ranges) > 0
}

func (m *missedSlots) due(now time.Time, linger time.Duration) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(m.since.Add(linger).Sub(now), 0)
}

// take gives up to n ranges, and with the last of them the receipts.
func (m *missedSlots) take(n int) ([]uptime.MissedRange, []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	n = min(n, len(m.ranges))
	ranges := m.ranges[:n:n]
	m.ranges = m.ranges[n:]
	clear(m.open) // indices have moved
	if len(m.ranges) > 0 {
		return ranges, nil
	}
	receipts := m.receipts
	m.receipts = nil
	return ranges, receipts
}

func (m *missedSlots) giveBack(ranges []uptime.MissedRange, receipts []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ranges = append(ranges, m.ranges...)
	m.receipts = append(receipts, m.receipts...)
	clear(m.open)
}

// waiting gives the receipts of jobs that are not booked yet.
func (m *missedSlots) waiting() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.receipts...)
}
