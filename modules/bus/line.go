package bus

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"monitor/modules/redisconn"
	"monitor/modules/uptime"
)

// line is one connection and what was said on it. What is asked for is written by
// one goroutine and what comes in read by another; the ear's mutex guards standing.
type line struct {
	sub   *redis.PubSub
	conn  *redisconn.Conn
	begun time.Time
	last  atomic.Int64 // when something came in, since begun

	standing map[string]*standing // by channel
}

// standing is how a channel stands on a connection.
type standing struct {
	topic  uptime.Topic
	wanted bool // the last that was asked for was to subscribe
	open   int  // what was asked for and is not answered yet
	on     bool // the last answer was that it is subscribed
}

func newLine(sub *redis.PubSub, conn *redisconn.Conn) *line {
	return &line{sub: sub, conn: conn, begun: time.Now(), standing: map[string]*standing{}}
}

// differ gives the channels to subscribe to and to leave, and takes them as asked
// for.
func (l *line) differ(wanted map[uptime.Topic]int) (join, part []string) {
	for topic := range wanted {
		channel := l.conn.Channel(string(topic))
		s := l.standing[channel]
		if s == nil {
			s = &standing{topic: topic}
			l.standing[channel] = s
		}
		if !s.wanted {
			s.wanted = true
			s.open++
			join = append(join, channel)
		}
	}
	for channel, s := range l.standing {
		if s.wanted && wanted[s.topic] == 0 {
			s.wanted = false
			s.open++
			part = append(part, channel)
		}
	}
	return join, part
}

// answered takes the server's word on a channel.
func (l *line) answered(got *redis.Subscription) {
	if s := l.standing[got.Channel]; s != nil {
		s.open--
		s.on = got.Kind == "subscribe"
	}
}

// confirmed reports whether the server listens to us on all of the topics.
func (l *line) confirmed(topics []uptime.Topic) bool {
	for _, topic := range topics {
		s := l.standing[l.conn.Channel(string(topic))]
		if s == nil || !s.on || s.open > 0 {
			return false
		}
	}
	return true
}

// settled is confirmed for everything that is wanted.
func (l *line) settled(wanted map[uptime.Topic]int) bool {
	for topic := range wanted {
		if !l.confirmed([]uptime.Topic{topic}) {
			return false
		}
	}
	return true
}

func (l *line) write(ctx context.Context, join, part []string) error {
	ctx, cancel := context.WithTimeout(ctx, redisconn.Timeout)
	defer cancel()
	if len(join) > 0 {
		if err := l.sub.Subscribe(ctx, join...); err != nil {
			return err
		}
	}
	if len(part) > 0 {
		return l.sub.Unsubscribe(ctx, part...)
	}
	return nil
}

func (l *line) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, redisconn.Timeout)
	defer cancel()
	return l.sub.Ping(ctx)
}

// receive waits without limit: only close ends it. A deadline could strike in the
// middle of a message and leave the rest of it to be read as the next one.
func (l *line) receive() (any, error) {
	got, err := l.sub.Receive(context.Background())
	if err == nil {
		l.last.Store(int64(time.Since(l.begun)))
	}
	return got, err
}

// silent is how long nothing has come in.
func (l *line) silent() time.Duration { return time.Since(l.begun) - time.Duration(l.last.Load()) }

func (l *line) close() { _ = l.sub.Close() }
