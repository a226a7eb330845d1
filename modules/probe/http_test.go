package probe_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"io"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/form"
	"monitor/modules/outbound"
	"monitor/modules/probe"
	"monitor/modules/probe/probetest"
	"monitor/modules/uptime"
)

// issue makes a root, trusts it, and signs a leaf for an address.
func issue(t *testing.T, roots *x509.CertPool, host string, from, to time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test root"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	require.NoError(t, err)
	trusted, err := x509.ParseCertificate(raw)
	require.NoError(t, err)
	roots.AddCert(trusted)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test leaf"}, NotBefore: from, NotAfter: to,
		IPAddresses: []net.IP{net.ParseIP(host)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	signed, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{signed}, PrivateKey: key}
}

func TestHTTPPassesTheSuite(t *testing.T) {
	t.Parallel()
	probetest.Run(t, probetest.Suite{
		Type: "http",
		New: func(t *testing.T, config outbound.Config) *probe.Registry {
			t.Helper()
			guard, err := outbound.New(config)
			require.NoError(t, err)
			r, err := probe.New(probe.Deps{Guard: guard, Clock: uptime.SystemClock})
			require.NoError(t, err)
			return r
		},
		Up: func(t *testing.T) any {
			t.Helper()
			return settings{"url": serve(t, ok)}
		},
		Down: func(t *testing.T) any {
			t.Helper()
			return settings{"url": serve(t, http.NotFound)}
		},
		Silent: func(t *testing.T) any {
			t.Helper()
			return settings{"url": listen(t, hold)}
		},
		Garbage: func(t *testing.T) any {
			t.Helper()
			return settings{"url": speak(t, say("\x00\xff\xfe"))}
		},
		Secret: settings{"url": "https://me:s3cr3t@example.com/x?y=1", "headers": map[string]string{"Authorization": "s3cr3t"}},
	})
}

func TestRequestIsWhatTheSettingsSay(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	bodies := make(chan string, 1)
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- string(body)
		got <- r
	})
	b := setup(t)
	o := b.probe(t, 5*time.Second, settings{
		"url": strings.Replace(url, "http://", "http://me:pass@", 1) + "/a?b=c", "method": "POST", "body": "hello",
		"headers": map[string]string{"Host": "other.example", "X-One": "1"},
	})
	require.Equal(t, uptime.Up, o.Status, o.Error)
	r := <-got
	require.Equal(t, "hello", <-bodies)
	require.Equal(t, "POST", r.Method)
	require.Equal(t, "/a?b=c", r.URL.String())
	require.Equal(t, "other.example", r.Host)
	require.Equal(t, "1", r.Header.Get("X-One"))
	require.Equal(t, "monitor/1.2.3", r.UserAgent())
	user, password, _ := r.BasicAuth()
	require.Equal(t, "me:pass", user+":"+password)
	require.True(t, r.Close, "a fresh connection for each check")
}

func TestCredentialsStayWithTheirHost(t *testing.T) {
	t.Parallel()
	seen := make(chan http.Header, 3)
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header })
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header
		switch r.URL.Path {
		case "/":
			http.Redirect(w, r, "/same", http.StatusTemporaryRedirect)
		case "/same":
			http.Redirect(w, r, other, http.StatusTemporaryRedirect)
		}
	})
	o := setup(t).probe(t, 5*time.Second, settings{
		"url":     strings.Replace(url, "http://", "http://me:pass@", 1),
		"headers": map[string]string{"x-api-key": "k", "Cookie": "c=1", "X-Plain": "p"},
	})
	require.Equal(t, uptime.Up, o.Status, o.Error)
	for range 2 {
		h := <-seen
		require.Equal(t, "Basic bWU6cGFzcw==", h.Get("Authorization"))
		require.Equal(t, "k", h.Get("X-Api-Key"))
	}
	h := <-seen
	require.Equal(t, "p", h.Get("X-Plain"))
	for _, name := range []string{"Authorization", "X-Api-Key", "Cookie", "Referer"} {
		require.Empty(t, h.Get(name), name)
	}
}

func TestPhasesAndSlowness(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-time.After(30 * time.Millisecond):
		case <-r.Context().Done():
		}
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/next", http.StatusFound)
		}
	})
	o := setup(t).probe(t, 5*time.Second, settings{"url": strings.Replace(url, "127.0.0.1", "localhost", 1), "degraded_after": "50ms"})
	require.Equal(t, uptime.Degraded, o.Status)
	require.Contains(t, o.Error, "degraded after 50ms")
	require.Empty(t, o.ErrorKind)
	require.GreaterOrEqual(t, o.Phases.FirstByte, 60*time.Millisecond, "the sum of both hops")
	require.GreaterOrEqual(t, o.Response, o.Phases.FirstByte+o.Phases.Connect+o.Phases.DNS)
	require.Positive(t, o.Phases.DNS)
	require.Positive(t, o.Phases.Connect)
	require.Zero(t, o.Phases.TLS)
}

func TestEvidenceShowsNoSecret(t *testing.T) {
	t.Parallel()
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session=abcdef")
		w.Header().Set("X-Auth-Token", "abcdef")
		w.Header().Set("Location", "https://u:abcdef@example.com/path?token=abcdef")
		w.Header().Set("X-Echo", r.Header.Get("Authorization"))
		w.Header().Set("X-Odd", "a\xff\tb")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "you sent "+r.Header.Get("Authorization")+"\x00\xff end")
	})
	raw := settings{"url": url, "headers": map[string]string{"Authorization": "Bearer s3cr3t-token"}}
	o := setup(t).probe(t, 5*time.Second, raw)
	require.Equal(t, "Status 418 I'm a teapot, expected 200-299", o.Error)
	text, err := json.Marshal(o)
	require.NoError(t, err)
	require.NotContains(t, string(text), "s3cr3t-token")
	require.NotContains(t, string(text), "abcdef")
	require.Equal(t, "you sent ********\uFFFD end", o.Evidence.Excerpt)
	require.Equal(t, "https://example.com/path", o.Evidence.Headers["Location"])
	require.Equal(t, "a\uFFFD b", o.Evidence.Headers["X-Odd"])
	require.True(t, strings.HasPrefix(o.Evidence.Address, "127.0.0.1:"))
}

func TestErrorsShowNoSecret(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, url := range []string{"http://me:s3cr3t@no-such-host.invalid/", strings.Replace(refusing(site{t}), "http://", "http://me:s3cr3t@", 1)} {
		o := b.probe(t, 5*time.Second, settings{"url": url})
		require.Equal(t, uptime.Down, o.Status)
		require.NotContains(t, o.Error, "s3cr3t")
	}
	_, err := b.try(t.Context(), time.Second, settings{"url": "http://me:s3cr3t@bad host/"}, false)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "s3cr3t")
	_, err = b.try(t.Context(), time.Second, settings{"url": map[string]string{"s3cr3t": ""}}, false)
	require.ErrorContains(t, err, "cannot be read")
	require.NotContains(t, err.Error(), "s3cr3t")
}

func TestDetailTellsWhatWasExpected(t *testing.T) {
	t.Parallel()
	o, err := setup(t).try(t.Context(), 5*time.Second, settings{"url": serve(t, ok), "keyword": "nothing", "degraded_after": "5s"}, true)
	require.NoError(t, err)
	require.Equal(t, uptime.Expectation{Name: "status", Expected: "200-299", Actual: "200 OK", Met: true}, o.Expectations[0])
	require.Equal(t, uptime.Expectation{Name: "keyword", Expected: "contains nothing", Actual: "not found"}, o.Expectations[1])
	require.True(t, o.Expectations[2].Met)
	require.Equal(t, "all is fine", o.Evidence.Excerpt)
}

func TestGivingUpIsNotDown(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	url := listen(t, func(c net.Conn) {
		cancel(context.Canceled)
		hold(c)
	})
	_, err := setup(t).try(ctx, time.Minute, settings{"url": url}, false)
	require.ErrorIs(t, err, context.Canceled)
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	kind, found := setup(t).Kind("http")
	require.True(t, found)
	decode := func(s settings) map[string]string {
		raw, err := json.Marshal(s)
		require.NoError(t, err)
		block := kind.New()
		all := map[string]string{}
		if err := form.Decode("", raw, block); err != nil {
			for _, f := range err.Fields {
				all[f.Field] = f.Message
			}
		}
		for _, f := range kind.Check(block) {
			all[f.Field] = f.Message
		}
		return all
	}
	require.Empty(t, decode(settings{"url": "https://example.com", "expected_status": []string{"200", "3xx", "400-404"}, "headers": map[string]string{"Host": "a"}}))
	require.Empty(t, decode(settings{"url": "http://[::1]:8080/x"}))
	require.Empty(t, decode(settings{"url": "http://localhost"}))
	for _, url := range []string{"example.com", "ftp://example.com", "http://", "http://a:99999/", "file:///etc/passwd", "http:example.com", "http://:80", "javascript:alert(1)", "http://a b/"} {
		require.Contains(t, decode(settings{"url": url}), "url", url)
	}
	got := decode(settings{
		"url": "http://x", "method": "HEAD", "keyword": "a", "expected_status": []string{"200", "99", "300-200", "abc", "0xx", "1000"},
		"headers": map[string]string{"Bad Name": "a", "X-A": "a\nb", "Content-Length": "5", "X-B": "1", "x-b": "2"}, "certificate_warning_days": -1,
	})
	for _, field := range []string{
		"keyword", "expected_status[1]", "expected_status[2]", "expected_status[3]", "expected_status[4]", "expected_status[5]",
		"headers.Bad Name", "headers.X-A", "headers.Content-Length", "headers.x-b", "certificate_warning_days",
	} {
		require.Contains(t, got, field)
	}
	require.NotContains(t, got, "expected_status[0]")
}

func TestUnknownTypeIsAnError(t *testing.T) {
	t.Parallel()
	_, err := setup(t).Probe(t.Context(), uptime.Spec{Type: "carrier-pigeon", Timeout: time.Second}, false)
	require.ErrorIs(t, err, probe.ErrType)
}
