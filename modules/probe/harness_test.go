package probe_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/outbound"
	"monitor/modules/probe"
	"monitor/modules/uptime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is one registry for a test.
type bench struct {
	*probe.Registry
	roots *x509.CertPool
}

func setup(t testing.TB, change ...func(*outbound.Config)) bench {
	t.Helper()
	config := outbound.DefaultConfig()
	for _, c := range change {
		c(&config)
	}
	guard, err := outbound.New(config)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	r, err := probe.New(probe.Deps{Guard: guard, Clock: uptime.SystemClock, Version: "1.2.3", RootCAs: roots})
	require.NoError(t, err)
	return bench{r, roots}
}

// settings is a block of a monitor in JSON terms.
type settings map[string]any

func (b bench) probe(t testing.TB, timeout time.Duration, s settings) uptime.Outcome {
	t.Helper()
	o, err := b.try(t.Context(), timeout, s, false)
	require.NoError(t, err)
	return o
}

func (b bench) try(ctx context.Context, timeout time.Duration, s settings, detail bool) (uptime.Outcome, error) {
	raw, err := json.Marshal(s)
	if err != nil {
		return uptime.Outcome{}, err
	}
	return b.Probe(ctx, uptime.Spec{Type: "http", Timeout: timeout, Settings: raw}, detail)
}

// serve is a well-behaved HTTP server.
func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// serveTLS is one with TLS; change may spoil it before it starts.
func serveTLS(t testing.TB, h http.HandlerFunc, change func(*httptest.Server)) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	if change != nil {
		change(s)
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// speak is a raw TCP server that hands each connection to talk after it read
// the head of the request, and then closes it.
func speak(t testing.TB, talk func(net.Conn)) string {
	t.Helper()
	return listen(t, func(c net.Conn) {
		request, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		_ = request.Body.Close()
		talk(c)
	})
}

// listen is a raw TCP server; its connections are closed when the test ends.
func listen(t testing.TB, talk func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended, done := context.WithCancel(context.Background())
	go func() {
		defer done()
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			closed := context.AfterFunc(ended, func() { _ = c.Close() })
			go func() {
				talk(c)
				_ = c.Close()
				closed()
			}()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended.Done()
	})
	return "http://" + listener.Addr().String()
}

// hold keeps a connection open until the other side closes it.
func hold(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

func say(text string) func(net.Conn) {
	return func(c net.Conn) { _, _ = io.WriteString(c, text) }
}

// repeat writes until the other side hangs up.
func repeat(start, text string) func(net.Conn) {
	return func(c net.Conn) {
		_, err := io.WriteString(c, start)
		for err == nil {
			_, err = io.WriteString(c, text)
		}
	}
}
