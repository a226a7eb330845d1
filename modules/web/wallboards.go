package web

import (
	"net/http"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// WallboardsPage is the links that show wallboards without an account.
type WallboardsPage struct {
	Frame
	Tabs    []Link
	Rows    []WallboardRow
	Older   string // URL of the next page, "": this is the end
	Fields  []FieldView
	Link    string // that was just made, "" none
	Problem string
	Summary []ErrorLink
}

// WallboardRow is one link.
type WallboardRow struct {
	ID                   int64
	Name, Prefix, Filter string
	Used, Ends           When
	Over                 bool
}

func (w *Web) wallboards(r *request) error { return r.showWallboards(http.StatusOK, "", nil, nil) }

// showWallboards draws the page; given holds what was typed into a refused form.
func (r *request) showWallboards(status int, link string, given map[string]string, failure error) error {
	s, err := r.scene(r.t("Wallboards"), "Settings", Crumb{r.t("Settings"), "/settings/profile"})
	if err != nil {
		return err
	}
	ctx, uses := r.Request().Context(), r.web.deps.Manage
	list, err := uses.WallShares(ctx, r.actor, uptime.Page{Limit: 100, Cursor: r.QueryParam("cursor")})
	if err != nil {
		return err
	}
	p := WallboardsPage{Frame: s.frame, Tabs: r.settingsTabs("Wallboards"), Link: link}
	for _, v := range list.Items {
		p.Rows = append(p.Rows, s.wallboardRow(v))
	}
	if list.Next != "" {
		p.Older = "/settings/wallboards?cursor=" + list.Next
	}
	known, err := uses.TagsAndGroups(ctx, r.actor)
	if err != nil {
		return err
	}
	p.Fields = wallboardFields(s.lang, known, given)
	blame(s.lang, p.Fields, failure)
	p.Problem, p.Summary = problems(s.lang, failure, p.Fields)
	return r.page(status, "wallboards", "", p)
}

func (s *scene) wallboardRow(v manage.WallShareView) WallboardRow {
	row := WallboardRow{
		ID: v.ID, Name: v.Name, Prefix: v.Prefix, Filter: s.t("every monitor"), Used: s.whenPtr(v.LastUsedAt), Ends: s.whenPtr(v.ExpiresAt),
		Over: v.ExpiresAt != nil && !s.now.Before(*v.ExpiresAt),
	}
	switch {
	case v.Group != "" && v.Tag != "":
		row.Filter = s.t("group %s, tag %s", v.Group, v.Tag)
	case v.Group != "":
		row.Filter = s.t("group %s", v.Group)
	case v.Tag != "":
		row.Filter = s.t("tag %s", v.Tag)
	}
	return row
}

func wallboardFields(l *lang.Language, known manage.TagsAndGroups, given map[string]string) []FieldView {
	ends := FieldView{Name: "expires_at", Label: "Ends", Widget: "select", Options: tokenLives()}
	life := stillTyped(given, "expires_at", "365")
	for i := range ends.Options {
		ends.Options[i].Selected = ends.Options[i].Value == life
		ends.Options[i].Label = l.T(ends.Options[i].Label)
	}
	return []FieldView{
		{Name: "name", Label: "Name", Widget: "input", Type: "text", Autocomplete: "off", MaxLength: 100, Required: true, Value: given["name"], Placeholder: "Office screen", Help: "It is the heading of the wallboard."},
		{Name: "group", Label: "Group", Widget: "select", Options: choices(l.T("All groups"), known.Groups, given["group"])},
		{Name: "tag", Label: "Tag", Widget: "select", Options: choices(l.T("All tags"), tagNames(known.Tags), given["tag"])},
		ends,
	}
}

// tagNames are tags by name, and by name and value.
func tagNames(known map[string][]string) []string {
	var all []string
	for name, values := range known {
		all = append(all, name)
		for _, value := range values {
			if value != "" {
				all = append(all, name+":"+value)
			}
		}
	}
	return all
}

// wallboardCreate makes a link and shows it, once.
func (w *Web) wallboardCreate(r *request) error {
	given := map[string]string{}
	patch := body{}
	for _, name := range []string{"name", "group", "tag", "expires_at"} {
		given[name] = r.FormValue(name)
		if name != "expires_at" {
			if err := patch.set(name, given[name]); err != nil {
				return err
			}
		}
	}
	if end, ends := endOf(given["expires_at"], r.now); ends {
		if err := patch.set("expires_at", end); err != nil {
			return err
		}
	}
	raw, err := patch.json()
	if err != nil {
		return err
	}
	made, failure := w.deps.Manage.CreateWallShare(r.Request().Context(), r.actor, raw)
	if failure == nil {
		return r.showWallboards(http.StatusOK, r.address()+"/wall/"+made.Secret, nil, nil)
	}
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	return r.showWallboards(http.StatusUnprocessableEntity, "", given, failure)
}

func (w *Web) wallboardRevoke(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if err := w.deps.Manage.DeleteWallShare(r.Request().Context(), r.actor, id); err != nil {
		return err
	}
	return r.done("wallboard-revoked", "/settings/wallboards")
}
