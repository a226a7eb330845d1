package store_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/store"
	"monitor/modules/store/storetest"
)

func TestFiguresPropertySQLite(t *testing.T) {
	t.Parallel()
	storetest.RunFiguresProperty(t, onSQLite, 12)
}

func TestFiguresPropertyPostgres(t *testing.T) {
	t.Parallel()
	storetest.RunFiguresProperty(t, onPostgres, 12)
}

func document(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/uptime.md")
	require.NoError(t, err)
	return string(text)
}

// What docs/uptime.md says is what happens.
func TestExamplesSQLite(t *testing.T) {
	t.Parallel()
	storetest.RunExamples(t, onSQLite, document(t))
}

func TestExamplesPostgres(t *testing.T) {
	t.Parallel()
	storetest.RunExamples(t, onPostgres, document(t))
}

// TestMaintenanceExample: nothing makes windows yet, so that its figures come from
// where windows will go.
func TestMaintenanceExample(t *testing.T) {
	t.Parallel()
	ran := 0
	for _, e := range storetest.Examples(t, document(t)) {
		letters := e.Regions[0]
		if !strings.Contains(letters, "m") {
			continue
		}
		ran++
		m := store.MeasureMinutes(letters)
		require.Equal(t, e.Want[0], fmt.Sprintf("known %s  down %s  unknown %s  maintenance %s  uptime %.6g  coverage %.6g",
			m.Known, m.Down, m.Unknown, m.Maintenance, *m.Uptime, m.Coverage))
	}
	require.Positive(t, ran)
}
