package bus

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/redis/go-redis/v9"

	"monitor/modules/redisconn"
	"monitor/modules/uptime"
)

const (
	// pingEvery is how often a connection on which nothing comes in is tried, and
	// deafAfter how long it may then be silent before it is given up.
	pingEvery = time.Second
	deafAfter = 4 * time.Second
)

// ear keeps this process's one subscribing connection and tells what comes in.
type ear struct {
	conn   *redisconn.Conn
	client redis.UniversalClient
	hear   func(topic uptime.Topic, text string)
	resync func(topics ...uptime.Topic)
	log    *slog.Logger

	mu     sync.Mutex
	wanted map[uptime.Topic]int // subscriptions of this process
	line   *line                // nil: not connected
	away   bool                 // the last attempt to connect failed
	gap    bool                 // something may have been missed
	change chan struct{}        // closed and made anew when any of these change
	news   chan struct{}        // holds one when wanted changed
}

func newEar(conn *redisconn.Conn, hear func(uptime.Topic, string), resync func(...uptime.Topic), log *slog.Logger) *ear {
	return &ear{
		conn: conn, hear: hear, resync: resync, log: log,
		client: conn.Client(redisconn.Purpose{Name: "subscribe", Size: 1}),
		wanted: map[uptime.Topic]int{}, change: make(chan struct{}), news: make(chan struct{}, 1),
	}
}

// want adds a subscription, which forget ends.
func (e *ear) want(topics []uptime.Topic) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, topic := range topics {
		e.wanted[topic]++
	}
	e.wake()
}

// listen waits until the server has confirmed the topics. It gives up after
// Patience, when ctx ends, or when Redis turns out to be away; the subscriber then
// gets a resync once it is subscribed.
func (e *ear) listen(ctx context.Context, topics []uptime.Topic) {
	timer := time.NewTimer(Patience)
	defer timer.Stop()
	late := false
	for {
		e.mu.Lock()
		change, done := e.change, e.line != nil && e.line.confirmed(topics)
		if !done && (e.away || late) {
			e.gap, done = true, true
		}
		e.mu.Unlock()
		if done {
			return
		}
		select {
		case <-change:
		case <-timer.C:
			late = true
		case <-ctx.Done():
			late = true
		}
	}
}

// forget ends a subscription.
func (e *ear) forget(topics []uptime.Topic) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, topic := range topics {
		if e.wanted[topic]--; e.wanted[topic] == 0 {
			delete(e.wanted, topic)
		}
	}
	e.wake()
}

// wake says that wanted changed; the mutex is held.
func (e *ear) wake() {
	select {
	case e.news <- struct{}{}:
	default:
	}
}

// changed tells who waits; the mutex is held.
func (e *ear) changed() {
	close(e.change)
	e.change = make(chan struct{})
}

// run connects as long as anybody listens, until ctx ends.
func (e *ear) run(ctx context.Context) {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.MaxInterval = 100*time.Millisecond, time.Second
	for ctx.Err() == nil {
		e.mu.Lock()
		idle := len(e.wanted) == 0
		e.mu.Unlock()
		if idle {
			select {
			case <-e.news:
			case <-ctx.Done():
			}
			continue
		}
		heard, err := e.connect(ctx)
		if heard {
			pause.Reset()
		}
		if err == nil || ctx.Err() != nil {
			continue
		}
		timer := time.NewTimer(pause.NextBackOff())
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// connect listens on one connection until it breaks (an error), or ctx ends or
// nobody listens any more (nil). heard: the server answered on it.
func (e *ear) connect(ctx context.Context) (heard bool, err error) {
	l := newLine(e.client.Subscribe(ctx), e.conn)
	e.mu.Lock()
	e.line = l
	e.mu.Unlock()
	own, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	var left bool
	watch.Go(func() {
		// Closing the connection is what ends a read that waits.
		defer l.close()
		left = e.attend(own, l)
	})
	heard, err = e.read(l) //nolint:contextcheck // the connection is what ends it: see above
	cancel()
	watch.Wait()
	e.hangUp(left || ctx.Err() != nil, err)
	if left || ctx.Err() != nil {
		err = nil // by our own will
	}
	return heard, err
}

// hangUp ends the line; meant: by our own will.
func (e *ear) hangUp(meant bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.line = nil
	e.gap = e.gap || len(e.wanted) > 0
	if !meant {
		if !e.away {
			e.log.Warn("not subscribed to the notices of other processes", "error", err)
		}
		e.away = true
	}
	e.changed()
}

// attend writes on the connection: what this process wants to hear, and pings. It
// returns when the connection is to be closed; left: because nobody listens.
func (e *ear) attend(ctx context.Context, l *line) (left bool) {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		e.mu.Lock()
		join, part := l.differ(e.wanted)
		idle := len(e.wanted) == 0
		e.mu.Unlock()
		if idle || l.write(ctx, join, part) != nil {
			return idle
		}
		select {
		case <-e.news:
		case <-ticker.C:
			if l.silent() > deafAfter || l.ping(ctx) != nil {
				return false
			}
		case <-ctx.Done():
			return false
		}
	}
}

// read takes what comes in until the connection is closed.
func (e *ear) read(l *line) (heard bool, err error) {
	for {
		got, err := l.receive()
		if err != nil {
			return heard, err
		}
		heard = true
		switch got := got.(type) {
		case *redis.Message:
			e.mu.Lock()
			s := l.standing[got.Channel]
			e.mu.Unlock()
			if s != nil {
				e.hear(s.topic, got.Payload)
			}
		case *redis.Subscription:
			e.answer(l, got)
		}
	}
}

// answer notes the server's word on a topic. When it has given it on all of them,
// nothing is missed any more.
func (e *ear) answer(l *line, got *redis.Subscription) {
	e.mu.Lock()
	l.answered(got)
	if !l.settled(e.wanted) {
		e.changed()
		e.mu.Unlock()
		return
	}
	was, gap := e.away, e.gap
	e.away, e.gap = false, false
	var topics []uptime.Topic
	for topic := range e.wanted {
		topics = append(topics, topic)
	}
	e.changed()
	e.mu.Unlock()
	if was {
		e.log.Info("subscribed to the notices of other processes again")
	}
	if gap {
		e.resync(topics...)
	}
}
