package app

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"monitor/config"
	"monitor/modules/api"
	"monitor/modules/auth"
	"monitor/modules/httpd"
	"monitor/modules/service"
	"monitor/modules/telemetry"
	"monitor/modules/web"
)

// grace is how long each part may take to stop: longer than a message that is
// being sent and than most checks in flight.
const grace = 30 * time.Second

// serve runs the roles until ctx ends.
func (a App) serve(ctx context.Context, cfg *config.Config, roles []string) (err error) {
	release, err := lockData(cfg.Data.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	p, err := a.openStore(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	p.roles = roles
	if err := p.migrate(ctx); err != nil {
		return err
	}
	if _, err := p.store.EnsureWorkspace(ctx, defaultWorkspace); err != nil {
		return err
	}
	if err := p.wire(); err != nil {
		return err
	}
	if cfg.Auth.AdminEmail != "" {
		if _, err := p.manage.EnsureFirstOwner(ctx, cfg.Auth.AdminEmail, cfg.Auth.AdminPassword.Reveal()); err != nil {
			return plain(err)
		}
	}
	return p.run(ctx)
}

// run starts the parts in order: the database first, because all stand on it,
// then the listener, so that /readyz answers while the rest starts and stops,
// then the roles.
func (p *process) run(ctx context.Context) error {
	health := newHealth(p)
	listener, err := p.listener(health)
	if err != nil {
		return err
	}
	parts := []service.Service{{Name: "database", Run: p.store.Run}, {Name: "listener", Run: listener.Run}}
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
	p.app.greet(p.app.Out, addr, p.cfg.HTTP.PublicURL, token)
	if p.app.OnReady != nil {
		p.app.OnReady(addr)
	}
}

// listener joins the handlers of this process's roles.
func (p *process) listener(h *health) (*httpd.Server, error) {
	params := httpd.Params{
		Addr: p.cfg.HTTP.Addr, AdminAddr: p.cfg.HTTP.AdminAddr, MetricsToken: p.cfg.HTTP.MetricsToken.Reveal(),
		TrustedProxies: prefixes(p.cfg.HTTP.TrustedProxies),
		Metrics:        p.metrics.Handler(p.log), Health: h.report, Random: auth.ID, Log: p.log,
	}
	var err error
	if slices.Contains(p.roles, "api") {
		if params.API, err = p.api(); err != nil {
			return nil, err
		}
	}
	if slices.Contains(p.roles, "web") {
		if params.Web, err = p.web(); err != nil {
			return nil, err
		}
	}
	return httpd.New(params), nil
}

func (p *process) api() (http.Handler, error) {
	return api.New(api.Params{
		Manage: p.manage, Answers: p.store, Sealer: p.sealer, Limiter: p.limiter, Bus: p.bus,
		PerMinute: p.cfg.Limits.APIPerMinute, PublicURL: strings.TrimSuffix(p.cfg.HTTP.PublicURL, "/"), Version: telemetry.BuildInfo().Version,
		Log: p.log, Clock: p.app.Clock, Random: auth.ID,
	})
}

func (p *process) web() (http.Handler, error) {
	return web.New(web.Deps{
		Manage: p.manage, Bus: p.bus, Clock: p.app.Clock, Log: p.log,
		PublicURL: p.cfg.HTTP.PublicURL, TrustedProxies: prefixes(p.cfg.HTTP.TrustedProxies),
		Version: telemetry.BuildInfo().Version,
	})
}
