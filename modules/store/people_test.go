package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/store"
	"monitor/modules/store/storetest"
	"monitor/modules/testenv"
)

func onSQLite(t *testing.T, o store.Options) *store.Store {
	t.Helper()
	o.Config = store.Config{DataDir: t.TempDir()}
	return migrated(t, o)
}

func onPostgres(t *testing.T, o store.Options) *store.Store {
	t.Helper()
	o.Config = store.Config{URL: testenv.Postgres(t)}
	return migrated(t, o)
}

func migrated(t *testing.T, o store.Options) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(t.Context()))
	return s
}

func TestPeopleSQLite(t *testing.T) {
	t.Parallel()
	storetest.RunPeople(t, onSQLite)
}

func TestPeoplePostgres(t *testing.T) {
	t.Parallel()
	storetest.RunPeople(t, onPostgres)
}

func TestKeysSQLite(t *testing.T) {
	t.Parallel()
	storetest.RunKeys(t, onSQLite)
}

func TestKeysPostgres(t *testing.T) {
	t.Parallel()
	storetest.RunKeys(t, onPostgres)
}
