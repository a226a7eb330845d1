package manage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// RetentionConfig is what the program's settings say of how long history is kept.
type RetentionConfig struct {
	uptime.Retention

	// Fixed names what the operator has set: "results", "rollups", "incidents". It
	// cannot be chosen on a page.
	Fixed []string
}

// leastKept is the shortest time that history is kept, and mostKept the longest for
// results; the sums may stay for ever.
const (
	leastKept = 24 * time.Hour
	mostKept  = 3650 * 24 * time.Hour
)

// RetentionView is how long history is kept; 0s is for ever.
type RetentionView struct {
	Results   form.Duration `json:"results"`
	Rollups   form.Duration `json:"rollups"`
	Incidents form.Duration `json:"incidents"`
	Fixed     []string      `json:"fixed"`
	// Changeable: this is the workspace in which it is chosen, for all of them.
	Changeable bool       `json:"changeable"`
	UpdatedAt  *time.Time `json:"updated_at"` // nil: never chosen on a page
	ETag       string     `json:"-"`
}

// chosenRetention is what was saved by people; nil is what they have not chosen.
type chosenRetention struct {
	Results   *form.Duration `json:"results,omitempty"`
	Rollups   *form.Duration `json:"rollups,omitempty"`
	Incidents *form.Duration `json:"incidents,omitempty"`
}

// keep is what the settings say, and what people chose where these say nothing.
func (c RetentionConfig) keep(chosen chosenRetention) uptime.Retention {
	r := c.Retention
	for _, part := range []struct {
		name   string
		chosen *form.Duration
		into   *time.Duration
	}{{"results", chosen.Results, &r.Results}, {"rollups", chosen.Rollups, &r.Rollups}, {"incidents", chosen.Incidents, &r.Incidents}} {
		if part.chosen != nil && !slices.Contains(c.Fixed, part.name) {
			*part.into = time.Duration(*part.chosen)
		}
	}
	return r
}

func (m *Manage) retentionOf(ctx context.Context, ws int64) (chosenRetention, uptime.Setting, error) {
	var chosen chosenRetention
	stored, err := m.deps.Settings.Setting(ctx, ws, uptime.SettingRetention)
	if errors.Is(err, uptime.ErrNotFound) {
		return chosen, uptime.Setting{}, nil
	}
	if err == nil {
		err = json.Unmarshal(stored.Value, &chosen)
	}
	if err != nil {
		return chosen, stored, fmt.Errorf("read how long history is kept: %w", err)
	}
	return chosen, stored, nil
}

// KeptHistory is how long history is kept now, for who removes the rest. With an error
// nothing is to be removed: nobody knows what.
func (m *Manage) KeptHistory(ctx context.Context) (uptime.Retention, error) {
	first, err := m.Instance(ctx)
	if err != nil {
		return uptime.Retention{}, err
	}
	chosen, _, err := m.retentionOf(ctx, first.ID)
	if err != nil {
		return uptime.Retention{}, err
	}
	return m.deps.Config.Retention.keep(chosen), nil
}

func (m *Manage) retentionView(chosen chosenRetention, stored uptime.Setting, changeable bool) RetentionView {
	r := m.deps.Config.Retention.keep(chosen)
	return RetentionView{
		Results: form.Duration(r.Results), Rollups: form.Duration(r.Rollups), Incidents: form.Duration(r.Incidents),
		Fixed: orEmpty(m.deps.Config.Retention.Fixed), Changeable: changeable, UpdatedAt: timeOrNil(stored.UpdatedAt), ETag: etag(stored.Version),
	}
}

// Retention gives how long history is kept, of all workspaces.
func (m *Manage) Retention(ctx context.Context, actor uptime.Actor) (RetentionView, error) {
	if err := m.permit(actor, ReadSettings); err != nil {
		return RetentionView{}, err
	}
	first, err := m.Instance(ctx)
	if err != nil {
		return RetentionView{}, err
	}
	chosen, stored, err := m.retentionOf(ctx, first.ID)
	if err != nil {
		return RetentionView{}, err
	}
	return m.retentionView(chosen, stored, actor.WorkspaceID == first.ID), nil
}

// ReplaceRetention sets how long history is kept; what the body leaves out is the
// program's again. What is older by then is removed within the hour, for good.
// CodeConflict from any workspace but the first one, as it counts for all of them;
// CodeInvalid for what the operator has set. ifMatch is the header's value, "" for
// none; CodePrecondition.
func (m *Manage) ReplaceRetention(ctx context.Context, actor uptime.Actor, raw json.RawMessage, ifMatch string) (RetentionView, error) {
	if err := m.permit(actor, ChangeSettings); err != nil {
		return RetentionView{}, err
	}
	b, err := parseBody(raw)
	if err != nil {
		return RetentionView{}, err
	}
	next := m.readRetention(b)
	if err := b.finish("the retention"); err != nil {
		return RetentionView{}, err
	}
	first, err := m.Instance(ctx)
	if err != nil {
		return RetentionView{}, err
	}
	if first.ID != actor.WorkspaceID {
		return RetentionView{}, uptime.Fail(uptime.CodeConflict, "History is kept as long in every workspace, so that is changed in the first one.")
	}
	audit := m.audited(actor, "settings.retention", "workspace", actor.WorkspaceID)
	saved, err := m.deps.Settings.ChangeSetting(ctx, actor.WorkspaceID, uptime.SettingRetention, func(s *uptime.Setting) error {
		if err := checkMatch(ifMatch, s.Version); err != nil {
			return err
		}
		var before chosenRetention
		if len(s.Value) > 0 && json.Unmarshal(s.Value, &before) != nil {
			before = chosenRetention{} // what cannot be read is replaced
		}
		value, err := json.Marshal(next)
		if err != nil {
			return fmt.Errorf("write the retention: %w", err)
		}
		s.Value = value
		was, is := members(m.retentionView(before, *s, true)), members(m.retentionView(next, *s, true))
		audit.Detail = changes(was, is, was, is)
		return nil
	}, audit)
	if err != nil {
		return RetentionView{}, err
	}
	return m.retentionView(next, saved, true), nil
}

func (m *Manage) readRetention(b *body) chosenRetention {
	var next chosenRetention
	c := m.deps.Config.Retention
	for _, part := range []struct {
		name    string
		most    time.Duration
		forever bool
		fixed   time.Duration
		into    **form.Duration
	}{
		{"results", mostKept, false, c.Results, &next.Results},
		{"rollups", time.Duration(1<<63 - 1), true, c.Rollups, &next.Rollups},
		{"incidents", time.Duration(1<<63 - 1), true, c.Incidents, &next.Incidents},
	} {
		least, d := leastKept, time.Duration(0)
		if part.forever {
			least = 0
		}
		if !b.duration(part.name, least, part.most, &d) {
			continue
		}
		switch {
		case d > 0 && d < leastKept:
			b.fail(part.name, "must be 0s (for ever) or at least %s", shortDuration(leastKept))
		case slices.Contains(c.Fixed, part.name) && d != part.fixed:
			b.fail(part.name, "is set by the program's settings (retention.%s) to %s", part.name, shortDuration(part.fixed))
		default:
			value := form.Duration(d)
			*part.into = &value
		}
	}
	b.readOnly("fixed", "changeable", "updated_at")
	return next
}
