package store

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"log/slog"
	"strings"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// slowQuery is logged. Values never are: they may be secret.
const slowQuery = time.Second

func (s *Store) gorm(d gorm.Dialector) (*gorm.DB, error) {
	return gorm.Open(d, &gorm.Config{
		SkipDefaultTransaction: true,
		TranslateError:         true,
		DisableAutomaticPing:   true,
		Logger:                 slowLog{s.log},
		NowFunc:                s.now,
	})
}

// slowLog tells of slow queries only: errors are returned, and logged once by
// whoever ends them.
type slowLog struct{ log *slog.Logger }

func (l slowLog) LogMode(logger.LogLevel) logger.Interface { return l }
func (l slowLog) Info(context.Context, string, ...any)     {}
func (l slowLog) Warn(context.Context, string, ...any)     {}
func (l slowLog) Error(context.Context, string, ...any)    {}

func (l slowLog) Trace(ctx context.Context, begin time.Time, query func() (string, int64), _ error) {
	if took := time.Since(begin); took >= slowQuery {
		text, rows := query()
		l.log.WarnContext(ctx, "slow query", "sql", text, "rows", rows, "took", took)
	}
}

// ParamsFilter keeps the values out of the text of a query.
func (l slowLog) ParamsFilter(_ context.Context, query string, _ ...any) (string, []any) {
	return query, nil
}

// randomID gives 26 base32 characters of 130 random bits.
func randomID() string {
	var b [17]byte
	_, _ = rand.Read(b[:]) // never fails
	text := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b[:])
	return strings.ToLower(text[:26])
}
