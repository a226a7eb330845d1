package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

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

// hits are places and actions first where their own words are meant, then things.
func (r *request) hits(words string) ([]hit, error) {
	verb, rest, _ := strings.Cut(words, " ")
	verb = strings.ToLower(verb)
	var list []hit
	for _, p := range r.palettePlaces() {
		if matches(p.Title, words) {
			list = append(list, p)
		}
	}
	list = list[:min(len(list), 4)]
	find := words
	if rest = strings.TrimSpace(rest); rest != "" && slices.Contains(verbs(), verb) {
		find = strings.TrimPrefix(rest, "now ")
	}
	found, err := r.web.deps.Manage.Search(r.Request().Context(), r.actor, find, maxHits)
	if err != nil {
		return nil, err
	}
	var things, acts []hit
	for i, f := range found.Items {
		things = append(things, hitOf(f))
		// Of the likeliest one all that can be done; of others what was asked for.
		for _, a := range r.actsOn(f) {
			if named := matches(a.Title, words) && find != words; named || i == 0 && find == words {
				acts = append(acts, a)
			}
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

func verbs() []string { return []string{"pause", "resume", "check", "acknowledge"} }

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

func hitOf(f manage.FoundView) hit {
	id := strconv.FormatInt(f.ID, 10)
	h := hit{Key: f.Kind + ":" + id, Title: f.Title, Detail: f.Detail}
	switch f.Kind {
	case "monitor":
		state := stateOf(uptime.Status(f.Status))
		h.URL, h.Icon, h.State, h.Word = monitorURL(f.ID), state.Icon, state.Key, state.Word
	case "incident":
		state := incidentState(uptime.IncidentStatus(f.Status))
		h.URL, h.Icon, h.State, h.Word, h.Detail = "/incidents/"+id, "flag", state.Key, state.Word, "Incident"
	default:
		h.URL, h.Icon, h.Detail = "/channels/"+id+"/log", "bell", "Channel"
	}
	return h
}

// actsOn are what the person may do with a thing, by the forms that its page has.
func (r *request) actsOn(f manage.FoundView) []hit {
	id := strconv.FormatInt(f.ID, 10)
	may := r.web.deps.Manage.Can
	act := func(verb, icon, post string) hit {
		return hit{Key: "act:" + post, Title: verb + " " + f.Title, Detail: "Action", Icon: icon, Post: post}
	}
	switch {
	case f.Kind == "monitor" && may(r.actor, manage.ChangeMonitor) && f.Status == string(uptime.Paused):
		return []hit{act("Resume", "play", monitorURL(f.ID)+"/resume")}
	case f.Kind == "monitor" && may(r.actor, manage.ChangeMonitor):
		check := act("Check", "refresh", monitorURL(f.ID)+"/check")
		check.Title += " now"
		return []hit{check, act("Pause", "paused", monitorURL(f.ID)+"/pause")}
	case f.Kind == "incident" && may(r.actor, manage.ChangeIncident) && f.Status == string(uptime.IncidentOpen):
		return []hit{act("Acknowledge", "check", "/incidents/"+id+"/acknowledge")}
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
		place("New monitor", "Action", "plus", "/monitors/new")
	}
	if r.web.deps.Manage.Can(r.actor, manage.ChangeChannel) {
		place("New channel", "Action", "plus", "/channels/new")
	}
	for _, n := range navigation(r.lang(), "", 0, 0) {
		place(n.Label, "Page", n.Icon, n.URL)
	}
	place("Wallboard", "Page", "screen", "/wall")
	for _, t := range r.settingsTabs("") {
		place(t.Label, "Settings", "gear", t.URL)
	}
	for _, theme := range []string{"dark", "light", "auto"} {
		list = append(list, hit{
			Key: "theme:" + theme, Title: "Theme: " + theme, Detail: "Action", Icon: "theme", Post: "/settings/theme", Fields: map[string]string{"theme": theme},
		})
	}
	return append(list, hit{Key: "do:keys", Title: "Keyboard shortcuts", Detail: "Help", Icon: "note", Do: "help"})
}

// recentHits are what the keys name, in their order, as far as it is there and may be
// seen; after that what may be done anyhow.
func (r *request) recentHits(keys []string) ([]hit, error) {
	keys = keys[:min(len(keys), maxHits)]
	var ids uptime.FindIDs
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
	all := r.palettePlaces()
	if len(ids.Monitors)+len(ids.Incidents)+len(ids.Channels) > 0 {
		found, err := r.web.deps.Manage.FoundByID(r.Request().Context(), r.actor, ids)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			all = append(all, hitOf(f))
		}
	}
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
	return list, nil
}
