package store_test

import (
	"testing"

	"monitor/modules/store/storetest"
)

func TestBulkSQLite(t *testing.T) {
	t.Parallel()
	storetest.RunBulk(t, onSQLite)
}

func TestBulkPostgres(t *testing.T) {
	t.Parallel()
	storetest.RunBulk(t, onPostgres)
}
