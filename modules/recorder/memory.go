package recorder

import (
	"time"

	"monitor/modules/uptime"
)

// forget is how long a monitor that sends no results is remembered.
const forget = time.Hour

// memory knows what each monitor said last, by this process's own results: a
// guess, good enough to tell what may wait. Judging is the store's.
type memory struct {
	last  map[place]said
	swept time.Time
}

type place struct {
	monitor int64
	region  string
}

type said struct {
	status uptime.Status
	// same counts the results in a row with this status. Verdicts need up to
	// MaxThreshold of them, so until then each may be the one.
	same int
	at   time.Time
}

func newMemory() memory { return memory{last: map[place]said{}} }

// changes reports whether a result may say something new, and remembers it.
func (m *memory) changes(r uptime.Result, now time.Time) bool {
	m.sweep(now)
	key := place{r.MonitorID, r.Region}
	before, known := m.last[key]
	after := said{status: r.Status, same: 1, at: now}
	switch {
	case known && before.status == r.Status:
		after.same = min(before.same+1, uptime.MaxThreshold+1)
	case !known && r.Status == uptime.Up:
		// Most monitors are up when a process starts: told one by one, its first
		// round would cost ten times as much as any other.
		after.same = uptime.MaxThreshold + 1
	}
	m.last[key] = after
	return r.Attempt > 1 || after.same <= uptime.MaxThreshold
}

// sweep forgets monitors that are gone, at most once in an hour.
func (m *memory) sweep(now time.Time) {
	if now.Sub(m.swept) < forget {
		return
	}
	m.swept = now
	for key, s := range m.last {
		if now.Sub(s.at) >= forget {
			delete(m.last, key)
		}
	}
}
