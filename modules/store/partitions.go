package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gorm.io/gorm"
)

const (
	dayMS = int64(24 * time.Hour / time.Millisecond)
	// Attaching a partition waits for others who change the table's shape: it gives
	// up soon and is tried again.
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

// ensurePartition makes a table and attaches it, which holds up no writer, unlike
// making a partition at once.
func ensurePartition(tx *gorm.DB, day int64) error {
	// The row's key makes two processes wait for each other.
	res := tx.Exec("INSERT INTO result_days (day) VALUES (?) ON CONFLICT DO NOTHING", day)
	if res.Error != nil || res.RowsAffected == 0 {
		return res.Error
	}
	table := partitionName(day)
	for _, statement := range []string{
		"SET LOCAL lock_timeout = '" + partitionLockTimeout + "'",
		"CREATE TABLE " + table + " (LIKE check_results INCLUDING ALL)",
		fmt.Sprintf("ALTER TABLE check_results ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)", table, day*dayMS, (day+1)*dayMS),
	} {
		if err := tx.Exec(statement).Error; err != nil {
			return err
		}
	}
	return nil
}

// dropPartitions drops those whose last slot is before the time, oldest first,
// and counts them. One that is left half done is finished by the next call.
func (s *Store) dropPartitions(ctx context.Context, before time.Time) (dropped int64, rows int64, err error) {
	var tables []partition
	err = s.readBy(ctx, s.main, func(db *gorm.DB) error {
		// What the statistics say is enough for a figure in a log.
		return db.Raw(`SELECT c.relname AS name, c.relispartition AS attached, coalesce(i.inhdetachpending, FALSE) AS pending,
				greatest(c.reltuples, 0)::bigint AS rows
			FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
			WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'check_results'::regclass)
				AND c.relkind = 'r' AND c.relname ~ '^check_results_[0-9]{8}$' AND c.relname < ?
			ORDER BY c.relname`, partitionName(before.UnixMilli()/dayMS)).Scan(&tables).Error
	})
	if err != nil {
		return 0, 0, fmt.Errorf("read the partitions of results: %w", err)
	}
	for _, p := range tables {
		if err := s.dropPartition(ctx, p); err != nil {
			return dropped, rows, fmt.Errorf("drop the partition %s: %w", p.Name, err)
		}
		dropped++
		rows += p.Rows
	}
	return dropped, rows, nil
}

// partition is a table of one day's results.
type partition struct {
	Name     string
	Attached bool
	Pending  bool // a detachment that broke off
	Rows     int64
}

// dropPartition lets nobody write to the day any more, then takes its table out of
// the others, which waits for those who read it and holds up none who write.
func (s *Store) dropPartition(ctx context.Context, p partition) error {
	day, err := time.Parse(dayFormat, strings.TrimPrefix(p.Name, partitionPrefix))
	if err != nil {
		return err
	}
	statements := []string{fmt.Sprintf("DELETE FROM result_days WHERE day = %d", day.UnixMilli()/dayMS)}
	switch {
	case p.Pending:
		statements = append(statements, "ALTER TABLE check_results DETACH PARTITION "+p.Name+" FINALIZE")
	case p.Attached:
		statements = append(statements, "ALTER TABLE check_results DETACH PARTITION "+p.Name+" CONCURRENTLY")
	}
	for _, statement := range append(statements, "DROP TABLE "+p.Name) {
		// No transaction: detaching is two of its own.
		err := s.readBy(ctx, part{reads: s.main.writes}, func(db *gorm.DB) error { return db.Exec(statement).Error })
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	partitionPrefix = "check_results_"
	dayFormat       = "20060102"
)

func dayName(day int64) string { return time.UnixMilli(day * dayMS).UTC().Format(dayFormat) }

func partitionName(day int64) string { return partitionPrefix + dayName(day) }
