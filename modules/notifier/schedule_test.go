package notifier_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/notifier"
)

func TestNext(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		n      int
		age    time.Duration // of the delivery, now
		wish   time.Duration
		random float64
		want   time.Duration // from now
		over   bool
	}{
		"First":            {n: 1, random: .5, want: time.Second},
		"Second":           {n: 2, random: .5, want: 5 * time.Second},
		"Third":            {n: 3, random: .5, want: 15 * time.Second},
		"Fourth":           {n: 4, random: .5, want: time.Minute},
		"Fifth":            {n: 5, random: .5, want: 5 * time.Minute},
		"Sixth":            {n: 6, random: .5, want: 15 * time.Minute},
		"Seventh":          {n: 7, random: .5, want: time.Hour},
		"Eighth":           {n: 8, random: .5, want: 2 * time.Hour},
		"Ninth":            {n: 9, random: .5, want: 4 * time.Hour},
		"Tenth":            {n: 10, random: .5, want: 6 * time.Hour},
		"Fiftieth":         {n: 50, random: .5, want: 6 * time.Hour},
		"Zero":             {n: 0, random: .5, want: time.Second},
		"Earliest":         {n: 4, random: 0, want: 48 * time.Second},
		"Latest":           {n: 4, random: 1, want: 72 * time.Second},
		"Wish":             {n: 1, random: .5, wish: 90 * time.Second, want: 90 * time.Second},
		"WishTooLong":      {n: 1, random: .5, wish: 9 * time.Hour, want: time.Hour},
		"WishTooShort":     {n: 7, random: .5, wish: time.Second, want: time.Hour},
		"LastWithin":       {n: 20, age: 66 * time.Hour, random: .5, want: 6 * time.Hour},
		"Over":             {n: 20, age: 66*time.Hour + time.Second, random: .5, over: true},
		"ByHandAfterwards": {n: 21, age: 200 * time.Hour, random: 0, over: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := created.Add(c.age)
			at, ok := notifier.Next(c.n, created, now, c.wish, c.random)
			require.Equal(t, !c.over, ok)
			if ok {
				require.Equal(t, c.want, at.Sub(now).Round(time.Millisecond))
			}
		})
	}
}
