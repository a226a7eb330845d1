// Package limit implements uptime.Limiter: rate limits by GCRA, the generic cell
// rate algorithm (ITU-T I.371, annex A). A key's whole state is one time, its
// "theoretical arrival time": when its allowance would be full again. Limit of
// them may come at once, and one more each Per ÷ Limit.
package limit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"monitor/modules/uptime"
)

// DefaultKeys bounds the keys that a Memory knows.
const DefaultKeys = 100_000

// Memory limits the rates of one process. It is safe for concurrent use.
//
// A key whose allowance is full costs nothing: it is forgotten. When more than
// the bound are in use, the one nearest to a full allowance is forgotten, so a
// flood of fresh keys frees nobody who has used much.
type Memory struct {
	clock uptime.Clock
	bound int

	mu   sync.Mutex
	keys map[string]*account
	heap []*account // by full: who is forgotten first is on top
}

// account is one key in use.
type account struct {
	key   string
	full  time.Time // when the whole allowance is back
	index int
}

var _ uptime.Limiter = (*Memory)(nil)

// NewMemory makes a limiter that knows at most keys keys; 0: the default.
func NewMemory(clock uptime.Clock, keys int) *Memory {
	if keys <= 0 {
		keys = DefaultKeys
	}
	return &Memory{clock: clock, bound: keys, keys: map[string]*account{}}
}

// Allow takes one from the key's allowance. A rate must be above zero.
func (m *Memory) Allow(ctx context.Context, key string, rate uptime.Rate) (uptime.LimitDecision, error) {
	if err := ctx.Err(); err != nil {
		return uptime.LimitDecision{}, err
	}
	if rate.Limit <= 0 || rate.Per < time.Duration(rate.Limit) {
		return uptime.LimitDecision{}, fmt.Errorf("limit rate of %q: %d per %s cannot be used", key, rate.Limit, rate.Per)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock()
	m.forgetFull(now)
	full := now
	a := m.keys[key]
	if a != nil {
		full = a.full
	}
	step := rate.Per / time.Duration(rate.Limit)
	window := step * time.Duration(rate.Limit)
	next := full.Add(step)
	if wait := next.Sub(now) - window; wait > 0 {
		return uptime.LimitDecision{Limit: rate.Limit, RetryAfter: wait, ResetAfter: full.Sub(now)}, nil
	}
	m.store(a, key, next)
	used := next.Sub(now)
	return uptime.LimitDecision{
		Allowed: true, Limit: rate.Limit,
		Remaining: int((window - used) / step), ResetAfter: used,
	}, nil
}

// GiveBack returns one to the key's allowance, which it does not exceed.
func (m *Memory) GiveBack(ctx context.Context, key string, rate uptime.Rate) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if rate.Limit <= 0 || rate.Per < time.Duration(rate.Limit) {
		return fmt.Errorf("give back to %q: %d per %s cannot be used", key, rate.Limit, rate.Per)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.keys[key]; a != nil {
		a.full = a.full.Add(-rate.Per / time.Duration(rate.Limit))
		m.up(a.index)
	}
	m.forgetFull(m.clock())
	return nil
}

// Keys counts the keys in use.
func (m *Memory) Keys() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forgetFull(m.clock())
	return len(m.keys)
}

// forgetFull drops the keys whose allowance is full. Each was stored once, so the
// cost is spread over the calls that did.
func (m *Memory) forgetFull(now time.Time) {
	for len(m.heap) > 0 && !m.heap[0].full.After(now) {
		m.drop()
	}
}

func (m *Memory) store(a *account, key string, full time.Time) {
	if a == nil {
		if len(m.keys) >= m.bound {
			m.drop()
		}
		a = &account{key: key, full: full, index: len(m.heap)}
		m.keys[key] = a
		m.heap = append(m.heap, a)
		m.up(a.index)
		return
	}
	a.full = full // only ever later here
	m.down(a.index)
}

// drop forgets the key on top.
func (m *Memory) drop() {
	last := len(m.heap) - 1
	delete(m.keys, m.heap[0].key)
	m.swap(0, last)
	m.heap[last] = nil
	m.heap = m.heap[:last]
	m.down(0)
}

func (m *Memory) swap(i, j int) {
	m.heap[i], m.heap[j] = m.heap[j], m.heap[i]
	m.heap[i].index, m.heap[j].index = i, j
}

func (m *Memory) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !m.heap[i].full.Before(m.heap[parent].full) {
			return
		}
		m.swap(i, parent)
		i = parent
	}
}

func (m *Memory) down(i int) {
	for {
		least := 2*i + 1
		if least >= len(m.heap) {
			return
		}
		if right := least + 1; right < len(m.heap) && m.heap[right].full.Before(m.heap[least].full) {
			least = right
		}
		if !m.heap[least].full.Before(m.heap[i].full) {
			return
		}
		m.swap(i, least)
		i = least
	}
}
