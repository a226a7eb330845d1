package servers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/jackc/pgx/v5"
)

const postgresFolders = "/usr/lib/postgresql/*/bin"

// InitPostgres makes a cluster for StartPostgres to copy.
func InitPostgres(ctx context.Context, dir string) error {
	program, err := find("initdb", postgresFolders)
	if err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := giveAway(dir); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program,
		"-D", filepath.Join(dir, "data"), "-U", "monitor", "-A", "trust",
		"-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	cmd.Dir, cmd.SysProcAttr = dir, Child(true)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// StartPostgres copies the cluster of InitPostgres and starts a server on it, with
// an empty database "monitor". settings are more of its own, name=value.
func StartPostgres(ctx context.Context, template, dir string, settings ...string) (*Server, error) {
	program, err := find("postgres", postgresFolders)
	if err != nil {
		return nil, err
	}
	if err := os.CopyFS(dir, os.DirFS(template)); err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	if err := os.Chmod(data, 0o700); err != nil {
		return nil, err
	}
	if err := giveAway(dir); err != nil {
		return nil, err
	}
	port, err := FreePort(ctx)
	if err != nil {
		return nil, err
	}
	s := &Server{Name: "postgres", dir: dir, port: port}
	s.command = func() []string {
		args := []string{
			program, "-D", data, "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1",
			"-c", "unix_socket_directories=" + dir, "-c", "timezone=UTC",
		}
		for _, setting := range settings {
			args = append(args, "-c", setting)
		}
		return args
	}
	s.ready = func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, s.PostgresURL("postgres"))
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	}
	if err := s.Start(ctx); err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, s.PostgresURL("postgres"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, "CREATE DATABASE monitor")
	return s, err
}

// PostgresURL is the address of one of its databases.
func (s *Server) PostgresURL(database string) string {
	return "postgres://monitor@" + s.Addr() + "/" + database + "?sslmode=disable"
}
