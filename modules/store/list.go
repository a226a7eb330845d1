package store

import (
	"encoding/json"
	"fmt"

	"gorm.io/gorm"
)

// Hot reads take lists of ids as one parameter each and so have one text, whatever
// the number of ids: it is planned once and kept prepared. On PostgreSQL that also
// bounds what the planner thinks such a list to be, ten rows; of a table that is
// never analyzed, as regions, it thinks more than a thousand, and for a product of
// such guesses it compiles for seconds what runs for a millisecond.

// in is the condition that a column is in the list that is parameter n.
func (s *Store) in(n int) string {
	if s.dialect == dialectPostgres {
		return fmt.Sprintf("= ANY($%d)", n)
	}
	return fmt.Sprintf("IN (SELECT value FROM json_each($%d))", n)
}

// list runs a query whose parameters, numbered as they first appear (SQLite takes
// their order, not their numbers), are numbers and lists of them, and calls fn
// with what reads each row.
func (s *Store) list(db *gorm.DB, query string, args []any, fn func(scan func(...any) error) error) error {
	args = append([]any(nil), args...)
	for i, arg := range args {
		if ids, ok := arg.([]int64); ok && s.dialect == dialectSQLite {
			data, err := json.Marshal(ids)
			if err != nil {
				return fmt.Errorf("write a list of ids: %w", err)
			}
			args[i] = string(data)
		}
	}
	rows, err := db.Statement.ConnPool.QueryContext(db.Statement.Context, query, args...) //nolint:sqlclosecheck // each closes them
	if err != nil {
		return err
	}
	return each(rows, func() error { return fn(rows.Scan) })
}
