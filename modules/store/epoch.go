package store

import (
	"context"
	"fmt"
	"time"

	"gorm.io/gorm"
)

// RaiseEpoch gives a leader its number; see uptime.Epochs.
func (s *Store) RaiseEpoch(ctx context.Context) (epoch int64, err error) {
	err = s.writeBy(ctx, s.main, func(tx *gorm.DB) error {
		epoch, err = next(tx, sequenceEpoch)
		return err
	})
	return epoch, err
}

// SaveWatermarks keeps how far the leader of an epoch has published, by
// partition; zero marks are skipped. Those of a leader that has a successor are
// ignored.
func (s *Store) SaveWatermarks(ctx context.Context, epoch int64, marks []time.Time) error {
	return s.writeBy(ctx, s.main, func(tx *gorm.DB) error {
		current, err := sequence(tx, sequenceEpoch)
		if err != nil || current > epoch {
			return err
		}
		for part, mark := range marks {
			if mark.IsZero() {
				continue
			}
			// The condition holds also when a new leader came between.
			err := tx.Exec(`INSERT INTO watermarks (part, epoch, up_to) VALUES (?, ?, ?)
				ON CONFLICT (part) DO UPDATE SET epoch = excluded.epoch, up_to = excluded.up_to
				WHERE watermarks.epoch <= excluded.epoch`, part, epoch, at(mark)).Error
			if err != nil {
				return fmt.Errorf("save a watermark: %w", err)
			}
		}
		return nil
	})
}

// Watermarks gives what was saved last, by partition; zero where nothing was.
func (s *Store) Watermarks(ctx context.Context) (marks []time.Time, err error) {
	err = s.readBy(ctx, s.main, func(db *gorm.DB) error {
		var rows []struct {
			Part int
			UpTo instant
		}
		if err := db.Raw("SELECT part, up_to FROM watermarks ORDER BY part").Scan(&rows).Error; err != nil {
			return fmt.Errorf("read watermarks: %w", err)
		}
		marks = nil
		for _, row := range rows {
			for len(marks) <= row.Part {
				marks = append(marks, time.Time{})
			}
			marks[row.Part] = row.UpTo.time()
		}
		return nil
	})
	return marks, err
}
