package probe

import (
	"bytes"
	"net/http"
)

// plainHead is what the head of an answer of the plainest shape says: which
// status, and where the body ends.
type plainHead struct {
	size    int // bytes, with the empty line
	status  int
	length  int64 // of the body, -1: not said
	chunked bool
	packed  bool // by gzip
}

// readPlainHead reads a head that is all there and that everybody reads alike:
// HTTP/1.1, a final status but no redirect, CR LF after every line, names of
// letters, digits, - and _, values of printable ASCII, and of the headers that
// frame the body at most one, with one meaning. false says nothing against an
// answer: it is for http.ReadResponse. So whatever is doubtful is refused here;
// accepting what net/http refuses or reads otherwise would be the mistake.
func readPlainHead(b []byte) (plainHead, bool) {
	h := plainHead{length: -1}
	line, size := plainLine(b)
	if !h.statusLine(line) {
		return h, false
	}
	for {
		h.size += size
		line, size = plainLine(b[h.size:])
		switch {
		case size == 0:
			return h, false
		case len(line) == 0:
			h.size += size
			return h, !h.chunked || h.length < 0
		case !h.header(line):
			return h, false
		}
	}
}

// plainLine cuts off a line of printable ASCII and tabs. size is 0 when there is
// none, and has the line's end otherwise.
func plainLine(b []byte) (line []byte, size int) {
	end := bytes.IndexByte(b, '\n')
	if end < 1 || b[end-1] != '\r' {
		return nil, 0
	}
	line = b[:end-1]
	for _, c := range line {
		if (c < ' ' || c > '~') && c != '\t' {
			return nil, 0
		}
	}
	return line, end + 1
}

func (h *plainHead) statusLine(line []byte) bool {
	const start = "HTTP/1.1 "
	if len(line) < len(start)+3 || string(line[:len(start)]) != start {
		return false
	}
	line = line[len(start):]
	if len(line) > 3 && line[3] != ' ' {
		return false
	}
	for _, c := range line[:3] {
		if c < '0' || c > '9' {
			return false
		}
		h.status = h.status*10 + int(c-'0')
	}
	return h.status >= 200 && h.status < 600 && !redirects(h.status)
}

// header takes one header line.
func (h *plainHead) header(line []byte) bool {
	colon := 0
	for ; colon < len(line) && line[colon] != ':'; colon++ {
		c := line[colon]
		if lower := c | 0x20; (lower < 'a' || lower > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	if colon == 0 || colon == len(line) {
		return false
	}
	name, value := line[:colon], line[colon+1:]
	for len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	switch {
	case len(name) == len("Content-Length") && bytes.EqualFold(name, []byte("Content-Length")):
		return h.setLength(value)
	case len(name) == len("Transfer-Encoding") && bytes.EqualFold(name, []byte("Transfer-Encoding")):
		again := h.chunked
		h.chunked = true
		return !again && string(value) == "chunked"
	case len(name) == len("Content-Encoding") && bytes.EqualFold(name, []byte("Content-Encoding")):
		again := h.packed
		h.packed = true
		return !again && string(value) == "gzip"
	case len(name) == len("Trailer") && bytes.EqualFold(name, []byte("Trailer")):
		return false
	}
	return true
}

// setLength takes digits only, few enough not to overflow.
func (h *plainHead) setLength(value []byte) bool {
	if h.length >= 0 || len(value) == 0 || len(value) > 18 {
		return false
	}
	h.length = 0
	for _, c := range value {
		if c < '0' || c > '9' {
			return false
		}
		h.length = h.length*10 + int64(c-'0')
	}
	return true
}

// redirects reports a status that http.Client may want to follow.
func redirects(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}
