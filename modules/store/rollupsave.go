package store

import (
	"fmt"
	"strings"

	"gorm.io/gorm"
)

// saveRollups replaces the rows of some monitors that start at a time. GORM would
// take four times as long, of which the writer of SQLite waits for all.
func (s *Store) saveRollups(tx *gorm.DB, table string, ids []int64, start int64, rows []rollupRow) error {
	if err := tx.Exec("DELETE FROM "+table+" WHERE monitor_id IN ? AND start_at = ?", ids, start).Error; err != nil {
		return fmt.Errorf("remove old rollups: %w", err)
	}
	return s.insertRollups(tx, table, rollupColumns, rows, rollupRow.values)
}

// saveFine does the same with slices.
func (s *Store) saveFine(tx *gorm.DB, ids []int64, start int64, rows []rollupRow) error {
	if err := tx.Exec("DELETE FROM "+fine+" WHERE monitor_id IN ? AND start_at = ?", ids, start).Error; err != nil {
		return fmt.Errorf("remove old slices: %w", err)
	}
	return s.insertRollups(tx, fine, "monitor_id, start_at, region_id, slices", rows, func(r rollupRow) []any {
		return []any{r.MonitorID, r.StartAt, r.RegionID, r.slices}
	})
}

func (s *Store) insertRollups(tx *gorm.DB, table, columns string, rows []rollupRow, values func(rollupRow) []any) error {
	if len(rows) == 0 {
		return nil
	}
	insert := "INSERT INTO " + table + " (" + columns + ") "
	var err error
	if s.dialect == dialectPostgres {
		err = insertArrays(tx, insert, rows, values)
	} else {
		err = insertEach(tx, insert, rows, values)
	}
	if err != nil {
		return fmt.Errorf("insert into %s: %w", table, err)
	}
	return nil
}

// insertEach runs one prepared statement for each row: SQLite is in this process.
func insertEach(tx *gorm.DB, insert string, rows []rollupRow, values func(rollupRow) []any) error {
	ctx, marks := tx.Statement.Context, strings.Repeat("?, ", len(values(rows[0])))
	stmt, err := tx.Statement.ConnPool.PrepareContext(ctx, insert+"VALUES ("+strings.TrimSuffix(marks, ", ")+")")
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }()
	for _, r := range rows {
		if _, err := stmt.ExecContext(ctx, values(r)...); err != nil {
			return err
		}
	}
	return nil
}

// insertArrays sends a column at a time: one way to PostgreSQL for all rows.
func insertArrays(tx *gorm.DB, insert string, rows []rollupRow, values func(rollupRow) []any) error {
	var columns []any
	var types []string
	for i, first := range values(rows[0]) {
		if _, ok := first.([]byte); ok {
			list := make([][]byte, len(rows))
			for j, r := range rows {
				list[j], _ = values(r)[i].([]byte)
			}
			columns, types = append(columns, list), append(types, fmt.Sprintf("$%d::bytea[]", i+1))
			continue
		}
		list := make([]int64, len(rows))
		for j, r := range rows {
			list[j], _ = values(r)[i].(int64)
		}
		columns, types = append(columns, list), append(types, fmt.Sprintf("$%d::bigint[]", i+1))
	}
	_, err := tx.Statement.ConnPool.ExecContext(tx.Statement.Context,
		insert+"SELECT * FROM unnest("+strings.Join(types, ", ")+")", columns...)
	return err
}
