package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// The first owner.
const (
	benchEmail    = "bench@example.com"
	benchPassword = "a password for benches"
)

// client speaks REST to the program.
type client struct {
	base  string
	token string
	web   *http.Client
}

// call makes one request and gives the body of an answer below 300.
func (c *client) call(ctx context.Context, method, path string, body any) ([]byte, error) {
	if c.web == nil {
		c.web = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: creators}}
	}
	var reader io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, reader)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.web.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return nil, fmt.Errorf("%s %s answered %d: %s", method, path, res.StatusCode, raw)
	}
	return raw, nil
}

// do is call with the answer read into a value, nil: not wanted.
func (c *client) do(ctx context.Context, method, path string, body, into any) error {
	raw, err := c.call(ctx, method, path, body)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// setup makes the first owner and a token that lasts.
func (c *client) setup(ctx context.Context) error {
	var pair struct {
		AccessToken string `json:"access_token"`
	}
	err := c.do(ctx, http.MethodPost, "/api/v1/setup", map[string]string{
		"email": benchEmail, "password": benchPassword, "name": "Bench",
	}, &pair)
	if err != nil {
		return err
	}
	c.token = pair.AccessToken
	var token struct {
		Secret string `json:"secret"`
	}
	if err := c.do(ctx, http.MethodPost, "/api/v1/tokens", map[string]string{"name": "bench", "role": "owner"}, &token); err != nil {
		return err
	}
	c.token = token.Secret
	return nil
}

// addHook makes the default webhook channel.
func (c *client) addHook(ctx context.Context, url string) error {
	return c.do(ctx, http.MethodPost, "/api/v1/channels", map[string]any{
		"name": "Hook", "type": "webhook", "is_default": true, "settings": map[string]any{"url": url},
	}, nil)
}
