package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// maxHits bounds what the command palette shows.
const maxHits = 10

// hit is one line of the command palette: a place to go, or a form to post.
type hit struct {
	Key    string            `json:"key"` // names it among what was used lately
	Title  string            `json:"title"`
	Detail string            `json:"detail,omitempty"`
	Icon   string            `json:"icon"`
	State  string            `json:"state,omitempty"` // as in State.Key
	Word   string            `json:"word,omitempty"`  // of the state
	URL    string            `json:"url,omitempty"`
	Post   string            `json:"post,omitempty"`
	Fields map[string]string `json:"fields,omitempty"`
	Do     string            `json:"do,omitempty"` // what the page does by itself
}

type hits struct {
	Items []hit `json:"items"`
}

// search answers the command palette: q are words, recent the keys of what was used
// lately, which are shown while there are no words.
func (w *Web) search(r *request) error {
	words := uptime.CleanLine(r.QueryParam("q"), 200)
	var list []hit
	var err error
	if words == "" {
		list, err = r.recentHits(strings.Split(r.QueryParam("recent"), ","))
	} else {
		list, err = r.hits(words)
	}
	if err != nil {
		return err
	}
	r.Response().Header().Set("Cache-Control", "no-store")
	return r.JSON(http.StatusOK, hits{append([]hit{}, list[:min(len(list), maxHits)]...)})
}

// hits are places and actions first where their own words are meant, then things. What is
// typed may be of the reader's language and of English.
func (r *request) hits(words string) ([]hit, error) {
	english := r.in(lang.All()[0])
	list := meant(r.palettePlaces(), english.palettePlaces(), words)
	list = list[:min(len(list), 4)]
	find := r.wanted(words)
	found, err := r.web.deps.Manage.Search(r.Request().Context(), r.actor, find, maxHits)
	if err != nil {
		return nil, err
	}
	var things, acts []hit
	for i, f := range found.Items {
		things = append(things, r.hitOf(f))
		// Of the likeliest one all that can be done; of others what was asked for.
		switch offered := r.actsOn(f); {
		case find != words:
			acts = append(acts, meant(offered, english.actsOn(f), words)...)
		case i == 0:
			acts = append(acts, offered...)
		}
	}
	switch {
	case find != words:
		return append(append(acts, things...), list...), nil
	case len(list) > 0 && (len(things) == 0 || !strings.HasPrefix(strings.ToLower(things[0].Title), strings.ToLower(words))):
		return append(append(list, things...), acts...), nil
	}
	room := max(maxHits-len(list)-len(acts), 1)
	return append(append(things[:min(len(things), room)], acts...), list...), nil
}

// verbs say what to do with a thing: keys of the catalogue.
func verbs() []string {
	return []string{lang.Key("command|pause"), lang.Key("command|resume"), lang.Key("command|check"), lang.Key("command|acknowledge")}
}

// wanted is the thing that words name. Without it stands what to do with it, which begins
// them in English and ends them in other languages, too; where it does not, all is wanted.
func (r *request) wanted(words string) string {
	all := strings.Fields(words)
	for _, key := range verbs() {
		for _, verb := range []string{inEnglish(key), r.t(key)} {
			rest, ok := strip(all, verb, verb != inEnglish(key))
			if !ok {
				continue
			}
			for _, now := range []string{inEnglish("command|now"), r.t("command|now")} {
				if thing, ok := strip(rest, now, true); ok {
					rest = thing
				}
			}
			return strings.Join(rest, " ")
		}
	}
	return words
}

// strip takes a word, which may be several, off the begin of words, or off their end. It
// leaves something.
func strip(all []string, word string, end bool) (rest []string, ok bool) {
	n := len(strings.Fields(word))
	if n == 0 || n >= len(all) {
		return all, false
	}
	is := func(some []string) bool {
		return strings.EqualFold(strings.TrimSuffix(strings.Join(some, " "), ":"), word)
	}
	switch {
	case is(all[:n]):
		return all[n:], true
	case end && is(all[len(all)-n:]):
		return all[:len(all)-n], true
	}
	return all, false
}

// meant are those of a list whose title the words name, that of the reader's language or
// that of English; both lists are of the same things.
func meant(list, english []hit, words string) (out []hit) {
	for i, h := range list {
		if matches(h.Title, words) || matches(english[i].Title, words) {
			out = append(out, h)
		}
	}
	return out
}

// matches reports that each word begins a word of the text.
func matches(text, words string) bool {
	parts := strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return c == ' ' || c == ':' || c == '-' })
	for word := range strings.FieldsSeq(strings.ToLower(words)) {
		word = strings.TrimSuffix(word, ":")
		if !slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(p, word) }) && !strings.Contains(strings.ToLower(text), word) {
			return false
		}
	}
	return true
}

func (r *request) hitOf(f manage.FoundView) hit {
	id := itoa(f.ID)
	h := hit{Key: f.Kind + ":" + id, Title: titled(r.lang(), f.Title, f.OfMonitor), Detail: f.Detail}
	switch f.Kind {
	case "monitor":
		state := stateOf(uptime.Status(f.Status))
		h.URL, h.Icon, h.State, h.Word = monitorURL(f.ID), state.Icon, state.Key, r.t(state.Word)
	case "incident":
		state := incidentState(uptime.IncidentStatus(f.Status))
		h.URL, h.Icon, h.State, h.Word, h.Detail = incidentURL(f.ID), "flag", state.Key, r.t(state.Word), r.t("Incident")
	default:
		h.URL, h.Icon, h.Detail = "/channels/"+id+"/log", "bell", r.t("Channel")
	}
	return h
}

// actsOn are what the person may do with a thing, by the forms that its page has.
func (r *request) actsOn(f manage.FoundView) []hit {
	may := r.web.deps.Manage.Can
	act := func(title, icon, post string) hit {
		return hit{Key: "act:" + post, Title: title, Detail: r.t("Action"), Icon: icon, Post: post}
	}
	switch {
	case f.Kind == "monitor" && may(r.actor, manage.ChangeMonitor) && f.Status == string(uptime.Paused):
		return []hit{act(r.t("Resume %s", f.Title), "play", monitorURL(f.ID)+"/resume")}
	case f.Kind == "monitor" && may(r.actor, manage.ChangeMonitor):
		return []hit{
			act(r.t("Check %s now", f.Title), "refresh", monitorURL(f.ID)+"/check"),
			act(r.t("Pause %s", f.Title), "paused", monitorURL(f.ID)+"/pause"),
		}
	case f.Kind == "incident" && may(r.actor, manage.ChangeIncident) && f.Status == string(uptime.IncidentOpen):
		return []hit{act(r.t("Acknowledge %s", titled(r.lang(), f.Title, f.OfMonitor)), "check", incidentURL(f.ID)+"/acknowledge")}
	}
	return nil
}

// palettePlaces are pages and actions that are about nothing in particular, as far as
// the person may see and do them.
func (r *request) palettePlaces() []hit {
	var list []hit
	place := func(title, detail, icon, url string) {
		list = append(list, hit{Key: "page:" + url, Title: title, Detail: detail, Icon: icon, URL: url})
	}
	if r.web.deps.Manage.Can(r.actor, manage.ChangeMonitor) {
		place(r.t("New monitor"), r.t("Action"), "plus", "/monitors/new")
	}
	if r.web.deps.Manage.Can(r.actor, manage.ChangeChannel) {
		place(r.t("New channel"), r.t("Action"), "plus", "/channels/new")
	}
	for _, n := range navigation(r.lang(), "", 0, 0) {
		place(n.Label, r.t("Page"), n.Icon, n.URL)
	}
	place(r.t("Wallboard"), r.t("Page"), "screen", "/wall")
	place(r.t("Deleted monitors"), r.t("Page"), "trash", "/monitors/deleted")
	for _, t := range r.settingsTabs("") {
		place(t.Label, r.t("Settings"), "gear", t.URL)
	}
	for _, theme := range []Option{
		{Value: "dark", Label: r.t("Theme: dark")}, {Value: "light", Label: r.t("Theme: light")}, {Value: "auto", Label: r.t("Theme: auto")},
	} {
		list = append(list, hit{
			Key: "theme:" + theme.Value, Title: theme.Label, Detail: r.t("Action"), Icon: "theme",
			Post: "/settings/theme", Fields: map[string]string{"theme": theme.Value},
		})
	}
	return append(list, hit{Key: "do:keys", Title: r.t("Keyboard shortcuts"), Detail: r.t("Help"), Icon: "note", Do: "help"})
}

// recentHits are what the keys name, in their order, as far as it is there and may be
// seen; after that what may be done anyhow.
func (r *request) recentHits(keys []string) ([]hit, error) {
	keys = keys[:min(len(keys), maxHits)]
	all := r.palettePlaces()
	if ids := idsIn(keys); len(ids.Monitors)+len(ids.Incidents)+len(ids.Channels) > 0 {
		found, err := r.web.deps.Manage.FoundByID(r.Request().Context(), r.actor, ids)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			all = append(all, r.hitOf(f))
		}
	}
	return keyedFirst(all, keys), nil
}

// idsIn are the things that keys of hits name.
func idsIn(keys []string) (ids uptime.FindIDs) {
	for _, key := range keys {
		kind, text, _ := strings.Cut(key, ":")
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil || id <= 0 {
			continue
		}
		switch kind {
		case "monitor":
			ids.Monitors = append(ids.Monitors, id)
		case "incident":
			ids.Incidents = append(ids.Incidents, id)
		case "channel":
			ids.Channels = append(ids.Channels, id)
		}
	}
	return ids
}

// keyedFirst are all hits, each once: those that keys name in the order of the keys, then
// the others.
func keyedFirst(all []hit, keys []string) []hit {
	var list []hit
	add := func(h hit) {
		if !slices.ContainsFunc(list, func(o hit) bool { return o.Key == h.Key }) {
			list = append(list, h)
		}
	}
	for _, key := range keys {
		if i := slices.IndexFunc(all, func(h hit) bool { return h.Key == key }); i >= 0 {
			add(all[i])
		}
	}
	for _, h := range all {
		add(h)
	}
	return list
}
