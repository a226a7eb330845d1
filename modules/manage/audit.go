package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"monitor/modules/uptime"
)

// audited gives the line of the audit log for what the actor is about to do.
func (m *Manage) audited(actor uptime.Actor, action, object string, id int64) *uptime.Audit {
	return &uptime.Audit{
		WorkspaceID: actor.WorkspaceID, UserID: actor.UserID, TokenID: actor.TokenID, Address: actor.Address,
		Action: action, ObjectType: object, ObjectID: id, At: m.deps.Clock(),
	}
}

func auditView(l uptime.AuditLine) AuditView {
	return AuditView{
		ID: l.ID, At: l.At.UTC(), UserID: l.UserID, User: l.Name, Email: l.Email, TokenID: l.TokenID, Address: l.Address,
		Action: l.Action, ObjectType: l.ObjectType, ObjectID: l.ObjectID, Detail: l.Detail,
	}
}

// AuditLog lists what was changed, newest first.
func (m *Manage) AuditLog(ctx context.Context, actor uptime.Actor, f uptime.AuditFilter, p uptime.Page) (uptime.List[AuditView], error) {
	var none uptime.List[AuditView]
	if err := m.permit(actor, ReadAudit); err != nil {
		return none, err
	}
	p, err := page(p)
	if err != nil {
		return none, err
	}
	list, err := m.deps.AuditLog.AuditLog(ctx, actor.WorkspaceID, f, p)
	if err != nil {
		return none, err
	}
	return mapList(list, auditView), nil
}

// MonitorChanges lists what was changed of a monitor, newest first, for who may read
// it: without the addresses that the audit log has.
func (m *Manage) MonitorChanges(ctx context.Context, actor uptime.Actor, id int64, p uptime.Page) (uptime.List[MonitorChangeView], error) {
	var none uptime.List[MonitorChangeView]
	if err := m.own(ctx, actor, id); err != nil {
		return none, err
	}
	p, err := page(p)
	if err != nil {
		return none, err
	}
	list, err := m.deps.AuditLog.AuditLog(ctx, actor.WorkspaceID, uptime.AuditFilter{ObjectType: "monitor", ObjectID: id}, p)
	if err != nil {
		return none, err
	}
	return mapList(list, func(l uptime.AuditLine) MonitorChangeView {
		return MonitorChangeView{ID: l.ID, At: l.At.UTC(), UserID: l.UserID, User: l.Name, TokenID: l.TokenID, Action: l.Action, Detail: l.Detail}
	}), nil
}

// detail is the JSON of what a line of the audit log says beside its action.
func detail(value map[string]any) json.RawMessage {
	raw, err := json.Marshal(value)
	if err != nil {
		return nil
	}
	return raw
}

// announce publishes notices of what is committed. They are hints: whoever
// misses one reads the store, so a bus that is away fails nothing.
func (m *Manage) announce(ctx context.Context, notices ...uptime.Notice) {
	if err := m.deps.Bus.Publish(context.WithoutCancel(ctx), notices...); err != nil {
		m.deps.Log.WarnContext(ctx, "publish change", "error", err)
	}
}

func notice(topic uptime.Topic, workspaceID, id int64) uptime.Notice {
	return uptime.Notice{Topic: topic, WorkspaceID: workspaceID, ID: id}
}

// page checks and fills what is asked of a list.
func page(p uptime.Page) (uptime.Page, error) {
	if p.Limit == 0 {
		p.Limit = 50
	}
	if p.Limit < 1 || p.Limit > 200 {
		return p, uptime.Invalid(uptime.FieldError{Field: "limit", Message: "must be from 1 to 200"})
	}
	return p, nil
}

// ChangeView is who changed something last, and when.
type ChangeView struct {
	At   time.Time `json:"at"`
	User string    `json:"user"` // their name, "" for the program
}

// LastChange tells somebody who may read an object who changed it last: a colleague
// whose change they are about to overwrite. ErrNotFound where the log has none.
func (m *Manage) LastChange(ctx context.Context, actor uptime.Actor, object string, id int64) (ChangeView, error) {
	if err := m.permit(actor, Read); err != nil {
		return ChangeView{}, err
	}
	list, err := m.deps.AuditLog.AuditLog(ctx, actor.WorkspaceID, uptime.AuditFilter{ObjectType: object, ObjectID: id}, uptime.Page{Limit: 20})
	if err != nil {
		return ChangeView{}, err
	}
	for _, line := range list.Items {
		if line.Action != object+".check" && line.Action != object+".test" { // these change nothing
			return ChangeView{At: line.At.UTC(), User: line.Name}, nil
		}
	}
	return ChangeView{}, fmt.Errorf("find the last change: %w", uptime.ErrNotFound)
}
