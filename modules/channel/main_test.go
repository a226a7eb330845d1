package channel_test

import (
	"encoding/json"
	"flag"
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/channel"
	"monitor/modules/channel/channeltest"
	"monitor/modules/form"
	"monitor/modules/outbound"
	"monitor/modules/uptime"
	"monitor/templates"
)

var update = flag.Bool("update", false, "write golden files anew")

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

// deps are the ones of every test, with this dialer.
func deps(dialer channel.Guard) channel.Deps {
	return channel.Deps{
		Guard:     dialer,
		PublicURL: func() string { return "https://monitor.example.com" },
		Zone:      func(int64) *time.Location { return time.FixedZone("CET", 3600) },
		Templates: templates.FS,
		Clock:     channeltest.At,
	}
}

func registry(t *testing.T, d channel.Deps) *channel.Registry {
	t.Helper()
	r, err := channel.New(d)
	require.NoError(t, err)
	return r
}

func loopback(t *testing.T) *outbound.Guard {
	t.Helper()
	guard, err := outbound.New(outbound.DefaultConfig())
	require.NoError(t, err)
	return guard
}

func settings(t *testing.T, v any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return raw
}

// silent is a listener that takes connections and says nothing.
func silent(t *testing.T) int {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().(*net.TCPAddr).Port
}

func TestRegistry(t *testing.T) {
	t.Parallel()
	r := registry(t, deps(loopback(t)))
	var names []string
	for _, k := range r.Kinds() {
		names = append(names, k.Name)
		same, ok := r.Kind(k.Name)
		require.True(t, ok)
		require.Equal(t, k.Label, same.Label)
		require.NotEmpty(t, form.Fields(k.New()))
		require.NotEmpty(t, form.JSONSchema(k.New()))
		require.IsType(t, "", k.Target(k.New()))
	}
	require.Equal(t, []string{"email", "webhook"}, names)

	_, err := r.Send(t.Context(), uptime.Channel{Type: "carrier-pigeon"}, channeltest.Samples()["opened"])
	failed := new(uptime.SendError)
	require.ErrorAs(t, err, &failed)
	require.True(t, failed.Permanent)
}

func TestBrokenTemplateStopsTheStart(t *testing.T) {
	t.Parallel()
	d := deps(loopback(t))
	d.Templates = os.DirFS(t.TempDir())
	_, err := channel.New(d)
	require.ErrorContains(t, err, "parse mail templates")
}

func TestSettingsAreValidated(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind, settings, field, message string
		smtp                           string
	}{
		"WebhookOK":        {kind: "webhook", settings: `{"url":"https://example.com/x"}`},
		"WebhookNoURL":     {kind: "webhook", settings: `{}`, field: "settings.url", message: "required"},
		"WebhookFTP":       {kind: "webhook", settings: `{"url":"ftp://example.com"}`, field: "settings.url", message: "http"},
		"WebhookUnknown":   {kind: "webhook", settings: `{"url":"https://example.com","nope":1}`, field: "settings.nope"},
		"WebhookHeader":    {kind: "webhook", settings: `{"url":"https://example.com","headers":{"a b":"c"}}`, field: "headers.a b", message: "not a header name"},
		"WebhookHeaderCR":  {kind: "webhook", settings: `{"url":"https://example.com","headers":{"A":"b\r\nC: d"}}`, field: "headers.A", message: "control"},
		"WebhookOwnHeader": {kind: "webhook", settings: `{"url":"https://example.com","headers":{"Webhook-ID":"x"}}`, field: "headers.Webhook-ID", message: "set by the program"},
		"WebhookTwice":     {kind: "webhook", settings: `{"url":"https://example.com","headers":{"x-team":"a","X-Team":"b"}}`, field: "headers.x-team", message: "is given twice"},
		"WebhookSecret":    {kind: "webhook", settings: `{"url":"https://example.com","secret":"whsec_***"}`, field: "secret", message: "base64"},
		"EmailOK":          {kind: "email", settings: `{"to":["a@example.com"]}`, smtp: "mail.example.com"},
		"EmailOwnServer":   {kind: "email", settings: `{"to":["a@example.com"],"smtp":{"host":"mail.example.com"}}`},
		"EmailNullServer":  {kind: "email", settings: `{"to":["a@example.com"],"smtp":null}`, smtp: "mail.example.com"},
		"EmailNoServer":    {kind: "email", settings: `{"to":["a@example.com"]}`, field: "smtp", message: "smtp.host is empty"},
		"EmailNobody":      {kind: "email", settings: `{"to":[]}`, smtp: "m", field: "settings.to"},
		"EmailBadAddress":  {kind: "email", settings: `{"to":["a@example.com","nobody"]}`, smtp: "m", field: "settings.to[1]"},
		"EmailBadPort":     {kind: "email", settings: `{"to":["a@example.com"],"smtp":{"host":"m","port":70000}}`, field: "settings.smtp.port"},
		"EmailBadTLS":      {kind: "email", settings: `{"to":["a@example.com"],"smtp":{"host":"m","tls":"maybe"}}`, field: "settings.smtp.tls"},
		"EmailHostless":    {kind: "email", settings: `{"to":["a@example.com"],"smtp":{"username":"u"}}`, smtp: "m", field: "smtp.host", message: "required"},
		"EmailSocket":      {kind: "email", settings: `{"to":["a@example.com"],"smtp":{"host":"unix:///run/x"}}`, field: "smtp.host"},
		"EmailHostPort":    {kind: "email", settings: `{"to":["a@example.com"],"smtp":{"host":"mail:25"}}`, field: "smtp.host", message: "without a port"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deps(loopback(t))
			d.SMTP.Host = c.smtp
			kind, ok := registry(t, d).Kind(c.kind)
			require.True(t, ok)
			into := kind.New()
			var wrong []uptime.FieldError
			if failed := form.Decode("settings", json.RawMessage(c.settings), into); failed != nil {
				wrong = failed.Fields
			} else {
				wrong = kind.Check(into)
			}
			if c.field == "" {
				require.Empty(t, wrong)
				return
			}
			require.NotEmpty(t, wrong)
			require.Equal(t, c.field, wrong[0].Field)
			require.Contains(t, wrong[0].Message, c.message)
		})
	}
}
