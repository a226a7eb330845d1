//go:build linux

package probe

import (
	"context"
	"encoding/json"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// silent gives an address that answers no connection: nobody accepts there, and
// the few that the system accepts by itself are made already.
func silent(t *testing.T, w *twins) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(fd, 0))
	bound, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	address := fmt.Sprintf("127.0.0.1:%d", bound.(*syscall.SockaddrInet4).Port)
	h, ok := httpEntry(t, w.hop).Type.(*httpType)
	require.True(t, ok)
	for range 4 {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if conn, err := h.guard.DialContext(ctx, "tcp", address); err == nil {
			t.Cleanup(func() { _ = conn.Close() })
		}
	}
	return address
}

// TestConnectingEnds at the deadline, which is the outcome, and with the context,
// which is none.
func TestConnectingEnds(t *testing.T) {
	t.Parallel()
	w := newTwins(t)
	address := silent(t, w)
	for _, host := range []string{address, "localhost" + address[len("127.0.0.1"):]} {
		raw, err := json.Marshal(map[string]any{"url": "http://" + host})
		require.NoError(t, err)
		for _, r := range []*Registry{w.hop, w.std} {
			begun := time.Now()
			o, err := r.Probe(t.Context(), uptime.Spec{Type: "http", Timeout: 150 * time.Millisecond, Settings: raw}, false)
			require.NoError(t, err)
			require.Equal(t, uptime.Down, o.Status)
			require.Positive(t, o.Phases.Connect)
			if host == address { // the name may be one of IPv6 too, which refuses
				require.Equal(t, uptime.KindTimeout, o.ErrorKind, o.Error)
				require.Equal(t, "No answer within 150ms (connecting to "+address+")", o.Error)
			}
			require.Less(t, time.Since(begun), 5*time.Second)

			ctx, cancel := context.WithCancel(t.Context())
			timer := time.AfterFunc(30*time.Millisecond, cancel)
			begun = time.Now()
			_, err = r.Probe(ctx, uptime.Spec{Type: "http", Timeout: time.Minute, Settings: raw}, false)
			require.ErrorIs(t, err, context.Canceled)
			require.Less(t, time.Since(begun), 5*time.Second)
			timer.Stop()
			cancel()
		}
	}
}
