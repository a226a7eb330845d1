package app

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"monitor/config"
	"monitor/modules/api"
	"monitor/modules/auth"
	"monitor/modules/httpd"
	"monitor/modules/service"
	"monitor/modules/telemetry"
	"monitor/modules/uptime"
	"monitor/modules/web"
)

// grace is how long each part may take to stop: longer than a message that is
// being sent and than most checks in flight.
const grace = 30 * time.Second

// serve runs the roles until ctx ends.
func (a App) serve(ctx context.Context, cfg *config.Config, roles []string) (err error) {
	release, err := lockFiles(cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	p, err := a.openStore(ctx, cfg)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	defer func() { err = errors.Join(err, p.close()) }()
	p.roles = roles
	if err := p.prepare(ctx); err != nil {
		return unlessStopped(ctx, err)
	}
	return p.run(ctx)
}

// unlessStopped drops the error of a start that broke off because the program was
// asked to stop: each of its steps is whole or undone.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return nil
}

// prepare makes the database ready, joins what the parts share and makes the
// first owner where the settings name one.
func (p *process) prepare(ctx context.Context) error {
	if err := p.occupy(ctx); err != nil {
		return err
	}
	if err := p.migrate(ctx); err != nil {
		return err
	}
	if _, err := p.store.EnsureWorkspace(ctx, defaultWorkspace); err != nil {
		return err
	}
	if err := p.loadKeys(ctx); err != nil {
		return err
	}
	if err := p.wire(); err != nil {
		return err
	}
	if err := p.holdKeys(ctx, p.redis == nil); err != nil {
		return err
	}
	if p.cfg.Auth.AdminEmail == "" {
		return nil
	}
	if _, err := p.manage.EnsureFirstOwner(ctx, p.cfg.Auth.AdminEmail, p.cfg.Auth.AdminPassword.Reveal()); err != nil {
		return plain(err)
	}
	return nil
}

// run starts the parts in order: the database first, because all stand on it,
// then the listener, so that /readyz answers while the rest starts and stops,
// then the roles.
func (p *process) run(ctx context.Context) error {
	health := newHealth(p)
	p.crew = newCrew(p, health)
	p.vitals.crew = p.crew
	listener, parts, err := p.listener(health)
	if err != nil {
		return err
	}
	parts = append(p.foundation(), parts...)
	for _, r := range roleTable() {
		if slices.Contains(p.roles, r.name) {
			more, err := r.parts(p)
			if err != nil {
				return err
			}
			parts = append(parts, more...)
		}
	}
	p.declareMetrics()
	last := parts[len(parts)-1].Name
	return service.RunAll(ctx, service.Params{
		Log: p.log, Grace: grace, Services: parts,
		OnState: func(name string, state service.State) {
			health.set(name, state)
			if name == last && state == service.Ready {
				p.ready(ctx, listener.Addr())
			}
		},
	})
}

// occupy takes the database, so that no other process works on it that does not
// share the queue with this one.
func (p *process) occupy(ctx context.Context) error {
	place, err := p.store.Occupy(ctx, p.redis != nil)
	if err != nil {
		return err
	}
	p.place = place
	p.onClose("lock on the database", place.Close)
	return nil
}

// foundation is what all other parts stand on.
func (p *process) foundation() []service.Service {
	parts := []service.Service{
		{Name: "tuning of the heap", Run: tuneGarbage},
		{Name: "upkeep of the database", Run: p.store.Run},
		{Name: "lock on the database", Run: p.place.Run},
		{Name: "watch of keys", Run: p.watchKeys},
	}
	if telemetry.Profiling {
		parts = append(parts, service.Service{Name: "profiles", Run: telemetry.Profiles})
	}
	if p.redis != nil {
		parts = append(parts, service.Service{Name: "watch of redis", Run: p.redis.Run})
	}
	return append(parts, service.Service{Name: "fleet", Run: p.crew.Run})
}

// ready says what to open, with the set-up code while there is no user.
func (p *process) ready(ctx context.Context, addr string) {
	token := ""
	needs, err := p.manage.NeedsSetup(ctx)
	if err != nil {
		p.log.Error("cannot tell whether there is a user", "error", err)
	}
	if needs {
		token = p.keys.SetupToken()
	}
	p.greet(addr, token)
	if p.app.OnReady != nil {
		p.app.OnReady(addr)
	}
}

// healthAddr is where a process without pages answers when no setting says so.
const healthAddr = ":9090"

// listens gives the addresses of this process, and the setting that the first is
// of. One without web and api has nothing for the public: it listens where health
// and metrics are asked for.
func (p *process) listens() (addr, key, admin string) {
	if p.has("web", "api") {
		return p.cfg.HTTP.Addr, "http.addr", p.cfg.HTTP.AdminAddr
	}
	return cmp.Or(p.cfg.HTTP.AdminAddr, healthAddr), "http.admin_addr", ""
}

// listener joins the handlers of this process's roles. It comes with the services
// to be run for it: what its handlers lean on, then itself.
func (p *process) listener(h *health) (*httpd.Server, []service.Service, error) {
	addr, key, admin := p.listens()
	params := httpd.Params{
		Addr: addr, AddrKey: key, AdminAddr: admin, MetricsToken: p.cfg.HTTP.MetricsToken.Reveal(),
		TrustedProxies: prefixes(p.cfg.HTTP.TrustedProxies),
		Metrics:        p.metrics.Handler(p.log), Health: h.report, Random: auth.ID, Log: p.log,
	}
	var parts []service.Service
	if p.has("api") {
		answers, err := p.api()
		if err != nil {
			return nil, nil, err
		}
		params.API = answers
		parts = append(parts, service.Service{Name: "event stream", Run: answers.Run})
	}
	if p.has("web", "api") {
		parts = append(parts, service.Service{Name: "jobs on many monitors", Run: p.manage.RunBulk})
	}
	if p.has("web") {
		pages, err := p.web()
		if err != nil {
			return nil, nil, err
		}
		params.Web = pages
		parts = append(parts, service.Service{Name: "stream of pages", Run: pages.Run})
		if p.mailer != nil {
			parts = append(parts, service.Service{Name: "mail", Run: p.mailer.Run})
		}
	}
	listener := httpd.New(params)
	return listener, append(parts, service.Service{Name: "listener", Run: listener.Run}), nil
}

func (p *process) api() (*api.API, error) {
	return api.New(api.Params{
		Manage: p.manage, Answers: p.store, Sealer: p.sealer,
		Digest: p.keys.Digest, OlderDigests: p.keys.OlderDigests, Limiter: p.limiter, Bus: p.bus,
		PerMinute: p.cfg.Limits.APIPerMinute, PublicURL: strings.TrimSuffix(p.cfg.HTTP.PublicURL, "/"), Version: telemetry.BuildInfo().Version,
		Log: p.log, Clock: p.clock, Random: auth.ID, Recent: p.recent(),
	})
}

func (p *process) web() (*web.Web, error) {
	return web.New(web.Deps{
		Manage: p.manage, Bus: p.bus, Clock: p.clock, Log: p.log,
		PublicURL: p.cfg.HTTP.PublicURL, Version: telemetry.BuildInfo().Version, Random: auth.ID,
		Recent: p.recent(), Conditions: p.conditions,
	})
}

// recent remembers who wrote, where a read may come from a replica.
func (p *process) recent() uptime.Recent {
	if len(p.cfg.Database.ReplicaURLs) == 0 {
		return nil
	}
	return p.fleet
}

// conditions are what is not as it should be; a command looks for nothing.
func (p *process) conditions(ctx context.Context) []uptime.Condition {
	if p.crew == nil {
		return nil
	}
	return p.crew.Conditions(ctx)
}
