package probe_test

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/outbound"
	"monitor/modules/uptime"
)

const short = 300 * time.Millisecond

// TestHostileServers is the table of what targets do to a check. None may hang
// it beyond its timeout, fill memory, or be anything but down with its kind.
func TestHostileServers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url  func(on site) string
		set  settings
		kind uptime.ErrorKind
		text string
	}{
		"NeverAnswers": {func(on site) string { return on.listen(hold) }, nil, uptime.KindTimeout, "No answer within 300ms (connected to 127.0.0.1:"},
		"SlowHeaders":  {func(on site) string { return on.speak(chain(say("HTTP/1.1 200 OK\r\nX-A: "), hold)) }, nil, uptime.KindTimeout, "No answer within"},
		"SlowBody":     {func(on site) string { return on.speak(chain(say("HTTP/1.1 200 OK\r\n\r\nstart"), hold)) }, nil, uptime.KindTimeout, "the answer began and did not end"},
		"EndlessHeaders": {func(on site) string {
			return on.speak(repeat("HTTP/1.1 200 OK\r\n", "X-A: "+strings.Repeat("a", 1000)+"\r\n"))
		}, nil, uptime.KindProtocol, "larger than 64 KiB"},
		"EndlessHeaderLine": {func(on site) string {
			return on.speak(repeat("HTTP/1.1 200 OK\r\nX-A: ", strings.Repeat("a", 1000)))
		}, nil, uptime.KindProtocol, "larger than 64 KiB"},
		"EndlessBodyWithoutKeyword": {
			func(on site) string {
				return on.speak(repeat("HTTP/1.1 200 OK\r\n\r\n", strings.Repeat("a", 9000)))
			},
			settings{"keyword": "needle"},
			uptime.KindBodyTooLarge, "larger than 1 MiB",
		},
		"Garbage":       {func(on site) string { return on.speak(say("\x00\xff\x01 nonsense\r\n\r\n")) }, nil, uptime.KindProtocol, "The answer is not valid: malformed HTTP"},
		"BadStatusLine": {func(on site) string { return on.speak(say("HTTP/1.1 abc OK\r\n\r\n")) }, nil, uptime.KindProtocol, "malformed HTTP status code"},
		"OtherProtocol": {func(on site) string { return on.listen(say("SSH-2.0-OpenSSH_9.9\r\n")) }, nil, uptime.KindProtocol, "The answer is not valid"},
		"ClosesAtOnce":  {func(on site) string { return on.speak(say("")) }, nil, uptime.KindProtocol, "closed the connection before the answer"},
		"ResetsMidway": {func(on site) string {
			return on.speak(chain(say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"), reset))
		}, nil, uptime.KindProtocol, "the connection in the middle of the answer"},
		"EndsBeforeItsLength": {func(on site) string { return on.speak(say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")) }, nil, uptime.KindProtocol, "closed the connection in the middle"},
		"BadChunks": {func(on site) string {
			return on.speak(say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"))
		}, nil, uptime.KindProtocol, "invalid byte in chunk length"},
		"TwoLengths": {func(on site) string {
			return on.speak(say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"))
		}, nil, uptime.KindProtocol, "not valid"},
		"EndlessInterim": {func(on site) string { return on.speak(repeat("", "HTTP/1.1 103 Early Hints\r\n\r\n")) }, nil, uptime.KindProtocol, "larger than 64 KiB"},
		"BadGzip": {func(on site) string {
			return on.speak(say("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 16\r\n\r\nthis is not gzip"))
		}, nil, uptime.KindProtocol, "gzip"},
		"GzipBomb":       {gzipBomb, settings{"keyword": "needle"}, uptime.KindBodyTooLarge, "larger than 1 MiB"},
		"RedirectLoop":   {func(on site) string { return on.serve(redirectTo("/")) }, nil, uptime.KindRedirects, "redirects more than 10 times"},
		"RedirectToFile": {func(on site) string { return on.serve(redirectTo("file:///etc/passwd")) }, nil, uptime.KindRedirects, "neither http nor https"},
		"RedirectToNonsense": {func(on site) string {
			return on.speak(say("HTTP/1.1 302 Found\r\nLocation: http://[::bad\r\nContent-Length: 0\r\n\r\n"))
		}, nil, uptime.KindRedirects, "cannot be read"},
		"RedirectToNobody":    {func(on site) string { return on.serve(redirectTo("http:///path")) }, nil, uptime.KindRedirects, "without a host"},
		"Refuses":             {refusing, nil, uptime.KindConnectRefused, "refused the connection"},
		"NoSuchHost":          {func(site) string { return "http://no-such-host.invalid/" }, nil, uptime.KindDNS, "no-such-host.invalid does not resolve"},
		"PlainOnTLSPort":      {func(on site) string { return "https" + strings.TrimPrefix(on.serve(ok), "http") }, nil, uptime.KindTLS, "does not speak TLS"},
		"TLSSilent":           {func(on site) string { return "https" + strings.TrimPrefix(on.listen(hold), "http") }, nil, uptime.KindTimeout, "TLS handshake with"},
		"TLSHangsUp":          {func(on site) string { return "https" + strings.TrimPrefix(on.listen(firstBytes), "http") }, nil, uptime.KindTLS, "TLS handshake with"},
		"TLSUnknownAuthority": {func(on site) string { return on.serveTLS(ok, nil).URL }, nil, uptime.KindCertificate, "signed by an unknown authority"},
		"TLSOldProtocol":      {func(on site) string { return on.serveTLS(ok, oldProtocol).URL }, settings{"verify_tls": false}, uptime.KindTLS, "TLS handshake with"},
		"Status":              {func(on site) string { return on.serve(http.NotFound) }, nil, uptime.KindStatus, "Status 404 Not Found, expected 200-299"},
		"KeywordMissing":      {func(on site) string { return on.serve(ok) }, settings{"keyword": "needle"}, uptime.KindKeyword, `does not contain "needle"`},
		"KeywordPresent":      {func(on site) string { return on.serve(ok) }, settings{"keyword": "fine", "keyword_absent": true}, uptime.KindKeyword, `contains "fine", which must be absent`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := settings{"url": c.url(site{t})}
			maps.Copy(s, c.set)
			begun := time.Now()
			o := setup(t).probe(t, map[bool]time.Duration{true: short, false: 10 * time.Second}[c.kind == uptime.KindTimeout], s)
			require.Equal(t, uptime.Down, o.Status)
			require.Equal(t, c.kind, o.ErrorKind, o.Error)
			require.Contains(t, o.Error, c.text)
			require.Less(t, time.Since(begun), 5*time.Second)
			require.NotNil(t, o.Evidence)
			require.LessOrEqual(t, len(o.Error), 300)
			require.Positive(t, o.Response)
		})
	}
}

func chain(talks ...func(net.Conn)) func(net.Conn) {
	return func(c net.Conn) {
		for _, talk := range talks {
			talk(c)
		}
	}
}

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "all is fine") }

func redirectTo(where string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", where)
		w.WriteHeader(http.StatusFound)
	}
}

// reset makes the close that follows a TCP reset.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

func firstBytes(c net.Conn) { _, _ = io.ReadFull(c, make([]byte, 5)) }

func oldProtocol(s *httptest.Server) {
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
}

func refusing(on site) string {
	t := on.tb
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return "http://" + listener.Addr().String()
}

// gzipBomb sends 8 MiB in 8 KiB.
func gzipBomb(on site) string {
	t := on.tb
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	for range 8 {
		_, err := w.Write(make([]byte, 1<<20))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.WriteHeader(http.StatusNotAcceptable)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	})
}

func TestWhatIsOddButUp(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url string
		set settings
	}{
		"Plain":               {serve(t, ok), settings{"keyword": "is fine"}},
		"NoContent":           {serve(t, status(http.StatusNoContent)), nil},
		"NotModified":         {serve(t, status(http.StatusNotModified)), settings{"expected_status": []string{"304"}}},
		"RedirectItself":      {serve(t, redirectTo("/there")), settings{"follow_redirects": false, "expected_status": []string{"3xx"}}},
		"RedirectNowhere":     {serve(t, status(http.StatusFound)), settings{"expected_status": []string{"302"}}},
		"BodyOnHead":          {speak(t, say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")), settings{"method": "HEAD"}},
		"EndlessBody":         {speak(t, repeat("HTTP/1.1 200 OK\r\n\r\n", strings.Repeat("a", 9000))), nil},
		"KeywordBeforeTheEnd": {speak(t, repeat("HTTP/1.1 200 OK\r\n\r\nneedle", strings.Repeat("a", 9000))), settings{"keyword": "needle"}},
		"NothingButNUL":       {speak(t, say("HTTP/1.1 200 OK\r\nX-Odd: \xff\xfe\r\nContent-Length: 4\r\n\r\n\x00\xff\xfe\x00")), nil},
		"HTTP10":              {speak(t, say("HTTP/1.0 200 OK\r\n\r\nhello")), settings{"keyword": "hello"}},
		"AnswersTooEarly":     {listen(t, chain(say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), hold)), nil},
		"SelfSigned":          {serveTLS(t, ok, nil).URL, settings{"verify_tls": false, "keyword": "fine"}},
		"KeywordOverChunks":   {serve(t, inChunks(strings.Repeat("x", 16<<10-3)+"nee", "dle")), settings{"keyword": "needle"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := settings{"url": c.url}
			maps.Copy(s, c.set)
			o := setup(t).probe(t, 10*time.Second, s)
			require.Equal(t, uptime.Up, o.Status, o.Error)
			require.Empty(t, o.Error)
			require.Nil(t, o.Evidence)
		})
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func inChunks(parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, part := range parts {
			_, _ = io.WriteString(w, part)
			_ = http.NewResponseController(w).Flush()
		}
	}
}

func TestOurPolicyIsNeverDown(t *testing.T) {
	t.Parallel()
	refuse := func(c *outbound.Config) { c.Deny = append(c.Deny, "127.0.0.2/32") }
	elsewhere := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, port, _ := net.SplitHostPort(r.Host)
		redirectTo("http://127.0.0.2:"+port+"/")(w, r)
	})
	for name, url := range map[string]string{
		"Target": "http://127.0.0.2/", "Metadata": "http://169.254.169.254/latest", "Redirect": elsewhere, "Mapped": "http://[::ffff:127.0.0.2]/",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := setup(t, refuse).probe(t, time.Second, settings{"url": url})
			require.Equal(t, uptime.Unknown, o.Status)
			require.Equal(t, uptime.KindBlocked, o.ErrorKind)
			require.Contains(t, o.Error, "network.deny")
		})
	}
}

func TestCertificatesThatCannotBeTrusted(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		from, to time.Time
		host     string
		want     string
	}{
		"Expired":   {now.Add(-48 * time.Hour), now.Add(-24 * time.Hour), "127.0.0.1", "The certificate expired on "},
		"NotYet":    {now.Add(24 * time.Hour), now.Add(48 * time.Hour), "127.0.0.1", "The certificate is valid only from "},
		"WrongHost": {now.Add(-time.Hour), now.Add(24 * time.Hour), "127.0.0.9", "The certificate is not for 127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			pair := issue(t, b.roots, c.host, c.from, c.to)
			server := serveTLS(t, ok, func(s *httptest.Server) { s.TLS.Certificates = []tls.Certificate{pair} })
			o := b.probe(t, 5*time.Second, settings{"url": server.URL})
			require.Equal(t, uptime.Down, o.Status)
			require.Equal(t, uptime.KindCertificate, o.ErrorKind)
			require.Contains(t, o.Error, c.want)
			require.NotNil(t, o.Evidence.Certificate)
			require.WithinDuration(t, c.to, o.Evidence.Certificate.NotAfter, time.Second)

			trusting := b.probe(t, 5*time.Second, settings{"url": server.URL, "verify_tls": false})
			require.Equal(t, uptime.Up, trusting.Status)
			require.WithinDuration(t, c.to, trusting.Certificate.NotAfter, time.Second)
		})
	}
}

func TestAGoodCertificateIsReported(t *testing.T) {
	t.Parallel()
	b := setup(t)
	end := time.Now().Add(72 * time.Hour)
	pair := issue(t, b.roots, "127.0.0.1", time.Now().Add(-time.Hour), end)
	server := serveTLS(t, func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.Proto) }, func(s *httptest.Server) {
		s.TLS.Certificates = []tls.Certificate{pair}
		s.EnableHTTP2 = true
	})
	o := b.probe(t, 5*time.Second, settings{"url": server.URL, "certificate_warning_days": 5, "keyword": "HTTP/2.0"})
	require.Equal(t, uptime.Up, o.Status, o.Error)
	require.Equal(t, 5, o.Certificate.WarnDays)
	require.Equal(t, "test leaf", o.Certificate.Subject)
	require.Equal(t, "test root", o.Certificate.Issuer)
	require.WithinDuration(t, end, o.Certificate.NotAfter, time.Second)
	require.Len(t, o.Certificate.Fingerprint, 64)
	require.Positive(t, o.Phases.TLS)
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	require.NoError(t, err)
	require.True(t, leaf.NotAfter.Equal(o.Certificate.NotAfter))
}
