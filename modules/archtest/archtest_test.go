package archtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHouse is the one that holds the program to its plan.
func TestHouse(t *testing.T) {
	t.Parallel()
	breaches, err := Check(os.DirFS(moduleRoot(t)))
	require.NoError(t, err)
	for _, b := range breaches {
		t.Error(b)
	}
}

// moduleRoot looks upward from the test's own folder, where go test runs it, so
// that it works under -trimpath too.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		require.NotEqual(t, dir, parent, "no go.mod above the test")
		dir = parent
	}
}
