package manage

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRulesAreDocumented: docs/security.md has the table of permissions, all of it and
// nothing else.
func TestRulesAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/security.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "## Who may do what\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	written := regexp.MustCompile("(?m)^\\| [a-z].*`.*\\|$").FindAllString(section, -1)
	var want []string
	for action, need := range rules() {
		want = append(want, fmt.Sprintf("| %s | %s | `%s` |", action, need.role, need.scope))
	}
	slices.Sort(written)
	slices.Sort(want)
	require.Equal(t, want, written)
}
