package probe

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTargetShowsNoSecret: the target of a monitor goes into mails and webhooks.
func TestTargetShowsNoSecret(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://me:s3cr3t@example.com/x?token=s3cr3t#s3cr3t": "https://example.com/x",
		"http://example.com:8080":                             "http://example.com:8080",
		"http://[::1]:80/a%20b?":                              "http://[::1]:80/a%20b",
		"http://%zz":                                          "",
	} {
		require.Equal(t, want, shownURL(text))
	}
}
