package manage_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFileAddressesAreRefused: no spelling of an address leads to a file or to a
// script, of a monitor or of a channel.
func TestFileAddressesAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, address := range []string{
		"file:///etc/passwd", "file:/etc/passwd", "file:etc/passwd", "file:../../../etc/passwd", "file: ///etc/passwd", " file:///etc/passwd", "FILE:///etc/passwd", "fIlE:///etc/passwd", "file://localhost/etc/passwd",
		"source:file:///etc/passwd", "view-source:file:///etc/passwd", "url:file:///etc/passwd", "jar:file:///x!/y", "http:file:///etc/passwd", "http:/etc/passwd", "http:///etc/passwd", "//etc/passwd", "/etc/passwd", "../etc/passwd", "C:\\windows\\win.ini", "\\\\evil.example\\share",
		"javascript:alert(1)", "JavaScript:alert(1)", "java\tscript:alert(1)", "javascript://example.com/%0aalert(1)", "data:text/html,x", "vbscript:x", "about:blank", "blob:http://x/y", "gopher://example.com/_x", "dict://example.com:11211/", "ftp://example.com/", "ldap://example.com/", "unix:///run/x.sock", "http+unix://%2frun%2fx.sock/", "", "https://", "http://?", "http://#", "http://:80/", "http://exa mple.com/", "http://example.com:99999/", "http://[::1", "ht\ntp://example.com", "http://example.com\r\n.evil.example/",
	} {
		raw, err := json.Marshal(map[string]any{"name": "Shop", "type": "http", "http": map[string]any{"url": address}})
		require.NoError(t, err)
		_, err = b.CreateMonitor(context.Background(), b.owner, raw)
		require.Error(t, err, address)
		require.Contains(t, problems(t, err)[0], "http.url", address)
	}
}
