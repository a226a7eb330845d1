package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// maxBulkIDs is how many ids a body may name; a filter reaches further.
const maxBulkIDs = 5000

// bulkRequest is what somebody asks for.
type bulkRequest struct {
	action bulkAction
	ids    []int64
	filter *uptime.MonitorFilter
	dryRun bool
	set    string // digest of a preview, "" for any
}

// readBulk reads a request, and notes what cannot be used.
func (m *Manage) readBulk(ctx context.Context, actor uptime.Actor, raw json.RawMessage) (bulkRequest, error) {
	var q bulkRequest
	b, err := parseBody(raw)
	if err != nil {
		return q, err
	}
	if !choice(b, "action", BulkActions(), &q.action.Action) && len(b.errs) == 0 {
		b.fail("action", "is required: one of %s", strings.Join(BulkActions(), ", "))
	}
	b.boolean("dry_run", &q.dryRun)
	b.text("set", 100, &q.set)
	ids, _, named := b.ids("ids", maxBulkIDs)
	q.ids = ids
	if q.filter, err = m.readBulkFilter(b); err != nil {
		return q, err
	}
	if named == (q.filter != nil) && len(b.errs) == 0 {
		b.fail("ids", "is required, or a filter in its place")
	}
	usual, _, err := m.defaultsOf(ctx, actor.WorkspaceID)
	if err != nil {
		return q, err
	}
	q.action.usual = usual
	if err := m.readBulkAction(ctx, actor, b, &q.action); err != nil {
		return q, err
	}
	return q, b.finish("this request")
}

// readBulkAction reads what the action needs; what another one needs is strange to it.
func (m *Manage) readBulkAction(ctx context.Context, actor uptime.Actor, b *body, a *bulkAction) error {
	need := func(name string, given bool) {
		if _, there := b.take(name); !given && !there {
			b.fail(name, "is required")
		}
	}
	switch a.Action {
	case BulkSilence:
		s := m.readSilence(b, actor)
		a.Until, a.Note = &s.Until, s.Note
	case BulkTagAdd, BulkTagRemove:
		need("tag", b.text("tag", maxTagName+maxTagValue+1, &a.Tag))
		readBulkTag(b, "tag", &a.Tag)
	case BulkTagRename:
		need("tag", b.text("tag", maxTagName+maxTagValue+1, &a.Tag))
		readBulkTag(b, "tag", &a.Tag)
		need("to", b.text("to", maxTagName+maxTagValue+1, &a.To))
		readBulkTag(b, "to", &a.To)
	case BulkGroupRename:
		need("group", b.given("group"))
		group := readGroup(b, "group")
		if a.Group = &group; group == "" && len(b.errs) == 0 {
			b.fail("group", "must not be empty")
		}
		need("to", b.given("to"))
		a.To = readGroup(b, "to")
	case BulkChannels:
		return m.readBulkChannels(ctx, actor, b, a)
	case BulkInterval:
		var interval time.Duration
		need("interval", b.duration("interval", m.deps.Config.MinInterval, uptime.MaxInterval, &interval))
		a.Interval = form.Duration(interval)
	case BulkRetries:
		need("failures_before_down", b.whole("failures_before_down", 1, uptime.MaxThreshold, &a.Failures))
	case BulkGroup:
		need("group", b.given("group"))
		group := readGroup(b, "group")
		a.Group = &group
	case BulkDefaults:
		return m.readBulkFrom(b, a)
	}
	return nil
}

// readBulkTag judges a tag that is written as its name, or as name:value.
func readBulkTag(b *body, field string, tag *string) {
	if *tag == "" {
		return
	}
	name, value, has := strings.Cut(*tag, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if *tag = name; has {
		*tag += ":" + value
	}
	raw, err := json.Marshal(map[string]map[string]string{"tags": {name: value}})
	if err != nil {
		return
	}
	one := &body{}
	if json.Unmarshal(raw, &one.fields) == nil {
		readTags(one)
	}
	for _, e := range one.errs {
		b.fail(field, "%s", e.Message)
	}
}

func (m *Manage) readBulkChannels(ctx context.Context, actor uptime.Actor, b *body, a *bulkAction) error {
	a.Mode = channelsSet
	choice(b, "mode", []string{channelsSet, channelsAdd, channelsRemove}, &a.Mode)
	ids, at, given := b.ids("channel_ids", maxChannelIDs)
	if !given && !b.given("channel_ids") {
		b.fail("channel_ids", "is required")
	}
	if a.Mode != channelsSet && given && len(ids) == 0 {
		b.fail("channel_ids", "must have at least 1 entry")
	}
	a.ChannelIDs = ids
	for _, id := range ids {
		_, err := m.deps.Channels.Channel(ctx, actor.WorkspaceID, id)
		switch {
		case errors.Is(err, uptime.ErrNotFound):
			b.fail(fmt.Sprintf("channel_ids[%d]", at[id]), "is not a channel of yours")
		case err != nil:
			return fmt.Errorf("read channel: %w", err)
		}
	}
	return nil
}

// readBulkFilter reads {"status":["down"],"type":["http"],"tag":["team:web"],"group","q",
// "enabled","silenced"}: the names that lists of monitors know.
func (m *Manage) readBulkFilter(b *body) (*uptime.MonitorFilter, error) {
	raw, there := b.take("filter")
	if !there {
		return nil, nil //nolint:nilnil // there is none, and that is no error
	}
	f, in := &uptime.MonitorFilter{}, &body{}
	if !isObject(raw, &in.fields) {
		b.fail("filter", `must be an object such as {"status": ["down"]}`)
		return f, nil
	}
	texts := func(name string, add func(string)) {
		in.list(name, 200, func(path string, raw json.RawMessage) {
			var text string
			if json.Unmarshal(raw, &text) != nil || string(raw) == "null" {
				in.fail(path, "must be a string")
				return
			}
			add(text)
		})
	}
	texts("status", func(s string) { f.Statuses = append(f.Statuses, uptime.Status(s)) })
	texts("type", func(s string) { f.Types = append(f.Types, s) })
	texts("tag", func(s string) {
		name, value, has := strings.Cut(s, ":")
		f.Tags = append(f.Tags, uptime.TagFilter{Name: name, Value: value, HasValue: has})
	})
	in.text("group", 1000, &f.Group)
	in.text("q", 1000, &f.Query)
	switches := func(name string, into **bool) {
		var value bool
		if in.boolean(name, &value) {
			*into = &value
		}
	}
	switches("enabled", &f.Enabled)
	switches("silenced", &f.Silenced)
	err := in.finish("a filter")
	if err == nil {
		err = m.checkFilter(*f)
	}
	return f, b.takeErrors("filter", err)
}

// takeErrors notes what is wrong within a member, and gives back what is another failure.
func (b *body) takeErrors(member string, err error) error {
	told, ok := errors.AsType[*uptime.Error](err)
	if !ok || told.Code != uptime.CodeInvalid {
		return err
	}
	for _, e := range told.Fields {
		b.fail(join(member, e.Field), "%s", e.Message)
	}
	return nil
}

func isObject(raw json.RawMessage, into *map[string]json.RawMessage) bool {
	return json.Unmarshal(raw, into) == nil
}

// chosen gives the ids of the monitors that are asked for, ascending.
func (m *Manage) chosen(ctx context.Context, ws int64, q bulkRequest) ([]int64, error) {
	if q.filter == nil {
		ids := slices.Clone(q.ids)
		slices.Sort(ids)
		return slices.Compact(ids), nil
	}
	ids, err := m.deps.Bulk.MonitorIDs(ctx, ws, *q.filter, uptime.MaxBulk+1)
	if err != nil {
		return nil, err
	}
	if len(ids) > uptime.MaxBulk {
		return nil, uptime.Fail(uptime.CodeConflict, "More than %d monitors match; narrow the filter.", uptime.MaxBulk)
	}
	return ids, nil
}
