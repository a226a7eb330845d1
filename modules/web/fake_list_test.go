package web

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (f *fake) Monitors(_ context.Context, _ uptime.Actor, q uptime.MonitorFilter, p uptime.Page) (uptime.List[manage.MonitorView], error) {
	var out uptime.List[manage.MonitorView]
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.many {
		m := sampleMonitor(i % (len(sampleList()) - 1))
		m.ID = int64(i + 1)
		out.Items = append(out.Items, m)
	}
	if f.many > 0 && p.Limit < f.many && p.Limit == exportPage && p.Cursor == "" {
		out.Items, out.Next = out.Items[:p.Limit], "more"
	}
	for i, s := range sampleList() {
		if f.many == 0 && !f.empty && (len(q.Statuses) == 0 || slices.Contains(q.Statuses, s.status)) && q.Query != "nothing" {
			out.Items = append(out.Items, f.silenced(f.named(sampleMonitor(i))))
		}
	}
	for i := range out.Items {
		if now, changed := f.now[out.Items[i].ID]; changed {
			out.Items[i].Status, out.Items[i].Retrying = now, false
		}
	}
	if q.IDs != nil {
		out.Items = slices.DeleteFunc(out.Items, func(m manage.MonitorView) bool { return !slices.Contains(q.IDs, m.ID) })
	} else if f.now != nil { // the samples are in the order of their ids else
		slices.SortStableFunc(out.Items, func(a, b manage.MonitorView) int { return a.Status.Severity() - b.Status.Severity() })
	}
	return out, nil
}

// named gives a monitor an odd name.
func (f *fake) named(m manage.MonitorView) manage.MonitorView {
	if !f.odd {
		return m
	}
	names := []string{
		"واجهة الدفع في الإنتاج", "🚀 launch pad 🛰️", "支付网关-上海-生产环境-主节点", strings.Repeat("unbroken", 20),
		"בדיקת שרת (גיבוי) v2", "Ω≈ç√∫˜µ≤≥÷ — naïve café", "a", "Zażółć gęślą jaźń", strings.Repeat("many words ", 18), "👩🏽‍💻👨‍👩‍👧‍👦🏳️‍🌈", "..",
	}
	m.Name = names[(m.ID-1)%int64(len(names))]
	m.Group = []string{"", "Shop/EU", "متجر/الدفع"}[m.ID%3]
	m.Tags = map[string]string{"فريق": "الويب", "🔥": "", strings.Repeat("long", 8): "x", "team": "core"}
	return m
}

func (f *fake) CountMonitors(ctx context.Context, a uptime.Actor, q uptime.MonitorFilter) (int64, error) {
	list, err := f.Monitors(ctx, a, q, uptime.Page{})
	return int64(len(list.Items)), err
}

func (f *fake) Facets(ctx context.Context, a uptime.Actor, q uptime.MonitorFilter) (manage.FacetsView, error) {
	out := manage.FacetsView{
		Statuses: map[uptime.Status]int64{}, Types: map[string]int64{"http": 11}, Groups: map[string]int64{"Shop/EU": 9, "Shop/US": 1, hostile: 1, "": 1},
		Tags: []manage.TagCountView{{Name: "env", Value: "prod", Count: 8}, {Name: "team", Value: "core", Count: 5}, {Name: "team", Value: "web", Count: 3}, {Name: hostile, Value: hostile, Count: 1}},
	}
	if f.empty {
		out.Tags, out.Groups = nil, nil
	}
	list, err := f.Monitors(ctx, a, q, uptime.Page{})
	out.Total = max(int64(len(list.Items)), 12*int64(f.many))
	for _, m := range sampleList() {
		out.Statuses[m.status]++
	}
	return out, err
}

func (f *fake) Groups(ctx context.Context, a uptime.Actor, q uptime.MonitorFilter, _, _ int) ([]manage.GroupView, int64, error) {
	list, err := f.Monitors(ctx, a, q, uptime.Page{})
	if err != nil || len(list.Items) == 0 {
		return nil, 0, err
	}
	at := map[string]int{}
	out := []manage.GroupView{}
	for i, m := range list.Items {
		path := m.Group
		if !f.odd {
			path = []string{"Shop/EU", "Shop/US", hostile, ""}[i*4/len(list.Items)]
		}
		if f.many > 0 {
			path = fmt.Sprintf("group %d", i%14)
		}
		if _, ok := at[path]; !ok {
			at[path] = len(out)
			out = append(out, manage.GroupView{Path: path, Worst: m.Status, Counts: uptime.StatusCounts{}})
		}
		g := &out[at[path]]
		g.Counts[m.Status]++
		g.Rows = append(g.Rows, m)
	}
	out = append(out, manage.GroupView{Path: "Warehouse", Worst: uptime.Up, Counts: uptime.StatusCounts{uptime.Up: 412}})
	return out, int64(len(out)), nil
}

func (f *fake) Views(context.Context, uptime.Actor) (uptime.List[manage.SavedView], error) {
	if f.empty {
		return uptime.List[manage.SavedView]{}, f.broken
	}
	return uptime.List[manage.SavedView]{Items: []manage.SavedView{
		{ID: 1, Name: "Down in production", Query: "status=down&tag=env%3Aprod", UserID: 1, User: "Mia Berg", Deletable: true},
		{ID: 2, Name: hostile, Query: "q=%22%3E", UserID: 4, User: "Wolfeschlegelsteinhausenbergerdorff", Shared: true},
	}}, f.broken
}

func (f *fake) CreateView(_ context.Context, _ uptime.Actor, body json.RawMessage) (manage.SavedView, error) {
	return manage.SavedView{ID: 3}, f.change(body)
}

func (f *fake) DeleteView(_ context.Context, _ uptime.Actor, id int64) error {
	return f.change(json.RawMessage(fmt.Sprintf(`{"view":%d}`, id)))
}

func (f *fake) GroupHeads(ctx context.Context, a uptime.Actor, q uptime.MonitorFilter, limit, offset int) ([]manage.GroupView, int64, error) {
	return f.Groups(ctx, a, q, limit, offset)
}

func (f *fake) TagsAndGroups(context.Context, uptime.Actor) (manage.TagsAndGroups, error) {
	return manage.TagsAndGroups{Tags: map[string][]string{"team": {"core", "web"}, hostile: {hostile}}, Groups: []string{"Shop", "Shop/EU", hostile}}, nil
}
