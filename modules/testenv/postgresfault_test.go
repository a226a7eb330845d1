package testenv

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPostgresRestartable(t *testing.T) {
	t.Parallel()
	var folder string
	t.Run("Server", func(t *testing.T) {
		t.Parallel()
		s := PostgresRestartable(t)
		folder = s.data.dir
		s.Exec(faultDatabase, "CREATE TABLE things (id int)")
		for _, end := range []func(){s.Stop, s.Kill, s.Kill} {
			s.Exec(faultDatabase, "INSERT INTO things VALUES (1)")
			end()
			require.Error(t, s.data.run(faultDatabase, "SELECT 1"))
			s.Start()
		}
		require.Equal(t, "3", s.ask("SELECT count(*)::text FROM things"), "what was acknowledged is there")

		conn := connect(t, s.URL())
		s.Pause()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		require.Error(t, conn.Ping(ctx))
		s.Resume()
		s.Exec(faultDatabase, "SELECT 1")
		s.Pause() // and is ended so
	})
	t.Cleanup(func() {
		_, err := os.Stat(folder)
		require.ErrorIs(t, err, os.ErrNotExist)
	})
}

func TestPostgresReplica(t *testing.T) {
	t.Parallel()
	primary, replica := PostgresReplica(t)
	primary.Exec(faultDatabase, "CREATE TABLE things (id int)")
	replica.CatchUp(primary)
	require.Equal(t, "0", replica.ask("SELECT count(*)::text FROM things"))
	require.Error(t, replica.data.run(faultDatabase, "INSERT INTO things VALUES (1)"))

	replica.PauseReplay()
	primary.Exec(faultDatabase, "INSERT INTO things VALUES (1)")
	require.Equal(t, "0", replica.ask("SELECT count(*)::text FROM things"))
	replica.ResumeReplay()
	replica.CatchUp(primary)
	require.Equal(t, "1", replica.ask("SELECT count(*)::text FROM things"))

	replica.Kill()
	replica.Start()
	primary.Stop()
	replica.Promote()
	replica.Exec(faultDatabase, "INSERT INTO things VALUES (2)")
}
