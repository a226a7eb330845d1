package web

import (
	"net/url"
	"strings"

	"monitor/modules/uptime"
)

// look is what the address of a monitor's page asks for: the address is the state.
type look struct {
	base           string // the page without a query
	span           string // key of the range picker, "" for a range by its ends
	from, to       string // RFC 3339
	log            bool   // response times on a logarithmic scale
	tab            string
	result, region string // checks of these alone
	until          string // checks before this time, RFC 3339
	check          string // the one that is open, as checkKey says
	cursor         string // in the list of the tab
	way            []pair // the filter of the list that somebody came from
}

const defaultTab = "checks"

// readLook takes what cannot be used for absent. The range is read by shownRange.
func (r *request) readLook(base string) look {
	l := look{
		base: base, log: r.QueryParam("log") == "1", tab: defaultTab,
		region: uptime.CleanLine(r.QueryParam("region"), 64), until: r.QueryParam("until"),
		check: uptime.CleanLine(r.QueryParam("check"), 100), cursor: r.QueryParam("cursor"),
	}
	for _, tab := range monitorTabs() {
		if r.QueryParam("tab") == tab.key {
			l.tab = tab.key
		}
	}
	for _, status := range resultFilters() {
		if r.QueryParam("result") == string(status) {
			l.result = string(status)
		}
	}
	l.way = wayPairs(r.listFilter().way())
	return l
}

// wayPairs are the filter of the list that somebody came from, in a fixed order.
func wayPairs(way string) []pair {
	var out []pair
	for part := range strings.SplitSeq(strings.TrimPrefix(way, "?"), "&") {
		name, value, has := strings.Cut(part, "=")
		if text, err := url.QueryUnescape(value); has && err == nil {
			out = append(out, pair{name, text})
		}
	}
	return out
}

// at says which range is shown.
func (l look) at(c shownRange) look {
	l.span, l.from, l.to = c.key, "", ""
	if c.key == "" {
		l.from, l.to = c.from.UTC().Format(timeInURL), c.to.UTC().Format(timeInURL)
	}
	return l
}

const timeInURL = "2006-01-02T15:04:05Z"

// pair is a name and a value of a query or of a form.
type pair struct{ Name, Value string }

// pairs are the query, in a fixed order.
func (l look) pairs() []pair {
	var out []pair
	for _, p := range []pair{
		{"range", l.span},
		{"from", l.from},
		{"to", l.to},
		{"log", map[bool]string{true: "1"}[l.log]},
		{"tab", l.tab},
		{"result", l.result},
		{"region", l.region},
		{"until", l.until},
		{"cursor", l.cursor},
		{"check", l.check},
	} {
		if p.Value != "" {
			out = append(out, p)
		}
	}
	return append(out, l.way...)
}

// hidden fields carry on all but the named ones in a form.
func (l look) hidden(but ...string) []pair {
	var out []pair
	for _, p := range l.pairs() {
		if !strings.Contains(" "+strings.Join(but, " ")+" ", " "+p.Name+" ") {
			out = append(out, p)
		}
	}
	return out
}

// url with some things changed.
func (l look) url(change func(*look)) string {
	change(&l)
	return l.under(l.base)
}

// under another address than the page's.
func (l look) under(base string) string {
	var b strings.Builder
	b.WriteString(base)
	for i, p := range l.pairs() {
		b.WriteByte("?&"[min(i, 1)])
		b.WriteString(p.Name + "=" + url.QueryEscape(p.Value))
	}
	return b.String()
}

// part is the look at one tab from its start: nothing is open or filtered.
func (l look) part(tab string) look {
	l.tab, l.result, l.region, l.until, l.check, l.cursor = tab, "", "", "", "", ""
	return l
}
