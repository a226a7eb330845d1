package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

const (
	// Each monitor had an outage of so many checks every week.
	outageChecks = 10
	// What a result of the history takes on disk while it is made, write-ahead logs
	// and rollups included, in bytes: measured, and rounded up.
	diskPerResultSQLite, diskPerResultPostgres = 60, 160
)

// past is what has been: n monitors checked for some days up to a moment.
type past struct {
	ids      []int64
	interval time.Duration
	from, to time.Time // whole days
	progress func(done, all int)
}

// slots gives the number of the first slot of a monitor at or after a time, and the
// phase: slot k is at k × interval + phase.
func (p past) slots(id int64, at time.Time) (k, phase int64) {
	step := p.interval.Milliseconds()
	phase = phaseOf(id, step)
	return (at.UnixMilli() - phase + step - 1) / step, phase
}

// outageEvery is how many checks lie between the beginnings of two outages.
func (p past) outageEvery() int64 { return int64(7 * 24 * time.Hour / p.interval) }

// historian writes a past into a database that no program has open.
type historian interface {
	write(ctx context.Context, p past) error
	// rolled is up to when the days are summed up.
	rolled(ctx context.Context) (time.Time, error)
	close() error
}

// figures of a program with a history.
type historyFigures struct {
	Backend  string           `json:"backend"`
	Monitors int              `json:"monitors"`
	Days     int              `json:"days"`
	Results  int64            `json:"results"`
	FillS    float64          `json:"fill_s"`
	RollS    float64          `json:"rollup_s"` // of the whole history
	Interval float64          `json:"interval_s"`
	Pages    map[string]spent `json:"pages"`
	Looks    []look           `json:"looks,omitempty"`
	Leg      leg              `json:"leg"` // while pages are asked for and retention runs
}

// spent is how long answers took.
type spent struct {
	Asked int     `json:"asked"`
	P50   float64 `json:"p50_ms"`
	P95   float64 `json:"p95_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
}

// history makes a past, lets the program sum it up, and then asks for pages while
// it checks on and drops the oldest day.
func (b *bench) history(ctx context.Context, r *report, backend string) (err error) {
	n, days, every := b.options.monitors[backend], b.options.history, b.options.every
	results := int64(n) * int64(days) * int64(24*time.Hour/every)
	if err := b.room(backend, results); err != nil {
		return err
	}
	m, err := newMonitor(ctx, b, backend, every)
	if err != nil {
		return err
	}
	defer m.close()
	if err := m.start(ctx, plan{monitors: n, interval: every}); err != nil {
		return err
	}
	if err := m.stop(); err != nil {
		return err
	}
	h, err := m.historian(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	f := historyFigures{Backend: backend, Monitors: n, Days: days, Results: results, Interval: every.Seconds(), Pages: map[string]spent{}}
	to := time.Now().UTC().Truncate(time.Hour)
	p := past{ids: m.ids, interval: every, from: to.Truncate(24*time.Hour).AddDate(0, 0, -days), to: to}
	p.progress = func(done, all int) { b.step(backend+", writing the past", done, all) }
	began := time.Now()
	if err := h.write(ctx, p); err != nil {
		return err
	}
	f.FillS = time.Since(began).Seconds()
	// The oldest day is too old by now.
	m.extra = []string{fmt.Sprintf("MONITOR_RETENTION_RESULTS=%dd", days-1)}
	if err := m.start(ctx, plan{monitors: n, interval: every}); err != nil {
		return err
	}
	if err := b.rollUp(ctx, m, h, p, &f); err != nil {
		return err
	}
	if time.Since(m.began) > retentionAt { // it ran already: the clock is wound anew
		if err := m.stop(); err != nil {
			return err
		}
		if err := m.start(ctx, plan{monitors: n, interval: every}); err != nil {
			return err
		}
	}
	err = b.underLoad(ctx, m, p, &f)
	if err == nil && b.options.look {
		f.Looks, err = b.lookAt(ctx, m)
	}
	if err := errors.Join(err, m.stop()); err != nil {
		return err
	}
	r.Histories = append(r.Histories, f)
	return nil
}

// room says what disk the history needs, and refuses to fill it.
func (b *bench) room(backend string, results int64) error {
	per := int64(diskPerResultSQLite)
	if backend == onPostgres {
		per = diskPerResultPostgres
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(b.dir, &fs); err != nil {
		return err
	}
	free := int64(fs.Bavail) * fs.Bsize
	_, _ = fmt.Fprintf(os.Stderr, "%s: %d results need %.1f GB of disk, %.1f GB are free\n",
		backend, results, float64(results*per)/1e9, float64(free)/1e9)
	if results*per > free*9/10 {
		return fmt.Errorf("the history on %s does not fit on the disk: fewer -days", backend)
	}
	return nil
}

// rollUp waits until the program has summed the history up.
func (b *bench) rollUp(ctx context.Context, m *monitor, h historian, p past, f *historyFigures) error {
	began := time.Now()
	days := int(p.to.Truncate(24*time.Hour).Sub(p.from).Hours() / 24)
	for {
		at, err := h.rolled(ctx)
		if err != nil {
			return err
		}
		done := int(at.Sub(p.from).Hours() / 24)
		b.step(m.backend+", summing the past up", done, days)
		if done >= days {
			f.RollS = time.Since(began).Seconds()
			return nil
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// underLoad asks for pages while the program checks and purges.
func (b *bench) underLoad(ctx context.Context, m *monitor, p past, f *historyFigures) error {
	pages, stop := make(chan error, 1), make(chan struct{})
	r := &readers{m: m, stop: stop, took: map[string][]float64{}, first: p.from, last: p.to}
	go func() { pages <- r.run(ctx) }()
	var err error
	f.Leg, err = b.measure(ctx, m, plan{monitors: len(m.ids), interval: p.interval}, b.options.length+max(retentionAfter-time.Since(m.began), 0))
	close(stop)
	if err := errors.Join(err, <-pages); err != nil {
		return err
	}
	for name, took := range r.took {
		f.Pages[name] = spentOf(took)
	}
	return nil
}

const (
	// retentionAt is when, after its start, the program looks for what is too old, and
	// retentionAfter when it has had some time for that.
	retentionAt    = 10 * time.Minute
	retentionAfter = 12 * time.Minute
)

// historian of the program's database.
func (m *monitor) historian(ctx context.Context) (historian, error) {
	if m.backend == onPostgres {
		return newPostgresHistorian(ctx, m.postgres.PostgresURL("monitor"))
	}
	return newSQLiteHistorian(m.file())
}

// execAll runs statements one after the other.
func execAll(ctx context.Context, db interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}, statements []string, args ...any,
) error {
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s, args...); err != nil {
			return fmt.Errorf("%w in %s", err, s)
		}
	}
	return nil
}
