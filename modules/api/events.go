package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tmaxmax/go-sse"

	"monitor/modules/manage"
	"monitor/modules/replay"
	"monitor/modules/uptime"
)

const (
	// pingEvery keeps proxies from closing a silent stream.
	pingEvery = 25 * time.Second
	// accessEvery and accessWithin together bound how long a stream outlives its
	// client's access: 5 s, whether its end was announced to this process or not.
	accessEvery  = 3 * time.Second
	accessWithin = 2 * time.Second
	// writeWithin ends a stream whose client takes nothing any more.
	writeWithin = 10 * time.Second
)

// events streams what changes in the actor's workspace.
func (s *server) events(c *call) (reply, error) {
	if !s.Manage.Can(c.actor, manage.Read) {
		return reply{}, uptime.Fail(uptime.CodeForbidden, "To read events you need the scope read.")
	}
	ctx, cancel := context.WithCancel(c.r.Context())
	defer cancel()
	if id := c.query.whole("monitor_id"); id != 0 {
		if _, err := s.Manage.Monitor(ctx, c.actor, id); err != nil {
			return reply{}, err
		}
	}
	end, err := s.Manage.OpenStream(c.actor)
	if err != nil {
		return reply{}, err
	}
	defer end()
	h := c.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	if c.r.Method == http.MethodHead {
		c.w.WriteHeader(http.StatusOK)
		return reply{streamed: true}, nil
	}
	topics := c.topics()
	from, known := s.notices.From(c.r.Header.Get("Last-Event-ID"), slices.Contains(topics, uptime.TopicResult))
	session, err := sse.Upgrade(c.w, c.r)
	if err != nil {
		return reply{}, fmt.Errorf("open event stream: %w", err)
	}
	c.w.WriteHeader(http.StatusOK) // before the session flushes past it
	st := &eventStream{
		c: c, session: session, cursor: from, topics: append(topics, uptime.TopicAccess, ""),
		monitor: c.query.whole("monitor_id"), sent: newSeen(maxSeen),
	}
	s.streamEnded(c, st.run(ctx, known))
	return reply{streamed: true}, nil
}

// topics are those asked for; results are many, so they come by name or for one
// monitor only.
func (c *call) topics() []uptime.Topic {
	var topics []uptime.Topic
	for _, topic := range eventTypes() {
		switch {
		case len(c.query["types"]) > 0:
			if slices.Contains(c.query["types"], string(topic)) {
				topics = append(topics, topic)
			}
		case topic != uptime.TopicResult || c.query.whole("monitor_id") != 0:
			topics = append(topics, topic)
		}
	}
	return topics
}

// streamEnded logs a stream that ended by a fault of ours.
func (s *server) streamEnded(c *call, err error) {
	ctx := c.r.Context()
	if err != nil && ctx.Err() == nil && !errors.Is(err, errLost) && !errors.Is(err, errGone) {
		s.Log.ErrorContext(ctx, "event stream failed", "error", err, "request_id", c.request.ID)
	}
}

// eventStream is one client that listens.
type eventStream struct {
	c       *call
	session *sse.Session
	cursor  *replay.Cursor
	topics  []uptime.Topic // that are told, or concern the stream itself
	monitor int64          // 0: all
	sent    *seen          // results that were sent: two regions' notices name one slot
}

// Why a stream ended that did not fail.
var (
	errLost = errors.New("access ended")
	errGone = errors.New("client is gone")
)

// run writes until the client leaves or loses its access, or the listener stops.
// A client that comes back from a stream that is not known is told to read anew.
func (st *eventStream) run(ctx context.Context, known bool) error {
	if err := st.begin(known); err != nil {
		return err
	}
	ping, access := time.NewTicker(pingEvery), time.NewTicker(accessEvery)
	defer ping.Stop()
	defer access.Stop()
	for {
		n, next, more := st.cursor.Peek()
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-st.c.request.Stopping:
			return nil
		case <-ping.C:
			err = st.comment("ping")
		case <-access.C:
			err = st.checkAccess(ctx)
		case <-more:
		case <-next:
			st.cursor.Pass(n)
			if slices.Contains(st.topics, n.Topic) {
				err = st.tell(ctx, n.Notice)
			}
		}
		if err != nil {
			return err
		}
	}
}

// begin sends the headers.
func (st *eventStream) begin(known bool) error {
	if err := st.comment("ok"); err != nil || known {
		return err
	}
	return st.send("resync", struct{}{})
}

// checkAccess ends the stream of a client that may not read any more. A database
// that is away takes nobody's access.
func (st *eventStream) checkAccess(ctx context.Context) error {
	m := st.c.s.Manage
	within, cancel := context.WithTimeout(ctx, accessWithin)
	defer cancel()
	now, err := m.StillAllowed(within, st.c.actor)
	switch code := uptime.CodeOf(err); {
	case err == nil && m.Can(now, manage.Read):
		st.c.actor = now
		return nil
	case err != nil && (code == uptime.CodeUnavailable || code == uptime.CodeInternal):
		return ctx.Err()
	}
	return errLost
}

// send writes the event of the newest notice.
func (st *eventStream) send(event string, data any) error {
	return st.sendAs(st.cursor.At(), event, data)
}

// sendAs writes an event after which the client goes on at notice n+1.
func (st *eventStream) sendAs(n int64, event string, data any) error {
	raw, err := encodeEvent(data)
	if err != nil {
		return err
	}
	var m sse.Message
	m.Type, m.ID = sse.Type(event), sse.ID(st.cursor.ID(n))
	m.AppendData(raw)
	return st.write(&m)
}

func (st *eventStream) comment(text string) error {
	var m sse.Message
	m.AppendComment(text)
	return st.write(&m)
}

// write has a deadline of its own, and leaves none behind: the stream may be
// silent for long.
func (st *eventStream) write(m *sse.Message) error {
	control := http.NewResponseController(st.c.w)
	// By the machine's clock, as the connection is: the program's may be corrected.
	if err := control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("set write deadline: %w", err)
	}
	if err := st.session.Send(m); err != nil {
		return fmt.Errorf("send event: %w: %w", errGone, err)
	}
	if err := st.session.Flush(); err != nil {
		return fmt.Errorf("send event: %w: %w", errGone, err)
	}
	if err := control.SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("lift write deadline: %w", err)
	}
	return nil
}
