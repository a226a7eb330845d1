package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/stretchr/testify/require"

	"monitor/modules/auth"
	"monitor/modules/uptime"
)

const (
	oidcClient = "monitor"
	oidcSecret = "hunter2-hunter2"
	oidcReturn = "https://status.example.com/login/oidc/callback"
)

// claims are those of a token.
type claims = map[string]any

// hostile is a provider that answers as a test wants it to.
type hostile struct {
	*httptest.Server

	mu       sync.Mutex
	now      time.Time
	signer   *ecdsa.PrivateKey
	kid      string
	metadata claims                      // changes to the honest one; nil removes
	token    claims                      // changes to the honest ID token; nil removes
	sign     func(payload []byte) string // instead of the honest signature
	answer   claims                      // changes to the honest answer of the token endpoint
	info     claims                      // of the userinfo endpoint
	fail     map[string]http.HandlerFunc // by path, instead of an answer
	asked    map[string]int              // requests by path
	form     url.Values                  // of the newest request for a token
	basic    bool                        // it came with the secret in its header
}

func newHostile(t *testing.T) *hostile {
	t.Helper()
	h := &hostile{now: time.Now().UTC(), fail: map[string]http.HandlerFunc{}, asked: map[string]int{}}
	h.rotate(t, "first")
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.Close)
	return h
}

// rotate replaces the key.
func (h *hostile) rotate(t *testing.T, kid string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.signer, h.kid = key, kid
}

func (h *hostile) serve(rw http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked[r.URL.Path]++
	if fail := h.fail[r.URL.Path]; fail != nil {
		fail(rw, r)
		return
	}
	var body any
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		body = changed(claims{
			"issuer": h.URL, "authorization_endpoint": h.URL + "/auth", "token_endpoint": h.URL + "/token",
			"jwks_uri": h.URL + "/keys", "userinfo_endpoint": h.URL + "/userinfo", "id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"},
		}, h.metadata)
	case "/keys":
		key, err := jwk.FromRaw(h.signer.Public())
		if err != nil || key.Set(jwk.KeyIDKey, h.kid) != nil {
			rw.WriteHeader(http.StatusTeapot)
			return
		}
		set := jwk.NewSet()
		_ = set.AddKey(key)
		body = set
	case "/token":
		_ = r.ParseForm()
		h.form = r.PostForm
		_, secret, ok := r.BasicAuth()
		h.basic = ok && secret == oidcSecret
		body = changed(claims{"access_token": "access", "token_type": "Bearer", "expires_in": 60, "id_token": h.idToken()}, h.answer)
	case "/userinfo":
		body = h.info
	default:
		rw.WriteHeader(http.StatusNotFound)
		return
	}
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(body)
}

func (h *hostile) idToken() string {
	payload, err := json.Marshal(changed(claims{
		"iss": h.URL, "aud": oidcClient, "sub": "person-1", "nonce": "the nonce", "email": "Mia@Example.com", "email_verified": true,
		"name": "Mia Berg", "iat": h.now.Unix(), "exp": h.now.Add(time.Minute).Unix(), "groups": []string{"ops", "dev"},
	}, h.token))
	if err != nil {
		return ""
	}
	if h.sign != nil {
		return h.sign(payload)
	}
	return signed(payload, jwa.ES256, h.signer, h.kid)
}

func signed(payload []byte, alg jwa.SignatureAlgorithm, key any, kid string) string {
	headers := jws.NewHeaders()
	_ = headers.Set(jws.KeyIDKey, kid)
	out, err := jws.Sign(payload, jws.WithKey(alg, key, jws.WithProtectedHeaders(headers)))
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// unsigned is a token that says of itself that nobody signed it.
func unsigned(payload []byte) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode(payload) + "."
}

// changed gives the members of base with changes, nil taking one away.
func changed(base, changes claims) claims {
	out := maps.Clone(base)
	for name, value := range changes {
		if out[name] = value; value == nil {
			delete(out, name)
		}
	}
	return out
}

// set changes it under its lock.
func (h *hostile) set(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
}

func (h *hostile) count(path string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.asked[path]
}

// exchange is the newest request for a token, and whether the secret was in its header.
func (h *hostile) exchange() (form url.Values, basic bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.form, h.basic
}

// Now is the client's clock, too.
func (h *hostile) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func dialAll(ctx context.Context, network, address string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// relying is this program, which relies on the provider.
func (h *hostile) relying(change ...func(*auth.OIDCParams)) *auth.OIDC {
	p := auth.OIDCParams{
		Issuer: h.URL, ClientID: oidcClient, ClientSecret: oidcSecret, RedirectURL: oidcReturn, Name: "Acme",
		Scopes: []string{"openid", "email"}, GroupsClaim: "groups", Dial: dialAll, Clock: h.Now,
	}
	for _, f := range change {
		f(&p)
	}
	return auth.NewOIDC(p)
}

func oidcRequest() uptime.OIDCRequest {
	return uptime.OIDCRequest{State: "the state", Nonce: "the nonce", Verifier: "a-verifier-of-at-least-forty-three-characters"}
}

func identify(o *auth.OIDC) (uptime.OIDCPerson, error) {
	return o.Identify(context.Background(), oidcRequest(), uptime.OIDCAnswer{Code: "the code"})
}

// requireRefused asks for the code, and that neither people nor the log are told a
// secret.
func requireRefused(t *testing.T, code uptime.Code, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, code, uptime.CodeOf(err), err)
	require.NotContains(t, err.Error(), oidcSecret)
	var e *uptime.Error
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Detail, ".", "a sentence for people")
	require.LessOrEqual(t, len(e.Err.Error()), 500)
}
