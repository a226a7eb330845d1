package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"time"
)

// pageEvery is the time between two pages, as a handful of people and programs ask.
const pageEvery = 100 * time.Millisecond

// readers ask for pages and answers of the API until stop is closed.
type readers struct {
	m           *monitor
	stop        chan struct{}
	first, last time.Time // of the past
	took        map[string][]float64
	web         *http.Client
}

// ask is one kind of page.
type ask struct {
	name  string
	token bool // by token, not by cookie
	path  func() string
}

func (r *readers) asks() []ask {
	some := func() int64 { return r.m.ids[rand.IntN(len(r.m.ids))] }
	fixed := func(path string) func() string { return func() string { return path } }
	list := []ask{
		{"page: overview", false, fixed("/")},
		{"page: list", false, fixed("/monitors")},
		{"page: list, by name", false, fixed("/monitors?sort=name")},
		{"page: list of 100", false, fixed("/monitors?size=100")},
		{"page: list, searched", false, fixed("/monitors?q=7")},
		{"page: incidents", false, fixed("/incidents")},
		{"api: list", true, fixed("/api/v1/monitors?limit=100")},
		{"api: results", true, func() string { return fmt.Sprintf("/api/v1/monitors/%d/results?limit=100", some()) }},
		{"api: stats, any range", true, func() string {
			span := r.last.Sub(r.first)
			from := r.first.Add(rand.N(span))
			to := from.Add(rand.N(r.last.Sub(from)) + time.Minute)
			return fmt.Sprintf("/api/v1/monitors/%d/stats?from=%s&to=%s", some(), from.Format(time.RFC3339), to.Format(time.RFC3339))
		}},
	}
	for _, window := range []string{"24h", "7d", "30d"} {
		list = append(list,
			ask{"page: detail, " + window, false, func() string { return fmt.Sprintf("/monitors/%d?range=%s", some(), window) }},
			ask{"api: stats, " + window, true, func() string { return fmt.Sprintf("/api/v1/monitors/%d/stats?window=%s", some(), window) }},
		)
	}
	return list
}

func (r *readers) run(ctx context.Context) error {
	if err := r.logIn(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(pageEvery)
	defer tick.Stop()
	asks := r.asks()
	for n := 0; ; n++ {
		a := asks[n%len(asks)]
		began := time.Now()
		if err := r.get(ctx, a); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		r.took[a.name] = append(r.took[a.name], ms(time.Since(began)))
		select {
		case <-tick.C:
		case <-r.stop:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *readers) logIn(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	r.web = &http.Client{Timeout: time.Minute, Jar: jar}
	form := url.Values{"email": {benchEmail}, "password": {benchPassword}}
	res, err := r.web.PostForm(r.m.api.base+"/login", form) //nolint:noctx // the client has a timeout
	if err != nil {
		return err
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Request.URL.Path == "/login" {
		return fmt.Errorf("log in: %d at %s", res.StatusCode, res.Request.URL.Path)
	}
	return ctx.Err()
}

func (r *readers) get(ctx context.Context, a ask) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.m.api.base+a.path(), nil)
	if err != nil {
		return err
	}
	if a.token {
		req.Header.Set("Authorization", "Bearer "+r.m.api.token)
	}
	res, err := r.web.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d", req.URL.Path, res.StatusCode)
	}
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

func spentOf(took []float64) spent {
	slices.Sort(took)
	if len(took) == 0 {
		return spent{}
	}
	return spent{Asked: len(took), P50: at(took, 0.5), P95: at(took, 0.95), P99: at(took, 0.99), Max: took[len(took)-1]}
}
