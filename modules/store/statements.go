package store

import (
	"context"

	"github.com/ncruces/go-sqlite3"
)

// closeStatements lets SQLite's writer be closed.
func (s *Store) closeStatements() error {
	if s.quick.conn == nil {
		return nil
	}
	return s.onWriter(context.Background(), func(*sqlite3.Conn) error { return s.quick.close() })
}
