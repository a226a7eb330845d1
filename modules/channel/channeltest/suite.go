package channeltest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/outbound"
	"monitor/modules/uptime"
)

// Dialer is how a channel reaches its peer.
type Dialer interface {
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

// Peer is a real endpoint on loopback and a channel that leads to it.
type Peer struct {
	Channel uptime.Channel // settings with their secrets in clear
	// Secrets are planted in the channel's settings.
	Secrets []string
	// Received gives what arrived, in order, in a form fit for a golden file.
	Received func() []string
	// Failures make the peer fail from now on, repeating the secrets where it
	// can. Hang makes it take connections and answer nothing.
	Failures map[string]func()
	Hang     func()
}

// Suite is what is needed to run the tests on a channel type.
type Suite struct {
	// New makes the sender and catalog under test with this dialer.
	New func(t *testing.T, dialer Dialer) interface {
		uptime.Sender
		uptime.Catalog
	}
	// Start makes a fresh peer.
	Start func(t *testing.T) *Peer
	// Golden is the folder of golden files; Update writes them anew.
	Golden string
	Update bool
}

// Run runs every test of the suite.
func Run(t *testing.T, s Suite) {
	t.Helper()
	t.Run("Payloads", s.payloads)
	t.Run("RepeatIsTheSame", s.repeat)
	t.Run("SecretsStayHidden", s.secrets)
	t.Run("CancelEndsIt", s.cancelled)
	t.Run("DeadlineEndsIt", s.deadline)
	t.Run("GuardIsAsked", s.guarded)
	t.Run("BadSettingsAreFinal", s.badSettings)
}

func (s Suite) payloads(t *testing.T) {
	t.Parallel()
	samples := Samples()
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			peer := s.Start(t)
			answer, err := s.New(t, open(t)).Send(within(t), peer.Channel, samples[name])
			require.NoError(t, err)
			require.NotZero(t, answer.StatusCode)
			require.NotZero(t, answer.Duration)
			received := peer.Received()
			require.Len(t, received, 1)
			s.golden(t, name, received[0])
		})
	}
}

func (s Suite) golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join(s.Golden, name+".golden")
	if s.Update {
		require.NoError(t, os.MkdirAll(s.Golden, 0o750))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update once")
	require.Equal(t, string(want), got)
}

func (s Suite) repeat(t *testing.T) {
	t.Parallel()
	peer := s.Start(t)
	sender := s.New(t, open(t))
	for range 2 {
		_, err := sender.Send(within(t), peer.Channel, Samples()["merged"])
		require.NoError(t, err)
	}
	received := peer.Received()
	require.Len(t, received, 2)
	require.Equal(t, received[0], received[1])
}

func (s Suite) secrets(t *testing.T) {
	t.Parallel()
	for _, mode := range slices.Sorted(maps.Keys(s.Start(t).Failures)) {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			peer := s.Start(t)
			peer.Failures[mode]()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			answer, err := s.New(t, open(t)).Send(ctx, peer.Channel, Samples()["opened"])
			require.Error(t, err)
			failed := sendError(t, err)
			require.NotEmpty(t, failed.Reason)
			shown := fmt.Sprintf("%s %v %+v %#v %s", answer.Text, err, errors.Unwrap(err), failed.Err, failed.Reason)
			require.NotEmpty(t, peer.Secrets)
			for _, secret := range peer.Secrets {
				require.NotContains(t, shown, secret)
			}
			require.LessOrEqual(t, len(answer.Text), 1<<10)
		})
	}
}

func (s Suite) cancelled(t *testing.T) {
	t.Parallel()
	peer := s.Start(t)
	peer.Hang()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reached := &watched{Dialer: open(t), dialled: cancel}
	_, err := s.New(t, reached).Send(ctx, peer.Channel, Samples()["opened"])
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, sendError(t, err).Permanent)
}

func (s Suite) deadline(t *testing.T) {
	t.Parallel()
	peer := s.Start(t)
	peer.Hang()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := s.New(t, open(t)).Send(ctx, peer.Channel, Samples()["opened"])
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.False(t, sendError(t, err).Permanent)
	require.Contains(t, sendError(t, err).Reason, "no answer in time")
	require.Less(t, time.Since(began), 5*time.Second)
}

func (s Suite) guarded(t *testing.T) {
	t.Parallel()
	peer := s.Start(t)
	strict, err := outbound.New(outbound.Config{})
	require.NoError(t, err)
	_, err = s.New(t, strict).Send(within(t), peer.Channel, Samples()["opened"])
	failed := sendError(t, err)
	require.True(t, failed.Permanent)
	require.Contains(t, failed.Reason, "network.allow_private")
	require.Empty(t, peer.Received())
}

func (s Suite) badSettings(t *testing.T) {
	t.Parallel()
	channel := s.Start(t).Channel
	for name, settings := range map[string]string{"NotJSON": "{", "WrongType": `[1]`, "Empty": `{}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bad := channel
			bad.Settings = []byte(settings)
			_, err := s.New(t, open(t)).Send(within(t), bad, Samples()["opened"])
			require.True(t, sendError(t, err).Permanent)
		})
	}
}

// watched says when a connection was made.
type watched struct {
	Dialer
	dialled func()
}

func (w *watched) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := w.Dialer.DialContext(ctx, network, addr)
	w.dialled()
	return conn, err
}

func open(t *testing.T) Dialer {
	t.Helper()
	guard, err := outbound.New(outbound.DefaultConfig())
	require.NoError(t, err)
	return guard
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func sendError(t *testing.T, err error) *uptime.SendError {
	t.Helper()
	failed := new(uptime.SendError)
	require.ErrorAs(t, err, &failed)
	require.False(t, strings.ContainsAny(failed.Reason, "\r\x00"))
	return failed
}
