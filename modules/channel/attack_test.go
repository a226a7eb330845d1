package channel_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"monitor/modules/channel/channeltest"
	"monitor/modules/uptime"
)

// attack is a text that tries to leave a header, a mail, a page and a template. It is
// shorter than what a line of a mail may have.
const attack = "Shop\r\nBcc: evil@example.com\r\nX-Injected: 1\r\n.\r\nMAIL FROM:<evil@example.com>\n\u2028\u2029\u202e\u2066\x1b[31m\x00\x07\u0085" +
	`"><script>alert(1)</script><img src=x onerror=alert(1)> javascript:alert(1) {{.}} {{7777*191}} ${7777*191} #{7777*191} <%= 7777*191 %> %s%n%d`

// templates are what must come out of it as it went in.
const templatesInAttack = `{{.}} {{7777*191}} ${7777*191} #{7777*191} <%= 7777*191 %> %s%n%d`

const product = "1485407" // what an engine would make of them

// attacked puts the attack into every text of a message that comes from people or
// targets.
func attacked(m uptime.Message) uptime.Message {
	fill := func(v reflect.Value) {
		for _, f := range v.Fields() {
			switch f.Interface().(type) {
			case string:
				f.SetString(attack)
			case map[string]string:
				f.Set(reflect.ValueOf(map[string]string{attack: attack}))
			}
		}
	}
	data := reflect.ValueOf(&m.Data).Elem()
	for _, f := range data.Fields() {
		if !f.IsNil() {
			own := reflect.New(f.Type().Elem())
			own.Elem().Set(f.Elem())
			fill(own.Elem())
			f.Set(own)
		}
	}
	return m
}

// requirePlain: nothing in the text moves a cursor, a line or a letter.
func requirePlain(t *testing.T, text string) {
	t.Helper()
	for _, r := range text {
		require.False(t, unicode.IsControl(r) && r != '\n' || uptime.Reorders(r) || r == '\u2028' || r == '\u2029', "%q in %q", r, text)
	}
}

// TestAttackedMails looks at the bytes of a mail about each event.
func TestAttackedMails(t *testing.T) {
	t.Parallel()
	known := []string{
		"From", "To", "Subject", "Message-Id", "Date", "Auto-Submitted", "X-Auto-Response-Suppress", "References", "Mime-Version", "Content-Type",
	}
	for name, m := range channeltest.Samples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := channeltest.StartSMTP(t, channeltest.SMTPOptions{Username: "mon", Password: mailPassword})
			c := mailChannel(t, server.Port, "ops@example.com")
			c.Name = attack
			_, err := registry(t, deps(loopback(t))).Send(t.Context(), c, attacked(m))
			require.NoError(t, err)
			require.Len(t, server.Mails(), 1, "one mail and no more")
			got := server.Mails()[0]
			require.Equal(t, []string{"ops@example.com"}, got.To)
			require.NotContains(t, got.Data, product)
			for line := range strings.SplitSeq(got.Data, "\n") {
				require.LessOrEqual(t, len(line), 998)
				for _, r := range strings.TrimSuffix(line, "\r") {
					require.True(t, r >= ' ' && r < 0x7f || r == '\t', "%q in %q", r, line)
				}
			}
			letter, err := mail.ReadMessage(strings.NewReader(got.Data))
			require.NoError(t, err)
			for header, values := range letter.Header {
				require.Contains(t, known, header)
				require.Len(t, values, 1, header)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(letter.Header.Get("Subject"))
			require.NoError(t, err)
			requirePlain(t, subject)
			requireParts(t, letter)
		})
	}
}

// requireParts reads both parts of a mail: words are words in them.
func requireParts(t *testing.T, letter *mail.Message) {
	t.Helper()
	_, params, err := mime.ParseMediaType(letter.Header.Get("Content-Type"))
	require.NoError(t, err)
	parts := multipart.NewReader(letter.Body, params["boundary"])
	n := 0
	for ; ; n++ {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		require.Equal(t, "quoted-printable", part.Header.Get("Content-Transfer-Encoding"))
		raw, err := io.ReadAll(quotedprintable.NewReader(part))
		require.NoError(t, err)
		text := strings.ReplaceAll(string(raw), "\r\n", "\n")
		requirePlain(t, text)
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			require.NotContains(t, text, "<script")
			require.NotContains(t, text, "<img")
			require.NotContains(t, text, `href="javascript`)
			continue
		}
		if strings.Contains(text, "Shop") {
			require.Contains(t, text, templatesInAttack)
		}
	}
	require.Equal(t, 2, n)
}

// captured is an endpoint that notes each request byte by byte and answers 200.
func captured(t *testing.T) (address string, requests <-chan string) {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	out, ended := make(chan string, 99), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			var bytesIn bytes.Buffer
			if request, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &bytesIn))); err == nil {
				_, _ = io.Copy(io.Discard, request.Body)
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			}
			out <- bytesIn.String()
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return listener.Addr().String(), out
}

// TestAttackedWebhooks looks at the bytes of a webhook about each event.
func TestAttackedWebhooks(t *testing.T) {
	t.Parallel()
	address, requests := captured(t)
	sender := registry(t, deps(loopback(t)))
	c := uptime.Channel{ID: 4, WorkspaceID: 1, Name: attack, Type: "webhook", Settings: settings(t, map[string]any{
		"url": "http://" + address + "/hook/%0d%0aX-Injected:%201?a=%0d%0aX-Injected:%201", "secret": "a secret\r\nX-Injected: 1", "headers": map[string]string{"X-Team": "web"},
	})}
	known := []string{
		"Host", "User-Agent", "Content-Length", "Content-Type", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "X-Team", "Connection", "Accept-Encoding",
	}
	samples := channeltest.Samples()
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		_, err := sender.Send(t.Context(), c, attacked(samples[name]))
		require.NoError(t, err, name)
		head, body, found := strings.Cut(<-requests, "\r\n\r\n")
		require.True(t, found)
		lines := strings.Split(head, "\r\n")
		require.Equal(t, "POST /hook/%0d%0aX-Injected:%201?a=%0d%0aX-Injected:%201 HTTP/1.1", lines[0])
		for _, line := range lines[1:] {
			header, value, _ := strings.Cut(line, ": ")
			require.Contains(t, known, http.CanonicalHeaderKey(header), name)
			requirePlain(t, value)
			require.NotContains(t, value, "\n")
		}
		require.NotContains(t, body, product)
		require.False(t, strings.ContainsFunc(body, func(r rune) bool { return r < ' ' || r == '\u2028' || r == '\u2029' }), "a body of one line")
		var message struct{ Monitor struct{ Name string } }
		require.NoError(t, json.Unmarshal([]byte(body), &message))
		if message.Monitor.Name != "" {
			require.Equal(t, attack, message.Monitor.Name, "a program gets the text as it is")
		}
	}
}

// TestStoredSettingsInjectNothing: settings that no check of ours would have taken, as
// from somebody with the database, are not sent.
func TestStoredSettingsInjectNothing(t *testing.T) {
	t.Parallel()
	address, requests := captured(t)
	sender := registry(t, deps(loopback(t)))
	for name, s := range map[string]map[string]any{
		"HeaderValue": {"url": "http://" + address, "headers": map[string]string{"X-A": "b\r\nX-Injected: 1"}},
		"HeaderName":  {"url": "http://" + address, "headers": map[string]string{"X-A: b\r\nX-Injected": "1"}},
		"HeaderNUL":   {"url": "http://" + address, "headers": map[string]string{"X-A": "b\x00c"}},
		"OwnHeader":   {"url": "http://" + address, "headers": map[string]string{"Transfer-Encoding": "chunked"}},
		"URL":         {"url": "http://" + address + "/ HTTP/1.1\r\nX-Injected: 1\r\n\r\n"},
		"File":        {"url": "file:///etc/passwd"},
		"Gopher":      {"url": "gopher://" + address + "/_x"},
		"Script":      {"url": "javascript:alert(1)"},
	} {
		_, err := sender.Send(t.Context(), uptime.Channel{Type: "webhook", Settings: settings(t, s)}, channeltest.Samples()["opened"])
		failed := new(uptime.SendError)
		require.ErrorAs(t, err, &failed, name)
		require.True(t, failed.Permanent, name)
	}
	require.Empty(t, requests)
	server := channeltest.StartSMTP(t, channeltest.SMTPOptions{Username: "mon", Password: mailPassword})
	for _, to := range []string{
		"a@example.com>\r\nRCPT TO:<evil@example.com", "a@example.com\r\nBcc: evil@example.com", "<a@example.com>", "a@example.com,evil@example.com", "A <a@example.com>", "a@example.com ORCPT=x", "",
	} {
		_, err := sender.Send(t.Context(), mailChannel(t, server.Port, to), channeltest.Samples()["opened"])
		require.Error(t, err, to)
	}
	require.Empty(t, server.Mails())
}
