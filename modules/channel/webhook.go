package channel

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"monitor/modules/failpoint"
	"monitor/modules/uptime"
)

// maxRetryAfter is the longest wish of an endpoint that is honoured.
const maxRetryAfter = time.Hour

// readFor is how long an answer's body is waited for: the status alone says
// how the attempt went.
const readFor = time.Second

// WebhookSettings are the settings of a channel of type webhook.
type WebhookSettings struct {
	URL     string            `json:"url" label:"URL" help:"Gets a POST with a JSON body for each event." kind:"url" validate:"required,max=2000,http_url" placeholder:"https://example.com/hooks/monitor" secret:"url"`
	Headers map[string]string `json:"headers" label:"Headers" help:"Sent with each request, one for each line." kind:"map" advanced:"true" validate:"max=50,dive,keys,max=200,endkeys,max=4000" secret:"headers" placeholder:"X-Team: web"`
	Secret  string            `json:"secret" label:"Signing secret" help:"Signs each request after the Standard Webhooks specification. A value that starts with whsec_ is base64, any other is used as it is." kind:"password" validate:"max=500" secret:"value"`
}

// errRedirect is the cause of a failure by redirect.
var errRedirect = errors.New("redirects are not followed")

type webhook struct {
	deps   Deps
	client *http.Client
}

func newWebhook(d Deps) channelType {
	w := &webhook{deps: d, client: &http.Client{
		// A redirect is an answer like any other: the address was chosen by
		// the owner, and a signed body goes nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy:       nil, // a proxy would dial what the guard refuses
			DialContext: d.Guard.DialContext,
			// Messages are rare: a connection kept for the next one is dead
			// by then more often than not, and that cannot be told from a
			// message that got lost.
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 64 << 10,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: d.RootCAs},
		},
	}}
	return channelType{
		kind: uptime.Kind{
			Name:   "webhook",
			Label:  "Webhook",
			Help:   "Posts each event as JSON to an address of yours, signed after the Standard Webhooks specification.",
			New:    func() any { return &WebhookSettings{Headers: map[string]string{}} },
			Target: func(settings any) string { return webhookTarget(settings.(*WebhookSettings)) },
			Check:  func(settings any) []uptime.FieldError { return checkWebhook(settings.(*WebhookSettings)) },
		},
		send: func(ctx context.Context, settings any, m delivery) (uptime.Answer, error) {
			return w.send(ctx, settings.(*WebhookSettings), m)
		},
	}
}

// webhookTarget is the address without login and query: both may hold secrets.
func webhookTarget(s *WebhookSettings) string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return ""
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// checkWebhook says what is wrong beyond the tags.
func checkWebhook(s *WebhookSettings) []uptime.FieldError {
	var wrong []uptime.FieldError
	if u, err := url.Parse(s.URL); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		wrong = append(wrong, uptime.FieldError{Field: "url", Message: "must be an absolute http or https URL"})
	}
	given := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		field, value, again := "headers."+name, s.Headers[name], given[strings.ToLower(name)]
		given[strings.ToLower(name)] = true
		switch {
		case again: // names are the same in any case
			wrong = append(wrong, uptime.FieldError{Field: field, Message: "is given twice"})
		case !validHeaderName(name):
			wrong = append(wrong, uptime.FieldError{Field: field, Message: "is not a header name"})
		case ownHeader(name):
			wrong = append(wrong, uptime.FieldError{Field: field, Message: "is set by the program"})
		case !validHeaderValue(value):
			wrong = append(wrong, uptime.FieldError{Field: field, Message: "must not hold control characters"})
		}
	}
	if _, err := signingKey(s.Secret); err != nil {
		wrong = append(wrong, uptime.FieldError{Field: "secret", Message: "must be base64 after whsec_"})
	}
	return wrong
}

func (w *webhook) send(ctx context.Context, s *WebhookSettings, d delivery) (uptime.Answer, error) {
	if wrong := checkWebhook(s); len(wrong) > 0 {
		return uptime.Answer{}, unusable("settings.%s %s", wrong[0].Field, wrong[0].Message)
	}
	hide := d.hide
	if u, err := url.Parse(s.URL); err == nil {
		password, _ := u.User.Password()
		hide = hide.withLogin(u.User.Username(), password)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ctx = failpoint.Written(ctx, "notifier.written")
	request, err := w.request(ctx, s, d.message)
	if err != nil {
		return uptime.Answer{}, err
	}
	failpoint.Here("notifier.connecting")
	response, err := w.client.Do(request)
	if err != nil {
		// The client's own error repeats the whole URL.
		if inner := new(url.Error); errors.As(err, &inner) {
			err = inner.Err
		}
		return uptime.Answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	answer := uptime.Answer{StatusCode: response.StatusCode, Text: hide.clean(readText(response, cancel))}
	return answer, w.judge(response, answer.Text)
}

func (w *webhook) request(ctx context.Context, s *WebhookSettings, m uptime.Message) (*http.Request, error) {
	body, err := webhookBody(m, w.deps.PublicURL())
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return nil, unusable("settings.url must be an absolute http or https URL")
	}
	for name, value := range s.Headers {
		if strings.EqualFold(name, "Host") {
			request.Host = value
			continue
		}
		request.Header.Set(name, value)
	}
	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", "monitor")
	}
	request.Header.Set("Content-Type", "application/json")
	key, err := signingKey(s.Secret)
	if err != nil {
		return nil, unusable("settings.secret must be base64 after whsec_")
	}
	at := strconv.FormatInt(m.AttemptAt.Unix(), 10)
	request.Header.Set("webhook-id", m.ID)
	request.Header.Set("webhook-timestamp", at)
	if len(key) > 0 {
		request.Header.Set("webhook-signature", sign(key, m.ID, at, body))
	}
	return request, nil
}

// readText reads the start of the answer for people. A body that does not come
// is not waited for, and an error in it changes nothing.
func readText(response *http.Response, cancel context.CancelFunc) string {
	patience := time.AfterFunc(readFor, cancel)
	defer patience.Stop()
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxRead+1))
	return string(text)
}

// judge says what the answer means, after contract.md "A delivery".
func (w *webhook) judge(response *http.Response, text string) error {
	code := response.StatusCode
	if code >= 200 && code < 300 {
		return nil
	}
	failed := &uptime.SendError{
		StatusCode: code,
		RetryAfter: retryAfter(response.Header.Get("Retry-After"), w.deps.Clock()),
		Reason:     fmt.Sprintf("HTTP %d", code),
	}
	switch {
	case code == http.StatusGone:
		failed.Permanent, failed.Disable, failed.RetryAfter = true, true, 0
		failed.Reason = uptime.Say("HTTP %d: the endpoint asks for no more messages", code)
	case code >= 300 && code < 400:
		failed.Err = errRedirect
		failed.Reason = uptime.Say("HTTP %d: redirects are not followed", code)
	default:
		if line := uptime.CleanLine(text, 200); line != "" {
			failed.Reason += ": " + line
		}
	}
	return failed
}

// retryAfter reads the header's seconds or HTTP date (RFC 9110, 10.2.3), at most
// an hour; 0 for none or one that cannot be read.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(maxRetryAfter/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// ownHeader reports whether the program or the protocol sets the header.
func ownHeader(name string) bool {
	switch strings.ToLower(name) {
	case "webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "content-length",
		"transfer-encoding", "connection", "upgrade", "trailer", "te", "expect":
		return true
	}
	return false
}

// validHeaderName: a token of RFC 9110, 5.6.2.
func validHeaderName(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool {
		return r > '~' || r <= ' ' || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r)
	}) < 0
}

func validHeaderValue(value string) bool {
	return strings.IndexFunc(value, func(r rune) bool { return r != '\t' && r < ' ' || r == 0x7f }) < 0
}
