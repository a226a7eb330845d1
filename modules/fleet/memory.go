package fleet

import (
	"context"
	"slices"
	"sync"

	"monitor/modules/uptime"
)

// Memory is the fleet of a process that runs alone. It is safe for concurrent
// use.
type Memory struct {
	clock uptime.Clock
	notes notes

	mu      sync.Mutex
	members map[string]Member
}

var _ uptime.Recent = (*Memory)(nil)

// NewMemory makes a fleet without members.
func NewMemory(clock uptime.Clock) *Memory {
	return &Memory{clock: clock, members: map[string]Member{}}
}

// Report says that the member runs, now.
func (f *Memory) Report(ctx context.Context, m Member) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.ID == "" {
		return errNoID
	}
	m.SeenAt = f.clock()
	m.Roles, m.Healthy = slices.Clone(m.Roles), slices.Clone(m.Healthy)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.members[m.ID] = m
	return nil
}

// Members gives those seen within Gone, the eldest first.
func (f *Memory) Members(ctx context.Context) ([]Member, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := f.clock()
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []Member
	for id, m := range f.members {
		if now.Sub(m.SeenAt) > Gone {
			delete(f.members, id)
			continue
		}
		out = append(out, m)
	}
	return inOrder(out), nil
}

// Leave takes a member out; one that is not there is no error.
func (f *Memory) Leave(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.members, id)
	return nil
}

// Wrote notes a write.
func (f *Memory) Wrote(_ context.Context, who string) { f.notes.add(who, f.clock()) }

// DidWrite reports a write of the last uptime.RecentFor.
func (f *Memory) DidWrite(_ context.Context, who string) bool { return f.notes.has(who, f.clock()) }
