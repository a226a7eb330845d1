package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"time"
)

// measure runs the program with monitors of a target of our own.
func measure(ctx context.Context, o options, progress io.Writer) (report, error) {
	target, stopTarget, err := startTarget(ctx)
	if err != nil {
		return report{}, err
	}
	defer stopTarget()
	p, err := startProgram(ctx, o.binary)
	if err != nil {
		return report{}, err
	}
	defer p.stop()
	r := report{
		StartMS: ms(p.startup), Monitors: o.monitors, IntervalS: o.interval.Seconds(), DurationS: o.duration.Seconds(),
	}
	info, err := os.Stat(o.binary)
	if err != nil {
		return r, err
	}
	r.BinaryMB = float64(info.Size()) / 1e6
	ids, err := p.createMonitors(ctx, o, target, progress)
	if err != nil {
		return r, err
	}
	// The first checks are extra slots; the grid is what is measured.
	if err := wait(ctx, progress, "warming up", o.interval); err != nil {
		return r, err
	}
	from := time.Now()
	before, err := p.usage()
	if err != nil {
		return r, err
	}
	if err := wait(ctx, progress, "measuring", o.duration); err != nil {
		return r, err
	}
	after, err := p.usage()
	if err != nil {
		return r, err
	}
	to := time.Now()
	r.RSSMB, r.RSSMaxMB = after.rssMB, after.rssMaxMB
	r.CPUShare = (after.cpu - before.cpu).Seconds() / to.Sub(from).Seconds()
	if err := wait(ctx, progress, "letting the last checks end", 3*time.Second); err != nil {
		return r, err
	}
	return r, p.count(ctx, ids, from, to, after.cpu-before.cpu, &r, progress)
}

// count reads every stored result of the window and compares it with the slots
// that were due.
func (p *program) count(ctx context.Context, ids []int64, from, to time.Time, cpu time.Duration, r *report, progress io.Writer) error {
	var late []float64
	interval := time.Duration(r.IntervalS * float64(time.Second))
	for i, id := range ids {
		results, err := p.results(ctx, id, from.Add(-interval), to)
		if err != nil {
			return err
		}
		r.Due += slotsDue(id, interval, from, to)
		for _, x := range results {
			if !x.ScheduledAt.After(from) || x.ScheduledAt.After(to) {
				continue
			}
			r.Stored++
			if x.Status != "up" {
				r.NotUp++
			}
			late = append(late, ms(x.StartedAt.Sub(x.ScheduledAt)))
		}
		step(progress, "reading results", i+1, len(ids))
	}
	r.Missed = r.Due - r.Stored
	if len(late) == 0 {
		return fmt.Errorf("no result was stored")
	}
	slices.Sort(late)
	r.LateP50MS, r.LateP99MS, r.LateMaxMS = late[len(late)/2], late[len(late)*99/100], late[len(late)-1]
	r.RatePerS = float64(r.Stored) / to.Sub(from).Seconds()
	r.CPUPerCheckMS = ms(cpu) / float64(r.Stored)
	return nil
}

// slotsDue counts grid slots in (from, to] by the public rule: slots are one
// interval apart, so their number is known to one, and the phase decides.
func slotsDue(id int64, interval time.Duration, from, to time.Time) int {
	step := interval.Milliseconds()
	phase := phaseOf(id, step)
	count := func(t time.Time) int64 { return (t.UnixMilli() - phase) / step }
	return int(count(to) - count(from))
}

func startTarget(ctx context.Context) (url string, stop func(), err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	srv := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "ok\n")
		}),
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l) // ends by Close
	}()
	return "http://" + l.Addr().String(), func() {
		_ = srv.Close()
		<-done
	}, nil
}

func wait(ctx context.Context, progress io.Writer, what string, d time.Duration) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	begin := time.Now()
	for time.Since(begin) < d {
		step(progress, what, int(time.Since(begin).Seconds()), int(d.Seconds()))
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	step(progress, what, 1, 1)
	return nil
}

// step draws one line that is drawn over by the next.
func step(w io.Writer, what string, done, all int) {
	const width = 30
	full := width
	if all > 0 {
		full = min(width*done/all, width)
	}
	_, _ = fmt.Fprintf(w, "\r%-28s [%-30s]", what, fmt.Sprintf("%.*s", full, "=============================="))
	if done >= all {
		_, _ = fmt.Fprintln(w)
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
