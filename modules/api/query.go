package api

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"monitor/modules/uptime"
)

// maxParam bounds the text of a query parameter, in bytes.
const maxParam = 2000

// kind is what a query parameter holds.
type kind int

const (
	text kind = iota
	whole
	ident
	moment
	truth
	choice
)

// param is a query parameter that a route takes.
type param struct {
	name    string
	kind    kind
	about   string
	options []string // of a choice
	least   int64    // of a whole number
	most    int64
	many    bool // may be given several times
	split   bool // and holds several values with commas between them
}

// query is the checked parameters of a request.
type query map[string][]string

// readQuery checks the query of the request against its route. CodeInvalid names
// every parameter that cannot be used.
func (c *call) readQuery() error {
	given, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return &uptime.Error{Code: uptime.CodeMalformed, Detail: "The query of the address is not escaped as it should be.", Err: err}
	}
	c.query = query{}
	var wrong []uptime.FieldError
	for _, name := range slices.Sorted(maps.Keys(given)) {
		at := slices.IndexFunc(c.route.query, func(p param) bool { return p.name == name })
		if at < 0 {
			wrong = append(wrong, uptime.FieldError{Field: uptime.CleanLine(name, 100), Message: "is not a query parameter here" + c.route.queryNames()})
			continue
		}
		p := c.route.query[at]
		values := p.values(given[name])
		if message := p.check(given[name], values); message != "" {
			wrong = append(wrong, uptime.FieldError{Field: name, Message: message})
		}
		c.query[name] = values
	}
	if len(wrong) > 0 {
		return &uptime.Error{Code: uptime.CodeInvalid, Detail: "Some query parameters cannot be used.", Fields: wrong}
	}
	return nil
}

// queryNames says what may be asked, for people.
func (rt route) queryNames() string {
	if len(rt.query) == 0 {
		return ""
	}
	names := make([]string, 0, len(rt.query))
	for _, p := range rt.query {
		names = append(names, p.name)
	}
	return "; allowed are " + strings.Join(names, ", ")
}

func (p param) values(given []string) []string {
	if !p.split {
		return given
	}
	var values []string
	for _, g := range given {
		values = append(values, strings.Split(g, ",")...)
	}
	return values
}

// check says what is wrong, "" is nothing.
func (p param) check(given, values []string) string {
	if len(given) > 1 && !p.many {
		return "is given more than once"
	}
	for _, v := range values {
		if message := p.checkValue(v); message != "" {
			return message
		}
	}
	return ""
}

func (p param) checkValue(v string) string {
	switch p.kind {
	case text:
		switch {
		case !utf8.ValidString(v) || strings.ContainsFunc(v, unicode.IsControl):
			return "must be text without control characters"
		case len(v) > maxParam:
			return "must be at most " + strconv.Itoa(maxParam) + " bytes"
		}
	case whole:
		if n, err := strconv.ParseInt(v, 10, 64); err != nil || n < p.least || n > p.most {
			return "must be a whole number from " + strconv.FormatInt(p.least, 10) + " to " + strconv.FormatInt(p.most, 10)
		}
	case ident:
		if n, err := strconv.ParseInt(v, 10, 64); err != nil || n < 1 {
			return "must be an id"
		}
	case moment:
		if at, err := time.Parse(time.RFC3339, v); err != nil || at.Year() < 1970 || at.UTC().Year() > 9999 {
			return `must be a time such as "2026-01-02T03:04:05Z", with + escaped as %2B`
		}
	case truth:
		if v != "true" && v != "false" {
			return "must be true or false"
		}
	case choice:
		if !slices.Contains(p.options, v) {
			return "must be one of " + strings.Join(p.options, ", ")
		}
	}
	return ""
}

// text is the value, "" when it is absent.
func (q query) text(name string) string {
	if len(q[name]) == 0 {
		return ""
	}
	return q[name][0]
}

// whole is the number, 0 when it is absent; so are ids.
func (q query) whole(name string) int64 {
	n, err := strconv.ParseInt(q.text(name), 10, 64)
	if err != nil {
		return 0 // absent: what is there was checked
	}
	return n
}

// moment is the time, zero when it is absent.
func (q query) moment(name string) time.Time {
	at, err := time.Parse(time.RFC3339, q.text(name))
	if err != nil {
		return time.Time{} // absent: what is there was checked
	}
	return at.UTC()
}

// truth is nil when it is absent.
func (q query) truth(name string) *bool {
	if q.text(name) == "" {
		return nil
	}
	value := q.text(name) == "true"
	return &value
}
