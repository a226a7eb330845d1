package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// startRedis starts a server in a folder. One that keeps writes every change
// down at once.
func startRedis(ctx context.Context, dir string, keep bool) (*server, error) {
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
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	s := &server{name: "redis", dir: dir, port: port}
	appendOnly := "no"
	if keep {
		appendOnly = "yes"
	}
	s.command = func() []string {
		return []string{
			program, "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", dir, "--save", "",
			"--appendonly", appendOnly, "--appendfsync", "everysec", "--repl-diskless-sync-delay", "0",
			// The proxy connects one after the other: where a paused server's queue of
			// connections was full, all would wait for up to a minute after its pause.
			"--tcp-backlog", "4096",
		}
	}
	s.ready = func(ctx context.Context) error {
		c := s.redis()
		defer func() { _ = c.Close() }()
		return c.Ping(ctx).Err()
	}
	return s, s.start(ctx)
}

// redis gives a client past the proxy.
func (s *server) redis() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.addr(), MaxRetries: -1, DialerRetries: 1})
}

// forget removes what it wrote down.
func (s *server) forget() error {
	return os.RemoveAll(filepath.Join(s.dir, "appendonlydir"))
}

// replica starts a server that follows the scenario's by a way of its own, and
// waits until it has what the other has.
func (w *world) replica(ctx context.Context) (*server, *link, error) {
	heir, err := startRedis(ctx, filepath.Join(w.dir, "heir"), true)
	if err != nil {
		return nil, nil, err
	}
	w.onClose(func() { heir.stop(syscall.SIGKILL) })
	way, err := newLink("replication", w.redis.addr())
	if err != nil {
		return nil, nil, err
	}
	w.onClose(way.cut)
	host, port, ok := strings.Cut(way.addr(), ":")
	if !ok {
		return nil, nil, errors.New("the way to follow has no port")
	}
	c := heir.redis()
	defer func() { _ = c.Close() }()
	if err := c.ReplicaOf(ctx, host, port).Err(); err != nil {
		return nil, nil, err
	}
	_, err = w.eventually(ctx, 20*time.Second, "the replica follows", func() bool {
		text, err := c.Info(ctx, "replication").Result()
		return err == nil && strings.Contains(text, "master_link_status:up")
	})
	return heir, way, err
}

// promote lets a replica lead.
func (s *server) promote(ctx context.Context) error {
	c := s.redis()
	defer func() { _ = c.Close() }()
	return c.ReplicaOf(ctx, "NO", "ONE").Err()
}
