package httpd

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// header is one line of a request's head.
type header struct{ name, value string }

// TestForgedAddresses: an address is the peer's, unless a proxy that we were told of
// says another; of what is said, only what that proxy itself added counts.
func TestForgedAddresses(t *testing.T) {
	t.Parallel()
	const stranger, strangerV6, proxy, proxyV6 = "192.0.2.1:5", "[2001:db8:9::1]:5", "10.1.1.1:5", "[fd00::1]:5"
	for _, c := range []struct {
		name, peer, address string
		headers             []header
	}{
		{"Stranger", stranger, "192.0.2.1", []header{{"X-Forwarded-For", "127.0.0.1"}}},
		{"StrangerNamesAProxy", stranger, "192.0.2.1", []header{{"X-Forwarded-For", "127.0.0.1, 10.1.1.1"}}},
		{"StrangerByIPv6", strangerV6, "2001:db8:9::1", []header{{"X-Forwarded-For", "::1"}}},
		{"StrangerSaysItAllWays", stranger, "192.0.2.1", []header{
			{"Forwarded", "for=127.0.0.1;proto=https;host=localhost"},
			{"X-Real-Ip", "127.0.0.1"},
			{"X-Client-Ip", "127.0.0.1"},
			{"True-Client-Ip", "127.0.0.1"},
			{"Cf-Connecting-Ip", "127.0.0.1"},
			{"X-Originating-Ip", "127.0.0.1"},
			{"X-Remote-Ip", "127.0.0.1"},
			{"X-Remote-Addr", "127.0.0.1"},
			{"X-Cluster-Client-Ip", "127.0.0.1"},
		}},
		{"NearlyAProxy", "11.1.1.1:5", "11.1.1.1", []header{{"X-Forwarded-For", "127.0.0.1"}}},
		{"ProxyAsMapped", "[::ffff:10.1.1.1]:5", "192.0.2.7", []header{{"X-Forwarded-For", "192.0.2.7"}}},
		{"ProxyByIPv6", proxyV6, "2001:db8::7", []header{{"X-Forwarded-For", "2001:db8::7"}}},
		{"ProxyWithZone", "[fd00::1%eth0]:5", "2001:db8::7", []header{{"X-Forwarded-For", "2001:db8::7"}}},
		{"OnlyTheChainCounts", proxy, "10.1.1.1", []header{{"X-Real-Ip", "127.0.0.1"}, {"Forwarded", "for=127.0.0.1"}}},
		{"LastOfTheLine", proxy, "192.0.2.7", []header{{"X-Forwarded-For", "127.0.0.1, ::1, 192.0.2.7"}}},
		{"SeveralLines", proxy, "192.0.2.7", []header{{"X-Forwarded-For", "127.0.0.1"}, {"X-Forwarded-For", "192.0.2.7"}}},
		{"LinesOfProxies", proxy, "192.0.2.7", []header{{"X-Forwarded-For", "127.0.0.1, 192.0.2.7"}, {"X-Forwarded-For", "10.2.2.2,10.3.3.3"}}},
		{"MappedInTheChain", proxy, "192.0.2.7", []header{{"X-Forwarded-For", "::ffff:192.0.2.7"}}},
		{"MappedProxyInTheChain", proxy, "192.0.2.7", []header{{"X-Forwarded-For", "192.0.2.7, ::ffff:10.2.2.2"}}},
		{"LongForm", proxy, "2001:db8::7", []header{{"X-Forwarded-For", "2001:0DB8:0000:0000:0000:0000:0000:0007"}}},
		{"ZoneIsText", proxy, "fe80::7", []header{{"X-Forwarded-For", "fe80::7%<script>alert(1)</script>"}}},
		{"LoopbackClaimed", proxy, "127.0.0.1", []header{{"X-Forwarded-For", "127.0.0.1"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.address, addressOf(t, c.peer, c.headers))
		})
	}
	for name, garbage := range map[string]string{
		"Empty": "", "Commas": ",,,", "Unknown": "unknown", "Obfuscated": "_hidden", "Octal": "0177.0.0.1", "Hex": "0x7f000001", "Decimal": "2130706433",
		"Short": "127.1", "LeadingZeros": "127.000.000.001", "Port": "192.0.2.7:443", "Brackets": "[2001:db8::7]", "BracketsAndPort": "[2001:db8::7]:443", "Quoted": `"192.0.2.7"`,
		"Network": "192.0.2.0/24", "Script": "<script>alert(1)</script>", "SQL": "' OR 1=1 --", "Name": "localhost", "Wide": "１２７.0.0.1", "Long": strings.Repeat("1", 60000),
		"GoodBeforeGarbage": "192.0.2.7, nonsense", "ManyHops": strings.Repeat("10.2.2.2,", 6000),
	} {
		t.Run("Garbage"+name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, "10.1.1.1", addressOf(t, proxy, []header{{"X-Forwarded-For", garbage}}), "then it is the proxy's own")
		})
	}
}

// addressOf is whom a server with proxies takes the sender of the request for. A
// request with a trace of forwarding is never local.
func addressOf(t *testing.T, peer string, headers []header) string {
	t.Helper()
	p := params()
	p.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
	r.RemoteAddr, r.Host = peer, "localhost:8080"
	for _, h := range headers {
		r.Header.Add(h.name, h.value)
	}
	got := New(p).identify(r)
	require.False(t, got.Local)
	require.Equal(t, "abc", got.ID)
	return got.Address
}

// TestForgedHostsAndSchemes: neither does a stranger say over what, or to whom, they
// speak.
func TestForgedHostsAndSchemes(t *testing.T) {
	t.Parallel()
	ask := func(peer string, headers ...header) (secure bool, host string) {
		p := params()
		p.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.RemoteAddr, r.Host = peer, "m.example.com"
		for _, h := range headers {
			r.Header.Add(h.name, h.value)
		}
		got := New(p).identify(r)
		return got.Secure, got.Host
	}
	all := []header{
		{"X-Forwarded-Proto", "https"},
		{"X-Forwarded-Scheme", "https"},
		{"X-Forwarded-Ssl", "on"},
		{"Front-End-Https", "on"},
		{"X-Forwarded-Host", "evil.example"},
		{"X-Host", "evil.example"},
		{"X-Forwarded-Server", "evil.example"},
		{"X-Original-Host", "evil.example"},
		{"Forwarded", "host=evil.example;proto=https"},
	}
	secure, host := ask("192.0.2.1:5", all...)
	require.False(t, secure)
	require.Equal(t, "m.example.com", host)
	for _, bad := range []string{"a.example, b.example", "a.example/path", `a.example\path`, "user@a.example", "a example"} {
		_, host = ask("10.1.1.1:5", header{"X-Forwarded-Host", bad})
		require.Equal(t, "m.example.com", host, bad)
	}
}

var quoted = regexp.MustCompile(`"(?:\\.|[^"\\])*"`)

// TestLogsHaveOneLine: whatever a path holds, a request is one line of the log, and
// says nothing that we did not.
func TestLogsHaveOneLine(t *testing.T) {
	t.Parallel()
	for name, format := range map[string]func(io.Writer) slog.Handler{
		"Text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) },
		"JSON": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			p := params()
			p.Log, p.Web = slog.New(format(&log)), say("web")
			base, stop := start(t, p)
			for _, path := range []string{
				"/a%0d%0atime=2026%20level=ERROR%20msg=forged", "/a%0a{%22level%22:%22ERROR%22,%22msg%22:%22forged%22}", "/a%e2%80%a8forged", "/a%e2%80%aeforged",
				"/a%1b[2J", "/a%00b", "/a%7f", "/a%c2%85b", "/a%ff%fe", `/a%22%20level=ERROR`, "/%7B%7B.%7D%7D%25s%25n", "/" + strings.Repeat("a", 20000),
			} {
				status, _ := get(t, base+path, "User-Agent", "forged agent", "X-Request-Id", "forged id", "Referer", "forged referer")
				require.Equal(t, http.StatusOK, status, path)
			}
			require.NoError(t, stop())
			text := log.String()
			lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
			require.Len(t, lines, 12)
			for _, line := range lines {
				require.Contains(t, line, "abc", "with the id that we gave")
				require.Less(t, len(line), 1000)
			}
			require.NotContains(t, text, `"level":"ERROR"`)
			require.NotContains(t, quoted.ReplaceAllString(text, ""), "level=ERROR")
			for _, never := range []string{"\x1b", "\x00", "\x7f", "\u0085", "\u2028", "\u202e", "\r", "forged agent", "forged id", "forged referer"} {
				require.NotContains(t, text, never)
			}
		})
	}
}
