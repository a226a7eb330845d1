package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/ncruces/go-sqlite3"
	"gorm.io/gorm"
)

// statements keeps the recorder's statements prepared: on SQLite preparing them
// costs as much as running them for a small batch. pgx keeps its own.
type statements struct {
	mu     sync.Mutex
	byText map[string]*sql.Stmt
}

// prepare makes those that are missing. It must be called outside of a
// transaction: SQLite's writer has one connection, and a transaction holds it.
func (s *Store) prepare(ctx context.Context, texts ...string) error {
	if s.dialect != dialectSQLite {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	s.prepared.mu.Lock()
	defer s.prepared.mu.Unlock()
	if s.prepared.byText == nil {
		s.prepared.byText = map[string]*sql.Stmt{}
	}
	for _, text := range texts {
		if s.prepared.byText[text] != nil {
			continue
		}
		db, err := s.pool()
		if err != nil {
			return err
		}
		stmt, err := db.PrepareContext(ctx, text) //nolint:sqlclosecheck // kept until the store is closed
		if err != nil {
			return fmt.Errorf("prepare a statement: %w", failure(err))
		}
		s.prepared.byText[text] = stmt
	}
	return nil
}

// statement of the transaction for a prepared text, or a new one.
func (s *Store) statement(tx *gorm.DB, text string) (*sql.Stmt, error) {
	s.prepared.mu.Lock()
	stmt := s.prepared.byText[text]
	s.prepared.mu.Unlock()
	if sqlTx, ok := tx.Statement.ConnPool.(*sql.Tx); ok && stmt != nil {
		return sqlTx.StmtContext(tx.Statement.Context, stmt), nil
	}
	return tx.Statement.ConnPool.PrepareContext(tx.Statement.Context, text)
}

// query runs a prepared text in the transaction.
func (s *Store) query(tx *gorm.DB, text string, args ...any) (*sql.Rows, error) {
	s.prepared.mu.Lock()
	stmt := s.prepared.byText[text]
	s.prepared.mu.Unlock()
	if sqlTx, ok := tx.Statement.ConnPool.(*sql.Tx); ok && stmt != nil {
		stmt = sqlTx.StmtContext(tx.Statement.Context, stmt) //nolint:sqlclosecheck // the transaction closes it
		return stmt.QueryContext(tx.Statement.Context, args...)
	}
	return tx.Statement.ConnPool.QueryContext(tx.Statement.Context, text, args...)
}

func (s *Store) closeStatements() error {
	s.prepared.mu.Lock()
	defer s.prepared.mu.Unlock()
	var errs []error
	for _, stmt := range s.prepared.byText {
		errs = append(errs, stmt.Close())
	}
	clear(s.prepared.byText)
	if s.quick.conn != nil {
		errs = append(errs, s.onWriter(context.Background(), func(*sqlite3.Conn) error { return s.quick.close() }))
	}
	return errors.Join(errs...)
}
