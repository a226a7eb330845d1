package probe

import (
	"errors"
	"strconv"
	"strings"

	"monitor/modules/uptime"
)

// errForeignSettings: a probe was given the settings of another type.
var errForeignSettings = errors.New("settings of another type")

// errStatusRange is the one message for an expected status that cannot be read.
var errStatusRange = errors.New(uptime.Sentence("must be a status code such as 200, a range such as 200-299, or a class such as 2xx"))

// statusRange is an inclusive range of HTTP status codes.
type statusRange struct{ low, high int }

// parseStatusRange takes "200", "200-299" and "2xx", codes from 100 to 999.
func parseStatusRange(text string) (statusRange, error) {
	text = strings.TrimSpace(text)
	if len(text) == 3 && strings.EqualFold(text[1:], "xx") && text[0] >= '1' && text[0] <= '9' {
		low := int(text[0]-'0') * 100
		return statusRange{low, low + 99}, nil
	}
	first, last, isRange := strings.Cut(text, "-")
	if !isRange {
		last = first
	}
	low, err := code(first)
	if err != nil {
		return statusRange{}, err
	}
	high, err := code(last)
	if err != nil || high < low {
		return statusRange{}, errStatusRange
	}
	return statusRange{low, high}, nil
}

func code(text string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 100 || n > 999 {
		return 0, errStatusRange
	}
	return n, nil
}

// statusRanges leaves out what cannot be read: it matches nothing.
func statusRanges(texts []string) []statusRange {
	list := make([]statusRange, 0, len(texts))
	for _, text := range texts {
		if r, err := parseStatusRange(text); err == nil {
			list = append(list, r)
		}
	}
	return list
}

// expects reports whether a status is among those that count as up.
func expects(ranges []statusRange, status int) bool {
	for _, r := range ranges {
		if status >= r.low && status <= r.high {
			return true
		}
	}
	return false
}

func itoa(n int) string { return strconv.Itoa(n) }

// validPort accepts the absent port and 1 to 65535.
func validPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && n > 0
}

// validHeaderName is a token of RFC 9110, 5.6.2.
func validHeaderName(name string) bool {
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return name != ""
}

func validHeaderValue(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
