package store

import (
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"monitor/modules/uptime"
)

// idOrder is the direction of a list that is sorted by id.
type idOrder string

const (
	ascending  idOrder = "id"
	descending idOrder = "id desc"
)

// pageByID reads a page of rows sorted by id, and the cursor of the next page.
// kind names the list in its cursors. query carries the conditions.
func pageByID[R any](query *gorm.DB, p uptime.Page, kind string, order idOrder, id func(R) int64) ([]R, string, error) {
	kind += "/" + string(order)
	if p.Cursor != "" {
		var after int64
		if err := decodeCursor(kind, p.Cursor, &after); err != nil {
			return nil, "", err
		}
		if order == ascending {
			query = query.Where("id > ?", after)
		} else {
			query = query.Where("id < ?", after)
		}
	}
	limit := pageLimit(p)
	var rows []R
	if err := query.Order(string(order)).Limit(limit + 1).Find(&rows).Error; err != nil {
		return nil, "", err
	}
	if len(rows) <= limit {
		return rows, "", nil
	}
	rows = rows[:limit]
	return rows, encodeCursor(kind, id(rows[limit-1])), nil
}

// forUpdate makes a read of tx lock its rows until the transaction ends. On
// SQLite a write transaction is alone anyhow.
func (s *Store) forUpdate(tx *gorm.DB) *gorm.DB {
	if s.dialect != dialectPostgres {
		return tx
	}
	// NO KEY: rows that refer to these may still be inserted by others.
	return tx.Clauses(clause.Locking{Strength: "NO KEY UPDATE"})
}
