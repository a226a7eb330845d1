package auth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/coreos/go-oidc/v3/oidc"
)

// maxOIDCAnswer bounds each answer of a provider; key sets and metadata take some kB.
const maxOIDCAnswer = 1 << 20

// oidcWeb is how a provider is asked: within bounds of time and size, by a dialer that
// goes by network.deny and the like, through no proxy of the environment.
type oidcWeb struct {
	client *http.Client
}

func newOIDCWeb(dial func(ctx context.Context, network, address string) (net.Conn, error)) *oidcWeb {
	return &oidcWeb{client: &http.Client{
		Timeout:       oidcRequestTimeout,
		CheckRedirect: sameHost,
		Transport: boundedTransport{&http.Transport{
			DialContext: dial, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
			// Log-ins are rare: no connection is kept for the next.
			DisableKeepAlives: true, MaxResponseHeaderBytes: 64 << 10,
		}},
	}}
}

// context makes both libraries use the client.
func (w *oidcWeb) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, w.client)
}

// sameHost follows redirects within the provider only, never from TLS to none, and
// none of a post: code and secret are for the address that the metadata names.
func sameHost(next *http.Request, via []*http.Request) error {
	first := via[0]
	if first.Method != http.MethodGet || next.URL.Host != first.URL.Host || first.URL.Scheme == "https" && next.URL.Scheme != "https" || len(via) > 3 {
		return http.ErrUseLastResponse
	}
	return nil
}

// boundedTransport bounds the body of each answer. A provider that has an error of its
// own is as good as away.
type boundedTransport struct{ under http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := t.under.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= http.StatusInternalServerError || res.StatusCode == http.StatusTooManyRequests {
		_ = res.Body.Close() // nobody reads it
		return nil, fmt.Errorf("the provider answered %d", res.StatusCode)
	}
	res.Body = boundedBody{io.LimitReader(res.Body, maxOIDCAnswer), res.Body}
	return res, nil
}

type boundedBody struct {
	io.Reader
	io.Closer
}

// isAway reports that no answer came: every failure of the client is a *url.Error.
func isAway(err error) bool {
	var transport *url.Error
	return errors.As(err, &transport) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// checkEndpoints refuses addresses that are none, and those without TLS of a provider
// with it. The last may be missing.
func checkEndpoints(issuer string, auth, token, keys, userInfo string) error {
	home, err := url.Parse(issuer)
	if err != nil {
		return fmt.Errorf("read the issuer: %w", err)
	}
	for name, address := range map[string]string{
		"authorization_endpoint": auth, "token_endpoint": token, "jwks_uri": keys, "userinfo_endpoint": userInfo,
	} {
		if address == "" && name == "userinfo_endpoint" {
			continue
		}
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return fmt.Errorf("the %s of the provider is no address", name)
		}
		if home.Scheme == "https" && u.Scheme != "https" {
			return fmt.Errorf("the %s of the provider has no TLS", name)
		}
	}
	return nil
}

// algorithmsOf are the asymmetric ones that the provider signs with; nil is RS256, which
// every provider has. Neither "none" nor one with a shared secret is ever among them.
func algorithmsOf(p *oidc.Provider) []string {
	var says struct {
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if p.Claims(&says) != nil {
		return nil
	}
	var out []string
	for _, name := range says.Algorithms {
		switch name {
		case oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA:
			out = append(out, name)
		}
	}
	return out
}

type causeKey struct{}

// withCause asks oidcKeys to leave its error: the verifier turns it into text, and a
// provider that is away would look like a forged token.
func withCause(ctx context.Context, cause *error) context.Context {
	return context.WithValue(ctx, causeKey{}, cause)
}

// oidcKeys is the provider's, fetched when a key is not known.
type oidcKeys struct{ remote *oidc.RemoteKeySet }

// VerifySignature implements oidc.KeySet.
func (k oidcKeys) VerifySignature(ctx context.Context, jwt string) ([]byte, error) {
	payload, err := k.remote.VerifySignature(ctx, jwt)
	if cause, ok := ctx.Value(causeKey{}).(*error); ok {
		*cause = err
	}
	return payload, err
}
