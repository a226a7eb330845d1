package channeltest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// SMTPOptions shape a mail server. Its certificate is valid for 127.0.0.1 and
// example.com, see SMTPServer.Roots.
type SMTPOptions struct {
	StartTLS bool
	TLS      bool // from the first byte
	// Username and Password are demanded unless empty.
	Username, Password string
}

// SMTPServer is a real mail server on loopback.
type SMTPServer struct {
	Port  int
	Roots *x509.CertPool

	options SMTPOptions
	mu      sync.Mutex
	mails   []Mail
	onAuth  func(username, password string) error
	onRcpt  func(to string) error
	onData  func(attempt int) error
	data    int
	conns   int
}

// Mail is one that was accepted.
type Mail struct {
	From string
	To   []string
	Data string // as it came, with LF line ends
}

// StartSMTP starts a mail server that ends with the test.
func StartSMTP(t *testing.T, o SMTPOptions) *SMTPServer {
	t.Helper()
	s := &SMTPServer{options: o, Roots: x509.NewCertPool()}
	// The certificate of the standard library's test server does.
	web := httptest.NewTLSServer(nil)
	s.Roots.AddCert(web.Certificate())
	secure := &tls.Config{Certificates: web.TLS.Certificates, MinVersion: tls.VersionTLS12}
	web.Close()

	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.Port = listener.Addr().(*net.TCPAddr).Port
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.conns++
		return &session{server: s}, nil
	}))
	server.Domain = "mail.example.com"
	server.AllowInsecureAuth = true
	server.ReadTimeout, server.WriteTimeout = time.Minute, time.Minute
	server.ErrorLog = quiet{}
	if o.StartTLS {
		server.TLSConfig = secure
	}
	if o.TLS {
		listener = tls.NewListener(listener, secure)
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() {
		_ = server.Close()
		_ = listener.Close() // which the server does not know if it had not begun
		serving.Wait()
	})
	return s
}

// OnAuth decides which log-ins are refused; no error accepts.
func (s *SMTPServer) OnAuth(f func(username, password string) error) { s.set(func() { s.onAuth = f }) }

// OnRcpt decides which recipients are refused.
func (s *SMTPServer) OnRcpt(f func(to string) error) { s.set(func() { s.onRcpt = f }) }

// OnData decides which mails are refused; attempt counts the DATA commands from 1.
func (s *SMTPServer) OnData(f func(attempt int) error) { s.set(func() { s.onData = f }) }

func (s *SMTPServer) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// Mails gives what was accepted.
func (s *SMTPServer) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

// Connections counts how often the server was connected to.
func (s *SMTPServer) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// Refuse is an answer of the server.
func Refuse(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: text}
}

// session is one connection.
type session struct {
	server *SMTPServer
	mail   Mail
	known  bool
}

var _ smtp.AuthSession = (*session)(nil)

func (s *session) AuthMechanisms() []string {
	if s.server.options.Username == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		s.server.mu.Lock()
		decide := s.server.onAuth
		s.server.mu.Unlock()
		if decide != nil {
			return decide(username, password)
		}
		if username != s.server.options.Username || password != s.server.options.Password {
			return errors.New("wrong")
		}
		s.known = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.options.Username != "" && !s.known {
		return smtp.ErrAuthRequired
	}
	s.mail = Mail{From: from}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.server.mu.Lock()
	decide := s.server.onRcpt
	s.server.mu.Unlock()
	if decide != nil {
		if err := decide(to); err != nil {
			return err
		}
	}
	s.mail.To = append(s.mail.To, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.data++
	if s.server.onData != nil {
		if err := s.server.onData(s.server.data); err != nil {
			return err
		}
	}
	s.mail.Data = strings.ReplaceAll(string(data), "\r\n", "\n")
	s.server.mails = append(s.server.mails, s.mail)
	return nil
}

func (s *session) Reset()        { s.mail = Mail{} }
func (s *session) Logout() error { return nil }

// quiet drops the server's log: clients that vanish are what is tested.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}
