package web

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// fake answers with samples: the real use cases need a database, and have
// tests of their own.
type fake struct {
	mu       sync.Mutex
	empty    bool        // a new instance: no monitor, channel or incident
	fresh    bool        // no user yet
	factor   bool        // everybody has a second factor
	oidc     string      // the provider's name, whose people have no password
	silent   bool        // monitors are silenced
	young    bool        // monitors are four minutes old and have one value
	hole     bool        // nothing is known of an eighth of the past, in its middle
	role     uptime.Role // of everybody
	ended    bool        // the session is over
	failure  error       // of the next change
	broken   error       // of every read
	hangs    bool        // a read ends with its context, or after readTimeout
	saved    []json.RawMessage
	theme    string
	language string              // of everybody, as they chose
	likes    *uptime.Preferences // nil: as usual
	odd      bool                // names in other scripts, and long ones
	many     int                 // monitors, instead of the samples
	notices  chan uptime.Notice
	wrong    []string // conditions
	storm    bool     // one incident was made by hand, and some began together
	flood    int      // so many newer ones are open before all others
	// breaksOff: the second page of a file cannot be read.
	breaksOff bool
	now       map[int64]uptime.Status // monitors that are not what the samples say
}

func (f *fake) conditions(context.Context) []uptime.Condition {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []uptime.Condition
	for _, name := range f.wrong {
		out = append(out, uptime.ConditionOf(name))
	}
	return out
}

func (f *fake) goesWrong(names ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrong = names
}

func (f *fake) change(body json.RawMessage) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.saved = append(f.saved, body)
	return f.failure
}

func (f *fake) lastSaved(t *testing.T) map[string]any {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	require.NotEmpty(t, f.saved)
	var v map[string]any
	require.NoError(t, json.Unmarshal(f.saved[len(f.saved)-1], &v))
	return v
}

func (f *fake) NeedsSetup(context.Context) (bool, error) { return f.isFresh(), f.broken }

func (f *fake) isFresh() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fresh
}

func (f *fake) SetupSession(_ context.Context, in manage.SetupInput) (manage.Session, error) {
	if !in.Trusted && in.SetupToken != "code" {
		return manage.Session{}, uptime.Invalid(uptime.FieldError{Field: "setup_token", Message: "is not the code in the log"})
	}
	return manage.Session{Cookie: "ok"}, f.change(nil)
}

func (f *fake) LoginSession(_ context.Context, in manage.LoginInput) (manage.Session, error) {
	if f.failure != nil {
		return manage.Session{}, f.failure
	}
	if in.Password == "needs a code" {
		return manage.Session{Ticket: "ticket"}, uptime.Fail(uptime.CodeSecondFactor, "A one-time code is needed.")
	}
	if in.Password != "right" {
		return manage.Session{}, uptime.Fail(uptime.CodeUnauthorized, "The e-mail address or the password is wrong.")
	}
	return manage.Session{Cookie: "ok", Persistent: in.Remember, ExpiresAt: sampleNow().Add(time.Hour)}, nil
}

func (f *fake) ActorOfSession(_ context.Context, cookie, _ string) (uptime.Actor, *manage.Session, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if cookie != "ok" || f.ended {
		return uptime.Actor{}, nil, uptime.Fail(uptime.CodeUnauthorized, "Log in.")
	}
	return uptime.Actor{WorkspaceID: 1, UserID: 1, Role: f.role, Language: f.language}, nil, nil
}

func (f *fake) OpenStream(uptime.Actor) (end func(), err error) { return func() {}, nil }

func (f *fake) LogoutActor(context.Context, uptime.Actor) error { return nil }

func (f *fake) StillAllowed(_ context.Context, a uptime.Actor) (uptime.Actor, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return a, uptime.Fail(uptime.CodeUnauthorized, "Log in.")
	}
	return a, nil
}

const readTimeout = 10 * time.Second

// wait is one read of a database that hangs.
func (f *fake) wait(ctx context.Context) error {
	if !f.hangs {
		return f.broken
	}
	select {
	case <-ctx.Done():
	case <-time.After(readTimeout):
	}
	return uptime.ErrUnavailable
}

func (f *fake) Me(ctx context.Context, _ uptime.Actor) (manage.UserView, error) {
	if err := f.wait(ctx); err != nil {
		return manage.UserView{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return manage.UserView{ID: 1, Email: "mia@example.com", Name: "Mia Berg", Role: f.role, TimeZone: "Europe/Berlin", Theme: f.theme, Language: f.language, TOTP: f.factor, Password: f.oidc == "", Preferences: f.likes}, nil
}

func (f *fake) UpdateMe(_ context.Context, _ uptime.Actor, patch json.RawMessage, _ string) (manage.UserView, error) {
	return manage.UserView{RecoveryCodes: sampleCodes()}, f.change(patch)
}

func (f *fake) Can(a uptime.Actor, action manage.Action) bool {
	return manage.New(manage.Deps{}).Can(a, action) // the table of permissions needs nothing
}

func (f *fake) Instance(ctx context.Context) (uptime.Workspace, error) {
	if f.hangs {
		return uptime.Workspace{}, f.wait(ctx)
	}
	return uptime.Workspace{ID: 1, Name: "Acme monitoring", TimeZone: "UTC"}, nil
}

func (f *fake) Counts(context.Context, uptime.Actor) (manage.Counts, error) {
	c := manage.Counts{}
	if f.empty {
		return c, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, s := range sampleList() {
		if _, changed := f.now[int64(i+1)]; !changed {
			c[s.status]++
		}
	}
	for _, status := range f.now {
		c[status]++
	}
	return c, nil
}

func (f *fake) Monitor(_ context.Context, _ uptime.Actor, id int64) (manage.MonitorView, error) {
	if id > int64(len(sampleList())) {
		return manage.MonitorView{}, uptime.ErrNotFound
	}
	m := sampleMonitor(int(id - 1))
	if f.young {
		m.CreatedAt = sampleNow().Add(-4 * time.Minute)
	}
	return f.silenced(m), nil
}

func (f *fake) CreateMonitor(_ context.Context, _ uptime.Actor, body json.RawMessage) (manage.MonitorView, error) {
	return manage.MonitorView{ID: 1}, f.change(body)
}

func (f *fake) ReplaceMonitor(_ context.Context, _ uptime.Actor, _ int64, body json.RawMessage, _ string) (manage.MonitorView, error) {
	return manage.MonitorView{ID: 1}, f.change(body)
}

func (f *fake) DeleteMonitor(context.Context, uptime.Actor, int64, string) error {
	return f.change(nil)
}

func (f *fake) PauseMonitor(context.Context, uptime.Actor, int64) (manage.MonitorView, error) {
	return manage.MonitorView{}, f.change(nil)
}

func (f *fake) ResumeMonitor(context.Context, uptime.Actor, int64) (manage.MonitorView, error) {
	return manage.MonitorView{}, f.change(nil)
}

func (f *fake) CheckNow(context.Context, uptime.Actor, int64) (manage.ResultView, error) {
	return manage.ResultView{Status: uptime.Up}, f.change(nil)
}

func (f *fake) TestMonitor(_ context.Context, _ uptime.Actor, body json.RawMessage) (manage.MonitorTestView, error) {
	code, dns, dial, tls, first := 200, 4.2, 11.0, 23.0, 140.0
	return manage.MonitorTestView{
		Status: uptime.Up, ResponseMS: 184, StatusCode: &code, Address: "203.0.113.7:443", Excerpt: `{"ok":true}` + hostile,
		Phases:       manage.PhasesView{DNSMS: &dns, ConnectMS: &dial, TLSMS: &tls, FirstByteMS: &first},
		Certificate:  &manage.CertificateView{Subject: "example.com", Issuer: "R11", NotAfter: sampleNow().Add(61 * 24 * time.Hour)},
		Expectations: []uptime.Expectation{{Name: "Status", Expected: "200-299", Actual: "200", Met: true}, {Name: "Keyword", Expected: "welcome", Actual: hostile}},
	}, f.change(body)
}

func (f *fake) Results(_ context.Context, _ uptime.Actor, id int64, q uptime.ResultFilter, _ uptime.Page) (uptime.List[manage.ResultView], error) {
	out := uptime.List[manage.ResultView]{Next: "next"}
	for i := range 12 {
		code, dns, first := 200, 3.1, 60.0
		v := manage.ResultView{
			MonitorID: id, Region: "default", ScheduledAt: sampleNow().Add(-time.Duration(i) * time.Minute), Status: uptime.Up,
			ResponseMS: 87 + float64(i), StatusCode: &code, Phases: manage.PhasesView{DNSMS: &dns, FirstByteMS: &first}, Attempt: 1,
		}
		if i < 5 && id <= 2 {
			bad := 503
			v.Status, v.StatusCode, v.Error, v.Attempt, v.ErrorKind = uptime.Down, &bad, "Status 503 Service Unavailable, expected 200-299", 5-i, uptime.KindStatus
		}
		if q.Status == "" || q.Status == v.Status {
			out.Items = append(out.Items, v)
		}
	}
	if f.empty {
		return uptime.List[manage.ResultView]{}, nil
	}
	if q.Status != "" {
		out.Next = ""
	}
	return out, nil
}

func (f *fake) Stats(_ context.Context, _ uptime.Actor, _ int64, q manage.StatsQuery) (manage.StatsView, error) {
	if f.empty {
		return manage.StatsView{}, nil
	}
	up, p50, p95, p99 := 0.99951, 87.4, 412.0, 655.0
	if q.To.Before(sampleNow()) { // what is compared with
		p95 = 381
	}
	return manage.StatsView{Window: q.Window, Uptime: &up, Coverage: 1, DowntimeSeconds: 250, ResponseMS: manage.ResponseView{P50: &p50, P95: &p95, P99: &p99}}, nil
}

func (f *fake) Availability(_ context.Context, _ uptime.Actor, _ int64, lengths ...time.Duration) ([]uptime.Availability, error) {
	up := 0.99951
	out := make([]uptime.Availability, len(lengths))
	for i := range out {
		out[i] = uptime.Availability{Uptime: &up, Coverage: 1, Downtime: 250 * time.Second}
	}
	return out, nil
}

func (f *fake) Glances(ctx context.Context, a uptime.Actor, ids []int64, q uptime.GlanceQuery) (map[int64]uptime.Glance, error) {
	hour := sampleNow().Truncate(time.Hour).Add(time.Hour)
	days, err := f.Buckets(ctx, a, ids, hour.Add(-30*24*time.Hour), hour, 24*time.Hour)
	if err != nil {
		return nil, err
	}
	bars, err := f.Buckets(ctx, a, ids, q.From, q.To, q.Width)
	out := map[int64]uptime.Glance{}
	for id, list := range days {
		out[id] = uptime.Glance{Buckets: bars[id], Uptime: uptimeOf(list), P95: list[len(list)-1].P95}
	}
	return out, err
}

func (f *fake) Buckets(_ context.Context, _ uptime.Actor, ids []int64, from, to time.Time, width time.Duration) (map[int64][]uptime.Bucket, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[int64][]uptime.Bucket{}
	for _, id := range ids {
		out[id] = sampleBuckets(id, from, to, width)
		if n := len(out[id]); f.hole {
			for i, b := range out[id][n/2 : n/2+n/8] {
				out[id][n/2+i] = uptime.Bucket{From: b.From, To: b.To}
			}
		}
		for i := range out[id] {
			if b := out[id][i]; f.young && i < len(out[id])-1 {
				out[id][i] = uptime.Bucket{From: b.From, To: b.To}
			} else if f.young {
				out[id][i].P50, out[id][i].P95, out[id][i].P99 = 1200*time.Microsecond, 1500*time.Microsecond, 1900*time.Microsecond
			}
		}
	}
	return out, nil
}

func (f *fake) Incidents(_ context.Context, _ uptime.Actor, q uptime.IncidentFilter, p uptime.Page) (uptime.List[manage.IncidentView], error) {
	var out uptime.List[manage.IncidentView]
	if f.broken != nil {
		return out, f.broken
	}
	var all []manage.IncidentView
	for i := range f.flood {
		inc, of := sampleIncident(1), int64(1000+i)
		inc.ID, inc.MonitorID = of, &of
		all = append(all, inc)
	}
	all = append(all, sampleIncident(1), sampleIncident(2))
	if f.storm {
		all = append(append(all, sampleByHand()), sampleStorm()...)
	}
	for _, inc := range append(all, sampleIncident(5), sampleIncident(6), sampleIncident(11)) {
		if f.empty || (q.Unresolved && inc.Status == uptime.IncidentResolved) || (q.MonitorID != 0 && (inc.MonitorID == nil || q.MonitorID != *inc.MonitorID)) ||
			(q.OpenedFor != nil && (inc.MonitorID == nil || !slices.Contains(q.OpenedFor, *inc.MonitorID))) {
			continue
		}
		if q.Query != "" && !strings.Contains(strings.ToLower(inc.Title), strings.ToLower(q.Query)) {
			continue
		}
		out.Items = append(out.Items, inc)
	}
	if n := len(out.Items); p.Limit == exportPage && n > 2 { // a file comes in pieces
		half := out.Items[:n/2]
		if p.Cursor == "" {
			out.Items, out.Next = half, "more"
		} else if out.Items = out.Items[n/2:]; f.breaksOff {
			return out, uptime.ErrUnavailable
		}
	}
	if p.Limit > 0 {
		out.Items = out.Items[:min(p.Limit, len(out.Items))]
	}
	return out, nil
}

func (f *fake) CountIncidents(ctx context.Context, a uptime.Actor, q uptime.IncidentFilter) (int64, error) {
	list, err := f.Incidents(ctx, a, q, uptime.Page{})
	return int64(len(list.Items)), err
}

func (f *fake) Incident(_ context.Context, _ uptime.Actor, id int64) (manage.IncidentView, error) {
	if id > int64(len(sampleList())) && id != handMade && id != overDone {
		return manage.IncidentView{}, uptime.ErrNotFound
	}
	return sampleIncident(id), nil
}

func (f *fake) AcknowledgeIncident(_ context.Context, _ uptime.Actor, id int64, body json.RawMessage) (manage.IncidentView, error) {
	return sampleIncident(id), f.change(body)
}

func (f *fake) ResolveIncident(_ context.Context, _ uptime.Actor, id int64, body json.RawMessage) (manage.IncidentView, error) {
	return sampleIncident(id), f.change(body)
}

func (f *fake) AddIncidentUpdate(_ context.Context, _ uptime.Actor, id int64, body json.RawMessage) (manage.IncidentView, error) {
	return sampleIncident(id), f.change(body)
}

func (f *fake) Channels(context.Context, uptime.Actor, uptime.Page) (uptime.List[manage.ChannelView], error) {
	if f.empty {
		return uptime.List[manage.ChannelView]{}, nil
	}
	return uptime.List[manage.ChannelView]{Items: []manage.ChannelView{sampleChannel(1), sampleChannel(2), sampleChannel(3)}}, nil
}

func (f *fake) Channel(_ context.Context, _ uptime.Actor, id int64) (manage.ChannelView, error) {
	if id > 3 {
		return manage.ChannelView{}, uptime.ErrNotFound
	}
	return sampleChannel(id), nil
}

func (f *fake) CreateChannel(_ context.Context, _ uptime.Actor, body json.RawMessage) (manage.ChannelView, error) {
	return manage.ChannelView{ID: 1}, f.change(body)
}

func (f *fake) PatchChannel(_ context.Context, _ uptime.Actor, _ int64, patch json.RawMessage, _ string) (manage.ChannelView, error) {
	return manage.ChannelView{ID: 1}, f.change(patch)
}

func (f *fake) DeleteChannel(context.Context, uptime.Actor, int64, string) error {
	return f.change(nil)
}

func (f *fake) TestChannel(context.Context, uptime.Actor, int64) (manage.ChannelTestView, error) {
	code, bad := 200, 403
	return manage.ChannelTestView{Attempts: []manage.TestAttemptView{
		{Type: uptime.EventOpened, StatusCode: &code, DurationMS: 84, Answer: `{"ok":true}`},
		{Type: uptime.EventResolved, StatusCode: &bad, DurationMS: 60, Answer: hostile, Error: "HTTP 403"},
	}}, f.change(nil)
}

func (f *fake) Deliveries(_ context.Context, _ uptime.Actor, _ uptime.DeliveryFilter, _ uptime.Page) (uptime.List[manage.DeliveryView], error) {
	if f.empty {
		return uptime.List[manage.DeliveryView]{}, nil
	}
	return uptime.List[manage.DeliveryView]{Items: []manage.DeliveryView{
		sampleDelivery(1, uptime.DeliveryDelivered), sampleDelivery(2, uptime.DeliveryPending), sampleDelivery(3, uptime.DeliveryDead),
	}}, nil
}

func (f *fake) RetryDelivery(context.Context, uptime.Actor, int64) (manage.DeliveryView, error) {
	return sampleDelivery(3, uptime.DeliveryPending), f.change(nil)
}

func (f *fake) MonitorKinds() []uptime.Kind { return sampleKinds() }
func (f *fake) ChannelKinds() []uptime.Kind { return sampleChannelKinds() }

// setup gives a web over samples.
func setup(t *testing.T) (*Web, *fake) {
	t.Helper()
	f := &fake{role: uptime.RoleOwner, theme: "auto", notices: make(chan uptime.Notice, 100)}
	w, err := New(Deps{Manage: f, Bus: f, Clock: sampleNow, Log: slog.New(slog.DiscardHandler), Random: sampleName, Version: "1.0.0", Conditions: f.conditions})
	require.NoError(t, err)
	hears(t, w)
	return w, f
}

// ask makes a request; form makes it a post. The session is there unless
// change takes it away.
func ask(w http.Handler, path string, form url.Values, change ...func(*http.Request)) *httptest.ResponseRecorder {
	method, body := http.MethodGet, io.Reader(nil)
	if form != nil {
		method, body = http.MethodPost, strings.NewReader(form.Encode())
	}
	r := httptest.NewRequestWithContext(context.Background(), method, path, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: "ok"})
	r = r.WithContext(uptime.WithRequest(r.Context(), uptime.Request{ID: "req-1", Address: "127.0.0.1", Host: "localhost:8080", Local: true}))
	for _, c := range change {
		c(r)
	}
	rec := httptest.NewRecorder()
	w.ServeHTTP(rec, r)
	return rec
}

// from makes the request one that httpd judged so.
func from(judged uptime.Request) func(*http.Request) {
	return func(r *http.Request) { *r = *r.WithContext(uptime.WithRequest(r.Context(), judged)) }
}

func anonymous(r *http.Request) { r.Header.Del("Cookie") }

func asFragment(r *http.Request) { r.Header.Set("HX-Request", "true") }
