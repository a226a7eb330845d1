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
	return listenAt(ctx, w, "/events", "")
}

// listenAt goes on after the message with the id.
func listenAt(ctx context.Context, w *Web, path, last string) (s *stream, done chan struct{}) {
	s = &stream{httptest.NewRecorder(), make(chan string, 200)}
	done = make(chan struct{})
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	r.Header.Set("Last-Event-ID", last)
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
		ctx, cancel := context.WithCancel(t.Context())
		s, done := listen(ctx, w)
		const standing = `{"workspace":1,"down":2,"open":3,"icon":"down","version":"1.0.0"}`
		require.Equal(t, []string{
			": ok", "id: here-0", "event: conditions", `data: {"conditions":[]}`, "id: here-0", "event: counts", "data: " + standing,
		}, s.drain())
		require.Equal(t, "no", s.Header().Get("X-Accel-Buffering"))
		require.Equal(t, "text/event-stream", s.Header().Get("Content-Type"))
		f.notices <- uptime.Notice{Topic: uptime.TopicStatus, WorkspaceID: 2, ID: 9}
		f.notices <- uptime.Notice{
			Topic: uptime.TopicStatus, WorkspaceID: 1, ID: 7,
			Data: []byte(`{"id":7,"status":"down","was":"up","since":"2026-11-24T14:00:00Z","error":"secret"}`),
		}
		f.notices <- uptime.Notice{Topic: uptime.TopicIncident, WorkspaceID: 1, ID: 12}
		f.notices <- uptime.Notice{Topic: uptime.TopicMonitor, WorkspaceID: 1, ID: 3}
		require.Empty(t, s.drain(), "changes that come together are one message")
		<-time.After(gatherFor)
		require.Equal(t, []string{
			"id: here-4", "event: change",
			`data: {"monitors":[{"id":7,"state":"down","was":"up","since":"2026-11-24T14:00:00Z"}],"incidents":[12],"config":[3]}`,
		}, s.drain(), "the counts that are known are from before")
		<-time.After(countsAge)
		require.Equal(t, []string{"id: here-4", "event: counts", "data: " + standing}, s.drain())
		f.notices <- uptime.Notice{}
		require.Equal(t, []string{"id: here-5", "event: resync", "data: {}"}, s.drain())
		<-time.After(pingEvery)
		require.Equal(t, []string{": ping", "id: here-5", "event: counts", "data: " + standing}, s.drain())
		cancel()
		<-done
	})
}

// TestStreamSaysAtMostOnceASecond: however much changes; what changes twice is told by
// its newest state, and what is too much by that it is.
func TestStreamSaysAtMostOnceASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, f := setup(t)
		ctx, cancel := context.WithCancel(t.Context())
		s, done := listen(ctx, w)
		s.drain()
		begun, messages := time.Now(), 0
		for i := range 300 {
			f.becomes([]uptime.Status{uptime.Down, uptime.Up}[i%2], 5)
			<-time.After(10 * time.Millisecond)
			messages += strings.Count(strings.Join(s.drain(), "\n"), "event: change")
		}
		require.LessOrEqual(t, messages, 1+int(time.Since(begun)/tellEvery))
		require.GreaterOrEqual(t, messages, 3)
		<-time.After(2 * tellEvery)
		s.drain()
		f.becomes(uptime.Down, 5)
		f.becomes(uptime.Up, 5)
		<-time.After(tellEvery)
		require.Contains(t, strings.Join(s.drain(), "\n"), `"monitors":[{"id":5,"state":"up","was":"up"`)
		for id := range int64(maxChanges + 1) {
			f.notices <- uptime.Notice{Topic: uptime.TopicMonitor, WorkspaceID: 1, ID: id + 1}
		}
		<-time.After(tellEvery)
		require.Contains(t, strings.Join(s.drain(), "\n"), `data: {"many":true`)
		cancel()
		<-done
	})
}

// TestStreamGoesOn: who comes back is told what they missed, and where that is not known
// any more to read anew; by the header, and by the query where another page takes over.
func TestStreamGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, f := setup(t)
		f.becomes(uptime.Down, 5)
		f.becomes(uptime.Down, 6)
		synctest.Wait()
		for query, header := range map[string]string{"": "here-1", "?last=here-1": "", "?last=here-0": "here-1"} {
			ctx, cancel := context.WithCancel(t.Context())
			s, done := listenAt(ctx, w, "/events"+query, header)
			require.NotContains(t, s.drain(), "event: resync")
			<-time.After(2 * tellEvery)
			said := strings.Join(s.drain(), "\n")
			require.Contains(t, said, `"monitors":[{"id":6,`, query)
			require.Contains(t, said, "id: here-2", query)
			cancel()
			<-done
		}
		for _, last := range []string{"there-1", "here-3", "here--1", "1", "\x00"} {
			ctx, cancel := context.WithCancel(t.Context())
			s, done := listenAt(ctx, w, "/events", last)
			require.Contains(t, s.drain(), "event: resync", last)
			cancel()
			<-done
		}
		// A quiet stream of many monitors costs next to nothing.
		ctx, cancel := context.WithCancel(t.Context())
		s, done := listen(ctx, w)
		s.drain()
		<-time.After(time.Minute)
		require.Less(t, len(strings.Join(s.drain(), "\n")), 60*200, "bytes in a minute")
		cancel()
		<-done
	})
}

func TestStreamEndsWithTheAccess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, f := setup(t)
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
		w, _ := setup(t)
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
		ctx, cancel := context.WithCancel(t.Context())
		s, done := listen(ctx, w)
		s.drain()
		f.goesWrong(uptime.ConditionWorkers)
		<-time.After(conditionsEvery)
		said := s.drain()
		require.Len(t, said, 3)
		require.Equal(t, "event: conditions", said[1])
		require.Contains(t, said[2], `"name":"workers","detail":"No worker is running`)
		<-time.After(5 * conditionsEvery)
		require.Empty(t, s.drain())
		f.goesWrong()
		<-time.After(conditionsEvery)
		require.Equal(t, []string{"id: here-0", "event: conditions", `data: {"conditions":[]}`}, s.drain())
		cancel()
		<-done
	})
}

// TestWhatHappensWhileAPageOpensIsTold: a page says after which event it was read, and its
// stream begins there: the first check of a new monitor ends before any stream is open.
func TestWhatHappensWhileAPageOpensIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, f := setup(t)
		f.notices <- uptime.Notice{Topic: uptime.TopicMonitor, WorkspaceID: 1, ID: 7}
		synctest.Wait()
		page := ask(w, "/monitors/1", nil).Body.String()
		require.Contains(t, page, `data-heard="here-1"`)
		f.notices <- uptime.Notice{
			Topic: uptime.TopicStatus, WorkspaceID: 1, ID: 1, Data: []byte(`{"id":1,"status":"up","was":"pending","since":"2026-11-24T14:00:00Z"}`),
		}
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		s, done := listenAt(ctx, w, "/events?last=here-1", "")
		<-time.After(gatherFor)
		require.Contains(t, s.drain(), `data: {"monitors":[{"id":1,"state":"up","was":"pending","since":"2026-11-24T14:00:00Z"}]}`)
		cancel()
		<-done
	})
}
