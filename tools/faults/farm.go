package main

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// farm is the targets: one server, a path for each. Safe for concurrent use.
type farm struct {
	url  string
	stop func()

	mu      sync.Mutex
	targets []*target
}

// target answers as it was switched last.
type target struct {
	modes []mode // ascending
	hits  []hit
}

// mode is how a target answers from a time on.
type mode struct {
	from   time.Time
	status int           // 0: it cuts the connection
	slow   time.Duration // before the answer
}

// hit is one request and its answer.
type hit struct {
	came   time.Time
	status int
	left   time.Time // when the answer was given, or the one who asked had gone
	gone   bool      // who asked had gone before
}

func newFarm(ctx context.Context) (*farm, error) {
	f := &farm{}
	addr, stop, err := listen(ctx, f)
	f.url, f.stop = "http://"+addr, stop
	return f, err
}

// listen serves until stop.
func listen(ctx context.Context, h http.Handler) (addr string, stop func(), err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	return l.Addr().String(), serve(l, h), nil
}

// serve serves until stop.
func serve(l net.Listener, h http.Handler) (stop func()) {
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: h}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(l) // ends by Close
	}()
	return func() {
		_ = srv.Close()
		<-done
	}
}

// add makes one more target, which answers 200.
func (f *farm) add() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.targets = append(f.targets, &target{modes: []mode{{status: http.StatusOK}}})
	return len(f.targets) - 1
}

// set switches a target.
func (f *farm) set(n, status int, slow time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.targets[n]
	t.modes = append(t.modes, mode{time.Now(), status, slow})
}

func (f *farm) setAll(of []subject, status int, slow time.Duration) {
	for _, s := range of {
		f.set(s.target, status, slow)
	}
}

func (f *farm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.URL.Path[1:])
	came := time.Now()
	f.mu.Lock()
	if err != nil || n < 0 || n >= len(f.targets) {
		f.mu.Unlock()
		http.NotFound(w, r)
		return
	}
	t := f.targets[n]
	m := t.modes[len(t.modes)-1]
	at := len(t.hits)
	t.hits = append(t.hits, hit{came: came, status: m.status})
	f.mu.Unlock()
	gone := false
	if m.slow > 0 {
		select {
		case <-time.After(m.slow):
		case <-r.Context().Done():
			gone = true
		}
	}
	f.mu.Lock()
	t.hits[at].left, t.hits[at].gone = time.Now(), gone
	f.mu.Unlock()
	if m.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(m.status)
}

// within gives the requests to a target that came in [from, to].
func (f *farm) within(n int, from, to time.Time) []hit {
	f.mu.Lock()
	defer f.mu.Unlock()
	var in []hit
	for _, h := range f.targets[n].hits {
		if !h.came.Before(from) && !h.came.After(to) {
			in = append(in, h)
		}
	}
	return in
}

// failedWithin reports whether a target was switched to failing, cutting or
// answering later than after the timeout at any moment of [from, to].
func (f *farm) failedWithin(s subject, from, to time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	modes := f.targets[s.target].modes
	for i, m := range modes {
		if m.from.After(to) || i+1 < len(modes) && modes[i+1].from.Before(from) {
			continue
		}
		if m.status != http.StatusOK || m.slow >= s.timeout {
			return true
		}
	}
	return false
}

// hits counts all requests.
func (f *farm) count() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.targets {
		n += len(t.hits)
	}
	return n
}
