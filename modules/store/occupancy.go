package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Who may work on a PostgreSQL database at once: one process without Redis, or
// any number with it. Each holds an advisory lock of its session, exclusive or
// shared, on a connection of its own, as long as it runs.
//
// A connection that is lost is made anew and the lock taken again; the session
// that it leaves behind, which the server may believe alive for long, is ended
// first. Where somebody else has the lock by then, this process must stop. What it
// wrote between the two is harmless: results and deliveries have keys.

const (
	occupancyKey   = 0x6d6f6e69746f7200 // "monitor"
	occupyPatience = 3 * time.Second    // for a process that is just stopping
	occupyPoll     = 100 * time.Millisecond
	holdEvery      = time.Second
	holdTimeout    = 5 * time.Second
	maxAppName     = 63 // bytes that PostgreSQL keeps of it
)

// occupyKeepalive lets the server notice within half a minute that the machine of
// a session is gone.
const occupyKeepalive = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"

// errOccupied: somebody else has the database.
var errOccupied = errors.New("is in use")

// Occupancy is this process's place on the database. On SQLite, whose file has a
// lock of its own, it does nothing.
type Occupancy struct {
	store  *Store
	config *pgx.ConnConfig // nil on SQLite
	shared bool

	mu     sync.Mutex
	conn   *pgx.Conn
	ghosts []session // of this process: those that are lost, or may be
}

// session is one backend: process ids are used again.
type session struct {
	pid   int32
	start time.Time
}

// holder of the lock.
type holder struct {
	session
	exclusive     bool
	name, address string
}

// Occupy takes the database for this process: alone, or shared with others that
// share it. When somebody has it who excludes this, the error says who and which
// setting to change; one that is just stopping is waited for, some seconds.
func (s *Store) Occupy(ctx context.Context, shared bool) (*Occupancy, error) {
	o := &Occupancy{store: s, shared: shared}
	if s.primary == nil {
		return o, nil
	}
	o.config = s.primary.Copy()
	o.config.RuntimeParams["application_name"] = appName(o.config.RuntimeParams["application_name"])
	until := time.Now().Add(s.stopping)
	for {
		err := o.take(ctx)
		if err == nil || !errors.Is(err, errOccupied) || time.Now().After(until) {
			return o, err
		}
		if wait(ctx, occupyPoll) != nil {
			return o, err
		}
	}
}

// appName tells an administrator which process a session is of.
func appName(name string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	name = fmt.Sprintf("%s on %s, process %d", name, host, os.Getpid())
	return strings.ToValidUTF8(name[:min(len(name), maxAppName)], "")
}

// Run keeps the place until ctx ends. It returns an error when somebody else has
// taken it: the process must stop then. While the database is away it waits.
func (o *Occupancy) Run(ctx context.Context, ready func()) error {
	ready()
	if o.config == nil {
		<-ctx.Done()
		return nil
	}
	lost := false
	for wait(ctx, holdEvery/2+rand.N(holdEvery)) == nil { //nolint:gosec // it spreads, it hides nothing
		if o.holds(ctx) {
			continue
		}
		err := o.take(ctx)
		switch {
		case errors.Is(err, errOccupied):
			return err
		case err == nil:
			lost = false
			o.store.log.InfoContext(ctx, "the lock on the database was lost and taken again")
		case !lost && ctx.Err() == nil:
			lost = true
			o.store.log.WarnContext(ctx, "the lock on the database is lost and not taken again yet", "error", err)
		}
	}
	return nil
}

// Close gives the place up.
func (o *Occupancy) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), pingTimeout)
	defer cancel()
	err := o.conn.Close(ctx)
	o.conn = nil
	return err
}

// holds reports whether the session lives, and forgets one that does not.
func (o *Occupancy) holds(ctx context.Context) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.conn == nil {
		return false
	}
	bounded, cancel := context.WithTimeout(ctx, holdTimeout)
	defer cancel()
	if o.conn.Ping(bounded) == nil || ctx.Err() != nil {
		return true
	}
	o.drop(ctx)
	return false
}

// drop closes a connection that may hang.
func (o *Occupancy) drop(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), holdEvery)
	defer cancel()
	_ = o.conn.Close(ctx) // it is of no more use
	o.conn = nil
}

// take makes a connection and takes the lock.
func (o *Occupancy) take(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, max(callTimeout, o.config.ConnectTimeout))
	defer cancel()
	var err error
	if o.conn, err = pgx.ConnectConfig(ctx, o.config.Copy()); err != nil {
		o.conn = nil
		return fmt.Errorf("connect to hold the database: %w", failure(err))
	}
	me, err := o.lock(ctx)
	if err != nil {
		o.drop(ctx)
		return err
	}
	o.ghosts = append(o.ghosts[:0], me) // once it is lost
	return nil
}

func (o *Occupancy) lock(ctx context.Context) (me session, err error) {
	if _, err := o.conn.PgConn().Exec(ctx, occupyKeepalive).ReadAll(); err != nil {
		return me, fmt.Errorf("set up the connection that holds the database: %w", failure(err))
	}
	err = o.conn.QueryRow(ctx, "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()").Scan(&me.pid, &me.start)
	if err != nil {
		return me, fmt.Errorf("read the session that holds the database: %w", failure(err))
	}
	o.ghosts = append(o.ghosts, me) // it may get the lock without our hearing of it
	for range 2 {
		if done, err := o.tryLock(ctx); err != nil || done {
			return me, err
		}
		holders, err := o.holders(ctx)
		if err != nil {
			return me, err
		}
		if others := o.layGhosts(ctx, holders); len(others) > 0 {
			return me, o.occupied(others)
		}
		if err := wait(ctx, occupyPoll); err != nil { // the ghost's lock goes a moment later
			return me, failure(err)
		}
	}
	return me, fmt.Errorf("lock the database: %w", errOccupied)
}

func (o *Occupancy) tryLock(ctx context.Context) (done bool, err error) {
	query := "SELECT pg_try_advisory_lock($1)"
	if o.shared {
		query = "SELECT pg_try_advisory_lock_shared($1)"
	}
	if err := o.conn.QueryRow(ctx, query, int64(occupancyKey)).Scan(&done); err != nil {
		return false, fmt.Errorf("lock the database: %w", failure(err))
	}
	return done, nil
}

// holders gives those whose lock excludes this process's.
func (o *Occupancy) holders(ctx context.Context) ([]holder, error) {
	rows, err := o.conn.Query(ctx, `SELECT l.pid, coalesce(a.backend_start, 'epoch'), l.mode = 'ExclusiveLock',
			coalesce(a.application_name, ''), coalesce(host(a.client_addr), '')
		FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
			AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND (l.classid::bigint << 32 | l.objid::bigint) = $1`, int64(occupancyKey))
	if err != nil {
		return nil, fmt.Errorf("read who holds the database: %w", failure(err))
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h holder, err error) {
		err = row.Scan(&h.pid, &h.start, &h.exclusive, &h.name, &h.address)
		return h, err
	})
	if err != nil {
		return nil, fmt.Errorf("read who holds the database: %w", failure(err))
	}
	var out []holder
	for _, h := range all {
		if h.exclusive || !o.shared {
			out = append(out, h)
		}
	}
	return out, nil
}

// layGhosts ends lost sessions of this process and gives the others.
func (o *Occupancy) layGhosts(ctx context.Context, holders []holder) (others []holder) {
	for _, h := range holders {
		if !o.isGhost(h.session) {
			others = append(others, h)
			continue
		}
		// One that is gone by itself meanwhile is as good.
		_, _ = o.conn.Exec(ctx, "SELECT pg_terminate_backend($1)", h.pid)
	}
	return others
}

func (o *Occupancy) isGhost(s session) bool {
	for _, g := range o.ghosts {
		if g.pid == s.pid && g.start.Equal(s.start) {
			return true
		}
	}
	return false
}

// occupied says who has the database and what to do about it.
func (o *Occupancy) occupied(by []holder) error {
	who := make([]string, 0, len(by))
	exclusive := false
	for _, h := range by {
		text := fmt.Sprintf("%q, server process %d", h.name, h.pid)
		if h.address != "" {
			text += ", from " + h.address
		}
		who = append(who, text)
		exclusive = exclusive || h.exclusive
	}
	advice := "a process without redis.url works alone: set redis.url in each of them, or stop the other"
	switch {
	case o.shared:
		advice = "it runs without redis.url and works alone: set redis.url there, too, or stop it"
	case !exclusive:
		advice = "others run with redis.url: set redis.url here, too, or stop them"
	}
	return fmt.Errorf("the database %w by another process of monitor (%s): %s", errOccupied, strings.Join(who, "; "), advice)
}

// wait for some time; an error when ctx ended before.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
