package web

import (
	"fmt"
	"net/http"
	"net/url"

	"monitor/modules/uptime"
)

// clientAddress is what httpd found out: no header is read here.
func clientAddress(r *http.Request) string { return uptime.RequestOf(r.Context()).Address }

// originOf is scheme and host of an absolute URL.
func originOf(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return "", fmt.Errorf("%q is not an absolute URL", raw)
	}
	return u.Scheme + "://" + u.Host, nil
}
