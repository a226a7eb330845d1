package lock

import (
	"context"
	"errors"
	"log/slog"

	"monitor/modules/uptime"
)

// MemoryParams are what NewMemory needs; both are required.
type MemoryParams struct {
	Epochs uptime.Epochs
	Log    *slog.Logger
}

// Memory is the leadership of a process that runs alone: it always wins. It is
// safe for concurrent use.
type Memory struct {
	campaign *campaign
	chair    chair
}

var _ uptime.Leader = (*Memory)(nil)

// NewMemory makes a contender for a seat of its own.
func NewMemory(p MemoryParams) (*Memory, error) {
	return newMemory(p, make(chair, 1))
}

// Standby makes another contender for the same seat, which behaves as another
// process would.
func (m *Memory) Standby(p MemoryParams) (*Memory, error) {
	return newMemory(p, m.chair)
}

func newMemory(p MemoryParams, c chair) (*Memory, error) {
	if p.Epochs == nil || p.Log == nil {
		return nil, errors.New("new memory lock: epochs and a logger are required")
	}
	return &Memory{campaign: newCampaign(c, p.Epochs, p.Log), chair: c}, nil
}

// Lead campaigns until ctx ends; see uptime.Leader.
func (m *Memory) Lead(ctx context.Context, follow func(ctx context.Context, epoch int64) error) error {
	return m.campaign.lead(ctx, follow)
}

// Leading gives the epoch under which this process leads, if it does.
func (m *Memory) Leading() (epoch int64, ok bool) { return m.campaign.leading() }

// chair is a seat in memory: whoever has filled it has it.
type chair chan struct{}

func (c chair) take(ctx context.Context) (<-chan struct{}, error) {
	select {
	case c <- struct{}{}:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c chair) leave() { <-c }
