package channel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"monitor/modules/failpoint"
	"monitor/modules/uptime"
)

// patientAttempts is how many attempts wait for a mail server that refuses some
// of the recipients for now (greylisting) before the others are told without
// them: an alert must not wait for one full mailbox.
const patientAttempts = 3

// smtpSession sends one mail over one connection.
type smtpSession struct {
	guard  Guard
	roots  *x509.CertPool
	server SMTPConfig

	conn net.Conn    // the one dialled, nil before
	stop func() bool // ends the watch on the context
}

// farewell is how long a server may take to answer QUIT.
const farewell = time.Second

// send makes one attempt. The library ends neither its commands nor its
// connection with the context, so both are done here.
func (s *smtpSession) send(ctx context.Context, letter *gomail.Msg, to []string, attempt int) (uptime.Answer, error) {
	client, err := s.client(ctx)
	if err != nil {
		return uptime.Answer{}, unusable("the mail server's settings cannot be used: %v", err)
	}
	defer s.close()
	dialled, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return s.failed(ctx, stepLogin, err)
	}
	answer, err := s.transfer(ctx, dialled, letter, to, attempt)
	if err == nil {
		// Sent is sent, whatever the server says to the farewell.
		_ = s.conn.SetDeadline(time.Now().Add(farewell))
		_ = dialled.Quit()
	}
	return answer, err
}

// close ends the connection; the library leaves it open where a log-in fails.
func (s *smtpSession) close() {
	if s.conn != nil {
		s.stop()
		_ = s.conn.Close()
	}
}

// client prepares the library for one connection.
func (s *smtpSession) client(ctx context.Context) (*gomail.Client, error) {
	config := &tls.Config{ServerName: s.server.Host, MinVersion: tls.VersionTLS12, RootCAs: s.roots}
	options := []gomail.Option{
		gomail.WithPort(s.server.Port),
		gomail.WithTimeout(remaining(ctx)),
		gomail.WithTLSConfig(config),
		gomail.WithDialContextFunc(s.dial(ctx, config)),
		gomail.WithTLSPolicy(gomail.NoTLS),
	}
	switch s.server.TLS {
	case tlsStart:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	case tlsDirect:
		options = append(options, gomail.WithSSL())
	}
	if s.server.Username != "" {
		options = append(options,
			gomail.WithUsername(s.server.Username), gomail.WithPassword(s.server.Password),
			gomail.WithOpportunisticSMTPAuth(mechanisms(s.server.TLS)...))
	}
	return gomail.NewClient(s.server.Host, options...)
}

// mechanisms in order of preference: within TLS what every server has; without
// it those that do not show the password first.
func mechanisms(mode string) []gomail.SMTPAuthType {
	if mode == tlsNone {
		return []gomail.SMTPAuthType{
			gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthCramMD5,
			gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc,
		}
	}
	return []gomail.SMTPAuthType{
		gomail.SMTPAuthPlain, gomail.SMTPAuthLogin,
		gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthCramMD5,
	}
}

// dial opens the connection through the guard, with TLS at once where the
// server wants that: the library leaves it to a dialer of one's own.
func (s *smtpSession) dial(attempt context.Context, config *tls.Config) gomail.DialContextFunc {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		host := strings.Trim(s.server.Host, "[]")
		conn, err := s.guard.DialContext(ctx, network, net.JoinHostPort(host, strconv.Itoa(s.server.Port)))
		if err != nil {
			return nil, err
		}
		s.conn = conn
		s.stop = context.AfterFunc(attempt, func() { _ = conn.Close() })
		if s.server.TLS != tlsDirect {
			return conn, nil
		}
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		return secure, nil
	}
}

// transfer speaks the commands of one mail (RFC 5321, 3.3).
func (s *smtpSession) transfer(ctx context.Context, c *smtp.Client, letter *gomail.Msg, to []string, attempt int) (uptime.Answer, error) {
	from, err := letter.GetSender(false)
	if err != nil {
		return uptime.Answer{}, unusable("smtp.from is not a mail address")
	}
	if err := c.Mail(from); err != nil {
		return s.failed(ctx, stepSender, err)
	}
	refused, err := s.recipients(ctx, c, to, attempt)
	if err != nil {
		return uptime.Answer{StatusCode: codeOf(err)}, err
	}
	body, err := c.Data()
	if err != nil {
		return s.failed(ctx, stepData, err)
	}
	if _, err := letter.WriteTo(body); err != nil {
		return s.failed(ctx, stepData, err)
	}
	if err := body.Close(); err != nil {
		return s.failed(ctx, stepData, err)
	}
	failpoint.Here("notifier.mailed")
	answer := uptime.Answer{StatusCode: 250}
	if closed, ok := body.(*smtp.DataCloser); ok {
		answer.Text = closed.ServerResponse()
	}
	if refused != "" {
		answer.Text = uptime.Say("sent, but not to %s", refused)
	}
	return answer, nil
}

// recipients names all of them. Some being refused for good does not keep the
// mail from the others; which were refused is given for the log.
func (s *smtpSession) recipients(ctx context.Context, c *smtp.Client, to []string, attempt int) (string, error) {
	var refused []string
	var last, waiting error
	for _, address := range to {
		err := c.Rcpt("<" + address + ">")
		if err == nil {
			continue
		}
		code := codeOf(err)
		if code == 0 { // the connection, not the recipient
			_, failed := s.failed(ctx, stepRecipient, err)
			return "", failed
		}
		if last = err; code < 500 {
			waiting = err
		}
		refused = append(refused, address+" ("+describeSMTP(err)+")")
	}
	names := strings.Join(refused, ", ")
	switch {
	case len(refused) == 0:
		return "", nil
	case waiting != nil && (len(refused) == len(to) || attempt <= patientAttempts):
		return "", &uptime.SendError{StatusCode: codeOf(waiting), Reason: uptime.Say("refused for now: %s", names), Err: waiting}
	case len(refused) == len(to):
		return "", &uptime.SendError{Permanent: true, StatusCode: codeOf(last), Reason: uptime.Say("refused: %s", names), Err: last}
	}
	return names, nil
}

// The steps of a mail.
const (
	stepLogin     = "log in"
	stepSender    = "sender"
	stepRecipient = "recipient"
	stepData      = "data"
)

// refusal says what the server answered to a step.
func refusal(step, answer string) string {
	switch step {
	case stepLogin:
		return uptime.Say("log in refused: %s", answer)
	case stepSender:
		return uptime.Say("sender refused: %s", answer)
	case stepRecipient:
		return uptime.Say("recipient refused: %s", answer)
	}
	return uptime.Say("data refused: %s", answer)
}

// failed sorts a failure: 5xx is for good, all else is worth another attempt.
func (s *smtpSession) failed(ctx context.Context, step string, err error) (uptime.Answer, error) {
	if ended := ctx.Err(); ended != nil {
		err = fmt.Errorf("%s: %w", step, ended)
	}
	code := codeOf(err)
	failed := &uptime.SendError{
		Permanent: code >= 500 && code < 600, StatusCode: code,
		Reason: describeSMTP(err), Err: err,
	}
	if code != 0 {
		failed.Reason = refusal(step, failed.Reason)
	}
	return uptime.Answer{StatusCode: code}, failed
}

// codeOf is the server's answer code within an error, 0 for none.
func codeOf(err error) int {
	if failed, ok := errors.AsType[*uptime.SendError](err); ok {
		return failed.StatusCode
	}
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		return answer.Code
	}
	return 0
}

func describeSMTP(err error) uptime.Sentence {
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		return uptime.CleanLine(strconv.Itoa(answer.Code)+" "+answer.Msg, 300)
	}
	if strings.HasSuffix(err.Error(), "target host does not support STARTTLS") {
		return "the mail server does not offer STARTTLS: set tls to tls or none"
	}
	return describe(err)
}

// remaining is the time left to the context, at least a moment: the library
// refuses none.
func remaining(ctx context.Context) time.Duration {
	const fallback = 10 * time.Second
	end, ok := ctx.Deadline()
	if !ok {
		return fallback
	}
	return max(time.Until(end), time.Millisecond)
}
