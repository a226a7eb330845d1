package probe

import (
	"bytes"
	"cmp"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
)

// maxWire bounds the requests that a hop writes itself. It is the size of
// net/http's own buffer: up to it both make one write, which an empty send buffer
// takes whole, so that an answer that comes early finds nothing half written.
const maxWire = 4 << 10

// write sets wire, and with it that the first hop is our own. It takes requests
// that can be written in one way only, but for the order of headers. The rest is
// net/http's, which may refuse it or change how it talks: headers that frame,
// empty ones, names given twice, hosts and paths with odd bytes.
func (p *httpPlan) write(userAgent string) {
	s := p.settings
	own, plain := readOwnHeaders(s.Headers)
	uri, host := p.target.RequestURI(), cmp.Or(own.host, p.target.Host)
	if !plain || !plainMethod(s.Method) || !plainURI(uri) || !plainHost(host) {
		return
	}
	p.gzip = !own.coding && s.Method != http.MethodHead
	var room [1 << 10]byte
	w := append(append(append(room[:0], s.Method...), ' '), uri...)
	w = append(w, " HTTP/1.1\r\nHost: "...)
	w = append(append(w, host...), "\r\nConnection: close\r\n"...)
	if !own.agent {
		w = appendHeader(w, "User-Agent", userAgent)
	}
	if !own.accept {
		w = appendHeader(w, "Accept", "*/*")
	}
	if p.gzip {
		w = appendHeader(w, "Accept-Encoding", "gzip")
	}
	if u := p.target.User; u != nil && !own.credentials {
		password, _ := u.Password()
		w = appendHeader(w, "Authorization", "Basic "+basic(u.Username(), password))
	}
	for name, value := range s.Headers {
		if name = textproto.CanonicalMIMEHeaderKey(name); name != "Host" {
			w = appendHeader(w, name, value)
		}
	}
	if s.Body != "" || s.Method == http.MethodPost || s.Method == http.MethodPut || s.Method == http.MethodPatch {
		w = appendHeader(w, "Content-Length", strconv.Itoa(len(s.Body)))
	}
	w = append(append(w, "\r\n"...), s.Body...)
	if len(w) <= maxWire {
		p.wire = bytes.Clone(w) // which may be kept: no larger than it is
	}
}

func appendHeader(w []byte, name, value string) []byte {
	w = append(append(w, name...), ": "...)
	return append(append(w, strings.Trim(value, " \t")...), "\r\n"...)
}

// ownHeaders are those of the settings that take the place of others.
type ownHeaders struct {
	host                               string
	accept, agent, credentials, coding bool
}

// readOwnHeaders gives false for headers that are not plain.
func readOwnHeaders(all map[string]string) (ownHeaders, bool) {
	var own ownHeaders
	for given, value := range all {
		name := textproto.CanonicalMIMEHeaderKey(given)
		if !validHeaderName(name) || !validHeaderValue(value) || value == "" || twice(all, given) {
			return own, false
		}
		switch name {
		case "Connection", "Content-Length", "Expect", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
			return own, false
		case "Host":
			own.host = value
		case "Accept":
			own.accept = true
		case "User-Agent":
			own.agent = true
		case "Authorization":
			own.credentials = true
		case "Accept-Encoding", "Range": // to unpack a part gives nothing
			own.coding = true
		}
	}
	return own, true
}

// twice reports a header that is given once more in another case.
func twice(all map[string]string, name string) bool {
	if len(all) == 1 {
		return false
	}
	for other := range all {
		if other != name && strings.EqualFold(other, name) {
			return true
		}
	}
	return false
}

func plainMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return true
	}
	return false
}

// plainURI accepts visible ASCII.
func plainURI(uri string) bool {
	for i := range len(uri) {
		if uri[i] <= ' ' || uri[i] > '~' {
			return false
		}
	}
	return true
}

// plainHost accepts names and addresses with or without a port, but no zone.
func plainHost(host string) bool {
	for i := range len(host) {
		c := host[i]
		if !plainLetter(c) && c != ':' && c != '[' && c != ']' {
			return false
		}
	}
	return host != ""
}

// plainName accepts names that no look-up has to translate.
func plainName(host string) bool {
	for i := range len(host) {
		if !plainLetter(host[i]) {
			return false
		}
	}
	return host != ""
}

func plainLetter(c byte) bool {
	lower := c | 0x20
	return lower >= 'a' && lower <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_'
}
