package deploycheck

import (
	"context"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// account is who PostgreSQL runs as: it refuses root. nil: whoever tests.
func account(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	require.NoError(t, err)
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	require.NoError(t, err)
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	require.NoError(t, err)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// folder is an empty one of that account's; the testing package's own cannot be
// reached by others.
func folder(t *testing.T, as *syscall.Credential) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "deploycheck-")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	if as != nil {
		require.NoError(t, os.Chown(dir, int(as.Uid), int(as.Gid)))
	}
	return dir
}

// find looks for a program in Debian's versioned folder of PostgreSQL, then in PATH.
func find(t *testing.T, name string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("/usr/lib/postgresql/*/bin", name))
	require.NoError(t, err)
	if len(found) > 0 {
		return found[len(found)-1]
	}
	path, err := exec.LookPath(name)
	require.NoError(t, err, "`make setup` brings it")
	return path
}

// startPostgres starts a server with user, password, database and options of
// compose.yaml, and gives its address.
func startPostgres(ctx context.Context, t *testing.T, s types.ServiceConfig) string {
	t.Helper()
	as := account(t)
	dir := folder(t, as)
	data, words := filepath.Join(dir, "data"), filepath.Join(dir, "password")
	name, password := *s.Environment["POSTGRES_USER"], *s.Environment["POSTGRES_PASSWORD"]
	require.NoError(t, os.WriteFile(words, []byte(password+"\n"), 0o600))
	if as != nil {
		require.NoError(t, os.Chown(words, int(as.Uid), int(as.Gid)))
	}
	initdb := exec.CommandContext(ctx, find(t, "initdb"), "-D", data, "-U", name, "-A", "scram-sha-256", "--pwfile", words,
		"-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	initdb.Dir, initdb.SysProcAttr = dir, &syscall.SysProcAttr{Credential: as}
	out, err := initdb.CombinedOutput()
	require.NoError(t, err, string(out))

	address := freeAddress(t)
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	require.Equal(t, "postgres", s.Command[0])
	args := append([]string{find(t, "postgres")}, s.Command[1:]...)
	// Less memory than on a machine of its own, and nothing has to survive.
	args = append(args, "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+dir,
		"-c", "shared_buffers=64MB", "-c", "fsync=off", "-c", "full_page_writes=off")
	p := start(t, "postgres", dir, plainEnvironment(), as, args...)
	url := func(database string) string {
		return "postgres://" + name + ":" + password + "@" + address + "/" + database + "?sslmode=disable"
	}
	p.await(ctx, t, "ready", func() error {
		conn, err := pgx.Connect(ctx, url("postgres"))
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(ctx) }()
		_, err = conn.Exec(ctx, "CREATE DATABASE "+*s.Environment["POSTGRES_DB"])
		return err
	})
	return address
}

// startRedis starts a server with deploy/redis.conf and the password of compose.yaml.
func startRedis(ctx context.Context, t *testing.T, s types.ServiceConfig) string {
	t.Helper()
	dir := folder(t, nil)
	require.Contains(t, strings.Join(s.Command, " "), "include /etc/redis/redis.conf")
	address := freeAddress(t)
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	password := *s.Environment["REDIS_PASSWORD"]
	own := filepath.Join(dir, "own.conf")
	// The server goes to each folder that it reads the name of.
	config := strings.Replace(read(t, "deploy", "redis.conf"), "\ndir /data\n", "\ndir "+dir+"\n", 1)
	require.Contains(t, config, dir)
	require.NoError(t, os.WriteFile(own, []byte(config+"requirepass "+password+"\nport "+port+"\nbind 127.0.0.1\n"), 0o600))
	p := start(t, "redis", dir, plainEnvironment(), nil, find(t, "redis-server"), own)
	client := redis.NewClient(&redis.Options{Addr: address, Password: password, MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	p.await(ctx, t, "listening", func() error { // the client would log each failure
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	p.await(ctx, t, "ready", func() error { return client.Ping(ctx).Err() })
	// It never drops keys by itself: the program would not notice.
	policy, err := client.ConfigGet(ctx, "maxmemory-policy").Result()
	require.NoError(t, err)
	require.Equal(t, "noeviction", policy["maxmemory-policy"])
	kept, err := client.ConfigGet(ctx, "appendonly").Result()
	require.NoError(t, err)
	require.Equal(t, "yes", kept["appendonly"])
	return address
}
