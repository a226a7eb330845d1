package testenv

import (
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// redisDatabases bounds the tests of one process that ask for a database.
const redisDatabases = 4096

var (
	sharedRedis = sync.OnceValues(func() (*server, error) { return startRedis() })
	redisTaken  atomic.Int64
)

// Redis returns the URL of an empty database of the process's shared server.
// Databases share Pub/Sub, scripts and FLUSHALL; a test that uses those takes
// RedisServer. Safe for parallel tests.
func Redis(tb testing.TB) string {
	tb.Helper()
	s, err := sharedRedis()
	if err != nil {
		tb.Fatal(err)
	}
	n := redisTaken.Add(1) - 1
	if n >= redisDatabases {
		tb.Fatalf("more than %d tests asked for a Redis database", redisDatabases)
	}
	return s.redisURL(n)
}

// RedisServer starts a server for this test alone and returns its URL and a
// function that kills it at once, as a crash would: its data is gone. It is
// killed anyway when the test ends.
func RedisServer(tb testing.TB) (url string, kill func()) {
	tb.Helper()
	s, err := startRedis()
	if err != nil {
		tb.Fatal(err)
	}
	kill = sync.OnceFunc(s.stop)
	tb.Cleanup(kill)
	return s.redisURL(0), kill
}

func (s *server) redisURL(database int64) string {
	return s.url("redis", "", fmt.Sprintf("/%d", database))
}

func startRedis() (*server, error) {
	program, err := redisServer().find()
	if err != nil {
		return nil, err
	}
	return startServer(recipe{
		name:   "redis",
		signal: "KILL",
		ready:  "Ready to accept connections",
		command: func(dir string, port int) []string {
			return []string{
				program, "--port", strconv.Itoa(port), "--bind", "127.0.0.1",
				"--dir", dir, "--save", "", "--appendonly", "no",
				"--databases", strconv.Itoa(redisDatabases),
			}
		},
	})
}
