package queue

import (
	"context"
	_ "embed"
	"strings"

	"github.com/redis/go-redis/v9"

	"monitor/modules/redisconn"
)

// The sources of the scripts: each is one step that no other one interrupts.
var (
	//go:embed lua/prelude.lua
	preludeSource string
	//go:embed lua/add.lua
	addSource string
	//go:embed lua/publish.lua
	publishSource string
	//go:embed lua/push.lua
	pushSource string
	//go:embed lua/raise.lua
	raiseSource string
	//go:embed lua/take.lua
	takeSource string
	//go:embed lua/ack.lua
	ackSource string
	//go:embed lua/renew.lua
	renewSource string
	//go:embed lua/depth.lua
	depthSource string
	//go:embed lua/shrink.lua
	shrinkSource string
	//go:embed lua/sweep.lua
	sweepSource string
)

// script is a source and the name that a server knows it by.
type script struct {
	source, hash string
	// once: it is not sent again when its answer is lost, for what it handed out
	// would then be leased to nobody.
	once bool
}

func newScript(sources ...string) script {
	source := strings.Join(sources, "\n")
	return script{source: source, hash: redis.NewScript(source).Hash()}
}

type scripts struct {
	publish, push, raise, take, ack, renew, depth, shrink, sweep script
}

func newScripts() scripts {
	s := scripts{
		publish: newScript(preludeSource, addSource, publishSource),
		push:    newScript(preludeSource, addSource, pushSource),
		raise:   newScript(raiseSource),
		take:    newScript(preludeSource, takeSource),
		ack:     newScript(ackSource),
		renew:   newScript(preludeSource, renewSource),
		depth:   newScript(preludeSource, depthSource),
		shrink:  newScript(preludeSource, shrinkSource),
		sweep:   newScript(sweepSource),
	}
	s.take.once = true
	return s
}

// call is one run of a script, with keys of one partition.
type call struct {
	keys []string
	args []any
}

// once is a command that go-redis must not repeat.
type once struct{ *redis.Cmd }

// NoRetry is asked by go-redis.
func (once) NoRetry() bool { return true }

// run runs the script for each call, all in one round trip where there is one
// server, within redisconn.Timeout. Each command has its own error. A server that
// does not know the script is sent its source.
func (q *Redis) run(ctx context.Context, s script, calls []call) []*redis.Cmd {
	ctx, cancel := context.WithTimeout(ctx, redisconn.Timeout)
	defer cancel()
	cmds := make([]*redis.Cmd, len(calls))
	which := make([]int, len(calls))
	for i := range which {
		which[i] = i
	}
	q.send(ctx, s, "evalsha", s.hash, calls, which, cmds)
	var unknown []int
	for i, cmd := range cmds {
		if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
			unknown = append(unknown, i)
		}
	}
	if len(unknown) > 0 {
		q.send(ctx, s, "eval", s.source, calls, unknown, cmds)
	}
	return cmds
}

// send pipelines those calls whose indexes are given.
func (q *Redis) send(ctx context.Context, s script, verb, text string, calls []call, which []int, cmds []*redis.Cmd) {
	pipe := q.client.Pipeline()
	for _, i := range which {
		c := calls[i]
		args := make([]any, 0, 3+len(c.keys)+len(c.args))
		args = append(args, verb, text, len(c.keys))
		for _, key := range c.keys {
			args = append(args, key)
		}
		cmds[i] = redis.NewCmd(ctx, append(args, c.args...)...)
		if s.once {
			_ = pipe.Process(ctx, once{cmds[i]}) // queued, not sent
		} else {
			_ = pipe.Process(ctx, cmds[i]) // likewise
		}
	}
	_, _ = pipe.Exec(ctx) // each command has its error
}
