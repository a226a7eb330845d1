package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"

	sqlite "github.com/ncruces/go-sqlite3/driver"
)

// Statements that a connection of SQLite keeps prepared. Preparing one costs more
// than running it: a dozen of them lie between a bad answer and its alert.
const (
	keptByWriter = 160
	keptByReader = 64
)

// openKeeping opens a pool whose connections keep their statements.
func openKeeping(dsn string, kept int) (*sql.DB, error) {
	connector, err := new(sqlite.SQLite).OpenConnector(dsn)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(keeping{connector, kept}), nil
}

// keeping makes connections that keep statements.
type keeping struct {
	driver.Connector
	kept int
}

// Connect implements driver.Connector.
func (k keeping) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := conn.(sqlite.Conn)
	if !ok {
		return nil, fmt.Errorf("the driver gives a %T", conn)
	}
	return &keepingConn{Conn: inner, most: k.kept, stmts: map[string]*keptStmt{}}, nil
}

// keepingConn is one connection, which database/sql gives to one goroutine at a
// time.
type keepingConn struct {
	sqlite.Conn
	most  int
	turn  int64
	stmts map[string]*keptStmt
}

var (
	_ driver.ExecerContext     = (*keepingConn)(nil)
	_ driver.NamedValueChecker = (*keepingConn)(nil)
)

// PrepareContext gives the statement that is kept, unless it is being used.
func (c *keepingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	c.turn++
	kept := c.stmts[query]
	if kept != nil && !kept.busy {
		kept.busy, kept.used = true, c.turn
		return kept, nil
	}
	inner, err := c.Conn.PrepareContext(ctx, query)
	if err != nil || kept != nil {
		return inner, err
	}
	full, ok := inner.(statement)
	if !ok {
		return inner, nil
	}
	if len(c.stmts) >= c.most {
		if err := c.forgetOldest(); err != nil {
			return nil, err
		}
	}
	kept = &keptStmt{statement: full, busy: true, used: c.turn}
	c.stmts[query] = kept
	return kept, nil
}

// forgetOldest closes the statement that was used longest ago.
func (c *keepingConn) forgetOldest() error {
	oldest := ""
	for query, s := range c.stmts {
		if !s.busy && (oldest == "" || s.used < c.stmts[oldest].used) {
			oldest = query
		}
	}
	if oldest == "" {
		return nil
	}
	s := c.stmts[oldest]
	delete(c.stmts, oldest)
	return s.statement.Close()
}

// ExecContext implements driver.ExecerContext.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if e, ok := c.Conn.(driver.ExecerContext); ok {
		return e.ExecContext(ctx, query, args)
	}
	return nil, driver.ErrSkip
}

// CheckNamedValue leaves arguments to the statement, as the driver does.
func (c *keepingConn) CheckNamedValue(*driver.NamedValue) error { return nil }

// Close implements driver.Conn.
func (c *keepingConn) Close() error {
	for _, s := range c.stmts {
		if err := s.statement.Close(); err != nil {
			return err
		}
	}
	clear(c.stmts)
	return c.Conn.Close()
}

// statement is what the driver's can do.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
	driver.NamedValueChecker
}

// keptStmt goes back to its connection when it is closed. database/sql closes it
// after its rows, which reset it.
type keptStmt struct {
	statement
	busy bool
	used int64
}

// Close implements driver.Stmt.
func (s *keptStmt) Close() error {
	s.busy = false
	return nil
}
