package store

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// viewRow is a monitor with its state and what is derived from both.
type viewRow struct {
	Monitor  monitorRow `gorm:"embedded"`
	State    stateRow   `gorm:"embedded;embeddedPrefix:state_"`
	Derived  int16
	Severity int
}

// unknownSQL is true of a monitor m with state s whose newest known result is too
// old at a time, or that has no result but unknown ones. The time is a parameter,
// so that the text can be kept prepared.
const unknownSQL = `(s.known_slot < ? - 2 * m.interval_ms OR (s.known_slot IS NULL AND s.last_slot <= ?))`

// unknownAt are the parameters of unknownSQL.
func unknownAt(now time.Time) []any {
	return []any{now.Add(-uptime.UnknownGrace).UnixMilli(), now.UnixMilli()}
}

// derivedSQL is the one expression of a monitor's status, as a code: every
// list, count, filter, sort and metric uses it. Its parameters are unknownAt's.
func derivedSQL() string {
	return fmt.Sprintf("CASE WHEN NOT m.enabled THEN %d WHEN %s THEN %d ELSE s.status END",
		codePaused, unknownSQL, codeUnknown)
}

// severitySQL orders the codes of an expression, worst first.
func severitySQL(code string) string {
	var b strings.Builder
	b.WriteString("CASE (" + code + ")")
	for i, status := range uptime.Statuses() {
		fmt.Fprintf(&b, " WHEN %d THEN %d", statusCode(status), i)
	}
	b.WriteString(" END")
	return b.String()
}

// viewSQL reads monitors m with their states s, deleted ones too. Its parameters
// are unknownAt's, twice.
func viewSQL() string {
	cols := make([]string, 0, len(stateColumns()))
	for _, c := range stateColumns() {
		cols = append(cols, "s."+c+" AS state_"+c)
	}
	derived := derivedSQL()
	return "SELECT m.*, " + strings.Join(cols, ", ") + ", " + derived + " AS derived, " +
		severitySQL(derived) + " AS severity FROM monitors m JOIN monitor_states s ON s.monitor_id = m.id"
}

// view is a query over monitors with status; conditions name its columns bare.
func (s *Store) view(db *gorm.DB) *gorm.DB {
	now := unknownAt(s.now())
	return db.Table("(?) AS v", db.Session(&gorm.Session{NewDB: true}).Raw(viewSQL(), slices.Concat(now, now)...))
}

// views turns rows into monitors with tags and channels.
func views(db *gorm.DB, rows []viewRow) ([]uptime.Monitor, error) {
	monitors := make([]uptime.Monitor, 0, len(rows))
	for _, row := range rows {
		m, err := row.Monitor.monitor()
		if err != nil {
			return nil, err
		}
		if m.State, err = row.State.state(); err != nil {
			return nil, err
		}
		m.Status = statusOf(row.Derived)
		monitors = append(monitors, m)
	}
	return monitors, loadLinks(db, monitors)
}

// one gives the single monitor that the query finds, or gorm.ErrRecordNotFound.
func one(db, query *gorm.DB) (uptime.Monitor, error) {
	var rows []viewRow
	if err := query.Limit(1).Find(&rows).Error; err != nil {
		return uptime.Monitor{}, fmt.Errorf("read a monitor: %w", err)
	}
	if len(rows) == 0 {
		return uptime.Monitor{}, fmt.Errorf("read a monitor: %w", gorm.ErrRecordNotFound)
	}
	monitors, err := views(db, rows)
	if err != nil {
		return uptime.Monitor{}, err
	}
	return monitors[0], nil
}
