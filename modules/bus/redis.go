package bus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"monitor/modules/redisconn"
	"monitor/modules/uptime"
)

// Patience is how long Subscribe waits for the server's word.
const Patience = 2 * time.Second

// publishTimeout is short: whoever publishes has committed something and wants to
// go on.
const publishTimeout = time.Second

// RedisParams are what NewRedis needs; all are required.
type RedisParams struct {
	Conn *redisconn.Conn
	Log  *slog.Logger
}

// Redis is the bus of processes that share a Redis. It is safe for concurrent use.
type Redis struct {
	local  *Memory
	conn   *redisconn.Conn
	client redis.UniversalClient // publishes
	ear    *ear
	sender string
	log    *slog.Logger

	mu     sync.Mutex
	missed map[uptime.Topic]int // messages that were not published; not empty: Redis is away
	failed chan struct{}        // holds one when missed is not empty

	stop context.CancelFunc
	done sync.WaitGroup
}

var _ uptime.Bus = (*Redis)(nil)

// NewRedis makes a bus. It connects when something is published or subscribed.
// Close ends it.
func NewRedis(p RedisParams) (*Redis, error) {
	if p.Conn == nil || p.Log == nil {
		return nil, errors.New("new redis bus: a connection and a logger are required")
	}
	ctx, cancel := context.WithCancel(context.Background())
	b := &Redis{
		local: NewMemory(), conn: p.Conn, sender: rand.Text(), log: p.Log,
		client: p.Conn.Client(redisconn.Purpose{Name: "publish", Size: 4, Timeout: publishTimeout, Retries: 1}),
		missed: map[uptime.Topic]int{}, failed: make(chan struct{}, 1), stop: cancel,
	}
	b.ear = newEar(p.Conn, b.hear, b.local.resync, p.Log)
	b.done.Go(func() { b.ear.run(ctx) })
	b.done.Go(func() { b.mend(ctx) })
	return b, nil
}

// Close ends what listens to Redis. Subscriptions end with their own contexts.
func (b *Redis) Close() error {
	b.stop()
	b.done.Wait()
	return nil
}

// Publish hands the notices to this process's subscribers and sends them to the
// others. An error says that the others do not get them; they get a resync when
// Redis is back.
func (b *Redis) Publish(ctx context.Context, notices ...uptime.Notice) error {
	if err := b.local.Publish(ctx, notices...); err != nil {
		return err
	}
	messages, err := pack(b.sender, notices)
	if err != nil || len(messages) == 0 {
		return err
	}
	if b.missing(messages) {
		return fmt.Errorf("publish notices: %w: redis does not answer", uptime.ErrUnavailable)
	}
	if err := b.send(ctx, messages); err != nil {
		b.miss(messages)
		return fmt.Errorf("publish notices: %w", redisconn.Failure(ctx, err))
	}
	return nil
}

// send publishes one message for each topic, in one round trip.
func (b *Redis) send(ctx context.Context, messages []message) error {
	ctx, cancel := context.WithTimeout(ctx, publishTimeout)
	defer cancel()
	_, err := b.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, m := range messages {
			publish := redis.NewIntCmd(ctx, "publish", b.conn.Channel(string(m.topic)), m.text)
			// In a cluster always by the same server, or else one could overtake
			// another.
			publish.SetFirstKeyPos(1)
			if err := p.Process(ctx, publish); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// missing adds the topics to those that Redis has not got, if there are any.
func (b *Redis) missing(messages []message) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.missed) == 0 {
		return false
	}
	for _, m := range messages {
		b.missed[m.topic]++
	}
	return true
}

func (b *Redis) miss(messages []message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range messages {
		b.missed[m.topic]++
	}
	select {
	case b.failed <- struct{}{}:
	default:
	}
}

// mend tells the others, as soon as Redis answers, of which topics they missed
// something.
func (b *Redis) mend(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-b.failed:
		case <-ctx.Done():
			return
		}
		for !b.mended(ctx) {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
		}
	}
}

func (b *Redis) mended(ctx context.Context) bool {
	b.mu.Lock()
	told := maps.Clone(b.missed)
	b.mu.Unlock()
	var messages []message
	for topic := range told {
		messages = append(messages, gap(b.sender, topic))
	}
	if len(messages) == 0 {
		return true
	}
	if b.send(ctx, messages) != nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	// What was missed while the word was under way is told once more.
	maps.DeleteFunc(b.missed, func(topic uptime.Topic, n int) bool { return n == told[topic] })
	return len(b.missed) == 0
}

// Subscribe gives the notices of the topics from now on. It does not fail where
// Redis is away: what others publish comes from when it is back, after a resync.
func (b *Redis) Subscribe(ctx context.Context, topics ...uptime.Topic) (<-chan uptime.Notice, error) {
	b.ear.want(topics) // first: the subscription may end at once
	ch, err := b.local.subscribe(ctx, topics, func() { b.ear.forget(topics) })
	if err != nil {
		b.ear.forget(topics)
		return nil, err
	}
	b.ear.listen(ctx, topics)
	return ch, nil
}

// hear takes what came in.
func (b *Redis) hear(topic uptime.Topic, text string) {
	if strings.HasPrefix(text, b.sender+" ") {
		return // its own subscribers have them
	}
	notices, err := unpack(text)
	switch {
	case err != nil:
		b.log.Warn("a notice of another process cannot be read", "topic", string(topic), "error", err)
		b.local.resync(topic)
	case len(notices) == 0:
		b.local.resync(topic)
	default:
		_ = b.local.Publish(context.Background(), notices...) // fails with its context only
	}
}
