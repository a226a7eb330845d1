package redisconn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"monitor/modules/uptime"
)

// Timeout bounds one command on every pool but those that block.
const Timeout = 2 * time.Second

// blockMargin is how much longer a blocking client reads than its commands block.
const blockMargin = 3 * time.Second

// Purpose of a pool. Pools are apart so that none starves another.
type Purpose struct {
	Name string
	// Size bounds its connections (to each server of a cluster).
	Size int
	// Timeout of one command; 0: the package's.
	Timeout time.Duration
	// Block is the longest that its commands block; 0: they do not.
	Block time.Duration
	// Retries is how often a command that got no answer is sent again; 0: twice,
	// -1: never. What is sent again may be done twice.
	Retries int
}

// The waits between the sendings of one command, longer each time, with jitter.
const (
	firstWait   = 20 * time.Millisecond
	longestWait = 500 * time.Millisecond
)

// retries of a command where its Purpose does not say.
const retries = 2

// redirects are how often a cluster may send a command to another server.
const redirects = 5

// Params are what Open needs; all are required.
type Params struct {
	URL string
	// Name of this process among the clients of the server.
	Name  string
	Log   *slog.Logger
	Clock uptime.Clock
}

// Conn is this process's way to Redis. It is safe for concurrent use.
type Conn struct {
	target target
	name   string
	log    *slog.Logger
	clock  uptime.Clock
	health redis.UniversalClient

	mu      sync.Mutex
	clients []redis.UniversalClient
	closed  bool
	state   State
	recent  samples
}

// Open reads the address. It connects to nothing: see Ping. Its errors never
// repeat the address.
func Open(p Params) (*Conn, error) {
	if p.Log == nil || p.Clock == nil {
		return nil, errors.New("open redis: a logger and a clock are required")
	}
	t, err := parse(p.URL)
	if err != nil {
		return nil, fmt.Errorf("redis.url cannot be used: %w", err)
	}
	c := &Conn{target: t, name: p.Name, log: p.Log, clock: p.Clock}
	c.health = c.Client(Purpose{Name: "health", Size: 1})
	return c, nil
}

// Cluster says whether keys are spread over several servers, so that one command
// may name keys of one hash tag only.
func (c *Conn) Cluster() bool { return c.target.kind == cluster }

// Client makes a pool, which ends with the Conn. It is for the packages that
// stand behind the contracts; no other may see a type of go-redis.
func (c *Conn) Client(p Purpose) redis.UniversalClient {
	client := c.dial(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		_ = client.Close() // its commands fail with redis.ErrClosed
		return client
	}
	c.clients = append(c.clients, client)
	return client
}

// Discard closes one pool before the others.
func (c *Conn) Discard(client redis.UniversalClient) error {
	c.mu.Lock()
	c.clients = slices.DeleteFunc(c.clients, func(one redis.UniversalClient) bool { return one == client })
	c.mu.Unlock()
	return client.Close()
}

func (c *Conn) dial(p Purpose) redis.UniversalClient {
	o := c.options(p)
	switch t := c.target; t.kind {
	case sentinel:
		return redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: t.master, SentinelAddrs: t.addrs,
			SentinelUsername: t.sentinelUser, SentinelPassword: t.sentinelPassword,
			ClientName: o.ClientName, Username: o.Username, Password: o.Password, DB: o.DB, TLSConfig: o.TLSConfig,
			DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
			ContextTimeoutEnabled: o.ContextTimeoutEnabled, DialerRetries: o.DialerRetries,
			MaxRetries: o.MaxRetries, MinRetryBackoff: o.MinRetryBackoff, MaxRetryBackoff: o.MaxRetryBackoff,
			PoolSize: o.PoolSize, PoolTimeout: o.PoolTimeout, PipelinePoolSize: o.PipelinePoolSize,
			DisableIdentity: o.DisableIdentity,
		})
	case cluster:
		// MaxRedirects counts what a cluster's client tries again, failures too.
		return redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: t.addrs, MaxRedirects: redirects,
			ClientName: o.ClientName, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
			DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
			ContextTimeoutEnabled: o.ContextTimeoutEnabled, DialerRetries: o.DialerRetries,
			MinRetryBackoff: o.MinRetryBackoff, MaxRetryBackoff: o.MaxRetryBackoff,
			PoolSize: o.PoolSize, PoolTimeout: o.PoolTimeout, PipelinePoolSize: o.PipelinePoolSize,
			DisableIdentity: o.DisableIdentity, MaintNotificationsConfig: o.MaintNotificationsConfig,
		})
	default:
		return redis.NewClient(&o)
	}
}

// options are what the client of one server gets; the others take theirs from it.
func (c *Conn) options(p Purpose) redis.Options {
	t := c.target
	o := redis.Options{
		Addr: t.addrs[0], ClientName: c.name + "." + p.Name,
		Username: t.username, Password: t.password, DB: t.database,
		DialTimeout: p.Timeout, WriteTimeout: p.Timeout, ReadTimeout: p.Timeout, PoolTimeout: p.Timeout,
		ContextTimeoutEnabled: true,
		// One try to dial for each try of a command: their waits would multiply.
		DialerRetries: 1,
		MaxRetries:    p.Retries, MinRetryBackoff: firstWait, MaxRetryBackoff: longestWait,
		// Pipelines use the pool too, so that its size is what it says.
		PoolSize: p.Size, PipelinePoolSize: -1,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if p.Timeout == 0 {
		o.DialTimeout, o.WriteTimeout, o.ReadTimeout, o.PoolTimeout = Timeout, Timeout, Timeout, Timeout
	}
	if p.Block > 0 {
		o.ReadTimeout = p.Block + blockMargin
	}
	if p.Retries == 0 {
		o.MaxRetries = retries
	}
	if t.tls != nil {
		o.TLSConfig = t.tls.Clone()
	}
	return o
}

// Close ends every pool; commands that wait end with an error.
func (c *Conn) Close() error {
	c.mu.Lock()
	clients := c.clients
	c.clients, c.closed = nil, true
	c.mu.Unlock()
	var errs []error
	for _, client := range clients {
		errs = append(errs, client.Close())
	}
	return errors.Join(errs...)
}

// Failure turns an error of go-redis into the words of the contracts: a context
// that ended stays what it is, everything else is uptime.ErrUnavailable.
func Failure(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, uptime.ErrUnavailable):
		return err
	}
	return fmt.Errorf("%w: redis: %w", uptime.ErrUnavailable, err)
}
