package probe

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxWire bounds the requests that a hop writes itself. It is the size of
// net/http's own buffer: up to it both make one write, which an empty send buffer
// takes whole, so that an answer that comes early finds nothing half written.
const maxWire = 4 << 10

// httpPlan is what all checks with the same settings share. It is read only:
// many checks use it at once.
type httpPlan struct {
	settings *httpSettings
	target   *url.URL
	expected []statusRange

	// wire is the request in bytes, nil where net/http makes all hops: for https,
	// and for what is unusual enough to mean more than its bytes.
	wire    []byte
	method  string
	gzip    bool   // asked for, so that the answer is unpacked
	address string // to dial
	named   bool   // address has a name, not an IP address
}

func newHTTPPlan(s *httpSettings, userAgent string) (*httpPlan, error) {
	target, err := url.Parse(s.URL)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		// The error would repeat the URL, which may hold a password.
		return nil, errors.New("the stored URL cannot be read")
	}
	p := &httpPlan{settings: s, target: target, expected: statusRanges(s.ExpectedStatus)}
	request, err := p.request(context.Background(), userAgent)
	if err != nil {
		return nil, err
	}
	p.method = request.Method
	p.write(request)
	return p, nil
}

// request is the first hop's.
func (p *httpPlan) request(ctx context.Context, userAgent string) (*http.Request, error) {
	var body io.Reader
	if p.settings.Body != "" {
		body = strings.NewReader(p.settings.Body)
	}
	request, err := http.NewRequestWithContext(ctx, p.settings.Method, "", body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	bare := *p.target
	bare.User = nil
	request.URL, request.Host = &bare, p.target.Host
	request.Header.Set("User-Agent", userAgent)
	request.Header.Set("Accept", "*/*")
	if u := p.target.User; u != nil {
		password, _ := u.Password()
		request.SetBasicAuth(u.Username(), password)
	}
	for name, value := range p.settings.Headers {
		if strings.EqualFold(name, "Host") {
			request.Host = value
			continue
		}
		request.Header.Set(name, value)
	}
	return request, nil
}

// write sets wire and what belongs to it. It does what net/http's transport does
// before it has the request written, which is net/http's here too.
func (p *httpPlan) write(r *http.Request) {
	if r.URL.Scheme != "http" || !plainMethod(r.Method) || !plainHeaders(r.Header) || !p.locate(r.URL) {
		return
	}
	p.gzip = r.Method != http.MethodHead && r.Header.Get("Accept-Encoding") == "" && r.Header.Get("Range") == ""
	if p.gzip {
		r.Header.Set("Accept-Encoding", "gzip")
	}
	r.Close = true
	var wire bytes.Buffer
	wire.Grow(512 + len(p.settings.Body))
	if err := r.Write(&wire); err == nil && wire.Len() <= maxWire {
		p.wire = slices.Clip(wire.Bytes())
	}
}

// locate sets the address. It accepts what can only be read in one way; the rest
// (zones, names that are not ASCII, ports such as 080) is net/http's.
func (p *httpPlan) locate(u *url.URL) bool {
	host, port := u.Hostname(), cmp.Or(u.Port(), "80")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || port[0] == '0' {
		return false
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		p.address = netip.AddrPortFrom(addr.Unmap(), uint16(n)).String()
		return addr.Zone() == ""
	}
	p.address, p.named = host+":"+port, true
	return plainName(host)
}

func plainName(host string) bool {
	for i := range len(host) {
		c := host[i]
		if c|0x20 < 'a' || c|0x20 > 'z' {
			if (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
				return false
			}
		}
	}
	return host != ""
}

func plainMethod(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return true
	}
	return false
}

// plainHeaders refuses what net/http's transport refuses, and what changes how it
// talks.
func plainHeaders(all http.Header) bool {
	for name, values := range all {
		switch name { // as canonical as the map is
		case "Connection", "Content-Length", "Expect", "Te", "Trailer", "Transfer-Encoding", "Upgrade":
			return false
		}
		if !validHeaderName(name) {
			return false
		}
		for _, value := range values {
			if !validHeaderValue(value) || value == "" {
				return false
			}
		}
	}
	return true
}
