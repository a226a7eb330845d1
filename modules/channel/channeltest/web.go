package channeltest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Request is one that a web server got.
type Request struct {
	Method string
	Path   string
	Header http.Header
	Body   string
}

// WebServer is a real endpoint of webhooks on loopback.
type WebServer struct {
	URL string

	mu       sync.Mutex
	requests []Request
	answer   func(n int, w http.ResponseWriter, r *http.Request)
	arrived  chan struct{}
}

// StartWeb starts a web server that answers 200 and ends with the test.
func StartWeb(t *testing.T) *WebServer {
	t.Helper()
	s := &WebServer{arrived: make(chan struct{}, 1024)}
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	s.URL = server.URL
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return s
}

// Answer sets what is answered to the n-th request, from 1.
func (s *WebServer) Answer(f func(n int, w http.ResponseWriter, r *http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

// Codes answers with these codes, the last one for ever.
func (s *WebServer) Codes(codes ...int) {
	s.Answer(func(n int, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(codes[min(n, len(codes))-1])
	})
}

// Hang answers nothing until the client goes away.
func (s *WebServer) Hang() {
	s.Answer(func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

// Requests gives what came, in order.
func (s *WebServer) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

// Arrived gets a value for each request.
func (s *WebServer) Arrived() <-chan struct{} { return s.arrived }

func (s *WebServer) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	s.requests = append(s.requests, Request{
		Method: r.Method, Path: r.URL.RequestURI(), Header: r.Header.Clone(), Body: string(body),
	})
	n, answer := len(s.requests), s.answer
	s.mu.Unlock()
	s.arrived <- struct{}{}
	if answer != nil {
		answer(n, w, r)
	}
}

// Golden writes a request for a golden file: the headers of the contract and
// the body.
func (r Request) Golden() string {
	var b strings.Builder
	b.WriteString(r.Method + " " + r.Path + "\n")
	for _, name := range []string{
		"Authorization", "Content-Type", "User-Agent", "Webhook-Id", "Webhook-Signature", "Webhook-Timestamp", "X-Team",
	} {
		if value := r.Header.Get(name); value != "" {
			b.WriteString(name + ": " + value + "\n")
		}
	}
	b.WriteString("\n" + r.Body + "\n")
	return b.String()
}
