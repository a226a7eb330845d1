package manage

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLongValuesAreCutInTheAuditLog: nothing is ever removed from it.
func TestLongValuesAreCutInTheAuditLog(t *testing.T) {
	t.Parallel()
	long := json.RawMessage(`{"url":"` + strings.Repeat("ä", 1<<20) + `"}`)
	raw := changes(map[string]json.RawMessage{"http": long, "name": json.RawMessage(`"a"`)}, map[string]json.RawMessage{"http": nil, "name": json.RawMessage(`"b"`)},
		map[string]json.RawMessage{"http": long, "name": json.RawMessage(`"a"`)}, map[string]json.RawMessage{"name": json.RawMessage(`"b"`)})
	require.Less(t, len(raw), 20<<10)
	var got map[string]struct{ From, To any }
	require.NoError(t, json.Unmarshal(raw, &got))
	require.Equal(t, "b", got["name"].To)
	require.Contains(t, got["http"].From, "(2097162 bytes)")
}
