package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// httpEntry is a registry's own view of the type http.
func httpEntry(t *testing.T, r *Registry) *entry {
	t.Helper()
	e, ok := r.byName["http"]
	require.True(t, ok)
	return e
}

func TestSettingsAreReadOnce(t *testing.T) {
	t.Parallel()
	e := httpEntry(t, newTwins(t).hop)
	raw := json.RawMessage(`{"url":"http://127.0.0.1:1/"}`)
	first, err := e.read(raw)
	require.NoError(t, err)
	again, err := e.read(append(json.RawMessage(nil), raw...))
	require.NoError(t, err)
	require.Same(t, first, again)
	other, err := e.read(json.RawMessage(`{"url":"http://127.0.0.1:2/"}`))
	require.NoError(t, err)
	require.NotSame(t, first, other)
}

// TestOpenedSecretsAreNotKept: nor settings that are large or wrong.
func TestOpenedSecretsAreNotKept(t *testing.T) {
	t.Parallel()
	e := httpEntry(t, newTwins(t).hop)
	for _, raw := range []string{
		`{"url":"http://me:s3cr3t@127.0.0.1/"}`,
		`{"url":"https://me:s3cr3t@127.0.0.1/"}`,
		`{"url":"http://127.0.0.1/","headers":{"authorization":"Bearer s3cr3t"}}`,
		`{"url":"http://127.0.0.1/","headers":{"Cookie":"s3cr3t"}}`,
		`{"url":"http://127.0.0.1/","body":"` + strings.Repeat("b", maxPlanned) + `"}`,
		`{"url":"ftp://127.0.0.1/"}`,
		`{`, ``,
	} {
		plan, _ := e.read(json.RawMessage(raw)) // some cannot be read
		again, kept := e.plans.find([]byte(raw))
		require.False(t, kept, raw)
		require.Nil(t, again)
		if p, ok := plan.(*httpPlan); ok {
			other, err := e.read(json.RawMessage(raw))
			require.NoError(t, err)
			require.NotSame(t, p, other)
		}
	}
	require.Empty(t, e.plans.young)
	require.Empty(t, e.plans.old)
}

// TestPlansAreForgotten: what is asked for stays, the rest goes after two
// generations, and their sum is bounded.
func TestPlansAreForgotten(t *testing.T) {
	t.Parallel()
	var p plans
	pad := strings.Repeat(" ", 1000)
	used := []byte(`{"url":"used"}`)
	p.remember(used, new(httpSettings), "used")
	size := func() int {
		n := 0
		for _, generation := range []map[string]any{p.young, p.old} {
			for key := range generation {
				n += len(key)
			}
		}
		return n
	}
	for i := range 4 * maxPlannedAll / len(pad) {
		p.remember(fmt.Appendf(nil, "%d%s", i, pad), new(httpSettings), i)
		if i%1000 == 0 {
			plan, ok := p.find(used)
			require.True(t, ok)
			require.Equal(t, "used", plan)
			require.LessOrEqual(t, size(), 2*(maxPlannedAll+2*len(pad)))
		}
	}
	_, ok := p.find(fmt.Appendf(nil, "%d%s", 0, pad))
	require.False(t, ok)
}

// TestPlansAreShared has many checks use one plan, of both ways of asking, good
// answers and bad: the race detector sees who writes.
func TestPlansAreShared(t *testing.T) {
	t.Parallel()
	w := newTwins(t)
	w.play(script{answer: []byte("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nneedle")})
	raw, err := json.Marshal(map[string]any{"url": "http://" + w.address, "keyword": "absent", "headers": map[string]string{"X-A": "b"}, "body": "b"})
	require.NoError(t, err)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 20 {
				r := w.hop
				if i%2 == 0 {
					r = w.std
				}
				o, err := r.Probe(t.Context(), uptime.Spec{Type: "http", Timeout: 10 * time.Second, Settings: raw}, i%4 < 2)
				if err != nil || o.ErrorKind != uptime.KindKeyword {
					t.Error(o, err)
				}
			}
		})
	}
	all.Wait()
}

// TestGivingUpEndsTheHop at each of its stages, promptly and as an error.
func TestGivingUpEndsTheHop(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"Head":  "HTTP/1.1 200",
		"Body":  "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
		"Gzip":  "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b",
		"Chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
		"None":  "",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newTwins(t)
			w.play(script{answer: []byte(answer), last: holds})
			raw, err := json.Marshal(map[string]any{"url": "http://" + w.address})
			require.NoError(t, err)
			ctx, cancel := context.WithCancelCause(t.Context())
			stop := stopError{}
			timer := time.AfterFunc(30*time.Millisecond, func() { cancel(stop) })
			defer timer.Stop()
			begun := time.Now()
			_, err = w.hop.Probe(ctx, uptime.Spec{Type: "http", Timeout: time.Minute, Settings: raw}, false)
			require.ErrorIs(t, err, stop)
			require.Less(t, time.Since(begun), 5*time.Second)
		})
	}
}

type stopError struct{}

func (stopError) Error() string { return "stopped" }
