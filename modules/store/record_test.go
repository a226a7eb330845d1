package store_test

import (
	"testing"

	"monitor/modules/store/storetest"
)

func TestRecordPropertySQLite(t *testing.T) {
	t.Parallel()
	storetest.RunRecordProperty(t, onSQLite, 60)
}

func TestRecordPropertyPostgres(t *testing.T) {
	t.Parallel()
	storetest.RunRecordProperty(t, onPostgres, 25)
}
