// Package probetest is the suite that every monitor type passes: what people
// and the rest of the program rely on, whatever is probed.
package probetest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/form"
	"monitor/modules/outbound"
	"monitor/modules/probe"
	"monitor/modules/uptime"
)

// Suite says how to reach targets of a type. The functions start a target that
// lives until the test ends and give settings that point to it, as values for
// json.Marshal; a nil function leaves its tests out where the type has no such
// target (one without connections cannot be silent).
type Suite struct {
	Type    string
	New     func(t *testing.T, config outbound.Config) *probe.Registry
	Up      func(t *testing.T) any
	Down    func(t *testing.T) any // answers, but wrongly
	Silent  func(t *testing.T) any // takes connections and says nothing
	Garbage func(t *testing.T) any // answers with bytes of another protocol
	// Secret are valid settings whose secrets all hold "s3cr3t".
	Secret any
}

// timeout of checks that are meant to run into it.
const timeout = 200 * time.Millisecond

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	t.Helper()
	t.Run("Settings", s.settings)
	t.Run("Up", s.up)
	t.Run("Blocked", s.blocked)
	t.Run("Malformed", s.malformed)
	t.Run("Down", func(t *testing.T) { s.down(t, s.Down, 10*time.Second) })
	t.Run("Garbage", func(t *testing.T) { s.down(t, s.Garbage, 10*time.Second) })
	t.Run("Silent", s.silent)
	t.Run("GivenUp", s.givenUp)
}

func (s Suite) spec(t *testing.T, settings any, limit time.Duration) uptime.Spec {
	t.Helper()
	raw, err := json.Marshal(settings)
	require.NoError(t, err)
	return uptime.Spec{Type: s.Type, Timeout: limit, Interval: time.Minute, Settings: raw}
}

// settings: a form, a schema and docs can be drawn; secrets are marked and do
// not show in the target.
func (s Suite) settings(t *testing.T) {
	t.Parallel()
	kind, ok := s.New(t, outbound.DefaultConfig()).Kind(s.Type)
	require.True(t, ok)
	require.NotEmpty(t, kind.Label)
	require.NotEmpty(t, kind.Help)
	one, other := kind.New(), kind.New()
	require.NotSame(t, one, other, "each has its own")
	for _, f := range form.Fields(kind.New()) {
		require.NotEmpty(t, f.Label, f.Name)
		require.NotEmpty(t, f.Help, f.Name)
	}
	require.NotEmpty(t, form.JSONSchema(kind.New())["properties"])

	raw, err := json.Marshal(s.Secret)
	require.NoError(t, err)
	settings := kind.New()
	require.Nil(t, form.Decode(s.Type, raw, settings))
	require.Empty(t, kind.Check(settings))
	require.NotEmpty(t, kind.Target(settings))
	require.NotContains(t, kind.Target(settings), "s3cr3t")
	form.MaskSecrets(settings)
	require.NotContains(t, string(form.Encode(settings)), "s3cr3t")
}

func (s Suite) up(t *testing.T) {
	t.Parallel()
	r := s.New(t, outbound.DefaultConfig())
	spec := s.spec(t, s.Up(t), 10*time.Second)
	o, err := r.Probe(t.Context(), spec, false)
	require.NoError(t, err)
	require.Equal(t, uptime.Up, o.Status, o.Error)
	require.Empty(t, o.Error)
	require.Empty(t, o.ErrorKind)
	require.Positive(t, o.Response)
	require.Nil(t, o.Evidence, "evidence costs, and nobody asked")
	require.Empty(t, o.Expectations)

	o, err = r.Probe(t.Context(), spec, true)
	require.NoError(t, err)
	require.NotNil(t, o.Evidence)
	require.NotEmpty(t, o.Expectations)
	for _, e := range o.Expectations {
		require.True(t, e.Met, e.Name)
	}
}

func (s Suite) blocked(t *testing.T) {
	t.Parallel()
	r := s.New(t, outbound.Config{Deny: []string{"0.0.0.0/0", "::/0"}})
	o, err := r.Probe(t.Context(), s.spec(t, s.Up(t), 10*time.Second), false)
	require.NoError(t, err)
	require.Equal(t, uptime.Unknown, o.Status, "our policy is never down")
	require.Equal(t, uptime.KindBlocked, o.ErrorKind)
	require.NotEmpty(t, o.Error)
}

// malformed: stored settings that no form would have let through are our fault.
func (s Suite) malformed(t *testing.T) {
	t.Parallel()
	r := s.New(t, outbound.DefaultConfig())
	for _, raw := range []string{`[]`, `"s3cr3t"`, `{`, `{}`} {
		_, err := r.Probe(t.Context(), uptime.Spec{Type: s.Type, Timeout: time.Second, Settings: json.RawMessage(raw)}, false)
		require.Error(t, err, raw)
		require.NotContains(t, err.Error(), "s3cr3t")
	}
}

func (s Suite) down(t *testing.T, target func(*testing.T) any, limit time.Duration) uptime.Outcome {
	t.Helper()
	if target == nil {
		return uptime.Outcome{}
	}
	o, err := s.New(t, outbound.DefaultConfig()).Probe(t.Context(), s.spec(t, target(t), limit), false)
	require.NoError(t, err)
	require.Equal(t, uptime.Down, o.Status)
	require.NotEmpty(t, o.ErrorKind)
	require.NotEmpty(t, o.Error)
	require.NotContains(t, o.Error, "\n")
	require.Equal(t, uptime.CleanLine(o.Error, 300), o.Error)
	require.NotNil(t, o.Evidence)
	return o
}

func (s Suite) silent(t *testing.T) {
	t.Parallel()
	if s.Silent == nil {
		return
	}
	begun := time.Now()
	o := s.down(t, s.Silent, timeout)
	require.Equal(t, uptime.KindTimeout, o.ErrorKind)
	require.GreaterOrEqual(t, o.Response, timeout)
	require.Less(t, time.Since(begun), timeout+2*time.Second)
}

// givenUp: the end of whoever asked says nothing of the target.
func (s Suite) givenUp(t *testing.T) {
	t.Parallel()
	if s.Silent == nil {
		return
	}
	r := s.New(t, outbound.DefaultConfig())
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	_, err := r.Probe(ctx, s.spec(t, s.Silent(t), time.Minute), false)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
