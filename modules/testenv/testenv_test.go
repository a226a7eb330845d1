package testenv

import (
	"bufio"
	"context"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// holderEnv makes this test binary start servers, print their addresses and wait
// to be killed.
const holderEnv = "MONITOR_TESTENV_HOLDER"

func TestMain(m *testing.M) {
	if os.Getenv(holderEnv) != "" {
		if err := holdServers(); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

func TestPostgres(t *testing.T) {
	t.Parallel()

	t.Run("EachTestHasADatabaseOfItsOwn", func(t *testing.T) {
		t.Parallel()
		first, second := connect(t, Postgres(t)), connect(t, Postgres(t))

		_, err := first.Exec(t.Context(), "CREATE TABLE things (id int)")
		require.NoError(t, err)

		var found bool
		const exists = "SELECT to_regclass('things') IS NOT NULL"
		require.NoError(t, first.QueryRow(t.Context(), exists).Scan(&found))
		require.True(t, found)
		require.NoError(t, second.QueryRow(t.Context(), exists).Scan(&found))
		require.False(t, found)
	})

	t.Run("DatabaseIsDroppedDespiteOpenConnections", func(t *testing.T) {
		t.Parallel()
		var address string
		var held *pgx.Conn
		t.Run("User", func(user *testing.T) {
			address = Postgres(user)
			held = connect(t, address) // closed with the outer test, after the drop
		})
		require.Error(t, held.Ping(t.Context()))
		_, err := pgx.Connect(t.Context(), address)
		require.ErrorContains(t, err, "does not exist")
	})
}

func TestRedis(t *testing.T) {
	t.Parallel()

	t.Run("EachTestHasADatabaseOfItsOwn", func(t *testing.T) {
		t.Parallel()
		first, second := dial(t, Redis(t)), dial(t, Redis(t))
		require.NoError(t, first.Set(t.Context(), "key", "value", 0).Err())
		require.ErrorIs(t, second.Get(t.Context(), "key").Err(), redis.Nil)
	})

	t.Run("OwnServerCanBeKilled", func(t *testing.T) {
		t.Parallel()
		address, kill := RedisServer(t)
		client := dial(t, address)
		require.NoError(t, client.Ping(t.Context()).Err())
		kill()
		require.Error(t, client.Ping(t.Context()).Err())
	})
}

func TestChromium(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), Chromium(t), "--version").Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "Chrom")
}

func TestMissingBinaryNamesThePackage(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	missing := binary{names: []string{"no-such-server"}, pattern: filepath.Join(empty, "*"), pkg: "some-package"}
	_, err := missing.find()
	require.EqualError(t, err, "no-such-server is not in PATH or "+filepath.Join(empty, "*")+
		"; these tests need it: install the Debian package some-package")
}

func TestNewestPostgresIsTaken(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, version := range []string{"9", "15", "17"} {
		dir := filepath.Join(root, version, "bin")
		require.NoError(t, os.MkdirAll(dir, 0o755))
		if version != "17" { // a folder without the program is passed over
			require.NoError(t, os.WriteFile(filepath.Join(dir, "postgres"), []byte("#!/bin/sh\n"), 0o755))
		}
	}
	path, err := binary{names: []string{"postgres"}, pattern: filepath.Join(root, "*", "bin"), pkg: "postgresql"}.find()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(root, "15", "bin", "postgres"), path)
}

func TestServerThatEndsWhileStartingShowsItsLog(t *testing.T) {
	t.Parallel()
	_, err := startServer(recipe{
		name: "broken", signal: "KILL", ready: "never",
		command: func(string, int) []string { return []string{"sh", "-c", "echo wrong setting; exit 3"} },
	})
	require.ErrorContains(t, err, "start broken: it ended while starting; its log:\nwrong setting")
}

func TestTakenPortIsTriedAgain(t *testing.T) {
	t.Parallel()
	starts := 0
	s, err := startServer(recipe{
		name: "late", signal: "KILL", ready: "ready now",
		command: func(string, int) []string {
			starts++
			if starts < 3 {
				return []string{"sh", "-c", "echo Address already in use; exit 1"}
			}
			return []string{"sh", "-c", "echo ready now; exec cat /dev/zero >/dev/null"}
		},
	})
	require.NoError(t, err)
	s.stop()
	require.Equal(t, 3, starts)
	require.NoDirExists(t, s.dir)
}

// TestServersEndWithAKilledProcess starts this binary again, lets it start both
// servers, kills it without warning and waits until they no longer answer.
func TestServersEndWithAKilledProcess(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), holderEnv+"=1")
	cmd.Stderr = os.Stderr
	hold, err := cmd.StdinPipe()
	require.NoError(t, err)
	defer func() { _ = hold.Close() }()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())

	var dirs, urls []string
	lines := bufio.NewScanner(out)
	for len(urls) < 2 && lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), "server "); ok {
			address, dir, _ := strings.Cut(rest, " ")
			urls, dirs = append(urls, address), append(dirs, dir)
		}
	}
	require.Len(t, urls, 2, "the holder did not start its servers")
	for _, address := range urls {
		require.NoError(t, probe(t, address))
	}

	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())

	for i, address := range urls {
		require.Eventually(t, func() bool {
			_, statErr := os.Stat(dirs[i])
			return probe(t, address) != nil && os.IsNotExist(statErr)
		}, 30*time.Second, 20*time.Millisecond, "%s outlived its process", address)
	}
}

// holdServers is the other process of TestServersEndWithAKilledProcess: it ends
// only by being killed.
func holdServers() error {
	postgres, err := startPostgres()
	if err != nil {
		return err
	}
	cache, err := startRedis()
	if err != nil {
		return err
	}
	_, err = os.Stdout.WriteString("server " + postgres.postgresURL("postgres") + " " + postgres.dir + "\n" +
		"server " + cache.redisURL(0) + " " + cache.dir + "\n")
	if err != nil {
		return err
	}
	_, err = os.Stdin.Read(make([]byte, 1))
	return err
}

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func dial(t *testing.T, address string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(address)
	require.NoError(t, err)
	options.MaxRetries = -1
	options.DialerRetries = 1
	client := redis.NewClient(options)
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

// probe says whether something takes connections at the address.
func probe(t *testing.T, address string) error {
	t.Helper()
	parsed, err := url.Parse(address)
	require.NoError(t, err)
	return dialOnce(t.Context(), parsed.Host)
}

func dialOnce(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		return err
	}
	return conn.Close()
}
