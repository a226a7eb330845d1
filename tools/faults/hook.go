package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"
)

// message is what a receiver was told.
type message struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Merged   bool   `json:"merged"`
	Incident struct {
		ID int64 `json:"id"`
	} `json:"incident"`
	Monitor struct {
		ID int64 `json:"id"`
	} `json:"monitor"`

	at     time.Time
	answer int
	body   string
}

// hook is a webhook that logs all it is told. Safe for concurrent use.
type hook struct {
	addr string
	stop func()

	mu     sync.Mutex
	status int
	slow   time.Duration
	all    []message
	broken []string
}

func newHook(ctx context.Context) (*hook, error) {
	h := &hook{status: http.StatusOK}
	var err error
	h.addr, h.stop, err = listen(ctx, h)
	return h, err
}

// answers switches what it answers.
func (h *hook) answers(status int, slow time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status, h.slow = status, slow
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := time.Now()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender is gone before it said all
	}
	m := message{at: at, body: string(body)}
	err = json.Unmarshal(body, &m)
	h.mu.Lock()
	m.answer = h.status
	slow := h.slow
	switch {
	case err != nil:
		h.broken = append(h.broken, "a webhook's body is no JSON: "+err.Error())
	case m.ID != r.Header.Get("webhook-id"):
		h.broken = append(h.broken, "webhook-id is "+r.Header.Get("webhook-id")+" and the body's id is "+m.ID)
	}
	h.all = append(h.all, m)
	h.mu.Unlock()
	if slow > 0 {
		select {
		case <-time.After(slow):
		case <-r.Context().Done():
		}
	}
	w.WriteHeader(m.answer)
}

// taken are the messages that were answered 2xx, in the order of their coming.
func (h *hook) taken() []message {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []message
	for _, m := range h.all {
		if m.answer/100 == 2 {
			out = append(out, m)
		}
	}
	return out
}

// ids counts how often each id was taken.
func ids(all []message) map[string]int {
	n := map[string]int{}
	for _, m := range all {
		n[m.ID]++
	}
	return n
}
