package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"monitor/modules/uptime"
)

// httpPlan is what all checks with the same settings share. It is read only:
// many checks use it at once.
type httpPlan struct {
	settings *httpSettings
	target   *url.URL
	expected []statusRange

	// wire is the request in bytes, nil where net/http makes all hops: for https,
	// and for what is unusual enough to mean more than its bytes.
	wire    []byte
	gzip    bool   // asked for, so that the answer is unpacked
	address string // to dial
	named   bool   // address has a name, not an IP address
}

func newHTTPPlan(s *httpSettings, userAgent string) (*httpPlan, error) {
	target, err := url.Parse(s.URL)
	if err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https" {
		// The error would repeat the URL, which may hold a password.
		return nil, errors.New(uptime.Sentence("the stored URL cannot be read"))
	}
	p := &httpPlan{settings: s, target: target, expected: statusRanges(s.ExpectedStatus)}
	if target.Scheme == "http" && p.locate() {
		p.write(userAgent)
	}
	return p, nil
}

// request is the first hop's, for net/http.
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

// locate sets the address. It accepts what can only be read in one way; the rest
// (zones, names that are not ASCII, ports such as 080) is net/http's.
func (p *httpPlan) locate() bool {
	host, port := p.target.Hostname(), cmp.Or(p.target.Port(), "80")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || port[0] == '0' {
		return false
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		// To net the unspecified address is a name: of this machine, in all families.
		p.address, p.named = netip.AddrPortFrom(addr.Unmap(), uint16(n)).String(), addr.IsUnspecified()
		return addr.Zone() == ""
	}
	p.address, p.named = host+":"+port, true
	return plainName(host)
}
