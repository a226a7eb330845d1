package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// channelBlock is where a channel's settings stand in its JSON.
const channelBlock = "settings"

// Channel gives one channel. ErrNotFound.
func (m *Manage) Channel(ctx context.Context, actor uptime.Actor, id int64) (ChannelView, error) {
	if err := m.permit(actor, Read); err != nil {
		return ChannelView{}, err
	}
	c, err := m.deps.Channels.Channel(ctx, actor.WorkspaceID, id)
	if err != nil {
		return ChannelView{}, err
	}
	return m.channelView(c), nil
}

// Channels lists them.
func (m *Manage) Channels(ctx context.Context, actor uptime.Actor, p uptime.Page) (uptime.List[ChannelView], error) {
	var none uptime.List[ChannelView]
	if err := m.permit(actor, Read); err != nil {
		return none, err
	}
	p, err := page(p)
	if err != nil {
		return none, err
	}
	list, err := m.deps.Channels.Channels(ctx, actor.WorkspaceID, p)
	if err != nil {
		return none, err
	}
	return mapList(list, m.channelView), nil
}

// channelDraft is a channel as a body describes it.
type channelDraft struct {
	uptime.Channel
	kind     uptime.Kind
	settings any // secrets clear or masked
}

func (m *Manage) readChannel(b *body, old *uptime.Channel) channelDraft {
	d := channelDraft{Channel: uptime.Channel{Enabled: true, SendResolved: true}}
	b.required("name", uptime.MaxNameLength, &d.Name)
	known := m.readChannelType(b, old, &d)
	b.boolean("enabled", &d.Enabled)
	b.boolean("is_default", &d.IsDefault)
	b.boolean("send_resolved", &d.SendResolved)
	b.boolean("send_degraded", &d.SendDegraded)
	b.id("fallback_channel_id", &d.FallbackChannelID)
	raw, _ := b.take(channelBlock)
	if known {
		d.settings = readSettings(b, channelBlock, raw, d.kind, d.kind.New())
		var stored any
		if old != nil {
			stored, _ = storedSettings(d.kind, old.Settings)
		}
		checkMasks(b, channelBlock, d.settings, stored)
	}
	b.readOnly("id", "disabled_reason", "target", "used_by", "last_delivery", "endpoint", "created_at", "updated_at")
	return d
}

func (m *Manage) readChannelType(b *body, old *uptime.Channel, d *channelDraft) bool {
	if !b.required("type", uptime.MaxNameLength, &d.Type) {
		return false
	}
	kind, ok := m.deps.ChannelKinds.Kind(d.Type)
	switch {
	case old != nil && d.Type != old.Type:
		b.fail("type", "cannot change; it is %s", old.Type)
		return false
	case !ok:
		b.fail("type", "must be one of %s", strings.Join(kindNames(m.deps.ChannelKinds), ", "))
		return false
	}
	d.kind = kind
	return true
}

// checkFallback notes a fallback that does not exist or is the channel itself.
func (m *Manage) checkFallback(ctx context.Context, b *body, ws, id, fallback int64) error {
	if fallback == 0 {
		return nil
	}
	if fallback == id {
		b.fail("fallback_channel_id", "must not be the channel itself")
		return nil
	}
	_, err := m.deps.Channels.Channel(ctx, ws, fallback)
	if errors.Is(err, uptime.ErrNotFound) {
		b.fail("fallback_channel_id", "is not a channel of yours")
		return nil
	}
	if err != nil {
		return fmt.Errorf("read fallback channel: %w", err)
	}
	return nil
}

// CreateChannel takes the JSON of a channel.
func (m *Manage) CreateChannel(ctx context.Context, actor uptime.Actor, raw json.RawMessage) (ChannelView, error) {
	if err := m.permit(actor, ChangeChannel); err != nil {
		return ChannelView{}, err
	}
	b, err := parseBody(raw)
	if err != nil {
		return ChannelView{}, err
	}
	draft := m.readChannel(b, nil)
	if err := m.checkFallback(ctx, b, actor.WorkspaceID, 0, draft.FallbackChannelID); err != nil {
		return ChannelView{}, err
	}
	if err := b.finish("a channel"); err != nil {
		return ChannelView{}, err
	}
	c := draft.Channel
	c.WorkspaceID, c.RowKey = actor.WorkspaceID, m.deps.Random()
	if err := sealSettings(m.deps.Sealer, draft.kind, channelPlace(c), draft.settings, nil); err != nil {
		return ChannelView{}, err
	}
	c.Settings = form.Encode(draft.settings)
	audit := m.audited(actor, "channel.create", "channel", 0)
	audit.Detail = detail(map[string]any{"name": c.Name, "type": c.Type})
	saved, err := m.deps.Channels.CreateChannel(ctx, c, audit)
	if err != nil {
		return ChannelView{}, err
	}
	return m.channelView(saved), nil
}

// PatchChannel applies a JSON Merge Patch. Switching a channel on forgets why it
// was switched off; switching it off cancels its deliveries.
func (m *Manage) PatchChannel(ctx context.Context, actor uptime.Actor, id int64, patch json.RawMessage, ifMatch string) (ChannelView, error) {
	if err := m.permit(actor, ChangeChannel); err != nil {
		return ChannelView{}, err
	}
	old, err := m.deps.Channels.Channel(ctx, actor.WorkspaceID, id)
	if err != nil {
		return ChannelView{}, err
	}
	if err := checkMatch(ifMatch, old.Version); err != nil {
		return ChannelView{}, err
	}
	b, draft, err := m.patchedChannel(old, patch)
	if err != nil {
		return ChannelView{}, err
	}
	if err := m.checkFallback(ctx, b, actor.WorkspaceID, id, draft.FallbackChannelID); err != nil {
		return ChannelView{}, err
	}
	if err := b.finish("a channel"); err != nil {
		return ChannelView{}, err
	}
	audit := m.audited(actor, "channel.update", "channel", id)
	saved, err := m.deps.Channels.UpdateChannel(ctx, actor.WorkspaceID, id, func(stored *uptime.Channel) error {
		if err := checkMatch(ifMatch, stored.Version); err != nil {
			return err
		}
		b, draft, err := m.patchedChannel(*stored, patch)
		if err != nil {
			return err
		}
		if err := b.finish("a channel"); err != nil {
			return err
		}
		return m.applyChannel(stored, draft, audit)
	}, audit)
	if err != nil {
		return ChannelView{}, err
	}
	m.announce(ctx, notice(uptime.TopicOutbox, saved.WorkspaceID, 0))
	return m.channelView(saved), nil
}

func (m *Manage) patchedChannel(old uptime.Channel, patch json.RawMessage) (*body, channelDraft, error) {
	base, err := json.Marshal(m.channelView(old))
	if err != nil {
		return nil, channelDraft{}, fmt.Errorf("write channel: %w", err)
	}
	b, asked, err := mergePatch(base, patch)
	if err != nil {
		return nil, channelDraft{}, err
	}
	if kind, ok := m.deps.ChannelKinds.Kind(old.Type); ok {
		strangeNulls(b, asked, channelBlock, kind)
	}
	return b, m.readChannel(b, &old), nil
}

func (m *Manage) applyChannel(stored *uptime.Channel, draft channelDraft, audit *uptime.Audit) error {
	before := *stored
	old, err := storedSettings(draft.kind, stored.Settings)
	if err != nil {
		old = draft.kind.New()
	}
	if err := sealSettings(m.deps.Sealer, draft.kind, channelPlace(*stored), draft.settings, old); err != nil {
		return err
	}
	if settings := form.Encode(draft.settings); string(settings) != string(form.Encode(old)) {
		stored.Settings = settings
	}
	stored.Name, stored.IsDefault, stored.FallbackChannelID = draft.Name, draft.IsDefault, draft.FallbackChannelID
	stored.SendResolved, stored.SendDegraded = draft.SendResolved, draft.SendDegraded
	if draft.Enabled && !stored.Enabled {
		stored.DisabledReason = ""
	}
	stored.Enabled = draft.Enabled
	audit.Detail = changes(m.channelMembers(before, false), m.channelMembers(*stored, false),
		m.channelMembers(before, true), m.channelMembers(*stored, true))
	return nil
}

// channelMembers gives a channel's JSON members, masked or with its sealed
// settings.
func (m *Manage) channelMembers(c uptime.Channel, masked bool) map[string]json.RawMessage {
	c.LastDelivery = nil
	view := m.channelView(c)
	if !masked {
		view.Settings = c.Settings
	}
	raw, err := json.Marshal(view)
	if err != nil {
		return nil
	}
	var out map[string]json.RawMessage
	if json.Unmarshal(raw, &out) != nil {
		return nil
	}
	return out
}

// DeleteChannel removes it from every monitor and cancels its deliveries.
func (m *Manage) DeleteChannel(ctx context.Context, actor uptime.Actor, id int64, ifMatch string) error {
	if err := m.permit(actor, ChangeChannel); err != nil {
		return err
	}
	if ifMatch != "" {
		old, err := m.deps.Channels.Channel(ctx, actor.WorkspaceID, id)
		if err != nil {
			return err
		}
		if err := checkMatch(ifMatch, old.Version); err != nil {
			return err
		}
	}
	if err := m.deps.Channels.DeleteChannel(ctx, actor.WorkspaceID, id, m.audited(actor, "channel.delete", "channel", id)); err != nil {
		return err
	}
	m.announce(ctx, notice(uptime.TopicOutbox, actor.WorkspaceID, 0))
	return nil
}
