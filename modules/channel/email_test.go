package channel_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/channel"
	"monitor/modules/channel/channeltest"
	"monitor/modules/uptime"
)

const mailPassword = "hunter2&swörd"

func TestEmailSuite(t *testing.T) {
	t.Parallel()
	channeltest.Run(t, channeltest.Suite{
		New: func(t *testing.T, dialer channeltest.Dialer) interface {
			uptime.Sender
			uptime.Catalog
		} {
			t.Helper()
			return registry(t, deps(dialer))
		},
		Start:  startMail,
		Golden: "testdata/email",
		Update: *update,
	})
}

// mailChannel leads to a server without TLS.
func mailChannel(t *testing.T, port int, to ...string) uptime.Channel {
	t.Helper()
	s := channel.EmailSettings{To: to, SMTP: channel.SMTPSettings{
		Host: "127.0.0.1", Port: port, Username: "mon", Password: mailPassword,
		From: "monitor@example.com", TLS: "none",
	}}
	return uptime.Channel{ID: 4, WorkspaceID: 1, Name: "Ops\r\nmail", Type: "email", Settings: settings(t, s)}
}

func startMail(t *testing.T) *channeltest.Peer {
	t.Helper()
	server := channeltest.StartSMTP(t, channeltest.SMTPOptions{Username: "mon", Password: mailPassword})
	plain := base64.StdEncoding.EncodeToString([]byte("\x00mon\x00" + mailPassword))
	peer := &channeltest.Peer{
		Channel: mailChannel(t, server.Port, "ops@example.com", "boss@example.com"),
		Secrets: []string{mailPassword, plain, base64.StdEncoding.EncodeToString([]byte(mailPassword))},
		Received: func() []string {
			var all []string
			for _, m := range server.Mails() {
				all = append(all, "MAIL FROM "+m.From+"\nRCPT TO "+strings.Join(m.To, ", ")+"\n\n"+m.Data)
			}
			return all
		},
		Failures: map[string]func(){},
	}
	use := func(port int) { peer.Channel = mailChannel(t, port, "ops@example.com", "boss@example.com") }
	peer.Hang = func() { use(silent(t)) }
	echo := "you said " + mailPassword + " and " + plain
	peer.Failures = map[string]func(){
		"LogIn": func() {
			server.OnAuth(func(string, string) error { return channeltest.Refuse(535, echo) })
		},
		"Recipient": func() {
			server.OnRcpt(func(string) error { return channeltest.Refuse(550, echo) })
		},
		"Content": func() {
			server.OnData(func(int) error { return channeltest.Refuse(451, echo) })
		},
		"Greeting": func() { use(portOf(t, banner(t, "554 "+echo+"\r\n"))) },
		"NotSMTP":  func() { use(portOf(t, banner(t, "HTTP/1.1 400 "+echo+"\r\n\r\n"))) },
		"Hang":     func() { peer.Hang() },
		"Refused":  func() { use(1) },
	}
	return peer
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	_, port, ok := strings.Cut(address, ":")
	require.True(t, ok)
	n := 0
	for _, digit := range port {
		n = n*10 + int(digit-'0')
	}
	return n
}

func TestEmailTransport(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		server channeltest.SMTPOptions
		tls    string
		reason string // "" is sent
	}{
		"None":               {tls: "none"},
		"StartTLS":           {server: channeltest.SMTPOptions{StartTLS: true}, tls: "starttls"},
		"StartTLSDefault":    {server: channeltest.SMTPOptions{StartTLS: true}},
		"StartTLSLogin":      {server: channeltest.SMTPOptions{StartTLS: true, Username: "u", Password: "p"}, tls: "starttls"},
		"TLS":                {server: channeltest.SMTPOptions{TLS: true}, tls: "tls"},
		"TLSLogin":           {server: channeltest.SMTPOptions{TLS: true, Username: "u", Password: "p"}, tls: "tls"},
		"StartTLSIsRequired": {tls: "starttls", reason: "the mail server does not offer STARTTLS: set tls to tls or none"},
		"TLSIsRequired":      {tls: "tls", reason: "TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := channeltest.StartSMTP(t, c.server)
			d := deps(loopback(t))
			d.RootCAs = server.Roots
			d.SMTP = channel.SMTPConfig{
				Host: "127.0.0.1", Port: server.Port, TLS: c.tls, From: "Watch <watch@example.com>",
				Username: c.server.Username, Password: c.server.Password,
			}
			ch := uptime.Channel{Type: "email", Settings: settings(t, map[string]any{"to": []string{"ops@example.com"}})}
			_, err := registry(t, d).Send(t.Context(), ch, channeltest.Samples()["opened"])
			if c.reason != "" {
				failed := new(uptime.SendError)
				require.ErrorAs(t, err, &failed)
				require.False(t, failed.Permanent)
				require.Contains(t, failed.Reason, c.reason)
				require.Empty(t, server.Mails())
				return
			}
			require.NoError(t, err)
			require.Len(t, server.Mails(), 1)
			require.Equal(t, "watch@example.com", server.Mails()[0].From)
		})
	}
}

func TestEmailUntrustedCertificate(t *testing.T) {
	t.Parallel()
	server := channeltest.StartSMTP(t, channeltest.SMTPOptions{StartTLS: true, Username: "u", Password: "p"})
	d := deps(loopback(t)) // without the server's root
	d.SMTP = channel.SMTPConfig{Host: "127.0.0.1", Port: server.Port, Username: "u", Password: "p"}
	ch := uptime.Channel{Type: "email", Settings: settings(t, map[string]any{"to": []string{"ops@example.com"}})}
	_, err := registry(t, d).Send(t.Context(), ch, channeltest.Samples()["opened"])
	failed := new(uptime.SendError)
	require.ErrorAs(t, err, &failed)
	require.Contains(t, failed.Reason, "unknown authority")
}

func TestEmailRefusals(t *testing.T) {
	t.Parallel()
	const a, b = "a@example.com", "b@example.com"
	refuse := func(code int, who ...string) func(string) error {
		return func(to string) error {
			if slices.Contains(who, to) {
				return channeltest.Refuse(code, "no "+to)
			}
			return nil
		}
	}
	for name, c := range map[string]struct {
		rcpt      func(string) error
		data      int
		auth      int
		attempt   int
		told      []string // nil: not sent
		permanent bool
		code      int
		text      string
	}{
		"All":                 {told: []string{a, b}, code: 250},
		"OneUnknown":          {rcpt: refuse(550, b), told: []string{a}, code: 250, text: "sent, but not to b@example.com (550 no b@example.com)"},
		"AllUnknown":          {rcpt: refuse(550, a, b), permanent: true, code: 550},
		"OneLaterIsWaitedFor": {rcpt: refuse(451, b), attempt: 3, code: 451},
		"OneLaterIsLeftOut":   {rcpt: refuse(451, b), attempt: 4, told: []string{a}, code: 250, text: "sent, but not to b@example.com (451 no b@example.com)"},
		"AllLater":            {rcpt: refuse(450, a, b), attempt: 9, code: 450},
		"ContentLater":        {data: 451, code: 451},
		"ContentNever":        {data: 552, code: 552, permanent: true},
		"LogInLater":          {auth: 454, code: 454},
		"LogInNever":          {auth: 535, code: 535, permanent: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := channeltest.StartSMTP(t, channeltest.SMTPOptions{Username: "mon", Password: mailPassword})
			server.OnRcpt(c.rcpt)
			if c.data != 0 {
				server.OnData(func(int) error { return channeltest.Refuse(c.data, "no") })
			}
			if c.auth != 0 {
				server.OnAuth(func(string, string) error { return channeltest.Refuse(c.auth, "no") })
			}
			m := channeltest.Samples()["opened"]
			m.Attempt = max(c.attempt, 1)
			answer, err := registry(t, deps(loopback(t))).Send(t.Context(), mailChannel(t, server.Port, a, b), m)
			require.Equal(t, c.code, answer.StatusCode)
			if c.told != nil {
				require.NoError(t, err)
				require.Equal(t, c.told, server.Mails()[0].To)
				require.Contains(t, answer.Text, c.text)
				return
			}
			failed := new(uptime.SendError)
			require.ErrorAs(t, err, &failed)
			require.Equal(t, c.permanent, failed.Permanent)
			require.Equal(t, c.code, failed.StatusCode)
			require.Empty(t, server.Mails())
		})
	}
}

// A mail is one message however hostile the names in it are.
func TestEmailHeaders(t *testing.T) {
	t.Parallel()
	server := channeltest.StartSMTP(t, channeltest.SMTPOptions{Username: "mon", Password: mailPassword})
	_, err := registry(t, deps(loopback(t))).Send(t.Context(),
		mailChannel(t, server.Port, "ops@example.com"), channeltest.Samples()["opened"])
	require.NoError(t, err)
	got, err := mail.ReadMessage(strings.NewReader(server.Mails()[0].Data))
	require.NoError(t, err)
	require.Equal(t, "<evt_aaaaaaaaaaaaaaaaaaaaaaaaaa@example.com>", got.Header.Get("Message-ID"))
	require.Equal(t, "auto-generated", got.Header.Get("Auto-Submitted"))
	require.Equal(t, "<incident-1-12@example.com>", got.Header.Get("References"))
	require.Empty(t, got.Header.Get("Bcc"))
	subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
	require.NoError(t, err)
	require.Equal(t, `[Down] Shop <b>"EU"</b> Bcc: evil@example.com — HTTP 503`, subject)

	kind, params, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
	require.NoError(t, err)
	require.Equal(t, "multipart/alternative", kind)
	parts := multipart.NewReader(got.Body, params["boundary"])
	var types []string
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		types = append(types, part.Header.Get("Content-Type"))
		body, err := io.ReadAll(part)
		require.NoError(t, err)
		require.Contains(t, string(body), "https://monitor.example.com/incidents/12")
		require.False(t, bytes.Contains(body, []byte("<b>\"EU\"</b>")) && strings.Contains(types[len(types)-1], "html"))
		require.NotContains(t, string(body), "<img")
	}
	require.Equal(t, []string{"text/plain; charset=UTF-8", "text/html; charset=UTF-8"}, types)
}
