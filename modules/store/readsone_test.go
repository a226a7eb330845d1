package store_test

import (
	"context"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"monitor/modules/store"
	"monitor/modules/uptime"
)

// tellMany adds a delivery and a line of the audit log for each of the monitors'
// incidents: what one monitor's page shows is a small part of both.
func (m *manyMonitors) tellMany(t *testing.T, dialect string) {
	t.Helper()
	yes, no := "1", "0"
	if dialect == "Postgres" {
		yes, no = "true", "false"
	}
	for _, query := range []string{
		fmt.Sprintf(`INSERT INTO channels (id, workspace_id, row_key, name, type, enabled, is_default, send_resolved, send_degraded, settings, disabled_reason, version, created_at, updated_at)
			VALUES (1, %d, 'k', 'On call', 'webhook', %s, %s, %s, %s, '{}', '', 1, 1, 1)`, m.ws, yes, yes, yes, no),
		fmt.Sprintf(`INSERT INTO events (id, workspace_id, type, monitor_id, incident_id, at, data)
			SELECT 'evt_' || CAST(id AS TEXT), %d, 'incident.opened', monitor_id, id, 1, '{}' FROM incidents`, m.ws),
		fmt.Sprintf(`INSERT INTO deliveries (id, workspace_id, event_id, event_type, channel_id, incident_id, monitor_id, chain, side, status, reason, merges, attempt, created_at, finished_at)
			SELECT id, %d, 'evt_' || CAST(id AS TEXT), 'incident.opened', 1, id, monitor_id, 'i' || CAST(id AS TEXT), 'open', 'delivered', '', %s, 1, 1, 1 FROM incidents`, m.ws, no),
		fmt.Sprintf(`INSERT INTO audit_log (workspace_id, user_id, token_id, address, action, object_type, object_id, detail, at)
			SELECT %d, 1, 0, '', 'monitor.update', 'monitor', monitor_id, 'null', 1 FROM incidents`, m.ws),
		"ANALYZE",
	} {
		_, err := m.db.ExecContext(t.Context(), query)
		require.NoError(t, err, query)
	}
}

// TestReadsOfOneMonitor: what the page of a monitor lists of it is found by an index
// of it, however much there is of others.
func TestReadsOfOneMonitor(t *testing.T) {
	t.Parallel()
	for _, dialect := range []string{"SQLite", "Postgres"} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			m := newManyMonitors(t, dialect, 300, 20, 1)
			m.tellMany(t, dialect)
			var heard hearing
			m.WatchReads(heard.tell)
			for _, read := range []struct {
				page  pageRead
				table string
				index string
			}{
				{pageRead{"Notifications", m.notifications}, "deliveries", "deliveries_monitor"},
				{pageRead{"Told", m.told}, "deliveries", "deliveries_incident"},
				{pageRead{"Changes", m.changes}, "audit_log", "audit_log_one"},
				{pageRead{"Spans", m.spans}, "incidents", "incidents_monitor"},
			} {
				var found bool
				for _, s := range m.asked(t, read.page, &heard) {
					plan := m.plan(t, dialect, s)
					m.requireIndexed(t, dialect, read.page.name, s)
					assert.NotContains(t, plan, "USE TEMP B-TREE", read.page.name)
					found = found || regexp.MustCompile(`\b`+read.index+`\b`).MatchString(plan)
				}
				assert.True(t, found, "%s is not read by %s", read.table, read.index)
			}
		})
	}
}

func (m *manyMonitors) notifications(ctx context.Context) error {
	list, err := m.Deliveries(ctx, m.ws, uptime.DeliveryFilter{MonitorID: 7}, uptime.Page{Limit: 10})
	return atLeast(len(list.Items), 10, err)
}

func (m *manyMonitors) told(ctx context.Context) error {
	list, err := m.Deliveries(ctx, m.ws, uptime.DeliveryFilter{IncidentID: 7}, uptime.Page{Limit: 10})
	return atLeast(len(list.Items), 1, err)
}

func (m *manyMonitors) changes(ctx context.Context) error {
	list, err := m.AuditLog(ctx, m.ws, uptime.AuditFilter{ObjectType: "monitor", ObjectID: 7}, uptime.Page{Limit: 10})
	return atLeast(len(list.Items), 10, err)
}

func (m *manyMonitors) spans(ctx context.Context) error {
	list, err := m.IncidentSpans(ctx, m.ws, 7, m.now.Add(-5*24*time.Hour), m.now, 200)
	return atLeast(len(list), 4, err)
}

func atLeast(got, least int, err error) error {
	if err == nil && got < least {
		return fmt.Errorf("%d rows, not %d", got, least)
	}
	return err
}

// plan of a statement as text.
func (m *manyMonitors) plan(t *testing.T, dialect string, s store.Statement) (out string) {
	t.Helper()
	if dialect == "Postgres" {
		require.NoError(t, m.db.QueryRowContext(t.Context(), "EXPLAIN (FORMAT JSON) "+s.Text, s.Args...).Scan(&out), s.Text)
		return out
	}
	rows, err := m.db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+s.Text, s.Args...)
	require.NoError(t, err, s.Text)
	defer func() { require.NoError(t, rows.Close()) }()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		require.NoError(t, rows.Scan(&id, &parent, &unused, &detail))
		out += detail + "\n"
	}
	require.NoError(t, rows.Err())
	t.Log(out)
	return out
}
