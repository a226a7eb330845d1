package app_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/testenv"
)

const (
	killMonitors = 30
	killRounds   = 10
	killInterval = 5 * time.Second
	killTimeout  = 2 * time.Second
)

// span is a time within which one process worked: from its being ready to its
// end.
type span struct {
	from, to time.Time
	polite   bool // ended by SIGTERM
}

// subject is one monitor of the test.
type subject struct {
	id        int64
	target    int
	failures  int // before down
	successes int // before up
	created   time.Time
	results   []checked // ascending; read at the end
	gaps      []gap
	incidents []told
}

// chaos is one run: a plan drawn from a seed, targets and receivers that follow
// it, and the program that is killed.
type chaos struct {
	client
	random   *rand.Rand
	dir      string
	args     []string
	program  *program
	readyAt  time.Time
	spans    []span
	pauses   []span
	farm     *farm
	hook     *flakyHook
	box      *mailbox
	subjects []*subject

	asking sync.WaitGroup // checks by hand
	mu     sync.Mutex
	acked  map[*subject][]time.Time // slots of those that were answered
}

// TestKilledAtAnyMoment kills, stops and pauses the program again and again while thirty targets
// flap, a webhook answers late or with 500 and a mail server refuses, and then
// compares what it stored and told with what the targets answered.
//
// MONITOR_KILL_SEED replays a plan, MONITOR_KILL_ROUNDS sets how often the
// program is killed, and MONITOR_KILL_POSTGRES puts it on PostgreSQL.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	seed, rounds := rand.Uint64(), killRounds
	if text := os.Getenv("MONITOR_KILL_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	if text := os.Getenv("MONITOR_KILL_ROUNDS"); text != "" {
		var err error
		rounds, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	t.Logf("MONITOR_KILL_SEED=%d", seed)
	c := begin(t, seed)
	for range rounds {
		if c.random.IntN(6) == 0 {
			c.pause()
		}
		c.end()
		if c.random.IntN(4) == 0 {
			c.killWhileStarting()
		}
		if c.random.IntN(6) == 0 { // long enough to miss slots
			<-time.After(time.Duration(c.random.IntN(8000)) * time.Millisecond)
		}
		c.start()
		c.lookAtSome()
		c.askForSome()
	}
	c.settle()
	c.asking.Wait()
	c.readAll()
	c.checkResults()
	c.checkSlots()
	c.checkIncidents()
	c.checkMessages()
	require.Equal(t, 0, c.program.stop(), "SIGTERM exits 0")
}

// begin starts the first process and makes channels and monitors.
func begin(t *testing.T, seed uint64) *chaos {
	t.Helper()
	c := &chaos{
		client: client{t: t}, dir: t.TempDir(),
		random: rand.New(rand.NewPCG(seed, 1)),
		args:   []string{"--limits.api_per_minute", "0"},
		acked:  map[*subject][]time.Time{},
		farm:   newFarm(t, seed), hook: newFlakyHook(t, seed), box: newMailbox(t, 1),
	}
	if os.Getenv("MONITOR_KILL_POSTGRES") != "" {
		c.args = append(c.args, "--database.url", testenv.Postgres(t), "--auth.secret", "a secret that is long enough for a test")
	}
	c.program = serve(t, c.dir, c.args...)
	c.readyAt = time.Now()
	c.client = c.program.setup()
	c.must(http.StatusCreated, http.MethodPost, "/api/v1/channels", map[string]any{
		"name": "Hook", "type": "webhook", "is_default": true, "settings": map[string]any{"url": c.hook.URL},
	})
	c.must(http.StatusCreated, http.MethodPost, "/api/v1/channels", map[string]any{
		"name": "Mail", "type": "email", "is_default": true, "settings": map[string]any{
			"to": []string{"oncall@example.com"},
			"smtp": map[string]any{
				"host": c.box.addr.IP.String(), "port": c.box.addr.Port, "from": "monitor@example.com", "tls": "none",
			},
		},
	})
	for i := range killMonitors {
		s := &subject{target: i, failures: 1 + c.random.IntN(3), successes: 1 + c.random.IntN(2)}
		var made struct {
			ID        int64     `json:"id"`
			CreatedAt time.Time `json:"created_at"`
		}
		c.read(&made, c.must(http.StatusCreated, http.MethodPost, "/api/v1/monitors", map[string]any{
			"name": fmt.Sprintf("Target %d", i), "type": "http", "interval": killInterval.String(), "timeout": killTimeout.String(),
			"retry_interval":       []string{"1s", "2s", "5s"}[c.random.IntN(3)],
			"failures_before_down": s.failures, "successes_before_up": s.successes,
			"http": map[string]any{"url": fmt.Sprintf("%s/%d", c.farm.URL, i)},
		}))
		s.id, s.created = made.ID, made.CreatedAt
		c.subjects = append(c.subjects, s)
	}
	return c
}

// start starts the program anew.
func (c *chaos) start() {
	c.t.Helper()
	c.program = serve(c.t, c.dir, c.args...)
	c.readyAt = time.Now()
	c.client = c.again(c.program)
}

// end waits for a moment and kills the program, or sometimes asks it to stop.
func (c *chaos) end() {
	c.t.Helper()
	moment := time.After(time.Duration(100+c.random.IntN(3000)) * time.Millisecond)
	switch c.random.IntN(4) {
	case 0: // while a message is being taken, before its answer is committed
		c.hook.forget()
		select {
		case <-c.hook.taking:
		case <-moment:
		}
	case 1: // after some quiet
		<-moment
		<-time.After(killInterval / 2)
	default:
		<-moment
	}
	polite := c.random.IntN(6) == 0
	c.spans = append(c.spans, span{from: c.readyAt, to: time.Now(), polite: polite})
	if polite {
		require.Equal(c.t, 0, c.program.stop(), "SIGTERM exits 0")
	} else {
		c.program.kill()
	}
	c.box.refuseNext(c.random.IntN(3))
}

// pause stops the program for longer than its checks may take. What they then
// look like is not the targets' fault.
func (c *chaos) pause() {
	c.t.Helper()
	<-time.After(time.Duration(c.random.IntN(1500)) * time.Millisecond)
	require.NoError(c.t, c.program.cmd.Process.Signal(syscall.SIGSTOP))
	from := time.Now()
	<-time.After(killTimeout + 1500*time.Millisecond)
	c.spans = append(c.spans, span{from: c.readyAt, to: from})
	c.readyAt = time.Now()
	c.pauses = append(c.pauses, span{from: from, to: c.readyAt})
	require.NoError(c.t, c.program.cmd.Process.Signal(syscall.SIGCONT))
}

// killWhileStarting kills a process before it can be ready.
func (c *chaos) killWhileStarting() {
	c.t.Helper()
	args := append([]string{"serve", "--data.dir", c.dir, "--http.addr", "127.0.0.1:0"}, c.args...)
	cmd := exec.CommandContext(c.t.Context(), binary, args...)
	cmd.Dir, cmd.Env = c.t.TempDir(), cleanEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(c.t, cmd.Start())
	<-time.After(time.Duration(c.random.IntN(400)) * time.Millisecond)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// settle heals all targets and waits until everything is told.
func (c *chaos) settle() {
	c.t.Helper()
	c.farm.heal()
	c.hook.heal()
	c.box.refuseNext(0)
	eventually(c.t, "all monitors are up", func() bool {
		for _, s := range c.subjects {
			if c.monitorStatus(float64(s.id)) != "up" {
				return false
			}
		}
		return true
	})
	eventually(c.t, "all messages are delivered", func() bool {
		for _, path := range []string{"/deliveries?status=pending", "/deliveries?status=sending", "/incidents?open=true"} {
			if len(c.must(http.StatusOK, http.MethodGet, "/api/v1"+path, nil).list(c.t)) > 0 {
				return false
			}
		}
		return true
	})
}

// farm is the targets: one server whose answers by path and time are the plan.
type farm struct {
	*peer
	began time.Time
	plan  [][]phase

	mu     sync.Mutex
	healed bool
	hits   [][]hit
}

// phase is how a target answers until a time after the beginning.
type phase struct {
	until  time.Duration
	status int // 0: cuts the connection
	slow   time.Duration
}

// hit is one request and its answer.
type hit struct {
	came   time.Time
	status int
}

func newFarm(t *testing.T, seed uint64) *farm {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 2))
	f := &farm{began: time.Now(), hits: make([][]hit, killMonitors)}
	for range killMonitors {
		f.plan = append(f.plan, newPlan(random))
	}
	f.peer = newPeer(t, f)
	return f
}

// newPlan alternates between good and bad for ten minutes, then is good.
func newPlan(random *rand.Rand) []phase {
	var plan []phase
	for until, good := time.Duration(0), random.IntN(3) > 0; until < 10*time.Minute; good = !good {
		until += time.Duration(500+random.IntN(14_000)) * time.Millisecond
		p := phase{until: until, status: http.StatusOK}
		if !good {
			p.status = []int{http.StatusInternalServerError, http.StatusServiceUnavailable, 0}[random.IntN(3)]
		}
		if random.IntN(4) == 0 {
			p.slow = time.Duration(random.IntN(1000)) * time.Millisecond
		}
		plan = append(plan, p)
	}
	return plan
}

// at is how a target answers now.
func (f *farm) at(target int, now time.Time) phase {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.healed {
		for _, p := range f.plan[target] {
			if now.Sub(f.began) < p.until {
				return p
			}
		}
	}
	return phase{status: http.StatusOK}
}

func (f *farm) heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.healed = true
}

func (f *farm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	target, err := strconv.Atoi(r.URL.Path[1:])
	if err != nil || target < 0 || target >= killMonitors {
		http.NotFound(w, r)
		return
	}
	came := time.Now()
	p := f.at(target, came)
	f.mu.Lock()
	f.hits[target] = append(f.hits[target], hit{came, p.status})
	f.mu.Unlock()
	select {
	case <-time.After(p.slow):
	case <-r.Context().Done():
	}
	if p.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(p.status)
}

// within gives the requests to a target that came in [from, to].
func (f *farm) within(target int, from, to time.Time) []hit {
	f.mu.Lock()
	defer f.mu.Unlock()
	var in []hit
	for _, h := range f.hits[target] {
		if !h.came.Before(from) && !h.came.After(to) {
			in = append(in, h)
		}
	}
	return in
}

// flakyHook is a webhook that at times answers 500, and late.
type flakyHook struct {
	*hook
	front  *peer
	URL    string
	taking chan struct{} // holds one: a message came

	mu     sync.Mutex
	random *rand.Rand
	healed bool
}

func newFlakyHook(t *testing.T, seed uint64) *flakyHook {
	t.Helper()
	h := &flakyHook{
		hook: newHook(t), taking: make(chan struct{}, 1),
		random: rand.New(rand.NewPCG(seed, 3)),
	}
	h.front = newPeer(t, h)
	h.URL = h.front.URL
	return h
}

// forget drops the news of messages that came before.
func (h *flakyHook) forget() {
	select {
	case <-h.taking:
	default:
	}
}

func (h *flakyHook) heal() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.healed = true
}

func (h *flakyHook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	fails := !h.healed && h.random.IntN(6) == 0
	late := time.Duration(h.random.IntN(200)) * time.Millisecond
	h.mu.Unlock()
	if fails {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	h.hook.ServeHTTP(w, r)
	select {
	case h.taking <- struct{}{}:
	default:
	}
	// It is taken, but the program does not know yet.
	select {
	case <-time.After(late):
	case <-r.Context().Done():
	}
}

// lookAtSome compares the state of a few monitors with their results while the
// program works.
func (c *chaos) lookAtSome() {
	c.t.Helper()
	for range 4 {
		s := c.subjects[c.random.IntN(len(c.subjects))]
		before, results, after := c.state(s), c.results(s), c.state(s)
		if before != after || len(results) == 0 || !results[len(results)-1].ScheduledAt.Equal(after.LastCheckedAt) {
			continue // a result was stored in between
		}
		_, want := outages(s, results)
		require.Equal(c.t, want.status, after.Status, "monitor %d after %v", s.id, results)
		require.Equal(c.t, want.failures, after.ConsecutiveFailures, "monitor %d after %v", s.id, results)
	}
	unresolved := map[int64]int64{}
	for _, i := range list[told](c, "/incidents?open=true") {
		require.Zero(c.t, unresolved[i.MonitorID], "monitor %d has two unresolved incidents", i.MonitorID)
		unresolved[i.MonitorID] = i.ID
	}
}

// askForSome asks for checks by hand, whose answers may not come before the
// program is killed. What is answered is committed.
func (c *chaos) askForSome() {
	who := c.client
	for range 3 {
		s := c.subjects[c.random.IntN(len(c.subjects))]
		c.asking.Go(func() {
			var r checked
			a, err := who.try(http.MethodPost, fmt.Sprintf("/api/v1/monitors/%d/check", s.id), nil)
			if err != nil || a.status != http.StatusOK || json.Unmarshal(a.raw, &r) != nil {
				return
			}
			c.mu.Lock()
			defer c.mu.Unlock()
			c.acked[s] = append(c.acked[s], r.ScheduledAt)
		})
	}
}

// readAll reads results, gaps and incidents of all monitors.
func (c *chaos) readAll() {
	c.t.Helper()
	c.spans = append(c.spans, span{from: c.readyAt, to: time.Now()})
	for _, s := range c.subjects {
		s.results, s.gaps = c.results(s), c.gaps(s)
	}
	for _, i := range list[told](c, "/incidents") {
		at := slices.IndexFunc(c.subjects, func(s *subject) bool { return s.id == i.MonitorID })
		require.GreaterOrEqual(c.t, at, 0)
		c.subjects[at].incidents = append(c.subjects[at].incidents, i)
	}
}

// TestStoppedWhileStarting asks the program to stop before it is ready, at other
// moments each time, with a schema to be made. It is an orderly stop, and the
// folder can be used.
func TestStoppedWhileStarting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i := range 20 {
		cmd := exec.CommandContext(t.Context(), binary, "serve", "--http.addr", "127.0.0.1:0", "--data.dir", fmt.Sprintf("%s/%d", dir, i))
		cmd.Env = cleanEnv()
		said := &output{}
		cmd.Stdout, cmd.Stderr = said, said
		require.NoError(t, cmd.Start())
		<-time.After(time.Duration(5+3*i) * time.Millisecond)
		require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
		_ = cmd.Wait()
		if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			continue // it had not begun to listen to signals
		}
		require.Zero(t, cmd.ProcessState.ExitCode(), "%s", said)
	}
	for i := range 20 {
		require.Equal(t, 0, serve(t, fmt.Sprintf("%s/%d", dir, i)).stop())
	}
}
