package testenv

import (
	"context"
	"crypto/tls"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

func TestRedisRestartable(t *testing.T) {
	t.Parallel()
	address, p := RedisRestartable(t)
	require.Equal(t, "redis://"+p.Addr()+"/0", address)
	p.Do("SET", "key", "kept")
	p.Kill()
	require.Error(t, dialOnce(t.Context(), p.Addr()))
	p.Start()
	require.Equal(t, "kept", p.Do("GET", "key"))
	p.Stop()
	require.Error(t, dialOnce(t.Context(), p.Addr()))
	p.Start()
	require.Equal(t, "kept", p.Do("GET", "key"))

	p.Pause()
	client := redis.NewClient(&redis.Options{
		Addr: p.Addr(), MaxRetries: -1, DialerRetries: 1, ReadTimeout: 200 * time.Millisecond,
	})
	defer func() { require.NoError(t, client.Close()) }()
	require.Error(t, client.Ping(t.Context()).Err())
	p.Resume()
	require.NoError(t, await("an answer", func() error { return client.Ping(t.Context()).Err() }))
}

func TestRedisTLS(t *testing.T) {
	t.Parallel()
	address, err := url.Parse(RedisTLS(t))
	require.NoError(t, err)
	require.Equal(t, "rediss", address.Scheme)
	authority, err := os.ReadFile(address.Query().Get("tls_ca_file"))
	require.NoError(t, err)
	require.Contains(t, string(authority), "BEGIN CERTIFICATE")
	strict := redis.NewClient(&redis.Options{
		Addr: address.Host, MaxRetries: -1, DialerRetries: 1, TLSConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	})
	defer func() { require.NoError(t, strict.Close()) }()
	require.ErrorContains(t, strict.Ping(t.Context()).Err(), "certificate")
}

func TestRedisCluster(t *testing.T) {
	t.Parallel()
	address, masters := RedisCluster(t)
	addrs := strings.Split(strings.TrimPrefix(address, "redis+cluster://"), ",")
	require.Len(t, addrs, 3)
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs[:1]})
	defer func() { require.NoError(t, client.Close()) }()
	for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
		require.NoError(t, client.Set(t.Context(), key, key, 0).Err())
	}
	for _, m := range masters {
		size, ok := m.Do("DBSIZE").(int64)
		require.True(t, ok)
		require.Positive(t, size, "every master has a share")
	}
	require.ErrorContains(t, client.MGet(t.Context(), "a", "b").Err(), "CROSSSLOT")
}

func TestRedisSentinel(t *testing.T) {
	t.Parallel()
	s := RedisSentinel(t)
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: sentinelMaster, SentinelAddrs: s.addrs, SentinelPassword: sentinelSecret, Password: redisSecret,
	})
	defer func() { require.NoError(t, client.Close()) }()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	require.NoError(t, client.Set(ctx, "early", "kept", 0).Err())
	require.NoError(t, client.Do(ctx, "WAIT", 1, 10_000).Err())

	s.Switch()
	require.NoError(t, client.Set(ctx, "second", "kept", 0).Err())
	require.NoError(t, client.Do(ctx, "WAIT", 1, 10_000).Err())

	master := s.Master()
	s.CutReplication()
	require.NoError(t, client.Set(ctx, "last", "lost", 0).Err())
	s.KillMaster()
	require.NotSame(t, master, s.Master())
	require.NoError(t, await("the new master", func() error { return client.Set(ctx, "late", "kept", 0).Err() }))
	require.Equal(t, "kept", s.Master().Do("GET", "early"))
	require.Equal(t, "kept", s.Master().Do("GET", "second"))
	require.Nil(t, s.Master().Do("GET", "last"), "the promoted replica had missed it")
}
