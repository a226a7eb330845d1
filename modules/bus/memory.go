package bus

import (
	"context"
	"errors"
	"slices"
	"sync"

	"monitor/modules/uptime"
)

// Backlog is how many notices a receiver may be behind before it loses the
// oldest ones.
const Backlog = 1024

// Memory is the bus of a process that runs alone. It is safe for concurrent use.
type Memory struct {
	mu   sync.RWMutex
	subs map[*subscription]struct{}
}

var _ uptime.Bus = (*Memory)(nil)

// NewMemory makes a bus without subscribers.
func NewMemory() *Memory {
	return &Memory{subs: map[*subscription]struct{}{}}
}

// Publish hands the notices to every subscription of their topics. It waits for
// nobody.
func (b *Memory) Publish(ctx context.Context, notices ...uptime.Notice) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	for s := range b.subs {
		s.add(notices)
	}
	return nil
}

// Subscribe gives the notices of the topics from now on, in the order in which
// each publisher sent them. At least one topic is required.
func (b *Memory) Subscribe(ctx context.Context, topics ...uptime.Topic) (<-chan uptime.Notice, error) {
	return b.subscribe(ctx, topics, func() {})
}

// subscribe calls gone when the subscription has ended.
func (b *Memory) subscribe(ctx context.Context, topics []uptime.Topic, gone func()) (<-chan uptime.Notice, error) {
	if len(topics) == 0 {
		return nil, errors.New("subscribe to the bus: no topic was given")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := newSubscription(topics)
	b.mu.Lock()
	b.subs[s] = struct{}{}
	b.mu.Unlock()
	go func() {
		defer close(s.out)
		s.pump(ctx)
		b.mu.Lock()
		delete(b.subs, s)
		b.mu.Unlock()
		gone()
	}()
	return s.out, nil
}

// resync tells every subscription of the topics that it may have missed something.
func (b *Memory) resync(topics ...uptime.Topic) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for s := range b.subs {
		if slices.ContainsFunc(topics, func(t uptime.Topic) bool { return slices.Contains(s.topics, t) }) {
			s.miss()
		}
	}
}

// subscription keeps what its receiver has not taken yet.
type subscription struct {
	topics []uptime.Topic
	out    chan uptime.Notice
	news   chan struct{} // holds one when there is something to hand out

	mu      sync.Mutex
	pending []uptime.Notice
	lost    bool
}

func newSubscription(topics []uptime.Topic) *subscription {
	return &subscription{
		topics: slices.Clone(topics),
		out:    make(chan uptime.Notice),
		news:   make(chan struct{}, 1),
	}
}

func (s *subscription) add(notices []uptime.Notice) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range notices {
		if slices.Contains(s.topics, n.Topic) {
			s.pending = append(s.pending, n)
		}
	}
	if over := len(s.pending) - Backlog; over > 0 {
		s.pending = slices.Delete(s.pending, 0, over)
		s.lost = true
	}
	if len(s.pending) > 0 {
		s.tell()
	}
}

// miss puts a resync before what is pending.
func (s *subscription) miss() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = true
	s.tell()
}

// tell wakes pump; the mutex is held.
func (s *subscription) tell() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// pump hands out what is pending until ctx ends.
func (s *subscription) pump(ctx context.Context) {
	for {
		n, ok := s.next()
		if !ok {
			select {
			case <-s.news:
				continue
			case <-ctx.Done():
				return
			}
		}
		select {
		case s.out <- n:
		case <-ctx.Done():
			return
		}
	}
}

// next takes the oldest pending notice; where some before it were lost, it is the
// one that says so.
func (s *subscription) next() (uptime.Notice, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost {
		s.lost = false
		return uptime.Notice{}, true
	}
	if len(s.pending) == 0 {
		s.pending = nil // gives back what a burst had grown
		return uptime.Notice{}, false
	}
	n := s.pending[0]
	s.pending = s.pending[1:]
	return n, true
}
