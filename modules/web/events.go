package web

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/tmaxmax/go-sse"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/replay"
	"monitor/modules/uptime"
)

const (
	// pingEvery keeps proxies from closing a silent stream, and tells pages that it
	// is not dead.
	pingEvery = 25 * time.Second
	// accessEvery and accessWithin together bound how long a stream outlives
	// somebody's access: 5 s, whether its end was announced to this process or not.
	accessEvery  = 3 * time.Second
	accessWithin = 2 * time.Second
	// conditionsEvery is how often it is looked whether the program itself does
	// well; it costs nothing.
	conditionsEvery = time.Second
	// gatherFor is how long the first change waits for those that come with it, and
	// tellEvery the least time between two messages of changes.
	gatherFor = 150 * time.Millisecond
	tellEvery = time.Second
)

// streamTopics are what pages hear of. Results, which are many, are not among them: a
// thousand monitors that stay as they are cost a stream nothing.
func streamTopics() []uptime.Topic {
	return []uptime.Topic{uptime.TopicStatus, uptime.TopicIncident, uptime.TopicMonitor, uptime.TopicAccess}
}

// Run hears what event streams tell until ctx ends; it always returns nil. It is a
// service to be ready before the first request comes.
func (w *Web) Run(ctx context.Context, ready func()) error {
	w.heard.Run(ctx, w.deps.Bus, streamTopics(), w.deps.Log, ready)
	return nil
}

// events streams what changes in the user's workspace until they leave or lose
// their access. A browser that comes back names the last message that it had: by the
// header, or, where another page of it takes over, by the query.
func (w *Web) events(r *request) error {
	if err := w.origin.Check(asPost(r.Request())); err != nil {
		return uptime.Fail(uptime.CodeForbidden, "This stream is for the pages of this site alone.")
	}
	end, err := w.deps.Manage.OpenStream(r.actor)
	if err != nil {
		return err
	}
	defer end()
	ctx, cancel := context.WithCancel(r.Request().Context())
	defer cancel()
	cursor, known := w.heard.From(cmp.Or(r.Request().Header.Get("Last-Event-ID"), r.QueryParam("last")), false)
	session, err := r.beginStream()
	if err != nil {
		return err
	}
	s := &pageStream{w: w, session: session, actor: r.actor, lang: r.lang(), cursor: cursor}
	if s.begin(ctx, known) == nil { // else the browser has gone; there is nobody to tell
		s.run(ctx)
	}
	return nil
}

// beginStream sends the header of an answer that goes on.
func (r *request) beginStream() (*sse.Session, error) {
	h := r.Response().Header()
	h.Set("X-Accel-Buffering", "no")
	h.Set("Cache-Control", "no-store")
	// The stream lives longer than any deadline for writing an answer.
	if err := http.NewResponseController(r.Response()).SetWriteDeadline(time.Time{}); err != nil {
		r.web.deps.Log.DebugContext(r.Request().Context(), "stream keeps its write deadline", "error", err)
	}
	session, err := sse.Upgrade(r.Response(), r.Request())
	if err != nil {
		return nil, err
	}
	// Sent through echo, which else does not know that the header has gone out.
	h.Set("Content-Type", "text/event-stream")
	r.Response().WriteHeader(http.StatusOK)
	return session, nil
}

// pageStream is one browser that listens.
type pageStream struct {
	w          *Web
	session    *sse.Session
	actor      uptime.Actor
	lang       *lang.Language
	cursor     *replay.Cursor
	conditions string // as told last
	told       time.Time
	pending    changes
	heard      time.Time // when pending got its newest
	owes       bool      // counts that may be older than what was told
}

// begin says how things stand.
func (s *pageStream) begin(ctx context.Context, known bool) error {
	if err := s.comment("ok"); err != nil {
		return err
	}
	if !known {
		if err := s.send("resync", []byte("{}")); err != nil {
			return err
		}
	}
	if err := s.tellConditions(ctx); err != nil {
		return err
	}
	return s.tellCounts(ctx)
}

// run tells until the browser leaves or its access ends, or the listener stops.
func (s *pageStream) run(ctx context.Context) {
	stopping := uptime.RequestOf(ctx).Stopping
	ping, access, look := time.NewTicker(pingEvery), time.NewTicker(accessEvery), time.NewTicker(conditionsEvery)
	defer ping.Stop()
	defer access.Stop()
	defer look.Stop()
	due := time.NewTimer(0)
	defer due.Stop()
	for waits := false; ; {
		n, next, more := s.cursor.Peek()
		var err error
		select {
		case <-ctx.Done():
			return
		case <-stopping:
			return
		case <-ping.C:
			if err = s.comment("ping"); err == nil {
				err = s.tellCounts(ctx)
			}
		case <-look.C:
			err = s.tellConditions(ctx)
		case <-access.C:
			if s.w.lostAccess(ctx, s.actor) {
				return
			}
		case <-due.C:
			if err = s.tellDue(ctx); s.owes {
				due.Reset(countsAge)
			}
			waits = s.owes
		case <-more:
		case <-next:
			s.cursor.Pass(n)
			if n.Topic == uptime.TopicAccess && s.w.lostAccess(ctx, s.actor) {
				return
			}
			if err = s.hear(n.Notice); !waits && s.pending.any() {
				waits = true
				due.Reset(max(gatherFor, tellEvery-time.Since(s.told)))
			}
		}
		if err != nil {
			return // the browser has gone; there is nobody to tell
		}
	}
}

// hear keeps a notice of the workspace for the next message, or asks at once to read
// anew where notices were lost.
func (s *pageStream) hear(n uptime.Notice) error {
	switch {
	case n.Topic == "":
		s.pending = changes{}
		return s.send("resync", []byte("{}"))
	case n.WorkspaceID == s.actor.WorkspaceID:
		s.pending.add(n)
		s.heard = time.Now()
	}
	return nil
}

// tellDue tells the changes that wait, and the counts of after them: where those that
// are shared are older they are owed until they may be read again.
func (s *pageStream) tellDue(ctx context.Context) error {
	if !s.pending.any() {
		owed := s.owes
		s.owes = false
		if owed {
			return s.tellCounts(ctx)
		}
		return nil
	}
	counts, err := s.w.countsNow(ctx, s.actor)
	s.owes = err == nil && !counts.read.After(s.heard)
	if err == nil && !s.owes {
		s.pending.Counts = &counts
	}
	raw, err := s.pending.json()
	if err != nil {
		return err
	}
	s.pending, s.told = changes{}, time.Now()
	return s.send("change", raw)
}

// tellConditions sends the conditions when a stream begins and when they change.
func (s *pageStream) tellConditions(ctx context.Context) error {
	if s.w.deps.Conditions == nil {
		return nil
	}
	raw, err := encodeConditions(s.lang, s.w.conditions(ctx))
	if err != nil || string(raw) == s.conditions {
		return err
	}
	s.conditions = string(raw)
	return s.send("conditions", raw)
}

// tellCounts sends them where they can be read; a database that is away ends no stream.
func (s *pageStream) tellCounts(ctx context.Context) error {
	counts, err := s.w.countsNow(ctx, s.actor)
	if err != nil {
		return nil //nolint:nilerr // see above: the next message tells them
	}
	raw, err := counts.json()
	if err != nil {
		return err
	}
	return s.send("counts", raw)
}

// send writes an event, after which the browser goes on behind the newest notice that
// was passed. What waits to be told is told again then.
func (s *pageStream) send(event string, data []byte) error {
	var m sse.Message
	m.Type = sse.Type(event)
	if !s.pending.any() {
		m.ID = sse.ID(s.cursor.ID(s.cursor.At()))
	}
	m.AppendData(string(data))
	return s.write(&m)
}

func (s *pageStream) comment(text string) error {
	var m sse.Message
	m.AppendComment(text)
	return s.write(&m)
}

func (s *pageStream) write(m *sse.Message) error {
	if err := s.session.Send(m); err != nil {
		return err
	}
	return s.session.Flush()
}

// lostAccess reads again whether the actor may read. A database that is away
// takes nobody's access.
func (w *Web) lostAccess(ctx context.Context, actor uptime.Actor) bool {
	ctx, cancel := context.WithTimeout(ctx, accessWithin)
	defer cancel()
	now, err := w.deps.Manage.StillAllowed(ctx, actor)
	if err != nil {
		code := uptime.CodeOf(err)
		return code != uptime.CodeUnavailable && code != uptime.CodeInternal
	}
	return !w.deps.Manage.Can(now, manage.Read)
}
