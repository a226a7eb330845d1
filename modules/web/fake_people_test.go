package web

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (f *fake) Workspace(ctx context.Context, _ uptime.Actor) (uptime.Workspace, error) {
	return f.Instance(ctx)
}

func (f *fake) Workspaces(context.Context, uptime.Actor) (uptime.List[manage.WorkspaceView], error) {
	return uptime.List[manage.WorkspaceView]{Items: []manage.WorkspaceView{
		{ID: 1, Name: "Shop", TimeZone: "Europe/Berlin", Role: f.role, Current: true},
		{ID: 2, Name: hostile, TimeZone: "UTC", Role: uptime.RoleViewer},
	}}, f.broken
}

func (f *fake) CreateWorkspace(_ context.Context, _ uptime.Actor, body json.RawMessage) (manage.WorkspaceView, error) {
	return manage.WorkspaceView{ID: 3}, f.change(body)
}

func (f *fake) UpdateWorkspace(_ context.Context, _ uptime.Actor, id int64, patch json.RawMessage) (manage.WorkspaceView, error) {
	return manage.WorkspaceView{ID: id}, f.change(patch)
}

func (f *fake) DeleteWorkspace(_ context.Context, _ uptime.Actor, id int64) error {
	return f.change(json.RawMessage(fmt.Sprintf(`{"deleted":%d}`, id)))
}

func (f *fake) EnterWorkspace(_ context.Context, _ uptime.Actor, id int64) error {
	return f.change(json.RawMessage(fmt.Sprintf(`{"entered":%d}`, id)))
}

func samplePeople() []manage.UserView {
	seen := sampleNow().Add(-3 * time.Hour)
	since := sampleNow().AddDate(0, -2, 0)
	return []manage.UserView{
		{ID: 1, Email: "mia@example.com", Name: "Mia Berg", Role: uptime.RoleOwner, TOTP: true, LastSeenAt: &seen, CreatedAt: since},
		{ID: 2, Email: "noa@example.com", Role: uptime.RoleEditor, Invited: true, CreatedAt: since},
		{ID: 3, Email: "sam@example.com", Name: hostile, Role: uptime.RoleViewer, Disabled: true, LastSeenAt: &seen, CreatedAt: since},
		{ID: 4, Email: "a-very-long-address-of-somebody-with-a-long-name@department.subsidiary.example.com", Name: "Wolfeschlegelsteinhausenbergerdorff", Role: uptime.RoleAdmin, TOTP: true, CreatedAt: since},
	}
}

func (f *fake) Users(context.Context, uptime.Actor, uptime.Page) (uptime.List[manage.UserView], error) {
	return uptime.List[manage.UserView]{Items: samplePeople()}, f.broken
}

func (f *fake) User(_ context.Context, _ uptime.Actor, id int64) (manage.UserView, error) {
	for _, u := range samplePeople() {
		if u.ID == id {
			return u, f.broken
		}
	}
	return manage.UserView{}, uptime.ErrNotFound
}

func (f *fake) CreateUser(_ context.Context, _ uptime.Actor, body json.RawMessage) (manage.UserView, string, error) {
	return manage.UserView{ID: 9, Email: "new@example.com"}, "inv_abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst", f.change(body)
}

func (f *fake) UpdateUser(_ context.Context, _ uptime.Actor, id int64, patch json.RawMessage, _ string) (manage.UserView, error) {
	return manage.UserView{ID: id}, f.change(patch)
}

func (f *fake) DeleteUser(_ context.Context, _ uptime.Actor, id int64) error {
	return f.change(json.RawMessage(fmt.Sprintf(`{"removed":%d}`, id)))
}

func (f *fake) Tokens(context.Context, uptime.Actor, uptime.Page) (uptime.List[manage.TokenView], error) {
	if f.empty {
		return uptime.List[manage.TokenView]{}, f.broken
	}
	used, ends, over := sampleNow().Add(-time.Minute), sampleNow().AddDate(0, 3, 0), sampleNow().AddDate(0, 0, -1)
	return uptime.List[manage.TokenView]{Items: []manage.TokenView{
		{ID: 1, UserID: 1, Name: "deploy", Role: uptime.RoleEditor, Scopes: []string{"read", "write"}, Prefix: "mon_3fka", LastUsedAt: &used, ExpiresAt: &ends},
		{ID: 2, UserID: 1, Name: hostile, Role: uptime.RoleViewer, Scopes: []string{"read"}, Prefix: "mon_abcd", ExpiresAt: &over},
		{ID: 3, UserID: 4, Name: "cron", Role: uptime.RoleViewer, Scopes: []string{"push"}, Prefix: "mon_zzzz"},
	}}, f.broken
}

func (f *fake) CreateToken(_ context.Context, _ uptime.Actor, body json.RawMessage) (manage.TokenView, error) {
	return manage.TokenView{ID: 4, Secret: "mon_abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst"}, f.change(body)
}

func (f *fake) DeleteToken(_ context.Context, _ uptime.Actor, id int64) error {
	return f.change(json.RawMessage(fmt.Sprintf(`{"revoked":%d}`, id)))
}
