package manage_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/auth"
	"monitor/modules/bus"
	"monitor/modules/form"
	"monitor/modules/limit"
	"monitor/modules/manage"
	"monitor/modules/outbound"
	"monitor/modules/probe"
	"monitor/modules/store"
	"monitor/modules/uptime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	password   = "correct horse battery"
	setupToken = "the-setup-token"
)

// bundle is a whole set of use cases over a store of its own.
type bundle struct {
	*manage.Manage
	deps   manage.Deps
	store  *store.Store
	audits *auditLog
	bus    *bus.Memory
	sealer *auth.Sealer
	clock  *clock
	sender *sender
	prober *prober
	queue  *queue
	post   *postbox
	owner  uptime.Actor
}

// postbox writes each mail at once. Full, it takes none.
type postbox struct {
	full  bool
	mails []uptime.Mail
	errs  []error
}

func (p *postbox) Post(write func(context.Context) (uptime.Mail, error)) bool {
	if p.full {
		return false
	}
	mail, err := write(context.Background())
	if err == nil {
		p.mails = append(p.mails, mail)
	}
	p.errs = append(p.errs, err)
	return true
}

func setup(tb testing.TB) *bundle {
	tb.Helper()
	ctx := context.Background()
	b := &bundle{
		clock: &clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}, bus: bus.NewMemory(),
		audits: &auditLog{}, sender: &sender{}, prober: &prober{}, queue: &queue{}, post: &postbox{},
	}
	var err error
	b.store, err = store.Open(ctx, store.Options{Config: store.Config{DataDir: tb.TempDir()}, Clock: b.clock.Now, Random: auth.ID})
	require.NoError(tb, err)
	b.audits.Store = b.store
	tb.Cleanup(func() { require.NoError(tb, b.store.Close()) })
	require.NoError(tb, b.store.Migrate(ctx))
	keys, err := auth.NewKeys("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", nil)
	require.NoError(tb, err)
	b.sealer, err = auth.NewSealer(keys)
	require.NoError(tb, err)
	guard, err := outbound.New(outbound.DefaultConfig())
	require.NoError(tb, err)
	probes, err := probe.New(probe.Deps{Guard: guard, Clock: b.clock.Now})
	require.NoError(tb, err)
	http, ok := probes.Kind("http")
	require.True(tb, ok)

	b.deps = manage.Deps{
		Monitors: b.store, MonitorLists: b.store, Finder: b.store, WallShares: b.store, Silences: b.store, Bulk: b.store, BulkWork: b.store, Results: b.store, Incidents: b.store, IncidentDesk: b.store, Channels: b.store, Defaults: b.store,
		Deliveries: b.store, Workspaces: b.store, Settings: b.store, Users: b.store, UserChanges: b.store, Identities: b.store, Sessions: b.store, Tokens: b.store,
		Groups: b.store, Views: b.store, Trash: b.store,
		AuditLog: b.audits, Keys: b.store, Sealed: b.store, Keyring: b.sealer, ProbeKinds: kinds{http, tcpKind()}, ChannelKinds: kinds{hookKind(), chatKind()},
		Prober: b.prober, Sender: b.sender, Sealer: b.sealer, Passwords: plain{}, Codes: auth.OneTimeCodes{}, Access: auth.NewAccessTokens(keys),
		Passkeys: authenticators{}, PasskeyStore: b.store, PasskeyChanges: b.store,
		Secrets: auth.Secrets{}, Bus: b.bus, Queue: b.queue, Postman: b.post, Limiter: limit.NewMemory(b.clock.Now, 0), Vitals: vitals{},
		Clock: b.clock.Now, Random: auth.ID, Log: slog.New(slog.DiscardHandler),
		Config: manage.Config{MinInterval: 5 * time.Second, AccessTTL: 15 * time.Minute, RefreshTTL: 30 * 24 * time.Hour, SetupToken: setupToken, PublicURL: "https://monitor.example.com"},
	}
	b.Manage = manage.New(b.deps)
	b.owner = b.firstOwner(tb)
	return b
}

func (b *bundle) firstOwner(tb testing.TB) uptime.Actor {
	tb.Helper()
	_, pair, err := b.Setup(context.Background(), manage.SetupInput{Email: "Owner@Example.com", Password: password, Name: "Olga", Trusted: true})
	require.NoError(tb, err)
	actor, err := b.Authenticate(context.Background(), pair.AccessToken, "10.0.0.1")
	require.NoError(tb, err)
	return actor
}

// as gives an actor of another role.
func (b *bundle) as(role uptime.Role) uptime.Actor {
	actor := b.owner
	actor.Role = role
	return actor
}

func (b *bundle) monitor(tb testing.TB, body string) manage.MonitorView {
	tb.Helper()
	v, err := b.CreateMonitor(context.Background(), b.owner, json.RawMessage(body))
	require.NoError(tb, err)
	return v
}

const leastMonitor = `{"name": "Shop", "type": "http", "http": {"url": "https://example.com"}}`

// problems gives the fields of an error, which must be CodeInvalid.
func problems(t *testing.T, err error) []string {
	t.Helper()
	var e *uptime.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, uptime.CodeInvalid, e.Code, e.Error())
	var all []string
	for _, f := range e.Fields {
		all = append(all, f.Field+" "+f.Message)
	}
	return all
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// auditLog keeps lines of their own; it reads what the store has.
type auditLog struct {
	*store.Store
	mu    sync.Mutex
	lines []uptime.Audit
}

func (a *auditLog) WriteAudit(_ context.Context, line uptime.Audit) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lines = append(a.lines, line)
	return nil
}

func (a *auditLog) actions() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []string
	for _, line := range a.lines {
		all = append(all, line.Action)
	}
	return all
}

// plain stands for password hashing, which package auth tests and which would
// take most of the time here.
type plain struct{}

func (plain) Hash(_ context.Context, password string) (string, error) {
	return "hash of " + password, nil
}

func (plain) Verify(_ context.Context, password, hash string) (bool, error) {
	return hash == "hash of "+password, nil
}

func (plain) VerifyNothing(context.Context, string) error { return nil }

type vitals struct{}

func (vitals) Vitals(context.Context) (manage.Vitals, error) {
	return manage.Vitals{
		ChecksPerSecond: 2.5, LatenessP50: time.Millisecond, LatenessP99: 20 * time.Millisecond,
		Roles: []manage.RoleHealth{{Role: "worker", Instances: 1, Healthy: 1}},
	}, nil
}

type sender struct {
	mu       sync.Mutex
	err      error
	channels []uptime.Channel
	messages []uptime.Message
}

func (s *sender) Send(_ context.Context, c uptime.Channel, m uptime.Message) (uptime.Answer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels, s.messages = append(s.channels, c), append(s.messages, m)
	return uptime.Answer{StatusCode: 200, Duration: 12 * time.Millisecond, Text: "ok"}, s.err
}

type prober struct {
	mu    sync.Mutex
	err   error
	specs []uptime.Spec
}

func (p *prober) Probe(_ context.Context, spec uptime.Spec, detail bool) (uptime.Outcome, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.specs = append(p.specs, spec)
	if !detail {
		return uptime.Outcome{}, errors.New("a test by a person asks for details")
	}
	return uptime.Outcome{
		Status: uptime.Up, Response: 87400 * time.Microsecond, StatusCode: 200,
		Evidence: &uptime.Evidence{Address: "192.0.2.1:443", Excerpt: "hello"},
	}, p.err
}

type queue struct {
	onPush func(jobs []uptime.Job)
	err    error
}

func (q *queue) Push(_ context.Context, jobs []uptime.Job) error {
	if q.onPush != nil {
		q.onPush(jobs)
	}
	return q.err
}

// kinds is a catalog.
type kinds []uptime.Kind

func (k kinds) Kinds() []uptime.Kind { return k }

func (k kinds) Kind(name string) (uptime.Kind, bool) {
	for _, kind := range k {
		if kind.Name == name {
			return kind, true
		}
	}
	return uptime.Kind{}, false
}

type tcpSettings struct {
	Host string `json:"host" validate:"required,max=253"`
	Port int    `json:"port" validate:"min=1,max=65535"`
}

func tcpKind() uptime.Kind {
	return uptime.Kind{Name: "tcp", New: func() any { return &tcpSettings{Port: 443} }, Target: func(s any) string { return s.(*tcpSettings).Host }}
}

type hookSettings struct {
	URL     string            `json:"url" validate:"required,http_url" secret:"url"`
	Headers map[string]string `json:"headers" secret:"headers"`
	Secret  string            `json:"secret" secret:"value"`
}

func hookKind() uptime.Kind {
	return uptime.Kind{Name: "webhook", New: func() any { return &hookSettings{Headers: map[string]string{}} }}
}

// chatSettings is the hard case: the whole URL is secret and has rules.
type chatSettings struct {
	URL   string        `json:"url" validate:"required,http_url" secret:"value"`
	Every form.Duration `json:"every" min:"1s" max:"1h"`
}

func chatKind() uptime.Kind {
	return uptime.Kind{Name: "chat", New: func() any { return &chatSettings{Every: form.Duration(time.Minute)} }}
}
