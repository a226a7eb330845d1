package config

import "time"

// Secret is a setting that never shows in logs, errors or listings.
type Secret string

// String prints stars, or nothing for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "********"
}

// GoString keeps %#v from showing the secret.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// Reveal gives the secret itself.
func (s Secret) Reveal() string { return string(s) }

// Config is the effective settings. Its tags: key is the dotted name, default
// its default as it would stand in the file, help one line for people, check
// the name of a rule in rules.go.
type Config struct {
	Data      Data
	Database  Database
	Redis     Redis
	HTTP      HTTP
	Auth      Auth
	OIDC      OIDC
	Scheduler Scheduler
	Worker    Worker
	Network   Network
	Limits    Limits
	Retention Retention
	SMTP      SMTP
	Log       Log

	// Sources says for each key where its value comes from.
	Sources map[string]Source `key:"-"`
	// File is the configuration file that was read, or "".
	File string `key:"-"`
}

// Data is where the embedded default keeps its files.
type Data struct {
	Dir string `key:"data.dir" default:"./data" check:"required" help:"Folder of the embedded default: database file, secret, lock. A second serve on the same folder stops and names the first."`
}

// Database chooses the store.
type Database struct {
	URL             Secret        `key:"database.url" default:"" check:"database_url" help:"postgres://… or sqlite:///path. Empty: the SQLite file monitor.db in data.dir."`
	AutoMigrate     bool          `key:"database.auto_migrate" default:"true" help:"Whether serve brings the schema up to date by itself."`
	ReplicaURLs     []string      `key:"database.replica_urls" default:"" check:"replica_urls" secret:"true" help:"PostgreSQL read replicas for pages and reports; one that fails is skipped."`
	MaxOpenConns    int           `key:"database.max_open_conns" default:"8" check:"2-1000" help:"Connections per process, divided among its pools."`
	ConnectTimeout  time.Duration `key:"database.connect_timeout" default:"10s" check:"1s-5m" help:"How long to wait for a new connection."`
	ConnMaxLifetime time.Duration `key:"database.conn_max_lifetime" default:"30m" check:"0s-30d" help:"When a connection is replaced by a new one; 0s: never."`
}

// Redis chooses queue, lock and bus.
type Redis struct {
	URL Secret `key:"redis.url" default:"" check:"redis_url" help:"redis://, rediss://, redis+sentinel://[:pw@]h1:p,h2:p/<master>/<db> or redis+cluster://h1:p,h2:p. Empty: queue, lock and bus within the process."`
}

// HTTP is what listens.
type HTTP struct {
	Addr           string   `key:"http.addr" default:":8080" check:"addr" help:"Where web and api listen."`
	PublicURL      string   `key:"http.public_url" default:"" check:"public_url" help:"Address of the pages, for links in notifications and feeds and for passkeys. Empty: pages use the address of the request, messages carry no link, passkeys work at localhost alone."`
	TrustedProxies []string `key:"http.trusted_proxies" default:"" check:"cidrs" help:"Addresses or CIDRs of proxies whose X-Forwarded-* headers count."`
	AdminAddr      string   `key:"http.admin_addr" default:"" check:"addr_or_empty" help:"Where /healthz, /readyz and /metrics listen. Empty: the same listener, or :9090 in a process without web and api. When set, the public listener keeps /healthz only."`
	MetricsToken   Secret   `key:"http.metrics_token" default:"" help:"Bearer token for /metrics. Empty: open."`
}

// Auth is about log-in and secrets.
type Auth struct {
	Secret          Secret        `key:"auth.secret" default:"" check:"secret" help:"At least 32 characters; signs tokens and seals secrets. Empty: made once in data.dir. Required with PostgreSQL."`
	PreviousSecrets []string      `key:"auth.previous_secrets" default:"" check:"secrets" secret:"true" help:"Secrets used before, or about to be used: they open what they sealed, and seal nothing."`
	AdminEmail      string        `key:"auth.admin_email" default:"" check:"email_or_empty" help:"With auth.admin_password: makes the first owner at start when there is no user yet."`
	AdminPassword   Secret        `key:"auth.admin_password" default:"" check:"password_or_empty" help:"Password of the first owner, at least 12 characters."`
	AccessTTL       time.Duration `key:"auth.access_ttl" default:"15m" check:"1m-24h" help:"Life of an access token."`
	RefreshTTL      time.Duration `key:"auth.refresh_ttl" default:"30d" check:"1h-365d" help:"Life of a refresh token and of a browser session."`
}

// OIDC is log-in by a provider of OpenID Connect.
type OIDC struct {
	Issuer       string   `key:"auth.oidc.issuer" default:"" check:"issuer" help:"Provider of OpenID Connect that people may log in by; its redirect address is http.public_url + /login/oidc/callback. Empty: none."`
	ClientID     string   `key:"auth.oidc.client_id" default:"" help:"As the provider knows this program."`
	ClientSecret Secret   `key:"auth.oidc.client_secret" default:"" help:"The client's secret. Empty: a public client, which PKCE alone protects."`
	Name         string   `key:"auth.oidc.name" default:"SSO" check:"label" help:"What the button on the log-in page calls it."`
	Scopes       []string `key:"auth.oidc.scopes" default:"openid,profile,email" check:"scopes" help:"What is asked for; openid must be among them."`
	GroupsClaim  string   `key:"auth.oidc.groups_claim" default:"groups" help:"Claim with a person's groups; dots lead into it, as in realm_access.roles."`
	OwnerGroups  []string `key:"auth.oidc.owner_groups" default:"" help:"Groups whose members are owners at each log-in. Empty: owners are made here, and stay."`
	AdminGroups  []string `key:"auth.oidc.admin_groups" default:"" help:"Groups whose members are admins at each log-in."`
	EditorGroups []string `key:"auth.oidc.editor_groups" default:"" help:"Groups whose members are editors at each log-in."`
	ViewerGroups []string `key:"auth.oidc.viewer_groups" default:"" help:"Groups whose members are viewers at each log-in. All four empty: roles are given here."`
	DefaultRole  string   `key:"auth.oidc.default_role" default:"" check:"|owner|admin|editor|viewer" help:"Role of who is in none of these groups. Empty: they are not let in or, where no groups are named, get no account."`
	AllowSignUp  bool     `key:"auth.oidc.allow_sign_up" default:"true" help:"Whether who has no account and would have a role gets an account."`
	TrustEmail   bool     `key:"auth.oidc.trust_email" default:"false" help:"Take addresses for verified that the provider does not call so. Safe only where nobody chooses their own address there."`
	EmailDomains []string `key:"auth.oidc.email_domains" default:"" check:"domains" help:"Domains of verified addresses that are let in. Empty: all."`
}

// Scheduler makes checks due.
type Scheduler struct {
	Refresh time.Duration `key:"scheduler.refresh" default:"30s" check:"1s-10m" help:"How often changed monitors are re-read from the database. Changes made in the app take effect at once; all are re-read every 10 min."`
	Tick    time.Duration `key:"scheduler.tick" default:"1s" check:"100ms-10s" help:"How far ahead due checks are published. A worker starts each at its own time."`
}

// Worker makes checks.
type Worker struct {
	Concurrency int      `key:"worker.concurrency" default:"512" check:"1-100000" help:"Checks in flight per process."`
	Region      string   `key:"worker.region" default:"default" check:"region" help:"Which region's checks this worker takes."`
	Spool       int      `key:"worker.spool" default:"10000" check:"100-10000000" help:"Results held in memory while the database is away."`
	Canaries    []string `key:"worker.canaries" default:"" check:"canaries" help:"host:port addresses that tell whether the worker's own network works. Empty: hosts it reached within the last minute."`
}

// Network is what may be reached.
type Network struct {
	Deny         []string `key:"network.deny" default:"{cloud-metadata}" check:"cidrs" help:"CIDRs that no check or message may reach, judged on the address dialled, on every redirect."`
	Allow        []string `key:"network.allow" default:"" check:"cidrs" help:"CIDRs that may be reached whatever else is said."`
	AllowPrivate bool     `key:"network.allow_private" default:"true" help:"Whether loopback, RFC 1918, link-local, CGNAT and ULA addresses may be reached."`
}

// Limits bounds what users ask for.
type Limits struct {
	MinInterval  time.Duration `key:"limits.min_interval" default:"5s" check:"1s-30d" help:"Shortest interval that a user may set."`
	Workspaces   int           `key:"limits.workspaces" default:"0" check:"0-100000" help:"Workspaces that there may be; 0: any number. Who owns one may make another one."`
	Monitors     int           `key:"limits.monitors" default:"0" check:"0-10000000" help:"Monitors that one workspace may have; 0: any number."`
	Channels     int           `key:"limits.channels" default:"0" check:"0-100000" help:"Channels that one workspace may have; 0: any number."`
	Members      int           `key:"limits.members" default:"0" check:"0-100000" help:"People, invited ones included, that one workspace may have; 0: any number."`
	APIPerMinute int           `key:"limits.api_per_minute" default:"1200" check:"0-10000000" help:"Requests per token, or address where there is none; 0 turns it off. Log-in attempts have a limit of their own."`
}

// Retention is how long history is kept.
type Retention struct {
	Results   time.Duration `key:"retention.results" default:"30d" check:"1d-3650d" help:"How long single results are kept. Where this is set in no process, Settings › Retention may say otherwise."`
	Rollups   time.Duration `key:"retention.rollups" default:"400d" check:"retention" help:"How long hourly and daily sums are kept; 0s: for ever. As above."`
	Incidents time.Duration `key:"retention.incidents" default:"0s" check:"retention" help:"How long resolved incidents are kept; 0s: for ever. As above."`
}

// SMTP is the default mail server.
type SMTP struct {
	Host     string `key:"smtp.host" default:"" help:"The default mail server, also for links that set a password. Empty: e-mail channels need a server of their own."`
	Port     int    `key:"smtp.port" default:"587" check:"1-65535" help:"Its port."`
	Username string `key:"smtp.username" default:"" help:"User name; empty: no authentication."`
	Password Secret `key:"smtp.password" default:"" help:"Password."`
	From     string `key:"smtp.from" default:"" check:"email_or_empty" help:"Sender of mails; required with smtp.host."`
	TLS      string `key:"smtp.tls" default:"starttls" check:"starttls|tls|none" help:"How the connection is secured: starttls, tls or none."`
}

// Log is about the program's own log.
type Log struct {
	Level  string `key:"log.level" default:"info" check:"debug|info|warn|error" help:"Least level that is written: debug, info, warn or error."`
	Format string `key:"log.format" default:"" check:"|text|json" help:"text or json. Empty: text on a terminal and json elsewhere."`
}
