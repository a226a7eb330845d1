package notifier

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"monitor/modules/uptime"
)

const (
	// SendTimeout is how long one attempt may take.
	SendTimeout = 10 * time.Second
	// Lease is how long a claim is the notifier's alone: SendTimeout and the
	// time to commit the result.
	Lease = SendTimeout + 5*time.Second
	// Grace is how long attempts on their way may take when the notifier stops.
	Grace = 15 * time.Second
	// Poll is how often the database is asked, notice or not.
	Poll = time.Second

	// capacity is how many attempts are made at once by this notifier.
	capacity = 64
	// storeTimeout bounds one call of the store.
	storeTimeout = 5 * time.Second
	// reminderBatch is how many reminders are emitted in one step.
	reminderBatch = 100
)

// outbox is where deliveries come from. See the methods of the store.
type outbox interface {
	ClaimDeliveries(ctx context.Context, c uptime.ClaimParams) ([]uptime.Claim, error)
	FinishDelivery(ctx context.Context, c uptime.Claim, r uptime.AttemptResult) error
	ReleaseDelivery(ctx context.Context, c uptime.Claim, next time.Time) error
	NextDue(ctx context.Context) (time.Time, error)
	EmitReminders(ctx context.Context, limit int) (int, error)
}

// alarms is how dead channels are told of.
type alarms interface {
	RaiseAlarm(ctx context.Context, a uptime.Alarm) (raised bool, err error)
	EndAlarm(ctx context.Context, ws int64, kind uptime.AlarmKind, subject string) (ended bool, err error)
	Channels(ctx context.Context, ws int64, p uptime.Page) (uptime.List[uptime.Channel], error)
}

// gate holds back messages to endpoints that are dead or busy.
type gate interface {
	Allow(channel uptime.Channel) (done func(error), ok bool)
	Held() []int64
}

// channels sends, and knows the settings of each channel type. Secrets within
// them are opened just before.
type channels interface {
	uptime.Sender
	Kind(name string) (uptime.Kind, bool)
}

// Observer is told of each attempt, for metrics. It must not block.
type Observer interface {
	// Attempted: one attempt to a channel of that type ended after took; age
	// is how old the delivery was then.
	Attempted(channelType string, outcome uptime.AttemptOutcome, took, age time.Duration)
	// Ended: a delivery reached a final status.
	Ended(channelType string, status uptime.DeliveryStatus)
}

// Deps is what a notifier needs. Bus, Observer and Random may be nil.
type Deps struct {
	Outbox   outbox
	Alarms   alarms
	Channels channels
	Gate     gate
	Sealer   uptime.Sealer
	Bus      uptime.Bus
	Observer Observer
	Log      *slog.Logger
	Clock    uptime.Clock
	Random   func() float64 // in [0, 1); safe for concurrent use
}

// Notifier delivers. Its methods may be called concurrently; Run once.
type Notifier struct {
	Deps

	wake    chan struct{} // room for one: "look again"
	sending sync.WaitGroup
	board   board
	door    door
}

// New makes a notifier.
func New(d Deps) *Notifier {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Clock == nil {
		d.Clock = uptime.SystemClock
	}
	if d.Random == nil {
		d.Random = rand.Float64
	}
	if d.Observer == nil {
		d.Observer = silent{}
	}
	return &Notifier{Deps: d, wake: make(chan struct{}, 1), board: newBoard()}
}

// Run delivers until ctx ends, then finishes what is on its way. It is a
// service: it always returns nil.
func (n *Notifier) Run(ctx context.Context, ready func()) error {
	// Attempts outlive ctx by Grace at most: they are ended by hand.
	attempts, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	var listening sync.WaitGroup
	listening.Go(func() { n.listen(ctx) })
	defer listening.Wait()
	n.door.open(func(c uptime.Claim) { n.begin(ctx, attempts, c) })
	defer n.door.open(nil)
	ready()
	for ctx.Err() == nil {
		next := n.runOnce(ctx, attempts)
		n.rest(ctx, next)
	}
	n.door.open(nil)
	n.drain(abort)
	return nil
}

// rest waits until there may be something to do: a notice, an attempt that
// ended, a delivery that falls due, and in any case after Poll.
func (n *Notifier) rest(ctx context.Context, next time.Duration) {
	timer := time.NewTimer(next)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-n.wake:
	case <-timer.C:
	}
}

// drain waits for the attempts on their way, for Grace at most.
func (n *Notifier) drain(abort context.CancelFunc) {
	overdue := time.AfterFunc(Grace, abort)
	defer overdue.Stop()
	n.sending.Wait()
}

// listen turns notices into wake-ups. A bus that is away only costs speed.
func (n *Notifier) listen(ctx context.Context) {
	if n.Bus == nil {
		return
	}
	for ctx.Err() == nil {
		notices, err := n.Bus.Subscribe(ctx, uptime.TopicOutbox)
		if err != nil {
			if ctx.Err() == nil {
				n.Log.WarnContext(ctx, "notices of the outbox are not heard", "error", err)
			}
			n.pause(ctx, 5*time.Second)
			continue
		}
		for range notices {
			n.look()
		}
		n.pause(ctx, Poll)
	}
}

func (n *Notifier) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// look wakes the loop; a wake-up that waits already is enough.
func (n *Notifier) look() {
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// announce tells other processes; losing a notice costs speed only.
func (n *Notifier) announce(ctx context.Context, notices ...uptime.Notice) {
	if n.Bus == nil {
		return
	}
	if err := n.Bus.Publish(ctx, notices...); err != nil {
		n.Log.DebugContext(ctx, "notice was not published", "error", err)
	}
}

// bounded is the context of one call of the store, which is not cut short when
// the notifier stops.
func bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
}

// log names the claim in what is logged.
func (n *Notifier) log(c uptime.Claim) *slog.Logger {
	return n.Log.With("delivery", c.Delivery.ID, "event", c.Event.ID, "channel", c.Channel.ID, "attempt", c.N)
}

// recovered turns a panic of a channel into an error: it must not end the
// process, and the delivery is tried again.
func recovered(v any) error { return fmt.Errorf("panic in a channel: %v", v) }
