package manage_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// strangers is a JSON object with n fields that no object has.
func strangers(n int) json.RawMessage {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"x%d":1`, i)
	}
	return json.RawMessage(`{"name":"n"` + b.String() + `}`)
}

// TestHostileBodiesAreBounded: what is wrong with a body is told, but neither
// the answer nor the work grows with what a client makes up.
func TestHostileBodiesAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.CreateMonitor(t.Context(), b.owner, strangers(5000))
	var e *uptime.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, uptime.CodeInvalid, e.Code)
	require.Len(t, e.Fields, 100)
	_, err = b.CreateMonitor(t.Context(), b.owner, strangers(20_000))
	require.Equal(t, uptime.CodeTooLarge, uptime.CodeOf(err))
}
