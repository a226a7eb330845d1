package testenv

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// slots of a cluster, fixed by its protocol.
const slots = 16384

// RedisCluster starts a cluster of three masters for this test alone and returns
// its address for redis.url, and the masters. They keep what they hold through
// Kill and Start; while one is away its third of the keys is.
func RedisCluster(tb testing.TB) (url string, masters []*RedisProcess) {
	tb.Helper()
	var addrs []string
	for range 3 {
		bus, err := steadyPort()
		if err != nil {
			tb.Fatal(err)
		}
		m := newRedisProcess(tb, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus),
			"--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "no",
			"--appendonly", "yes", "--appendfsync", "always", "--save", "")
		masters, addrs = append(masters, m), append(addrs, m.Addr())
		low, high := (len(masters)-1)*slots/3, len(masters)*slots/3-1
		m.Do("CLUSTER", "ADDSLOTSRANGE", low, high)
		m.Do("CLUSTER", "SET-CONFIG-EPOCH", len(masters))
		if len(masters) > 1 {
			m.Do("CLUSTER", "MEET", "127.0.0.1", masters[0].port, busPort(masters[0]))
		}
	}
	for _, m := range masters {
		if err := await("the cluster", m.joined); err != nil {
			tb.Fatal(err)
		}
	}
	return "redis+cluster://" + strings.Join(addrs, ","), masters
}

func busPort(p *RedisProcess) string {
	for i, arg := range p.args {
		if arg == "--cluster-port" {
			return p.args[i+1]
		}
	}
	return ""
}

// joined asks whether this master knows who has each slot.
func (p *RedisProcess) joined() error {
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	client := redis.NewClient(&redis.Options{Addr: p.Addr()})
	defer func() { _ = client.Close() }()
	info, err := client.ClusterInfo(ctx).Result()
	if err != nil {
		return err
	}
	shards, err := client.ClusterShards(ctx).Result()
	if err != nil {
		return err
	}
	if !strings.Contains(info, "cluster_state:ok") || len(shards) != 3 {
		return fmt.Errorf("%d shards are known, state: %s", len(shards), info)
	}
	for _, s := range shards {
		if len(s.Slots) == 0 || len(s.Nodes) == 0 || s.Nodes[0].IP == "" {
			return errors.New("a shard has no slots or no master with an address")
		}
	}
	return nil
}
