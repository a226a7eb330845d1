package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// ChannelsPage shows the channels as cards.
type ChannelsPage struct {
	Frame
	Cards []ChannelCard
}

// ChannelCard is one channel.
type ChannelCard struct {
	ID       int64
	Name     string
	Kind     string
	Target   string
	URL      string
	Enabled  bool
	Default  bool
	Disabled string // why the program disabled it
	UsedBy   string
	Last     *DeliveryRow
	Held     *HeldBack
}

// HeldBack says that a channel's endpoint failed so often in a row that messages
// wait while one is tried now and then.
type HeldBack struct {
	Text    string
	RetryAt When
}

func channelURL(id int64) string { return "/channels/" + strconv.FormatInt(id, 10) }

func (w *Web) channels(r *request) error {
	s, err := r.scene(r.t("Channels"), "Channels")
	if err != nil {
		return err
	}
	list, err := w.deps.Manage.Channels(r.Request().Context(), r.actor, uptime.Page{Limit: 200})
	if err != nil {
		return err
	}
	p := ChannelsPage{Frame: s.frame}
	for _, c := range list.Items {
		p.Cards = append(p.Cards, s.channelCard(c, w.deps.Manage.ChannelKinds()))
	}
	return r.page(http.StatusOK, "channels", "", p)
}

func (s *scene) channelCard(c manage.ChannelView, kinds []uptime.Kind) ChannelCard {
	card := ChannelCard{
		ID: c.ID, Name: c.Name, Kind: s.t(kindLabel(kinds, c.Type)), Target: c.Target, URL: channelURL(c.ID),
		Enabled: c.Enabled, Default: c.IsDefault, Disabled: s.lang.Said(c.DisabledReason),
		UsedBy: s.lang.N(int64(c.UsedBy), "Used by %s monitor", "Used by %s monitors"),
	}
	if c.LastDelivery != nil {
		row := s.deliveryRow(*c.LastDelivery)
		card.Last = &row
	}
	if e := c.Endpoint; c.Enabled && (e.State == uptime.BreakerOpen || e.State == uptime.BreakerHalfOpen) {
		card.Held = &HeldBack{
			Text:    s.lang.N(int64(e.ConsecutiveFailures), "%s failure in a row; messages wait and none is lost.", "%s failures in a row; messages wait and none is lost."),
			RetryAt: s.whenPtr(e.RetryAt),
		}
	}
	return card
}

// channelNames gives the names by id.
func (r *request) channelNames() (map[int64]string, error) {
	list, err := r.web.deps.Manage.Channels(r.Request().Context(), r.actor, uptime.Page{Limit: 200})
	if err != nil {
		return nil, err
	}
	names := make(map[int64]string, len(list.Items))
	for _, c := range list.Items {
		names[c.ID] = c.Name
	}
	return names, nil
}

// DeliveryRow is a delivery in any list.
type DeliveryRow struct {
	ID       int64
	State    State
	Event    string // in the catalogue
	Channel  string
	Log      string // URL of the channel's log
	Incident string // URL
	At       When
	Tries    string
	Next     When
	Said     string
	Dead     bool
}

func (s *scene) deliveryRow(d manage.DeliveryView) DeliveryRow {
	row := DeliveryRow{
		ID: d.ID, State: deliveryState(d.Status), Event: eventWord(d.EventType), At: s.when(d.CreatedAt),
		Tries: s.lang.N(int64(len(d.Attempts)), "%s attempt", "%s attempts"), Next: s.whenPtr(d.NextAttemptAt),
		Said: s.lang.Said(d.Reason), Dead: d.Status == uptime.DeliveryDead,
	}
	if d.IncidentID != nil {
		row.Incident = "/incidents/" + strconv.FormatInt(*d.IncidentID, 10)
	}
	if n := len(d.Attempts); n > 0 && row.Said == "" {
		last := d.Attempts[n-1]
		switch {
		case last.Error != "":
			row.Said = s.lang.Said(last.Error)
		case last.StatusCode != nil:
			row.Said = s.t("Answered %s in %s", strconv.Itoa(*last.StatusCode), s.lang.Latency(ms(last.DurationMS)))
		}
	}
	return row
}

// ChannelLogPage is what was sent by a channel.
type ChannelLogPage struct {
	Frame
	Card    ChannelCard
	Rows    []DeliveryRow
	Filters []Link
	Older   string
	Self    string
}

func (w *Web) channelLog(r *request) error {
	c, err := r.storedChannel()
	if err != nil {
		return err
	}
	s, err := r.scene(r.t("Delivery log"), "Channels", Crumb{r.t("Channels"), "/channels"}, Crumb{c.Name, channelURL(c.ID) + "/edit"})
	if err != nil {
		return err
	}
	f := uptime.DeliveryFilter{ChannelID: c.ID}
	base := channelURL(c.ID) + "/log"
	p := ChannelLogPage{Frame: s.frame, Card: s.channelCard(c, w.deps.Manage.ChannelKinds()), Self: base}
	if r.QueryParam("status") == string(uptime.DeliveryDead) {
		f.Status, p.Self = uptime.DeliveryDead, base+"?status=dead"
	}
	p.Filters = []Link{{s.t("deliveries|All"), base, f.Status == ""}, {s.t("deliveries|Failed"), base + "?status=dead", f.Status != ""}}
	list, err := w.deps.Manage.Deliveries(r.Request().Context(), r.actor, f, uptime.Page{Limit: 50, Cursor: r.QueryParam("cursor")})
	if err != nil {
		return err
	}
	for _, d := range list.Items {
		p.Rows = append(p.Rows, s.deliveryRow(d))
	}
	if list.Next != "" {
		p.Older = withCursor(p.Self, list.Next)
	}
	return r.page(http.StatusOK, "channellog", "", p)
}

// storedChannel reads the channel of the path.
func (r *request) storedChannel() (manage.ChannelView, error) {
	id, err := r.id()
	if err != nil {
		return manage.ChannelView{}, err
	}
	return r.web.deps.Manage.Channel(r.Request().Context(), r.actor, id)
}

func (w *Web) channelEnable(r *request) error  { return r.switchChannel(true, "channel-on") }
func (w *Web) channelDisable(r *request) error { return r.switchChannel(false, "channel-off") }

// switchChannel mutes a channel for every monitor, or lets it speak again.
func (r *request) switchChannel(on bool, done string) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	patch := body{}
	if err := patch.set("enabled", on); err != nil {
		return err
	}
	raw, err := patch.json()
	if err != nil {
		return err
	}
	if _, err := r.web.deps.Manage.PatchChannel(r.Request().Context(), r.actor, id, raw, ""); err != nil {
		return err
	}
	return r.done(done, "/channels")
}

func (w *Web) deliveryRetry(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	d, err := w.deps.Manage.RetryDelivery(r.Request().Context(), r.actor, id)
	if err != nil {
		return err
	}
	return r.done("delivery-retried", r.back(channelURL(d.ChannelID)+"/log"))
}

// withCursor of the next part of a list.
func withCursor(base, cursor string) string {
	join := "?"
	if strings.Contains(base, "?") {
		join = "&"
	}
	return base + join + "cursor=" + url.QueryEscape(cursor)
}
