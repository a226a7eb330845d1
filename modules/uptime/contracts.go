package uptime

import (
	"context"
	"encoding/json"
	"time"
)

// Clock gives the time in UTC. It carries a monotonic reading where the real
// clock does.
type Clock func() time.Time

// SystemClock is the machine's clock.
func SystemClock() time.Time { return time.Now().UTC() }

// LeaseMargin is added to a job's timeout (counted from its slot, or from the
// taking if that is later) to give its lease: a dead worker's job is handed to
// another one after that.
const LeaseMargin = 10 * time.Second

// TakeAhead is how long before its slot a job may be taken. The worker holds it
// until then.
const TakeAhead = 2 * time.Second

// JobQueue hands checks to workers. Implementations: in-process and Redis
// Streams. All methods may be called concurrently. A job is handed out at least
// once; the key of its result makes a repeat harmless.
type JobQueue interface {
	// Push adds jobs that no leader's slot stands behind: retries and checks
	// asked for by people. A job whose slot is further away than TakeAhead
	// waits in the queue (delayed). ErrFull when the queue is at its bound.
	Push(ctx context.Context, jobs []Job) error
	// Take waits until at least one job of the region may be taken, or ctx
	// ends (nil, ctx.Err()), and leases up to n of them to the caller, newest
	// slots first where there is a backlog, which is given out at no more than
	// twice the steady rate. Jobs past Expires are handed out with Expired set,
	// to be booked as missed and acknowledged. Jobs whose lease ended come
	// again with Taken raised.
	Take(ctx context.Context, region string, n int) ([]Lease, error)
	// Renew extends the leases by the time of a fresh one. Receipts that are
	// no longer the caller's are ignored.
	Renew(ctx context.Context, receipts []string) error
	// Ack ends jobs for good. Unknown receipts are ignored: a repeat is harmless.
	Ack(ctx context.Context, receipts []string) error
	// Depth counts what waits.
	Depth(ctx context.Context) (QueueDepth, error)
}

// QueueDepth is what a queue holds.
type QueueDepth struct {
	Ready   int64     // may be taken now
	Delayed int64     // wait for their slot
	Leased  int64     // in workers' hands
	Oldest  time.Time // slot of the oldest ready job, zero: none
}

// SlotBatch is what one tick of the leader publishes.
type SlotBatch struct {
	Epoch int64
	// UpTo is the new watermark: every slot at or before it is published. Zero,
	// or not after a partition's watermark: that one stays.
	UpTo time.Time
	// Slots to be added as jobs. Publish keeps nothing of the list itself.
	Slots []Slot
	// Rate is the steady rate of all enabled monitors, in checks per second;
	// backlogs are given out at no more than twice that.
	Rate float64
}

// SlotPublisher is the leader's side of the queue, fenced by epoch. The queue is
// spread over partitions by monitor id; each has a watermark and the highest
// epoch seen beside its jobs.
type SlotPublisher interface {
	// Raise tells every partition of a new leader. From its return on, batches
	// of a lower epoch are refused by all. ErrFenced when a partition has seen
	// a higher one.
	Raise(ctx context.Context, epoch int64) error
	// Watermarks gives "published up to" for each partition, by index; zero
	// where the queue has lost or never had it.
	Watermarks(ctx context.Context) ([]time.Time, error)
	// Partition of a monitor, an index into Watermarks.
	Partition(monitorID int64) int
	// Publish appends the jobs and moves the watermarks, each partition in one
	// step. ErrFenced: a newer leader exists; nothing of a fenced partition
	// was added. ErrLost: a partition does not know the epoch that Raise gave
	// it, or its watermark moved back: it lost what it held, and nothing was
	// added to it; whoever leads must raise a new epoch and go on from where
	// Watermarks says, or else the database. Another error may leave some
	// partitions done and others not: read Watermarks and publish again what is
	// missing; doing so twice is harmless. Jobs beyond the queue's bound are
	// dropped oldest slots first, to be found by the audit.
	Publish(ctx context.Context, batch SlotBatch) error
}

// Leader elects one process among all. Implementations: in-process and Redis.
type Leader interface {
	// Lead campaigns until ctx ends. While this process leads, follow runs with
	// a context that ends when leadership does and with the epoch, a number
	// that no earlier leader had. Lead waits for follow to return before it
	// gives up leadership; when follow returns an error, leadership is handed
	// over and campaigned for again. It returns nil when ctx ends. Several parts
	// of one process may call it: they lead together under one epoch.
	Lead(ctx context.Context, follow func(ctx context.Context, epoch int64) error) error
}

// Epochs is where leaders get their numbers: a row of the database.
type Epochs interface {
	// RaiseEpoch adds one and gives the new number.
	RaiseEpoch(ctx context.Context) (int64, error)
}

// Topic is what a notice is about.
type Topic string

// The topics of the bus.
const (
	TopicMonitor  Topic = "monitor"  // a monitor was created, changed or deleted
	TopicResult   Topic = "result"   // a result was committed
	TopicStatus   Topic = "status"   // a monitor's status changed
	TopicIncident Topic = "incident" // an incident opened, changed or was resolved
	TopicDelivery Topic = "delivery" // a delivery changed
	TopicOutbox   Topic = "outbox"   // deliveries may be due now
	TopicAccess   Topic = "access"   // somebody's access ended or changed
)

// Notice says that something changed. It is a hint: it may be lost or come
// twice, and whoever hears it reads the store.
type Notice struct {
	Topic       Topic           `json:"topic"`
	WorkspaceID int64           `json:"workspace_id"`
	ID          int64           `json:"id"`             // of the monitor, incident, delivery or user
	Slot        time.Time       `json:"slot,omitzero"`  // of a result
	Data        json.RawMessage `json:"data,omitempty"` // small; what an event stream shows
}

// Bus carries notices to every process, the sender's own included.
type Bus interface {
	// Publish does not wait for receivers.
	Publish(ctx context.Context, notices ...Notice) error
	// Subscribe gives the notices of the topics published after it returned.
	// The channel is closed when ctx ends. A receiver that is too slow loses
	// the oldest ones and then gets a Notice whose Topic is "" (resync).
	Subscribe(ctx context.Context, topics ...Topic) (<-chan Notice, error)
}

// Rate is how much of something is allowed.
type Rate struct {
	Limit int
	Per   time.Duration
}

// LimitDecision is the answer of a rate limit.
type LimitDecision struct {
	Allowed    bool
	Limit      int
	Remaining  int
	RetryAfter time.Duration // when not allowed
	ResetAfter time.Duration // until Remaining is Limit again
}

// Limiter is a rate limit shared by all processes (GCRA).
type Limiter interface {
	// Allow takes one from the key's allowance.
	Allow(ctx context.Context, key string, rate Rate) (LimitDecision, error)
	// GiveBack returns one to the key's allowance, which it does not exceed.
	GiveBack(ctx context.Context, key string, rate Rate) error
}

// Recent remembers for RecentFor who wrote, over all processes, so that nobody
// reads a replica that has not yet got what they wrote. All methods may be called
// concurrently and are quick.
type Recent interface {
	// Wrote notes a write. Where it cannot be noted for all, DidWrite says true
	// to everybody for as long as it takes.
	Wrote(ctx context.Context, who string)
	// DidWrite reports a write of the last RecentFor; true where it cannot tell.
	DidWrite(ctx context.Context, who string) bool
}

// RecentFor is how long who wrote reads the primary.
const RecentFor = 10 * time.Second

// Sealer keeps secrets sealed at rest.
type Sealer interface {
	// Seal encrypts and binds the secret to its place.
	Seal(place SecretPlace, secret string) (string, error)
	// Open decrypts; an error when the value was moved or tampered with or its
	// key is gone.
	Open(place SecretPlace, sealed string) (string, error)
}

// SecretPlace is where a sealed value belongs; it opens nowhere else.
type SecretPlace struct {
	WorkspaceID int64
	Table       string // "monitors", "channels", "users"
	RowKey      string
	Field       string // name of the type, then the path in its settings: "http.headers.Authorization"
	// Plain: what is not sealed was stored before it counted as secret, and is given as
	// it is. Only for what nobody but the database holds.
	Plain bool
}

// Prober makes one check.
type Prober interface {
	// Probe checks once within spec.Timeout, whose Settings have their secrets
	// opened. A failed target is an Outcome; an error means that we could not
	// check. detail asks for evidence and expectations even when the target is
	// up (for tests by people).
	Probe(ctx context.Context, spec Spec, detail bool) (Outcome, error)
}

// Sender sends one message by a channel.
type Sender interface {
	// Send makes one attempt within the context's deadline. The channel's
	// Settings have their secrets opened. A failure is a *SendError.
	Send(ctx context.Context, channel Channel, message Message) (Answer, error)
}

// Kind describes a monitor type or a channel type. Forms, API schema,
// validation, masking and docs are drawn from the struct that New gives.
type Kind struct {
	Name  string // "http": names the settings block
	Label string // "HTTP(S)"
	Help  string
	// New gives a pointer to a settings struct with its defaults set.
	New func() any
	// Target is the address for people of such settings, without credentials.
	Target func(settings any) string
	// Check says what is wrong with settings beyond their tags, fields as
	// paths within the block; nil: nothing.
	Check func(settings any) []FieldError
}

// Catalog lists the kinds that a registry knows, in the order shown to people.
type Catalog interface {
	Kinds() []Kind
	Kind(name string) (Kind, bool)
}
