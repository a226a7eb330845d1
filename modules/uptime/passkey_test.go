package uptime

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCloned(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		stored, count uint32
		want          bool
	}{
		{0, 0, false},
		{0, 1, false},
		{1, 2, false},
		{7, 4_000_000_000, false},
		{1, 1, true},
		{2, 1, true},
		{1, 0, true},
	} {
		require.Equal(t, c.want, Passkey{SignCount: c.stored}.Cloned(c.count), "%d after %d", c.count, c.stored)
	}
}
