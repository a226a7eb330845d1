package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// link is the way to one server, which can be cut. One goroutine uses it.
type link struct {
	proxy *toxiproxy.Proxy
}

// newLink opens a way on a port of its own.
func newLink(name, upstream string) (*link, error) {
	hub := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	l := &link{toxiproxy.NewProxy(hub, name, "127.0.0.1:0", upstream)}
	return l, l.proxy.Start()
}

func (l *link) addr() string { return l.proxy.Listen }

// cut ends all connections and refuses new ones.
func (l *link) cut() { l.proxy.Stop() }

// mend takes connections again.
func (l *link) mend() error {
	if l.proxy.Enabled {
		return nil
	}
	return l.proxy.Start()
}

// reset ends all connections; new ones go through.
func (l *link) reset() error {
	l.cut()
	return l.mend()
}

// swallow lets connections stand and nothing through, both ways.
func (l *link) swallow() error {
	return l.toxics(`{"name":"swallow_%s","type":"timeout","stream":"%s","attributes":{"timeout":0}}`)
}

// slow delays each direction.
func (l *link) slow(d time.Duration) error {
	return l.toxics(fmt.Sprintf(`{"name":"slow_%%s","type":"latency","stream":"%%s","attributes":{"latency":%d,"jitter":%d}}`,
		d.Milliseconds(), d.Milliseconds()/2))
}

func (l *link) toxics(format string) error {
	for _, stream := range []string{"upstream", "downstream"} {
		if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(format, stream, stream))); err != nil {
			return err
		}
	}
	return nil
}

// heal undoes swallow and slow. Connections that stood meanwhile have lost
// bytes, so they end.
func (l *link) heal(ctx context.Context) error {
	l.proxy.Toxics.ResetToxics(ctx)
	return l.reset()
}

// lead sends connections to another server from now on.
func (l *link) lead(upstream string) error {
	l.cut()
	l.proxy.Lock()
	l.proxy.Upstream = upstream
	l.proxy.Unlock()
	return l.mend()
}
