package queue

import (
	"encoding/hex"
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
			want.Spec.Settings = rapid.SliceOfN(rapid.Byte(), 1, 100).Draw(t, "block")
		}
		m := ofJob(&want)
		text := string(appendJob(nil, &m))
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

// written is a job of a monitor as it travels.
func written(id int64) string {
	whole := job(id, time.UnixMilli(5))
	m := ofJob(&whole)
	return string(appendJob(nil, &m))
}

// What programs of earlier releases wrote, and what they can read.
func TestJobsOfEarlierPrograms(t *testing.T) {
	t.Parallel()
	const old = "0100000000000000074279b7ca98f2e0004279b7caa798e00040c388000000000001040680e0ba84bf038090dfc04a80f3c6caef" +
		"66036b657904687474707b2275726c223a2278227d"
	want := uptime.Job{
		MonitorID: 7, Region: "eu", ScheduledAt: time.UnixMilli(1_767_323_045_678).UTC(), Attempt: 2, ByHand: true,
		Spec: uptime.Spec{
			WorkspaceID: 3, RowKey: "key", Type: "http", Interval: time.Minute, Timeout: 10 * time.Second,
			Of: time.UnixMilli(1_767_323_000_000).UTC(), Settings: []byte(`{"url":"x"}`),
		},
	}
	m := ofJob(&want)
	text := appendJob(nil, &m)
	require.Equal(t, old, hex.EncodeToString(text))
	got, err := readJob(string(text), "eu")
	require.NoError(t, err)
	require.Equal(t, want, got)

	// They marked a job without settings, which is one of no known type.
	text = append(text[:len(text)-len(want.Spec.Settings)], nil...)
	text[jobHead] |= 2
	got, err = readJob(string(text), "eu")
	require.NoError(t, err)
	want.Spec.Settings = nil
	require.Equal(t, want, got)
}

func TestUnreadableJobs(t *testing.T) {
	t.Parallel()
	text := written(1)
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
	f.Add(written(1))
	f.Fuzz(func(t *testing.T, text string) {
		j, err := readJob(text, "default")
		if err != nil {
			require.ErrorIs(t, err, errUnreadable)
			return
		}
		_ = newReceipt(0, &j, "1-0", 1)
	})
}
