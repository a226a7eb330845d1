package probe_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/outbound"
	"monitor/modules/probe"
	"monitor/modules/uptime"
)

func TestMain(m *testing.M) {
	if os.Getenv("PROBE_BENCH_TARGET") != "" {
		beTarget()
		return
	}
	goleak.VerifyTestMain(m)
}

// beTarget makes this process the target of a benchmark until its input ends. It
// does as little as it can: both share the machine.
func beTarget() {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	_, _ = fmt.Fprintln(os.Stdout, listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = listener.Close()
	}()
	answer := []byte("HTTP/1.1 200 OK\r\nServer: target\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
	for {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			var request [4096]byte
			_, _ = c.Read(request[:])
			_, _ = c.Write(answer)
			_ = c.Close()
		}()
	}
}

// bench is one registry for a test.
type bench struct {
	*probe.Registry
	roots *x509.CertPool
}

func setup(tb testing.TB, change ...func(*outbound.Config)) bench {
	tb.Helper()
	config := outbound.DefaultConfig()
	for _, c := range change {
		c(&config)
	}
	guard, err := outbound.New(config)
	require.NoError(tb, err)
	roots := x509.NewCertPool()
	r, err := probe.New(probe.Deps{Guard: guard, Clock: uptime.SystemClock, Version: "1.2.3", RootCAs: roots})
	require.NoError(tb, err)
	return bench{r, roots}
}

// settings is a block of a monitor in JSON terms.
type settings map[string]any

func (b bench) probe(tb testing.TB, timeout time.Duration, s settings) uptime.Outcome {
	tb.Helper()
	o, err := b.try(tb.Context(), timeout, s, false)
	require.NoError(tb, err)
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
func serve(tb testing.TB, h http.HandlerFunc) string {
	tb.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	tb.Cleanup(s.Close)
	return s.URL
}

// serveTLS is one with TLS; change may spoil it before it starts.
func serveTLS(tb testing.TB, h http.HandlerFunc, change func(*httptest.Server)) *httptest.Server {
	tb.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	if change != nil {
		change(s)
	}
	s.StartTLS()
	tb.Cleanup(s.Close)
	return s
}

// speak is a raw TCP server that hands each connection to talk after it read
// the head of the request, and then closes it.
func speak(tb testing.TB, talk func(net.Conn)) string {
	tb.Helper()
	return listen(tb, func(c net.Conn) {
		request, err := http.ReadRequest(bufio.NewReader(c))
		if err != nil {
			return
		}
		_ = request.Body.Close()
		talk(c)
	})
}

// listen is a raw TCP server; its connections are closed when the test ends.
func listen(tb testing.TB, talk func(net.Conn)) string {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
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
	tb.Cleanup(func() {
		_ = listener.Close()
		<-ended.Done()
	})
	return "http://" + listener.Addr().String()
}

// site is where the targets of one test live.
type site struct{ tb testing.TB }

func (s site) serve(h http.HandlerFunc) string   { return serve(s.tb, h) }
func (s site) speak(talk func(net.Conn)) string  { return speak(s.tb, talk) }
func (s site) listen(talk func(net.Conn)) string { return listen(s.tb, talk) }
func (s site) serveTLS(h http.HandlerFunc, change func(*httptest.Server)) *httptest.Server {
	return serveTLS(s.tb, h, change)
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
