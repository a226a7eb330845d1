package testenv

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	sentinelMaster = "main"
	sentinels      = 3
	redisSecret    = "secret-of-redis"
	sentinelSecret = "secret-of-sentinel"
	// sentinelDownAfter is short, so that tests are; a busy machine may then see
	// a failover that it should not, which is what such a machine does in life.
	sentinelDownAfter = 1500 * time.Millisecond
)

// Sentinel is a master with one replica, watched by three sentinels. Servers and
// sentinels ask for passwords. Its methods fail the test and are for one
// goroutine at a time.
type Sentinel struct {
	URL   string // for redis.url
	tb    testing.TB
	addrs []string // of the sentinels
	nodes []*RedisProcess
}

// RedisSentinel starts one for this test alone.
func RedisSentinel(tb testing.TB) *Sentinel {
	tb.Helper()
	s := &Sentinel{tb: tb}
	master := newRedisProcess(tb, s.nodeArgs()...)
	replica := newRedisProcess(tb, append(s.nodeArgs(), "--replicaof", "127.0.0.1 "+strconv.Itoa(master.port))...)
	s.nodes = []*RedisProcess{master, replica}
	s.awaitInSync(replica)
	for range sentinels {
		watcher, err := startSentinel(master.port)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(watcher.stop)
		s.addrs = append(s.addrs, net.JoinHostPort("127.0.0.1", strconv.Itoa(watcher.port)))
	}
	for _, addr := range s.addrs {
		if err := await("the sentinels", func() error { return s.ready(addr) }); err != nil {
			tb.Fatal(err)
		}
	}
	s.URL = fmt.Sprintf("redis+sentinel://:%s@%s/%s/0?sentinel_password=%s",
		redisSecret, strings.Join(s.addrs, ","), sentinelMaster, sentinelSecret)
	return s
}

func (s *Sentinel) nodeArgs() []string {
	return []string{
		"--requirepass", redisSecret, "--masterauth", redisSecret, "--repl-diskless-sync-delay", "0",
		"--repl-ping-replica-period", "1", "--appendonly", "no", "--save", "",
	}
}

// startSentinel starts one. It writes into its settings file.
func startSentinel(master int) (*server, error) {
	program, err := redisServer().find()
	if err != nil {
		return nil, err
	}
	return startServer(recipe{
		name: "sentinel", signal: "KILL", ready: "+monitor master " + sentinelMaster,
		prepare: func(dir string) error {
			text := fmt.Sprintf("sentinel monitor %[1]s 127.0.0.1 %[2]d 2\nsentinel auth-pass %[1]s %[3]s\n"+
				"sentinel down-after-milliseconds %[1]s %[4]d\nsentinel failover-timeout %[1]s 2000\n"+
				"requirepass %[5]s\nsentinel sentinel-pass %[5]s\n",
				sentinelMaster, master, redisSecret, sentinelDownAfter.Milliseconds(), sentinelSecret)
			path := filepath.Join(dir, "sentinel.conf")
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				return err
			}
			return giveAway(dir)
		},
		command: func(dir string, port int) []string {
			return []string{
				program, filepath.Join(dir, "sentinel.conf"), "--sentinel",
				"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir,
			}
		},
	})
}

// ready asks whether a sentinel knows the replica and the other sentinels: none
// of them would fail over before that.
func (s *Sentinel) ready(addr string) error {
	return s.ask(addr, func(ctx context.Context, c *redis.SentinelClient) error {
		state, err := c.Master(ctx, sentinelMaster).Result()
		if err != nil {
			return err
		}
		if state["num-slaves"] != "1" || state["num-other-sentinels"] != strconv.Itoa(sentinels-1) || state["flags"] != "master" {
			return fmt.Errorf("%s knows %s replicas and %s other sentinels, and the master as %s",
				addr, state["num-slaves"], state["num-other-sentinels"], state["flags"])
		}
		replicas, err := c.Replicas(ctx, sentinelMaster).Result()
		if err != nil {
			return err
		}
		if replicas[0]["flags"] != "slave" || replicas[0]["master-link-status"] != "ok" {
			return fmt.Errorf("%s knows the replica as %s, linked %s", addr, replicas[0]["flags"], replicas[0]["master-link-status"])
		}
		return nil
	})
}

func (s *Sentinel) ask(addr string, question func(context.Context, *redis.SentinelClient) error) error {
	client := redis.NewSentinelClient(&redis.Options{Addr: addr, Password: sentinelSecret, MaxRetries: -1, DialerRetries: 1})
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), commandTimeout)
	defer cancel()
	return question(ctx, client)
}

func (s *Sentinel) awaitInSync(replica *RedisProcess) {
	s.tb.Helper()
	if err := await("the replica", func() error { return replica.says("master_link_status:up") }); err != nil {
		s.tb.Fatal(err)
	}
}

// says asks whether a server speaks so of its replication.
func (p *RedisProcess) says(text string) error {
	info, err := p.try("INFO", "replication")
	if err != nil {
		return err
	}
	if said, _ := info.(string); !strings.Contains(said, text) {
		return fmt.Errorf("it does not say %s: %s", text, said)
	}
	return nil
}

// Master is the server that the sentinels take for the master, and Replica the
// other one.
func (s *Sentinel) Master() *RedisProcess {
	s.tb.Helper()
	master, _ := s.roles()
	return master
}

// Replica is the server that is not the master.
func (s *Sentinel) Replica() *RedisProcess {
	s.tb.Helper()
	_, replica := s.roles()
	return replica
}

func (s *Sentinel) roles() (master, replica *RedisProcess) {
	s.tb.Helper()
	var addr string
	err := s.ask(s.addrs[0], func(ctx context.Context, c *redis.SentinelClient) error {
		found, err := c.GetMasterAddrByName(ctx, sentinelMaster).Result()
		if err == nil {
			addr = net.JoinHostPort(found[0], found[1])
		}
		return err
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	if addr == s.nodes[0].Addr() {
		return s.nodes[0], s.nodes[1]
	}
	return s.nodes[1], s.nodes[0]
}

// KillMaster kills the master and returns when the replica is master.
func (s *Sentinel) KillMaster() {
	s.tb.Helper()
	old := s.Master()
	old.Kill()
	s.AwaitMaster(old)
}

// Switch lets master and replica change places, both of them alive: who stays
// connected to the old master hears READONLY. It returns when it is done.
func (s *Sentinel) Switch() {
	s.tb.Helper()
	old := s.Master()
	err := s.ask(s.addrs[0], func(ctx context.Context, c *redis.SentinelClient) error {
		return c.Failover(ctx, sentinelMaster).Err()
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	s.AwaitMaster(old)
	s.awaitInSync(old)
}

// CutReplication makes the replica miss every write from now on, so that one that
// is promoted within the next ten seconds lacks the last of them.
func (s *Sentinel) CutReplication() {
	s.tb.Helper()
	master, replica := s.roles()
	replica.Do("CONFIG", "SET", "masterauth", "wrong")
	master.Do("CLIENT", "KILL", "TYPE", "replica")
}

// AwaitMaster returns when another server than old is master, by its own word and
// that of all sentinels.
func (s *Sentinel) AwaitMaster(old *RedisProcess) {
	s.tb.Helper()
	next := s.nodes[0]
	if next == old {
		next = s.nodes[1]
	}
	for _, addr := range s.addrs {
		err := await("another master", func() error {
			return s.ask(addr, func(ctx context.Context, c *redis.SentinelClient) error {
				found, err := c.GetMasterAddrByName(ctx, sentinelMaster).Result()
				if err == nil && net.JoinHostPort(found[0], found[1]) != next.Addr() {
					return fmt.Errorf("it is still %v", found)
				}
				return err
			})
		})
		if err != nil {
			s.tb.Fatal(err)
		}
	}
	if err := await("the new master", func() error { return next.says("role:master") }); err != nil {
		s.tb.Fatal(err)
	}
}
