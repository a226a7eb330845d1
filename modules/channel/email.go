package channel

import (
	"context"
	"net"
	"net/mail"
	"strings"

	"monitor/modules/uptime"
)

// SMTPConfig is the default mail server; without a Host there is none.
type SMTPConfig struct {
	Host     string
	Port     int // 0: 587
	Username string
	Password string
	From     string // "" is made of the user name or host
	TLS      string // "starttls" (also ""), "tls" or "none"
}

// EmailSettings are the settings of a channel of type email.
type EmailSettings struct {
	To   []string     `json:"to" label:"To" help:"One address for each line." kind:"list" validate:"required,min=1,max=50,dive,required,max=320,email" placeholder:"ops@example.com"`
	SMTP SMTPSettings `json:"smtp" label:"Mail server" help:"Leave the host empty to use the mail server of the program's settings." advanced:"true"`
}

// SMTPSettings are the mail server of one channel; an empty Host is the
// program's default server.
type SMTPSettings struct {
	Host     string `json:"host" label:"Host" validate:"max=253" placeholder:"smtp.example.com"`
	Port     int    `json:"port" label:"Port" validate:"min=1,max=65535"`
	Username string `json:"username" label:"User name" validate:"max=320"`
	Password string `json:"password" label:"Password" kind:"password" validate:"max=1000" secret:"value"`
	From     string `json:"from" label:"From" kind:"email" help:"The sender's address." validate:"omitempty,max=320,email"`
	TLS      string `json:"tls" label:"Encryption" kind:"select" help:"starttls is mandatory when chosen: a server without it gets no mail. none sends user name and password unprotected." options:"starttls,tls,none" validate:"oneof=starttls tls none"`
}

const (
	tlsStart  = "starttls"
	tlsDirect = "tls"
	tlsNone   = "none"
)

const defaultSMTPPort = 587

type email struct {
	deps  Deps
	mails *mails
}

func newEmail(d Deps, m *mails) channelType {
	e := &email{deps: d, mails: m}
	return channelType{
		kind: uptime.Kind{
			Name:  "email",
			Label: "E-mail",
			Help:  "Sends a mail for each event.",
			New: func() any {
				return &EmailSettings{To: []string{}, SMTP: SMTPSettings{Port: defaultSMTPPort, TLS: tlsStart}}
			},
			Target: func(settings any) string { return strings.Join(settings.(*EmailSettings).To, ", ") },
			Check:  func(settings any) []uptime.FieldError { return e.check(settings.(*EmailSettings)) },
		},
		send: func(ctx context.Context, settings any, m delivery) (uptime.Answer, error) {
			return e.send(ctx, settings.(*EmailSettings), m)
		},
	}
}

// check says what is wrong beyond the tags.
func (e *email) check(s *EmailSettings) []uptime.FieldError {
	own := s.SMTP
	switch {
	case own.Host == "" && (own.Username != "" || own.Password != "" || own.From != ""):
		return []uptime.FieldError{{Field: "smtp.host", Message: "is required in an smtp block"}}
	case own.Host == "" && e.deps.SMTP.Host == "":
		return []uptime.FieldError{{
			Field:   "smtp",
			Message: "is needed, because smtp.host is empty in the program's settings",
		}}
	case own.Host != "" && !validHost(own.Host):
		return []uptime.FieldError{{Field: "smtp.host", Message: "must be a host name or an IP address, without a port"}}
	case own.Password != "" && own.Username == "":
		return []uptime.FieldError{{Field: "smtp.username", Message: "is required beside a password"}}
	}
	return nil
}

// server gives the mail server to be used.
func (e *email) server(s *EmailSettings) (SMTPConfig, error) {
	c := SMTPConfig(s.SMTP)
	if c.Host == "" {
		c = e.deps.SMTP
	}
	if c.Host == "" {
		return c, unusable("no mail server: smtp.host is empty in the channel and in the program's settings")
	}
	if !validHost(c.Host) {
		return c, unusable("smtp.host must be a host name or an IP address, without a port")
	}
	if c.Port == 0 {
		c.Port = defaultSMTPPort
	}
	switch c.TLS {
	case "":
		c.TLS = tlsStart
	case tlsStart, tlsDirect, tlsNone:
	default:
		return c, unusable("smtp.tls must be starttls, tls or none")
	}
	if c.From == "" {
		c.From = senderOf(c)
	}
	if _, err := mail.ParseAddress(c.From); err != nil {
		return c, unusable("smtp.from is not a mail address")
	}
	return c, nil
}

func (e *email) send(ctx context.Context, s *EmailSettings, d delivery) (uptime.Answer, error) {
	server, err := e.server(s)
	if err != nil {
		return uptime.Answer{}, err
	}
	d.hide = d.hide.withLogin(server.Username, server.Password)
	for _, to := range s.To {
		if a, err := mail.ParseAddress(to); err != nil || a.Address != to {
			return uptime.Answer{}, unusable("%q is not a mail address", uptime.CleanLine(to, 320))
		}
	}
	if len(s.To) == 0 {
		return uptime.Answer{}, unusable("settings.to is empty")
	}
	letter, err := e.compose(d, server.From, s.To)
	if err != nil {
		return uptime.Answer{}, unusable("the mail cannot be written: %v", err)
	}
	session := &smtpSession{guard: e.deps.Guard, roots: e.deps.RootCAs, server: server}
	answer, err := session.send(ctx, letter, s.To, d.message.Attempt)
	answer.Text = d.hide.clean(answer.Text)
	if err != nil {
		return answer, failure(ctx, err, d.hide)
	}
	return answer, nil
}

// senderOf makes an address where none is set.
func senderOf(c SMTPConfig) string {
	if a, err := mail.ParseAddress(c.Username); err == nil && a.Address == c.Username {
		return c.Username
	}
	return "monitor@" + mailDomain(c.Host)
}

func mailDomain(host string) string {
	if host = strings.Trim(host, "[]"); net.ParseIP(host) != nil {
		return "localhost"
	}
	return host
}

// validHost refuses what the mail library would read as something else: a port,
// a socket's path.
func validHost(host string) bool {
	if net.ParseIP(strings.Trim(host, "[]")) != nil {
		return true
	}
	return len(host) <= 253 && strings.IndexFunc(host, func(r rune) bool {
		return r <= ' ' || r == 0x7f || strings.ContainsRune("/\\:@?#[]<>\"", r)
	}) < 0
}
