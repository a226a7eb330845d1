package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"monitor/modules/httpd"
	"monitor/modules/service"
)

// pingTimeout bounds what /readyz asks the database.
const pingTimeout = 2 * time.Second

// health knows how the parts of this process stand. Safe for concurrent use.
type health struct {
	p     *process
	mu    sync.Mutex
	order []string
	parts map[string]service.State
}

func newHealth(p *process) *health {
	return &health{p: p, parts: map[string]service.State{}}
}

func (h *health) set(name string, state service.State) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(h.order, name) {
		h.order = append(h.order, name)
	}
	h.parts[name] = state
}

// report is the answer of /readyz: unready while anything starts or stops and
// while the database is away.
func (h *health) report(ctx context.Context) httpd.Health {
	out := httpd.Health{Status: httpd.Ready, Checks: []httpd.Check{h.database(ctx)}}
	if h.p.cfg.Redis.URL == "" {
		out.Checks = append(out.Checks, httpd.Check{Name: "queue", Kind: "dependency", Status: "ok", Detail: "in this process"})
	}
	out.Checks = append(out.Checks, h.states()...)
	for _, c := range out.Checks {
		if c.Status != "ok" {
			out.Status = httpd.Unready
		}
	}
	return out
}

func (h *health) database(ctx context.Context) httpd.Check {
	c := httpd.Check{Name: "database", Kind: "dependency", Status: "ok", Detail: h.p.store.Dialect()}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	if err := h.p.store.Ping(ctx); err != nil {
		c.Status = "away"
		c.Detail += " does not answer; the log says why"
		h.p.log.Warn("the database does not answer", "error", err)
	}
	return c
}

// states lists roles, and parts that belong to no role.
func (h *health) states() []httpd.Check {
	h.mu.Lock()
	defer h.mu.Unlock()
	var checks []httpd.Check
	for _, name := range h.order {
		state := string(h.parts[name])
		if h.parts[name] == service.Ready {
			state = "ok"
		}
		kind := "part"
		if slices.Contains(roleNames(), name) {
			kind = "role"
		}
		checks = append(checks, httpd.Check{Name: name, Kind: kind, Status: state})
	}
	for _, name := range []string{"web", "api"} {
		if slices.Contains(h.p.roles, name) {
			checks = append(checks, httpd.Check{Name: name, Kind: "role", Status: h.handlers()})
		}
	}
	return append(checks, h.starting()...)
}

// handlers is the state of web and api: that of the listener.
func (h *health) handlers() string {
	if h.parts["listener"] == service.Ready {
		return "ok"
	}
	return "starting"
}

// starting lists roles whose parts were not begun yet.
func (h *health) starting() []httpd.Check {
	var checks []httpd.Check
	for _, name := range h.p.roles {
		if name == "web" || name == "api" || slices.Contains(h.order, name) {
			continue
		}
		checks = append(checks, httpd.Check{Name: name, Kind: "role", Status: "starting"})
	}
	return checks
}
