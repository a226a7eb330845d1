package main

import (
	"context"
	"io"
	"log"
	"net"
	"regexp"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

var mailID = regexp.MustCompile(`(?i)Message-ID: <(evt_[a-z2-7]{26})@`)

// mailbox is a mail server that logs all it is told. Safe for concurrent use.
type mailbox struct {
	addr string
	stop func()

	mu     sync.Mutex
	all    []message
	broken []string
}

func newMailbox(ctx context.Context) (*mailbox, error) {
	m := &mailbox{}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return mailSession{m}, nil }))
	server.Domain = "localhost"
	server.ErrorLog = log.New(io.Discard, "", 0) // of programs that were killed while they spoke
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m.addr = l.Addr().String()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l) // ends by Close
	}()
	m.stop = func() {
		_ = server.Close()
		<-done
	}
	return m, nil
}

type mailSession struct{ box *mailbox }

func (mailSession) Reset()                               {}
func (mailSession) Logout() error                        { return nil }
func (mailSession) Mail(string, *smtp.MailOptions) error { return nil }
func (mailSession) Rcpt(string, *smtp.RcptOptions) error { return nil }

// Data takes one mail.
func (s mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	found := mailID.FindSubmatch(text)
	if found == nil {
		s.box.broken = append(s.box.broken, "a mail has no Message-ID of an event")
		return nil
	}
	s.box.all = append(s.box.all, message{ID: string(found[1]), at: time.Now(), answer: 200})
	return nil
}

func (m *mailbox) taken() []message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]message(nil), m.all...)
}
