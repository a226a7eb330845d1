package web

import (
	"slices"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// GroupTile is how a group of monitors is doing.
type GroupTile struct {
	Name, URL string
	Pill      Pill // the worst state
	Total     int64
	Trouble   []CountTile // what is neither up nor paused
}

// maxTiles bounds the groups of the overview.
const maxTiles = 12

// fillTiles shows the groups that are worst off, where monitors are in groups at all.
func (p *OverviewPage) fillTiles(r *request, s *scene) error {
	if p.None {
		return nil
	}
	groups, total, err := r.web.deps.Manage.GroupHeads(r.Request().Context(), r.actor, uptime.MonitorFilter{}, maxTiles, 0)
	if err != nil || len(groups) == 1 && groups[0].Path == "" {
		return err
	}
	all := readFilter(nil, nil, preferencesOf(s.me))
	for _, g := range groups {
		b := all.block(p.Lang, g, nil)
		tile := GroupTile{Name: b.Name, URL: b.URL, Pill: b.Pill, Total: b.Total}
		for _, c := range b.Counts {
			if c.State.Key != string(uptime.Up) && c.State.Key != string(uptime.Paused) {
				tile.Trouble = append(tile.Trouble, c)
			}
		}
		p.Groups = append(p.Groups, tile)
	}
	p.MoreTiles = max(total-int64(len(groups)), 0)
	return nil
}

// Step of the check-list for new owners.
type Step struct {
	Label, URL string
	Done       bool
}

// fillSteps shows the check-list until its steps are done, or somebody has seen enough.
func (p *OverviewPage) fillSteps(r *request, s *scene) error {
	if !p.CanEdit || preferencesOf(s.me).Started {
		return nil
	}
	list, err := r.web.deps.Manage.Channels(r.Request().Context(), r.actor, uptime.Page{Limit: 20})
	if err != nil {
		return err
	}
	safe, err := r.isSafe(s.me)
	if err != nil {
		return err
	}
	steps := []Step{
		{s.t("Add your first monitor"), "/monitors/new?first=1", !p.None},
		{s.t("Add a channel, so that somebody is told"), "/channels/new", len(list.Items) > 0},
		{s.t("See a message arrive"), "/channels", slices.ContainsFunc(list.Items, hasTold)},
		{s.t("Turn on a second factor or a passkey"), "/settings/security", safe},
	}
	if slices.ContainsFunc(steps, func(step Step) bool { return !step.Done }) {
		p.Steps = steps
	}
	return nil
}

// hasTold reports whether the newest message of a channel has arrived.
func hasTold(c manage.ChannelView) bool {
	return c.LastDelivery != nil && c.LastDelivery.Status == uptime.DeliveryDelivered
}

// isSafe reports whether a password alone lets nobody in: there is a second factor or a
// passkey, or no password here, so that the factor is elsewhere.
func (r *request) isSafe(me manage.UserView) (bool, error) {
	if me.TOTP || !me.Password {
		return true, nil
	}
	keys, err := r.web.deps.Manage.OwnPasskeys(r.Request().Context(), r.actor)
	return len(keys.Items) > 0, err
}

// stepsDone takes the check-list off somebody's overview.
func (w *Web) stepsDone(r *request) error {
	return r.keep("preferences", map[string]any{"getting_started_done": true}, "/")
}
