package manage

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"monitor/modules/uptime"
)

// mostSessions bounds a list of sessions. A program that logs in for each of its
// requests has thousands; LogoutOthers ends them all.
const mostSessions = 100

func sessionView(t uptime.RefreshToken, current string) SessionView {
	return SessionView{
		ID: t.Family, Current: t.Family == current, Address: t.Address, UserAgent: t.UserAgent,
		CreatedAt: t.BeganAt.UTC(), LastSeenAt: t.SeenAt.UTC(), ExpiresAt: t.ExpiresAt.UTC(),
	}
}

// OwnSessions lists where the actor is logged in, what was seen last first: those of
// the web app and of log-ins through the API, at most 100.
func (m *Manage) OwnSessions(ctx context.Context, actor uptime.Actor) (uptime.List[SessionView], error) {
	var list uptime.List[SessionView]
	if err := m.permit(actor, ReadSelf); err != nil {
		return list, err
	}
	rows, err := m.deps.Sessions.Sessions(ctx, actor.UserID, mostSessions)
	if err != nil {
		return list, err
	}
	list.Items = make([]SessionView, 0, len(rows))
	for _, row := range rows {
		list.Items = append(list.Items, sessionView(row, actor.Session))
	}
	return list, nil
}

// EndOwnSession logs the actor out of one session, the one in use included.
// ErrNotFound for what is not a session of theirs.
func (m *Manage) EndOwnSession(ctx context.Context, actor uptime.Actor, id string) error {
	if err := m.permit(actor, ChangeSelf); err != nil {
		return err
	}
	gone := fmt.Errorf("session: %w", uptime.ErrNotFound)
	if len(id) > maxCookie || hasControl(id, "") || !utf8.ValidString(id) {
		return gone
	}
	row, err := m.deps.Sessions.RefreshFamily(ctx, id)
	if err == nil && row.UserID != actor.UserID {
		err = gone
	}
	if err != nil {
		return err
	}
	if err := m.endSession(ctx, row.WorkspaceID, actor.UserID, id); err != nil {
		return err
	}
	return m.auditSessions(ctx, actor, map[string]any{"address": row.Address, "user_agent": row.UserAgent})
}

// LogoutOthers ends every session of the actor but the one in use; for an actor who
// came by an API token that is every one.
func (m *Manage) LogoutOthers(ctx context.Context, actor uptime.Actor) error {
	if err := m.permit(actor, ChangeSelf); err != nil {
		return err
	}
	user, err := m.deps.Users.User(ctx, actor.WorkspaceID, actor.UserID)
	if err != nil {
		return err
	}
	if err := m.endAccess(ctx, user, actor.Session); err != nil {
		return err
	}
	return m.auditSessions(ctx, actor, map[string]any{"all": true})
}

// auditSessions notes what is done already: a line that cannot be written makes
// nobody log in again.
func (m *Manage) auditSessions(ctx context.Context, actor uptime.Actor, what map[string]any) error {
	line := m.audited(actor, "session.end", "user", actor.UserID)
	line.Detail = detail(what)
	err := m.deps.AuditLog.WriteAudit(ctx, *line)
	if errors.Is(err, uptime.ErrUnavailable) {
		m.deps.Log.WarnContext(ctx, "write the audit log", "action", line.Action, "user_id", actor.UserID, "error", err)
		return nil
	}
	return err
}
