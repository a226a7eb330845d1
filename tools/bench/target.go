package main

import (
	"bytes"
	"context"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// addresses is how many loopback addresses the targets are spread over: one has
// no more than 28,000 ports for connections, which stay taken a while each.
const addresses = 16

// hit is one request that came to a target.
type hit struct {
	target int
	at     int64 // Unix ns
}

// window logs the requests of a time.
type window struct {
	hits []hit
	next atomic.Int64
}

// targets is one server with a path for each target. It costs as little as a
// server can, and what it costs is its own process' and in no figure. Safe for
// concurrent use.
type targets struct {
	port string
	stop func()

	failing  []atomic.Bool
	firstBad []atomic.Int64 // Unix ns of the first bad answer since it was switched
	window   atomic.Pointer[window]
}

var (
	goodAnswer = []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
	badAnswer  = []byte("HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbad\n")
	headEnd    = []byte("\r\n\r\n")
)

func newTargets(ctx context.Context, most int) (*targets, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "0.0.0.0:0")
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, err
	}
	t := &targets{port: port, failing: make([]atomic.Bool, most), firstBad: make([]atomic.Int64, most)}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // it is closed
			}
			go t.serve(conn)
		}
	})
	t.stop = func() {
		_ = l.Close()
		serving.Wait()
	}
	return t, nil
}

// host of a target: two ask the same address only by chance.
func (t *targets) host(n int) string {
	return net.JoinHostPort("127.0.0."+strconv.Itoa(1+n%addresses), t.port)
}

func (t *targets) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }() // who asked may have gone
	var space [2048]byte
	n := 0
	for !bytes.Contains(space[:n], headEnd) {
		more, err := conn.Read(space[n:])
		if err != nil || n+more == len(space) {
			return
		}
		n += more
	}
	now := time.Now().UnixNano()
	_, path, _ := bytes.Cut(space[:n], []byte(" /"))
	target := 0
	for _, c := range path {
		if c < '0' || c > '9' {
			break
		}
		target = 10*target + int(c-'0')
	}
	if target >= len(t.failing) {
		return
	}
	if w := t.window.Load(); w != nil {
		if i := w.next.Add(1) - 1; int(i) < len(w.hits) {
			w.hits[i] = hit{target, now}
		}
	}
	answer := goodAnswer
	if t.failing[target].Load() {
		answer = badAnswer
		t.firstBad[target].CompareAndSwap(0, time.Now().UnixNano())
	}
	_, _ = conn.Write(answer) // likewise
}

// open begins to log, at most so many requests.
func (t *targets) open(most int) { t.window.Store(&window{hits: make([]hit, most)}) }

// shut ends that and gives the log, once.
func (t *targets) shut() []hit {
	w := t.window.Swap(nil)
	if w == nil {
		return nil
	}
	return w.hits[:min(int(w.next.Load()), len(w.hits))]
}

// fail switches a target.
func (t *targets) fail(n int, bad bool) {
	t.firstBad[n].Store(0)
	t.failing[n].Store(bad)
}
