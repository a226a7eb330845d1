package worker

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"

	"monitor/modules/uptime"
)

const (
	// longestHold bounds what the guard adds to a verdict.
	longestHold = 2 * time.Second
	// spacing is the least time between two questions, and askAgain that while
	// the network is known to be bad.
	spacing  = 100 * time.Millisecond
	askAgain = 2 * time.Second
	// memorySize is how many canaries are kept while nothing is reached.
	memorySize = 50
)

// report is a check that was made and is not handed on yet.
type report struct {
	result uptime.Result
	lease  uptime.Lease
	begun  time.Time // by the monotonic clock
	late   time.Duration
	// cut: our own network kept us from checking, for all that the probe knows.
	cut bool
}

// suspicious reports a failure that a cut of our own network would look like. A
// status, a refusal or any other answer is none; one that began and did not end is.
func (r report) suspicious() bool {
	if r.cut {
		return true
	}
	o := r.result.Outcome
	return o.Status == uptime.Down &&
		(o.ErrorKind == uptime.KindDNS || o.ErrorKind == uptime.KindConnect || o.ErrorKind == uptime.KindTimeout)
}

// silent reports a suspicious failure without any answer: only these count.
func (r report) silent() bool { return r.result.StatusCode == 0 }

// answered reports that the target was reached.
func (r report) answered() bool {
	o := r.result.Outcome
	return !r.suspicious() && o.Status != uptime.Unknown && o.ErrorKind != uptime.KindConnectRefused
}

// suspect is a report that waits for what the canaries say.
type suspect struct {
	report
	at time.Time
}

// guard tells failures of targets from those of this worker's own network. See
// the package's words. Judge may be called by many at once.
type guard struct {
	canaries []endpoint
	dialer   dialer
	log      *slog.Logger
	hand     func(report) // on to the recorder; must not wait
	tell     func(workspace int64, bad bool, failing int)
	kick     chan struct{} // holds one

	mu      sync.Mutex
	targets *targets
	held    []suspect // oldest first
	many    bool      // enough hosts were known at manyAt
	manyAt  time.Time
	asking  bool
	askedAt time.Time // end of the last question
	bad     bool
	since   time.Time // of bad being what it is
	failing int       // targets that made it so
	memory  []endpoint
	told    map[int64]bool // workspaces that know of it
	greeted map[int64]bool // workspaces where an alarm of an earlier run was ended
	stats   NetworkStats
}

// NetworkStats says what a worker thinks of its own network.
type NetworkStats struct {
	Suspected bool // its failures are unknown at present
	Held      int  // failures that wait for the canaries' answer
	Questions uint64
	Doubted   uint64 // failures made unknown
	Cuts      uint64 // times that it was suspected
}

// judge hands a report on: at once, or when it is known whose fault it is.
func (g *guard) judge(r report) {
	g.mu.Lock()
	now := time.Now()
	t := g.targets.of(r.lease, now)
	switch {
	case !r.suspicious():
		if r.answered() {
			g.reached(t, r, now)
		}
	case t.host == "": // there is no telling hosts apart
	default:
		if t.failing.IsZero() && r.silent() {
			t.failing = now
		}
		switch {
		case g.bad, r.begun.Before(g.since) && !g.since.IsZero():
			// Begun while nothing could be reached: it says nothing.
			r = g.doubt(r)
		case g.worthAsking(now):
			g.held = append(g.held, suspect{r, now})
			g.mu.Unlock()
			g.wake()
			return
		}
	}
	g.mu.Unlock()
	g.hand(r)
}

// reached notes an answer. One that was asked for after the network turned bad
// shows that it works again, unless canaries were named to tell.
func (g *guard) reached(t *target, r report, now time.Time) {
	t.reached, t.failing = now, time.Time{}
	if ws := r.result.WorkspaceID; !g.bad && !g.greeted[ws] {
		g.greeted[ws] = true
		g.tell(ws, false, 0)
	}
	if g.bad && len(g.canaries) == 0 && r.begun.After(g.since) && !t.local() {
		g.turnGood(now)
	}
}

// worthAsking reports whether failures may be held at all: where no canary is
// named and few hosts are known, they stand.
func (g *guard) worthAsking(now time.Time) bool {
	if len(g.canaries) > 0 {
		return true
	}
	if now.Sub(g.manyAt) > time.Second {
		g.many, g.manyAt = g.targets.manyHosts(now), now
	}
	return g.many
}

func (g *guard) wake() {
	select {
	case g.kick <- struct{}{}:
	default: // it is awake
	}
}

// doubt makes a failure unknown.
func (g *guard) doubt(r report) report {
	g.stats.Doubted++
	was := r.result.Error
	r.result.Outcome = uptime.Outcome{
		Status: uptime.Unknown, ErrorKind: uptime.KindNetwork, Response: r.result.Response,
		Error: uptime.CleanLine(uptime.Say("Not judged: the network of this worker itself is suspected. It saw: %s", was), 300),
	}
	if g.bad && !g.told[r.result.WorkspaceID] {
		g.told[r.result.WorkspaceID] = true
		g.tell(r.result.WorkspaceID, true, g.failing)
	}
	return r
}

// run asks canaries while there is need, until ctx ends. Then it settles what is
// held, which takes no longer than longestHold.
func (g *guard) run(ctx context.Context) {
	questions, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	answers := make(chan answer, 1)
	var asking sync.WaitGroup
	defer asking.Wait()
	timer := time.NewTimer(math.MaxInt64)
	defer timer.Stop()
	stop := ctx.Done()
	for {
		now := time.Now()
		g.expire(now)
		if q, ok := g.question(now); ok {
			asking.Go(func() { answers <- ask(questions, g.dialer, q) })
		}
		wait := g.next(now)
		if ctx.Err() != nil && !g.holds() {
			giveUp()
			return
		}
		timer.Reset(wait)
		select {
		case <-stop:
			stop = nil
		case <-g.kick:
		case <-timer.C:
		case a := <-answers:
			g.conclude(a, time.Now())
		}
	}
}

func (g *guard) holds() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.held) > 0
}

// next is how long there is nothing to do.
func (g *guard) next(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	wait := time.Duration(math.MaxInt64)
	if len(g.held) > 0 {
		wait = g.held[0].at.Add(longestHold).Sub(now)
	}
	switch {
	case g.asking:
	case g.bad:
		wait = min(wait, g.askedAt.Add(askAgain).Sub(now))
	case len(g.held) > 0:
		wait = min(wait, g.askedAt.Add(spacing).Sub(now))
	}
	return max(wait, 0)
}

// question gives what is to be asked now, if anything is.
func (g *guard) question(now time.Time) (question, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	gap := spacing
	if g.bad {
		gap = askAgain
	}
	if g.asking || len(g.held) == 0 && !g.bad || now.Sub(g.askedAt) < gap {
		return question{}, false
	}
	q := question{canaries: g.canaries, put: now}
	q.witnesses, q.remote = g.targets.candidates(now, asked)
	if g.bad {
		q.witnesses = g.remembered()
	}
	g.asking = true
	g.stats.Questions++
	return q, true
}

// remembered gives the next of the canaries that are kept, in turn.
func (g *guard) remembered() []endpoint {
	n := min(asked, len(g.memory))
	turn := g.memory[:n:n]
	g.memory = append(g.memory[n:len(g.memory):len(g.memory)], turn...)
	return turn
}

// expire lets go of what was held long enough.
func (g *guard) expire(now time.Time) {
	g.release(func(s suspect) bool { return now.Sub(s.at) >= longestHold }, func(r report) report { return r })
}

// release hands on those at the front of the line that the test picks.
func (g *guard) release(pick func(suspect) bool, change func(report) report) {
	g.mu.Lock()
	n := 0
	for n < len(g.held) && pick(g.held[n]) {
		n++
	}
	free := make([]report, n)
	for i, s := range g.held[:n] {
		free[i] = change(s.report)
	}
	clear(g.held[:n])
	if g.held = g.held[n:]; len(g.held) == 0 {
		g.held = nil
	}
	g.mu.Unlock()
	for _, r := range free {
		g.hand(r)
	}
}

// conclude draws what follows from an answer.
func (g *guard) conclude(a answer, now time.Time) {
	g.mu.Lock()
	g.asking, g.askedAt = false, now
	nobody := len(a.canaries) == 0 && len(a.witnesses) == 0
	wasBad := g.bad
	switch {
	case wasBad && (a.reached || nobody || g.targets.mostWork(g.since)):
		g.turnGood(now)
	case !wasBad && !a.reached && !nobody:
		if seen := g.targets.count(now, a.dead, a.alive); seen.guilty() {
			g.turnBad(now, seen)
		}
	}
	bad := g.bad
	g.mu.Unlock()
	switch {
	case bad && !wasBad:
		g.release(func(suspect) bool { return true }, g.doubt)
	case a.reached || nobody:
		g.release(func(s suspect) bool { return !s.at.After(a.put) }, func(r report) report { return r })
	}
}

func (g *guard) turnBad(now time.Time, seen count) {
	g.bad, g.since, g.failing = true, now, seen.failing
	g.memory, _ = g.targets.candidates(now, memorySize)
	g.told = map[int64]bool{}
	g.stats.Cuts++
	g.log.Error("this worker's own network is suspected: what it cannot reach is unknown until a canary answers",
		"targets", seen.failing, "hosts", seen.hosts)
}

func (g *guard) turnGood(now time.Time) {
	g.log.Info("this worker's network works again", "after", now.Sub(g.since))
	g.bad, g.since, g.memory = false, now, nil
	for workspace := range g.told {
		g.tell(workspace, false, 0)
	}
	g.told = nil
}

// snapshot gives the numbers.
func (g *guard) snapshot() NetworkStats {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.stats
	s.Suspected, s.Held = g.bad, len(g.held)
	return s
}
