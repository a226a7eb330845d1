package api

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"monitor/modules/auth"
	"monitor/modules/bus"
	"monitor/modules/channel"
	"monitor/modules/limit"
	"monitor/modules/manage"
	"monitor/modules/outbound"
	"monitor/modules/probe"
	"monitor/modules/store"
	"monitor/modules/uptime"
	"monitor/templates"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ownPassword  = "correct horse battery"
	setupToken   = "the-setup-token"
	leastMonitor = `{"name":"Shop","type":"http","http":{"url":"https://example.com"}}`
)

// bundle is a whole API over a store of its own, behind a real listener.
type bundle struct {
	keys     auth.Keys
	server   *httptest.Server
	store    *store.Store
	bus      uptime.Bus
	vitals   *vitals
	sealer   *auth.Sealer
	queue    *queue
	log      *logLines
	stopping chan struct{}
	token    string // of the owner
	refresh  string

	mu      sync.Mutex
	request uptime.Request // what httpd would say of each request
}

type option func(*Params)

func perMinute(n int) option { return func(p *Params) { p.PerMinute = n } }

// bare gives an API without any user.
func bare(t *testing.T, options ...option) *bundle {
	t.Helper()
	return over(t, store.Config{DataDir: t.TempDir()}, bus.NewMemory(), options...)
}

// over gives an API over a database and a bus, which others may share.
func over(t *testing.T, database store.Config, shared uptime.Bus, options ...option) *bundle {
	t.Helper()
	ctx := context.Background()
	b := &bundle{
		bus: shared, vitals: &vitals{}, queue: &queue{}, log: &logLines{}, stopping: make(chan struct{}),
		request: uptime.Request{ID: "req-1", Address: "192.0.2.7", Host: "monitor.example", Secure: true, Local: true},
	}
	b.request.Stopping = b.stopping
	var err error
	b.store, err = store.Open(ctx, store.Options{Config: database, Log: slog.New(slog.DiscardHandler), Clock: uptime.SystemClock, Random: auth.ID})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.store.Close()) })
	require.NoError(t, b.store.Migrate(ctx))
	require.NoError(t, b.store.EnsurePartitions(ctx, 2))
	p := Params{
		Manage: b.manage(t), Answers: b.store, Sealer: b.sealer, Digest: func(data []byte) string { return b.keys.Digest(data) }, Limiter: limit.NewMemory(uptime.SystemClock, 0), Bus: b.bus,
		PerMinute: 0, Version: "1.2.3", Log: slog.New(slog.NewTextHandler(b.log, nil)), Clock: uptime.SystemClock, Random: auth.ID,
	}
	for _, o := range options {
		o(&p)
	}
	handler, err := New(p)
	require.NoError(t, err)
	run(t, handler)
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		request := b.request
		b.mu.Unlock()
		handler.ServeHTTP(w, r.WithContext(uptime.WithRequest(r.Context(), request)))
	}))
	t.Cleanup(func() {
		b.server.CloseClientConnections()
		b.server.Close()
	})
	return b
}

// run runs the API's own part until the test ends.
func run(t *testing.T, a *API) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- a.Run(ctx, sync.OnceFunc(func() { close(ready) })) }()
	<-ready
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
	})
}

func (b *bundle) manage(t *testing.T) *manage.Manage {
	t.Helper()
	keys, err := auth.NewKeys("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", nil)
	b.keys = keys
	require.NoError(t, err)
	b.sealer, err = auth.NewSealer(keys)
	require.NoError(t, err)
	guard, err := outbound.New(outbound.DefaultConfig())
	require.NoError(t, err)
	probes, err := probe.New(probe.Deps{Guard: guard, Clock: uptime.SystemClock})
	require.NoError(t, err)
	channels, err := channel.New(channel.Deps{Guard: guard, Templates: templates.FS, Clock: uptime.SystemClock})
	require.NoError(t, err)
	return manage.New(manage.Deps{
		Monitors: b.store, MonitorLists: b.store, Finder: b.store, WallShares: b.store, Silences: b.store, Trash: b.store, Bulk: b.store, BulkWork: b.store, Results: b.store, Incidents: b.store, IncidentDesk: b.store, Channels: b.store, Defaults: b.store,
		Deliveries: b.store, Workspaces: b.store, Settings: b.store, Users: b.store, UserChanges: b.store, Identities: b.store, Sessions: b.store, Tokens: strangers{b.store},
		Groups: b.store, Views: b.store,
		AuditLog: b.store, ProbeKinds: probes, ChannelKinds: channels, Prober: probes, Sender: channels,
		Sealer: b.sealer, Passwords: auth.NewPasswords(2), Codes: auth.OneTimeCodes{}, Access: auth.NewAccessTokens(keys),
		Passkeys: auth.NewPasskeys(), PasskeyStore: b.store, PasskeyChanges: b.store,
		Secrets: auth.Secrets{}, Bus: b.bus, Queue: b.queue, Limiter: limit.NewMemory(uptime.SystemClock, 0), Vitals: b.vitals, Conditions: b.vitals.conditions,
		Clock: uptime.SystemClock, Random: auth.ID, Log: slog.New(slog.DiscardHandler),
		Config: manage.Config{MinInterval: 5 * time.Second, AccessTTL: 15 * time.Minute, RefreshTTL: 30 * 24 * time.Hour, SetupToken: setupToken},
	})
}

// setup gives an API with an owner who is logged in.
func setup(t *testing.T, options ...option) *bundle {
	t.Helper()
	b := bare(t, options...)
	a := b.ask(t, "POST", "/api/v1/setup", `{"email":"owner@example.com","password":"`+ownPassword+`","name":"Olga"}`, anonymous)
	require.Equal(t, http.StatusCreated, a.status, a.body)
	b.token, b.refresh = a.text("access_token"), a.text("refresh_token")
	return b
}

// reset of the limits is not possible, so nobody shares a bundle.
func (b *bundle) from(change func(*uptime.Request)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.request)
}

// got is an answer.
type got struct {
	status int
	header http.Header
	body   string
}

func (g got) object() map[string]any {
	var v map[string]any
	_ = json.Unmarshal([]byte(g.body), &v)
	return v
}

// text is a member of the answer, by its path: user.email.
func (g got) text(path string) string {
	var v any = g.object()
	for name := range strings.SplitSeq(path, ".") {
		object, _ := v.(map[string]any)
		v = object[name]
	}
	s, _ := v.(string)
	return s
}

func (g got) number(name string) int64 {
	n, _ := g.object()[name].(float64)
	return int64(n)
}

func (g got) list(name string) []any {
	list, _ := g.object()[name].([]any)
	return list
}

// asking changes a request before it is sent.
type asking func(*http.Request)

func anonymous(r *http.Request) { r.Header.Del("Authorization") }

func with(name, value string) asking {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = []string{value} }
}

func without(name string) asking { return func(r *http.Request) { r.Header.Del(name) } }

func as(token string) asking { return with("Authorization", "Bearer "+token) }

// ask sends a request as the owner, a body as JSON.
func (b *bundle) ask(t *testing.T, method, path, body string, change ...asking) got {
	t.Helper()
	a, err := b.send(t.Context(), method, path, body, change...)
	require.NoError(t, err)
	return a
}

// send is ask for other goroutines than the test's.
func (b *bundle) send(ctx context.Context, method, path, body string, change ...asking) (got, error) {
	request, err := http.NewRequestWithContext(ctx, method, b.server.URL+path, strings.NewReader(body))
	if err != nil {
		return got{}, err
	}
	request.Header.Set("Authorization", "Bearer "+b.token)
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for _, c := range change {
		c(request)
	}
	answer, err := b.server.Client().Do(request)
	if err != nil {
		return got{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	raw, err := io.ReadAll(answer.Body)
	return got{status: answer.StatusCode, header: answer.Header, body: string(raw)}, err
}

// made creates something and gives its answer.
func (b *bundle) made(t *testing.T, path, body string, change ...asking) got {
	t.Helper()
	a := b.ask(t, "POST", "/api/v1"+path, body, change...)
	require.Equal(t, http.StatusCreated, a.status, a.body)
	return a
}

// dial opens a bare connection, for what no client library sends.
func (b *bundle) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", b.server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// queue is a queue of whose jobs a test makes what it wants.
type queue struct {
	mu     sync.Mutex
	onPush func(jobs []uptime.Job) error
}

func (q *queue) Push(_ context.Context, jobs []uptime.Job) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.onPush == nil {
		return uptime.ErrFull
	}
	return q.onPush(jobs)
}

// vitals are asked by GET /overview.
type vitals struct {
	fresh atomic.Bool // the newest request was to read the primary
	away  atomic.Bool // Redis is
}

func (v *vitals) Vitals(ctx context.Context) (manage.Vitals, error) {
	v.fresh.Store(uptime.IsFresh(ctx))
	return manage.Vitals{ChecksPerSecond: 2.5, Roles: []manage.RoleHealth{{Role: "api", Instances: 1, Healthy: 1}}}, nil
}

func (v *vitals) conditions(context.Context) []uptime.Condition {
	if !v.away.Load() {
		return nil
	}
	return []uptime.Condition{uptime.ConditionOf(uptime.ConditionRedis)}
}

// logLines keeps what was logged.
type logLines struct {
	mu  sync.Mutex
	all strings.Builder
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}
