package store

import (
	"fmt"

	"gorm.io/gorm"
)

// The rows of sequences.
const (
	sequenceChange = "change"
	sequenceEpoch  = "epoch"
	sequenceAudit  = "audited"
	sequenceHours  = "rolled_hours"
	sequenceDays   = "rolled_days"
)

// next raises a sequence by one. The row stays locked until the transaction
// ends, so that numbers become visible in their order: whoever has read up to n
// misses none below it.
func next(tx *gorm.DB, name string) (int64, error) {
	var value int64
	err := tx.Raw("UPDATE sequences SET value = value + 1 WHERE name = ? RETURNING value", name).Scan(&value).Error
	if err != nil {
		return 0, fmt.Errorf("raise the sequence %s: %w", name, err)
	}
	return value, nil
}

func sequence(db *gorm.DB, name string) (int64, error) {
	var value int64
	if err := db.Raw("SELECT value FROM sequences WHERE name = ?", name).Scan(&value).Error; err != nil {
		return 0, fmt.Errorf("read the sequence %s: %w", name, err)
	}
	return value, nil
}

// raise sets a sequence unless it is higher already.
func raise(tx *gorm.DB, name string, value int64) error {
	if err := tx.Exec("UPDATE sequences SET value = ? WHERE name = ? AND value < ?", value, name, value).Error; err != nil {
		return fmt.Errorf("set the sequence %s: %w", name, err)
	}
	return nil
}
