package scheduler

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/uptime"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// base is where the tests' clocks start.
var base = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// table stands for the database.
type table struct {
	mu       sync.Mutex
	monitors map[int64]uptime.Monitor
	seq      int64
	marks    []time.Time
	epoch    int64
	missed   []uptime.MissedRange
	away     bool
	reads    int
}

func newTable() *table { return &table{monitors: map[int64]uptime.Monitor{}} }

func (s *table) setAway(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

// erase removes a monitor without any trace.
func (s *table) erase(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.monitors, id)
}

// queries counts the reads of many monitors, and saved gives the watermarks.
func (s *table) queries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

func (s *table) saved() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.marks
}

// save writes a monitor as a change of its settings.
func (s *table) save(m uptime.Monitor) uptime.Monitor {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq++
	m.ChangeSeq = s.seq
	s.monitors[m.ID] = m
	return m
}

// done notes a result.
func (s *table) done(id int64, slot time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.monitors[id]
	m.State.LastSlot = later(m.State.LastSlot, slot)
	s.monitors[id] = m
}

func (s *table) ScheduledMonitors(_ context.Context, afterSeq, afterID int64, limit int) ([]uptime.Scheduled, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	if s.away {
		return nil, uptime.ErrUnavailable
	}
	var list []uptime.Scheduled
	for m := range maps.Values(s.monitors) {
		row := m.Scheduled()
		if afterSeq == 0 && m.ID > afterID && live(&row) || afterSeq > 0 && m.ChangeSeq > afterSeq {
			list = append(list, row)
		}
	}
	slices.SortFunc(list, func(a, b uptime.Scheduled) int {
		if afterSeq == 0 {
			return cmp.Compare(a.ID, b.ID)
		}
		return cmp.Compare(a.ChangeSeq, b.ChangeSeq)
	})
	return list[:min(limit, len(list))], nil
}

func (s *table) ScheduledMonitor(_ context.Context, id int64) (uptime.Scheduled, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return uptime.Scheduled{}, uptime.ErrUnavailable
	}
	m, ok := s.monitors[id]
	if !ok {
		return uptime.Scheduled{}, uptime.ErrNotFound
	}
	return m.Scheduled(), nil
}

func (s *table) SaveWatermarks(_ context.Context, epoch int64, marks []time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return uptime.ErrUnavailable
	}
	if epoch >= s.epoch {
		s.epoch, s.marks = epoch, slices.Clone(marks)
	}
	return nil
}

func (s *table) Watermarks(context.Context) ([]time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return nil, uptime.ErrUnavailable
	}
	return slices.Clone(s.marks), nil
}

func (s *table) BookMissed(_ context.Context, ranges []uptime.MissedRange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.away {
		return uptime.ErrUnavailable
	}
	s.missed = append(s.missed, ranges...)
	return nil
}

func (s *table) booked() []uptime.MissedRange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.missed)
}

// partitions stand for the leader's side of the queue.
type partitions struct {
	mu     sync.Mutex
	epochs []int64
	marks  []time.Time
	// jobs counts how often each was published, when first.
	jobs  map[uptime.ResultKey]int
	list  []uptime.Slot
	clock uptime.Clock
	at    map[uptime.ResultKey]time.Time
	rate  float64
	// fails says that the next call fails for a partition.
	fails func(partition int) bool
}

func newPartitions(n int, clock uptime.Clock) *partitions {
	return &partitions{
		epochs: make([]int64, n), marks: make([]time.Time, n), clock: clock,
		jobs: map[uptime.ResultKey]int{}, at: map[uptime.ResultKey]time.Time{},
		fails: func(int) bool { return false },
	}
}

func (p *partitions) setFails(fails func(int) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fails = fails
}

func (p *partitions) Partition(id int64) int { return int(id) % len(p.marks) }

func (p *partitions) Raise(_ context.Context, epoch int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.epochs {
		if p.epochs[i] > epoch {
			return uptime.ErrFenced
		}
		p.epochs[i] = epoch
	}
	return nil
}

func (p *partitions) Watermarks(context.Context) ([]time.Time, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.marks), nil
}

func (p *partitions) Publish(_ context.Context, b uptime.SlotBatch) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var failed error
	p.rate = b.Rate
	for i := range p.marks {
		if p.epochs[i] > b.Epoch {
			return uptime.ErrFenced
		}
		if p.fails(i) {
			failed = uptime.ErrUnavailable
			continue
		}
		p.marks[i] = later(p.marks[i], b.UpTo)
		for _, s := range b.Slots {
			if p.Partition(s.MonitorID) == i {
				p.jobs[s.Key()]++
				p.list = append(p.list, s)
				p.at[s.Key()] = p.clock()
			}
		}
	}
	return failed
}

// published gives how often each job was.
func (p *partitions) published() map[uptime.ResultKey]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.jobs)
}

// publishedAt is when a job was.
func (p *partitions) publishedAt(j uptime.ResultKey) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at[j]
}

// slots gives what was published of a monitor, ascending, since base.
func (p *partitions) slots(id int64) []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []time.Duration
	for key := range p.jobs {
		if key.MonitorID == id {
			list = append(list, time.UnixMilli(key.ScheduledAt).Sub(base))
		}
	}
	slices.Sort(list)
	return list
}

// wires is a bus that keeps everything and loses it on demand.
type wires struct {
	mu   sync.Mutex
	subs []chan uptime.Notice
	deaf bool
}

func (w *wires) Publish(_ context.Context, notices ...uptime.Notice) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.subs {
		for _, n := range notices {
			if !w.deaf {
				s <- n
			}
		}
	}
	return nil
}

func (w *wires) setDeaf() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deaf = true
}

func (w *wires) Subscribe(ctx context.Context, _ ...uptime.Topic) (<-chan uptime.Notice, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	ch := make(chan uptime.Notice, 5000)
	w.subs = append(w.subs, ch)
	context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.subs = slices.DeleteFunc(w.subs, func(s chan uptime.Notice) bool { return s == ch })
		close(ch)
	})
	return ch, nil
}

// soleLeader always leads, and again a second after a failure.
type soleLeader struct {
	mu    sync.Mutex
	epoch int64
	errs  []error
}

// failures gives what the terms so far ended with.
func (l *soleLeader) failures() []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.errs)
}

func (l *soleLeader) Lead(ctx context.Context, follow func(context.Context, int64) error) error {
	for ctx.Err() == nil {
		l.mu.Lock()
		l.epoch++
		epoch := l.epoch
		l.mu.Unlock()
		err := follow(ctx, epoch)
		l.mu.Lock()
		l.errs = append(l.errs, err)
		l.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil
}

// handClock is a clock that a test moves.
type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *handClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *handClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bundle is a scheduler among its stand-ins.
type bundle struct {
	*Scheduler
	table  *table
	queue  *partitions
	bus    *wires
	leader *soleLeader
}

const tick = time.Second

func setup(t require.TestingT, clock uptime.Clock, parts int) *bundle {
	b := &bundle{table: newTable(), queue: newPartitions(parts, clock), bus: &wires{}, leader: &soleLeader{}}
	s, err := New(Params{
		Config: Config{Tick: tick, Refresh: 30 * time.Second},
		Store:  b.table, Slots: b.queue, Leader: b.leader, Bus: b.bus, Clock: clock,
		Log: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	b.Scheduler = s
	return b
}

// lead takes over under an epoch, without goroutines.
func (b *bundle) take(t require.TestingT, epoch int64) *term {
	term, err := b.takeOver(context.Background(), epoch, newReader(b.Scheduler, nil))
	require.NoError(t, err)
	return term
}

func monitor(id int64, interval time.Duration) uptime.Monitor {
	return uptime.Monitor{
		ID: id, WorkspaceID: 1, Type: "http", Enabled: true, Interval: interval, Timeout: 5 * time.Second,
		Regions: []string{uptime.DefaultRegion}, Settings: []byte(`{}`),
	}
}

// changed is what the reader hands over of these.
func changed(monitors ...uptime.Monitor) change {
	var c change
	for _, m := range monitors {
		c.monitors = append(c.monitors, m.Scheduled())
	}
	return c
}

// grid gives the slots of a monitor in (from, to], since base.
func grid(m uptime.Monitor, from, to time.Time) []time.Duration {
	var list []time.Duration
	for slot := uptime.NextSlot(m.ID, m.Interval, from); !slot.After(to); slot = slot.Add(m.Interval) {
		list = append(list, slot.Sub(base))
	}
	return list
}
