package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// CreateMonitor takes the JSON of a monitor. CodeInvalid names every field that
// cannot be used; CodeConflict when the external key is taken.
func (m *Manage) CreateMonitor(ctx context.Context, actor uptime.Actor, raw json.RawMessage) (MonitorView, error) {
	if err := m.permit(actor, ChangeMonitor); err != nil {
		return MonitorView{}, err
	}
	b, err := parseBody(raw)
	if err != nil {
		return MonitorView{}, err
	}
	return m.createMonitor(ctx, actor, b)
}

func (m *Manage) createMonitor(ctx context.Context, actor uptime.Actor, b *body) (MonitorView, error) {
	usual, _, err := m.defaultsOf(ctx, actor.WorkspaceID)
	if err != nil {
		return MonitorView{}, err
	}
	draft := m.readMonitor(b, nil, usual)
	if err := m.checkChannels(ctx, actor.WorkspaceID, b, &draft); err != nil {
		return MonitorView{}, err
	}
	if err := b.finish("a monitor"); err != nil {
		return MonitorView{}, err
	}
	return m.saveNew(ctx, actor, draft, map[string]any{})
}

// saveNew stores a new monitor. told is what the audit log says of it besides what it is.
func (m *Manage) saveNew(ctx context.Context, actor uptime.Actor, draft monitorDraft, told map[string]any) (MonitorView, error) {
	mon := draft.Monitor
	mon.WorkspaceID, mon.RowKey = actor.WorkspaceID, m.deps.Random()
	mon.CheckAt = uptime.SpreadChecks(m.deps.Clock(), mon.Interval, 0, 1)
	if err := m.fillSettings(&mon, draft, nil); err != nil {
		return MonitorView{}, err
	}
	audit := m.audited(actor, "monitor.create", "monitor", 0)
	told["name"], told["type"], told["target"] = mon.Name, mon.Type, mon.Target
	audit.Detail = detail(told)
	saved, err := m.deps.Monitors.CreateMonitor(ctx, mon, audit)
	if err != nil {
		return MonitorView{}, keyTaken(err, mon.ExternalKey)
	}
	m.announce(ctx, notice(uptime.TopicMonitor, saved.WorkspaceID, saved.ID))
	return m.monitorView(saved), nil
}

// keyTaken says in words what a unique key found.
func keyTaken(err error, key string) error {
	if errors.Is(err, uptime.ErrConflict) && uptime.CodeOf(err) == uptime.CodeConflict {
		return &uptime.Error{
			Code: uptime.CodeConflict, Detail: uptime.Say("Another monitor has the external key %q.", key),
			Fields: []uptime.FieldError{{Field: "external_key", Message: "is taken by another monitor"}}, Err: err,
		}
	}
	return err
}

// fillSettings seals the draft's settings and draws the target from them. old
// are the stored settings, nil for a new monitor.
func (m *Manage) fillSettings(mon *uptime.Monitor, draft monitorDraft, old any) error {
	if err := sealSettings(m.deps.Sealer, draft.kind, monitorPlace(*mon), draft.settings, old); err != nil {
		return err
	}
	mon.Settings = form.Encode(draft.settings)
	mon.Target = ""
	if draft.kind.Target != nil {
		mon.Target = uptime.CleanLine(draft.kind.Target(draft.settings), 2048)
	}
	return nil
}

// checkChannels notes channels that do not exist; where none are named, those
// of new monitors are taken.
func (m *Manage) checkChannels(ctx context.Context, ws int64, b *body, draft *monitorDraft) error {
	if draft.channelAt == nil {
		ids, err := m.deps.Defaults.DefaultChannelIDs(ctx, ws)
		if err != nil {
			return fmt.Errorf("read default channels: %w", err)
		}
		draft.ChannelIDs = slices.Sorted(slices.Values(ids))
		return nil
	}
	for _, id := range draft.ChannelIDs {
		_, err := m.deps.Channels.Channel(ctx, ws, id)
		switch {
		case errors.Is(err, uptime.ErrNotFound):
			b.fail(fmt.Sprintf("channel_ids[%d]", draft.channelAt[id]), "is not a channel of yours")
		case err != nil:
			return fmt.Errorf("read channel: %w", err)
		}
	}
	return nil
}

// ReplaceMonitor sets the whole monitor: what the body leaves out gets its
// default. ifMatch is the header's value, "" for none; CodePrecondition.
func (m *Manage) ReplaceMonitor(ctx context.Context, actor uptime.Actor, id int64, raw json.RawMessage, ifMatch string) (MonitorView, error) {
	return m.changeMonitor(ctx, actor, id, ifMatch, func(uptime.Monitor, monitorDefaults) (*body, error) { return parseBody(raw) })
}

// PatchMonitor applies a JSON Merge Patch (RFC 7396). A new interval takes a
// timeout or retry interval along that nobody ever set.
func (m *Manage) PatchMonitor(ctx context.Context, actor uptime.Actor, id int64, patch json.RawMessage, ifMatch string) (MonitorView, error) {
	return m.changeMonitor(ctx, actor, id, ifMatch, func(old uptime.Monitor, usual monitorDefaults) (*body, error) {
		return m.patchedMonitor(old, patch, usual)
	})
}

func (m *Manage) patchedMonitor(old uptime.Monitor, patch json.RawMessage, usual monitorDefaults) (*body, error) {
	base, err := json.Marshal(m.monitorView(old))
	if err != nil {
		return nil, fmt.Errorf("write monitor: %w", err)
	}
	b, asked, err := mergePatch(base, patch)
	if err != nil {
		return nil, err
	}
	if asked.given("interval") {
		if !asked.given("timeout") && old.Timeout == usual.timeoutOf(old.Interval) {
			delete(b.fields, "timeout")
		}
		if !asked.given("retry_interval") && old.RetryInterval == usual.retryOf(old.Interval) {
			delete(b.fields, "retry_interval")
		}
	}
	if kind, ok := m.deps.ProbeKinds.Kind(old.Type); ok {
		strangeNulls(b, asked, old.Type, kind)
	}
	return b, nil
}

// strangeNulls notes members of a settings block that a patch removes though no
// such member exists: the merge alone would hide the mistake.
func strangeNulls(b, asked *body, block string, kind uptime.Kind) {
	var members map[string]json.RawMessage
	if json.Unmarshal(asked.fields[block], &members) != nil {
		return
	}
	var names []string
	for _, field := range form.Fields(kind.New()) {
		names = append(names, field.Name)
	}
	for name, value := range members {
		if string(value) == "null" && !slices.Contains(names, name) {
			b.fail(join(block, fieldName(name)), "is not a field of %s; allowed are %s", block, joined(names))
		}
	}
}

// changeMonitor saves what read makes of the stored monitor. The store may call
// the change again on a newer one; it reads the body anew each time.
func (m *Manage) changeMonitor(ctx context.Context, actor uptime.Actor, id int64, ifMatch string, read func(uptime.Monitor, monitorDefaults) (*body, error)) (MonitorView, error) {
	if err := m.permit(actor, ChangeMonitor); err != nil {
		return MonitorView{}, err
	}
	old, err := m.deps.Monitors.Monitor(ctx, actor.WorkspaceID, id)
	if err != nil {
		return MonitorView{}, err
	}
	if err := checkMatch(ifMatch, old.Version); err != nil {
		return MonitorView{}, err
	}
	// Defaults and channels are looked up here, outside the transaction of the change.
	usual, _, err := m.defaultsOf(ctx, actor.WorkspaceID)
	if err != nil {
		return MonitorView{}, err
	}
	b, err := read(old, usual)
	if err != nil {
		return MonitorView{}, err
	}
	first := m.readMonitor(b, &old, usual)
	if err := m.checkChannels(ctx, actor.WorkspaceID, b, &first); err != nil {
		return MonitorView{}, err
	}
	if err := b.finish("a monitor"); err != nil {
		return MonitorView{}, err
	}
	audit := m.audited(actor, "monitor.update", "monitor", id)
	saved, err := m.deps.Monitors.UpdateMonitor(ctx, actor.WorkspaceID, id, func(stored *uptime.Monitor) error {
		if err := checkMatch(ifMatch, stored.Version); err != nil {
			return err
		}
		b, err := read(*stored, usual)
		if err != nil {
			return err
		}
		draft := m.readMonitor(b, stored, usual)
		if draft.channelAt == nil {
			draft.ChannelIDs = first.ChannelIDs
		}
		if err := b.finish("a monitor"); err != nil {
			return err
		}
		return m.applyDraft(stored, draft, audit)
	}, audit)
	if err != nil {
		return MonitorView{}, keyTaken(err, first.ExternalKey)
	}
	m.announce(ctx, notice(uptime.TopicMonitor, saved.WorkspaceID, saved.ID))
	return m.monitorView(saved), nil
}

// applyDraft moves a draft into the stored monitor.
func (m *Manage) applyDraft(stored *uptime.Monitor, draft monitorDraft, audit *uptime.Audit) error {
	before := *stored
	old, err := storedSettings(draft.kind, stored.Settings)
	if err != nil {
		old = draft.kind.New()
	}
	next := *stored
	next.Name, next.Enabled, next.ExternalKey, next.Group = draft.Name, draft.Enabled, draft.ExternalKey, draft.Group
	next.Interval, next.Timeout, next.RetryInterval = draft.Interval, draft.Timeout, draft.RetryInterval
	next.FailuresBeforeDown, next.SuccessesBeforeUp, next.ResendEvery = draft.FailuresBeforeDown, draft.SuccessesBeforeUp, draft.ResendEvery
	next.Regions, next.MinRegionsDown, next.Tags, next.ChannelIDs = draft.Regions, draft.MinRegionsDown, draft.Tags, draft.ChannelIDs
	keepEqual(&next, before)
	if err := m.fillSettings(&next, draft, old); err != nil {
		return err
	}
	oldSettings := form.Encode(old)
	if string(next.Settings) == string(oldSettings) {
		// Only the spelling differs: leave it, so that nothing has changed.
		next.Settings = stored.Settings
	}
	resumed := next.Enabled && !before.Enabled
	if resumed || next.Interval != before.Interval || string(next.Settings) != string(before.Settings) {
		next.CheckAt = uptime.SpreadChecks(m.deps.Clock(), next.Interval, 0, 1)
	}
	*stored = next
	audit.Detail = changes(m.members(before, false), m.members(next, false), m.members(before, true), m.members(next, true))
	return nil
}

// keepEqual leaves lists as they were where they hold the same: an absent one and
// an empty one are no change.
func keepEqual(next *uptime.Monitor, before uptime.Monitor) {
	if slices.Equal(next.Regions, before.Regions) {
		next.Regions = before.Regions
	}
	if slices.Equal(next.ChannelIDs, before.ChannelIDs) {
		next.ChannelIDs = before.ChannelIDs
	}
	if maps.Equal(next.Tags, before.Tags) {
		next.Tags = before.Tags
	}
}

// members gives a monitor's JSON members, masked or with its sealed settings.
func (m *Manage) members(mon uptime.Monitor, masked bool) map[string]json.RawMessage {
	view := m.monitorView(mon)
	if !masked {
		view.Settings = mon.Settings
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

// UpsertMonitor creates the monitor with the external key or replaces it.
func (m *Manage) UpsertMonitor(ctx context.Context, actor uptime.Actor, externalKey string, raw json.RawMessage, ifMatch string) (v MonitorView, created bool, err error) {
	if err := m.permit(actor, ChangeMonitor); err != nil {
		return MonitorView{}, false, err
	}
	key := &body{}
	switch externalKey = strings.TrimSpace(externalKey); {
	case externalKey == "":
		key.fail("external_key", "must not be empty")
	case !utf8.ValidString(externalKey):
		key.fail("external_key", "must be valid UTF-8")
	}
	if err := key.finish("the path"); err != nil {
		return MonitorView{}, false, err
	}
	read := func(uptime.Monitor, monitorDefaults) (*body, error) { return keyedBody(raw, externalKey) }
	// Somebody may create or delete the same key in between: look twice more.
	for range 3 {
		old, findErr := m.deps.MonitorLists.MonitorByKey(ctx, actor.WorkspaceID, externalKey)
		switch {
		case findErr == nil:
			if v, err = m.changeMonitor(ctx, actor, old.ID, ifMatch, read); !errors.Is(err, uptime.ErrNotFound) {
				return v, false, err
			}
		case !errors.Is(findErr, uptime.ErrNotFound):
			return MonitorView{}, false, fmt.Errorf("find monitor: %w", findErr)
		case ifMatch != "":
			return MonitorView{}, false, uptime.Fail(uptime.CodePrecondition, "No monitor has this external key yet.")
		default:
			b, err := keyedBody(raw, externalKey)
			if err != nil {
				return MonitorView{}, false, err
			}
			v, err := m.createMonitor(ctx, actor, b)
			if !errors.Is(err, uptime.ErrConflict) {
				return v, err == nil, err
			}
		}
	}
	return MonitorView{}, false, uptime.Fail(uptime.CodeConflict, "Somebody else changes this monitor at the same time; try again.")
}

// keyedBody reads a body whose external key is that of the path.
func keyedBody(raw json.RawMessage, key string) (*body, error) {
	b, err := parseBody(raw)
	if err != nil {
		return nil, err
	}
	path, err := json.Marshal(key)
	if err != nil {
		return nil, fmt.Errorf("write external key: %w", err)
	}
	var given string
	if own, there := b.fields["external_key"]; there && json.Unmarshal(own, &given) == nil && given != "" && strings.TrimSpace(given) != key {
		b.fail("external_key", "must be the one in the path")
	}
	b.fields["external_key"] = path
	return b, nil
}

// PauseMonitor stops its checks and resolves its incident. A paused one stays
// as it is.
func (m *Manage) PauseMonitor(ctx context.Context, actor uptime.Actor, id int64) (MonitorView, error) {
	return m.enableMonitor(ctx, actor, id, "monitor.pause", func(mon *uptime.Monitor, _ time.Time) { mon.Enabled = false })
}

// ResumeMonitor checks it at once and from then on. One that is not paused stays
// as it is.
func (m *Manage) ResumeMonitor(ctx context.Context, actor uptime.Actor, id int64) (MonitorView, error) {
	return m.enableMonitor(ctx, actor, id, "monitor.resume", func(mon *uptime.Monitor, now time.Time) {
		if !mon.Enabled {
			mon.Enabled, mon.CheckAt = true, uptime.SpreadChecks(now, mon.Interval, 0, 1)
		}
	})
}

func (m *Manage) enableMonitor(ctx context.Context, actor uptime.Actor, id int64, action string, set func(*uptime.Monitor, time.Time)) (MonitorView, error) {
	if err := m.permit(actor, ChangeMonitor); err != nil {
		return MonitorView{}, err
	}
	saved, err := m.deps.Monitors.UpdateMonitor(ctx, actor.WorkspaceID, id, func(mon *uptime.Monitor) error {
		set(mon, m.deps.Clock())
		return nil
	}, m.audited(actor, action, "monitor", id))
	if err != nil {
		return MonitorView{}, err
	}
	m.announceMonitor(ctx, saved.WorkspaceID, id)
	return m.monitorView(saved), nil
}

// announceMonitor tells of a change that may have resolved an incident, too.
func (m *Manage) announceMonitor(ctx context.Context, ws, id int64) {
	m.announce(ctx, notice(uptime.TopicMonitor, ws, id), notice(uptime.TopicStatus, ws, id), notice(uptime.TopicOutbox, ws, 0))
}

// DeleteMonitor removes it; for 7 days it can be brought back.
func (m *Manage) DeleteMonitor(ctx context.Context, actor uptime.Actor, id int64, ifMatch string) error {
	if err := m.permit(actor, ChangeMonitor); err != nil {
		return err
	}
	audit := m.audited(actor, "monitor.delete", "monitor", id)
	if ifMatch != "" {
		old, err := m.deps.Monitors.Monitor(ctx, actor.WorkspaceID, id)
		if err != nil {
			return err
		}
		if err := checkMatch(ifMatch, old.Version); err != nil {
			return err
		}
	}
	if err := m.deps.Monitors.DeleteMonitor(ctx, actor.WorkspaceID, id, audit); err != nil {
		return err
	}
	m.announceMonitor(ctx, actor.WorkspaceID, id)
	return nil
}

// RestoreMonitor brings a deleted monitor back. CodeConflict when its external
// key is taken by now.
func (m *Manage) RestoreMonitor(ctx context.Context, actor uptime.Actor, id int64) (MonitorView, error) {
	if err := m.permit(actor, ChangeMonitor); err != nil {
		return MonitorView{}, err
	}
	saved, err := m.deps.Monitors.RestoreMonitor(ctx, actor.WorkspaceID, id, m.audited(actor, "monitor.restore", "monitor", id))
	if err != nil {
		if errors.Is(err, uptime.ErrConflict) {
			return MonitorView{}, &uptime.Error{Code: uptime.CodeConflict, Detail: "Its external key is taken by another monitor.", Err: err}
		}
		return MonitorView{}, err
	}
	m.announceMonitor(ctx, saved.WorkspaceID, id)
	return m.monitorView(saved), nil
}
