package web

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (f *fake) Search(_ context.Context, _ uptime.Actor, words string, limit int) (uptime.List[manage.FoundView], error) {
	var out uptime.List[manage.FoundView]
	for i, s := range sampleList() {
		if strings.Contains(strings.ToLower(s.name), strings.ToLower(words)) && !f.empty {
			out.Items = append(out.Items, manage.FoundView{Kind: "monitor", ID: int64(i + 1), Title: s.name, Detail: s.target, Status: string(s.status)})
		}
	}
	for _, id := range []int64{1, 2} {
		if inc := sampleIncident(id); strings.Contains(strings.ToLower(inc.Title), strings.ToLower(words)) && !f.empty {
			out.Items = append(out.Items, manage.FoundView{Kind: "incident", ID: id, Title: inc.Title, Status: string(inc.Status), OfMonitor: inc.MonitorID != nil})
		}
	}
	out.Items = out.Items[:min(len(out.Items), limit)]
	return out, f.broken
}

func (f *fake) FoundByID(_ context.Context, _ uptime.Actor, ids uptime.FindIDs) ([]manage.FoundView, error) {
	var out []manage.FoundView
	for _, id := range ids.Monitors {
		if id <= int64(len(sampleList())) {
			s := sampleList()[id-1]
			out = append(out, manage.FoundView{Kind: "monitor", ID: id, Title: s.name, Detail: s.target, Status: string(s.status)})
		}
	}
	return out, f.broken
}

func (f *fake) Neighbour(_ context.Context, _ uptime.Actor, id int64, q uptime.MonitorFilter, before bool) (int64, error) {
	var ids []int64
	for i, s := range sampleList() {
		if len(q.Statuses) == 0 || slices.Contains(q.Statuses, s.status) {
			ids = append(ids, int64(i+1))
		}
	}
	at := slices.Index(ids, id)
	switch {
	case id > int64(len(sampleList())):
		return 0, uptime.ErrNotFound
	case before && at > 0:
		return ids[at-1], nil
	case !before && at+1 < len(ids):
		return ids[at+1], nil
	}
	return 0, nil
}

func (f *fake) Wall(_ context.Context, _ uptime.Actor, tag, _ string) (manage.WallView, error) {
	v := manage.WallView{Zone: "Europe/Berlin", Counts: manage.Counts{}}
	if f.empty || tag == "none" {
		return v, f.broken
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n := max(f.many, len(sampleList()))
	for i := range min(n, manage.MaxTiles) {
		s := sampleList()[i%len(sampleList())]
		status := s.status
		if f.many > 0 {
			status = uptime.Up
		}
		if now, changed := f.now[int64(i+1)]; changed {
			status = now
		}
		t := uptime.Tile{ID: int64(i + 1), Name: s.name, Status: status, Retrying: s.retrying}
		if s.since > 0 {
			t.Since = sampleNow().Add(-s.since)
		}
		v.Tiles = append(v.Tiles, t)
		v.Counts[status]++
	}
	v.Counts[uptime.Up] += int64(n - len(v.Tiles))
	return v, f.broken
}

func (f *fake) SharedWall(ctx context.Context, secret string, _ manage.Client) (manage.WallView, error) {
	if f.failure != nil {
		return manage.WallView{}, f.failure
	}
	if secret != "wall_ok" {
		return manage.WallView{}, uptime.ErrNotFound
	}
	v, err := f.Wall(ctx, uptime.Actor{}, "", "")
	v.Name = "Office " + hostile
	return v, err
}

func (f *fake) WallShares(context.Context, uptime.Actor, uptime.Page) (uptime.List[manage.WallShareView], error) {
	if f.empty {
		return uptime.List[manage.WallShareView]{}, f.broken
	}
	over, later, used := sampleNow().Add(-time.Hour), sampleNow().Add(90*24*time.Hour), sampleNow().Add(-4*time.Minute)
	return uptime.List[manage.WallShareView]{Items: []manage.WallShareView{
		{ID: 1, UserID: 1, Name: "Office screen", Prefix: "wall_3fKx", ExpiresAt: &later, LastUsedAt: &used, CreatedAt: over},
		{ID: 2, UserID: 1, Name: hostile, Tag: "team:web", Group: "Shop/EU", Prefix: "wall_Zz9a", ExpiresAt: &over, CreatedAt: over},
	}}, f.broken
}

func (f *fake) CreateWallShare(_ context.Context, _ uptime.Actor, body json.RawMessage) (manage.WallShareView, error) {
	return manage.WallShareView{ID: 3, Name: "Office", Prefix: "wall_abcd", Secret: "wall_abcdefgh"}, f.change(body)
}

func (f *fake) DeleteWallShare(_ context.Context, _ uptime.Actor, id int64) error {
	if id > 2 {
		return uptime.ErrNotFound
	}
	return f.change(json.RawMessage(`{"revoked":true}`))
}
