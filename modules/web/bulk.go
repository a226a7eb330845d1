package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"monitor/modules/form"
	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// BulkPage asks what an action on many monitors still needs, and then says what it would do.
type BulkPage struct {
	Frame
	Heading  string
	Carried  []Carried // what the next form says again
	Fields   []FieldView
	Channels []ChannelTick // with the fields
	Asks     bool          // for Fields or Channels
	Preview  *BulkPreview
	Verb     string
	Danger   bool
	Typed    int    // the number that must be typed, 0: none
	TypedErr string // what is wrong with it
	Cancel   string
	Problem  string
	Summary  []ErrorLink
}

// Carried is a value of a form that is not shown.
type Carried struct{ Name, Value string }

// BulkPreview is what would be done.
type BulkPreview struct {
	Total, Changed, Same, Skipped int64
	Names                         []string      // the first that would be changed
	Values                        []AuditChange // what changes in them, where that is the same for all
	More                          int64         // beyond those
	Skips                         []manage.BulkSkipView
	Unnamed                       int64 // skipped beyond those
	Set                           string
}

// mostUntyped is how many may be deleted without typing their number.
const mostUntyped = 10

// bulkAction is an action as pages offer it.
type bulkAction struct {
	verb   string       // in the catalogue
	fields []form.Field // what it needs; inputs are named as in the request, but see asked
}

func bulkActions() map[string]bulkAction {
	tag := form.Field{Name: "to_tag", Label: "Tag", Kind: form.KindText, Required: true, MaxLength: 151, Placeholder: "team:web", Help: "A name, or a name and a value as in team:web."}
	lengths := []string{}
	for _, l := range silenceLengths(nil) {
		lengths = append(lengths, l.Value)
	}
	return map[string]bulkAction{
		manage.BulkPause:     {verb: lang.Key("Pause")},
		manage.BulkResume:    {verb: lang.Key("Resume")},
		manage.BulkCheck:     {verb: lang.Key("Check now")},
		manage.BulkUnsilence: {verb: lang.Key("End silence")},
		manage.BulkDelete:    {verb: lang.Key("Delete")},
		manage.BulkTagAdd:    {lang.Key("Add a tag"), []form.Field{tag}},
		manage.BulkTagRemove: {lang.Key("Remove a tag"), []form.Field{tag}},
		manage.BulkSilence: {lang.Key("verb|Silence"), []form.Field{
			{Name: "for", Label: "For how long", Kind: form.KindSelect, Options: lengths, Help: "Checks go on; nobody is told until it ends."},
			{Name: "note", Label: "Why", Kind: form.KindText, MaxLength: 500},
		}},
		manage.BulkChannels: {lang.Key("Set channels"), []form.Field{
			{Name: "mode", Label: "How", Kind: form.KindSelect, Options: []string{"set", "add", "remove"}, Help: "set: these and no others; add: these, too; remove: these no more."},
		}},
		manage.BulkInterval: {lang.Key("Set interval"), []form.Field{{Name: "interval", Label: "Interval", Kind: form.KindDuration, Required: true, Help: "How often they are checked, as in 30s, 5m or 1h."}}},
		manage.BulkRetries:  {lang.Key("Set failures before down"), []form.Field{{Name: "failures_before_down", Label: "Failures before down", Kind: form.KindNumber, Required: true, Help: "So many in a row open an incident, 1–20."}}},
		manage.BulkGroup:    {lang.Key("Move to a group"), []form.Field{{Name: "to_group", Label: "Group", Kind: form.KindText, Placeholder: "Shop/EU", Help: "Slashes make groups within groups. Empty: in none."}}},
		manage.BulkTagRename: {lang.Key("Rename a tag"), []form.Field{tag, {
			Name: "to", Label: "New name", Kind: form.KindText, Required: true, MaxLength: 151, Placeholder: "team:shop", Help: "A name alone keeps the value.",
		}}},
		manage.BulkGroupRename: {lang.Key("Rename a group"), []form.Field{
			{Name: "to_group", Label: "Group", Kind: form.KindText, Required: true, Placeholder: "Shop/EU"},
			{Name: "to", Label: "New name", Kind: form.KindText, Placeholder: "Shop/Europe", Help: "The whole path. Groups below it go along. Empty: in none."},
		}},
		manage.BulkDefaults: {verb: lang.Key("Follow the defaults")},
	}
}

// bulk asks, shows what would be done, and does it, each by the same form.
func (w *Web) bulk(r *request) error {
	v, err := r.FormParams()
	if err != nil {
		return err
	}
	action, known := bulkActions()[v.Get("action")]
	if !known {
		return uptime.Fail(uptime.CodeMalformed, "There is no such action on many monitors.")
	}
	if len(v["id"]) == 0 && v.Get("all") == "" {
		return r.done("bulk-none", r.back("/monitors"))
	}
	if action.fields != nil && v.Get("ready") == "" {
		return r.bulkPage(http.StatusOK, action, v, nil, nil)
	}
	return w.doBulk(r, action, v)
}

// doBulk does what a form that says all of it asks for, once it was shown and confirmed.
func (w *Web) doBulk(r *request, action bulkAction, v url.Values) error {
	dry, err := w.askBulk(r, v, true)
	if err != nil {
		return r.refuseBulk(action, v, err)
	}
	if v.Get("confirm") == "" {
		return r.bulkPage(http.StatusOK, action, v, &dry, nil)
	}
	if failure := misconfirmed(v, dry); failure != nil {
		return r.bulkPage(statusOf(failure), action, v, &dry, failure)
	}
	job, err := w.askBulk(r, v, false)
	if err != nil {
		return r.refuseBulk(action, v, err)
	}
	return r.Redirect(http.StatusSeeOther, bulkURL(*job.ID))
}

func bulkURL(id int64) string { return "/monitors/bulk/" + strconv.FormatInt(id, 10) }

// misconfirmed says why a preview was not confirmed as it is by now, nil where it was.
func misconfirmed(v url.Values, dry manage.BulkJobView) error {
	if v.Get("set") != dry.Set {
		return uptime.Fail(uptime.CodeConflict, "Other monitors match by now. Look at them once more; nothing was done yet.")
	}
	if must := typedNumber(v.Get("action"), dry); must > 0 && v.Get("typed") != strconv.Itoa(must) {
		return uptime.Invalid(uptime.FieldError{Field: "typed", Message: fmt.Sprintf(lang.Key("must be %s"), strconv.Itoa(must))})
	}
	return nil
}

// typedNumber is what must be typed before so much is lost.
func typedNumber(action string, dry manage.BulkJobView) int {
	if action == manage.BulkDelete && dry.Changed > mostUntyped {
		return dry.Changed
	}
	return 0
}

// refuseBulk shows the form again where that helps.
func (r *request) refuseBulk(action bulkAction, v url.Values, failure error) error {
	if _, bad := fieldErrors(nil, failure); !bad {
		return failure
	}
	status := http.StatusUnprocessableEntity
	if uptime.CodeOf(failure) == uptime.CodeConflict {
		status = http.StatusConflict
	}
	return r.bulkPage(status, action, v, nil, failure)
}

// askBulk sends what the form says to the use case.
func (w *Web) askBulk(r *request, v url.Values, dry bool) (manage.BulkJobView, error) {
	if v.Get("action") == manage.BulkDefaults {
		from, err := w.deps.Manage.ReplacedDefaults(r.Request().Context(), r.actor, idOf(v.Get("change")))
		if errors.Is(err, uptime.ErrNotFound) {
			err = uptime.Fail(uptime.CodeConflict, "The defaults were changed again since. Nothing was done; look at them once more.")
		}
		if err != nil {
			return manage.BulkJobView{}, err
		}
		v = maps.Clone(v)
		v.Set("from", string(from))
	}
	raw, err := bulkBody(v, dry)
	if err != nil {
		return manage.BulkJobView{}, err
	}
	return w.deps.Manage.BulkMonitors(r.Request().Context(), r.actor, raw)
}

// bulkBody is the JSON of what the form says; what was previewed is named where it is done.
func bulkBody(v url.Values, dry bool) (json.RawMessage, error) {
	b := body{}
	members := map[string]any{"action": v.Get("action"), "dry_run": dry}
	if v.Get("all") != "" {
		members["filter"] = bulkFilter(v)
	} else {
		ids := []int64{}
		for _, id := range v["id"] {
			if n := idOf(id); n > 0 {
				ids = append(ids, n)
			}
		}
		members["ids"] = ids
	}
	if !dry {
		members["set"] = v.Get("set")
	}
	for name, value := range members {
		if err := b.set(name, value); err != nil {
			return nil, err
		}
	}
	if err := b.setParams(bulkActions()[v.Get("action")].fields, v); err != nil {
		return nil, err
	}
	return b.json()
}

// asked are the names in a request of inputs that a filter has already.
func asked(name string) string {
	return cmp.Or(map[string]string{"to_tag": "tag", "to_group": "group"}[name], name)
}

// setParams sets what the action needs.
func (b body) setParams(fields []form.Field, v url.Values) error {
	var typed body
	if err := json.Unmarshal(form.FromValues(fields, "", v), &typed); err != nil {
		return err
	}
	for name, value := range typed {
		b[asked(name)] = value
	}
	switch v.Get("action") {
	case manage.BulkDefaults:
		return b.set("from", json.RawMessage(v.Get("from")))
	case manage.BulkChannels:
	default:
		return nil
	}
	ids := []int64{}
	for _, id := range v["channel_ids"] {
		if n := idOf(id); n > 0 {
			ids = append(ids, n)
		}
	}
	return b.set("channel_ids", ids)
}

// bulkFilter is that of the list, by the names of its address.
func bulkFilter(v url.Values) map[string]any {
	out := map[string]any{}
	for _, name := range []string{"status", "type", "tag"} {
		if values := slices.DeleteFunc(slices.Clone(v[name]), func(s string) bool { return s == "" }); len(values) > 0 {
			out[name] = values
		}
	}
	for _, name := range []string{"q", "group"} {
		if text := v.Get(name); text != "" {
			out[name] = text
		}
	}
	return out
}

// carried is what the next form says again: which monitors, what to do and where to go back.
func carried(action bulkAction, v url.Values, params bool) []Carried {
	names := []string{"action", "all", "back"}
	if v.Get("all") != "" {
		names = append(names, "q", "status", "type", "tag", "group")
	} else {
		names = append(names, "id")
	}
	if params {
		names = append(names, "ready", "channel_ids", "change")
		for _, f := range action.fields {
			names = append(names, f.Name)
		}
	}
	var out []Carried
	for _, name := range names {
		for _, value := range v[name] {
			out = append(out, Carried{name, value})
		}
	}
	return out
}

// bulkPage shows the preview of a request, or without one the form for what it needs.
func (r *request) bulkPage(status int, action bulkAction, v url.Values, dry *manage.BulkJobView, failure error) error {
	verb := r.t(action.verb)
	s, err := r.scene(verb, "Monitors", Crumb{r.t("Monitors"), "/monitors"})
	if err != nil {
		return err
	}
	p := &BulkPage{Frame: s.frame, Heading: verb, Verb: verb, Cancel: r.back("/monitors"), Carried: carried(action, v, dry != nil)}
	errs, _ := fieldErrors(r.lang(), failure)
	switch {
	case dry != nil:
		p.show(v.Get("action"), *dry)
		p.TypedErr = sentence(errs["typed"])
	case action.fields != nil:
		p.Asks = true
		p.Fields = fieldsOf(r.lang(), action.fields, "", typed(v), bulkErrors(errs))
		sayOptions(s.lang, p.Fields)
		if v.Get("action") == manage.BulkChannels {
			if err := p.fillChannels(r, v); err != nil {
				return err
			}
		}
	}
	if failure != nil {
		p.Problem, p.Summary = problems(r.lang(), failure, p.Fields)
	}
	return r.page(status, "bulk", "", p)
}

// sayOptions puts words to the values that an action can be told.
func sayOptions(l *lang.Language, fields []FieldView) {
	words := map[string]string{"set": l.T("channels|set"), "add": l.T("channels|add"), "remove": l.T("channels|remove")}
	for _, o := range silenceLengths(l) {
		words[o.Value] = o.Label
	}
	for _, f := range fields {
		for i, o := range f.Options {
			f.Options[i].Label = cmp.Or(words[o.Value], o.Label)
		}
	}
}

// bulkErrors are those of a request by the names of inputs.
func bulkErrors(errs map[string]string) map[string]string {
	out := map[string]string{}
	for name, message := range errs {
		out[name] = message
		if name == "tag" || name == "group" {
			out["to_"+name] = message
		}
	}
	return out
}

func (p *BulkPage) fillChannels(r *request, v url.Values) error {
	list, err := r.web.deps.Manage.Channels(r.Request().Context(), r.actor, uptime.Page{Limit: 200})
	if err != nil {
		return err
	}
	for _, c := range list.Items {
		on := slices.Contains(v["channel_ids"], strconv.FormatInt(c.ID, 10))
		p.Channels = append(p.Channels, ChannelTick{c.ID, c.Name, r.t(kindLabel(r.web.deps.Manage.ChannelKinds(), c.Type)), on, !c.Enabled})
	}
	return nil
}

// show fills in what would be done.
func (p *BulkPage) show(action string, dry manage.BulkJobView) {
	p.Danger, p.Typed = action == manage.BulkDelete, typedNumber(action, dry)
	if p.Danger {
		p.Verb = p.Lang.N(int64(dry.Changed), "Delete %s monitor", "Delete %s monitors")
	}
	p.Heading += ": " + p.Lang.N(int64(dry.Total), "%s monitor", "%s monitors")
	p.Preview = &BulkPreview{
		Total: int64(dry.Total), Changed: int64(dry.Changed), Same: int64(dry.Same), Skipped: int64(dry.Skipped), Names: dry.Names, More: int64(dry.Changed - len(dry.Names)),
		Skips: dry.Skips[:min(len(dry.Skips), 20)], Set: dry.Set, Values: valuesOf(dry.Action),
	}
	p.Preview.Unnamed = int64(dry.Skipped - len(p.Preview.Skips))
}
