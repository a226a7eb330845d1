package servers

import (
	"context"
	"os"
	"path/filepath"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// StartRedis starts a server in a folder. One that keeps writes every change
// down at once.
func StartRedis(ctx context.Context, dir string, keep bool) (*Server, error) {
	program, err := find("redis-server", "")
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if err := giveAway(dir); err != nil {
		return nil, err
	}
	port, err := FreePort(ctx)
	if err != nil {
		return nil, err
	}
	s := &Server{Name: "redis", dir: dir, port: port}
	appendOnly := "no"
	if keep {
		appendOnly = "yes"
	}
	s.command = func() []string {
		return []string{
			program, "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", dir, "--save", "",
			"--appendonly", appendOnly, "--appendfsync", "everysec", "--repl-diskless-sync-delay", "0",
			// A proxy in between connects one after the other: where a paused server's queue
			// of connections was full, all would wait for up to a minute after its pause.
			"--tcp-backlog", "4096",
		}
	}
	s.ready = func(ctx context.Context) error {
		c := s.Redis()
		defer func() { _ = c.Close() }()
		return c.Ping(ctx).Err()
	}
	return s, s.Start(ctx)
}

// Redis gives a client that tries once.
func (s *Server) Redis() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.Addr(), MaxRetries: -1, DialerRetries: 1})
}

// Forget removes what a Redis wrote down.
func (s *Server) Forget() error {
	return os.RemoveAll(filepath.Join(s.dir, "appendonlydir"))
}

// Promote lets a replica of Redis lead.
func (s *Server) Promote(ctx context.Context) error {
	c := s.Redis()
	defer func() { _ = c.Close() }()
	return c.ReplicaOf(ctx, "NO", "ONE").Err()
}
