package queue

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"monitor/modules/uptime"
)

func TestJobTravelsUnchanged(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := uptime.Job{
			MonitorID:   rapid.Int64().Draw(t, "id"),
			Region:      rapid.StringMatching(`[a-z.0-9-]{1,12}`).Draw(t, "region"),
			ScheduledAt: time.UnixMilli(rapid.Int64Range(0, 1<<43).Draw(t, "slot")).UTC(),
			Attempt:     rapid.IntRange(1, 100).Draw(t, "attempt"),
			ByHand:      rapid.Bool().Draw(t, "by hand"),
			Spec: uptime.Spec{
				WorkspaceID: rapid.Int64Min(1).Draw(t, "workspace"),
				RowKey:      rapid.String().Draw(t, "row key"),
				Type:        rapid.String().Draw(t, "type"),
				Interval:    time.Duration(rapid.Int64Range(0, 1<<50).Draw(t, "interval")),
				Timeout:     time.Duration(rapid.Int64Range(0, 1<<45).Draw(t, "timeout")),
			},
		}
		if rapid.Bool().Draw(t, "changed") {
			want.Spec.Of = time.UnixMilli(rapid.Int64Range(0, 1<<43).Draw(t, "of")).UTC()
		}
		if rapid.Bool().Draw(t, "settings") {
			want.Spec.Settings = rapid.SliceOf(rapid.Byte()).Draw(t, "block")
		}
		text := string(appendJob(nil, &want))
		got, err := readJob(text, want.Region)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.Equal(t, want.Spec.Of.IsZero(), got.Spec.Of.IsZero())

		taken := rapid.Int64Range(1, 1000).Draw(t, "taken")
		r, ok := readReceipt(newReceipt(7, &want, "1700000000000-12", taken), 8)
		require.True(t, ok)
		require.Equal(t, want.Region, r.region)
		require.Equal(t, "1700000000000-12", r.entry)
		require.Equal(t, text[nameFrom:nameTo]+want.Region, string(r.name()))
		head := readHead(text, want.Region)
		require.Equal(t, want.Key(), head.Key())
	})
}

func TestUnreadableJobs(t *testing.T) {
	t.Parallel()
	whole := job(1, time.UnixMilli(5))
	text := string(appendJob(nil, &whole))
	for n := range len(text) {
		_, err := readJob(text[:n], "default")
		require.ErrorIs(t, err, errUnreadable, "%d of %d bytes", n, len(text))
	}
	_, err := readJob("\x02"+text[1:], "default")
	require.ErrorIs(t, err, errUnreadable)
}

func TestForeignReceipts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "unknown", "0", "8.default.1-0.1.1.1.1", "-1.default.1-0.1.1.1.1", "x.default.1-0.1.1.1.1",
		"0.1-0.1.1.1", "0.default.1-0.1.x.1.1", "0.default.1-0.1.1.1.", "......",
	} {
		_, ok := readReceipt(text, 8)
		require.False(t, ok, "%q", text)
	}
}

func FuzzReadJob(f *testing.F) {
	whole := job(1, time.UnixMilli(5))
	f.Add(string(appendJob(nil, &whole)))
	f.Fuzz(func(t *testing.T, text string) {
		j, err := readJob(text, "default")
		if err != nil {
			require.ErrorIs(t, err, errUnreadable)
			return
		}
		_ = newReceipt(0, &j, "1-0", 1)
	})
}
