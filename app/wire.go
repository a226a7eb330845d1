package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"monitor/config"
	"monitor/modules/auth"
	"monitor/modules/channel"
	"monitor/modules/manage"
	"monitor/modules/notifier"
	"monitor/modules/outbound"
	"monitor/modules/probe"
	"monitor/modules/redisconn"
	"monitor/modules/store"
	"monitor/modules/telemetry"
	"monitor/modules/uptime"
	"monitor/templates"
)

// process is what the parts of one process share. It is opened once, in the
// order of its fields, and closed in reverse.
type process struct {
	app     App
	started time.Time
	cfg     *config.Config
	roles   []string
	log     *slog.Logger
	metrics *telemetry.Registry

	// clock is the app's, corrected by the queue's where it is far off.
	clock  uptime.Clock
	redis  *redisconn.Conn // nil: the process runs alone
	member string          // its name among all processes

	store    *store.Store
	place    *store.Occupancy // set by prepare
	keys     auth.Keys
	sealer   *auth.Sealer
	guard    *outbound.Guard
	probes   *probe.Registry
	channels *channel.Registry
	gate     *channel.Gate
	mailer   *channel.Mailer // nil: there is no mail server
	breakers *endpoints
	queue    sharedQueue
	leader   sharedLead
	bus      uptime.Bus
	limiter  uptime.Limiter
	fleet    sharedFleet
	vitals   *vitals
	crew     *crew              // set by run
	notifier *notifier.Notifier // see courier
	manage   *manage.Manage

	closers []closer
}

// closer is one named clean-up.
type closer struct {
	name string
	do   func() error
}

// onClose adds a clean-up, to be made before those added earlier.
func (p *process) onClose(name string, do func() error) {
	p.closers = append(p.closers, closer{name, do})
}

// close makes every clean-up, the newest first, and joins their errors.
func (p *process) close() error {
	var errs []error
	for _, c := range slices.Backward(p.closers) {
		if err := c.do(); err != nil {
			errs = append(errs, fmt.Errorf("close the %s: %w", c.name, err))
		}
	}
	p.closers = nil
	return errors.Join(errs...)
}

// openStore opens settings, log and database: what commands need.
func (a App) openStore(ctx context.Context, cfg *config.Config) (*process, error) {
	p := &process{app: a, started: a.Clock(), cfg: cfg, clock: a.Clock, metrics: telemetry.NewRegistry(telemetry.BuildInfo())}
	var err error
	if p.log, err = telemetry.NewLogger(a.Err, telemetry.Config{Level: cfg.Log.Level, Format: cfg.Log.Format}); err != nil {
		return nil, err
	}
	if err := p.dialRedis(); err != nil {
		return nil, err
	}
	p.store, err = store.Open(ctx, store.Options{
		Config: store.Config{
			URL: cfg.Database.URL.Reveal(), DataDir: cfg.Data.Dir, ReplicaURLs: cfg.Database.ReplicaURLs,
			MaxOpenConns: cfg.Database.MaxOpenConns, ConnectTimeout: cfg.Database.ConnectTimeout,
			ConnMaxLifetime: cfg.Database.ConnMaxLifetime,
		},
		Quotas: store.Quotas{Workspaces: cfg.Limits.Workspaces, Monitors: cfg.Limits.Monitors, Channels: cfg.Limits.Channels, Members: cfg.Limits.Members},
		Log:    p.log, Clock: p.clock, Random: auth.ID,
	})
	if err != nil {
		err = errors.Join(err, p.close())
		return nil, fmt.Errorf("%w\ncheck that the database of database.url runs and lets this machine in, or unset it to use the SQLite file in data.dir", err)
	}
	p.onClose("database", p.store.Close)
	return p, nil
}

// migrate brings the schema up to date, or says that it is not.
func (p *process) migrate(ctx context.Context) error {
	if p.cfg.Database.AutoMigrate {
		return p.store.Migrate(ctx)
	}
	pending, err := p.store.Pending(ctx)
	if err != nil {
		return err
	}
	if pending {
		return errors.New("the database schema is not up to date and database.auto_migrate is false: run `monitor migrate up`")
	}
	return nil
}

// wire makes what every process gets, whatever its roles. loadKeys goes before it.
func (p *process) wire() error {
	var err error
	if p.sealer, err = auth.NewSealer(p.keys); err != nil {
		return err
	}
	if p.guard, err = outbound.New(outboundConfig(p.cfg)); err != nil {
		return err
	}
	p.probes, err = probe.New(probe.Deps{Guard: p.guard, Clock: p.clock, Version: telemetry.BuildInfo().Version})
	if err != nil {
		return err
	}
	p.channels, err = channel.New(channel.Deps{
		Guard: p.guard, SMTP: smtpConfig(p.cfg), Templates: templates.FS, Clock: p.clock,
		PublicURL: func() string { return strings.TrimSuffix(p.cfg.HTTP.PublicURL, "/") }, Zone: p.zone,
	})
	if err != nil {
		return err
	}
	if err := p.share(); err != nil {
		return err
	}
	if p.cfg.SMTP.Host != "" {
		p.mailer = channel.NewMailer(channel.Deps{Guard: p.guard, SMTP: smtpConfig(p.cfg), Clock: p.clock}, auth.ID, p.log)
	}
	p.gate = channel.NewGate(p.clock)
	p.breakers = &endpoints{own: p.gate.Endpoints, clock: p.clock}
	p.vitals = newVitals(p)
	p.manage = manage.New(p.manageDeps())
	return nil
}

func (p *process) manageDeps() manage.Deps {
	s := p.store
	var postman uptime.Postman
	if p.mailer != nil {
		postman = p.mailer
	}
	deps := manage.Deps{
		Monitors: s, MonitorLists: s, Finder: s, WallShares: s, Silences: s, Bulk: s, BulkWork: s, Results: s, Incidents: s, IncidentDesk: s, Channels: s, Defaults: s, Deliveries: s,
		Workspaces: s, Settings: s, Users: s, UserChanges: s, Identities: s, Sessions: s, Tokens: s, AuditLog: s,
		Groups: s, Views: s, Trash: s,
		Keys: s, Sealed: s, Keyring: p.sealer,
		ProbeKinds: p.probes, ChannelKinds: p.channels, Prober: p.probes, Sender: p.channels,
		Sealer: p.sealer, Passwords: auth.NewPasswords(max(runtime.NumCPU()/2, 1)), Codes: auth.OneTimeCodes{},
		Access: auth.NewAccessTokens(p.keys), Secrets: auth.Secrets{},
		Passkeys: auth.NewPasskeys(), PasskeyStore: s, PasskeyChanges: s,
		Postman: postman,
		Bus:     p.bus, Queue: p.queue, Limiter: p.limiter, Vitals: p.vitals, Endpoints: p.breakers,
		Conditions: p.conditions,
		Clock:      p.clock, Random: auth.ID, Log: p.log,
		Config: manage.Config{
			MinInterval: p.cfg.Limits.MinInterval, AccessTTL: p.cfg.Auth.AccessTTL,
			RefreshTTL: p.cfg.Auth.RefreshTTL, SetupToken: p.keys.SetupToken(),
			PublicURL: strings.TrimSuffix(p.cfg.HTTP.PublicURL, "/"),
			OIDC:      oidcConfig(p.cfg),
			Retention: retentionConfig(p.cfg), Build: manage.Build(telemetry.BuildInfo()),
		},
	}
	if p.cfg.OIDC.Issuer != "" {
		deps.Provider = p.provider()
	}
	return deps
}

// zone is the time zone in which a workspace's mails speak; UTC where that
// cannot be read.
func (p *process) zone(workspaceID int64) *time.Location {
	ctx, cancel := context.WithTimeout(context.Background(), pingTimeout)
	defer cancel()
	ws, err := p.store.Workspace(ctx, workspaceID)
	if err != nil {
		return time.UTC
	}
	zone, err := time.LoadLocation(ws.TimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

func outboundConfig(cfg *config.Config) outbound.Config {
	return outbound.Config{Deny: cfg.Network.Deny, Allow: cfg.Network.Allow, AllowPrivate: cfg.Network.AllowPrivate}
}

func smtpConfig(cfg *config.Config) channel.SMTPConfig {
	return channel.SMTPConfig{
		Host: cfg.SMTP.Host, Port: cfg.SMTP.Port, Username: cfg.SMTP.Username,
		Password: cfg.SMTP.Password.Reveal(), From: cfg.SMTP.From, TLS: cfg.SMTP.TLS,
	}
}

// prefixes of http.trusted_proxies, which the settings have checked.
func prefixes(list []string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range list {
		if p, err := netip.ParsePrefix(text); err == nil {
			out = append(out, p.Masked())
		} else if ip, err := netip.ParseAddr(text); err == nil {
			out = append(out, netip.PrefixFrom(ip, ip.BitLen()))
		}
	}
	return out
}

// withStore runs a command on the database.
func (a App) withStore(cmd *cobra.Command, do func(context.Context, *store.Store) error) error {
	return a.withProcess(cmd, func(ctx context.Context, p *process) error { return do(ctx, p.store) })
}

// withManage runs a command on the use cases, as the program itself. One that seals
// holds keys before: see holdKeys.
func (a App) withManage(cmd *cobra.Command, do func(context.Context, *manage.Manage, uptime.Actor) error) error {
	return a.withProcess(cmd, func(ctx context.Context, p *process) error {
		if err := p.migrate(ctx); err != nil {
			return err
		}
		if err := p.loadKeys(ctx); err != nil {
			return err
		}
		if err := p.wire(); err != nil {
			return err
		}
		if err := p.wrongKey(p.manage.CheckKeys(ctx)); err != nil {
			return err
		}
		ws, err := p.store.EnsureWorkspace(ctx, defaultWorkspace)
		if err != nil {
			return err
		}
		return do(ctx, p.manage, manage.Program(ws.ID))
	})
}

// withProcess opens what commands need and closes it again.
func (a App) withProcess(cmd *cobra.Command, do func(context.Context, *process) error) error {
	cfg, err := a.settings(cmd)
	if err != nil {
		return err
	}
	p, err := a.openStore(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	return errors.Join(do(cmd.Context(), p), p.close())
}
