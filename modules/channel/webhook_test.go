package channel_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/channel"
	"monitor/modules/channel/channeltest"
	"monitor/modules/uptime"
)

const (
	hookSecret   = "whsec_c2VjcmV0LWtleS1vZi10aGUtd2ViaG9vaw==" // "secret-key-of-the-webhook"
	hookPassword = "p@ss/wörd&1"
	hookToken    = "tok-3f9a7c"
)

func TestWebhookSuite(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, channeltest.Suite{
		New: func(t *testing.T, dialer channeltest.Dialer) interface {
			uptime.Sender
			uptime.Catalog
		} {
			t.Helper()
			return registry(t, deps(dialer))
		},
		Start:  startHook,
		Golden: "testdata/webhook",
		Update: *update,
	})
}

func startHook(t *testing.T) *channeltest.Peer {
	t.Helper()
	server := channeltest.StartWeb(t)
	use := func(p *channeltest.Peer, address string) {
		p.Channel.Settings = settings(t, channel.WebhookSettings{
			URL:     strings.Replace(address, "://", "://hook:"+strings.ReplaceAll(urlEscape(hookPassword), "+", "%20")+"@", 1) + "/hooks/1?a=b",
			Headers: map[string]string{"X-Team": "web", "X-Api-Key": hookToken, "Cookie": "session=" + hookToken},
			Secret:  hookSecret,
		})
	}
	peer := &channeltest.Peer{
		Channel: uptime.Channel{ID: 3, WorkspaceID: 1, Name: "Hook", Type: "webhook"},
		Secrets: []string{hookSecret, hookPassword, hookToken, "aG9vazpwQHNz"},
		Received: func() []string {
			var all []string
			for _, r := range server.Requests() {
				all = append(all, r.Golden())
			}
			return all
		},
		Hang: server.Hang,
	}
	use(peer, server.URL)
	echo := func(code int) func() {
		return func() {
			server.Answer(func(_ int, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "http://x/?"+hookToken)
				w.WriteHeader(code)
				_, password, _ := r.BasicAuth()
				_, _ = fmt.Fprintf(w, "%v %q %s %s %s", r.Header, password, hookSecret, urlEscape(password),
					strings.Repeat(hookToken+" ", 2000))
			})
		}
	}
	peer.Failures = map[string]func(){
		"InternalError": echo(500), "NotFound": echo(404), "Redirect": echo(302), "Gone": echo(410), "Hang": server.Hang,
		"CutOff": func() {
			server.Answer(func(int, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		},
		"NotHTTP":    func() { use(peer, "http://"+banner(t, "220 "+hookToken+" "+hookPassword+"\r\n")) },
		"NotTLS":     func() { use(peer, strings.Replace(server.URL, "http:", "https:", 1)) },
		"Refused":    func() { use(peer, "http://127.0.0.1:1") },
		"NoSuchHost": func() { use(peer, "http://nowhere.invalid") },
	}
	return peer
}

func urlEscape(s string) string {
	return strings.NewReplacer("@", "%40", "/", "%2F", "ö", "%C3%B6", "&", "%26").Replace(s)
}

// banner is a server that says one thing and waits.
func banner(t *testing.T, text string) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte(text))
		_, _ = conn.Read(make([]byte, 1<<16))
		_ = conn.Close()
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return listener.Addr().String()
}

func TestWebhookSignature(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ secret, key string }{
		"Standard": {hookSecret, "secret-key-of-the-webhook"},
		"Unpadded": {strings.TrimRight(hookSecret, "="), "secret-key-of-the-webhook"},
		"Plain":    {"just text", "just text"},
		"None":     {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := channeltest.StartWeb(t)
			ch := uptime.Channel{Type: "webhook", Settings: settings(t, channel.WebhookSettings{URL: server.URL, Secret: c.secret})}
			_, err := registry(t, deps(loopback(t))).Send(t.Context(), ch, channeltest.Samples()["opened"])
			require.NoError(t, err)
			got := server.Requests()[0]
			require.Equal(t, "evt_aaaaaaaaaaaaaaaaaaaaaaaaaa", got.Header.Get("webhook-id"))
			require.Equal(t, "1767323046", got.Header.Get("webhook-timestamp")) // of the attempt
			if c.key == "" {
				require.Empty(t, got.Header.Get("webhook-signature"))
				return
			}
			mac := hmac.New(sha256.New, []byte(c.key))
			mac.Write([]byte("evt_aaaaaaaaaaaaaaaaaaaaaaaaaa.1767323046." + got.Body))
			require.Equal(t, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), got.Header.Get("webhook-signature"))
		})
	}
}

// The example of the Standard Webhooks specification's reference libraries.
func TestWebhookSignatureVector(t *testing.T) {
	t.Parallel()
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	require.NoError(t, err)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(`msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}`))
	require.Equal(t, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

func TestWebhookAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code      int
		after     string
		ok        bool
		permanent bool
		disable   bool
		wish      time.Duration
	}{
		"OK":          {code: 200, ok: true},
		"NoContent":   {code: 204, ok: true},
		"Moved":       {code: 301},
		"Found":       {code: 307},
		"BadRequest":  {code: 400},
		"Forbidden":   {code: 403},
		"Gone":        {code: 410, permanent: true, disable: true, after: "60"},
		"Limited":     {code: 429, after: "120", wish: 2 * time.Minute},
		"LimitedLong": {code: 429, after: "999999999999", wish: time.Hour},
		"LimitedDate": {code: 503, after: "Fri, 02 Jan 2026 03:09:05 GMT", wish: 5*time.Minute - 678*time.Millisecond},
		"LimitedPast": {code: 503, after: "Fri, 02 Jan 2025 03:09:05 GMT"},
		"LimitedBad":  {code: 503, after: "soon"},
		"Negative":    {code: 503, after: "-5"},
		"ServerError": {code: 500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := channeltest.StartWeb(t)
			server.Answer(func(_ int, w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", server.URL+"/elsewhere")
				if c.after != "" {
					w.Header().Set("Retry-After", c.after)
				}
				w.WriteHeader(c.code)
			})
			ch := uptime.Channel{Type: "webhook", Settings: settings(t, channel.WebhookSettings{URL: server.URL})}
			answer, err := registry(t, deps(loopback(t))).Send(t.Context(), ch, channeltest.Samples()["opened"])
			require.Equal(t, c.code, answer.StatusCode)
			require.Len(t, server.Requests(), 1, "no redirect is followed")
			if c.ok {
				require.NoError(t, err)
				return
			}
			failed := new(uptime.SendError)
			require.ErrorAs(t, err, &failed)
			require.Equal(t, c.code, failed.StatusCode)
			require.Equal(t, c.permanent, failed.Permanent)
			require.Equal(t, c.disable, failed.Disable)
			require.Equal(t, c.wish, failed.RetryAfter)
		})
	}
}

func TestWebhookDoesNotWaitForABody(t *testing.T) {
	t.Parallel()
	server := channeltest.StartWeb(t)
	server.Answer(func(_ int, w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("ok so far"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	ch := uptime.Channel{Type: "webhook", Settings: settings(t, channel.WebhookSettings{URL: server.URL})}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	answer, err := registry(t, deps(loopback(t))).Send(ctx, ch, channeltest.Samples()["opened"])
	require.NoError(t, err)
	require.Equal(t, "ok so far", answer.Text)
	require.NoError(t, ctx.Err())
}

func TestWebhookURLWithoutPublicURL(t *testing.T) {
	t.Parallel()
	server := channeltest.StartWeb(t)
	d := deps(loopback(t))
	d.PublicURL = nil
	ch := uptime.Channel{Type: "webhook", Settings: settings(t, channel.WebhookSettings{URL: server.URL})}
	_, err := registry(t, d).Send(t.Context(), ch, channeltest.Samples()["opened"])
	require.NoError(t, err)
	var body struct {
		Incident map[string]any `json:"incident"`
	}
	require.NoError(t, json.Unmarshal([]byte(server.Requests()[0].Body), &body))
	require.Contains(t, body.Incident, "url")
	require.Nil(t, body.Incident["url"])
}
