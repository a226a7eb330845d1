package app

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"monitor/modules/httpd"
	"monitor/modules/service"
	"monitor/modules/uptime"
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

// report is the answer of /readyz: unready while anything starts or stops, while
// the database is away, and while nothing that this process does can go on.
func (h *health) report(ctx context.Context) httpd.Health {
	database := h.database(ctx)
	parts := h.states()
	out := httpd.Health{Status: httpd.Ready}
	for _, c := range append(parts, database) {
		if c.Status != "ok" {
			out.Status = httpd.Unready
		}
	}
	out.Checks = slices.Concat([]httpd.Check{database}, h.replicas(), h.shared(), h.conditions())
	for _, c := range out.Checks[1:] {
		// Somebody else's mail server makes no process of ours worse.
		if c.Status != "ok" && c.Kind != kindDelivery && out.Status == httpd.Ready {
			out.Status = httpd.Degraded
		}
	}
	if h.p.redisAway() {
		for i, c := range parts {
			if c.Status == "ok" && (c.Name == "scheduler" || c.Name == "worker") {
				parts[i].Status, parts[i].Detail = "waiting", "for redis"
			}
		}
		if !h.p.has("web", "api", "notifier") {
			out.Status = httpd.Unready
		}
	}
	out.Checks = append(out.Checks, parts...)
	return out
}

// shared lists what processes share besides the database.
func (h *health) shared() []httpd.Check {
	if h.p.redis == nil {
		return []httpd.Check{{Name: "queue", Kind: "dependency", Status: "ok", Detail: "in this process"}}
	}
	state := h.p.redis.State()
	redis := httpd.Check{Name: "redis", Kind: "dependency", Status: "ok"}
	if !state.Up {
		redis.Status = "away"
		redis.Detail = "does not answer; the log says why. New checks wait; pages, API and messages go on"
	}
	clock := httpd.Check{Name: "clock", Kind: "dependency", Status: "ok"}
	if off := state.Offset; off > clockTolerance || off < -clockTolerance {
		clock.Status = "off"
		clock.Detail = fmt.Sprintf("this machine's clock differs by %s from the queue's and is corrected by it", (-off).Round(time.Millisecond))
	}
	return []httpd.Check{redis, clock}
}

// kindDelivery is the kind of the line about channels that take no messages.
const kindDelivery = "delivery"

// conditions lists the roles that no process does, and channels that are held back.
func (h *health) conditions() []httpd.Check {
	var checks []httpd.Check
	for _, c := range h.p.conditions(context.Background()) { // at once, asking nobody
		switch c.Name {
		case uptime.ConditionScheduler, uptime.ConditionWorkers, uptime.ConditionNotifiers:
			checks = append(checks, httpd.Check{Name: c.Name, Kind: "fleet", Status: "none", Detail: c.Detail})
		case uptime.ConditionChannels:
			checks = append(checks, httpd.Check{Name: c.Name, Kind: kindDelivery, Status: "waiting", Detail: c.Detail})
		}
	}
	return checks
}

// replicas lists the servers of database.replica_urls.
func (h *health) replicas() []httpd.Check {
	var checks []httpd.Check
	for i, r := range h.p.store.Replicas() {
		c := httpd.Check{Name: fmt.Sprintf("replica %d", i+1), Kind: "dependency", Status: "ok"}
		if !r.Usable {
			c.Status, c.Detail = "unused", "reads go to the primary; the log says why"
		}
		checks = append(checks, c)
	}
	return checks
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

// working lists the roles of this process that can do their work.
func (h *health) working() []string {
	var names []string
	waits := h.p.redisAway()
	for _, c := range h.states() {
		if c.Kind != "role" || c.Status != "ok" || (waits && (c.Name == "scheduler" || c.Name == "worker")) {
			continue
		}
		names = append(names, c.Name)
	}
	return names
}
