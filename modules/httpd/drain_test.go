package httpd

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestStopUnderLoadResetsNobody: 100 requests a second by clients that keep their
// connections, and as many by some that do not. Each request is answered until
// the door is shut, and refused from then on.
func TestStopUnderLoadResetsNobody(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"First", "Second", "Third"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := params()
			p.Web = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				select {
				case <-time.After(15 * time.Millisecond):
				case <-r.Context().Done():
				}
				_, _ = io.WriteString(w, "done")
			})
			base, stop := start(t, p)
			var load load
			for i := range 10 {
				at := time.Duration(i) * 10 * time.Millisecond
				load.client(base, true, at)
				load.client(base, false, at+5*time.Millisecond)
			}
			require.Eventually(t, func() bool { return load.answered.Load() > 100 }, 30*time.Second, time.Millisecond)
			before := load.answered.Load()
			require.NoError(t, stop())
			load.done.Wait()
			require.Empty(t, load.failures)
			require.Greater(t, load.answered.Load(), before, "it answered while it stopped")
			t.Logf("answered %d, of which %d while stopping", load.answered.Load(), load.answered.Load()-before)
		})
	}
}

// load is many clients that ask until they are refused.
type load struct {
	answered atomic.Int64
	done     sync.WaitGroup
	mu       sync.Mutex
	failures []string
}

// client asks ten times a second, beginning at some part of it.
func (l *load) client(base string, keep bool, at time.Duration) {
	l.done.Go(func() {
		<-time.After(at)
		transport := &http.Transport{DisableKeepAlives: !keep}
		defer transport.CloseIdleConnections()
		ticker := time.NewTicker(100 * time.Millisecond)
		defer ticker.Stop()
		for range ticker.C {
			// What is posted is not sent again by the client itself.
			r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, base+"/x", strings.NewReader("body"))
			if err == nil {
				err = l.ask(transport, r)
			}
			if errors.Is(err, syscall.ECONNREFUSED) {
				return
			}
			if err != nil {
				l.mu.Lock()
				l.failures = append(l.failures, err.Error())
				l.mu.Unlock()
				return
			}
			l.answered.Add(1)
		}
	})
}

func (l *load) ask(transport *http.Transport, r *http.Request) error {
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err == nil && string(body) != "done" {
		err = errors.New("half an answer: " + string(body))
	}
	return err
}

func dial(t *testing.T, base string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn, bufio.NewReader(conn)
}

// exchange asks and gives the status, and whether the answer is the last one.
func exchange(t *testing.T, conn net.Conn, lines *bufio.Reader, path string) (status int, last bool) {
	t.Helper()
	_, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	answer, err := http.ReadResponse(lines, nil)
	require.NoError(t, err)
	_, err = io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.StatusCode, answer.Close
}

// TestDraining: readiness is 503 at once while everything is still answered, for
// the last time on its connection; new connections are taken.
func TestDraining(t *testing.T) {
	t.Parallel()
	p := params()
	p.Web, p.Delay = say("web"), 300*time.Millisecond
	s := New(p)
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- s.Run(ctx, func() { close(ready) }) }()
	<-ready
	base := "http://" + s.Addr()
	old, lines := dial(t, base)
	_, closes := exchange(t, old, lines, "/")
	require.False(t, closes)
	cancel()
	<-s.stopping
	status, body := get(t, base+"/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, "draining")
	status, body = get(t, base+"/") // by a new connection
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "web", body)
	status, closes = exchange(t, old, lines, "/")
	require.Equal(t, http.StatusOK, status)
	require.True(t, closes, "Connection: close")
	_, err := lines.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, <-done)
}

// TestStopWithoutClientsIsQuick, and nobody waits for a balancer that is not
// there.
func TestStopWithoutClientsIsQuick(t *testing.T) {
	t.Parallel()
	base, stop := start(t, params())
	status, _ := get(t, base+"/healthz")
	require.Equal(t, http.StatusOK, status)
	begun := time.Now()
	require.NoError(t, stop())
	require.Less(t, time.Since(begun), Linger)
}

// TestBalancerDelay: behind trusted proxies new connections are taken for as long
// as a balancer needs.
func TestBalancerDelay(t *testing.T) {
	t.Parallel()
	p := params()
	p.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	_, stop := start(t, p)
	begun := time.Now()
	require.NoError(t, stop())
	require.GreaterOrEqual(t, time.Since(begun), BalancerDelay)
}
