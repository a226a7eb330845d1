package manage

import (
	"context"
	"encoding/json"
	"time"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

const (
	maxSilenceNote = 500
	leastSilence   = time.Minute
)

// SilenceMonitor takes {"for":"1h"} or {"until":"…"}, and "note". Until then nobody is told of
// the monitor; checks and incidents go on. One that is silenced gets the new end.
func (m *Manage) SilenceMonitor(ctx context.Context, actor uptime.Actor, id int64, raw json.RawMessage) (MonitorView, error) {
	if err := m.permit(actor, ChangeMonitor); err != nil {
		return MonitorView{}, err
	}
	b, err := parseBody(raw)
	if err != nil {
		return MonitorView{}, err
	}
	silence := m.readSilence(b, actor)
	if err := b.finish("a silence"); err != nil {
		return MonitorView{}, err
	}
	return m.setSilence(ctx, actor, id, silence)
}

// UnsilenceMonitor ends its silence: what was held is told now. One that is not silenced
// stays as it is.
func (m *Manage) UnsilenceMonitor(ctx context.Context, actor uptime.Actor, id int64) (MonitorView, error) {
	if err := m.permit(actor, ChangeMonitor); err != nil {
		return MonitorView{}, err
	}
	return m.setSilence(ctx, actor, id, uptime.Silence{})
}

func (m *Manage) setSilence(ctx context.Context, actor uptime.Actor, id int64, silence uptime.Silence) (MonitorView, error) {
	saved, err := m.deps.Silences.SilenceMonitor(ctx, actor.WorkspaceID, id, silence, m.silenceAudit(actor, id, silence))
	if err != nil {
		return MonitorView{}, err
	}
	m.announceMonitor(ctx, saved.WorkspaceID, id)
	return m.monitorView(saved), nil
}

func (m *Manage) silenceAudit(actor uptime.Actor, id int64, silence uptime.Silence) *uptime.Audit {
	if silence.Until.IsZero() {
		return m.audited(actor, "monitor.unsilence", "monitor", id)
	}
	audit := m.audited(actor, "monitor.silence", "monitor", id)
	audit.Detail = detail(map[string]any{"until": silence.Until, "note": silence.Note})
	return audit
}

// readSilence reads until when and why, and notes what cannot be used.
func (m *Manage) readSilence(b *body, actor uptime.Actor) uptime.Silence {
	now := m.deps.Clock().Truncate(time.Millisecond)
	s := uptime.Silence{By: actor.Name}
	var length time.Duration
	b.text("note", maxSilenceNote, &s.Note)
	before := len(b.errs)
	lasts, ends := b.duration("for", leastSilence, uptime.MaxSilence, &length), b.moment("until", &s.Until)
	switch {
	case len(b.errs) > before:
	case lasts && ends:
		b.fail("until", "cannot be given together with for")
	case lasts:
		s.Until = now.Add(length)
	case !ends:
		b.fail("for", `is required: for how long, such as "1h", or until when in "until"`)
	case s.Until.Before(now.Add(leastSilence)):
		b.fail("until", "must be at least %s from now", form.FormatDuration(leastSilence))
	case s.Until.After(now.Add(uptime.MaxSilence)):
		b.fail("until", "must be at most %s from now", shortDuration(uptime.MaxSilence))
	}
	return s
}
