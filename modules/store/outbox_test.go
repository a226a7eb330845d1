package store_test

import (
	"testing"

	"monitor/modules/store/storetest"
)

func TestOutboxSQLite(t *testing.T) {
	t.Parallel()
	storetest.RunOutbox(t, onSQLite)
}

func TestOutboxPostgres(t *testing.T) {
	t.Parallel()
	storetest.RunOutbox(t, onPostgres)
}
