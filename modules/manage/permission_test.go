package manage_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// absent is an id that nothing has.
const absent = 999

type call func(a uptime.Actor) error

func reads(b *bundle) map[string]call {
	ctx, page := context.Background(), uptime.Page{}
	return map[string]call{
		"Monitors":      func(a uptime.Actor) error { _, err := b.Monitors(ctx, a, uptime.MonitorFilter{}, page); return err },
		"CountMonitors": func(a uptime.Actor) error { _, err := b.CountMonitors(ctx, a, uptime.MonitorFilter{}); return err },
		"Counts":        func(a uptime.Actor) error { _, err := b.Counts(ctx, a); return err },
		"TagsAndGroups": func(a uptime.Actor) error { _, err := b.TagsAndGroups(ctx, a); return err },
		"Facets":        func(a uptime.Actor) error { _, err := b.Facets(ctx, a, uptime.MonitorFilter{}); return err },
		"GroupHeads": func(a uptime.Actor) error {
			_, _, err := b.GroupHeads(ctx, a, uptime.MonitorFilter{}, 10, 0)
			return err
		},
		"Groups":          func(a uptime.Actor) error { _, _, err := b.Groups(ctx, a, uptime.MonitorFilter{}, 10, 0); return err },
		"DeletedMonitors": func(a uptime.Actor) error { _, err := b.DeletedMonitors(ctx, a); return err },
		"Views":           func(a uptime.Actor) error { _, err := b.Views(ctx, a); return err },
		"Monitor":         func(a uptime.Actor) error { _, err := b.Monitor(ctx, a, absent); return err },
		"Results": func(a uptime.Actor) error {
			_, err := b.Results(ctx, a, absent, uptime.ResultFilter{}, page)
			return err
		},
		"Gaps":  func(a uptime.Actor) error { _, err := b.Gaps(ctx, a, absent, time.Time{}, time.Time{}); return err },
		"Stats": func(a uptime.Actor) error { _, err := b.Stats(ctx, a, absent, manage.StatsQuery{}); return err },
		"Buckets": func(a uptime.Actor) error {
			_, err := b.Buckets(ctx, a, nil, b.clock.Now().Add(-time.Hour), b.clock.Now(), time.Hour)
			return err
		},
		"Availability": func(a uptime.Actor) error { _, err := b.Availability(ctx, a, absent, time.Hour); return err },
		"Glances": func(a uptime.Actor) error {
			now := b.clock.Now().Truncate(time.Hour)
			_, err := b.Glances(ctx, a, nil, uptime.GlanceQuery{From: now.Add(-time.Hour), To: now, Width: 30 * time.Minute, Since: now.Add(-24 * time.Hour)})
			return err
		},
		"Channels":        func(a uptime.Actor) error { _, err := b.Channels(ctx, a, page); return err },
		"Channel":         func(a uptime.Actor) error { _, err := b.Channel(ctx, a, absent); return err },
		"Deliveries":      func(a uptime.Actor) error { _, err := b.Deliveries(ctx, a, uptime.DeliveryFilter{}, page); return err },
		"Incidents":       func(a uptime.Actor) error { _, err := b.Incidents(ctx, a, uptime.IncidentFilter{}, page); return err },
		"CountIncidents":  func(a uptime.Actor) error { _, err := b.CountIncidents(ctx, a, uptime.IncidentFilter{}); return err },
		"Incident":        func(a uptime.Actor) error { _, err := b.Incident(ctx, a, absent); return err },
		"MonitorsOf":      func(a uptime.Actor) error { _, err := b.MonitorsOf(ctx, a, []int64{absent}); return err },
		"Overview":        func(a uptime.Actor) error { _, err := b.Overview(ctx, a); return err },
		"Me":              func(a uptime.Actor) error { _, err := b.Me(ctx, a); return err },
		"MonitorDefaults": func(a uptime.Actor) error { _, err := b.MonitorDefaults(ctx, a); return err },
		"Tokens":          func(a uptime.Actor) error { _, err := b.Tokens(ctx, a, page); return err },
		"OwnSessions":     func(a uptime.Actor) error { _, err := b.OwnSessions(ctx, a); return err },
		"Search":          func(a uptime.Actor) error { _, err := b.Search(ctx, a, "shop", 0); return err },
		"FoundByID":       func(a uptime.Actor) error { _, err := b.FoundByID(ctx, a, uptime.FindIDs{}); return err },
		"Neighbour": func(a uptime.Actor) error {
			_, err := b.Neighbour(ctx, a, absent, uptime.MonitorFilter{}, false)
			return err
		},
		"Wall": func(a uptime.Actor) error { _, err := b.Wall(ctx, a, "", ""); return err },
		"IncidentSpans": func(a uptime.Actor) error {
			_, err := b.IncidentSpans(ctx, a, absent, b.clock.Now().Add(-time.Hour), b.clock.Now())
			return err
		},
		"Result":               func(a uptime.Actor) error { _, err := b.Result(ctx, a, absent, "default", b.clock.Now()); return err },
		"MonitorChanges":       func(a uptime.Actor) error { _, err := b.MonitorChanges(ctx, a, absent, page); return err },
		"ExpiringCertificates": func(a uptime.Actor) error { _, err := b.ExpiringCertificates(ctx, a, time.Hour); return err },
	}
}

func ownWrites(b *bundle) map[string]call {
	ctx, none := context.Background(), json.RawMessage(`{}`)
	return map[string]call{
		"UpdateMe":    func(a uptime.Actor) error { _, err := b.UpdateMe(ctx, a, none, ""); return err },
		"CreateToken": func(a uptime.Actor) error { _, err := b.CreateToken(ctx, a, none); return err },
		"CreateView":  func(a uptime.Actor) error { _, err := b.CreateView(ctx, a, none); return err },
		"DeleteView":  func(a uptime.Actor) error { return b.DeleteView(ctx, a, absent) },
		"DeleteToken": func(a uptime.Actor) error { return b.DeleteToken(ctx, a, absent) },
		"NewTOTP":     func(a uptime.Actor) error { _, err := b.NewTOTP(ctx, a); return err },
		"TOTPOf":      func(a uptime.Actor) error { _, err := b.TOTPOf(ctx, a, "x"); return err },
		"NewRecoveryCodes": func(a uptime.Actor) error {
			if _, err := b.NewRecoveryCodes(ctx, a, ""); uptime.CodeOf(err) != uptime.CodeConflict { // there is no second factor
				return err
			}
			return nil
		},
		"EndOwnSession": func(a uptime.Actor) error { return b.EndOwnSession(ctx, a, "absent") },
		"BeginPasskey":  func(a uptime.Actor) error { _, err := b.BeginPasskey(ctx, a, manage.NewPasskey{}); return err },
		"CreatePasskey": func(a uptime.Actor) error {
			if _, err := b.CreatePasskey(ctx, a, manage.PasskeyAnswer{}); uptime.CodeOf(err) != uptime.CodeConflict { // it took too long
				return err
			}
			return nil
		},
		"RenamePasskey": func(a uptime.Actor) error { return b.RenamePasskey(ctx, a, absent, "x") },
		"DeletePasskey": func(a uptime.Actor) error { return b.DeletePasskey(ctx, a, absent) },
		"LogoutOthers":  func(a uptime.Actor) error { return b.LogoutOthers(ctx, a) },
	}
}

func edits(b *bundle) map[string]call {
	ctx, none := context.Background(), json.RawMessage(`{}`)
	return map[string]call{
		"CreateMonitor":       func(a uptime.Actor) error { _, err := b.CreateMonitor(ctx, a, none); return err },
		"ReplaceMonitor":      func(a uptime.Actor) error { _, err := b.ReplaceMonitor(ctx, a, absent, none, ""); return err },
		"PatchMonitor":        func(a uptime.Actor) error { _, err := b.PatchMonitor(ctx, a, absent, none, ""); return err },
		"UpsertMonitor":       func(a uptime.Actor) error { _, _, err := b.UpsertMonitor(ctx, a, "k", none, ""); return err },
		"DeleteMonitor":       func(a uptime.Actor) error { return b.DeleteMonitor(ctx, a, absent, "") },
		"RestoreMonitor":      func(a uptime.Actor) error { _, err := b.RestoreMonitor(ctx, a, absent); return err },
		"PauseMonitor":        func(a uptime.Actor) error { _, err := b.PauseMonitor(ctx, a, absent); return err },
		"ResumeMonitor":       func(a uptime.Actor) error { _, err := b.ResumeMonitor(ctx, a, absent); return err },
		"CheckNow":            func(a uptime.Actor) error { _, err := b.CheckNow(ctx, a, absent); return err },
		"ValidateMonitor":     func(a uptime.Actor) error { return b.ValidateMonitor(ctx, a, 0, none) },
		"ValidateChannel":     func(a uptime.Actor) error { return b.ValidateChannel(ctx, a, 0, none) },
		"TestMonitor":         func(a uptime.Actor) error { _, err := b.TestMonitor(ctx, a, none); return err },
		"CreateChannel":       func(a uptime.Actor) error { _, err := b.CreateChannel(ctx, a, none); return err },
		"PatchChannel":        func(a uptime.Actor) error { _, err := b.PatchChannel(ctx, a, absent, none, ""); return err },
		"DeleteChannel":       func(a uptime.Actor) error { return b.DeleteChannel(ctx, a, absent, "") },
		"TestChannel":         func(a uptime.Actor) error { _, err := b.TestChannel(ctx, a, absent); return err },
		"RetryDelivery":       func(a uptime.Actor) error { _, err := b.RetryDelivery(ctx, a, absent); return err },
		"CreateIncident":      func(a uptime.Actor) error { _, err := b.CreateIncident(ctx, a, none); return err },
		"PatchIncident":       func(a uptime.Actor) error { _, err := b.PatchIncident(ctx, a, absent, none, ""); return err },
		"AcknowledgeIncident": func(a uptime.Actor) error { _, err := b.AcknowledgeIncident(ctx, a, absent, nil); return err },
		"ResolveIncident":     func(a uptime.Actor) error { _, err := b.ResolveIncident(ctx, a, absent, nil); return err },
		"CreateWallShare":     func(a uptime.Actor) error { _, err := b.CreateWallShare(ctx, a, none); return err },
		"DeleteWallShare":     func(a uptime.Actor) error { return b.DeleteWallShare(ctx, a, absent) },
		"AddIncidentUpdate":   func(a uptime.Actor) error { _, err := b.AddIncidentUpdate(ctx, a, absent, none); return err },

		"DeleteIncident":  func(a uptime.Actor) error { return b.DeleteIncident(ctx, a, absent, "") },
		"RestoreIncident": func(a uptime.Actor) error { _, err := b.RestoreIncident(ctx, a, absent); return err },
		"PatchIncidentUpdate": func(a uptime.Actor) error {
			_, err := b.PatchIncidentUpdate(ctx, a, absent, absent, none, "")
			return err
		},
		"DeleteIncidentUpdate": func(a uptime.Actor) error { return b.DeleteIncidentUpdate(ctx, a, absent, absent, "") },
	}
}

func editorReads(b *bundle) map[string]call {
	ctx := context.Background()
	return map[string]call{
		"Assignees":     func(a uptime.Actor) error { _, err := b.Assignees(ctx, a); return err },
		"IncidentEdits": func(a uptime.Actor) error { _, err := b.IncidentEdits(ctx, a, absent); return err },
		"WallShares":    func(a uptime.Actor) error { _, err := b.WallShares(ctx, a, uptime.Page{}); return err },
	}
}

func adminReads(b *bundle) map[string]call {
	ctx, page := context.Background(), uptime.Page{}
	return map[string]call{
		"Users": func(a uptime.Actor) error { _, err := b.Users(ctx, a, page); return err },
		"User":  func(a uptime.Actor) error { _, err := b.User(ctx, a, absent); return err },
		"AuditLog": func(a uptime.Actor) error {
			_, err := b.AuditLog(ctx, a, uptime.AuditFilter{}, page)
			return err
		},
		"Retention": func(a uptime.Actor) error { _, err := b.Retention(ctx, a); return err },
		"Storage":   func(a uptime.Actor) error { _, err := b.Storage(ctx, a); return err },
		"About":     func(a uptime.Actor) error { _, err := b.About(ctx, a); return err },
	}
}

func adminWrites(b *bundle) map[string]call {
	ctx, none := context.Background(), json.RawMessage(`{}`)
	return map[string]call{
		"CreateUser":             func(a uptime.Actor) error { _, _, err := b.CreateUser(ctx, a, none); return err },
		"UpdateUser":             func(a uptime.Actor) error { _, err := b.UpdateUser(ctx, a, absent, none, ""); return err },
		"DeleteUser":             func(a uptime.Actor) error { return b.DeleteUser(ctx, a, absent) },
		"ResetPassword":          func(a uptime.Actor) error { return b.ResetPassword(ctx, a, "nobody@example.com", password, false) },
		"ReplaceMonitorDefaults": func(a uptime.Actor) error { _, err := b.ReplaceMonitorDefaults(ctx, a, none, ""); return err },
		"ReplaceRetention":       func(a uptime.Actor) error { _, err := b.ReplaceRetention(ctx, a, none, ""); return err },
		"UnlinkOIDC":             func(a uptime.Actor) error { return b.UnlinkOIDC(ctx, a, "nobody@example.com") },
	}
}

// TestPermissions calls every method as every role and with every scope. What a
// role may do must fail for no other reason than the object that is not there.
func TestPermissions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	roles := []uptime.Role{uptime.RoleViewer, uptime.RoleEditor, uptime.RoleAdmin, uptime.RoleOwner}
	for _, group := range []struct {
		calls map[string]call
		least uptime.Role
		scope string
	}{
		{reads(b), uptime.RoleViewer, "read"},
		{ownWrites(b), uptime.RoleViewer, "write"},
		{edits(b), uptime.RoleEditor, "write"},
		{editorReads(b), uptime.RoleEditor, "read"},
		{adminReads(b), uptime.RoleAdmin, "read"},
		{adminWrites(b), uptime.RoleAdmin, "write"},
	} {
		for name, do := range group.calls {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(do(uptime.Actor{})), "nobody")
				require.Equal(t, uptime.CodeUnauthorized, uptime.CodeOf(do(uptime.Actor{WorkspaceID: 1, UserID: 1, Role: "king"})), "no role")
				for _, role := range roles {
					actor := b.owner
					actor.Role = role
					allowed := role.Includes(group.least)
					requirePermitted(t, allowed, do(actor), string(role))
					for _, scope := range []string{"read", "write", "push"} {
						actor.Scopes = []string{scope}
						requirePermitted(t, allowed && scope == group.scope, do(actor), string(role)+" with "+scope)
					}
					actor.Scopes = []string{}
					requirePermitted(t, false, do(actor), string(role)+" without scopes")
				}
			})
		}
	}
}

func requirePermitted(t *testing.T, allowed bool, err error, who string) {
	t.Helper()
	if !allowed {
		require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(err), "%s: %v", who, err)
		return
	}
	if err != nil {
		require.Contains(t, []uptime.Code{uptime.CodeNotFound, uptime.CodeInvalid}, uptime.CodeOf(err), "%s: %v", who, err)
	}
}

func TestCan(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.True(t, b.Can(b.as(uptime.RoleViewer), manage.Read))
	require.False(t, b.Can(b.as(uptime.RoleViewer), manage.ChangeMonitor))
	require.False(t, b.Can(b.as(uptime.RoleAdmin), manage.ManageOwners))
	require.True(t, b.Can(manage.Program(1), manage.ManageOwners))
	require.False(t, b.Can(b.owner, "fly"))
}

func TestOthersWorkspacesAreNotThere(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	v := b.monitor(t, leastMonitor)
	c := b.channel(t, `{"name":"Hook","type":"webhook","settings":{"url":"https://example.com"}}`)
	stranger := b.owner
	stranger.WorkspaceID = 77
	_, err := b.Monitor(ctx, stranger, v.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = b.PatchMonitor(ctx, stranger, v.ID, json.RawMessage(`{"name":"x"}`), "")
	require.ErrorIs(t, err, uptime.ErrNotFound)
	require.ErrorIs(t, b.DeleteMonitor(ctx, stranger, v.ID, ""), uptime.ErrNotFound)
	_, err = b.Channel(ctx, stranger, c.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = b.TestChannel(ctx, stranger, c.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}
