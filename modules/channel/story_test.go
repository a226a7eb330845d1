package channel

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDurationsAreThoseOfThePages: a message and the page of its incident say the same
// length.
func TestDurationsAreThoseOfThePages(t *testing.T) {
	t.Parallel()
	for of, want := range map[time.Duration]string{
		400 * time.Millisecond: "< 1 s", 5700 * time.Millisecond: "5 s", 250*time.Second + 900*time.Millisecond: "4 min 10 s", time.Minute: "1 min",
		2 * time.Hour: "2 h", 125 * time.Minute: "2 h 05 min", 24 * time.Hour: "1 d", 76 * time.Hour: "3 d 4 h", -time.Second: "< 1 s",
	} {
		require.Equal(t, want, duration(of), of)
	}
}
