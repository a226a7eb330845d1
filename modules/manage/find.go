package manage

import (
	"context"

	"monitor/modules/uptime"
)

// FoundView is one thing that a search led to. Kind is monitor, incident or channel.
type FoundView struct {
	Kind   string `json:"kind"`
	ID     int64  `json:"id"`
	Title  string `json:"title"`
	Detail string `json:"detail"` // target of a monitor, type of a channel
	Status string `json:"status"` // of a monitor or an incident, "" of a channel

	OfMonitor bool `json:"-"` // an incident that the program opened
}

// maxFound bounds the answer to a search.
const maxFound = 20

// Search finds monitors by name, target, group and tags, incidents by title and channels
// by name: at most limit things (0: 10) that have all the words, the likeliest first.
func (m *Manage) Search(ctx context.Context, actor uptime.Actor, words string, limit int) (uptime.List[FoundView], error) {
	var none uptime.List[FoundView]
	if err := m.permit(actor, Read); err != nil {
		return none, err
	}
	if limit == 0 {
		limit = 10
	}
	b := &body{}
	if hasControl(words, "") || len(words) > 1000 {
		b.fail("q", "must be at most 1000 bytes without control characters")
	}
	if limit < 1 || limit > maxFound {
		b.fail("limit", "must be from 1 to %d", maxFound)
	}
	if err := b.finish("a search"); err != nil {
		return none, err
	}
	found, err := m.deps.Finder.Find(ctx, actor.WorkspaceID, words, limit)
	if err != nil {
		return none, err
	}
	monitors, incidents, channels := foundViews(found)
	// Some room is kept for what is fewer.
	few := min(len(incidents), 2) + min(len(channels), 2)
	list := uptime.List[FoundView]{Items: append([]FoundView{}, monitors[:min(len(monitors), max(limit-few, 1))]...)}
	list.Items = append(list.Items, incidents[:min(len(incidents), max(limit-len(list.Items)-min(len(channels), 2), 0))]...)
	list.Items = append(list.Items, channels[:min(len(channels), limit-len(list.Items))]...)
	return list, nil
}

// FoundByID gives those of the named things that are there, monitors first.
func (m *Manage) FoundByID(ctx context.Context, actor uptime.Actor, ids uptime.FindIDs) ([]FoundView, error) {
	if err := m.permit(actor, Read); err != nil {
		return nil, err
	}
	if len(ids.Monitors)+len(ids.Incidents)+len(ids.Channels) > maxFound {
		return nil, uptime.Invalid(uptime.FieldError{Field: "ids", Message: "must not be so many"})
	}
	found, err := m.deps.Finder.FindByID(ctx, actor.WorkspaceID, ids)
	if err != nil {
		return nil, err
	}
	monitors, incidents, channels := foundViews(found)
	return append(append(monitors, incidents...), channels...), nil
}

func foundViews(found uptime.Finds) (monitors, incidents, channels []FoundView) {
	for _, mon := range found.Monitors {
		monitors = append(monitors, FoundView{Kind: "monitor", ID: mon.ID, Title: mon.Name, Detail: mon.Target, Status: string(mon.Status)})
	}
	for _, inc := range found.Incidents {
		incidents = append(incidents, FoundView{Kind: "incident", ID: inc.ID, Title: inc.Title, Status: string(inc.Status), OfMonitor: inc.MonitorID != 0})
	}
	for _, c := range found.Channels {
		channels = append(channels, FoundView{Kind: "channel", ID: c.ID, Title: c.Name, Detail: c.Type})
	}
	return monitors, incidents, channels
}

// Neighbour gives the monitor after one in the order of a list, or before it; 0 where
// there is none. ErrNotFound.
func (m *Manage) Neighbour(ctx context.Context, actor uptime.Actor, id int64, f uptime.MonitorFilter, before bool) (int64, error) {
	if err := m.permit(actor, Read); err != nil {
		return 0, err
	}
	if err := m.checkFilter(f); err != nil {
		return 0, err
	}
	return m.deps.Finder.Neighbour(ctx, actor.WorkspaceID, id, f, before)
}
