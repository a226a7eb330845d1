package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// client speaks REST to one process with a token.
type client struct {
	w     *world
	base  string
	token string
}

// call makes one request.
func call(ctx context.Context, by *http.Client, method, url, token string, body any) ([]byte, int, error) {
	var reader io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, 0, err
		}
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, reader)
	if err != nil {
		return nil, 0, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := by.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	return raw, res.StatusCode, err
}

// do makes a request that has to be answered 2xx.
func (c client) do(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	raw, status, err := call(ctx, c.w.web, method, c.base+path, c.token, body)
	if err != nil {
		return err
	}
	if status/100 != 2 {
		return fmt.Errorf("%s %s: %d %s", method, path, status, raw)
	}
	if into == nil {
		return nil
	}
	return decode(raw, into)
}

func decode(raw []byte, into any) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%w in %s", err, raw)
	}
	return nil
}

// setup makes the first owner and a token that lasts.
func (w *world) setup(ctx context.Context, p *process) error {
	c := client{w: w, base: p.base()}
	var pair struct {
		AccessToken string `json:"access_token"`
	}
	err := c.do(ctx, http.MethodPost, "/api/v1/setup", map[string]any{
		"email": "faults@example.com", "password": "a password for benches", "name": "Faults",
	}, &pair)
	if err != nil {
		return err
	}
	c.token = pair.AccessToken
	var token struct {
		Secret string `json:"secret"`
	}
	if err := c.do(ctx, http.MethodPost, "/api/v1/tokens", map[string]any{"name": "faults", "role": "owner"}, &token); err != nil {
		return err
	}
	c.token = token.Secret
	w.api = c
	return nil
}

// at is the same client for another process.
func (c client) at(p *process) client {
	c.base = p.base()
	return c
}

// addHook makes the default webhook channel.
func (w *world) addHook(ctx context.Context) error {
	return w.api.do(ctx, http.MethodPost, "/api/v1/channels", map[string]any{
		"name": "Hook", "type": "webhook", "is_default": true, "settings": map[string]any{"url": "http://" + w.hookLink.addr() + "/hook"},
	}, nil)
}

// addMail makes the default mail channel.
func (w *world) addMail(ctx context.Context) error {
	host, port, ok := strings.Cut(w.mailLink.addr(), ":")
	if !ok {
		return fmt.Errorf("the mail server's address is %s", w.mailLink.addr())
	}
	return w.api.do(ctx, http.MethodPost, "/api/v1/channels", map[string]any{
		"name": "Mail", "type": "email", "is_default": true, "settings": map[string]any{
			"to":   []string{"oncall@example.com"},
			"smtp": map[string]any{"host": host, "port": json.Number(port), "from": "monitor@example.com", "tls": "none"},
		},
	}, nil)
}

// monitors are what a scenario watches: n of the same kind.
type monitors struct {
	n         int
	interval  time.Duration
	timeout   time.Duration
	retry     time.Duration
	failures  int
	successes int
	host      func(target int) string // nil: the farm's own
}

// subject is one monitor and its target.
type subject struct {
	id        int64
	target    int
	interval  time.Duration
	timeout   time.Duration
	failures  int
	successes int
	created   time.Time
}

// watch makes monitors of new targets.
func (w *world) watch(ctx context.Context, m monitors) ([]subject, error) {
	m.failures, m.successes = max(m.failures, 1), max(m.successes, 1)
	if m.retry == 0 {
		m.retry = min(m.interval, 20*time.Second)
	}
	made := make([]subject, 0, m.n)
	for range m.n {
		target := w.farm.add()
		url := fmt.Sprintf("%s/%d", w.farm.url, target)
		if m.host != nil {
			url = fmt.Sprintf("http://%s/%d", m.host(target), target)
		}
		var answer struct {
			ID        int64     `json:"id"`
			CreatedAt time.Time `json:"created_at"`
		}
		err := w.api.do(ctx, http.MethodPost, "/api/v1/monitors", map[string]any{
			"name": fmt.Sprintf("Target %d", target), "type": "http", "interval": seconds(m.interval), "timeout": seconds(m.timeout),
			"retry_interval": seconds(m.retry), "failures_before_down": m.failures, "successes_before_up": m.successes,
			"http": map[string]any{"url": url},
		}, &answer)
		if err != nil {
			return nil, err
		}
		made = append(made, subject{
			id: answer.ID, target: target, interval: m.interval, timeout: m.timeout,
			failures: m.failures, successes: m.successes, created: answer.CreatedAt,
		})
	}
	w.subjects = append(w.subjects, made...)
	return made, nil
}

func seconds(d time.Duration) string { return fmt.Sprintf("%dms", d.Milliseconds()) }
