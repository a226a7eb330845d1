package probe_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// recorded is a target that notes each request byte by byte and answers with text.
func recorded(t *testing.T, answer string) (url string, requests <-chan string) {
	t.Helper()
	out := make(chan string, 99)
	return listen(t, func(c net.Conn) {
		var in bytes.Buffer
		request, err := http.ReadRequest(bufio.NewReader(io.TeeReader(c, &in)))
		if err == nil {
			_, _ = io.Copy(io.Discard, request.Body)
			_, _ = io.WriteString(c, answer)
		}
		out <- in.String()
	}), out
}

const answerOK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

// TestRequestsHoldOneRequest: whatever stands in the settings of a monitor, its target
// hears one request, with the headers of the settings and no more.
func TestRequestsHoldOneRequest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const injected = "%0d%0aX-Injected:%201%0d%0a%0d%0aGET%20/smuggled%20HTTP/1.1%0d%0aHost:%20x"
	const body = "a=b\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	url, requests := recorded(t, answerOK)
	for name, s := range map[string]settings{
		"Path":   {"url": url + "/a" + injected},
		"Query":  {"url": url + "/?a=" + injected},
		"Login":  {"url": strings.Replace(url, "http://", "http://me%0d%0aX-Injected%3a1:pw%0d%0aX-Injected%3a1@", 1)},
		"Header": {"url": url, "headers": map[string]string{"X-Team": "w\u2028eb\u202e {{.}} %s", "User-Agent": "\u202eme"}},
		"Body":   {"url": url, "method": "POST", "body": body},
		"Wide":   {"url": url + "/č̊ĊĊ"}, // letters that end in the bytes of CR and LF
	} {
		o := b.probe(t, 5*time.Second, s)
		require.Equal(t, "up", string(o.Status), "%s: %s", name, o.Error)
		head, sent, found := strings.Cut(<-requests, "\r\n\r\n")
		require.True(t, found, name)
		lines := strings.Split(head, "\r\n")
		require.NotContains(t, strings.Join(lines, ""), "\n", name)
		require.NotContains(t, strings.Join(lines, ""), "\r", name)
		require.Regexp(t, `^(GET|POST) /\S* HTTP/1\.1$`, lines[0], name)
		for _, line := range lines[1:] {
			require.NotRegexp(t, `(?i)^x-injected`, line, name)
		}
		if name == "Body" {
			require.Equal(t, body, sent)
		} else {
			require.Empty(t, sent, name)
		}
	}
	require.Empty(t, requests, "nothing came besides")
}

// TestStoredSettingsInjectNothing: settings that no check of ours would have taken
// break no request open. The target hears nothing, or nothing that was injected.
func TestStoredSettingsInjectNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	url, requests := recorded(t, answerOK)
	for name, s := range map[string]settings{
		"HeaderValue": {"url": url, "headers": map[string]string{"X-A": "b\r\nX-Injected: 1"}},
		"HeaderLF":    {"url": url, "headers": map[string]string{"X-A": "b\nX-Injected: 1"}},
		"HeaderName":  {"url": url, "headers": map[string]string{"X-A: b\r\nX-Injected": "1"}},
		"HostHeader":  {"url": url, "headers": map[string]string{"Host": "x\r\nX-Injected: 1"}},
		"Method":      {"url": url, "method": "GET / HTTP/1.1\r\nX-Injected: 1\r\n\r\nGET"},
		"URL":         {"url": url + "/ HTTP/1.1\r\nX-Injected: 1\r\n\r\n"},
		"File":        {"url": "file:///etc/passwd"},
		"Script":      {"url": "javascript:alert(1)"},
	} {
		_, _ = b.try(t.Context(), 5*time.Second, s, false) // refused or asked, as it may
		select {
		case request := <-requests:
			require.NotContains(t, request, "\nX-Injected", name)
		default:
		}
	}
}

// TestHostileRedirectsInjectNothing: neither does the target choose lines of the next
// request.
func TestHostileRedirectsInjectNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	next, requests := recorded(t, answerOK)
	for name, place := range map[string]string{
		"Encoded": next + "/%0d%0aX-Injected:%201",
		"Tab":     next + "/\tX-Injected: 1",
		"CR":      next + "/\rX-Injected: 1",
		"NUL":     next + "/\x00X-Injected: 1",
		"File":    "file:///etc/passwd",
		"Script":  "javascript:alert(1)",
		"Data":    "data:text/html,x",
		"Gopher":  strings.Replace(next, "http", "gopher", 1) + "/_X-Injected: 1",
	} {
		first := speak(t, say("HTTP/1.1 302 Found\r\nLocation: "+place+"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
		o, err := b.try(t.Context(), 5*time.Second, settings{"url": first}, false)
		if name == "Encoded" {
			require.NoError(t, err)
			require.Equal(t, "up", string(o.Status), o.Error)
		} else if err == nil {
			require.Equal(t, "down", string(o.Status), name)
		}
		select {
		case request := <-requests:
			require.NotContains(t, request, "\nX-Injected", name)
			require.NotContains(t, request, "\rX-Injected", name)
		default:
		}
	}
}
