package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
)

const (
	dayMS = int64(24 * time.Hour / time.Millisecond)
	// A change of partitions waits for every statement on results, and every
	// statement after it waits for it: it gives up soon and is tried again.
	partitionLockTimeout = "250ms"
)

// EnsurePartitions makes the partitions of results from yesterday to days ahead
// where they are missing. On SQLite there are none. Safe to be called by several
// processes at once.
func (s *Store) EnsurePartitions(ctx context.Context, days int) error {
	if s.dialect != dialectPostgres {
		return nil
	}
	today := s.now().UnixMilli() / dayMS
	for day := today - 1; day <= today+int64(days); day++ {
		err := s.writeBy(ctx, s.main, func(tx *gorm.DB) error { return ensurePartition(tx, day) })
		if err != nil {
			return fmt.Errorf("make the partition of %s: %w", dayName(day), err)
		}
	}
	return nil
}

func ensurePartition(tx *gorm.DB, day int64) error {
	// The row's key makes two processes wait for each other.
	res := tx.Exec("INSERT INTO result_days (day) VALUES (?) ON CONFLICT DO NOTHING", day)
	if res.Error != nil || res.RowsAffected == 0 {
		return res.Error
	}
	if err := tx.Exec("SET LOCAL lock_timeout = '" + partitionLockTimeout + "'").Error; err != nil {
		return err
	}
	return tx.Exec(fmt.Sprintf("CREATE TABLE check_results_%s PARTITION OF check_results FOR VALUES FROM (%d) TO (%d)",
		dayName(day), day*dayMS, (day+1)*dayMS)).Error
}

// dropPartitions drops those whose last slot is before the time, oldest first,
// and counts them.
func (s *Store) dropPartitions(ctx context.Context, before time.Time) (dropped int64, rows int64, err error) {
	var days []int64
	err = s.readBy(ctx, s.main, func(db *gorm.DB) error {
		return db.Raw("SELECT day FROM result_days WHERE (day + 1) * ? <= ? ORDER BY day", dayMS, before.UnixMilli()).Scan(&days).Error
	})
	if err != nil {
		return 0, 0, fmt.Errorf("read the days of results: %w", err)
	}
	for _, day := range days {
		var count int64
		err := s.writeBy(ctx, s.main, func(tx *gorm.DB) error {
			if err := tx.Exec("SET LOCAL lock_timeout = '" + partitionLockTimeout + "'").Error; err != nil {
				return err
			}
			res := tx.Exec("DELETE FROM result_days WHERE day = ?", day)
			if res.Error != nil || res.RowsAffected == 0 {
				return res.Error
			}
			table := "check_results_" + dayName(day)
			// What the statistics say is enough for a figure in a log.
			if err := tx.Raw("SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = to_regclass(?)", table).Scan(&count).Error; err != nil {
				return err
			}
			return tx.Exec("DROP TABLE " + table).Error
		})
		if err != nil {
			return dropped, rows, fmt.Errorf("drop the partition of %s: %w", dayName(day), err)
		}
		dropped++
		rows += count
	}
	return dropped, rows, nil
}

func dayName(day int64) string { return time.UnixMilli(day * dayMS).UTC().Format("20060102") }
