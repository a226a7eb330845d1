package app_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"
)

// target is a web server that can be broken.
type target struct {
	*httptest.Server
	status atomic.Int64
	hits   atomic.Int64
}

func newTarget(t *testing.T) *target {
	t.Helper()
	tg := &target{}
	tg.status.Store(http.StatusOK)
	tg.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		tg.hits.Add(1)
		w.WriteHeader(int(tg.status.Load()))
		_, _ = io.WriteString(w, "hello")
	}))
	t.Cleanup(tg.Close)
	return tg
}

// received is one request at a webhook.
type received struct {
	header http.Header
	body   []byte
	answer int
}

// hook is a webhook that answers the first attempts of each message with the
// given statuses and the rest with 200.
type hook struct {
	*httptest.Server
	mu       sync.Mutex
	first    []int
	attempts map[string]int
	all      []received
}

func newHook(t *testing.T, first ...int) *hook {
	t.Helper()
	h := &hook{first: first, attempts: map[string]int{}}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	defer h.mu.Unlock()
	id := r.Header.Get("webhook-id")
	status := http.StatusOK
	if n := h.attempts[id]; n < len(h.first) {
		status = h.first[n]
	}
	h.attempts[id]++
	h.all = append(h.all, received{r.Header.Clone(), body, status})
	w.WriteHeader(status)
}

// accepted are the messages that were answered 200.
func (h *hook) accepted() []received {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []received
	for _, r := range h.all {
		if r.answer == http.StatusOK {
			out = append(out, r)
		}
	}
	return out
}

func (h *hook) attemptsOf(id string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.attempts[id]
}

// requireSigned checks a message after the Standard Webhooks specification.
func requireSigned(t *testing.T, r received, secret []byte) {
	t.Helper()
	id, stamp := r.header.Get("webhook-id"), r.header.Get("webhook-timestamp")
	_, err := strconv.ParseInt(stamp, 10, 64)
	require.NoError(t, err)
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(id + "." + stamp + "." + string(r.body)))
	require.Equal(t, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), r.header.Get("webhook-signature"))
}

// mailbox is a mail server that answers the first attempt of each message with
// a temporary failure.
type mailbox struct {
	addr   *net.TCPAddr
	mu     sync.Mutex
	refuse int // attempts still to be refused
	tries  int
	mails  []string
}

func newMailbox(t *testing.T, refuse int) *mailbox {
	t.Helper()
	m := &mailbox{refuse: refuse}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return mailSession{m}, nil }))
	server.Domain = "localhost"
	server.ErrorLog = log.New(io.Discard, "", 0) // of programs that were killed while they spoke
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	m.addr, _ = l.Addr().(*net.TCPAddr)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return m
}

type mailSession struct{ box *mailbox }

func (mailSession) Reset()                               {}
func (mailSession) Logout() error                        { return nil }
func (mailSession) Mail(string, *smtp.MailOptions) error { return nil }
func (mailSession) Rcpt(string, *smtp.RcptOptions) error { return nil }

func (s mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.tries++
	if s.box.refuse > 0 {
		s.box.refuse--
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again later"}
	}
	s.box.mails = append(s.box.mails, string(text))
	return nil
}

func (m *mailbox) received() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]string(nil), m.mails...)
}
