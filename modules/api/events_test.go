package api

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// listener reads an event stream.
type listener struct {
	answer *http.Response
	lines  *bufio.Reader
	close  context.CancelFunc
}

// event is one that was heard; a comment has no name.
type event struct {
	id, name, data, comment string
}

func (e event) object(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(e.data), &v), e.data)
	return v
}

func (b *bundle) listen(t *testing.T, query string, change ...asking) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.server.URL+"/api/v1/events"+query, nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+b.token)
	for _, c := range change {
		c(request)
	}
	answer, err := b.server.Client().Do(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = answer.Body.Close() })
	require.Equal(t, http.StatusOK, answer.StatusCode)
	l := &listener{answer: answer, lines: bufio.NewReader(answer.Body), close: cancel}
	require.Equal(t, "ok", l.next(t).comment)
	return l
}

// read gives the next event, io.EOF when the server ended the stream.
func (l *listener) read() (event, error) {
	var e event
	for {
		line, err := l.lines.ReadString('\n')
		if err != nil {
			return e, err
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data = value
		case "":
			if value == "" {
				return e, nil
			}
			e.comment = value
		}
	}
}

func (l *listener) next(t *testing.T) event {
	t.Helper()
	e, err := l.read()
	require.NoError(t, err)
	return e
}

func (b *bundle) publish(t *testing.T, notices ...uptime.Notice) {
	t.Helper()
	require.NoError(t, b.bus.Publish(t.Context(), notices...))
}

func TestEvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.made(t, "/monitors", leastMonitor)
	l := b.listen(t, "")
	require.Equal(t, "text/event-stream", l.answer.Header.Get("Content-Type"))
	require.Equal(t, "no", l.answer.Header.Get("X-Accel-Buffering"))

	require.Equal(t, "paused", b.ask(t, "POST", "/api/v1/monitors/1/pause", "").text("status"))
	first := l.next(t)
	require.Equal(t, "status", first.name)
	require.Equal(t, "paused", first.object(t)["status"])
	require.InDelta(t, 1, first.object(t)["id"], 0)
	stream, n, _ := strings.Cut(first.id, "-")
	require.Len(t, stream, 26)
	require.Equal(t, "1", n)

	// Others' notices and results do not come; what comes next is numbered on.
	b.publish(t,
		uptime.Notice{Topic: uptime.TopicStatus, WorkspaceID: 2, ID: 1},
		uptime.Notice{Topic: uptime.TopicResult, WorkspaceID: 1, ID: 1, Slot: time.Now()},
		uptime.Notice{Topic: uptime.TopicDelivery, WorkspaceID: 1, ID: 5, Data: json.RawMessage(`{"id":5,"status":"dead","channel_id":3}`)})
	delivery := l.next(t)
	require.Equal(t, "delivery", delivery.name)
	require.Equal(t, stream+"-4", delivery.id, "every notice has its number, told or not")
	require.JSONEq(t, `{"id":5,"status":"dead","channel_id":3}`, delivery.data)

	b.made(t, "/incidents", `{"title":"Slow"}`)
	incident := l.next(t)
	require.Equal(t, "incident", incident.name)
	require.Equal(t, "Slow", incident.object(t)["title"])
	require.Equal(t, http.StatusNoContent, b.ask(t, "DELETE", "/api/v1/monitors/1", "").status)
	require.Equal(t, true, l.next(t).object(t)["deleted"])
}

// TestEventsWhereTheClockIsCorrected: connections go by the machine's clock, however
// far it is off the one that the program goes by.
func TestEventsWhereTheClockIsCorrected(t *testing.T) {
	t.Parallel()
	b := setup(t, func(p *Params) { p.Clock = func() time.Time { return time.Now().Add(-time.Hour) } })
	l := b.listen(t, "")
	b.publish(t, uptime.Notice{Topic: uptime.TopicStatus, WorkspaceID: 1, ID: 7})
	require.Equal(t, "status", l.next(t).name)
}

func TestEventsOfOneMonitor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.made(t, "/monitors", leastMonitor)
	b.made(t, "/monitors", leastMonitor)
	one, typed := b.listen(t, "?monitor_id=2"), b.listen(t, "?types=result")
	slot := time.Now().UTC().Truncate(time.Millisecond)
	for _, id := range []int64{1, 2} {
		require.NoError(t, b.record(uptime.Job{MonitorID: id, Region: "default", ScheduledAt: slot}, uptime.Up))
	}
	result := one.next(t)
	require.Equal(t, "result", result.name)
	require.InDelta(t, 2, result.object(t)["monitor_id"], 0)
	require.InDelta(t, 1, typed.next(t).object(t)["monitor_id"], 0)
	require.InDelta(t, 2, typed.next(t).object(t)["monitor_id"], 0)
	// A notice that comes twice is told once.
	b.publish(t, uptime.Notice{Topic: uptime.TopicResult, WorkspaceID: 1, ID: 2, Slot: slot})
	b.made(t, "/incidents", `{"title":"Not its","monitor_ids":[1]}`)
	b.made(t, "/incidents", `{"title":"Its","monitor_ids":[2]}`)
	require.Equal(t, "Its", one.next(t).object(t)["title"])
}

func TestEventsResync(t *testing.T) {
	t.Parallel()
	b := setup(t)
	l := b.listen(t, "", with("Last-Event-ID", "another-7"))
	first := l.next(t)
	require.Equal(t, "resync", first.name)
	require.True(t, strings.HasSuffix(first.id, "-0"))
	// What the bus lost is told, too.
	b.publish(t, uptime.Notice{Topic: uptime.TopicStatus, WorkspaceID: 2})
	lost := make([]uptime.Notice, 5000)
	for i := range lost {
		lost[i] = uptime.Notice{Topic: uptime.TopicStatus, WorkspaceID: 2}
	}
	b.publish(t, lost...)
	require.Equal(t, "resync", l.next(t).name)
}

// TestEventsGoOn: a stream that was cut goes on where it ended, and tells what
// the client asks for now.
func TestEventsGoOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		b.made(t, "/monitors", leastMonitor)
	}
	pause := func(id string) {
		require.Equal(t, http.StatusOK, b.ask(t, "POST", "/api/v1/monitors/"+id+"/pause", "").status)
	}
	l := b.listen(t, "")
	pause("1")
	cut := l.next(t)
	require.Equal(t, "status", cut.name)
	l.close()
	pause("2")
	b.made(t, "/incidents", `{"title":"Slow"}`)
	pause("3")

	all := b.listen(t, "", with("Last-Event-ID", cut.id))
	require.InDelta(t, 2, all.next(t).object(t)["id"], 0)
	require.Equal(t, "incident", all.next(t).name)
	last := all.next(t)
	require.InDelta(t, 3, last.object(t)["id"], 0)
	// Nothing comes twice, and the numbers go on.
	again := b.listen(t, "?monitor_id=3", with("Last-Event-ID", cut.id))
	require.Equal(t, last.id, again.next(t).id)
	require.Equal(t, "incident", b.listen(t, "?types=incident", with("Last-Event-ID", cut.id)).next(t).name)
	now := b.listen(t, "", with("Last-Event-ID", last.id))
	b.made(t, "/incidents", `{"title":"Slower"}`)
	require.Equal(t, "Slower", now.next(t).object(t)["title"])
	require.Equal(t, "Slower", all.next(t).object(t)["title"])

	// An id that no event had yet, or that is none.
	stream, _, _ := strings.Cut(cut.id, "-")
	for _, id := range []string{stream + "-999999", stream + "-", stream + "--1", stream + "-x", stream, "-1"} {
		require.Equal(t, "resync", b.listen(t, "", with("Last-Event-ID", id)).next(t).name, id)
	}
}

// TestEventsOfOneNotice: a client that is cut off between two events of one
// notice gets the rest of it.
func TestEventsOfOneNotice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.made(t, "/monitors", `{"name":"Shop","type":"http","regions":["eu","us"],"http":{"url":"https://example.com"}}`)
	slot := time.Now().UTC().Truncate(time.Millisecond)
	var both []uptime.Result
	for _, region := range []string{"eu", "us"} {
		both = append(both, uptime.Result{
			MonitorID: 1, WorkspaceID: 1, Region: region, ScheduledAt: slot, StartedAt: slot, Attempt: 1,
			Outcome: uptime.Outcome{Status: uptime.Up},
		})
	}
	_, err := b.store.Record(t.Context(), both, func(s uptime.Situation) uptime.Decision { return uptime.Decision{State: s.Monitor.State} })
	require.NoError(t, err)
	l := b.listen(t, "?types=result")
	b.publish(t, uptime.Notice{Topic: uptime.TopicResult, WorkspaceID: 1, ID: 1, Slot: slot})
	first, second := l.next(t), l.next(t)
	require.NotEqual(t, first.object(t)["region"], second.object(t)["region"])
	rest := b.listen(t, "?types=result", with("Last-Event-ID", first.id))
	rest.next(t)
	require.Equal(t, second.data, rest.next(t).data)
	after := b.listen(t, "", with("Last-Event-ID", second.id))
	b.made(t, "/incidents", `{"title":"Next"}`)
	require.Equal(t, "incident", after.next(t).name)
}

func TestDeliveryEventsOfOneMonitor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.made(t, "/monitors", leastMonitor)
	l := b.listen(t, "?monitor_id=1&types=delivery")
	d := uptime.Delivery{ID: 5, WorkspaceID: 1, EventID: "evt_a", EventType: uptime.EventOpened, ChannelID: 3, Status: uptime.DeliveryDead}
	alarm, other, own := d, d, d
	other.MonitorID, own.MonitorID, own.ID = 2, 1, 6
	b.publish(t, alarm.Notice(), other.Notice(), own.Notice())
	require.JSONEq(t, `{"id":6,"event_id":"evt_a","event_type":"incident.opened","channel_id":3,"monitor_id":1,"status":"dead"}`, l.next(t).data)
}

func TestEventsEnd(t *testing.T) {
	t.Parallel()
	t.Run("AccessLost", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		token := b.made(t, "/tokens", `{"name":"ci"}`).text("secret")
		l := b.listen(t, "", as(token))
		require.Equal(t, http.StatusNoContent, b.ask(t, "DELETE", "/api/v1/tokens/1", "").status)
		began := time.Now()
		_, err := l.read()
		require.ErrorIs(t, err, io.EOF)
		require.Less(t, time.Since(began), 5*time.Second)
	})
	t.Run("AccessLostWithoutNotice", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		token := b.made(t, "/tokens", `{"name":"ci"}`).text("secret")
		l := b.listen(t, "", as(token))
		require.NoError(t, b.store.DeleteAPIToken(t.Context(), 1, 1, nil))
		began := time.Now()
		_, err := l.read()
		require.ErrorIs(t, err, io.EOF)
		require.Less(t, time.Since(began), 5*time.Second)
	})
	t.Run("Stopping", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		l := b.listen(t, "")
		close(b.stopping)
		_, err := l.read()
		require.ErrorIs(t, err, io.EOF)
	})
	t.Run("ClientLeaves", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		l := b.listen(t, "")
		l.close()
		_, err := l.read()
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("Head", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		a := b.ask(t, "HEAD", "/api/v1/events", "")
		require.Equal(t, http.StatusOK, a.status)
		require.Equal(t, "text/event-stream", a.header.Get("Content-Type"))
	})
}

func TestSeenForgetsTheOldest(t *testing.T) {
	t.Parallel()
	s := newSeen(2)
	key := func(n int64) resultKey { return resultKey{monitor: n} }
	require.True(t, s.add(key(1)))
	require.False(t, s.add(key(1)))
	require.True(t, s.add(key(2)))
	require.True(t, s.add(key(3)))
	require.True(t, s.add(key(1)), "the oldest was forgotten")
	require.Len(t, s.keys, 2)
}
