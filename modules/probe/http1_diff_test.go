package probe

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/outbound"
	"monitor/modules/uptime"
)

// The tests of this file run each answer twice: read by hop, and by net/http's
// transport, which hop must equal in everything but time.

// ending is what a target does after its last byte.
type lastWord int

const (
	hangsUp lastWord = iota
	resets
	holds // until the other side has had enough
)

// script is what a target does with a connection.
type script struct {
	answer []byte
	cuts   []int // where the answer is cut into segments
	last   lastWord
	early  bool // answers before it reads
}

// target is a server that plays one script at a time. Any path but "/" is
// answered well, so that redirects have somewhere to go.
type target struct {
	address string
	mu      sync.Mutex
	script  script
	got     *[]string // what is asked, in this play
}

func newTarget(tb testing.TB) *target {
	tb.Helper()
	listener, err := new(net.ListenConfig).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	require.NoError(tb, err)
	t := &target{address: listener.Addr().String()}
	var open sync.WaitGroup
	ended, end := context.WithCancel(context.Background())
	open.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer context.AfterFunc(ended, func() { _ = c.Close() })()
				t.talk(c)
				_ = c.Close()
			})
		}
	})
	tb.Cleanup(func() {
		_ = listener.Close()
		end()
		open.Wait()
	})
	return t
}

// play gives where to find, under the lock, what is asked from now on.
func (t *target) play(s script) *[]string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.script, t.got = s, new([]string)
	return t.got
}

func (t *target) talk(c net.Conn) {
	t.mu.Lock()
	s, got := t.script, t.got
	t.mu.Unlock()
	if s.early {
		s.say(c)
	}
	request, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	body, _ := io.ReadAll(request.Body)
	t.mu.Lock()
	*got = append(*got, fmt.Sprintln(request.Method, request.RequestURI, request.Proto, request.Host, request.Header, request.ContentLength, request.Close, string(body)))
	t.mu.Unlock()
	switch {
	case request.URL.Path != "/":
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\nConnection: close\r\n\r\nneedle !")
		return
	case !s.early:
		s.say(c)
	}
	switch s.last {
	case resets:
		_ = c.(*net.TCPConn).SetLinger(0)
	case holds:
		_, _ = io.Copy(io.Discard, c)
	case hangsUp:
	}
}

func (s script) say(c net.Conn) {
	from := 0
	for i := range len(s.cuts) + 1 {
		to := len(s.answer)
		if i < len(s.cuts) {
			to = s.cuts[i]
		}
		if from > 0 {
			for range 20 {
				runtime.Gosched() // the segment before is likely read; nothing depends on it
			}
		}
		if _, err := c.Write(s.answer[from:to]); err != nil {
			return
		}
		from = to
	}
}

// twins are the two ways of asking.
type twins struct {
	*target
	hop, std *Registry
}

func newTwins(tb testing.TB) *twins {
	tb.Helper()
	// Made redirects lead anywhere: nothing leaves the machine.
	nowhere := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("no resolver here")
	}}
	guard, err := outbound.New(outbound.Config{Deny: []string{"0.0.0.0/0", "::/0"}, Allow: []string{"127.0.0.1", "::1"}}, outbound.WithResolver(nowhere))
	require.NoError(tb, err)
	registry := func(onlyNetHTTP bool) *Registry {
		h := newHTTP(Deps{Guard: guard, Clock: uptime.SystemClock})
		h.onlyNetHTTP = onlyNetHTTP
		r, err := register([]Type{h})
		require.NoError(tb, err)
		return r
	}
	return &twins{newTarget(tb), registry(false), registry(true)}
}

// trial is a script and how it is looked at.
type trial struct {
	script
	settings map[string]any
	detail   bool
}

func (c trial) String() string {
	return fmt.Sprintf("%v cuts %v last %v early %v detail %v\n%q", c.settings, c.cuts, c.last, c.early, c.detail, c.answer)
}

// found is an outcome without its times, and what the target was asked.
func (w *twins) found(ctx context.Context, r *Registry, c trial, patience time.Duration) string {
	got := w.play(c.script)
	_, port, _ := net.SplitHostPort(w.address)
	all := map[string]any{"url": "http://" + w.address + "/"}
	maps.Copy(all, c.settings)
	all["url"] = strings.NewReplacer("PLACE", w.address, "PORT", port).Replace(fmt.Sprint(all["url"]))
	raw, _ := json.Marshal(all) // strings and lists of strings
	timeout := 10 * time.Second
	if c.last == holds {
		timeout = patience
	}
	o, err := r.Probe(ctx, uptime.Spec{Type: "http", Timeout: timeout, Settings: raw}, c.detail)
	took := o.Phases
	o.Response, o.Phases = 0, uptime.Phases{}
	text, _ := json.Marshal(o)
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.early {
		*got = nil // it may be asked when the check is over already, or never
	}
	return fmt.Sprintf("%s\nerror %v\nphases %v %v %v %v\nasked %q", text, err, took.DNS > 0, took.Connect > 0, took.TLS > 0, took.FirstByte > 0, *got)
}

// compare says where the two ways keep differing, "" where they do not. net/http
// itself is of two minds about what comes before the request is written, and a
// busy machine about what comes just in time.
func (w *twins) compare(ctx context.Context, c trial) string {
	var hop, std string
	tries := 8
	if c.early {
		tries = 40
	}
	for again := range tries {
		patience := time.Duration(again+1) * 60 * time.Millisecond
		hop, std = w.found(ctx, w.hop, c, patience), w.found(ctx, w.std, c, patience)
		if hop == std {
			return ""
		}
	}
	return fmt.Sprintf("%v\nhop      %s\n\nnet/http %s", c, hop, std)
}

// lanes compares many trials, some at a time.
func lanes(t *testing.T, trials []trial) {
	t.Helper()
	queue := make(chan trial)
	var all sync.WaitGroup
	for range 4 {
		w := newTwins(t)
		all.Go(func() {
			for c := range queue {
				if t.Failed() {
					continue
				}
				if difference := w.compare(t.Context(), c); difference != "" {
					t.Error(difference)
				}
			}
		})
	}
	for _, c := range trials {
		queue <- c
	}
	close(queue)
	all.Wait()
}

func TestHopIsNetHTTPOnNastyAnswers(t *testing.T) {
	t.Parallel()
	lanes(t, nastyTrials())
}

func TestHopIsNetHTTPOnMadeAnswers(t *testing.T) {
	t.Parallel()
	seed, n := uint64(time.Now().UnixNano()), 1500
	if text := os.Getenv("HOP_SEED"); text != "" { // of a run that failed
		_, err := fmt.Sscan(text, &seed)
		require.NoError(t, err)
	}
	if testing.Short() {
		n = 200
	}
	t.Logf("HOP_SEED=%d", seed)
	lanes(t, madeTrials(seed, n))
}

// TestHopIsNetHTTPAtEveryByte ends an answer after each of its bytes, in two ways.
func TestHopIsNetHTTPAtEveryByte(t *testing.T) {
	t.Parallel()
	var trials []trial
	for _, answer := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-A: b\r\n\r\nneedle",
		"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnee\r\n3\r\ndle\r\n0\r\nX-T: u\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 2\r\n\r\nno",
		gzipped("needle"),
	} {
		for n := range len(answer) {
			for _, last := range []lastWord{hangsUp, resets} {
				trials = append(trials, trial{script: script{answer: []byte(answer[:n]), last: last}, settings: map[string]any{"keyword": "needle"}})
			}
		}
	}
	lanes(t, trials)
}
