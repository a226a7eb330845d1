package store

import (
	"context"
	"sync"
)

// fairness is how many recorders in a row go before somebody else who waits.
const fairness = 16

// gate lets one writer through at a time, the recorder before others. SQLite's
// own lock is a lottery: it polls, and a busy recorder could wait for seconds.
type gate struct {
	mu    sync.Mutex
	busy  bool
	first []chan struct{} // recorders, oldest first
	rest  []chan struct{}
	run   int // recorders let through since somebody else was
}

func newGate() *gate { return &gate{} }

// enter waits for its turn, which leave ends. A nil gate is open.
func (g *gate) enter(ctx context.Context, first bool) error {
	if g == nil {
		return ctx.Err()
	}
	g.mu.Lock()
	if !g.busy {
		g.busy = true
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	line := &g.rest
	if first {
		line = &g.first
	}
	*line = append(*line, turn)
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	for i, other := range *line {
		if other == turn {
			*line = append((*line)[:i], (*line)[i+1:]...)
			g.mu.Unlock()
			return ctx.Err()
		}
	}
	g.mu.Unlock()
	g.leave() // the turn came at the same moment
	return ctx.Err()
}

func (g *gate) leave() {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	line := &g.first
	if len(g.first) == 0 || (len(g.rest) > 0 && g.run >= fairness) {
		line = &g.rest
	}
	if len(*line) == 0 {
		g.busy = false
		return
	}
	if line == &g.first {
		g.run++
	} else {
		g.run = 0
	}
	close((*line)[0])
	*line = (*line)[1:]
}
