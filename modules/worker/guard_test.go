package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
	"monitor/modules/worker"
)

// internet is what checks and canaries reach.
type internet struct {
	*world
	mu       sync.Mutex
	cut      bool
	slow     bool // what cannot be reached times out instead of failing at once
	gone     map[string]bool
	status   map[string]int // hosts that answer with a bad status
	dials    []string
	database error
	raised   []uptime.Alarm
	ended    []string
}

func (n *internet) set(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

func (n *internet) reachable(host string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.gone[host] && (!n.cut || host == "127.0.0.1")
}

func (n *internet) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	host, _, _ := net.SplitHostPort(address)
	n.set(func() { n.dials = append(n.dials, host) })
	if n.reachable(host) {
		near, far := net.Pipe()
		_ = far.Close()
		return near, nil
	}
	if n.isSlow() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, errors.New("network is unreachable")
}

func (n *internet) isSlow() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.slow
}

// probe checks the host that the settings name.
func (n *internet) probe(ctx context.Context, spec uptime.Spec) (uptime.Outcome, error) {
	var s settings
	_ = json.Unmarshal(spec.Settings, &s)
	host := s.URL[len("http://"):]
	if !n.reachable(host) {
		if !n.isSlow() {
			return uptime.Outcome{Status: uptime.Down, ErrorKind: uptime.KindConnect, Error: "There is no route"}, nil
		}
		select {
		case <-ctx.Done():
			return uptime.Outcome{}, ctx.Err()
		case <-time.After(spec.Timeout):
			return uptime.Outcome{Status: uptime.Down, ErrorKind: uptime.KindTimeout, Error: "No answer"}, nil
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if code := n.status[host]; code != 0 {
		return uptime.Outcome{Status: uptime.Down, ErrorKind: uptime.KindStatus, StatusCode: code}, nil
	}
	return uptime.Outcome{Status: uptime.Up}, nil
}

func (n *internet) RaiseAlarm(_ context.Context, a uptime.Alarm) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.database == nil {
		n.raised = append(n.raised, a)
	}
	return true, n.database
}

func (n *internet) EndAlarm(_ context.Context, _ int64, _ uptime.AlarmKind, subject string) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.database == nil {
		n.ended = append(n.ended, subject)
	}
	return true, n.database
}

// alarms gives how often one was raised and ended, the end at the start aside.
func (n *internet) alarms() (raised, ended int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.raised), len(n.ended) - 1
}

func guarded(t *testing.T, c worker.Config) (running, *internet) {
	t.Helper()
	n := &internet{world: newWorld(), gone: map[string]bool{}, status: map[string]int{}}
	n.check = n.probe
	k := worker.New(worker.Deps{
		Queue: n, Prober: n, Catalog: n, Sealer: n, Recorder: n, Dialer: n, Alarms: n,
		Clock: uptime.SystemClock, Log: slog.New(slog.DiscardHandler),
	}, c)
	ctx, cancel := context.WithCancel(t.Context())
	done, ready := make(chan error, 1), make(chan struct{})
	go func() { done <- k.Run(ctx, func() { close(ready) }) }()
	<-ready
	return running{k, n.world, cancel, done}, n
}

func hostOf(i int) string { return fmt.Sprintf("h%d.example", i) }

// checkAll runs one round over the hosts, spread evenly over the time.
func (n *internet) checkAll(hosts int, over time.Duration) {
	for i := range hosts {
		n.checkHost(i)
		pass(over / time.Duration(hosts))
	}
}

func (n *internet) checkHost(i int) {
	l := job(int64(i), time.Now())
	l.Receipt = fmt.Sprint(i, "@", time.Now().UnixNano())
	l.Spec.WorkspaceID = 1
	l.Spec.Settings = json.RawMessage(fmt.Sprintf(`{"url":"http://%s"}`, hostOf(i)))
	n.give(l)
}

// verdicts counts the results since the last call by status.
func (n *internet) verdicts() map[uptime.Status]int {
	counts := map[uptime.Status]int{}
	n.change(func() {
		for _, r := range n.results {
			counts[r.Status]++
			if r.Status == uptime.Unknown && r.ErrorKind != uptime.KindNetwork {
				counts["other"]++
			}
		}
		n.results = nil
	})
	return counts
}

// A worker whose network is cut stores no failure at all, whether checks fail at
// once or time out, and whatever the pace; it raises one alarm, and ends it.
func TestACutNetworkIsNobodysOutage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hosts    int
		interval time.Duration
		slow     bool
		canaries []string
	}{
		"AtOnce":        {500, time.Minute, false, nil},
		"TimeOut":       {500, time.Minute, true, nil},
		"Fast":          {100, time.Second, true, nil},
		"Few":           {6, 30 * time.Second, false, nil},
		"FewTimeOut":    {6, 30 * time.Second, true, nil},
		"NamedCanaries": {500, time.Minute, true, []string{"canary.example:443", "other.example:53"}},
		"NamedFew":      {6, 50 * time.Second, false, []string{"canary.example:443"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, n := guarded(t, worker.Config{Name: "w1", Canaries: c.canaries})
				n.checkAll(c.hosts, c.interval)
				require.Equal(t, map[uptime.Status]int{uptime.Up: c.hosts}, n.verdicts())

				n.set(func() { n.cut, n.slow = true, c.slow })
				n.checkAll(c.hosts, c.interval)
				n.checkAll(c.hosts, c.interval)
				pass(13 * time.Second)
				require.Equal(t, map[uptime.Status]int{uptime.Unknown: 2 * c.hosts}, n.verdicts())
				require.True(t, r.Stats().Network.Suspected)
				require.Equal(t, uint64(1), r.Stats().Network.Cuts)
				raised, ended := n.alarms()
				require.Equal(t, 1, raised)
				require.Zero(t, ended)
				require.Equal(t, uptime.AlarmWorkerNetwork, n.raised[0].Kind)
				require.Equal(t, "w1", n.raised[0].Subject)

				// Checks that run when the network comes back say nothing either.
				n.checkHost(1)
				pass(5 * time.Second)
				n.set(func() { n.cut = false })
				pass(10 * time.Second)
				require.Equal(t, map[uptime.Status]int{uptime.Unknown: 1}, n.verdicts())
				require.False(t, r.Stats().Network.Suspected)
				n.checkAll(c.hosts, c.interval)
				require.Equal(t, map[uptime.Status]int{uptime.Up: c.hosts}, n.verdicts())
				raised, ended = n.alarms()
				require.Equal(t, 1, raised)
				require.Equal(t, 1, ended)
				r.stop(t)
			})
		})
	}
}

// What targets say of themselves is not held for a moment, however many do.
func TestAnswersAreNeverHeld(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, n := guarded(t, worker.Config{Canaries: []string{"canary.example:1"}})
		n.checkAll(40, time.Second)
		n.verdicts()
		n.set(func() {
			n.gone["canary.example"] = true
			for i := range 40 {
				n.status[hostOf(i)] = 500
			}
		})
		for i := range 40 {
			n.checkHost(i)
		}
		synctest.Wait()
		require.Equal(t, map[uptime.Status]int{uptime.Down: 40}, n.verdicts())
		require.Empty(t, n.dials)
		r.stop(t)
	})
}

// Targets that are really gone are told as they are: at once where a canary
// answers, and within 2 s where the suspicion stays below its threshold.
func TestTargetsThatAreGone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hosts, gone int
		canaries    []string
		deadCanary  bool
		most        time.Duration
	}{
		"One":                  {20, 1, nil, false, 0},
		"FewHosts":             {4, 4, nil, false, 0},
		"HalfOfMany":           {40, 20, nil, false, 300 * time.Millisecond},
		"AllButOne":            {6, 5, nil, false, 300 * time.Millisecond},
		"AllWithALiveCanary":   {40, 40, []string{"canary.example:1"}, false, 300 * time.Millisecond},
		"FourWithADeadCanary":  {40, 4, []string{"canary.example:1"}, true, 2 * time.Second},
		"ThirdWithADeadCanary": {40, 13, []string{"canary.example:1"}, true, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, n := guarded(t, worker.Config{Canaries: c.canaries})
				n.checkAll(c.hosts, 20*time.Second)
				n.verdicts()
				n.set(func() {
					n.gone["canary.example"] = c.deadCanary
					for i := range c.gone {
						n.gone[hostOf(i)] = true
					}
				})
				for i := c.hosts - 1; i >= c.gone; i-- { // those that work are seen to
					n.checkHost(i)
				}
				synctest.Wait()
				for i := range c.gone {
					n.checkHost(i)
				}
				pass(c.most)
				require.Equal(t, c.gone, n.verdicts()[uptime.Down])
				require.False(t, r.Stats().Network.Suspected)
				raised, _ := n.alarms()
				require.Zero(t, raised)
				r.stop(t)
			})
		})
	}
}

// This machine answers itself whatever becomes of its network.
func TestThisMachineIsNoCanary(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, n := guarded(t, worker.Config{})
		local := func() {
			l := job(900, time.Now())
			l.Receipt = fmt.Sprint("local", time.Now().UnixNano())
			l.Spec.Settings = json.RawMessage(`{"url":"http://127.0.0.1"}`)
			n.give(l)
		}
		local()
		n.checkAll(20, 10*time.Second)
		n.verdicts()
		n.set(func() { n.cut = true })
		n.checkHost(1)
		local()
		pass(time.Second)
		n.checkAll(20, 10*time.Second)
		require.Equal(t, map[uptime.Status]int{uptime.Up: 1, uptime.Unknown: 21}, n.verdicts())
		require.NotContains(t, n.dials, "127.0.0.1")
		r.stop(t)
	})
}

// A named canary that is gone for good blinds nobody once most targets answer.
func TestACanaryThatIsGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, n := guarded(t, worker.Config{Canaries: []string{"canary.example:1"}})
		n.checkAll(20, 10*time.Second)
		n.set(func() { n.cut, n.gone["canary.example"] = true, true })
		n.checkAll(20, 10*time.Second)
		require.True(t, r.Stats().Network.Suspected)
		n.set(func() { n.cut = false })
		n.checkAll(20, 10*time.Second)
		n.verdicts()
		pass(3 * time.Second)
		require.False(t, r.Stats().Network.Suspected)
		n.set(func() { n.gone[hostOf(3)] = true })
		n.checkHost(3)
		pass(2 * time.Second)
		require.Equal(t, map[uptime.Status]int{uptime.Down: 1}, n.verdicts())
		r.stop(t)
	})
}

// The database may be cut off, too: the alarm is raised late, and then ended.
func TestTheAlarmComesLateRatherThanNever(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, n := guarded(t, worker.Config{Name: "w1"})
		n.checkAll(20, 10*time.Second)
		n.set(func() { n.cut, n.database = true, uptime.ErrUnavailable })
		n.checkAll(20, time.Minute)
		n.set(func() { n.cut = false })
		n.checkAll(20, 10*time.Second)
		require.False(t, r.Stats().Network.Suspected)
		raised, ended := n.alarms()
		require.Zero(t, raised)
		require.Zero(t, ended)
		n.set(func() { n.database = nil })
		pass(6 * time.Second)
		raised, ended = n.alarms()
		require.Equal(t, 1, raised)
		require.Equal(t, 1, ended)
		r.stop(t)
	})
}

// Whatever comes when, each job has one result, no later than 2 s after its check
// ended; and what fails while the network is cut, or because it was, is not down.
func TestGuardAtRandom(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 1))
				hosts := 7 + random.IntN(60)
				r, n := guarded(t, worker.Config{})
				n.checkAll(hosts, 20*time.Second)
				require.Equal(t, map[uptime.Status]int{uptime.Up: hosts}, n.verdicts())
				given, really := 0, 0
				for range 3 {
					cut := random.IntN(2) == 0
					n.set(func() {
						n.cut, n.slow = cut, random.IntN(2) == 0
						n.gone = map[string]bool{}
						for range random.IntN(3) {
							n.gone[hostOf(random.IntN(hosts))] = !cut
						}
					})
					for range random.IntN(200) {
						i := random.IntN(hosts)
						if given++; !n.reachable(hostOf(i)) && !cut {
							really++
						}
						n.checkHost(i)
						pass(time.Duration(random.IntN(300)) * time.Millisecond)
					}
					pass(12 * time.Second)
					require.Zero(t, r.Stats().Network.Held)
					require.Zero(t, r.Stats().Held)
				}
				got := n.verdicts()
				require.Equal(t, given, got[uptime.Up]+got[uptime.Down]+got[uptime.Unknown])
				require.LessOrEqual(t, got[uptime.Down], really)
				r.stop(t)
			})
		})
	}
}

// What is held stays leased, and a stop waits for the verdict.
func TestWhatIsHeldSurvivesAStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, n := guarded(t, worker.Config{})
		n.checkAll(20, 10*time.Second)
		n.verdicts()
		n.set(func() { n.cut, n.slow = true, true })
		n.checkHost(1)
		pass(10 * time.Second)
		synctest.Wait()
		require.Equal(t, 1, r.Stats().Network.Held)
		require.Empty(t, n.verdicts())
		begun := time.Now()
		r.stop(t)
		require.LessOrEqual(t, time.Since(begun), 2*time.Second)
		require.Equal(t, map[uptime.Status]int{uptime.Unknown: 1}, n.verdicts())
	})
}

// Real listeners that close at once refuse connections, which is an answer; real
// addresses that lead nowhere do not.
func TestRealListeners(t *testing.T) {
	t.Parallel()
	var dialer net.Dialer
	n := &internet{world: newWorld(), gone: map[string]bool{}, status: map[string]int{}}
	n.check = func(ctx context.Context, spec uptime.Spec) (uptime.Outcome, error) {
		var s settings
		_ = json.Unmarshal(spec.Settings, &s)
		if conn, err := dialer.DialContext(ctx, "tcp", s.URL[len("http://"):]); err == nil {
			return uptime.Outcome{Status: uptime.Up}, conn.Close()
		}
		return uptime.Outcome{Status: uptime.Down, ErrorKind: uptime.KindConnectRefused, Error: "refused"}, nil
	}
	k := worker.New(worker.Deps{
		Queue: n, Prober: n, Catalog: n, Sealer: n, Recorder: n, Dialer: &dialer, Alarms: n,
		Clock: uptime.SystemClock, Log: slog.New(slog.DiscardHandler),
	}, worker.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- k.Run(ctx, func() {}) }()
	var listeners []net.Listener
	var jobs []uptime.Lease
	for i := range 40 {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.%d:0", i+1))
		require.NoError(t, err)
		listeners = append(listeners, l)
		one := job(int64(i), time.Now())
		one.Spec.Settings = json.RawMessage(fmt.Sprintf(`{"url":"http://%s"}`, l.Addr()))
		jobs = append(jobs, one)
	}
	await := func(want int) {
		for k.Stats().Checks.Up+k.Stats().Checks.Down+k.Stats().Checks.Unknown < int64(want) {
			<-time.After(time.Millisecond)
		}
	}
	n.give(jobs...)
	await(40)
	for _, l := range listeners {
		require.NoError(t, l.Close())
	}
	for i := range jobs {
		jobs[i].Receipt += "again"
	}
	n.give(jobs...)
	await(80)
	require.Equal(t, map[uptime.Status]int{uptime.Up: 40, uptime.Down: 40}, n.verdicts())
	require.Zero(t, k.Stats().Network.Questions)

	// Now the same failures look like a cut, and nobody listens any more.
	refused := n.check
	n.change(func() {
		n.check = func(ctx context.Context, spec uptime.Spec) (uptime.Outcome, error) {
			o, err := refused(ctx, spec)
			o.ErrorKind = uptime.KindConnect
			return o, err
		}
	})
	for i := range jobs {
		jobs[i].Receipt += "again"
		jobs[i].MonitorID += 1000
		jobs[i].Spec.WorkspaceID = 1
	}
	n.give(jobs...)
	await(120)
	cancel()
	require.NoError(t, <-done)
	require.Equal(t, map[uptime.Status]int{uptime.Unknown: 40}, n.verdicts())
	raised, _ := n.alarms()
	require.Equal(t, 1, raised)
	require.True(t, slices.ContainsFunc(n.raised, func(a uptime.Alarm) bool { return a.WorkspaceID == 1 }))
}
