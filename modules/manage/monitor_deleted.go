package manage

import (
	"context"
	"time"

	"monitor/modules/uptime"
)

// MaxDeleted bounds the list of deleted monitors; those deleted first fall off it.
const MaxDeleted = 500

// DeletedMonitorView is a monitor that was deleted and can be restored until then.
type DeletedMonitorView struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	Type      string    `json:"type"`
	Group     string    `json:"group"`
	Target    string    `json:"target"`
	DeletedAt time.Time `json:"deleted_at"`
	GoneAt    time.Time `json:"gone_at"` // from then on it cannot be restored
}

// DeletedMonitors lists monitors that can be restored, the last deleted first, at most 500.
func (m *Manage) DeletedMonitors(ctx context.Context, actor uptime.Actor) (uptime.List[DeletedMonitorView], error) {
	out := uptime.List[DeletedMonitorView]{Items: []DeletedMonitorView{}}
	if err := m.permit(actor, Read); err != nil {
		return out, err
	}
	list, err := m.deps.Trash.DeletedMonitors(ctx, actor.WorkspaceID, MaxDeleted)
	if err != nil {
		return out, err
	}
	for _, d := range list {
		out.Items = append(out.Items, DeletedMonitorView{
			ID: d.ID, Name: d.Name, Type: d.Type, Group: d.Group, Target: d.Target,
			DeletedAt: d.DeletedAt, GoneAt: d.DeletedAt.Add(uptime.UndeleteFor),
		})
	}
	return out, nil
}
