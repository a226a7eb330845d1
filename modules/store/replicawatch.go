package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
)

const (
	watchEvery   = time.Second
	watchTimeout = time.Second
)

// errForeign: reading from it would show somebody else's monitors.
var errForeign = errors.New("does not follow the database of database.url")

// position is how far the primary's log was: what was committed before the time
// is in a replica that has replayed so far.
type position struct {
	at  time.Time
	lsn int64
}

// trail is the primary's recent positions, oldest first. A replica's own word for
// its lag cannot be used: one that is cut off finds that it has replayed all it
// got, and on an idle primary the last transaction is old for everybody.
type trail struct {
	mu   sync.Mutex
	list []position
}

func (t *trail) add(p position) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := len(t.list); n > 0 && p.lsn < t.list[n-1].lsn {
		t.list = nil // another primary, whose log lacks the end of the old one's
	}
	t.list = append(t.list, p)
	for p.at.Sub(t.list[0].at) > 2*replicaLag {
		t.list = t.list[1:]
	}
}

// lag of who has replayed up to lsn; false where it is longer than the trail.
// Nothing is newer than the last position that is known.
func (t *trail) lag(lsn int64, now time.Time) (time.Duration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, p := range slices.Backward(t.list) {
		if p.lsn <= lsn {
			if i == len(t.list)-1 {
				return 0, true
			}
			return now.Sub(p.at), true
		}
	}
	return 0, false
}

// home tells one database from others. cluster is "" where the role may not ask.
type home struct{ Cluster, Database string }

func (h home) differs(other home) bool {
	return h.Database != other.Database || h.Cluster != other.Cluster && h.Cluster != "" && other.Cluster != ""
}

// watch is one run of watching the replicas.
type watch struct {
	*Store
	trail trail
	home  atomic.Pointer[home] // of the primary; nil until it answered
}

// watchReplicas looks after the replicas until ctx ends, after which none is
// used. A replica of another database is an error at start and not used later.
func (s *Store) watchReplicas(ctx context.Context, ready func()) error {
	w := &watch{Store: s}
	if err := w.begin(ctx); err != nil {
		return err
	}
	ready()
	var parts sync.WaitGroup
	parts.Go(func() { w.follow(ctx) })
	for _, r := range s.replicas.list {
		parts.Go(func() { w.keep(ctx, r) })
	}
	parts.Wait()
	for _, r := range s.replicas.list {
		r.usable.Store(false)
	}
	return nil
}

// begin looks at every replica once.
func (w *watch) begin(ctx context.Context) error {
	if len(w.replicas.list) == 0 {
		return nil
	}
	w.mark(ctx)
	errs := make([]error, len(w.replicas.list))
	var looks sync.WaitGroup
	for i, r := range w.replicas.list {
		looks.Go(func() {
			if err := w.look(ctx, r); errors.Is(err, errForeign) {
				errs[i] = fmt.Errorf("%s in database.replica_urls %w", r.address, err)
			}
		})
	}
	looks.Wait()
	return errors.Join(errs...)
}

// follow notes the primary's position every second.
func (w *watch) follow(ctx context.Context) {
	if len(w.replicas.list) == 0 {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			w.mark(ctx)
		}
	}
}

// mark adds to the trail. A primary that does not answer is told of by whoever
// needs it; here its last position stands.
func (w *watch) mark(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	if w.home.Load() == nil {
		if h, err := homeOf(w.main.reads.WithContext(ctx)); err == nil {
			w.home.Store(&h)
		}
	}
	p := position{at: time.Now()}
	db := w.main.reads.WithContext(ctx)
	if db.Raw("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint").Scan(&p.lsn).Error == nil {
		w.trail.add(p)
	}
}

func homeOf(db *gorm.DB) (home, error) {
	var h home
	err := db.Raw("SELECT system_identifier::text AS cluster, current_database()::text AS database FROM pg_control_system()").Scan(&h).Error
	if postgresCode(err) == codeForbidden {
		err = db.Raw("SELECT current_database()::text AS database").Scan(&h).Error
	}
	return h, failure(err)
}

// keep looks at a replica every second, and at once when a read failed. Times
// vary, so that many processes do not come together.
func (w *watch) keep(ctx context.Context, r *replica) {
	for {
		wait := time.NewTimer(watchEvery/2 + rand.N(watchEvery)) //nolint:gosec // it spreads, it hides nothing
		select {
		case <-ctx.Done():
			wait.Stop()
			return
		case <-r.doubt:
			wait.Stop()
		case <-wait.C:
		}
		_ = w.look(ctx, r) // it is noted and logged there
	}
}

// look finds out whether a replica can be read from, notes it, and logs a change.
func (w *watch) look(ctx context.Context, r *replica) error {
	bounded, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	lag, err := w.examine(bounded, r)
	if ctx.Err() != nil {
		return nil // asked to stop meanwhile
	}
	now := "used"
	r.mu.Lock()
	r.lag, r.problem = lag, ""
	if err != nil {
		now, r.problem = "not used", err.Error()
	}
	changed := r.told != now
	r.told = now
	r.mu.Unlock()
	r.usable.Store(err == nil)
	switch {
	case changed && err != nil:
		w.log.WarnContext(ctx, "a read replica is not used", "replica", r.address, "error", err)
	case changed:
		w.log.InfoContext(ctx, "a read replica is used", "replica", r.address, "lag", lag)
	}
	return err
}

func (w *watch) examine(ctx context.Context, r *replica) (time.Duration, error) {
	primary := w.home.Load()
	if primary == nil {
		return 0, errors.New("cannot be compared with the primary yet")
	}
	db := r.watch.WithContext(ctx)
	found, err := homeOf(db)
	if err != nil {
		return 0, err
	}
	if found.differs(*primary) {
		return 0, errForeign
	}
	var replayed sql.NullInt64
	err = db.Raw("SELECT CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint END").Scan(&replayed).Error
	if err != nil {
		return 0, failure(err)
	}
	if !replayed.Valid {
		return 0, errors.New("is no replica: it takes writes itself")
	}
	lag, known := w.trail.lag(replayed.Int64, time.Now())
	switch {
	case !known:
		return 0, errors.New("is behind the primary for longer than can be told")
	case lag > replicaLag:
		return lag, fmt.Errorf("is %s behind the primary", lag.Round(time.Second))
	}
	return lag, nil
}
