package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// plan is what a system is to do.
type plan struct {
	monitors int
	interval time.Duration
	settle   time.Duration // before it is measured; 0: the usual time
}

func (p plan) rate() float64 { return float64(p.monitors) / p.interval.Seconds() }

// system is what is measured: the program, or the bare loop.
type system interface {
	name() string
	// start begins; what it does is steady a moment later.
	start(ctx context.Context, p plan) error
	// processes by name, the first of each the parent of the others.
	processes() map[string][]int
	// id of the monitor of a target, which says when it is due.
	id(target int) int64
	// counters are what the system itself says that it did so far.
	counters(ctx context.Context) (counters, error)
	stop() error
}

// counters of the program, from its metrics.
type counters struct {
	stored float64 // results
	missed float64 // slots booked as missed
}

// leg is one system at one rate for one length of time.
type leg struct {
	System     string             `json:"system"`
	Monitors   int                `json:"monitors"`
	RateWanted float64            `json:"rate_wanted"`
	Seconds    float64            `json:"seconds"`
	Rate       float64            `json:"rate"` // checks that came per second
	Due        int                `json:"due"`
	Missed     int                `json:"missed"`     // slots without a request
	Duplicates int                `json:"duplicates"` // requests more than slots have
	Stored     float64            `json:"stored,omitempty"`
	LateP50    float64            `json:"late_p50_ms"`
	LateP95    float64            `json:"late_p95_ms"`
	LateP99    float64            `json:"late_p99_ms"`
	LateMax    float64            `json:"late_max_ms"`
	CPU        map[string]float64 `json:"cpu_us_per_check"` // by process
	CPUSum     float64            `json:"cpu_us_per_check_sum"`
	Memory     map[string]float64 `json:"memory_mb"`
	MemoryMost map[string]float64 `json:"memory_max_mb"`
	Others     float64            `json:"others_cores"` // other processes and the hypervisor
}

func (l leg) missedShare() float64 {
	if l.Due == 0 {
		return 0
	}
	return float64(l.Missed) / float64(l.Due)
}

const (
	// settle is how long a system runs before it is measured.
	settle = 5 * time.Second
	// tooLate is how long after its end the requests of a leg are waited for.
	tooLate = 2 * time.Second
	// noise is how much of a core others may have taken.
	noise = 0.1
)

// run measures a system once, again where it was disturbed.
func (b *bench) leg(ctx context.Context, s system, p plan, length time.Duration) (leg, error) {
	if err := s.start(ctx, p); err != nil {
		return leg{}, err
	}
	l, err := b.measure(ctx, s, p, length)
	for try := 1; err == nil && l.Others > noise && try < b.options.tries; try++ {
		b.disturbed++
		l, err = b.measure(ctx, s, p, length)
	}
	if stopErr := s.stop(); err == nil {
		err = stopErr
	}
	return l, err
}

func (b *bench) measure(ctx context.Context, s system, p plan, length time.Duration) (leg, error) {
	what := fmt.Sprintf("%s, %.0f/s", s.name(), p.rate())
	if err := b.wait(ctx, what+", settling", cmp.Or(p.settle, settle)); err != nil {
		return leg{}, err
	}
	b.targets.open(int(1.5*p.rate()*(length+tooLate).Seconds()) + 1_000_000)
	defer b.targets.shut()
	// The system's own counters are read outside of the time that is measured: with
	// many monitors that is work.
	countedBefore, err := s.counters(ctx)
	if err != nil {
		return leg{}, err
	}
	before, err := b.look(s)
	if err != nil {
		return leg{}, err
	}
	if err := b.wait(ctx, what, length); err != nil {
		return leg{}, err
	}
	after, err := b.look(s)
	if err != nil {
		return leg{}, err
	}
	counted, err := s.counters(ctx)
	if err != nil {
		return leg{}, err
	}
	l := leg{
		System: s.name(), Monitors: p.monitors, RateWanted: p.rate(), Seconds: after.at.Sub(before.at).Seconds(),
		Stored: counted.stored - countedBefore.stored, CPU: map[string]float64{}, Memory: after.memory, MemoryMost: after.most,
	}
	if err := b.wait(ctx, what+", the last ones", tooLate); err != nil {
		return leg{}, err
	}
	came := l.place(b.targets.shut(), s, p, before.at, after.at)
	if came == 0 {
		return l, fmt.Errorf("%s at %.0f checks/s: nothing came", s.name(), p.rate())
	}
	l.Rate = float64(came) / l.Seconds
	for name, cpu := range after.cpu {
		spent := cpu - before.cpu[name]
		l.CPU[name] = float64(spent.Microseconds()) / float64(came)
		l.CPUSum += l.CPU[name]
	}
	l.Others = others(before.machine, after.machine, after.ours).Seconds() / l.Seconds
	return l, nil
}

// place finds the slot of each request and fills in what follows; it counts what
// came within the time.
func (l *leg) place(hits []hit, s system, p plan, from, to time.Time) (came int) {
	step := p.interval.Milliseconds()
	seen := make(map[[2]int64]bool, len(hits))
	var late []float64
	for _, h := range hits {
		at := time.Unix(0, h.at)
		if !at.Before(from) && !at.After(to) {
			came++
		}
		id := s.id(h.target)
		slot := slotBefore(id, step, at)
		if slot <= from.UnixMilli() || slot > to.UnixMilli() {
			continue
		}
		if seen[[2]int64{id, slot}] {
			l.Duplicates++
			continue
		}
		seen[[2]int64{id, slot}] = true
		late = append(late, ms(at.Sub(time.UnixMilli(slot))))
	}
	for t := range p.monitors {
		l.Due += slotsDue(s.id(t), step, from, to)
	}
	l.Missed = max(0, l.Due-len(seen))
	if len(late) > 0 {
		slices.Sort(late)
		l.LateP50, l.LateP95, l.LateP99, l.LateMax = at(late, 0.5), at(late, 0.95), at(late, 0.99), late[len(late)-1]
	}
	return came
}

// at is a quantile of ascending values.
func at(values []float64, q float64) float64 {
	return values[min(int(q*float64(len(values))), len(values)-1)]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// sight is what all processes had used at a moment.
type sight struct {
	at      time.Time
	cpu     map[string]time.Duration
	ours    map[int]bool // processes, this one with targets and receiver included
	machine machine
	memory  map[string]float64
	most    map[string]float64
}

func (b *bench) look(s system) (v sight, err error) {
	v.cpu, v.memory, v.most = map[string]time.Duration{}, map[string]float64{}, map[string]float64{}
	v.at, v.ours = time.Now(), map[int]bool{os.Getpid(): true}
	for name, pids := range s.processes() {
		for _, pid := range pids {
			v.ours[pid] = true
		}
		if v.cpu[name], err = used(pids); err != nil {
			return v, fmt.Errorf("%s: %w", name, err)
		}
		if v.memory[name], v.most[name], err = memory(pids[0]); err != nil {
			return v, fmt.Errorf("%s: %w", name, err)
		}
	}
	v.machine, err = readMachine()
	return v, err
}
