package scheduler

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"monitor/modules/uptime"
)

const (
	// saveEvery is how often watermarks are copied to the database.
	saveEvery = 5 * time.Second
	// rereadEvery is how often every monitor is read again.
	rereadEvery = 10 * time.Minute
	// callTimeout bounds each call of the queue and the database.
	callTimeout = 10 * time.Second
	// partingTime bounds what is written once leading has ended.
	partingTime = time.Second
)

// store is what the scheduler needs of the database.
type store interface {
	// ScheduledMonitors gives, with afterSeq 0, the living enabled monitors of
	// all workspaces by id from afterID on; otherwise all that changed after
	// afterSeq, by change sequence, paused and deleted ones included.
	ScheduledMonitors(ctx context.Context, afterSeq, afterID int64, limit int) ([]uptime.Scheduled, error)
	// ScheduledMonitor gives one, deleted or not; uptime.ErrNotFound.
	ScheduledMonitor(ctx context.Context, id int64) (uptime.Scheduled, error)
	// SaveWatermarks is ignored where a higher epoch has saved.
	SaveWatermarks(ctx context.Context, epoch int64, marks []time.Time) error
	Watermarks(ctx context.Context) ([]time.Time, error)
	BookMissed(ctx context.Context, ranges []uptime.MissedRange) error
}

// Config holds the settings.
type Config struct {
	// Tick is how often due slots are published.
	Tick time.Duration
	// Refresh is how often changed monitors are read from the database.
	Refresh time.Duration
}

// Params are what New needs; all are required.
type Params struct {
	Config Config
	Store  store
	Slots  uptime.SlotPublisher
	Leader uptime.Leader
	Bus    uptime.Bus
	Clock  uptime.Clock
	Log    *slog.Logger
}

// Scheduler is the running part.
type Scheduler struct {
	Params

	mu    sync.Mutex
	stats Stats
}

// Stats is what a scheduler did and is doing, for metrics and health.
type Stats struct {
	Leading   bool
	Epoch     int64
	Monitors  int       // in the timetable, while leading
	Rate      float64   // checks per second that they ask for
	Watermark time.Time // published up to, while leading
	// Lag is now − Watermark; below zero when ahead, as it should be.
	Lag           time.Duration
	Published     uint64 // jobs
	PublishErrors uint64
	MissedSlots   uint64 // booked because they were too old
	Refreshes     uint64
	RefreshErrors uint64
	// LastRefresh is how long the newest read of changed monitors took.
	LastRefresh time.Duration
}

// New makes a scheduler.
func New(p Params) (*Scheduler, error) {
	switch {
	case p.Store == nil || p.Slots == nil || p.Leader == nil || p.Bus == nil || p.Clock == nil || p.Log == nil:
		return nil, errors.New("new scheduler: every param is required")
	case p.Config.Tick <= 0 || p.Config.Refresh <= 0:
		return nil, errors.New("new scheduler: tick and refresh must be above zero")
	}
	return &Scheduler{Params: p}, nil
}

// Run campaigns for leadership and publishes while it leads, until ctx ends. A
// standby is ready.
func (s *Scheduler) Run(ctx context.Context, ready func()) error {
	ready()
	return s.Leader.Lead(ctx, s.lead)
}

// Stats gives the current numbers. It may be called at any time.
func (s *Scheduler) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	stats := s.stats
	if !stats.Watermark.IsZero() {
		stats.Lag = s.Clock().Sub(stats.Watermark)
	}
	return stats
}

func (s *Scheduler) count(change func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.stats)
}

// lead is one time of leading. Its goroutines end before it returns.
func (s *Scheduler) lead(ctx context.Context, epoch int64) error {
	s.count(func(st *Stats) { st.Leading, st.Epoch = true, epoch })
	defer s.count(func(st *Stats) {
		st.Leading, st.Monitors, st.Rate, st.Watermark = false, 0, 0, time.Time{}
	})
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	changes := make(chan change)
	r := newReader(s, changes)
	r.subscribe(own) // before the monitors are read: no change falls between
	t, err := s.takeOver(own, epoch, r)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	var helpers sync.WaitGroup
	helpers.Go(func() { r.run(own) })
	helpers.Go(func() { t.ledger.run(own) })
	err = t.run(own, changes)
	cancel()
	helpers.Wait()
	t.part(ctx)
	return err
}

// run ticks and takes in changes until ctx ends (nil) or the term must (an
// error).
func (t *term) run(ctx context.Context, changes <-chan change) error {
	ticker := time.NewTicker(t.Config.Tick)
	defer ticker.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			err = t.tick(ctx)
		case c := <-changes:
			err = t.accept(ctx, c)
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// part writes what the next leader can use, after ctx has ended.
func (t *term) part(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), partingTime)
	defer cancel()
	t.ledger.runOnce(ctx)
}
