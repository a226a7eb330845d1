package channel_test

import (
	"context"
	"log/slog"
	"net/mail"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/channel"
	"monitor/modules/channel/channeltest"
	"monitor/modules/uptime"
)

// lines hands on each line of a log.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// runMailer runs one; the function ends it.
func runMailer(t *testing.T, port int) (m *channel.Mailer, log lines, stop func()) {
	t.Helper()
	d := deps(loopback(t))
	d.SMTP = channel.SMTPConfig{Host: "127.0.0.1", Port: port, Username: "mon", Password: mailPassword, From: "monitor@example.com", TLS: "none"}
	log = make(lines, 9)
	m = channel.NewMailer(d, func() string { return "id1" }, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	ready := make(chan struct{})
	go func() { ended <- m.Run(ctx, func() { close(ready) }) }()
	<-ready
	return m, log, func() {
		cancel()
		require.NoError(t, <-ended)
	}
}

func note(to string) func(context.Context) (uptime.Mail, error) {
	return func(context.Context) (uptime.Mail, error) {
		return uptime.Mail{To: to, Subject: "Set a new pässword\r\nBcc: x@example.com", Text: "Hello.\n\nhttps://example.com/reset/x\n"}, nil
	}
}

func TestMailer(t *testing.T) {
	t.Parallel()
	server := channeltest.StartSMTP(t, channeltest.SMTPOptions{Username: "mon", Password: mailPassword})
	m, log, stop := runMailer(t, server.Port)
	require.True(t, m.Post(func(context.Context) (uptime.Mail, error) { return uptime.Mail{}, uptime.ErrNotFound }), "nobody to write to")
	require.True(t, m.Post(note("olga@example.com")))
	require.Contains(t, <-log, "a mail was sent")
	stop()
	require.Len(t, server.Mails(), 1)
	got := server.Mails()[0]
	require.Equal(t, []string{"olga@example.com"}, got.To)
	letter, err := mail.ReadMessage(strings.NewReader(got.Data))
	require.NoError(t, err)
	require.Empty(t, letter.Header.Get("Bcc"))
	require.Equal(t, "<id1@example.com>", letter.Header.Get("Message-Id"))
	require.Equal(t, "auto-generated", letter.Header.Get("Auto-Submitted"))
	require.Contains(t, got.Data, "https://example.com/reset/x")
}

func TestMailerGivesUpAndSaysWhy(t *testing.T) {
	t.Parallel()
	server := channeltest.StartSMTP(t, channeltest.SMTPOptions{Username: "mon", Password: mailPassword})
	server.OnRcpt(func(string) error { return channeltest.Refuse(550, "no such user, you said "+mailPassword) })
	m, log, stop := runMailer(t, server.Port)
	require.True(t, m.Post(note("olga@example.com")))
	said := <-log
	stop()
	require.Empty(t, server.Mails())
	require.Contains(t, said, "a mail cannot be sent")
	require.NotContains(t, said, mailPassword)
}

// TestMailerHoldsABoundedNumber also shows that nothing is written before Run.
func TestMailerHoldsABoundedNumber(t *testing.T) {
	t.Parallel()
	m := channel.NewMailer(deps(loopback(t)), func() string { return "id" }, slog.New(slog.DiscardHandler))
	n := 0
	for m.Post(func(context.Context) (uptime.Mail, error) { panic("written") }) {
		n++
	}
	require.Equal(t, 64, n)
}
