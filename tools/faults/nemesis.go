package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"monitor/tools/servers"
)

// faulted keeps the time of a fault, which the checker then bears in mind.
func (w *world) faulted(from time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, span{from, time.Now()})
}

// during plays a fault and keeps its time.
func (w *world) during(fault func() error) error {
	from := time.Now()
	defer w.faulted(from)
	return fault()
}

// killed kills a process and keeps the time.
func (w *world) killed(p *process) time.Time {
	at := time.Now()
	p.kill()
	w.faulted(at)
	return at
}

// metric reads one number of a process's /metrics; labels are part of the name.
func (p *process) metric(ctx context.Context, name string) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	raw, status, err := call(ctx, p.w.web, http.MethodGet, p.base()+"/metrics", "", nil)
	if err != nil {
		return 0, err
	}
	if status != http.StatusOK {
		return 0, fmt.Errorf("/metrics of %s answers %d", p.name, status)
	}
	for line := range strings.Lines(string(raw)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(rest), 64)
		}
	}
	return 0, fmt.Errorf("%s has no metric %s", p.name, name)
}

// leader waits for the process that leads; those in but are left out.
func (w *world) leader(ctx context.Context, but ...*process) (*process, error) {
	var found *process
	_, err := w.eventually(ctx, 30*time.Second, "a scheduler leads", func() bool {
		for _, p := range w.of("scheduler") {
			if slices.Contains(but, p) || !p.running() {
				continue
			}
			if v, err := p.metric(ctx, "monitor_scheduler_leading"); err == nil && v == 1 {
				found = p
				return true
			}
		}
		return false
	})
	return found, err
}

// flipping switches random targets between well and failing until the context
// ends, and then makes all well.
func (w *world) flipping(ctx context.Context, of []subject, every time.Duration) (stop func()) {
	return w.switching(ctx, of, every, func(random *rand.Rand) (int, time.Duration) {
		return []int{http.StatusInternalServerError, http.StatusServiceUnavailable}[random.IntN(2)], 0
	})
}

// switching is flipping to a failure that is drawn: a status (0: the connection
// is cut) after a time.
func (w *world) switching(ctx context.Context, of []subject, every time.Duration,
	draw func(*rand.Rand) (status int, slow time.Duration),
) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	random := newRandom(w.random.Uint64(), w.random.Uint64())
	go func() {
		defer close(done)
		fails := map[int]bool{}
		for sleep(ctx, every) == nil {
			s := of[random.IntN(len(of))]
			fails[s.target] = !fails[s.target]
			if !fails[s.target] {
				w.farm.set(s.target, http.StatusOK, 0)
				continue
			}
			status, slow := draw(random)
			w.farm.set(s.target, status, slow)
		}
	}()
	return func() {
		cancel()
		<-done
		w.farm.setAll(of, http.StatusOK, 0)
	}
}

// pinger asks a page of processes all the time and counts what is not answered
// as it has to be.
type pinger struct {
	cancel context.CancelFunc
	done   chan struct{}

	asked   int
	wrong   int
	first   string
	slowest time.Duration
}

// pinging asks path of the processes until stop.
func (w *world) pinging(ctx context.Context, path, token string, of []*process) *pinger {
	return w.pingingBy(ctx, w.web, path, token, of)
}

// pingingBy is pinging by a browser, which may have a session.
func (w *world) pingingBy(ctx context.Context, by *http.Client, path, token string, of []*process) *pinger {
	ctx, cancel := context.WithCancel(ctx)
	g := &pinger{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(g.done)
		for sleep(ctx, 100*time.Millisecond) == nil {
			for _, p := range of {
				g.ask(ctx, by, p, path, token)
			}
		}
	}()
	return g
}

func (g *pinger) ask(ctx context.Context, by *http.Client, p *process, path, token string) {
	within, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	began := time.Now()
	_, status, err := call(within, by, http.MethodGet, p.base()+path, token, nil)
	if ctx.Err() != nil {
		return // asked to stop meanwhile
	}
	g.asked++
	g.slowest = max(g.slowest, time.Since(began))
	if status != http.StatusOK {
		g.wrong++
		if g.first == "" {
			g.first = fmt.Sprintf("%s answers %d to %s (%v)", p.name, status, path, err)
		}
	}
}

// stop ends it and finds fault with what was wrong.
func (g *pinger) stop(w *world, what string) {
	g.cancel()
	<-g.done
	w.note("%s: %d asked, %d wrong, slowest %d ms", what, g.asked, g.wrong, g.slowest.Milliseconds())
	if g.wrong > 0 {
		w.find("%s: %d of %d were not answered with 200; first: %s", what, g.wrong, g.asked, g.first)
	}
}

// resumed gives the time from a moment until every subject's target was asked
// again.
func (w *world) resumed(ctx context.Context, from time.Time, of []subject, within time.Duration) time.Duration {
	_, err := w.eventually(ctx, within, "all targets are checked again", func() bool {
		for _, s := range of {
			if len(w.farm.within(s.target, from, time.Now())) == 0 {
				return false
			}
		}
		return true
	})
	if err != nil {
		missing := 0
		for _, s := range of {
			if len(w.farm.within(s.target, from, time.Now())) == 0 {
				missing++
			}
		}
		w.find("checks did not resume: %d of %d targets were not asked within %s", missing, len(of), within)
	}
	return time.Since(from)
}

// stored gives the time from a moment until every subject has a stored result
// of a slot since.
func (w *world) stored(ctx context.Context, from time.Time, of []subject, within time.Duration) time.Duration {
	missing := ""
	_, err := w.eventually(ctx, within, "results are stored again", func() bool {
		t, err := w.read(ctx)
		if err != nil {
			missing = err.Error()
			return false
		}
		for _, s := range of {
			if !t.states[s.id].lastSlot.After(from) {
				missing = fmt.Sprintf("the newest slot of monitor %d is %s", s.id, t.states[s.id].lastSlot.Format("15:04:05.000"))
				return false
			}
		}
		return true
	})
	if err != nil {
		w.find("results were not stored again: %s", missing)
	}
	return time.Since(from)
}

// writer changes a monitor through the API all the time. Every change has to be
// answered with 200 and be there for the next reader.
type writer struct {
	cancel context.CancelFunc
	done   chan struct{}

	asked   int
	wrong   int
	first   string
	slowest time.Duration
}

// writing changes the name of a monitor until stop.
func (w *world) writing(ctx context.Context, of subject) *writer {
	ctx, cancel := context.WithCancel(ctx)
	g := &writer{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(g.done)
		for n := 1; sleep(ctx, 100*time.Millisecond) == nil; n++ {
			g.write(ctx, w.api, of, fmt.Sprintf("Name %d", n))
		}
	}()
	return g
}

func (g *writer) write(ctx context.Context, by client, of subject, name string) {
	path := fmt.Sprintf("/api/v1/monitors/%d", of.id)
	began := time.Now()
	var is struct {
		Name string `json:"name"`
	}
	err := by.do(ctx, http.MethodPatch, path, map[string]any{"name": name}, nil)
	took := time.Since(began)
	if err == nil {
		err = by.do(ctx, http.MethodGet, path, nil, &is)
	}
	if ctx.Err() != nil {
		return // asked to stop meanwhile
	}
	if err == nil && is.Name != name {
		err = fmt.Errorf("%s was written and %s is read", name, is.Name)
	}
	g.asked++
	g.slowest = max(g.slowest, took)
	if err != nil {
		g.wrong++
		if g.first == "" {
			g.first = err.Error()
		}
	}
}

// stop ends it and finds fault with what was wrong.
func (g *writer) stop(w *world) {
	g.cancel()
	<-g.done
	w.note("writes: %d, %d wrong, slowest %d ms", g.asked, g.wrong, g.slowest.Milliseconds())
	if g.wrong > 0 {
		w.find("%d of %d writes were not done; first: %s", g.wrong, g.asked, g.first)
	}
}

// logIn gives a browser with a session. It follows no redirect: one that is sent
// back to the log-in page has none.
func (w *world) logIn(ctx context.Context, p *process) (*http.Client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	by := &http.Client{
		Transport: w.web.Transport, Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	form := url.Values{"email": {"faults@example.com"}, "password": {"a password for benches"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base()+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := by.Do(req)
	if err != nil {
		return nil, fmt.Errorf("log in: %w", err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusSeeOther {
		return nil, fmt.Errorf("log in: %s answers %d", p.name, res.StatusCode)
	}
	return by, nil
}

// takeAway makes a server unreachable: the way to it is cut (refused at once),
// swallows all (nothing comes back) or is torn again and again (what was asked may
// be done, and its answer lost), or the server is paused or killed. mend brings it
// back and returns when it can be reached.
func (w *world) takeAway(ctx context.Context, s *servers.Server, way *link, how string) (mend func(context.Context) error, err error) {
	w.say("%s is %s", s.Name, how)
	switch how {
	case "cut":
		way.cut()
		return func(context.Context) error { return way.mend() }, nil
	case "swallowed":
		return way.heal, way.swallow()
	case "torn":
		return w.tear(ctx, way)
	case "paused":
		s.Pause(true)
		return func(context.Context) error {
			s.Pause(false)
			return nil
		}, nil
	case "killed":
		s.Stop(syscall.SIGKILL)
		return s.Start, nil
	}
	return nil, fmt.Errorf("there is no way of being away called %q", how)
}

// tear ends the connections of a slow way a few times each second.
func (w *world) tear(ctx context.Context, way *link) (mend func(context.Context) error, err error) {
	if err := way.slow(5 * time.Millisecond); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	torn := make(chan error, 1)
	random := newRandom(w.random.Uint64(), w.random.Uint64())
	go func() {
		var err error
		for err == nil && sleep(ctx, time.Duration(50+random.IntN(300))*time.Millisecond) == nil {
			err = way.reset()
		}
		torn <- err
	}()
	return func(ctx context.Context) error {
		cancel()
		return errors.Join(<-torn, way.heal(ctx))
	}, nil
}
