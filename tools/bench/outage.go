package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"time"
)

const (
	// atOnce is how many targets turn bad in one round: each within its own second.
	atOnce = 10
	// patience is how long a webhook is waited for.
	patience = 20 * time.Second
)

// message is a webhook that came.
type message struct {
	kind    string
	monitor int64
	at      time.Time
}

// receiver takes webhooks.
type receiver struct {
	url      string
	messages chan message
	server   *http.Server
	ended    chan struct{}
}

func newReceiver(ctx context.Context) (*receiver, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + l.Addr().String() + "/hook", messages: make(chan message, 1<<16), ended: make(chan struct{})}
	r.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: r}
	go func() {
		defer close(r.ended)
		_ = r.server.Serve(l) // ends by Close
	}()
	return r, nil
}

func (r *receiver) close() {
	_ = r.server.Close()
	<-r.ended
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	m := message{at: time.Now()}
	var body struct {
		Type    string `json:"type"`
		Monitor struct {
			ID int64 `json:"id"`
		} `json:"monitor"`
	}
	raw, err := io.ReadAll(req.Body)
	if err == nil {
		err = json.Unmarshal(raw, &body)
	}
	if err != nil {
		http.Error(w, "unreadable", http.StatusBadRequest)
		return
	}
	m.kind, m.monitor = body.Type, body.Monitor.ID
	select {
	case r.messages <- m:
	default: // nobody counts them
	}
	w.WriteHeader(http.StatusOK)
}

// await reads messages of a kind until each of the monitors has one.
func (r *receiver) await(ctx context.Context, kind string, of []int64) (map[int64]time.Time, error) {
	came := map[int64]time.Time{}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for len(came) < len(of) {
		select {
		case m := <-r.messages:
			if m.kind == kind && slices.Contains(of, m.monitor) {
				came[m.monitor] = m.at
			}
		case <-timer.C:
			return nil, fmt.Errorf("%d of %d messages %q came within %s", len(came), len(of), kind, patience)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return came, nil
}

// alerts is how long it took from a bad answer to the webhook, in milliseconds.
type alerts struct {
	Outages int     `json:"outages"`
	Rate    float64 `json:"rate"`
	P50     float64 `json:"p50_ms"`
	P95     float64 `json:"p95_ms"`
	P99     float64 `json:"p99_ms"`
	Max     float64 `json:"max_ms"`
}

// alerts lets targets turn bad and well again while the program checks all.
func (b *bench) alerts(ctx context.Context, m *monitor, p plan) (a alerts, err error) {
	if err := m.start(ctx, p); err != nil {
		return a, err
	}
	defer func() { err = errors.Join(err, m.stop()) }()
	if err := b.wait(ctx, m.name()+", alerts, settling", settle); err != nil {
		return a, err
	}
	var took []float64
	for len(took) < b.options.outages {
		some := rand.Perm(p.monitors)[:min(atOnce, p.monitors)]
		round, err := b.outage(ctx, m, some)
		if err != nil {
			return a, err
		}
		took = append(took, round...)
		b.step(m.name()+", outages", len(took), b.options.outages)
	}
	slices.Sort(took)
	return alerts{
		Outages: len(took), Rate: p.rate(),
		P50: at(took, 0.5), P95: at(took, 0.95), P99: at(took, 0.99), Max: took[len(took)-1],
	}, nil
}

// outage of some targets, from turning bad to the last word that all are well.
func (b *bench) outage(ctx context.Context, m *monitor, some []int) (took []float64, err error) {
	of := make([]int64, len(some))
	for i, t := range some {
		of[i] = m.id(t)
		b.targets.fail(t, true)
	}
	told, err := b.receiver.await(ctx, "incident.opened", of)
	for _, t := range some {
		if err == nil {
			took = append(took, ms(told[m.id(t)].Sub(time.Unix(0, b.targets.firstBad[t].Load()))))
		}
		b.targets.fail(t, false)
	}
	if err != nil {
		return nil, err
	}
	_, err = b.receiver.await(ctx, "incident.resolved", of)
	return took, err
}
