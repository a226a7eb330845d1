package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"
)

const (
	moveStateSQLite = `UPDATE monitor_states SET last_slot = ?1, known_slot = ?1, last_response_us = ?2
	WHERE monitor_id = ?3 AND revision = ?4 AND last_slot < ?1`
	addResultSQLite = `INSERT INTO check_results (monitor_id, region_id, scheduled_at, started_ms, response_us, dns_us, connect_us,
	tls_us, first_byte_us, status, error_kind, status_code, attempt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT DO NOTHING`
)

// quick is the writer's connection past database/sql, which costs more for a row
// than the two statements do. Whoever uses it has passed the gate.
type quick struct {
	conn      *sqlite3.Conn // that the statements are prepared on
	move, add *sqlite3.Stmt
}

// onWriter runs fn with the writer's connection itself.
func (s *Store) onWriter(ctx context.Context, fn func(*sqlite3.Conn) error) (err error) {
	db, err := s.hot.writes.DB()
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, giveBack(conn)) }()
	return conn.Raw(func(of any) error {
		c, ok := of.(driver.Conn)
		if !ok {
			return fmt.Errorf("the connection is a %T", of)
		}
		raw := c.Raw()
		old := raw.SetInterrupt(ctx)
		defer raw.SetInterrupt(old)
		return fn(raw)
	})
}

// giveBack returns a connection to its pool.
func giveBack(conn *sql.Conn) error {
	if err := conn.Close(); err != nil && !errors.Is(err, sql.ErrConnDone) {
		return err
	}
	return nil
}

// prepare makes the statements, unless they are of this connection.
func (q *quick) prepare(conn *sqlite3.Conn) (err error) {
	if q.conn == conn {
		return nil
	}
	*q = quick{}
	if q.move, _, err = conn.PrepareFlags(moveStateSQLite, sqlite3.PREPARE_PERSISTENT); err != nil {
		return err
	}
	if q.add, _, err = conn.PrepareFlags(addResultSQLite, sqlite3.PREPARE_PERSISTENT); err != nil {
		return errors.Join(err, q.move.Close())
	}
	q.conn = conn
	return nil
}

// close lets the connection be closed.
func (q *quick) close() error {
	err := errors.Join(q.move.Close(), q.add.Close())
	*q = quick{}
	return err
}

// advance stores steps in one transaction.
func (q *quick) advance(conn *sqlite3.Conn, steps []step) error {
	if err := q.prepare(conn); err != nil {
		return err
	}
	if err := conn.Exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := q.write(conn, steps)
	if err == nil {
		err = conn.Exec("COMMIT")
	}
	if err != nil && !conn.GetAutocommit() {
		old := conn.SetInterrupt(context.Background()) // also where time is up
		err = errors.Join(err, conn.Exec("ROLLBACK"))
		conn.SetInterrupt(old)
	}
	return err
}

func (q *quick) write(conn *sqlite3.Conn, steps []step) error {
	for i := range steps {
		st := &steps[i]
		r := &st.row
		if err := run(q.move, r.ScheduledAt, r.ResponseUS, r.MonitorID, st.calm.revision); err != nil {
			return fmt.Errorf("move a state: %w", err)
		}
		if st.done = conn.Changes() > 0; !st.done {
			continue
		}
		err := run(q.add, r.MonitorID, r.RegionID, r.ScheduledAt, r.StartedMS, r.ResponseUS, r.DNSUS, r.ConnectUS,
			r.TLSUS, r.FirstByteUS, int64(r.Status), int64(r.ErrorKind), r.StatusCode, r.Attempt)
		if err != nil {
			return fmt.Errorf("insert a result: %w", err)
		}
		if conn.Changes() == 0 {
			return errNotCalm
		}
	}
	return nil
}

// run a statement with numbers.
func run(stmt *sqlite3.Stmt, args ...int64) error {
	for i, a := range args {
		if err := stmt.BindInt64(i+1, a); err != nil {
			return err
		}
	}
	return stmt.Exec()
}
