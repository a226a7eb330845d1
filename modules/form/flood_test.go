package form_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/form"
)

// An answer that repeats each of a million mistakes is a weapon: it is longer
// than the body and to find doubles in it takes minutes.
func TestDecodeReportsAHundredMistakesOfAFlood(t *testing.T) {
	t.Parallel()
	var fields strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&fields, `,"k%d":1`, i)
	}
	for name, raw := range map[string]string{
		"WrongTypes":    `{"url":"https://a.b","expected_status":[` + strings.Repeat(`1,"x",`, 20_000) + `1]}`,
		"BrokenRules":   `{"url":"https://a.b","to":[` + strings.Repeat(`"x",`, 20_000) + `"x"]}`,
		"UnknownFields": `{"url":"https://a.b"` + fields.String() + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := form.Decode("http", json.RawMessage(raw), defaults())
			require.NotNil(t, err)
			require.Len(t, err.Fields, 100)
		})
	}
}
