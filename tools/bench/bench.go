package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"monitor/tools/servers"
)

// mostTargets bounds the monitors of a run.
const mostTargets = 200_000

// bench is one run.
type bench struct {
	options   options
	dir       string
	template  string // of PostgreSQL's cluster
	targets   *targets
	receiver  *receiver
	disturbed int
	terminal  bool
}

func newBench(ctx context.Context, o options) (*bench, error) {
	b := &bench{options: o}
	info, err := os.Stderr.Stat()
	b.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	if b.dir, err = servers.TempDir("monitor-bench-"); err != nil {
		return nil, err
	}
	if err = os.Chmod(b.dir, 0o755); err != nil {
		return nil, errors.Join(err, os.RemoveAll(b.dir))
	}
	b.template = filepath.Join(b.dir, "template")
	if b.targets, err = newTargets(ctx, mostTargets); err != nil {
		return nil, errors.Join(err, os.RemoveAll(b.dir))
	}
	if b.receiver, err = newReceiver(ctx); err != nil {
		b.targets.stop()
		return nil, errors.Join(err, os.RemoveAll(b.dir))
	}
	return b, nil
}

func (b *bench) close() {
	b.receiver.close()
	b.targets.stop()
	if b.options.keep {
		_, _ = fmt.Fprintln(os.Stderr, "databases and logs are in", b.dir)
		return
	}
	_ = os.RemoveAll(b.dir) // a folder of temporary files
}

func (b *bench) run(ctx context.Context) (*report, error) {
	r, err := newReport(b.options)
	if err != nil {
		return nil, err
	}
	if r.Limit, err = b.limit(ctx); err != nil {
		return nil, err
	}
	for _, backend := range b.options.backends {
		if backend == onPostgres {
			if err := servers.InitPostgres(ctx, b.template); err != nil {
				return nil, err
			}
		}
		if b.options.history > 0 {
			if err := b.history(ctx, r, backend); err != nil {
				return nil, err
			}
			continue
		}
		if len(b.options.growth) > 0 {
			if err := b.growth(ctx, r, backend); err != nil {
				return nil, err
			}
			continue
		}
		if err := b.backend(ctx, r, backend); err != nil {
			return nil, err
		}
	}
	r.Disturbed = b.disturbed
	return r, nil
}

// limit is how fast the bare loop asks when nothing holds it back.
func (b *bench) limit(ctx context.Context) (leg, error) {
	const several = 32
	return b.leg(ctx, &bare{port: b.targets.port, closed: several}, plan{monitors: 1000, interval: time.Second}, b.options.length/2)
}

// backend measures one: at the rates that were asked for, at the highest, and how
// soon it tells.
func (b *bench) backend(ctx context.Context, r *report, backend string) error {
	m, err := newMonitor(ctx, b, backend, time.Second)
	if err != nil {
		return err
	}
	defer m.close()
	r.StartMS[backend] = ms(m.startup)
	for _, rate := range b.options.rates {
		if err := b.pair(ctx, r, m, plan{monitors: rate, interval: time.Second}); err != nil {
			return err
		}
	}
	if b.options.outages > 0 {
		a, err := b.alerts(ctx, m, plan{monitors: b.options.alertRate, interval: time.Second})
		if err != nil {
			return err
		}
		r.Alerts[backend] = a
	}
	if b.options.highest {
		rate, err := b.highest(ctx, m)
		if err != nil {
			return err
		}
		for {
			if err := b.pair(ctx, r, m, plan{monitors: rate, interval: time.Second}); err != nil {
				return err
			}
			last := &r.Pairs[len(r.Pairs)-1]
			if median(last.Ours, leg.missedShare) < allowed || rate <= b.options.by {
				break
			}
			// It was kept once, and is not in the median.
			r.Pairs = r.Pairs[:len(r.Pairs)-1]
			rate -= b.options.by
		}
		r.Highest[backend] = rate
	}
	r.BytesPerCheck[backend], err = m.bytesPerCheck(ctx)
	return err
}

// allowed is the share of slots that a rate which is kept may miss.
const allowed = 0.01

// highest steps the rate up until more is missed, and gives the one before.
func (b *bench) highest(ctx context.Context, m *monitor) (int, error) {
	good := b.options.rates[len(b.options.rates)-1]
	for rate := max(b.options.from, good+b.options.by); ; rate += b.options.by {
		l, err := b.leg(ctx, m, plan{monitors: rate, interval: time.Second}, b.options.length/2)
		if err != nil {
			return 0, err
		}
		if l.missedShare() >= allowed || l.Stored < (1-allowed)*l.Rate*l.Seconds {
			return good, nil
		}
		good = rate
	}
}

// pair measures the program and the bare loop in turn, at the same rate.
func (b *bench) pair(ctx context.Context, r *report, m *monitor, p plan) error {
	for range b.options.runs {
		for _, s := range []system{m, &bare{port: b.targets.port}} {
			l, err := b.leg(ctx, s, p, b.options.length)
			if err != nil {
				return err
			}
			r.add(m.backend, l)
		}
	}
	return nil
}

// growth measures the start, and the cost of a check, with more and more monitors at
// one rate. What is measured was started with them: making them leaves memory behind.
func (b *bench) growth(ctx context.Context, r *report, backend string) error {
	for _, n := range b.options.growth {
		if err := b.grown(ctx, r, backend, n); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) grown(ctx context.Context, r *report, backend string, n int) error {
	const rate = 100
	p := plan{monitors: n, interval: max(time.Duration(n)*time.Second/rate, time.Second)}
	m, err := newMonitor(ctx, b, backend, p.interval)
	if err != nil {
		return err
	}
	defer m.close()
	if err := errors.Join(m.start(ctx, p), m.stop()); err != nil {
		return err
	}
	again, err := b.restart(ctx, m, p)
	if err != nil {
		return err
	}
	r.Restarts = append(r.Restarts, again)
	// In the first interval after a start a monitor is also checked once out of its slot:
	// where that is soon over, it is waited for. The loop asks as often as there were checks.
	if p.interval <= b.options.patience {
		p.settle = p.interval + settle
	}
	for range b.options.runs {
		ours, err := b.leg(ctx, m, p, b.options.length)
		if err != nil {
			return err
		}
		loop, err := b.leg(ctx, &bare{port: b.targets.port}, plan{monitors: n, interval: time.Duration(float64(n) / ours.Rate * float64(time.Second)).Round(time.Millisecond)}, b.options.length)
		if err != nil {
			return err
		}
		loop.RateWanted = ours.RateWanted
		r.add(backend, ours)
		r.add(backend, loop)
	}
	return nil
}

// wait waits, with a bar.
func (b *bench) wait(ctx context.Context, what string, d time.Duration) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	begin := time.Now()
	end := time.NewTimer(d)
	defer end.Stop()
	for {
		b.step(what, min(int(time.Since(begin).Milliseconds()), int(d.Milliseconds())-1), int(d.Milliseconds()))
		select {
		case <-tick.C:
		case <-end.C:
			b.step(what, 1, 1)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// step draws one line, which is drawn over by the next. Where there is no terminal,
// only its end is written.
func (b *bench) step(what string, done, all int) {
	const width = 30
	if !b.terminal {
		if done >= all {
			_, _ = fmt.Fprintln(os.Stderr, what)
		}
		return
	}
	full := width
	if all > 0 {
		full = min(width*done/all, width)
	}
	_, _ = fmt.Fprintf(os.Stderr, "\r%-40.40s [%-30s]", what, strings.Repeat("=", full))
	if done >= all {
		_, _ = fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}
