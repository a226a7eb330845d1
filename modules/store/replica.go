package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// Reads of pages and reports go to replicas in turn, while Run watches them.
// What goes wrong with one is no error: the same read goes to the primary, and
// the replica gets no more until the watch finds it well. So a dead or hung one
// costs a few reads once, and none later.
//
// Single objects, people, sessions and tokens, whatever is inside a transaction
// and all parts but pages read the primary; so does a context of
// uptime.WithFresh.

const (
	// replicaPatience is what a read waits for a replica, half of its time at most.
	replicaPatience = time.Second
	// replicaLag is how far behind a replica may be.
	replicaLag = 30 * time.Second
)

// ReplicaState is what is known of a replica. Address has no credentials.
type ReplicaState struct {
	Address string
	Usable  bool
	// Lag is within a second, plus the time the primary does not answer.
	Lag     time.Duration
	Problem string // why it is not used
	Reads   int64  // answered by it
	Failed  int64  // which the primary answered instead
}

// replicas of the primary; the zero value has none.
type replicas struct {
	list []*replica
	turn atomic.Uint64
}

type replica struct {
	address string
	reads   *gorm.DB
	watch   *gorm.DB // a connection of its own: hung reads must not hide its health

	usable       atomic.Bool
	asked, fails atomic.Int64
	doubt        chan struct{} // asks the watch to look now

	mu      sync.Mutex
	lag     time.Duration
	problem string
	told    string // in the log
}

func (s *Store) openReplicas(c Config, size int) error {
	for i, url := range c.ReplicaURLs {
		config, err := connection(c, url)
		if err != nil {
			return fmt.Errorf("number %d of database.replica_urls %w", i+1, err)
		}
		r := &replica{address: address(config), problem: "not looked at yet", doubt: make(chan struct{}, 1)}
		if r.reads, err = s.openPool(config, size, c); err != nil {
			return err
		}
		if r.watch, err = s.openPool(config, 1, c); err != nil {
			return err
		}
		s.replicas.list = append(s.replicas.list, r)
	}
	return nil
}

func address(config *pgx.ConnConfig) string {
	return net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port))) + "/" + config.Database
}

// Replicas tells how the replicas are, in the order of the setting.
func (s *Store) Replicas() []ReplicaState {
	out := make([]ReplicaState, 0, len(s.replicas.list))
	for _, r := range s.replicas.list {
		r.mu.Lock()
		state := ReplicaState{Address: r.address, Usable: r.usable.Load(), Lag: r.lag, Problem: r.problem, Reads: r.asked.Load(), Failed: r.fails.Load()}
		r.mu.Unlock()
		out = append(out, state)
	}
	return out
}

// next gives the replica whose turn it is, nil for the primary.
func (r *replicas) next(ctx context.Context) *replica {
	n := uint64(len(r.list))
	if n == 0 || uptime.IsFresh(ctx) {
		return nil
	}
	turn := r.turn.Add(1)
	for i := range n {
		if one := r.list[(turn+i)%n]; one.usable.Load() {
			return one
		}
	}
	return nil
}

// ask runs a read and doubts the replica when that comes to nothing.
func (r *replica) ask(ctx context.Context, fn func(*gorm.DB) error) error {
	patience := replicaPatience
	if deadline, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(deadline)/2)
	}
	short, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := failure(fn(r.reads.WithContext(short)))
	if answered(ctx, err) {
		r.asked.Add(1)
		return err
	}
	r.fails.Add(1)
	if errors.Is(err, uptime.ErrUnavailable) && !retryable(err) {
		r.usable.Store(false)
		select {
		case r.doubt <- struct{}{}:
		default: // it was asked already
		}
	}
	return err
}

// answered reports whether a read by a replica stands. What is not found may be
// on its way to the replica.
func answered(ctx context.Context, err error) bool {
	var told *uptime.Error
	return err == nil || ctx.Err() != nil || errors.As(err, &told)
}
