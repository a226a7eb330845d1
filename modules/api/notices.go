package api

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"monitor/modules/uptime"
)

const (
	// keptNotices is how many notices a client that comes back can be told of.
	// Results, which are many, have a shelf of their own of the same size.
	keptNotices = 1000
	// listenAgain is the wait before a bus that ended is listened to again.
	listenAgain = time.Second
)

// numbered is a notice with its place in the stream of this process.
type numbered struct {
	uptime.Notice
	n int64
}

// shelf keeps the newest notices of some topics.
type shelf struct {
	kept []numbered
	lost int64 // number of the newest that is not kept any more
}

func (s *shelf) add(e numbered) {
	s.kept = append(s.kept, e)
	if over := len(s.kept) - keptNotices; over > 0 {
		s.lost = s.kept[over-1].n
		s.kept = s.kept[over:] // append moves them to fresh memory now and then
	}
}

// after is the oldest notice with a higher number.
func (s *shelf) after(n int64) (numbered, bool) {
	at, _ := slices.BinarySearchFunc(s.kept, n+1, func(e numbered, n int64) int { return int(e.n - n) })
	if at == len(s.kept) {
		return numbered{}, false
	}
	return s.kept[at], true
}

// notices numbers what the bus says from the start of the process on and keeps
// the newest, so that a stream that was cut goes on where it ended. Its methods
// may be called concurrently.
type notices struct {
	name string // random: a number of another process says nothing here

	always  chan struct{} // closed
	mu      sync.Mutex
	newest  int64
	changes shelf
	results shelf
	changed chan struct{} // closed when a change is added
	told    chan struct{} // closed when anything is added
}

func newNotices(name string) *notices {
	l := &notices{name: name, always: make(chan struct{}), changed: make(chan struct{}), told: make(chan struct{})}
	close(l.always)
	return l
}

func (l *notices) add(n uptime.Notice) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.newest++
	close(l.told)
	l.told = make(chan struct{})
	if n.Topic == uptime.TopicResult {
		l.results.add(numbered{n, l.newest})
		return
	}
	l.changes.add(numbered{n, l.newest})
	close(l.changed)
	l.changed = make(chan struct{})
}

// run listens to the bus until ctx ends. What may have been said while nobody
// listened is a notice without a topic.
func (l *notices) run(ctx context.Context, bus uptime.Bus, log *slog.Logger, ready func()) {
	again := false
	for ctx.Err() == nil {
		heard, err := bus.Subscribe(ctx, append(eventTypes(), uptime.TopicAccess)...)
		ready()
		switch {
		case err == nil:
			if again {
				l.add(uptime.Notice{})
			}
			for n := range heard {
				l.add(n)
			}
		case ctx.Err() == nil:
			log.WarnContext(ctx, "notices for event streams are not heard", "error", err)
		}
		again = true
		timer := time.NewTimer(listenAgain)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// id is what a client shows to go on after the number.
func (l *notices) id(n int64) string { return l.name + "-" + strconv.FormatInt(n, 10) }

// cursor walks over the notices. It belongs to one goroutine.
type cursor struct {
	*notices
	all bool  // results, too
	n   int64 // of the newest that was given
}

// from begins after the event with the id, or now; known is false where the id
// is of another process or of no event.
func (l *notices) from(id string, all bool) (c *cursor, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c = &cursor{notices: l, all: all, n: l.newest}
	if id == "" {
		return c, true
	}
	number, ours := strings.CutPrefix(id, l.name+"-")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ours || err != nil || n < 0 || n > l.newest {
		return c, false
	}
	c.n = n
	return c, true
}

// peek gives the next notice, and a channel that is closed when there is one;
// where some were lost it is one without a topic. more is closed when there is
// another one to peek at. Whoever takes the notice sets n to its number.
func (c *cursor) peek() (next numbered, there, more <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n < c.changes.lost || c.all && c.n < c.results.lost {
		return numbered{n: c.newest}, c.always, nil
	}
	next, ok := c.changes.after(c.n)
	if r, has := c.results.after(c.n); c.all && has && (!ok || r.n < next.n) {
		next, ok = r, true
	}
	switch {
	case ok:
		return next, c.always, nil
	case c.all:
		return next, nil, c.told
	}
	return next, nil, c.changed
}
