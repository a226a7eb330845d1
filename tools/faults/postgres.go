package main

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"monitor/tools/servers"
)

// postgresConnections is how many connections a server takes.
const postgresConnections = 150

// startPostgres starts one that keeps what it committed over its own crash, as it
// must; a power cut is not played.
func startPostgres(ctx context.Context, template, dir string) (*servers.Server, error) {
	return servers.StartPostgres(ctx, template, dir, "fsync=off", "full_page_writes=off",
		"max_connections="+strconv.Itoa(postgresConnections), "shared_buffers=64MB")
}

// occupy takes all connections, ends those that others have, and returns when
// nobody else has one, nor will before release.
func (w *world) occupy(ctx context.Context) (release func(context.Context) error, err error) {
	const takers = 8
	url := w.postgres.PostgresURL("monitor") + "&application_name=" + occupier
	admin, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	taken, cancel := context.WithCancel(ctx)
	var taking sync.WaitGroup
	release = func(ctx context.Context) error {
		cancel()
		taking.Wait()
		return admin.Close(ctx)
	}
	for range takers {
		taking.Go(func() { takeConnections(taken, url) })
	}
	for all := false; !all; {
		if err = sleep(ctx, 20*time.Millisecond); err == nil {
			all, err = endOthers(ctx, admin)
		}
		if err != nil {
			return nil, errors.Join(err, release(ctx))
		}
	}
	return release, nil
}

const occupier = "occupier"

// takeConnections opens connections, as many as there are, until the context ends.
func takeConnections(ctx context.Context, url string) {
	var mine []*pgx.Conn
	for ctx.Err() == nil {
		conn, err := pgx.Connect(ctx, url)
		if err == nil {
			mine = append(mine, conn)
			continue
		}
		_ = sleep(ctx, 5*time.Millisecond) // all are taken, or it is over
	}
	for _, conn := range mine {
		_ = conn.Close(context.WithoutCancel(ctx)) // it is given back either way
	}
}

// endOthers ends the connections of all but the occupiers and reports whether these
// have all.
func endOthers(ctx context.Context, admin *pgx.Conn) (all bool, err error) {
	err = admin.QueryRow(ctx, `SELECT count(CASE WHEN application_name <> $1 THEN pg_terminate_backend(pid) END) = 0
			AND count(*) FILTER (WHERE application_name = $1) >= current_setting('max_connections')::int
		FROM pg_stat_activity WHERE backend_type = 'client backend'`, occupier).Scan(&all)
	return all, err
}

// lockTables lets every transaction of the program wait, so that all connections
// of its pools are taken.
func (w *world) lockTables(ctx context.Context) (release func(context.Context) error, err error) {
	conn, err := pgx.Connect(ctx, w.postgres.PostgresURL("monitor"))
	if err != nil {
		return nil, err
	}
	// A deadlock with the program may end either of the two.
	const tries = 10
	for range tries {
		if _, err = conn.Exec(ctx, `BEGIN; LOCK TABLE users, api_tokens, refresh_tokens, monitors, monitor_states, deliveries IN ACCESS EXCLUSIVE MODE`); err == nil {
			return conn.Close, nil
		}
		if _, err := conn.Exec(ctx, `ROLLBACK`); err != nil {
			return nil, errors.Join(err, conn.Close(ctx))
		}
	}
	return nil, errors.Join(err, conn.Close(ctx))
}

// rollbacks counts the transactions of the program that did not commit.
func (w *world) rollbacks(ctx context.Context) (n int, err error) {
	conn, err := pgx.Connect(ctx, w.postgres.PostgresURL("postgres"))
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(ctx) }()
	err = conn.QueryRow(ctx, `SELECT xact_rollback FROM pg_stat_database WHERE datname = 'monitor'`).Scan(&n)
	return n, err
}
