package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// stream is what a client of /events reads.
type stream struct {
	http.ResponseWriter
	pieces chan string
}

func (s *stream) Write(p []byte) (int, error) {
	s.pieces <- string(p)
	return len(p), nil
}

func (s *stream) Flush() {}

// listen opens a stream in a bubble of its own; done is closed at its end.
func listen(ctx context.Context, w *Web) (s *stream, done chan struct{}) {
	s = &stream{httptest.NewRecorder(), make(chan string, 200)}
	done = make(chan struct{})
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/events", nil)
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: "ok"})
	go func() {
		defer close(done)
		w.ServeHTTP(s, r)
	}()
	synctest.Wait()
	return s, done
}

// drain gives the lines that came since the last time.
func (s *stream) drain() []string {
	synctest.Wait()
	text := ""
	for {
		select {
		case piece := <-s.pieces:
			text += piece
			continue
		default:
		}
		return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
	}
}

func TestStreamCarriesChangesOfTheWorkspaceOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, f := setup(t)
		f.notices = make(chan uptime.Notice, 8)
		ctx, cancel := context.WithCancel(t.Context())
		s, done := listen(ctx, w)
		require.Equal(t, []string{": ok", "event: conditions", `data: {"conditions":[]}`}, s.drain())
		require.Equal(t, "no", s.Header().Get("X-Accel-Buffering"))
		require.Equal(t, "text/event-stream", s.Header().Get("Content-Type"))
		f.notices <- uptime.Notice{Topic: uptime.TopicStatus, WorkspaceID: 2, ID: 9}
		f.notices <- uptime.Notice{
			Topic: uptime.TopicStatus, WorkspaceID: 1, ID: 7,
			Data: []byte(`{"id":7,"status":"down","since":"2026-11-24T14:00:00Z","error":"secret"}`),
		}
		f.notices <- uptime.Notice{Topic: uptime.TopicIncident, WorkspaceID: 1, ID: 12}
		f.notices <- uptime.Notice{}
		require.Equal(t, []string{
			"event: status", `data: {"id":7,"state":"down","since":"2026-11-24T14:00:00Z"}`,
			"event: incident", `data: {"id":12}`,
			"event: resync", "data: {}",
		}, s.drain())
		<-time.After(pingEvery)
		require.Equal(t, []string{": ping"}, s.drain())
		cancel()
		<-done
	})
}

func TestStreamEndsWithTheAccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, f := setup(t)
		f.notices = make(chan uptime.Notice, 8)
		_, done := listen(t.Context(), w)
		f.mu.Lock()
		f.ended = true
		f.mu.Unlock()
		before := time.Now()
		// A busy stream ends no later than a quiet one.
		for range 4 {
			<-time.After(time.Second)
			f.notices <- uptime.Notice{Topic: uptime.TopicIncident, WorkspaceID: 1, ID: 1}
		}
		<-done
		require.LessOrEqual(t, time.Since(before), 5*time.Second)
	})
}

func TestStreamEndsAtOnceWhenAccessIsTaken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, f := setup(t)
		f.notices = make(chan uptime.Notice, 8)
		_, done := listen(t.Context(), w)
		f.mu.Lock()
		f.ended = true
		f.mu.Unlock()
		before := time.Now()
		f.notices <- uptime.Notice{Topic: uptime.TopicAccess, WorkspaceID: 1, ID: 1}
		<-done
		require.Zero(t, time.Since(before))
	})
}

func TestStreamEndsWhenTheListenerStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, f := setup(t)
		f.notices = make(chan uptime.Notice, 8)
		stopping := make(chan struct{})
		_, done := listen(uptime.WithRequest(t.Context(), uptime.Request{Stopping: stopping}), w)
		close(stopping)
		<-done
	})
}

// TestStreamTellsConditions: when they come and when they go, and nothing between.
func TestStreamTellsConditions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, f := setup(t)
		f.notices = make(chan uptime.Notice, 8)
		ctx, cancel := context.WithCancel(t.Context())
		s, done := listen(ctx, w)
		s.drain()
		f.goesWrong(uptime.ConditionWorkers)
		<-time.After(conditionsEvery)
		said := s.drain()
		require.Len(t, said, 2)
		require.Equal(t, "event: conditions", said[0])
		require.Contains(t, said[1], `"name":"workers","detail":"No worker is running`)
		<-time.After(5 * conditionsEvery)
		require.Empty(t, s.drain())
		f.goesWrong()
		<-time.After(conditionsEvery)
		require.Equal(t, []string{"event: conditions", `data: {"conditions":[]}`}, s.drain())
		cancel()
		<-done
	})
}
