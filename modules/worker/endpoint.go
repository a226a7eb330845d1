package worker

import (
	"encoding/json"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"monitor/modules/uptime"
)

// endpoint is what a check connects to, as far as its settings tell.
type endpoint struct {
	host    string // without a port, lower case; "": not known
	address string // host:port to be dialled over TCP; "": none
}

// local reports hosts that are this machine itself: reaching them proves nothing
// about its network.
func (e endpoint) local() bool {
	if e.host == "localhost" || strings.HasSuffix(e.host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(e.host)
	return err == nil && addr.Unmap().IsLoopback()
}

// endpointOf reads the target that people see from settings whose secrets are
// still sealed.
func (w *Worker) endpointOf(spec uptime.Spec) endpoint {
	kind, ok := w.Catalog.Kind(spec.Type)
	if !ok || kind.New == nil || kind.Target == nil {
		return endpoint{}
	}
	settings := kind.New()
	if err := json.Unmarshal(spec.Settings, settings); err != nil {
		return endpoint{}
	}
	return parseEndpoint(kind.Target(settings))
}

// parseEndpoint reads an URL, host:port or host.
func parseEndpoint(target string) endpoint {
	if strings.Contains(target, "://") {
		u, err := url.Parse(target)
		if err != nil || u.Hostname() == "" {
			return endpoint{}
		}
		port := u.Port()
		switch {
		case port != "":
		case u.Scheme == "http", u.Scheme == "ws":
			port = "80"
		case u.Scheme == "https", u.Scheme == "wss":
			port = "443"
		}
		return newEndpoint(u.Hostname(), port)
	}
	if host, port, err := net.SplitHostPort(target); err == nil {
		return newEndpoint(host, port)
	}
	if strings.ContainsAny(target, " /@") {
		return endpoint{}
	}
	return newEndpoint(strings.Trim(target, "[]"), "")
}

func newEndpoint(host, port string) endpoint {
	e := endpoint{host: strings.ToLower(strings.TrimSuffix(host, "."))}
	if e.host != "" && port != "" {
		e.address = net.JoinHostPort(e.host, port)
	}
	return e
}
