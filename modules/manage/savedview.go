package manage

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"monitor/modules/uptime"
)

const (
	maxViewName  = 60
	maxViewQuery = 2000 // bytes
)

// SavedView is a filter of the list of monitors under a name.
type SavedView struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	Query     string    `json:"query"`  // of the list's address: status=down&tag=team%3Aweb
	Shared    bool      `json:"shared"` // with everybody in the workspace
	UserID    int64     `json:"user_id"`
	User      string    `json:"user"` // who made it
	CreatedAt time.Time `json:"created_at"`
	// Deletable by who asks.
	Deletable bool `json:"-"`
}

func (m *Manage) savedView(actor uptime.Actor, v uptime.SavedView) SavedView {
	return SavedView{
		ID: v.ID, Name: v.Name, Query: v.Query, Shared: v.Shared, UserID: v.UserID, User: v.Maker, CreatedAt: v.CreatedAt.UTC(),
		Deletable: m.permitView(actor, v) == nil,
	}
}

// permitView says why the actor may not delete the view.
func (m *Manage) permitView(actor uptime.Actor, v uptime.SavedView) error {
	if v.UserID == actor.UserID {
		return m.permit(actor, SaveView)
	}
	return m.permit(actor, ManageViews)
}

// ViewKeys are the parts of the list's address that a view may keep.
func ViewKeys() []string {
	return []string{"q", "status", "type", "group", "tag", "sort", "dir", "size", "view"}
}

// Views lists the actor's saved views and those that are shared, by name.
func (m *Manage) Views(ctx context.Context, actor uptime.Actor) (uptime.List[SavedView], error) {
	if err := m.permit(actor, Read); err != nil {
		return uptime.List[SavedView]{}, err
	}
	views, err := m.deps.Views.Views(ctx, actor.WorkspaceID, actor.UserID)
	if err != nil {
		return uptime.List[SavedView]{}, err
	}
	out := uptime.List[SavedView]{Items: make([]SavedView, 0, len(views))}
	for _, v := range views {
		out.Items = append(out.Items, m.savedView(actor, v))
	}
	return out, nil
}

// CreateView takes {"name","query","shared"}. CodeConflict for who has 50 of them.
func (m *Manage) CreateView(ctx context.Context, actor uptime.Actor, raw json.RawMessage) (SavedView, error) {
	if err := m.permit(actor, SaveView); err != nil {
		return SavedView{}, err
	}
	if actor.UserID == 0 {
		return SavedView{}, uptime.Fail(uptime.CodeForbidden, "A saved view belongs to a user; log in as one.")
	}
	b, err := parseBody(raw)
	if err != nil {
		return SavedView{}, err
	}
	v := uptime.SavedView{WorkspaceID: actor.WorkspaceID, UserID: actor.UserID}
	b.required("name", maxViewName, &v.Name)
	readViewQuery(b, &v.Query)
	if b.boolean("shared", &v.Shared) && v.Shared {
		if err := m.permit(actor, ShareView); err != nil {
			return SavedView{}, err
		}
	}
	b.readOnly("id", "user_id", "user", "created_at")
	if err := b.finish("a saved view"); err != nil {
		return SavedView{}, err
	}
	audit := m.audited(actor, "view.create", "view", 0)
	audit.Detail = detail(map[string]any{"name": v.Name, "query": v.Query, "shared": v.Shared})
	saved, err := m.deps.Views.CreateView(ctx, v, audit)
	if err != nil {
		return SavedView{}, err
	}
	return m.savedView(actor, saved), nil
}

// readViewQuery reads a query and writes it as it is always written.
func readViewQuery(b *body, into *string) {
	var text string
	if !b.text("query", maxViewQuery, &text) {
		return
	}
	values, err := url.ParseQuery(strings.TrimPrefix(text, "?"))
	if err != nil {
		b.fail("query", "must be the query of an address such as status=down&tag=team%%3Aweb")
		return
	}
	for key := range values {
		if !slices.Contains(ViewKeys(), key) {
			b.fail("query", "may have %s; %q is none of these", strings.Join(ViewKeys(), ", "), fieldName(key))
			return
		}
	}
	if *into = values.Encode(); len(*into) > maxViewQuery {
		b.fail("query", "must be at most %d bytes", maxViewQuery)
	}
}

// DeleteView removes a view: one's own, or a shared one where they may.
func (m *Manage) DeleteView(ctx context.Context, actor uptime.Actor, id int64) error {
	if err := m.permit(actor, SaveView); err != nil {
		return err
	}
	v, err := m.deps.Views.View(ctx, actor.WorkspaceID, actor.UserID, id)
	if err != nil {
		return err
	}
	if err := m.permitView(actor, v); err != nil {
		return err
	}
	audit := m.audited(actor, "view.delete", "view", id)
	audit.Detail = detail(map[string]any{"name": v.Name, "shared": v.Shared})
	return m.deps.Views.DeleteView(ctx, actor.WorkspaceID, id, audit)
}
