package store_test

import (
	"testing"

	"monitor/modules/store/storetest"
)

func TestMonitorsSQLite(t *testing.T) {
	t.Parallel()
	storetest.RunMonitors(t, onSQLite)
}

func TestMonitorsPostgres(t *testing.T) {
	t.Parallel()
	storetest.RunMonitors(t, onPostgres)
}

func TestFiguresSQLite(t *testing.T) {
	t.Parallel()
	storetest.RunFigures(t, onSQLite)
}

func TestFiguresPostgres(t *testing.T) {
	t.Parallel()
	storetest.RunFigures(t, onPostgres)
}

func TestResultsSQLite(t *testing.T) {
	t.Parallel()
	storetest.RunResults(t, onSQLite)
}

func TestResultsPostgres(t *testing.T) {
	t.Parallel()
	storetest.RunResults(t, onPostgres)
}
