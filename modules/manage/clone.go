package manage

import (
	"context"
	"encoding/json"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

const copied = " (copy)"

// CopyName is what a copy of a monitor is called where nobody says.
func CopyName(name string) string {
	runes := []rune(name)
	return string(runes[:min(len(runes), uptime.MaxNameLength-len(copied))]) + copied
}

// CloneMonitor makes a monitor like another one, with the changes of a merge patch; an empty
// one makes none. The external key, which is one monitor's own, is not copied.
func (m *Manage) CloneMonitor(ctx context.Context, actor uptime.Actor, id int64, patch json.RawMessage) (MonitorView, error) {
	if len(patch) == 0 {
		patch = json.RawMessage("{}")
	}
	return m.copyMonitor(ctx, actor, id, func(base uptime.Monitor, usual monitorDefaults) (*body, error) {
		return m.patchedMonitor(base, patch, usual)
	})
}

// CopyMonitor makes the monitor of a body; where secrets in it are masked they are those of
// the monitor with the id.
func (m *Manage) CopyMonitor(ctx context.Context, actor uptime.Actor, id int64, raw json.RawMessage) (MonitorView, error) {
	return m.copyMonitor(ctx, actor, id, func(uptime.Monitor, monitorDefaults) (*body, error) { return parseBody(raw) })
}

func (m *Manage) copyMonitor(ctx context.Context, actor uptime.Actor, id int64, read func(base uptime.Monitor, usual monitorDefaults) (*body, error)) (MonitorView, error) {
	if err := m.permit(actor, ChangeMonitor); err != nil {
		return MonitorView{}, err
	}
	source, err := m.deps.Monitors.Monitor(ctx, actor.WorkspaceID, id)
	if err != nil {
		return MonitorView{}, err
	}
	usual, _, err := m.defaultsOf(ctx, actor.WorkspaceID)
	if err != nil {
		return MonitorView{}, err
	}
	base := source
	base.Name, base.ExternalKey = CopyName(source.Name), ""
	b, err := read(base, usual)
	if err != nil {
		return MonitorView{}, err
	}
	draft := m.readMonitor(b, &source, usual)
	if err := m.checkChannels(ctx, actor.WorkspaceID, b, &draft); err != nil {
		return MonitorView{}, err
	}
	if err := b.finish("a monitor"); err != nil {
		return MonitorView{}, err
	}
	// Sealed values open in one place only: the copy's are sealed anew.
	opened, err := openSettings(m.deps.Sealer, draft.kind, monitorPlace(source), source.Settings)
	if err != nil {
		return MonitorView{}, err
	}
	form.KeepMasked(draft.settings, opened)
	return m.saveNew(ctx, actor, draft, map[string]any{"copy_of": id})
}
