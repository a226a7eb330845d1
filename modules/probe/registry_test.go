package probe

import (
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/outbound"
)

func TestTwoTypesOfOneNameAreRefused(t *testing.T) {
	t.Parallel()
	guard, err := outbound.New(outbound.DefaultConfig())
	require.NoError(t, err)
	one := newHTTP(Deps{Guard: guard})
	_, err = register([]Type{one, one})
	require.ErrorContains(t, err, `"http"`)
}
