package web

import (
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// Frame is what every page has around its content.
type Frame struct {
	Lang     *lang.Language
	Title    string
	Instance string
	Version  string
	Nav      []NavItem
	Crumbs   []Crumb
	Me       *Me // nil: nobody is logged in
	Theme    string
	Down     int64 // monitors
	Favicon  string
	Flash    *Told
	Here     string // path and query, to come back to
	// Workspace is the one that the page is of; forms say so.
	Workspace int64
	Live      bool     // refreshes itself
	Heard     string   // the newest event that was heard before the page was read
	Keys      string   // "on", or "off": no single letter does anything
	Scripts   []string // more of them, as assets
	CanEdit   bool     // monitors, channels, incidents
	// Conditions are what is wrong with the program itself, for who is logged in.
	Conditions []uptime.Condition
}

// NavItem is an entry of the navigation.
type NavItem struct {
	Label, URL, Icon string
	Key              string // that goes there after g
	Current          bool
	Count            int64
	CountOf          string // in English, for scripts
	CountWord        string
}

// Crumb is a step of the way to a page; the last one has no URL.
type Crumb struct{ Label, URL string }

// Me is who is logged in.
type Me struct {
	Name, Email, Initials, Role string
	Elsewhere                   bool // they belong to other workspaces, too
}

// Flash tells what was just done.
type Flash struct {
	State string // as in State.Key
	Icon  string
	Text  string
}

// Told is a flash with the way back.
type Told struct {
	Flash
	Undo string // where a form that takes it back is sent, "" for none
}

// Head is the title of the browser's tab.
func (f Frame) Head() string {
	head := f.Title
	if f.Instance != "" {
		head += " · " + f.Instance
	}
	if f.Down > 0 {
		head = f.Lang.T("title|(%s down) %s", f.Lang.Figure(f.Down), head)
	}
	return head
}

// zone loads a time zone; one that is not known is UTC.
func zone(names ...string) *time.Location {
	for _, name := range names {
		if name == "" {
			continue
		}
		if loc, err := time.LoadLocation(name); err == nil {
			return loc
		}
	}
	return time.UTC
}

// scene is a request with what pages of somebody who is logged in need: who,
// where and how things stand.
type scene struct {
	frame  Frame
	me     manage.UserView
	counts manage.Counts
	open   int64 // incidents
	loc    *time.Location
	now    time.Time
	lang   *lang.Language
}

// when makes a moment of the person's zone.
func (s *scene) when(t time.Time) When { return When{At: t, Now: s.now, Loc: s.loc, Lang: s.lang} }

// whenPtr is when of a moment that may not have been.
func (s *scene) whenPtr(t *time.Time) When {
	if t == nil {
		return s.when(time.Time{})
	}
	return s.when(*t)
}

// scene reads it. nav is the entry of the navigation that is current.
func (r *request) scene(title, nav string, crumbs ...Crumb) (*scene, error) {
	heard, ctx, uses := r.web.heard.Newest(), r.Request().Context(), r.web.deps.Manage
	me, err := uses.Me(ctx, r.actor)
	if err != nil {
		return nil, err
	}
	ws, err := uses.Workspace(ctx, r.actor)
	if err != nil {
		return nil, err
	}
	counts, err := uses.Counts(ctx, r.actor)
	if err != nil {
		return nil, err
	}
	open, err := uses.CountIncidents(ctx, r.actor, uptime.IncidentFilter{Unresolved: true})
	if err != nil {
		return nil, err
	}
	s := &scene{me: me, counts: counts, open: open, loc: zone(me.TimeZone, ws.TimeZone), now: r.now, lang: r.lang()}
	s.frame = Frame{
		Lang: s.lang, Title: title, Instance: ws.Name, Workspace: ws.ID, Version: r.web.deps.Version,
		Nav: navigation(s.lang, nav, counts[uptime.Down], open), Crumbs: append(crumbs, Crumb{Label: title}),
		Me: meOf(me), Theme: themeOf(me.Theme), Keys: keysOf(me), Down: counts[uptime.Down], Favicon: faviconOf(counts),
		Flash: r.web.takeFlash(r.Context), Here: r.Request().URL.RequestURI(),
		CanEdit: uses.Can(r.actor, manage.ChangeMonitor), Heard: heard, Conditions: r.web.conditions(ctx),
	}
	return s, nil
}

// navigation has the entry that is named in English as the current one.
func navigation(l *lang.Language, current string, down, open int64) []NavItem {
	items := []NavItem{
		{Label: "Overview", URL: "/", Icon: "home", Key: "o"},
		{Label: "Monitors", URL: "/monitors", Icon: "pulse", Key: "m", Count: down, CountOf: "down", CountWord: l.T("count|down")},
		{Label: "Incidents", URL: "/incidents", Icon: "flag", Key: "i", Count: open, CountOf: "open", CountWord: l.T("count|open")},
		{Label: "Channels", URL: "/channels", Icon: "bell", Key: "c"},
		{Label: "Settings", URL: "/settings/profile", Icon: "gear", Key: "s"},
	}
	for i := range items {
		items[i].Current = items[i].Label == current
		items[i].Label = l.T(items[i].Label)
	}
	return items
}

// keysOf says whether single letters do something on the person's pages (WCAG 2.1.4).
func keysOf(me manage.UserView) string {
	if preferencesOf(me).Shortcuts {
		return "on"
	}
	return "off"
}

func meOf(u manage.UserView) *Me {
	name := u.Name
	if name == "" {
		name = u.Email
	}
	return &Me{Name: name, Email: u.Email, Initials: initials(name), Role: string(u.Role), Elsewhere: u.Elsewhere}
}

// initials are the first letters of the first two words.
func initials(name string) string {
	var out []rune
	for word := range strings.FieldsSeq(name) {
		if len(out) < 2 {
			out = append(out, []rune(word)[0])
		}
	}
	return strings.ToUpper(string(out))
}

func themeOf(t string) string {
	if t == "light" || t == "dark" {
		return t
	}
	return "auto"
}

func faviconOf(c manage.Counts) string {
	switch {
	case c[uptime.Down] > 0:
		return "favicon-down.svg"
	case c[uptime.Up]+c[uptime.Degraded]+c[uptime.Maintenance] > 0:
		return "favicon-up.svg"
	}
	return "favicon-unknown.svg"
}

// outside is the frame of pages for people who are not logged in.
func (w *Web) outside(c echo.Context, title string) Frame {
	l := languageOf(c)
	f := Frame{Lang: l, Title: title, Version: w.deps.Version, Theme: "auto", Favicon: "favicon-unknown.svg", Flash: w.takeFlash(c)}
	if ws, err := w.deps.Manage.Instance(c.Request().Context()); err == nil {
		f.Instance = ws.Name
	}
	return f
}
