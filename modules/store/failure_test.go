package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func TestFailure(t *testing.T) {
	t.Parallel()
	server := func(code string) error { return fmt.Errorf("call: %w", &pgconn.PgError{Code: code, Message: "m"}) }
	stale := &pgconn.PgError{Code: "0A000", Message: "cached plan must not change result type"}
	for name, c := range map[string]struct {
		err            error
		is             error
		again, commits bool // tried again; also when it came of a commit
	}{
		"Serialization":   {server("40001"), uptime.ErrUnavailable, true, true},
		"Deadlock":        {server("40P01"), uptime.ErrUnavailable, true, true},
		"LockTimeout":     {server("55P03"), uptime.ErrUnavailable, true, true},
		"PlanChanged":     {stale, uptime.ErrUnavailable, true, true},
		"StatementGone":   {server("26000"), uptime.ErrUnavailable, true, true},
		"TooMany":         {server("53300"), uptime.ErrUnavailable, true, false},
		"DiskFull":        {server("53100"), uptime.ErrUnavailable, false, false},
		"AdminShutdown":   {server("57P01"), uptime.ErrUnavailable, true, false},
		"CrashShutdown":   {server("57P02"), uptime.ErrUnavailable, true, false},
		"StartingUp":      {server("57P03"), uptime.ErrUnavailable, true, false},
		"Standby":         {server("25006"), uptime.ErrUnavailable, true, false},
		"IdleTransaction": {server("25P03"), uptime.ErrUnavailable, true, false},
		"Cancelled":       {server("57014"), uptime.ErrUnavailable, false, false},
		"NotSupported":    {server("0A000"), nil, false, false},
		"Syntax":          {server("42601"), nil, false, false},
		"Unique":          {server("23505"), uptime.ErrConflict, false, false},
		"NoRows":          {sql.ErrNoRows, uptime.ErrNotFound, false, false},
		"Deadline":        {context.DeadlineExceeded, uptime.ErrUnavailable, false, false},
		"Stopped":         {context.Canceled, context.Canceled, false, false},
		"WrongServer":     {errStandby, uptime.ErrUnavailable, false, false},
	} {
		err := failure(c.err)
		require.ErrorIs(t, err, c.err, name)
		if c.is != nil {
			require.ErrorIs(t, err, c.is, name)
		} else {
			require.False(t, errors.Is(err, uptime.ErrUnavailable) || errors.Is(err, uptime.ErrConflict) || errors.Is(err, uptime.ErrNotFound), name)
		}
		require.Equal(t, c.again, passing(err), name)
		require.Equal(t, c.commits, passing(committing(err)), "%s while committing", name)
	}
}
