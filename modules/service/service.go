package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"
)

var (
	// ErrStoppedEarly is in the chain of the error of a part that returned before
	// it was asked to stop.
	ErrStoppedEarly = errors.New("stopped without being asked to")
	// ErrHang is in the chain of the error of a part that did not return within the
	// grace.
	ErrHang = errors.New("did not stop in time")
)

// Service is a running part; see the package's description for what Run promises.
type Service struct {
	Name string
	Run  func(ctx context.Context, ready func()) error
}

// State is where a part stands in its life. Each part passes through a run of
// them in this order, possibly leaving some out.
type State string

// The states of a part. One that hangs stays at stopping.
const (
	Starting State = "starting"
	Ready    State = "ready"
	Stopping State = "stopping"
	Stopped  State = "stopped"
)

// Params are what RunAll needs. All but OnState are required.
type Params struct {
	Log *slog.Logger
	// Grace is how long each part may take to return once its ctx has ended.
	Grace time.Duration
	// OnState is told of each change, one call at a time, and holds up the start or
	// stop while it runs. It is told nothing of parts that never started.
	OnState func(name string, state State)
	// Services in the order of their start. Their names differ.
	Services []Service
}

// RunAll runs the services until ctx ends or one of them returns, and returns when
// all have returned or used up their grace. It returns nil when ctx ended and each
// returned nil; otherwise an error that joins all that went wrong, what came first
// in front. A service left behind by a hang keeps its goroutine.
func RunAll(ctx context.Context, p Params) error {
	if err := p.check(); err != nil {
		return err
	}
	g := &group{Params: p, exits: make(chan *part, len(p.Services))}
	early := g.start(ctx)
	if early == nil {
		early = g.watch(ctx)
	}
	if early == nil {
		p.Log.Info("stopping", "cause", context.Cause(ctx))
		return g.stop(nil)
	}
	p.Log.Info("stopping", "cause", "a service ended", "service", early.Name)
	return g.stop(early)
}

func (p Params) check() error {
	if p.Log == nil || p.Grace <= 0 || len(p.Services) == 0 {
		return errors.New("run services: a logger, a grace above zero and at least one service are required")
	}
	seen := make(map[string]bool, len(p.Services))
	for _, s := range p.Services {
		switch {
		case s.Name == "" || s.Run == nil:
			return fmt.Errorf("run services: service %q needs a name and a Run method", s.Name)
		case seen[s.Name]:
			return fmt.Errorf("run services: two services are named %q", s.Name)
		}
		seen[s.Name] = true
	}
	return nil
}

// group is one call of RunAll. All of its methods run on the caller's goroutine;
// the parts' goroutines reach it by channels only.
type group struct {
	Params
	started []*part
	exits   chan *part // room for every part, so that none waits to report its end
}

// start starts the parts in order. It returns the part that ended early, if one
// did, and nil when all are ready or ctx has ended.
func (g *group) start(ctx context.Context) (early *part) {
	for _, s := range g.Services {
		select {
		case early := <-g.exits:
			return early
		default:
		}
		if ctx.Err() != nil {
			return nil
		}
		began := time.Now()
		g.tell(s.Name, Starting)
		p := launch(ctx, s, g.exits)
		g.started = append(g.started, p)
		select {
		case <-p.ready:
			g.tell(s.Name, Ready)
			g.Log.Info("service is ready", "service", s.Name, "took", time.Since(began))
		case early := <-g.exits:
			return early
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

func (g *group) watch(ctx context.Context) (early *part) {
	select {
	case early := <-g.exits:
		return early
	case <-ctx.Done():
		return nil
	}
}

// stop stops what was started, last first. What ended by itself meanwhile is
// reported as ended early, the given part in front of all.
func (g *group) stop(first *part) error {
	var errs []error
	if first != nil {
		errs = append(errs, first.earlyError())
	}
	for _, p := range slices.Backward(g.started) {
		if p.ended() {
			if p != first {
				errs = append(errs, p.earlyError())
			}
			g.tell(p.Name, Stopped)
			p.cancel()
			continue
		}
		if err := g.stopOne(p); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (g *group) stopOne(p *part) error {
	began := time.Now()
	g.tell(p.Name, Stopping)
	p.cancel()
	grace := time.NewTimer(g.Grace)
	defer grace.Stop()
	select {
	case <-p.done:
	case <-grace.C:
		if !p.ended() { // both at once: it made it
			return fmt.Errorf("service %s %w (%s)", p.Name, ErrHang, g.Grace)
		}
	}
	g.tell(p.Name, Stopped)
	g.Log.Info("service has stopped", "service", p.Name, "took", time.Since(began))
	if p.err != nil {
		return fmt.Errorf("stop service %s: %w", p.Name, p.err)
	}
	return nil
}

func (g *group) tell(name string, state State) {
	if g.OnState != nil {
		g.OnState(name, state)
	}
}
