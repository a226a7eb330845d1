package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// watched is how long the checks after a start are looked at.
const watched = 15 * time.Second

// restart is how a program with monitors comes back.
type restart struct {
	Backend  string  `json:"backend"`
	Monitors int     `json:"monitors"`
	Rate     float64 `json:"rate"`
	// FirstMS is from the start of the process to the first request at a target.
	FirstMS float64 `json:"first_check_ms"`
	// Busiest is the most requests of one second of the next 15, whichever it is.
	Busiest int `json:"busiest_second"`
}

// restart starts a program whose monitors are there and waits for its checks.
func (b *bench) restart(ctx context.Context, m *monitor, p plan) (r restart, err error) {
	b.targets.open(int(10*p.rate()*watched.Seconds()) + p.monitors)
	if err := m.launch(ctx); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, m.stop()) }()
	if err := b.wait(ctx, fmt.Sprintf("%s, started with %d monitors", m.name(), p.monitors), watched); err != nil {
		return r, err
	}
	var at []int64
	for _, h := range b.targets.shut() {
		at = append(at, h.at)
	}
	if len(at) == 0 {
		return r, fmt.Errorf("%s with %d monitors: no check within %s of its start", m.name(), p.monitors, watched)
	}
	slices.Sort(at)
	r = restart{Backend: m.backend, Monitors: p.monitors, Rate: p.rate(), FirstMS: ms(time.Unix(0, at[0]).Sub(m.began))}
	first := 0
	for i := range at {
		for at[i]-at[first] >= int64(time.Second) {
			first++
		}
		r.Busiest = max(r.Busiest, i-first+1)
	}
	return r, nil
}
