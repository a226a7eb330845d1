package httpd

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// heard is a handler that notes what it was asked for, and reads bodies.
type heard struct {
	mu    sync.Mutex
	asked []string
	bodys []error
}

func (h *heard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	h.mu.Lock()
	h.asked = append(h.asked, fmt.Sprintf("%s %s %s %q", r.Method, r.URL.Path, r.Host, body))
	h.bodys = append(h.bodys, err)
	h.mu.Unlock()
	_, _ = io.WriteString(w, "heard\n")
}

func (h *heard) requests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.asked...)
}

// limited runs a server whose limits are so short that a test can wait for them.
func limited(t *testing.T, change func(*limits)) (address string, h *heard) {
	t.Helper()
	h = &heard{}
	p := params()
	p.Web = h
	s := New(p)
	change(&s.limits)
	base, _ := run(t, s)
	return strings.TrimPrefix(base, "http://"), h
}

// converse sends bytes on a connection of their own and gives all that comes until
// the other side ends it.
func converse(t *testing.T, address string, parts ...string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	for _, part := range parts {
		if _, err := io.WriteString(conn, part); err != nil {
			break // it was refused before its end
		}
	}
	answer, _ := io.ReadAll(conn) // a reset is an end, too
	return string(answer)
}

// TestSlowHeadIsCut: who opens a connection and says little is not waited for.
func TestSlowHeadIsCut(t *testing.T) {
	t.Parallel()
	address, h := limited(t, func(l *limits) { l.header = 100 * time.Millisecond })
	for _, sent := range []string{"", "GET", "GET / HTTP/1.1\r\nHost: x\r\nX-A: ", "GET / HTTP/1.1\r\nHost: x\r\n"} {
		require.NotContains(t, converse(t, address, sent), "HTTP/1.1 200", "%q", sent)
	}
	require.Empty(t, h.requests())
}

// TestSlowlorisIsCut: a byte now and then moves no deadline.
func TestSlowlorisIsCut(t *testing.T) {
	t.Parallel()
	address, h := limited(t, func(l *limits) { l.header = 200 * time.Millisecond })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, conn)
	}()
	_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n")
	require.NoError(t, err)
	drip := time.NewTicker(10 * time.Millisecond)
	defer drip.Stop()
	for n := 0; ; n++ {
		select {
		case <-ended:
			require.Empty(t, h.requests())
			return
		case <-drip.C:
			_, _ = fmt.Fprintf(conn, "X-%d: a\r\n", n) // it may be cut by now
		}
	}
}

// TestSlowBodyIsCut: neither does a body that never ends.
func TestSlowBodyIsCut(t *testing.T) {
	t.Parallel()
	address, h := limited(t, func(l *limits) { l.read = 200 * time.Millisecond })
	for _, framing := range []string{"Content-Length: 1000000", "Transfer-Encoding: chunked"} {
		converse(t, address, "POST / HTTP/1.1\r\nHost: x\r\n"+framing+"\r\n\r\n5\r\nhello")
	}
	require.Len(t, h.requests(), 2)
	for _, err := range h.bodys {
		require.Error(t, err, "the handler does not take half a body for all of it")
	}
}

// TestIdleConnectionsEnd: a connection that is kept for nothing is closed.
func TestIdleConnectionsEnd(t *testing.T) {
	t.Parallel()
	address, h := limited(t, func(l *limits) { l.idle = 100 * time.Millisecond })
	require.Contains(t, converse(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "200 OK")
	require.Len(t, h.requests(), 1)
}

// TestLargeHeadsAreRefused: many headers, long ones, long lines.
func TestLargeHeadsAreRefused(t *testing.T) {
	t.Parallel()
	address, h := limited(t, func(*limits) {})
	many := &strings.Builder{}
	for n := range 20_000 {
		fmt.Fprintf(many, "X-%d: a\r\n", n)
	}
	const begin, end = "GET / HTTP/1.1\r\nHost: x\r\n", "\r\n"
	for name, request := range map[string]string{
		"ManyHeaders": begin + many.String() + end,
		"SameHeader":  begin + strings.Repeat("A:\r\n", 40_000) + end,
		"LongValue":   begin + "Authorization: Bearer " + strings.Repeat("a", 3<<20) + "\r\n" + end,
		"LongName":    begin + strings.Repeat("a", 1<<20) + ": b\r\n" + end,
		"LongPath":    "GET /" + strings.Repeat("a", 1<<20) + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"LongCookie":  begin + "Cookie: " + strings.Repeat("a=b;", 40_000) + "\r\n" + end,
	} {
		answer := converse(t, address, request)
		require.NotContains(t, answer, "200 OK", name)
		if answer != "" { // else the refusal was lost with the rest of the request
			require.Contains(t, answer, "431 Request Header Fields Too Large", name)
		}
	}
	require.Empty(t, h.requests())
}

// TestLargeBodiesAreCut: no handler is given more than the last resort.
func TestLargeBodiesAreCut(t *testing.T) {
	t.Parallel()
	address, h := limited(t, func(l *limits) { l.body = 1000 })
	converse(t, address, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1001\r\n\r\n"+strings.Repeat("a", 1001))
	converse(t, address, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n"+strings.Repeat("a", 2000)+"\r\n0\r\n\r\n")
	require.Len(t, h.requests(), 2)
	for _, err := range h.bodys {
		require.ErrorAs(t, err, new(*http.MaxBytesError))
	}
}

// smuggled is a request that nobody asked for. None of the forms below brings it to a
// handler.
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"

// TestSmuggling: where a request ends is said in one way, or it is the last of its
// connection.
func TestSmuggling(t *testing.T) {
	t.Parallel()
	const post = "POST / HTTP/1.1\r\nHost: x\r\n"
	chunks := "0\r\n\r\n" + smuggled
	for name, c := range map[string]struct {
		request string
		heard   int // requests that a handler may see
	}{
		"LengthAndChunks":       {post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, 1},
		"ChunksAndLength":       {post + "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n" + chunks, 1},
		"LengthAndWrongChunks":  {post + "Content-Length: 6\r\nTransfer-Encoding: xchunked\r\n\r\n" + chunks, 0},
		"ChunkedTwice":          {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, 0},
		"ChunkedThenIdentity":   {post + "Transfer-Encoding: chunked, identity\r\n\r\n" + chunks, 0},
		"IdentityThenChunked":   {post + "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, 0},
		"ChunkedWithTab":        {post + "Transfer-Encoding:\x0bchunked\r\n\r\n" + chunks, 0},
		"ChunkedQuoted":         {post + "Transfer-Encoding: \"chunked\"\r\n\r\n" + chunks, 0},
		"SpaceBeforeColon":      {post + "Transfer-Encoding : chunked\r\nContent-Length: 6\r\n\r\n" + chunks, 0},
		"SpaceBeforeLength":     {post + "Content-Length : 6\r\n\r\n" + chunks, 0},
		"NameWithCR":            {post + "X: y\rTransfer-Encoding: chunked\r\n\r\n" + chunks, 0},
		"NameWithNUL":           {post + "Content-Length\x00: 6\r\n\r\n" + chunks, 0},
		"TwoLengths":            {post + "Content-Length: 6\r\nContent-Length: 0\r\n\r\n" + chunks, 0},
		"ListOfLengths":         {post + "Content-Length: 6, 0\r\n\r\n" + chunks, 0},
		"LengthWithSign":        {post + "Content-Length: +6\r\n\r\n" + chunks, 0},
		"NegativeLength":        {post + "Content-Length: -1\r\n\r\n" + chunks, 0},
		"HexLength":             {post + "Content-Length: 0x6\r\n\r\n" + chunks, 0},
		"EmptyLength":           {post + "Content-Length:\r\n\r\n" + chunks, 0},
		"HugeLength":            {post + "Content-Length: 99999999999999999999\r\n\r\n" + chunks, 0},
		"FoldedFirstLine":       {"POST / HTTP/1.1\r\n Content-Length: 6\r\nHost: x\r\n\r\n" + chunks, 0},
		"TwoHosts":              {post + "Host: y\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 0},
		"NoHost":                {"GET / HTTP/1.1\r\n\r\n" + smuggled, 0},
		"BadHost":               {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n" + smuggled, 0},
		"VersionNine":           {"GET / HTTP/0.9\r\n\r\n" + smuggled, 0},
		"NoVersion":             {"GET /\r\n\r\n" + smuggled, 0},
		"SpaceInPath":           {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n" + smuggled, 0},
		"BareLFInChunkSize":     {post + "Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n" + chunks, 1},
		"BareLFInChunkExt":      {post + "Transfer-Encoding: chunked\r\n\r\n2;\nxx\r\n4a\r\n0\r\n\r\n" + smuggled, 1}, // CVE-2025-22871
		"HugeChunk":             {post + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n" + chunks, 1},
		"SignedChunk":           {post + "Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n" + smuggled, 1},
		"LengthInTheTrailer":    {post + "Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\nContent-Length: 6\r\n\r\n" + smuggled, 0},
		"UpgradeThatIsNotTaken": {"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + smuggled, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, h := limited(t, func(l *limits) { l.idle = 500 * time.Millisecond })
			converse(t, address, c.request)
			asked := h.requests()
			require.Len(t, asked, c.heard)
			for _, one := range asked {
				require.NotContains(t, one, "/smuggled x \"\"")
			}
		})
	}
}

// TestFoldedAndBareLines: old forms of lines are read as the specification allows:
// a folded line belongs to the one before, and says nothing of its own.
func TestFoldedAndBareLines(t *testing.T) {
	t.Parallel()
	address, h := limited(t, func(l *limits) { l.idle = 200 * time.Millisecond })
	converse(t, address, "POST / HTTP/1.1\r\nHost: x\r\nX-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello")
	converse(t, address, "GET /bare HTTP/1.1\nHost: x\n\n")
	require.Equal(t, []string{`POST / x "hello"`, `GET /bare x ""`}, h.requests())
}

// TestPipelinedRequestsAreTwo shows what the forms above are measured by: honest
// requests on one connection are both heard.
func TestPipelinedRequestsAreTwo(t *testing.T) {
	t.Parallel()
	address, h := limited(t, func(l *limits) { l.idle = 200 * time.Millisecond })
	answer := converse(t, address, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"+smuggled)
	require.Equal(t, []string{`POST / x "hello"`, `GET /smuggled x ""`}, h.requests())
	read := bufio.NewReader(strings.NewReader(answer))
	for range 2 {
		one, err := http.ReadResponse(read, nil)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, one.Body)
		require.NoError(t, err)
		require.NoError(t, one.Body.Close())
		require.Equal(t, http.StatusOK, one.StatusCode)
	}
}
