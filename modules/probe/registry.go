package probe

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"monitor/modules/outbound"
	"monitor/modules/uptime"
)

// Deps are what probes need.
type Deps struct {
	Guard   *outbound.Guard
	Clock   uptime.Clock
	Version string // of the program, for User-Agent
	// RootCAs are trusted instead of the system's; nil: the system's.
	RootCAs *x509.CertPool
}

// Type is one monitor type.
type Type interface {
	// Kind describes the type and its settings.
	Kind() uptime.Kind
	// Probe checks once until ctx ends. settings is what Kind.New gives, filled,
	// with secrets opened, and the probe's own. ctx has a deadline.
	Probe(ctx context.Context, settings any, detail bool) (uptime.Outcome, error)
}

// planner is a Type that works out once what all checks with the same settings
// share, and that keeps to a deadline by itself: a timer for each context is dear
// at ten thousand checks a second.
type planner interface {
	// plan takes what Kind.New gives, filled. Many goroutines have the plan at once,
	// and the settings in it: they are read only.
	plan(settings any) (any, error)
	// probe is Probe with a plan. ctx is bounded: it names its deadline only.
	probe(ctx context.Context, plan any, detail bool) (uptime.Outcome, error)
}

// types is the table of all monitor types, in the order shown to people.
func types(d Deps) []Type {
	return []Type{
		newHTTP(d),
	}
}

var (
	_ uptime.Catalog = (*Registry)(nil)
	_ uptime.Prober  = (*Registry)(nil)
)

// ErrType is the error of a spec that names a monitor type that this program does not have.
var ErrType = errors.New(uptime.Sentence("unknown monitor type"))

// Registry knows the monitor types. It is safe for concurrent use.
type Registry struct {
	order  []uptime.Kind
	byName map[string]*entry
}

type entry struct {
	Type
	plans plans // used when it is a planner
}

// New makes the registry of all types. It fails only by a mistake in the table.
func New(d Deps) (*Registry, error) { return register(types(d)) }

// register refuses two types with one name.
func register(list []Type) (*Registry, error) {
	r := &Registry{byName: make(map[string]*entry, len(list))}
	for _, t := range list {
		kind := t.Kind()
		if _, taken := r.byName[kind.Name]; taken {
			return nil, fmt.Errorf("register monitor type %q: there are two of that name", kind.Name)
		}
		r.byName[kind.Name] = &entry{Type: t}
		r.order = append(r.order, kind)
	}
	return r, nil
}

// Kinds lists the types in the order shown to people.
func (r *Registry) Kinds() []uptime.Kind { return append([]uptime.Kind(nil), r.order...) }

// Kind gives the type of a name.
func (r *Registry) Kind(name string) (uptime.Kind, bool) {
	for _, k := range r.order {
		if k.Name == name {
			return k, true
		}
	}
	return uptime.Kind{}, false
}

// Probe checks once within spec.Timeout, over everything that the type does. The
// error says why we could not check: an unknown type, settings that cannot be
// read, ctx cancelled, no resources on our side.
func (r *Registry) Probe(ctx context.Context, spec uptime.Spec, detail bool) (uptime.Outcome, error) {
	t, ok := r.byName[spec.Type]
	if !ok {
		return uptime.Outcome{}, fmt.Errorf(uptime.Sentence("probe %q: %w"), spec.Type, ErrType)
	}
	settings, err := t.read(spec.Settings)
	if err != nil {
		return uptime.Outcome{}, fmt.Errorf(uptime.Sentence("probe %s: %w"), spec.Type, err)
	}
	timeout := spec.Timeout
	if timeout <= 0 {
		timeout = uptime.DefaultTimeout
	}
	outcome, err := t.within(ctx, timeout, settings, detail)
	if (err != nil || outcome.Status != uptime.Up) && over(ctx) {
		// Whoever asked has given up: what then looks like a failure of the
		// target is our own doing.
		return uptime.Outcome{}, fmt.Errorf(uptime.Sentence("probe %s: %w"), spec.Type, cmp.Or(context.Cause(ctx), context.DeadlineExceeded))
	}
	if err != nil {
		return uptime.Outcome{}, fmt.Errorf(uptime.Sentence("probe %s: %w"), spec.Type, err)
	}
	return outcome, nil
}

// within checks until ctx ends or timeout has passed.
func (t *entry) within(ctx context.Context, timeout time.Duration, settings any, detail bool) (uptime.Outcome, error) {
	p, ok := t.Type.(planner)
	if !ok {
		limited, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return t.Probe(limited, settings, detail)
	}
	return p.probe(bound(ctx, timeout), settings, detail)
}

// read gives what the type wants: settings of the check's own, or a shared plan.
func (t *entry) read(raw json.RawMessage) (any, error) {
	planner, plans := t.Type.(planner)
	if plans {
		if plan, ok := t.plans.find(raw); ok {
			return plan, nil
		}
	}
	settings := t.Kind().New()
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, settings); err != nil {
			// The error may repeat a value, and values may be secrets.
			return nil, errors.New(uptime.Sentence("the stored settings cannot be read"))
		}
	}
	if !plans {
		return settings, nil
	}
	plan, err := planner.plan(settings)
	if err != nil {
		return nil, err
	}
	t.plans.remember(raw, settings, plan)
	return plan, nil
}

// over reports whether ctx has ended, or would have by now: the deadline of a
// socket may fire a moment before the one of its context.
func over(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}
