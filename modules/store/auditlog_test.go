package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func TestAuditLog(t *testing.T) {
	t.Parallel()
	for _, dialect := range []string{"SQLite", "Postgres"} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			m := newManyMonitors(t, dialect, 1, 1, 1)
			ctx := t.Context()
			home, err := m.EnsureWorkspace(ctx, "Home")
			require.NoError(t, err)
			u, err := m.CreateUser(ctx, uptime.User{WorkspaceID: home.ID, Role: uptime.RoleViewer, Email: "mia@example.com", Name: "Mia"}, nil)
			require.NoError(t, err)
			begin := time.UnixMilli(1_000_000).UTC()
			for i := range 5 {
				line := uptime.Audit{
					WorkspaceID: home.ID, UserID: u.ID, Address: "192.0.2.1", Action: "channel.update", ObjectType: "test", ObjectID: int64(i + 1),
					Detail: []byte(`{"a":1}`), At: begin.Add(time.Duration(i) * time.Minute),
				}
				if i == 4 {
					line.UserID, line.ObjectType = 0, "other"
				}
				require.NoError(t, m.WriteAudit(ctx, line))
			}
			ids := func(f uptime.AuditFilter, p uptime.Page) (objects []int64, next string) {
				list, err := m.AuditLog(ctx, home.ID, f, p)
				require.NoError(t, err)
				for _, l := range list.Items {
					objects = append(objects, l.ObjectID)
				}
				return objects, list.Next
			}
			tests := uptime.AuditFilter{ObjectType: "test"}
			all, next := ids(tests, uptime.Page{Limit: 3})
			require.Equal(t, []int64{4, 3, 2}, all, "newest first")
			all, next = ids(tests, uptime.Page{Limit: 3, Cursor: next})
			require.Equal(t, []int64{1}, all)
			require.Empty(t, next)
			for _, c := range []struct {
				filter uptime.AuditFilter
				want   []int64
			}{
				{uptime.AuditFilter{ObjectType: "other"}, []int64{5}},
				{uptime.AuditFilter{ObjectType: "test", ObjectID: 2}, []int64{2}},
				{uptime.AuditFilter{UserID: u.ID, From: begin.Add(time.Minute), To: begin.Add(3 * time.Minute)}, []int64{3, 2}},
				{uptime.AuditFilter{UserID: 999}, nil},
			} {
				all, _ = ids(c.filter, uptime.Page{Limit: 9})
				require.Equal(t, c.want, all, c.filter)
			}
			list, err := m.AuditLog(ctx, home.ID, tests, uptime.Page{Limit: 1})
			require.NoError(t, err)
			require.Equal(t, "Mia", list.Items[0].Name)
			require.Equal(t, "mia@example.com", list.Items[0].Email)
			require.JSONEq(t, `{"a":1}`, string(list.Items[0].Detail))
			others, err := m.AuditLog(ctx, home.ID+1, uptime.AuditFilter{}, uptime.Page{})
			require.NoError(t, err)
			require.Empty(t, others.Items)

			for _, statement := range []string{"UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log"} {
				_, err := m.db.ExecContext(ctx, statement)
				require.ErrorContains(t, err, "append-only", statement)
			}
		})
	}
}
