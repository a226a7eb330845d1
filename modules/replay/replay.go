package replay

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
	// Kept is how many notices a client that comes back can be told of. Results,
	// which are many, have a shelf of their own of the same size.
	Kept = 1000
	// listenAgain is the wait before a bus that ended is listened to again.
	listenAgain = time.Second
)

// Numbered is a notice with its place in the stream of this process.
type Numbered struct {
	uptime.Notice
	N int64
}

// shelf keeps the newest notices of some topics.
type shelf struct {
	kept []Numbered
	lost int64 // number of the newest that is not kept any more
}

func (s *shelf) add(e Numbered) {
	s.kept = append(s.kept, e)
	if over := len(s.kept) - Kept; over > 0 {
		s.lost = s.kept[over-1].N
		s.kept = s.kept[over:] // append moves them to fresh memory now and then
	}
}

// after is the oldest notice with a higher number.
func (s *shelf) after(n int64) (Numbered, bool) {
	at, _ := slices.BinarySearchFunc(s.kept, n+1, func(e Numbered, n int64) int { return int(e.N - n) })
	if at == len(s.kept) {
		return Numbered{}, false
	}
	return s.kept[at], true
}

// Log is what a process heard. Make it with New; its methods may be called
// concurrently.
type Log struct {
	name string // random: a number of another process says nothing here

	always  chan struct{} // closed
	mu      sync.Mutex
	newest  int64
	changes shelf
	results shelf
	changed chan struct{} // closed when a change is added
	told    chan struct{} // closed when anything is added
}

// New gives a log of a random name, which its ids carry.
func New(name string) *Log {
	l := &Log{name: name, always: make(chan struct{}), changed: make(chan struct{}), told: make(chan struct{})}
	close(l.always)
	return l
}

// Add numbers a notice.
func (l *Log) Add(n uptime.Notice) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.newest++
	close(l.told)
	l.told = make(chan struct{})
	if n.Topic == uptime.TopicResult {
		l.results.add(Numbered{n, l.newest})
		return
	}
	l.changes.add(Numbered{n, l.newest})
	close(l.changed)
	l.changed = make(chan struct{})
}

// Run listens to the topics until ctx ends. It calls ready when it heard from the bus
// for the first time, or could not. What may have been said while nobody listened is a
// notice without a topic.
func (l *Log) Run(ctx context.Context, bus uptime.Bus, topics []uptime.Topic, log *slog.Logger, ready func()) {
	again := false
	for ctx.Err() == nil {
		heard, err := bus.Subscribe(ctx, topics...)
		ready()
		switch {
		case err == nil:
			if again {
				l.Add(uptime.Notice{})
			}
			for n := range heard {
				l.Add(n)
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

// ID is what a client shows to go on after the number.
func (l *Log) ID(n int64) string { return l.name + "-" + strconv.FormatInt(n, 10) }

// Newest is the id of the newest event that was heard: what is read after it was asked
// for holds all that it tells of.
func (l *Log) Newest() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ID(l.newest)
}

// Cursor walks over the notices. It belongs to one goroutine.
type Cursor struct {
	*Log
	all bool  // results, too
	n   int64 // of the newest that was given
}

// From begins after the event with the id, or now; all: results, too. known is false
// where the id is of another process or of no event.
func (l *Log) From(id string, all bool) (c *Cursor, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c = &Cursor{Log: l, all: all, n: l.newest}
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

// At is the number of the newest notice that was passed.
func (c *Cursor) At() int64 { return c.n }

// Pass takes the notice that Peek gave.
func (c *Cursor) Pass(n Numbered) { c.n = n.N }

// Peek gives the next notice, and a channel that is closed when there is one;
// where some were lost it is one without a topic. more is closed when there is
// another one to peek at. Whoever takes the notice passes it.
func (c *Cursor) Peek() (next Numbered, there, more <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n < c.changes.lost || c.all && c.n < c.results.lost {
		return Numbered{N: c.newest}, c.always, nil
	}
	next, ok := c.changes.after(c.n)
	if r, has := c.results.after(c.n); c.all && has && (!ok || r.N < next.N) {
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
