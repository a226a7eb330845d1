package web

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/tmaxmax/go-sse"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

const (
	// pingEvery keeps proxies from closing a silent stream.
	pingEvery = 25 * time.Second
	// accessEvery and accessWithin together bound how long a stream outlives
	// somebody's access: 5 s, whether its end was announced to this process or not.
	accessEvery  = 3 * time.Second
	accessWithin = 2 * time.Second
	// conditionsEvery is how often it is looked whether the program itself does
	// well; it costs nothing.
	conditionsEvery = time.Second
)

// change is all that a stream says: the page reads the rest itself.
type change struct {
	ID    int64           `json:"id"`
	State string          `json:"state,omitempty"`
	Since json.RawMessage `json:"since,omitempty"`
}

// events streams what changes in the user's workspace until they leave or lose
// their access.
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
	notices, err := w.deps.Bus.Subscribe(ctx, uptime.TopicStatus, uptime.TopicIncident, uptime.TopicAccess)
	if err != nil {
		return err
	}
	h := r.Response().Header()
	h.Set("X-Accel-Buffering", "no")
	h.Set("Cache-Control", "no-store")
	// The stream lives longer than any deadline for writing an answer.
	if err := http.NewResponseController(r.Response()).SetWriteDeadline(time.Time{}); err != nil {
		w.deps.Log.DebugContext(ctx, "stream keeps its write deadline", "error", err)
	}
	session, err := sse.Upgrade(r.Response(), r.Request())
	if err != nil {
		return err
	}
	// Sent through echo, which else does not know that the header has gone out.
	h.Set("Content-Type", "text/event-stream")
	r.Response().WriteHeader(http.StatusOK)
	if err := comment(session, "ok"); err != nil {
		return nil // the browser has gone; there is nobody to tell
	}
	return w.stream(ctx, r, session, notices)
}

func (w *Web) stream(ctx context.Context, r *request, session *sse.Session, notices <-chan uptime.Notice) error {
	stopping := uptime.RequestOf(ctx).Stopping
	ping, access, look := time.NewTicker(pingEvery), time.NewTicker(accessEvery), time.NewTicker(conditionsEvery)
	defer ping.Stop()
	defer access.Stop()
	defer look.Stop()
	told := &conditionsTold{w: w, session: session}
	if err := told.tell(ctx); err != nil {
		return nil // the browser has gone; there is nobody to tell
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-stopping:
			return nil
		case <-ping.C:
			err = comment(session, "ping")
		case <-look.C:
			err = told.tell(ctx)
		case <-access.C:
			if w.lostAccess(ctx, r.actor) {
				return nil
			}
		case n, open := <-notices:
			if !open {
				return nil
			}
			if n.Topic == uptime.TopicAccess {
				if w.lostAccess(ctx, r.actor) {
					return nil
				}
				continue
			}
			err = w.tell(session, r.actor.WorkspaceID, n)
		}
		if err != nil {
			return nil // the browser has gone; there is nobody to tell
		}
	}
}

// conditionsTold sends the conditions when a stream begins and when they change.
type conditionsTold struct {
	w       *Web
	session *sse.Session
	last    string
}

func (t *conditionsTold) tell(ctx context.Context) error {
	if t.w.deps.Conditions == nil {
		return nil
	}
	raw, err := encodeConditions(t.w.conditions(ctx))
	if err != nil || string(raw) == t.last {
		return err
	}
	var m sse.Message
	m.Type = sse.Type("conditions")
	m.AppendData(string(raw))
	if err := t.session.Send(&m); err != nil {
		return err
	}
	t.last = string(raw)
	return t.session.Flush()
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

// tell sends a notice of the workspace, or asks to read anew where notices were
// lost.
func (w *Web) tell(session *sse.Session, workspace int64, n uptime.Notice) error {
	var m sse.Message
	switch {
	case n.Topic == "":
		m.Type = sse.Type("resync")
		m.AppendData("{}")
	case n.WorkspaceID != workspace:
		return nil
	default:
		raw, err := json.Marshal(changeOf(n))
		if err != nil {
			return err
		}
		m.Type = sse.Type(string(n.Topic))
		m.AppendData(string(raw))
	}
	if err := session.Send(&m); err != nil {
		return err
	}
	return session.Flush()
}

// changeOf keeps id, state and since of a notice and drops all else.
func changeOf(n uptime.Notice) change {
	c := change{ID: n.ID}
	var data struct {
		Status string          `json:"status"`
		State  string          `json:"state"`
		Since  json.RawMessage `json:"since"`
	}
	if len(n.Data) > 0 && json.Unmarshal(n.Data, &data) == nil {
		c.State, c.Since = data.Status, data.Since
		if c.State == "" {
			c.State = data.State
		}
	}
	return c
}

func comment(session *sse.Session, text string) error {
	var m sse.Message
	m.AppendComment(text)
	if err := session.Send(&m); err != nil {
		return err
	}
	return session.Flush()
}
