package outbound_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/outbound"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func guard(t *testing.T, c outbound.Config, o ...outbound.Option) *outbound.Guard {
	t.Helper()
	g, err := outbound.New(c, o...)
	require.NoError(t, err)
	return g
}

func TestJudge(t *testing.T) {
	t.Parallel()
	open := outbound.DefaultConfig()
	closed := outbound.Config{Deny: outbound.DefaultDeny()}
	nothing := outbound.Config{AllowPrivate: true}
	for name, c := range map[string]struct {
		config  outbound.Config
		blocked []string
		allowed []string
	}{
		"Default": {
			open,
			[]string{
				"169.254.169.254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::169.254.169.254",
				"64:ff9b:1::a9fe:a9fe", "64:ff9b:1:7::a9fe:a9fe", "::ffff:0:a9fe:a9fe",
				"fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192",
			},
			[]string{"127.0.0.1", "10.1.2.3", "::1", "fe80::1%eth0", "8.8.8.8", "0.0.0.0", "2606:4700::1"},
		},
		"Public": {
			closed,
			[]string{
				"127.0.0.1", "127.9.9.9", "0.0.0.0", "::", "::1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1",
				"fe80::1", "fd12::1", "ff02::1", "224.0.0.1", "255.255.255.255", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1",
			},
			[]string{"8.8.8.8", "2606:4700::1", "64:ff9b::808:808"},
		},
		"AllowWins": {
			outbound.Config{Deny: []string{"0.0.0.0/0"}, Allow: []string{"10.0.0.0/8", "::ffff:192.168.0.0/112", "127.0.0.1"}},
			[]string{"8.8.8.8", "172.16.0.1", "127.0.0.2", "0.0.0.0"},
			[]string{"10.0.0.1", "::ffff:10.0.0.1", "192.168.3.4", "127.0.0.1"},
		},
		"LoopbackByAnotherName": {
			outbound.Config{Deny: []string{"127.0.0.0/8"}, AllowPrivate: true},
			[]string{"0.0.0.0", "::", "::ffff:127.0.0.1"},
			[]string{"::1", "10.0.0.1"},
		},
		"AllowedNAT64StillJudgesInside": {
			outbound.Config{Deny: outbound.DefaultDeny(), Allow: []string{"64:ff9b::/96"}},
			[]string{"64:ff9b::a9fe:a9fe", "64:ff9b::a00:1"},
			[]string{"64:ff9b::808:808"},
		},
		"NoRules": {nothing, nil, []string{"169.254.169.254", "::1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := guard(t, c.config)
			for _, a := range c.blocked {
				err := g.Judge(netip.MustParseAddr(a))
				require.ErrorIs(t, err, outbound.ErrBlocked, a)
				var b *outbound.BlockedError
				require.ErrorAs(t, err, &b)
				require.Contains(t, err.Error(), netip.MustParseAddr(a).String())
				require.Contains(t, b.Rule, "network.")
			}
			for _, a := range c.allowed {
				require.NoError(t, g.Judge(netip.MustParseAddr(a)), a)
			}
		})
	}
	require.ErrorIs(t, guard(t, nothing).Judge(netip.Addr{}), outbound.ErrBlocked)
}

func TestNewNamesEveryBadEntry(t *testing.T) {
	t.Parallel()
	_, err := outbound.New(outbound.Config{Deny: []string{"10.0.0.0/8", "nonsense"}, Allow: []string{"300.0.0.1", "10.0.0.0/33"}})
	for _, want := range []string{`network.deny: "nonsense"`, `network.allow: "300.0.0.1"`, `network.allow: "10.0.0.0/33"`} {
		require.ErrorContains(t, err, want)
	}
}

func TestDialsAreJudgedByTheirAddress(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, strings.Replace("http://"+r.Host+"/", "127.0.0.1", "127.0.0.2", 1), http.StatusFound)
		}
	}))
	defer server.Close()
	address := server.Listener.Addr().String()
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)

	g := guard(t, outbound.Config{AllowPrivate: true, Deny: []string{"127.0.0.2/32"}})
	conn, err := g.DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	for _, host := range []string{"127.0.0.2", "::ffff:127.0.0.2"} {
		_, err = g.DialContext(t.Context(), "tcp", net.JoinHostPort(host, port))
		require.ErrorIs(t, err, outbound.ErrBlocked)
	}
	_, err = g.DialContext(t.Context(), "udp", "127.0.0.2:53")
	require.ErrorIs(t, err, outbound.ErrBlocked)
	_, err = g.DialContext(t.Context(), "unix", "/run/some.sock")
	require.ErrorIs(t, err, outbound.ErrBlocked)

	transport := g.Transport(outbound.TransportOptions{})
	client := &http.Client{Transport: transport}
	err = get(t.Context(), client, server.URL)
	require.NoError(t, err)
	err = get(t.Context(), client, server.URL+"/away")
	require.ErrorIs(t, err, outbound.ErrBlocked, "redirects are judged")
}

func get(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	_, copyErr := io.Copy(io.Discard, response.Body)
	return errors.Join(copyErr, response.Body.Close())
}

func TestNamesAreJudgedByWhatTheyResolveTo(t *testing.T) {
	t.Parallel()
	// localhost comes from the hosts file: the name is harmless, the address is not.
	g := guard(t, outbound.Config{})
	_, err := g.DialContext(t.Context(), "tcp", "localhost:80")
	require.ErrorIs(t, err, outbound.ErrBlocked)

	asked := make(chan string, 10)
	own := &net.Resolver{PreferGo: true, Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		asked <- address
		return nil, errors.New("no way there")
	}}
	g = guard(t, outbound.DefaultConfig(), outbound.WithResolver(own))
	require.Same(t, own, g.Resolver())
	_, err = g.DialContext(t.Context(), "tcp", "name.example:80")
	var dns *net.DNSError
	require.ErrorAs(t, err, &dns)
	require.NotEmpty(t, <-asked)
}

func TestDialTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	g := guard(t, outbound.DefaultConfig())
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	conn, err := g.DialTLS(t.Context(), "tcp", server.Listener.Addr().String(), &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12})
	require.NoError(t, err)
	require.NoError(t, conn.Close())
	_, err = g.DialTLS(t.Context(), "tcp", server.Listener.Addr().String(), nil)
	var unknown x509.UnknownAuthorityError
	require.ErrorAs(t, err, &unknown)
}

func TestTransportCapsHeaders(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 100 {
			w.Header().Add("X-Long", strings.Repeat("a", 1000))
		}
	}))
	defer server.Close()
	transport := guard(t, outbound.DefaultConfig()).Transport(outbound.TransportOptions{HTTP1Only: true})
	err := get(t.Context(), &http.Client{Transport: transport}, server.URL)
	require.ErrorContains(t, err, "headers exceeded")
}

// TestBoundDialsEndWithTheirRequest would leave goroutines for goleak to find:
// net/http itself goes on with the handshake of a request that was given up.
func TestBoundDialsEndWithTheirRequest(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	transport := guard(t, outbound.DefaultConfig()).Transport(outbound.TransportOptions{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err = get(outbound.Bind(ctx), &http.Client{Transport: transport}, "https://"+listener.Addr().String())
	var late net.Error
	require.ErrorAs(t, err, &late)
	require.True(t, late.Timeout())
	conn, err := listener.Accept()
	require.NoError(t, err)
	// The client has hung up when nothing but the start of a handshake comes.
	_, err = io.Copy(io.Discard, conn)
	require.True(t, err == nil || errors.Is(err, syscall.ECONNRESET), "%v", err)
	require.NoError(t, conn.Close())
}

// TestHalfAnAnswerIsLateNotWrong: the deadline of the request comes before that of
// its socket, which would pass for the end of the line.
func TestHalfAnAnswerIsLateNotWrong(t *testing.T) {
	t.Parallel()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var talks sync.WaitGroup
	talks.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			talks.Go(func() {
				_, _ = io.ReadFull(conn, make([]byte, 16)) // the request has begun
				_, _ = io.WriteString(conn, "HTTP/1.1 2")
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			})
		}
	})
	transport := guard(t, outbound.DefaultConfig()).Transport(outbound.TransportOptions{HTTP1Only: true})
	var gets sync.WaitGroup
	for range 40 {
		gets.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			err := get(outbound.Bind(ctx), &http.Client{Transport: transport}, "http://"+listener.Addr().String())
			assert.ErrorIs(t, err, context.DeadlineExceeded)
		})
	}
	gets.Wait()
	require.NoError(t, listener.Close())
	talks.Wait()
}
