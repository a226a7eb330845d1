package store

import (
	"sync"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// maxCached bounds the cache; it is emptied when full.
const maxCached = 50_000

// monitorCache spares the recorder reading settings that have not changed. An
// entry is good for the change sequence that it was read with, and that is read
// anew, under lock, in each transaction. State is never cached.
type monitorCache struct {
	mu   sync.Mutex
	byID map[int64]uptime.Monitor
}

func newMonitorCache() *monitorCache { return &monitorCache{byID: map[int64]uptime.Monitor{}} }

func (c *monitorCache) get(id, changeSeq int64) (uptime.Monitor, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, ok := c.byID[id]
	return m, ok && m.ChangeSeq == changeSeq
}

func (c *monitorCache) put(monitors []uptime.Monitor) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byID)+len(monitors) > maxCached {
		clear(c.byID)
	}
	for _, m := range monitors {
		c.byID[m.ID] = m
	}
}

// lockedMonitor is one whose state is under lock.
type lockedMonitor struct {
	uptime.Monitor
	revision int64 // of the state
}

// lockedMonitors locks the states of monitors and gives both, by id. Ids that
// never were are left out.
func (s *Store) lockedMonitors(tx *gorm.DB, ids []int64) (map[int64]*lockedMonitor, error) {
	states, err := s.lockStates(tx, ids)
	if err != nil {
		return nil, err
	}
	out := make(map[int64]*lockedMonitor, len(states))
	var unknown []int64
	for _, row := range states {
		m, ok := s.monitors.get(row.MonitorID, row.ChangeSeq)
		if !ok {
			unknown = append(unknown, row.MonitorID)
			continue
		}
		out[m.ID] = &lockedMonitor{Monitor: m}
	}
	if len(unknown) > 0 {
		read, err := readMonitors(tx, unknown)
		if err != nil {
			return nil, err
		}
		s.monitors.put(read)
		for _, m := range read {
			out[m.ID] = &lockedMonitor{Monitor: m}
		}
	}
	for _, row := range states {
		m, ok := out[row.MonitorID]
		if !ok {
			continue
		}
		if m.State, err = row.state(); err != nil {
			return nil, err
		}
		m.Status, m.revision = m.State.Status, row.revision
	}
	return out, nil
}

// readMonitors without their states.
func readMonitors(tx *gorm.DB, ids []int64) ([]uptime.Monitor, error) {
	var rows []monitorRow
	if err := tx.Where("id IN ?", ids).Find(&rows).Error; err != nil {
		return nil, err
	}
	monitors := make([]uptime.Monitor, 0, len(rows))
	for _, row := range rows {
		m, err := row.monitor()
		if err != nil {
			return nil, err
		}
		monitors = append(monitors, m)
	}
	return monitors, loadLinks(tx, monitors)
}
