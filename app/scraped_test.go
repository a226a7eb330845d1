package app

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func TestScrapesShareWhatTheyRead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	reads, failure := 0, error(nil)
	s := &scraped{
		clock: func() time.Time { return now },
		read: func(context.Context) ([]uptime.MonitorGauge, error) {
			reads++ // under the lock of s
			return []uptime.MonitorGauge{{ID: int64(reads), Name: "Shop", Type: "http"}}, failure
		},
	}
	all := func(m uptime.MonitorGauge) (float64, bool) { return float64(m.ID), true }
	var scrapes sync.WaitGroup
	for range 50 {
		scrapes.Go(func() {
			_, err := s.samples(all)
			if err != nil {
				t.Error(err)
			}
		})
	}
	scrapes.Wait()
	require.Equal(t, 1, reads, "a crowd costs one reading")

	now = now.Add(scrapedFor)
	got, err := s.samples(all)
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, []string{"2", "Shop", "http"}, got[0].Labels, "nothing older than a second is told")

	now, failure = now.Add(scrapedFor), errors.New("the database is away")
	for range 3 {
		_, err = s.samples(all)
		require.ErrorIs(t, err, failure)
	}
	require.Equal(t, 3, reads)
}

func TestCheckTellsNoPassword(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"https://u:s3cret@example.com/x?y=1": "https://u:xxxxx@example.com/x?y=1",
		"https://example.com/x?y=1#z":        "https://example.com/x?y=1#z",
		"example.com:443":                    "example.com:443",
		"192.0.2.1:443":                      "192.0.2.1:443",
	} {
		require.Equal(t, want, withoutPassword(target))
	}
}
