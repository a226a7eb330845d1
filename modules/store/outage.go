package store

import (
	"fmt"
	"strings"

	"gorm.io/gorm"
)

// outages of monitors that touch [from, to), oldest first, cut to it: their own
// incidents, resolved by hand or not, from the first failure to the first success,
// and what retention left of older ones. Retracted incidents are none; one that
// goes on goes on until now. The outages of one monitor do not overlap, so that of
// those that began before from only the newest can reach into it.
func (s *Store) outages(db *gorm.DB, ids []int64, from, to, now int64) (map[int64]spans, error) {
	if len(ids) == 0 {
		return map[int64]spans{}, nil
	}
	const columns = "SELECT i.monitor_id, i.started_at, i.recovered_at FROM "
	all := map[int64][]span{}
	query := columns + "incidents i WHERE i.monitor_id " + s.in(1) + " AND i.started_at >= $2 AND i.started_at < $3 AND i.deleted_at IS NULL UNION ALL " +
		columns + s.outageBeforeSQL("incidents", " AND x.deleted_at IS NULL") + " UNION ALL " +
		columns + "past_outages i WHERE i.monitor_id " + s.in(1) + " AND i.started_at >= $2 AND i.started_at < $3 UNION ALL " +
		columns + s.outageBeforeSQL("past_outages", "")
	err := s.list(db, query, []any{ids, from, to}, func(scan func(...any) error) error {
		var id, began int64
		var ended instant
		if err := scan(&id, &began, &ended); err != nil {
			return err
		}
		one := span{max(began, from), min(int64(ended), to)}
		if ended == 0 {
			one.to = min(now, to)
		}
		if one.from < one.to {
			all[id] = append(all[id], one)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read outages: %w", err)
	}
	out := make(map[int64]spans, len(all))
	for id, list := range all {
		out[id] = joined(list)
	}
	return out, nil
}

// outageBeforeSQL finds the newest outage i of each monitor of $1 that began before
// $2, by one look into an index.
func (s *Store) outageBeforeSQL(table, condition string) string {
	if s.dialect == dialectPostgres {
		return "unnest($1::bigint[]) AS m (id) CROSS JOIN LATERAL (SELECT x.monitor_id, x.started_at, x.recovered_at FROM " + table +
			" x WHERE x.monitor_id = m.id AND x.started_at < $2" + condition + " ORDER BY x.started_at DESC LIMIT 1) i"
	}
	return "json_each($1) m CROSS JOIN " + table + " i ON i.monitor_id = m.value AND i.started_at = (SELECT max(x.started_at) FROM " + table +
		" x WHERE x.monitor_id = m.value AND x.started_at < $2" + condition + ")" + strings.ReplaceAll(condition, "x.", "i.")
}
