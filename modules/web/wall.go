package web

import (
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// WallPage is a screen of tiles without anything around them.
type WallPage struct {
	Frame
	Heading string
	Tiles   []WallTile
	More    string // what is not shown
	Fit     string // names how small tiles must be for all of them to be seen
	Sum     []CountTile
	Read    When
	Self    string
	Shared  bool // by a link: nobody is logged in
}

// WallTile is a monitor on a wallboard.
type WallTile struct {
	Name  string
	Pill  Pill
	Since string // "4 min 10 s" in this state, or ""
	At    int64  // since when, in milliseconds
}

// wall shows one's own monitors.
func (w *Web) wall(r *request) error {
	tag, group := uptime.CleanLine(r.QueryParam("tag"), 200), uptime.CleanLine(r.QueryParam("group"), 200)
	view, err := w.deps.Manage.Wall(r.Request().Context(), r.actor, tag, group)
	if err != nil {
		return err
	}
	s, err := r.scene(r.t("Wallboard"), "")
	if err != nil {
		return err
	}
	self := "/wall"
	if q := wallQuery(tag, group); q != "" {
		self += "?" + q
	}
	p := wallPage(s, view)
	p.Self, p.Heading = self, s.frame.Instance
	p.Scripts = []string{"js/wall.js"}
	for _, part := range []string{group, tag} {
		if part != "" {
			p.Heading += " · " + part
		}
	}
	return w.showWall(r.Context, p)
}

func wallQuery(tag, group string) string {
	q := url.Values{}
	for key, value := range map[string]string{"tag": tag, "group": group} {
		if value != "" {
			q.Set(key, value)
		}
	}
	return q.Encode()
}

// sharedWall shows what a link lets see to whoever has it.
func (w *Web) sharedWall(c echo.Context) error {
	view, err := w.deps.Manage.SharedWall(c.Request().Context(), c.Param("token"), client(c))
	if err != nil {
		return err
	}
	// Of the instance nothing is said: only what the link is of.
	l := languageOf(c)
	s := &scene{
		frame: Frame{Lang: l, Title: view.Name, Theme: "auto", Version: w.deps.Version},
		loc:   zone(view.Zone), now: w.deps.Clock(), lang: l,
	}
	p := wallPage(s, view)
	p.Shared, p.Heading, p.Self = true, view.Name, "/wall/"+url.PathEscape(c.Param("token"))
	p.Scripts = []string{"js/wall.js"}
	h := c.Response().Header()
	h.Set("X-Robots-Tag", "noindex, nofollow")
	h.Set("Referrer-Policy", "no-referrer")
	return w.showWall(c, p)
}

func (w *Web) showWall(c echo.Context, p WallPage) error {
	block := "layout-bare"
	if isFragment(c.Request()) {
		block = "tiles"
	}
	return w.show(c, http.StatusOK, "wall", block, p)
}

// wallPage draws tiles. Frame counts of its own: the title of a shared wallboard must
// speak of what it shows alone.
func wallPage(s *scene, view manage.WallView) WallPage {
	p := WallPage{Frame: s.frame, Read: s.when(s.now), Fit: fitOf(len(view.Tiles))}
	for _, t := range view.Tiles {
		tile := WallTile{Name: t.Name, Pill: Pill{State: stateOf(t.Status)}}
		if t.Retrying && t.Status != uptime.Down {
			tile.Pill.State = retrying()
		}
		if !t.Since.IsZero() && s.now.Sub(t.Since) >= time.Second {
			tile.Since, tile.At = s.lang.Span(s.now.Sub(t.Since)), t.Since.UnixMilli()
		}
		p.Tiles = append(p.Tiles, tile)
	}
	for _, c := range countTiles(view.Counts) {
		if c.N > 0 {
			p.Sum = append(p.Sum, c)
		}
	}
	if shown := int64(len(view.Tiles)); shown < uptime.StatusCounts(view.Counts).Total() {
		p.More = s.lang.N(shown, "%s shown, the worst", "%s shown, the worst")
	}
	p.Down, p.Favicon = view.Counts[uptime.Down], faviconOf(view.Counts)
	return p
}

// fitOf chooses the size of tiles, so that a wide screen holds them all: "1" are as big
// as can be.
func fitOf(n int) string {
	for _, step := range []struct {
		most int
		fit  string
	}{{1, "1"}, {4, "2"}, {9, "3"}, {20, "4"}, {42, "5"}, {90, "6"}, {200, "7"}} {
		if n <= step.most {
			return step.fit
		}
	}
	return "8"
}
