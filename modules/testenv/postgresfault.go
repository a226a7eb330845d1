package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// faultDatabase is the one database of a server for fault tests.
const faultDatabase = "monitor"

// keeper removes the data of a server that is started several times, whose own
// guards must leave it. It waits for the server, so that no file comes anew behind
// its back.
const keeperScript = `trap 'i=0; while [ -e data/postmaster.pid ] && [ $i -lt 20 ]; do sleep 0.05; i=$((i+1)); done; exit' TERM
while :; do sleep 1 & wait $!; done`

// PostgresServer is a server for one test, to be stopped, killed, paused and
// started again on the same port with the same data. What it acknowledged
// survives Kill. Its methods fail the test when they cannot do what they say;
// they must not be called concurrently.
type PostgresServer struct {
	tb      testing.TB
	data    *server // the keeper
	port    int
	running *server // nil while stopped
	program string
}

// PostgresRestartable starts a server with one empty database. It is ended when
// the test ends, in whatever state it is.
func PostgresRestartable(tb testing.TB) *PostgresServer {
	tb.Helper()
	p := newPostgresServer(tb, copyCluster)
	p.Start()
	p.Exec("postgres", "CREATE DATABASE "+faultDatabase)
	return p
}

// PostgresReplica starts a primary with one empty database and a server that
// follows it by streaming. The replica takes reads only until it is promoted.
func PostgresReplica(tb testing.TB) (primary, replica *PostgresServer) {
	tb.Helper()
	primary = PostgresRestartable(tb)
	replica = newPostgresServer(tb, func(dir string) error { return baseBackup(dir, primary.port) })
	replica.Start()
	return primary, replica
}

func newPostgresServer(tb testing.TB, prepare func(dir string) error) *PostgresServer {
	tb.Helper()
	program, err := postgresProgram("postgres").find()
	if err != nil {
		tb.Fatal(err)
	}
	keeper, err := startServer(recipe{
		name: "postgres-data", signal: "TERM", ready: "kept", prepare: prepare,
		command: func(string, int) []string { return []string{"sh", "-c", "echo kept; " + keeperScript} },
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(keeper.stop)
	p := &PostgresServer{tb: tb, data: keeper, port: keeper.port, program: program}
	tb.Cleanup(p.end)
	return p
}

// baseBackup copies a running primary into dir, set up to follow it.
func baseBackup(dir string, primary int) error {
	program, err := postgresProgram("pg_basebackup").find()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), initdbTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-h", "127.0.0.1", "-p", strconv.Itoa(primary), "-U", postgresUser,
		"-D", clusterDir(dir), "-R", "-X", "stream", "-c", "fast", "--no-sync")
	cmd.Dir = dir
	cmd.SysProcAttr = unprivileged()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pg_basebackup: %w\n%s", err, out)
	}
	return nil
}

// URL of the database.
func (p *PostgresServer) URL() string { return p.data.postgresURL(faultDatabase) }

// Address is host:port, for a proxy before it.
func (p *PostgresServer) Address() string { return "127.0.0.1:" + strconv.Itoa(p.port) }

// Start returns when the server answers. It does nothing while the server runs.
func (p *PostgresServer) Start() {
	p.tb.Helper()
	if p.running != nil {
		return
	}
	// A killed server's children may outlive it by a moment and hold its memory.
	var err error
	for deadline := time.Now().Add(stopTimeout); ; {
		if p.running, err = p.launch(); err == nil || time.Now().After(deadline) || !strings.Contains(err.Error(), "pre-existing shared memory") {
			break
		}
	}
	if err != nil {
		p.tb.Fatalf("start PostgreSQL: %v", err)
	}
}

func (p *PostgresServer) launch() (*server, error) {
	dir, err := ownedTempDir("monitor-postgres-run-")
	if err != nil {
		return nil, err
	}
	s, err := launch(recipe{
		name: "postgres", signal: "QUIT",
		command: func(dir string, port int) []string {
			return []string{
				p.program, "-D", clusterDir(p.data.dir), "-p", strconv.Itoa(port),
				"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + dir,
				// The machine does not fail, only the server: what is committed
				// must be in the files, not on the disk.
				"-c", "fsync=off", "-c", "full_page_writes=off",
				"-c", "max_connections=100", "-c", "shared_buffers=32MB", "-c", "timezone=UTC",
				"-c", "wal_retrieve_retry_interval=200ms", "-c", "max_standby_streaming_delay=1s",
			}
		},
	}, dir, p.port)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	// A replica says that it is ready for read-only connections.
	if err := s.awaitReady("database system is ready to accept"); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// Stop is a fast shutdown: connections are told and closed.
func (p *PostgresServer) Stop() {
	p.tb.Helper()
	if p.running == nil {
		return
	}
	p.signal(syscall.SIGINT, p.postmaster())
	p.awaitExit()
}

// Kill ends every process of the server at once, as kill -9 does.
func (p *PostgresServer) Kill() {
	p.tb.Helper()
	if p.running == nil {
		return
	}
	all := p.processes()
	p.signal(syscall.SIGKILL, all...)
	p.awaitExit()
}

// Pause stops every process of the server without ending it: connections stay
// open and nothing answers.
func (p *PostgresServer) Pause() {
	p.tb.Helper()
	p.signal(signalPause, p.processes()...)
}

// Resume ends a pause.
func (p *PostgresServer) Resume() {
	p.tb.Helper()
	p.signal(signalResume, p.processes()...)
}

// PauseReplay lets a replica fall behind; ResumeReplay lets it catch up.
func (p *PostgresServer) PauseReplay() {
	p.tb.Helper()
	p.Exec(faultDatabase, "SELECT pg_wal_replay_pause()")
}

// ResumeReplay ends PauseReplay.
func (p *PostgresServer) ResumeReplay() {
	p.tb.Helper()
	p.Exec(faultDatabase, "SELECT pg_wal_replay_resume()")
}

// Promote makes a replica a primary and returns when it takes writes.
func (p *PostgresServer) Promote() {
	p.tb.Helper()
	p.Exec(faultDatabase, "SELECT pg_promote(true, 60)")
}

// CatchUp returns when the replica has what the primary has committed.
func (p *PostgresServer) CatchUp(primary *PostgresServer) {
	p.tb.Helper()
	want := primary.ask("SELECT pg_current_wal_lsn()::text")
	for deadline := time.Now().Add(statementTimeout); p.ask("SELECT (pg_last_wal_replay_lsn() >= '"+want+"')::text") != "true"; {
		if time.Now().After(deadline) {
			p.tb.Fatalf("the replica did not reach %s within %s", want, statementTimeout)
		}
	}
}

// Exec runs a statement as the administrator.
func (p *PostgresServer) Exec(database, statement string) {
	p.tb.Helper()
	if err := p.data.run(database, statement); err != nil {
		p.tb.Fatal(err)
	}
}

func (p *PostgresServer) ask(query string) (answer string) {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), statementTimeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, p.URL())
	if err != nil {
		p.tb.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if err := conn.QueryRow(ctx, query).Scan(&answer); err != nil {
		p.tb.Fatal(err)
	}
	return answer
}

// postmaster is the process id of the server.
func (p *PostgresServer) postmaster() int {
	p.tb.Helper()
	text, err := os.ReadFile(filepath.Join(clusterDir(p.data.dir), "postmaster.pid"))
	if err != nil {
		p.tb.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		p.tb.Fatal(err)
	}
	return pid
}

// processes are the server and its children, which lead sessions of their own, so
// that no signal to a group reaches them.
func (p *PostgresServer) processes() []int {
	p.tb.Helper()
	parent := p.postmaster()
	out, err := exec.CommandContext(context.Background(), "ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		p.tb.Fatalf("list processes: %v", err)
	}
	all := []int{parent}
	for line := range strings.Lines(string(out)) {
		var pid, ppid int
		if _, err := fmt.Sscan(line, &pid, &ppid); err == nil && ppid == parent {
			all = append(all, pid)
		}
	}
	return all
}

func (p *PostgresServer) signal(sig syscall.Signal, pids ...int) {
	p.tb.Helper()
	for i, pid := range pids {
		if err := sendSignal(pid, sig); err != nil && i == 0 { // a child may end at any time
			p.tb.Fatalf("signal PostgreSQL: %v", err)
		}
	}
}

// awaitExit returns when the server's guard has seen it end.
func (p *PostgresServer) awaitExit() {
	p.tb.Helper()
	deadline := time.NewTimer(stopTimeout)
	defer deadline.Stop()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if _, err := os.Stat(filepath.Join(p.running.dir, "exited")); err == nil {
			p.running.stop()
			p.running = nil
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			p.tb.Fatalf("PostgreSQL did not end within %s", stopTimeout)
		}
	}
}

// end the server whatever state it is in: a paused one takes no other signal.
func (p *PostgresServer) end() {
	if p.running != nil {
		p.signal(signalResume, p.processes()...)
		p.running.stop()
		p.running = nil
	}
}
