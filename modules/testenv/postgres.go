package testenv

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	postgresUser     = "monitor"
	statementTimeout = 30 * time.Second
)

// The shared servers belong to the process, as a test's database outlives no
// process either: this is why they are the package's variables.
var (
	sharedPostgres = sync.OnceValues(func() (*server, error) { return startPostgres() })
	databases      atomic.Int64
)

// Postgres returns the URL of a new, empty database that is dropped when the test
// ends, connections or not. Safe for parallel tests.
func Postgres(tb testing.TB) string {
	tb.Helper()
	s, err := sharedPostgres()
	if err != nil {
		tb.Fatal(err)
	}
	name := "test_" + strconv.FormatInt(databases.Add(1), 10)
	if err := s.admin("CREATE DATABASE " + name); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.admin("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			tb.Error(err)
		}
	})
	return s.postgresURL(name)
}

func (s *server) postgresURL(database string) string {
	return s.url("postgres", postgresUser, "/"+database+"?sslmode=disable")
}

func (s *server) admin(statement string) error { return s.run("postgres", statement) }

func (s *server) run(database, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.postgresURL(database))
	if err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

func startPostgres() (*server, error) {
	program, err := postgresProgram("postgres").find()
	if err != nil {
		return nil, err
	}
	return startServer(recipe{
		name:    "postgres",
		signal:  "QUIT", // immediate shutdown: no checkpoint, shared memory freed
		ready:   "database system is ready to accept connections",
		prepare: copyCluster,
		command: func(dir string, port int) []string {
			return []string{
				program, "-D", clusterDir(dir), "-p", strconv.Itoa(port),
				"-c", "listen_addresses=127.0.0.1",
				"-c", "unix_socket_directories=" + dir,
				// Nothing of a test has to survive a power cut.
				"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
				"-c", "max_connections=300",
				"-c", "shared_buffers=64MB",
				"-c", "timezone=UTC",
			}
		},
	})
}
