package web

import (
	"strconv"
	"strings"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// ViewMenu is the saved views of a list and the form that saves this one.
type ViewMenu struct {
	Mine, Shared []ViewLink
	Query        string // of this view
	CanShare     bool
}

// ViewLink leads to a saved view.
type ViewLink struct {
	Label, URL string
	By         string // who made it, "" oneself
	Delete     string // where it is deleted, "" where one may not
	Current    bool
}

func (r *request) viewMenu(f Filter) (ViewMenu, error) {
	uses := r.web.deps.Manage
	list, err := uses.Views(r.Request().Context(), r.actor)
	if err != nil {
		return ViewMenu{}, err
	}
	kept := f
	kept.Page = 1
	query := kept.values()
	query.Set("view", f.View) // others are used to another one
	m := ViewMenu{Query: query.Encode(), CanShare: uses.Can(r.actor, manage.ShareView)}
	for _, v := range list.Items {
		link := ViewLink{Label: v.Name, URL: "/monitors?" + v.Query, Current: v.Query == m.Query}
		if v.Deletable {
			link.Delete = "/monitors/views/" + strconv.FormatInt(v.ID, 10) + "/delete"
		}
		if v.UserID != r.actor.UserID {
			link.By = v.User
		}
		if v.Shared {
			m.Shared = append(m.Shared, link)
		} else {
			m.Mine = append(m.Mine, link)
		}
	}
	return m, nil
}

// viewCreate keeps the list as it is under a name.
func (w *Web) viewCreate(r *request) error {
	b := body{}
	for name, value := range map[string]any{
		"name": strings.TrimSpace(r.FormValue("name")), "query": r.FormValue("query"), "shared": r.FormValue("shared") != "",
	} {
		if err := b.set(name, value); err != nil {
			return err
		}
	}
	raw, err := b.json()
	if err != nil {
		return err
	}
	said := "view-saved"
	_, err = w.deps.Manage.CreateView(r.Request().Context(), r.actor, raw)
	if code := uptime.CodeOf(err); code == uptime.CodeInvalid {
		said = "view-name"
	} else if code == uptime.CodeConflict {
		said = "view-many"
	} else if err != nil {
		return err
	}
	return r.done(said, r.back("/monitors"))
}

func (w *Web) viewDelete(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if err := w.deps.Manage.DeleteView(r.Request().Context(), r.actor, id); err != nil {
		return err
	}
	return r.done("view-deleted", r.back("/monitors"))
}
