package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// scheduledSQL reads what a scheduler needs of monitors and nothing else: it reads
// all of them whenever it begins to lead. The streaks of regions are asked for only
// where there are several, which is what a comma says.
const scheduledSQL = `SELECT m.id, m.workspace_id, m.row_key, m.type, m.enabled, m.interval_ms, m.timeout_ms, m.regions, m.settings,
		m.check_at, m.change_seq, m.updated_at, m.deleted_at, s.last_slot, CASE WHEN m.regions LIKE '%,%' THEN s.regions ELSE '' END
	FROM monitors m JOIN monitor_states s ON s.monitor_id = m.id `

// ScheduledMonitors serves the scheduler, across workspaces. With afterSeq 0: the
// living enabled monitors with an id above afterID, by id. Otherwise: all that
// changed after afterSeq, paused and deleted ones too, by change sequence. Each call
// is one short read that keeps no writer waiting.
func (s *Store) ScheduledMonitors(ctx context.Context, afterSeq, afterID int64, limit int) ([]uptime.Scheduled, error) {
	if afterSeq == 0 {
		return s.scheduled(ctx, limit, "WHERE m.enabled AND m.deleted_at IS NULL AND m.id > ? ORDER BY m.id LIMIT ?", afterID, limit)
	}
	return s.scheduled(ctx, limit, "WHERE m.change_seq > ? ORDER BY m.change_seq LIMIT ?", afterSeq, limit)
}

// ScheduledMonitor gives a monitor of any workspace, deleted ones too.
func (s *Store) ScheduledMonitor(ctx context.Context, id int64) (uptime.Scheduled, error) {
	list, err := s.scheduled(ctx, 1, "WHERE m.id = ?", id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("read monitor %d: %w", id, uptime.ErrNotFound)
	}
	if err != nil {
		return uptime.Scheduled{}, err
	}
	return list[0], nil
}

func (s *Store) scheduled(ctx context.Context, room int, where string, args ...any) (out []uptime.Scheduled, err error) {
	err = s.readBy(ctx, s.main, func(db *gorm.DB) error {
		rows, err := db.Raw(scheduledSQL+where, args...).Rows()
		if err != nil {
			return fmt.Errorf("read monitors for the schedule: %w", err)
		}
		out = make([]uptime.Scheduled, 0, room)
		var r scheduledRow
		err = each(rows, func() error {
			m, err := r.read(rows)
			out = append(out, m)
			return err
		})
		if err != nil {
			return fmt.Errorf("read monitors for the schedule: %w", err)
		}
		return nil
	})
	return out, err
}

// scheduledRow is a row of scheduledSQL, read over and over again: its raw fields
// are the driver's until the next row.
type scheduledRow struct {
	id, interval, timeout, seq          int64
	spec                                uptime.Spec
	enabled                             bool
	checkAt, updatedAt, deletedAt, last instant
	regions, settings, streaks          sql.RawBytes
	// names are lists of regions by their text: most rows have the same.
	names map[string][]string
}

func (r *scheduledRow) read(rows *sql.Rows) (uptime.Scheduled, error) {
	err := rows.Scan(&r.id, &r.spec.WorkspaceID, &r.spec.RowKey, &r.spec.Type, &r.enabled, &r.interval, &r.timeout, &r.regions, &r.settings,
		&r.checkAt, &r.seq, &r.updatedAt, &r.deletedAt, &r.last, &r.streaks)
	if err != nil {
		return uptime.Scheduled{}, err
	}
	m := uptime.Scheduled{
		ID: r.id, Live: r.enabled && r.deletedAt == 0, Interval: millis(r.interval), CheckAt: r.checkAt.time(),
		ChangeSeq: r.seq, UpdatedAt: r.updatedAt.time(), LastSlot: r.last.time(), Answered: r.last.time(),
	}
	if m.Regions, err = r.regionNames(); err != nil {
		return m, err
	}
	if len(m.Regions) > 1 {
		if m.Answered, err = r.answered(m.Regions); err != nil {
			return m, err
		}
	}
	r.spec.Interval, r.spec.Timeout, r.spec.Of = m.Interval, millis(r.timeout), m.CheckAt
	r.spec.Settings = json.RawMessage(r.settings)
	m.Spec = uptime.Pack(r.spec)
	return m, nil
}

func (r *scheduledRow) regionNames() ([]string, error) {
	if names, ok := r.names[string(r.regions)]; ok {
		return names, nil
	}
	var names []string
	if err := json.Unmarshal(r.regions, &names); err != nil {
		return nil, fmt.Errorf("read the regions of monitor %d: %w", r.id, err)
	}
	if r.names == nil {
		r.names = map[string][]string{}
	}
	r.names[string(r.regions)] = names
	return names, nil
}

// answered is the slot up to which each of these regions has a result.
func (r *scheduledRow) answered(names []string) (time.Time, error) {
	if len(r.streaks) == 0 {
		return time.Time{}, nil
	}
	var list []regionRow
	if err := json.Unmarshal(r.streaks, &list); err != nil {
		return time.Time{}, fmt.Errorf("read the streaks of monitor %d: %w", r.id, err)
	}
	var least instant
	for i, name := range names {
		var last instant
		for _, g := range list {
			if g.Name == name {
				last = instant(g.LastSlot)
			}
		}
		if i == 0 || last < least {
			least = last
		}
	}
	return least.time(), nil
}
