package channel

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	gomail "github.com/wneessen/go-mail"

	"monitor/modules/uptime"
)

const (
	mailsAtOnce = 4
	mailsHeld   = 64
	mailTimeout = 30 * time.Second
)

// mailWaits are the waits between attempts: a server that greylists wants to be asked
// again after some minutes. Whoever still waits then asks for another mail.
func mailWaits() []time.Duration {
	return []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute}
}

var _ uptime.Postman = (*Mailer)(nil)

// Mailer sends mails of the program itself by the mail server of the settings. What
// waits is in memory alone: it is lost with the process, and asked for again.
type Mailer struct {
	email  *email
	random func() string
	log    *slog.Logger
	queue  chan parcel
	later  atomic.Int64 // those that wait for their next attempt
}

// parcel is a mail on its way; before its first attempt it is not written yet.
type parcel struct {
	write   func(context.Context) (uptime.Mail, error)
	mail    uptime.Mail
	id      string
	attempt int // of the next one, from 1
}

// NewMailer sends by d.SMTP, whose Host must not be empty; of d it also uses Guard,
// RootCAs and Clock. random gives an id that no other mail has.
func NewMailer(d Deps, random func() string, log *slog.Logger) *Mailer {
	return &Mailer{email: &email{deps: d}, random: random, log: log, queue: make(chan parcel, mailsHeld)}
}

// Post implements uptime.Postman. What is posted is sent while Run runs.
func (m *Mailer) Post(write func(ctx context.Context) (uptime.Mail, error)) bool {
	select {
	case m.queue <- parcel{write: write}:
		return true
	default:
		return false
	}
}

// Run sends what is posted until ctx ends; it always returns nil.
func (m *Mailer) Run(ctx context.Context, ready func()) error {
	var sending sync.WaitGroup
	for range mailsAtOnce {
		sending.Go(func() {
			for {
				select {
				case p := <-m.queue:
					m.deliver(ctx, &sending, p)
				case <-ctx.Done():
					return
				}
			}
		})
	}
	ready()
	sending.Wait()
	if lost := int64(len(m.queue)) + m.later.Load(); lost > 0 {
		m.log.WarnContext(ctx, "mails are lost with the end of the process", "mails", lost)
	}
	return nil
}

// deliver makes the next attempt. What is to be tried again waits beside the queue.
func (m *Mailer) deliver(ctx context.Context, waiting *sync.WaitGroup, p parcel) {
	if p.attempt == 0 {
		writing, cancel := context.WithTimeout(ctx, mailTimeout)
		letter, err := p.write(writing)
		cancel()
		if err != nil {
			if !errors.Is(err, uptime.ErrNotFound) {
				m.log.WarnContext(ctx, "write a mail", "error", err)
			}
			return
		}
		p = parcel{mail: letter, id: m.random(), attempt: 1}
	}
	err := m.send(ctx, p)
	if err == nil {
		m.log.DebugContext(ctx, "a mail was sent", "subject", p.mail.Subject, "attempts", p.attempt)
		return
	}
	waits := mailWaits()
	failed, ok := errors.AsType[*uptime.SendError](err)
	if ok && failed.Permanent || p.attempt > len(waits) || m.later.Load() >= mailsHeld {
		m.log.WarnContext(ctx, "a mail cannot be sent", "subject", p.mail.Subject, "attempts", p.attempt, "error", err)
		return
	}
	wait := waits[p.attempt-1]
	p.attempt++
	m.later.Add(1)
	waiting.Go(func() {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		select {
		case m.queue <- p:
			m.later.Add(-1)
		case <-ctx.Done():
		}
	})
}

// send makes one attempt. Every attempt has the same Message-ID.
func (m *Mailer) send(ctx context.Context, p parcel) error {
	ctx, cancel := context.WithTimeout(ctx, mailTimeout)
	defer cancel()
	server, err := m.email.server(&EmailSettings{})
	if err != nil {
		return err
	}
	hide := redactor{}.withLogin(server.Username, server.Password)
	out, _, err := newLetter(server.From, []string{p.mail.To}, p.id, m.email.deps.Clock(), p.mail.Subject)
	if err != nil {
		return unusable("the mail cannot be written: %v", err)
	}
	out.SetBodyString(gomail.TypeTextPlain, p.mail.Text)
	session := &smtpSession{guard: m.email.deps.Guard, roots: m.email.deps.RootCAs, server: server}
	if _, err := session.send(ctx, out, []string{p.mail.To}, p.attempt); err != nil {
		return failure(ctx, err, hide)
	}
	return nil
}

// newLetter writes the headers that all mails have, and gives the domain of their
// sender for ids.
func newLetter(from string, to []string, id string, written time.Time, subject string) (letter *gomail.Msg, host string, err error) {
	sender, err := mail.ParseAddress(from)
	if err != nil {
		return nil, "", fmt.Errorf("parse sender: %w", err)
	}
	if sender.Name == "" {
		sender.Name = "Monitor"
	}
	_, host, _ = strings.Cut(sender.Address, "@")
	letter = gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithBoundary("part-"+safeID(id)))
	letter.FromMailAddress(sender)
	if err := letter.To(to...); err != nil {
		return nil, "", fmt.Errorf("parse recipients: %w", err)
	}
	// Encoded here: the library folds a long word away from the header's name,
	// and some readers then show a space before it.
	letter.SetGenHeaderPreformatted(gomail.HeaderSubject, encodeSubject(uptime.CleanLine(subject, 200)))
	letter.SetMessageIDWithValue(safeID(id) + "@" + host)
	letter.SetDateWithValue(written)
	letter.SetGenHeader("Auto-Submitted", "auto-generated")
	letter.SetGenHeader("X-Auto-Response-Suppress", "All")
	return letter, host, nil
}
