package notifier_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"monitor/modules/channel"
	"monitor/modules/notifier"
	"monitor/modules/uptime"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is an outbox in memory, with the store's rules as far as a notifier
// can see them.
type memory struct {
	mu        sync.Mutex
	channels  []uptime.Channel
	rows      []*row
	reminders int // calls
	raised    []uptime.Alarm
	ended     []string
	refuse    int // this many commits fail
}

type row struct {
	claim  uptime.Claim
	due    time.Time // of the next attempt, or the lease's end
	status uptime.DeliveryStatus
	result uptime.AttemptResult
	log    []uptime.Attempt
}

func (m *memory) add(ch uptime.Channel, e uptime.Event) *row {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now().UTC()
	r := &row{due: now, status: uptime.DeliveryPending}
	r.claim.Channel, r.claim.Event = ch, e
	r.claim.Delivery = uptime.Delivery{ID: int64(len(m.rows) + 1), WorkspaceID: 1, EventID: e.ID, ChannelID: ch.ID, CreatedAt: now}
	m.rows = append(m.rows, r)
	return r
}

func (m *memory) ClaimDeliveries(_ context.Context, p uptime.ClaimParams) ([]uptime.Claim, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	flying := map[int64]int{}
	for _, r := range m.rows {
		if r.status == uptime.DeliverySending && r.due.After(now) {
			flying[r.claim.Channel.ID]++
		}
	}
	var claims []uptime.Claim
	for _, r := range m.rows {
		id := r.claim.Channel.ID
		open := r.status == uptime.DeliveryPending || r.status == uptime.DeliverySending
		if !open || r.due.After(now) || len(claims) == p.Limit || flying[id] >= p.PerChannel || slices.Contains(p.SkipChannels, id) {
			continue
		}
		flying[id]++
		r.status, r.due = uptime.DeliverySending, now.Add(p.Lease)
		r.claim.N++
		claims = append(claims, r.claim)
	}
	return claims, nil
}

func (m *memory) FinishDelivery(_ context.Context, c uptime.Claim, a uptime.AttemptResult) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse > 0 {
		m.refuse--
		return uptime.ErrUnavailable
	}
	r := m.rows[c.Delivery.ID-1]
	if r.claim.N != c.N {
		return uptime.ErrStale
	}
	r.status, r.due, r.result = a.Status, a.Next, a
	r.log = append(r.log, a.Attempt)
	return nil
}

func (m *memory) ReleaseDelivery(_ context.Context, c uptime.Claim, next time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rows[c.Delivery.ID-1]
	r.status, r.due = uptime.DeliveryPending, next
	r.claim.N--
	return nil
}

func (m *memory) NextDue(context.Context) (time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var next time.Time
	for _, r := range m.rows {
		open := r.status == uptime.DeliveryPending || r.status == uptime.DeliverySending
		if open && (next.IsZero() || r.due.Before(next)) {
			next = r.due
		}
	}
	return next, nil
}

func (m *memory) EmitReminders(context.Context, int) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reminders++
	return 0, nil
}

func (m *memory) RaiseAlarm(_ context.Context, a uptime.Alarm) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.raised = append(m.raised, a)
	return true, nil
}

func (m *memory) EndAlarm(_ context.Context, _ int64, kind uptime.AlarmKind, subject string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = append(m.ended, string(kind)+" "+subject)
	return true, nil
}

func (m *memory) Channels(context.Context, int64, uptime.Page) (uptime.List[uptime.Channel], error) {
	return uptime.List[uptime.Channel]{Items: m.channels}, nil
}

func (m *memory) statuses() map[uptime.DeliveryStatus]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	count := map[uptime.DeliveryStatus]int{}
	for _, r := range m.rows {
		count[r.status]++
	}
	return count
}

// sender answers what a function says.
type sender func(ctx context.Context, ch uptime.Channel, m uptime.Message) error

type plain struct {
	Token string `json:"token" secret:"value"`
}

func (s sender) Kind(name string) (uptime.Kind, bool) {
	return uptime.Kind{Name: name, New: func() any { return &plain{} }}, name != "unknown"
}

func (s sender) Send(ctx context.Context, ch uptime.Channel, m uptime.Message) (uptime.Answer, error) {
	return uptime.Answer{}, s(ctx, ch, m)
}

// sealer seals by a prefix and binds to the field.
type sealer struct{}

func (sealer) Seal(p uptime.SecretPlace, secret string) (string, error) {
	return "sealed:" + p.Table + p.RowKey + p.Field + ":" + secret, nil
}

func (sealer) Open(p uptime.SecretPlace, sealed string) (string, error) {
	prefix, _ := sealer{}.Seal(p, "")
	if len(sealed) < len(prefix) || sealed[:len(prefix)] != prefix {
		return "", errors.New("not sealed here")
	}
	return sealed[len(prefix):], nil
}

func newNotifier(m *memory, s sender) *notifier.Notifier {
	return notifier.New(notifier.Deps{
		Outbox: m, Alarms: m, Channels: s, Gate: channel.NewGate(nil), Sealer: sealer{},
		Random: func() float64 { return 0.5 }, // no jitter
	})
}

// start runs a notifier; stop ends it and gives how long that took.
func start(n *notifier.Notifier) (stop func() time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	ready := make(chan struct{})
	go func() { done <- n.Run(ctx, sync.OnceFunc(func() { close(ready) })) }()
	<-ready
	return func() time.Duration {
		began := time.Now()
		cancel()
		if err := <-done; err != nil {
			panic(err)
		}
		return time.Since(began)
	}
}

func event(id string) uptime.Event {
	return uptime.Event{ID: "evt_" + id, WorkspaceID: 1, Type: uptime.EventOpened, At: time.Now().UTC()}
}

func numbered(id int64) uptime.Channel {
	return uptime.Channel{ID: id, WorkspaceID: 1, Name: "c" + string(rune('0'+id)), Type: "plain", Enabled: true, RowKey: "k", Settings: []byte(`{}`)}
}
