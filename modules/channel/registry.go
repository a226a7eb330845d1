package channel

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"
	"time"

	"monitor/modules/form"
	"monitor/modules/outbound"
	"monitor/modules/uptime"
)

// Guard dials addresses that the network policy allows and no others.
type Guard interface {
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

// Deps is what the channels need.
type Deps struct {
	Guard Guard
	// SMTP is the mail server of email channels that name none.
	SMTP SMTPConfig
	// PublicURL is the address of the web app without a slash at its end, for
	// links; "" leaves them out. Nil is "".
	PublicURL func() string
	// Zone is the time zone in which a workspace reads times; nil is UTC.
	Zone func(workspaceID int64) *time.Location
	// Templates has mail/*.tmpl.
	Templates fs.FS
	// RootCAs verify endpoints; nil: the system's.
	RootCAs *x509.CertPool
	Clock   uptime.Clock
}

// Registry knows the channel types and sends by them. It may be used
// concurrently.
type Registry struct {
	types map[string]channelType
	order []string
}

var (
	_ uptime.Catalog = (*Registry)(nil)
	_ uptime.Sender  = (*Registry)(nil)
)

// channelType is a line of the table of types.
type channelType struct {
	kind uptime.Kind
	// send makes one attempt with settings made by kind.New.
	send func(ctx context.Context, settings any, d delivery) (uptime.Answer, error)
}

// delivery is a message and what it is sent with.
type delivery struct {
	channel uptime.Channel
	message uptime.Message
	hide    redactor
}

// New makes the registry. It fails when a template cannot be parsed or drawn.
func New(d Deps) (*Registry, error) {
	if d.Clock == nil {
		d.Clock = uptime.SystemClock
	}
	if d.PublicURL == nil {
		d.PublicURL = func() string { return "" }
	}
	if d.Zone == nil {
		d.Zone = func(int64) *time.Location { return time.UTC }
	}
	mails, err := parseMails(d.Templates)
	if err != nil {
		return nil, err
	}
	r := &Registry{types: map[string]channelType{}}
	for _, t := range []channelType{
		newEmail(d, mails),
		newWebhook(d),
	} {
		if _, taken := r.types[t.kind.Name]; taken {
			return nil, fmt.Errorf("channel type %q is registered twice", t.kind.Name)
		}
		r.types[t.kind.Name] = t
		r.order = append(r.order, t.kind.Name)
	}
	return r, nil
}

// Kinds lists the channel types in the order shown to people.
func (r *Registry) Kinds() []uptime.Kind {
	kinds := make([]uptime.Kind, 0, len(r.order))
	for _, name := range r.order {
		kinds = append(kinds, r.types[name].kind)
	}
	return kinds
}

// Kind gives the type of that name.
func (r *Registry) Kind(name string) (uptime.Kind, bool) {
	t, ok := r.types[name]
	return t.kind, ok
}

// Send makes one attempt. See uptime.Sender.
func (r *Registry) Send(ctx context.Context, channel uptime.Channel, message uptime.Message) (uptime.Answer, error) {
	t, ok := r.types[channel.Type]
	if !ok {
		return uptime.Answer{}, unusable("the channel type %q is not known", channel.Type)
	}
	settings := t.kind.New()
	if err := json.Unmarshal(channel.Settings, settings); err != nil {
		// The decoder's words may hold a part of the value: name the place only.
		return uptime.Answer{}, unreadable(err)
	}
	hide, err := redact(settings)
	if err != nil {
		return uptime.Answer{}, unusable("the settings cannot be read")
	}
	began := time.Now()
	answer, err := t.send(ctx, settings, delivery{channel: channel, message: message, hide: hide})
	answer.Duration = time.Since(began)
	answer.Text = hide.clean(answer.Text)
	if err == nil {
		return answer, nil
	}
	return answer, failure(ctx, err, hide)
}

// failure makes a *uptime.SendError of any error of a sender, without secrets.
func failure(ctx context.Context, err error, hide redactor) *uptime.SendError {
	var failed *uptime.SendError
	if !errors.As(err, &failed) {
		failed = &uptime.SendError{Reason: describe(err), Err: err}
	}
	clean := *failed
	if blocked, ok := errors.AsType[*outbound.BlockedError](err); ok {
		clean.Permanent = true // the policy is the operator's, not the network's
		clean.Reason = uptime.Say("the address cannot be used: %v", blocked)
	}
	clean.Reason = hide.clean(clean.Reason)
	if clean.Err != nil {
		clean.Err = &hidden{text: hide.clean(clean.Err.Error()), cause: plainCause(ctx, clean.Err)}
	}
	return &clean
}

// unusable is the failure of settings that no attempt can use.
func unusable(format string, args ...any) *uptime.SendError {
	return &uptime.SendError{Permanent: true, Reason: fmt.Sprintf(format, args...)}
}

// unreadable names the place of what cannot be decoded, where it is known.
func unreadable(err error) *uptime.SendError {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Field != "" {
		return unusable("the settings cannot be read: %s has the wrong type", wrong.Field)
	}
	return unusable("the settings cannot be read")
}

// redact collects every secret of the settings.
func redact(settings any) (redactor, error) {
	var secrets []string
	err := form.Secrets(settings, func(_, value string) (string, error) {
		secrets = append(secrets, value)
		return value, nil
	})
	return newRedactor(secrets...), err
}

// link gives the address of a page, or "" without a public URL.
func link(base, format string, args ...any) string {
	if base = strings.TrimRight(base, "/"); base == "" {
		return ""
	}
	return base + fmt.Sprintf(format, args...)
}
