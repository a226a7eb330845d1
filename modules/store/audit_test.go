package store

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// TestAudit: every change by people writes its line in its transaction, and what
// changed nothing or failed writes none.
func TestAudit(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s, err := Open(ctx, Options{Config: Config{DataDir: t.TempDir()}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	require.NoError(t, s.Migrate(ctx))
	home, err := s.EnsureWorkspace(ctx, "Home")
	require.NoError(t, err)
	line := func(action string) *uptime.Audit {
		return &uptime.Audit{
			WorkspaceID: home.ID, UserID: 7, TokenID: 8, Address: "192.0.2.1", Action: action,
			ObjectType: "thing", Detail: []byte(`{"a":1}`), At: time.UnixMilli(1_000),
		}
	}
	type entry struct {
		Action    string
		ObjectID  int64
		UserID    int64
		TokenID   int64
		Address   string
		Detail    string
		At        instant
		Workspace int64 `gorm:"column:workspace_id"`
	}
	wrote := func(action string, id int64, err error) {
		t.Helper()
		require.NoError(t, err)
		var got []entry
		require.NoError(t, s.read(ctx, func(db *gorm.DB) error {
			return db.Raw(`SELECT * FROM audit_log WHERE action = ?`, action).Scan(&got).Error
		}))
		require.Equal(t, []entry{{action, id, 7, 8, "192.0.2.1", `{"a":1}`, 1000, home.ID}}, got)
	}

	u, err := s.CreateFirstOwner(ctx, uptime.User{Email: "a@example.com", PasswordHash: "x"}, uptime.Workspace{}, line("setup"))
	wrote("setup", u.ID, err)
	v, err := s.CreateUser(ctx, uptime.User{WorkspaceID: home.ID, Role: uptime.RoleViewer, Email: "b@example.com"}, line("user.create"))
	wrote("user.create", v.ID, err)
	_, err = s.UpdateUser(ctx, home.ID, v.ID, func(u *uptime.User) error { u.Name = "B"; return nil }, line("user.update"))
	wrote("user.update", v.ID, err)
	token, err := s.CreateAPIToken(ctx, uptime.APIToken{WorkspaceID: home.ID, UserID: v.ID, Role: uptime.RoleViewer, Hash: "h"}, line("token.create"))
	wrote("token.create", token.ID, err)
	wrote("token.delete", token.ID, s.DeleteAPIToken(ctx, home.ID, token.ID, line("token.delete")))
	wrote("user.delete", v.ID, s.DeleteUser(ctx, home.ID, v.ID, line("user.delete")))

	c, err := s.CreateChannel(ctx, uptime.Channel{WorkspaceID: home.ID, RowKey: "k", Type: "webhook", Settings: []byte(`{}`)}, line("channel.create"))
	wrote("channel.create", c.ID, err)
	_, err = s.UpdateChannel(ctx, home.ID, c.ID, func(c *uptime.Channel) error { c.Name = "C"; return nil }, line("channel.update"))
	wrote("channel.update", c.ID, err)
	wrote("channel.delete", c.ID, s.DeleteChannel(ctx, home.ID, c.ID, line("channel.delete")))

	i, err := s.CreateIncident(ctx, uptime.Incident{WorkspaceID: home.ID, Title: "I", Status: uptime.IncidentOpen}, line("incident.create"))
	wrote("incident.create", i.ID, err)
	title := func(text string, err error) func(*uptime.Incident) ([]uptime.IncidentUpdate, []uptime.Event, error) {
		return func(i *uptime.Incident) ([]uptime.IncidentUpdate, []uptime.Event, error) {
			i.Title = text
			return nil, nil, err
		}
	}
	_, err = s.UpdateIncident(ctx, home.ID, i.ID, title("J", nil), line("incident.update"))
	wrote("incident.update", i.ID, err)

	_, err = s.UpdateIncident(ctx, home.ID, i.ID, title("J", nil), line("nothing"))
	require.NoError(t, err)
	_, err = s.UpdateIncident(ctx, home.ID, i.ID, title("K", errors.New("no")), line("nothing"))
	require.Error(t, err)
	require.ErrorIs(t, s.DeleteChannel(ctx, home.ID, c.ID, line("nothing")), uptime.ErrNotFound)
	var n int64
	require.NoError(t, s.read(ctx, func(db *gorm.DB) error {
		return db.Raw(`SELECT count(*) FROM audit_log WHERE action = 'nothing'`).Scan(&n).Error
	}))
	require.Zero(t, n)
}
