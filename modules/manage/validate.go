package manage

import (
	"context"
	"encoding/json"

	"monitor/modules/uptime"
)

// ValidateMonitor judges the JSON of a monitor as saving it would, and saves nothing: for
// forms that tell of a mistake while somebody is still typing. id names the stored one, 0
// for a new one. CodeInvalid names every field that cannot be used.
func (m *Manage) ValidateMonitor(ctx context.Context, actor uptime.Actor, id int64, raw json.RawMessage) error {
	if err := m.permit(actor, ChangeMonitor); err != nil {
		return err
	}
	b, err := parseBody(raw)
	if err != nil {
		return err
	}
	var old *uptime.Monitor
	if id != 0 {
		stored, err := m.deps.Monitors.Monitor(ctx, actor.WorkspaceID, id)
		if err != nil {
			return err
		}
		old = &stored
	}
	usual, _, err := m.defaultsOf(ctx, actor.WorkspaceID)
	if err != nil {
		return err
	}
	draft := m.readMonitor(b, old, usual)
	if err := m.checkChannels(ctx, actor.WorkspaceID, b, &draft); err != nil {
		return err
	}
	return b.finish("a monitor")
}

// ValidateChannel is ValidateMonitor for a channel.
func (m *Manage) ValidateChannel(ctx context.Context, actor uptime.Actor, id int64, raw json.RawMessage) error {
	if err := m.permit(actor, ChangeChannel); err != nil {
		return err
	}
	b, err := parseBody(raw)
	if err != nil {
		return err
	}
	var old *uptime.Channel
	if id != 0 {
		stored, err := m.deps.Channels.Channel(ctx, actor.WorkspaceID, id)
		if err != nil {
			return err
		}
		old = &stored
	}
	draft := m.readChannel(b, old)
	if err := m.checkFallback(ctx, b, actor.WorkspaceID, id, draft.FallbackChannelID); err != nil {
		return err
	}
	return b.finish("a channel")
}
