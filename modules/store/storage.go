package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// Storage gives what the database takes. SQLite knows no parts of it but by reading
// each page.
func (s *Store) Storage(ctx context.Context) (uptime.Storage, error) {
	var out uptime.Storage
	err := s.read(ctx, func(db *gorm.DB) error {
		if s.dialect == dialectSQLite {
			out.Kind = "SQLite"
			return db.Raw(`SELECT sqlite_version(), (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size)`).
				Row().Scan(&out.Version, &out.Bytes)
		}
		out.Kind = "PostgreSQL"
		const part = `COALESCE((SELECT SUM(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname LIKE '%s%%'), 0)::bigint`
		return db.Raw(`SELECT current_setting('server_version'), pg_database_size(current_database()), `+
			fmt.Sprintf(part, "check_results")+`, `+fmt.Sprintf(part, "rollups")).
			Row().Scan(&out.Version, &out.Bytes, &out.Results, &out.Rollups)
	})
	if err != nil {
		return uptime.Storage{}, fmt.Errorf("measure the database: %w", err)
	}
	return out, nil
}
