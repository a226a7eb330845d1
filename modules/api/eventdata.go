package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// maxSeen is how many results a stream remembers to have sent.
const maxSeen = 1024

// statusEvent is the data of an event of type status.
type statusEvent struct {
	ID      int64         `json:"id"`
	Status  uptime.Status `json:"status,omitempty"`
	Since   *time.Time    `json:"since"`
	Deleted bool          `json:"deleted,omitempty"`
}

// goneEvent is the data of an event about what is not there any more.
type goneEvent struct {
	ID      int64 `json:"id"`
	Deleted bool  `json:"deleted"`
}

func encodeEvent(data any) (string, error) {
	raw, err := json.Marshal(data)
	if err != nil {
		return "", fmt.Errorf("write event: %w", err)
	}
	return string(raw), nil
}

// tell sends what a notice stands for. Notices are hints: what is sent is read
// from the store, as the actor may read it. Where notices were lost, or the store
// cannot be read, the client is told to read anew.
func (st *eventStream) tell(ctx context.Context, n uptime.Notice) error {
	if n.Topic == "" {
		return st.send("resync", struct{}{})
	}
	if n.WorkspaceID != st.c.actor.WorkspaceID {
		return nil
	}
	if n.Topic == uptime.TopicAccess {
		return st.checkAccess(ctx)
	}
	err := st.tellOf(ctx, n)
	switch uptime.CodeOf(err) {
	case uptime.CodeForbidden, uptime.CodeUnauthorized:
		return errLost
	case uptime.CodeUnavailable:
		return st.send("resync", struct{}{})
	default:
		return err
	}
}

func (st *eventStream) tellOf(ctx context.Context, n uptime.Notice) error {
	switch n.Topic {
	case uptime.TopicStatus:
		return st.tellStatus(ctx, n.ID)
	case uptime.TopicResult:
		return st.tellResult(ctx, n)
	case uptime.TopicIncident:
		return st.tellIncident(ctx, n.ID)
	case uptime.TopicDelivery:
		return st.tellDelivery(n)
	default:
		return nil
	}
}

func (st *eventStream) about(monitor int64) bool { return st.monitor == 0 || st.monitor == monitor }

func (st *eventStream) tellStatus(ctx context.Context, id int64) error {
	if !st.about(id) {
		return nil
	}
	v, err := st.c.s.Manage.Monitor(ctx, st.c.actor, id)
	switch {
	case errors.Is(err, uptime.ErrNotFound):
		return st.send("status", statusEvent{ID: id, Deleted: true})
	case err != nil:
		return err
	}
	return st.send("status", statusEvent{ID: id, Status: v.Status, Since: v.StatusSince})
}

func (st *eventStream) tellResult(ctx context.Context, n uptime.Notice) error {
	if !st.about(n.ID) {
		return nil
	}
	at := uptime.ResultFilter{From: n.Slot, To: n.Slot.Add(time.Millisecond)}
	list, err := st.c.s.Manage.Results(ctx, st.c.actor, n.ID, at, uptime.Page{Limit: 200})
	switch {
	case errors.Is(err, uptime.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	fresh := slices.DeleteFunc(list.Items, func(v manage.ResultView) bool {
		return !st.sent.add(resultKey{v.MonitorID, v.Region, v.ScheduledAt.UnixMilli()})
	})
	for i, v := range fresh {
		n := st.cursor.At()
		if i < len(fresh)-1 {
			n-- // cut off here, the client must get the rest of this notice
		}
		if err := st.sendAs(n, "result", v); err != nil {
			return err
		}
	}
	return nil
}

func (st *eventStream) tellIncident(ctx context.Context, id int64) error {
	v, err := st.c.s.Manage.Incident(ctx, st.c.actor, id)
	switch {
	case errors.Is(err, uptime.ErrNotFound):
		if st.monitor != 0 {
			return nil // nobody can tell whose it was
		}
		return st.send("incident", goneEvent{ID: id, Deleted: true})
	case err != nil:
		return err
	}
	if !st.concerns(v) {
		return nil
	}
	return st.send("incident", v)
}

func (st *eventStream) concerns(v manage.IncidentView) bool {
	return st.monitor == 0 || (v.MonitorID != nil && *v.MonitorID == st.monitor) || slices.Contains(v.MonitorIDs, st.monitor)
}

// tellDelivery passes on what the notice says of the delivery: id always,
// event_id, event_type, channel_id, monitor_id and status where it is known.
func (st *eventStream) tellDelivery(n uptime.Notice) error {
	data := map[string]any{}
	if len(n.Data) > 0 {
		if err := json.Unmarshal(n.Data, &data); err != nil {
			return fmt.Errorf("read notice of a delivery: %w", err)
		}
	}
	if st.monitor != 0 {
		if monitor, ok := data["monitor_id"].(float64); !ok || int64(monitor) != st.monitor {
			return nil
		}
	}
	data["id"] = n.ID
	return st.send("delivery", data)
}

// resultKey names a result.
type resultKey struct {
	monitor int64
	region  string
	slot    int64
}

// seen remembers the newest keys, up to a limit.
type seen struct {
	keys map[resultKey]struct{}
	ring []resultKey
	next int
}

func newSeen(limit int) *seen {
	return &seen{keys: map[resultKey]struct{}{}, ring: make([]resultKey, limit)}
}

// add reports whether the key is new.
func (s *seen) add(key resultKey) bool {
	if _, there := s.keys[key]; there {
		return false
	}
	delete(s.keys, s.ring[s.next])
	s.ring[s.next], s.keys[key] = key, struct{}{}
	s.next = (s.next + 1) % len(s.ring)
	return true
}
