package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"monitor/tools/servers"
)

// replica starts a server that follows the scenario's by a way of its own, and
// waits until it has what the other has.
func (w *world) replica(ctx context.Context) (*servers.Server, *link, error) {
	heir, err := servers.StartRedis(ctx, filepath.Join(w.dir, "heir"), true)
	if err != nil {
		return nil, nil, err
	}
	w.onClose(func() { heir.Stop(syscall.SIGKILL) })
	way, err := newLink("replication", w.redis.Addr())
	if err != nil {
		return nil, nil, err
	}
	w.onClose(way.cut)
	host, port, ok := strings.Cut(way.addr(), ":")
	if !ok {
		return nil, nil, errors.New("the way to follow has no port")
	}
	c := heir.Redis()
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
