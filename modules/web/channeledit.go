package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"monitor/modules/form"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// ChannelForm makes or changes a channel, and tests it.
type ChannelForm struct {
	Frame
	ID       int64 // 0: new
	Heading  string
	Action   string
	ETag     string
	Choose   []KindLink // a kind is still to be chosen
	Type     string
	TypeText string
	TypeHelp string
	What     []FieldView
	More     []FieldView
	MoreOpen bool
	Tell     []FieldView
	Fallback []Option
	Card     *ChannelCard
	Problem  string
	Summary  []ErrorLink
	Conflict *Conflict // somebody else saved it meanwhile
	Test     *ChannelTest
}

// KindLink chooses a kind of channel.
type KindLink struct{ Label, Help, URL string }

// ChannelTest is what the two messages of a test came to.
type ChannelTest struct {
	OK       bool
	Attempts []ChannelTry
	Problem  string
}

// ChannelTry is one message of a test with the endpoint's own words.
type ChannelTry struct {
	State        State
	Event        string // in the catalogue
	Said, Answer string
}

func channelTell() []form.Field {
	return []form.Field{
		{Name: "enabled", Label: "On", Kind: form.KindBool, Help: "Off mutes the channel for every monitor and cancels what waits."},
		{Name: "is_default", Label: "Use for new monitors", Kind: form.KindBool, Help: "It also hears of problems of this program itself."},
		{Name: "send_resolved", Label: "Tell when it is over", Kind: form.KindBool},
		{Name: "send_degraded", Label: "Tell when a monitor is slow", Kind: form.KindBool},
	}
}

func (w *Web) channelNew(r *request) error {
	s, err := r.scene(r.t("Add channel"), "Channels", Crumb{r.t("Channels"), "/channels"})
	if err != nil {
		return err
	}
	known := w.deps.Manage.ChannelKinds()
	name := r.QueryParam("type")
	for _, k := range known {
		if k.Name == name {
			values := defaultsOf("", k.New())
			values["enabled"], values["is_default"], values["send_resolved"] = "on", "on", "on"
			p, err := r.channelForm(s, k, values, nil, nil)
			if err != nil {
				return err
			}
			return r.page(http.StatusOK, "channelform", "", p)
		}
	}
	p := &ChannelForm{Frame: s.frame, Heading: s.frame.Title}
	for _, k := range known {
		p.Choose = append(p.Choose, KindLink{s.t(k.Label), s.t(k.Help), "/channels/new?type=" + url.QueryEscape(k.Name)})
	}
	return r.page(http.StatusOK, "channelform", "", p)
}

// settingsBlock is the name under which errors of a channel's settings come.
const settingsBlock = "settings."

// channelForm draws a channel: values by name, settings without a prefix.
func (r *request) channelForm(s *scene, kind uptime.Kind, values map[string]string, stored *manage.ChannelView, failure error) (*ChannelForm, error) {
	l := r.lang()
	errs, _ := fieldErrors(l, failure)
	p := &ChannelForm{
		Frame: s.frame, Heading: s.frame.Title, Action: "/channels", Type: kind.Name, TypeText: l.T(kind.Label), TypeHelp: l.T(kind.Help),
	}
	p.Scripts = []string{formScript}
	all := map[string]string{}
	for k, v := range values {
		all[k] = v
		all[settingsBlock+k] = v
	}
	name := fieldOf(l, form.Field{Name: "name", Label: "Name", Kind: form.KindText, Required: true, MaxLength: 200}, "", all, errs)
	p.What = append(p.What, name)
	p.drawSettings(kind, all, errs)
	p.Tell = fieldsOf(l, channelTell(), "", all, errs)
	p.Problem, p.Summary = problems(l, failure, p.What, p.More, p.Tell)
	if stored != nil {
		card := s.channelCard(*stored, []uptime.Kind{kind})
		p.ID, p.ETag, p.Card, p.Action = stored.ID, stored.ETag, &card, card.URL+"/edit"
	}
	return p, p.fillFallback(r, values["fallback_channel_id"])
}

// drawSettings draws those of the kind.
func (p *ChannelForm) drawSettings(kind uptime.Kind, values, errs map[string]string) {
	for _, f := range form.Fields(kind.New()) {
		v := fieldOf(p.Lang, f, settingsBlock, values, errs)
		if f.Advanced || f.Kind == form.KindGroup {
			p.More = append(p.More, v)
			p.MoreOpen = p.MoreOpen || v.Error != "" || filled(v)
			continue
		}
		p.What = append(p.What, v)
	}
}

// filled reports whether a nested block holds something that was typed.
func filled(v FieldView) bool {
	for _, f := range v.Fields {
		if f.Widget == "input" && f.InputMode != "decimal" && f.Value != "" {
			return true
		}
	}
	return false
}

func (p *ChannelForm) fillFallback(r *request, chosen string) error {
	list, err := r.web.deps.Manage.Channels(r.Request().Context(), r.actor, uptime.Page{Limit: 200})
	if err != nil {
		return err
	}
	p.Fallback = []Option{{Value: "", Label: r.t("Every other channel")}}
	for _, c := range list.Items {
		if c.ID != p.ID {
			id := strconv.FormatInt(c.ID, 10)
			p.Fallback = append(p.Fallback, Option{Value: id, Label: c.Name, Selected: id == chosen})
		}
	}
	return nil
}

// channelBody makes the JSON of a channel from a form.
func channelBody(kind uptime.Kind, v url.Values) (body, error) {
	fields := form.Fields(kind.New())
	b := body{"settings": form.FromValues(fields, settingsBlock, withoutEmptyGroups(fields, settingsBlock, v))}
	for name, value := range map[string]any{
		"name": v.Get("name"), "type": kind.Name, "enabled": v.Get("enabled") != "", "is_default": v.Get("is_default") != "",
		"send_resolved": v.Get("send_resolved") != "", "send_degraded": v.Get("send_degraded") != "", "fallback_channel_id": nil,
	} {
		if err := b.set(name, value); err != nil {
			return nil, err
		}
	}
	if id, err := strconv.ParseInt(v.Get("fallback_channel_id"), 10, 64); err == nil {
		return b, b.set("fallback_channel_id", id)
	}
	return b, nil
}

func (w *Web) channelCreate(r *request) error {
	v, err := r.FormParams()
	if err != nil {
		return err
	}
	kind := kindOf(w.deps.Manage.ChannelKinds(), v.Get("type"))
	b, err := channelBody(kind, v)
	if err != nil {
		return err
	}
	raw, err := b.json()
	if err != nil {
		return err
	}
	c, failure := w.deps.Manage.CreateChannel(r.Request().Context(), r.actor, raw)
	if failure == nil {
		return r.done("channel-created", channelURL(c.ID)+"/edit")
	}
	return r.refuseChannel(r.t("Add channel"), kind, v, nil, failure)
}

// refuseChannel shows the form again with what is wrong, and all that was typed.
func (r *request) refuseChannel(title string, kind uptime.Kind, v url.Values, stored *manage.ChannelView, failure error) error {
	if _, bad := fieldErrors(nil, failure); !bad && uptime.CodeOf(failure) != uptime.CodePrecondition {
		return failure
	}
	s, err := r.scene(title, "Channels", Crumb{r.t("Channels"), "/channels"})
	if err != nil {
		return err
	}
	p, err := r.channelForm(s, kind, channelTyped(v), stored, failure)
	if err != nil {
		return err
	}
	if uptime.CodeOf(failure) != uptime.CodePrecondition {
		return r.page(http.StatusUnprocessableEntity, "channelform", "", p)
	}
	p.Problem, p.Summary = "", nil
	now, err := channelValues(kind, *stored)
	if err != nil {
		return err
	}
	for name, value := range now {
		now[settingsBlock+name] = value
	}
	if p.Conflict, err = r.conflictOf(s, "channel", stored.ID, now, p.What, p.More, p.Tell); err != nil {
		return err
	}
	return r.page(http.StatusConflict, "channelform", "", p)
}

// channelTyped is what was typed, settings without their prefix.
func channelTyped(v url.Values) map[string]string {
	values := map[string]string{}
	for k, text := range typed(v) {
		values[trimBlock(k)] = text
	}
	return values
}

// channelValues fills a form with what is stored.
func channelValues(kind uptime.Kind, c manage.ChannelView) (map[string]string, error) {
	settings := kind.New()
	if err := json.Unmarshal(c.Settings, settings); err != nil {
		return nil, fmt.Errorf("read settings of channel %d: %w", c.ID, err)
	}
	values := defaultsOf("", settings)
	values["name"] = c.Name
	for name, on := range map[string]bool{
		"enabled": c.Enabled, "is_default": c.IsDefault, "send_resolved": c.SendResolved, "send_degraded": c.SendDegraded,
	} {
		if on {
			values[name] = "on"
		}
	}
	if c.FallbackChannelID != nil {
		values["fallback_channel_id"] = strconv.FormatInt(*c.FallbackChannelID, 10)
	}
	return values, nil
}

func (w *Web) channelEdit(r *request) error { return r.showChannel(http.StatusOK, nil) }

// showChannel shows the form of a stored channel, with the outcome of a test.
func (r *request) showChannel(status int, test *ChannelTest) error {
	c, err := r.storedChannel()
	if err != nil {
		return err
	}
	kind := kindOf(r.web.deps.Manage.ChannelKinds(), c.Type)
	s, err := r.scene(c.Name, "Channels", Crumb{r.t("Channels"), "/channels"})
	if err != nil {
		return err
	}
	values, err := channelValues(kind, c)
	if err != nil {
		return err
	}
	p, err := r.channelForm(s, kind, values, &c, nil)
	if err != nil {
		return err
	}
	p.Test = test
	return r.page(status, "channelform", "testpanel", p)
}
