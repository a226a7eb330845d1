package probe

import (
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"

	"monitor/modules/uptime"
)

// stage is how far a check got.
type stage int

const (
	stageStart stage = iota
	stageDNS
	stageConnect
	stageTLS
	stageAnswer // connected, waiting for the head of the answer
	stageBody
)

// tracker times the parts of a check. Over redirects each part is the sum of
// all hops. net/http may still call it from goroutines of its own when the
// check is over, hence the lock.
type tracker struct {
	mu      sync.Mutex
	stage   stage
	phases  uptime.Phases
	since   time.Time // start of the part that goes on
	host    string    // looked up last
	address string    // dialled last, or connected to
	// hops are the TLS states of all hops.
	hops []tls.ConnectionState
}

// trace gives the hooks for net/http.
func (t *tracker) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSStart:          func(i httptrace.DNSStartInfo) { t.resolving(i.Host) },
		DNSDone:           func(httptrace.DNSDoneInfo) { t.leave(stageDNS) },
		ConnectStart:      func(_, address string) { t.connecting(address) },
		ConnectDone:       t.connected,
		TLSHandshakeStart: func() { t.enter(stageTLS) },
		TLSHandshakeDone:  t.shaken,
		WroteRequest:      func(httptrace.WroteRequestInfo) { t.enter(stageAnswer) },
		GotConn: func(httptrace.GotConnInfo) {
			// The answer may come before the request is written.
			t.enter(stageAnswer)
		},
		GotFirstResponseByte: func() { t.leave(stageAnswer) },
	}
}

func (t *tracker) resolving(host string) {
	t.enter(stageDNS)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.host = host
}

func (t *tracker) enter(s stage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stage, t.since = s, time.Now()
}

func (t *tracker) leave(s stage) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stage == s {
		t.add()
	}
}

// add books the time of the stage that goes on. It keeps the stage: an error
// that comes now belongs to it.
func (t *tracker) add() {
	if t.since.IsZero() {
		return
	}
	passed := time.Since(t.since)
	t.since = time.Time{}
	switch t.stage {
	case stageDNS:
		t.phases.DNS += passed
	case stageConnect:
		t.phases.Connect += passed
	case stageTLS:
		t.phases.TLS += passed
	case stageAnswer:
		t.phases.FirstByte += passed
	case stageStart, stageBody:
	}
}

// connecting may come twice at once: IPv6 and IPv4 race.
func (t *tracker) connecting(address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.address = address
	if t.stage != stageConnect || t.since.IsZero() {
		t.stage, t.since = stageConnect, time.Now()
	}
}

func (t *tracker) connected(_, address string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil && t.stage == stageConnect {
		t.address = address
		t.add()
	}
}

func (t *tracker) shaken(state tls.ConnectionState, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add()
	if err == nil {
		t.hops = append(t.hops, state)
	}
}

// end books what goes on and gives a copy that no late hook changes.
func (t *tracker) end() tracker {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add()
	return tracker{stage: t.stage, phases: t.phases, host: t.host, address: t.address, hops: t.hops}
}
