package uptime

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPackedSpecIsTheSpec(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := Spec{
			WorkspaceID: rapid.Int64().Draw(t, "workspace"),
			RowKey:      rapid.String().Draw(t, "row key"),
			Type:        rapid.String().Draw(t, "type"),
			Interval:    time.Duration(rapid.Int64().Draw(t, "interval")),
			Timeout:     time.Duration(rapid.Int64().Draw(t, "timeout")),
		}
		if rapid.Bool().Draw(t, "changed") {
			want.Of = time.UnixMilli(rapid.Int64Range(0, 1<<43).Draw(t, "of")).UTC()
		}
		if rapid.Bool().Draw(t, "settings") {
			want.Settings = rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "block")
		}
		packed := Pack(want)
		got, err := packed.Spec()
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, want.WorkspaceID, packed.Workspace())
		interval, timeout := packed.Limits()
		require.Equal(t, want.Interval, interval)
		require.Equal(t, want.Timeout, timeout)
	})
}

func TestUnreadablePackedSpec(t *testing.T) {
	t.Parallel()
	whole := Pack(Spec{WorkspaceID: 1, RowKey: "key", Type: "http", Interval: time.Minute})
	for n := range len(whole) {
		_, err := whole[:n].Spec()
		require.ErrorIs(t, err, errNotPacked, "%d of %d bytes", n, len(whole))
	}
	_, err := whole.Spec()
	require.NoError(t, err)
}

func FuzzPacked(f *testing.F) {
	f.Add(string(Pack(Spec{WorkspaceID: 1, RowKey: "key", Type: "http", Interval: time.Minute, Settings: []byte(`{}`)})))
	f.Fuzz(func(t *testing.T, text string) {
		p := Packed(text)
		p.Workspace()
		p.Limits()
		s, err := p.Spec()
		if err != nil {
			require.ErrorIs(t, err, errNotPacked)
			return
		}
		again, err := Pack(s).Spec()
		require.NoError(t, err)
		require.Equal(t, s, again)
	})
}

func BenchmarkPackedSpec(b *testing.B) {
	spec := Spec{
		WorkspaceID: 1, RowKey: "0123456789abcdef0123456789abcdef", Type: "http", Interval: time.Minute, Timeout: 10 * time.Second,
		Of: time.UnixMilli(1_767_323_045_000).UTC(), Settings: []byte(`{"url":"https://example.com/health","method":"GET"}`),
	}
	packed := Pack(spec)
	b.Run("Pack", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			Pack(spec)
		}
		b.ReportMetric(float64(len(packed)), "bytes")
	})
	b.Run("Spec", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := packed.Spec(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Limits", func(b *testing.B) {
		for b.Loop() {
			packed.Limits()
		}
	})
}
