package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/stretchr/testify/require"

	"monitor/modules/auth"
	"monitor/modules/outbound"
	"monitor/modules/uptime"
)

func TestOIDCFlow(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	o := h.relying()
	require.Zero(t, h.count("/.well-known/openid-configuration"), "nothing is asked before the first log-in")
	address, err := o.AuthURL(context.Background(), oidcRequest())
	require.NoError(t, err)
	u, err := url.Parse(address)
	require.NoError(t, err)
	require.Equal(t, h.URL+"/auth", u.Scheme+"://"+u.Host+u.Path)
	sum := sha256.Sum256([]byte(oidcRequest().Verifier))
	require.Equal(t, url.Values{
		"response_type": {"code"}, "client_id": {oidcClient}, "redirect_uri": {oidcReturn}, "scope": {"openid email"},
		"state": {"the state"}, "nonce": {"the nonce"}, "code_challenge_method": {"S256"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
	}, u.Query())
	person, err := identify(o)
	require.NoError(t, err)
	require.Equal(t, uptime.OIDCPerson{
		Identity: uptime.Identity{Issuer: h.URL, Subject: "person-1"}, Email: "mia@example.com", EmailVerified: true,
		Name: "Mia Berg", Groups: []string{"ops", "dev"},
	}, person)
	form, basic := h.exchange()
	require.Equal(t, oidcRequest().Verifier, form.Get("code_verifier"))
	require.Equal(t, "the code", form.Get("code"))
	require.Equal(t, oidcReturn, form.Get("redirect_uri"))
	require.True(t, basic, "the secret goes into the header where nothing else is said")
	require.Zero(t, h.count("/userinfo"), "the token said it all")
	_, err = identify(o)
	require.NoError(t, err)
	require.Equal(t, 1, h.count("/.well-known/openid-configuration"))
	require.Equal(t, 1, h.count("/keys"))
}

// TestOIDCForgedTokens: each differs in one thing from a token that is taken.
func TestOIDCForgedTokens(t *testing.T) {
	t.Parallel()
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	longer, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	require.NoError(t, err)
	for name, forge := range map[string]func(h *hostile){
		"AnotherNonce":      func(h *hostile) { h.token = claims{"nonce": "another"} },
		"NoNonce":           func(h *hostile) { h.token = claims{"nonce": nil} },
		"AnotherAudience":   func(h *hostile) { h.token = claims{"aud": "another"} },
		"NoAudience":        func(h *hostile) { h.token = claims{"aud": nil} },
		"ManyAudiences":     func(h *hostile) { h.token = claims{"aud": []string{oidcClient, "another"}} },
		"AnotherParty":      func(h *hostile) { h.token = claims{"azp": "another"} },
		"PartyAmongMany":    func(h *hostile) { h.token = claims{"aud": []string{oidcClient, "another"}, "azp": "another"} },
		"PartyIsNoText":     func(h *hostile) { h.token = claims{"azp": 7} },
		"AnotherIssuer":     func(h *hostile) { h.token = claims{"iss": "https://evil.example.com"} },
		"IssuerWithSlash":   func(h *hostile) { h.token = claims{"iss": h.URL + "/"} },
		"Expired":           func(h *hostile) { h.token = claims{"exp": h.now.Add(-time.Second).Unix()} },
		"NoExpiry":          func(h *hostile) { h.token = claims{"exp": nil} },
		"NotYet":            func(h *hostile) { h.token = claims{"nbf": h.now.Add(time.Hour).Unix()} },
		"AlgorithmNone":     func(h *hostile) { h.sign = unsigned },
		"NoSubject":         func(h *hostile) { h.token = claims{"sub": nil} },
		"EmptySubject":      func(h *hostile) { h.token = claims{"sub": ""} },
		"HugeSubject":       func(h *hostile) { h.token = claims{"sub": strings.Repeat("x", 256)} },
		"SubjectWithNUL":    func(h *hostile) { h.token = claims{"sub": "person-1\x00"} },
		"SubjectWithLines":  func(h *hostile) { h.token = claims{"sub": "person-1\r\nSet-Cookie: a=b"} },
		"SubjectNotText":    func(h *hostile) { h.token = claims{"sub": 1} },
		"SubjectNotUTF8":    func(h *hostile) { h.token = claims{"sub": "person-\xff"} },
		"AnotherAccessHash": func(h *hostile) { h.token = claims{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"} },
		"AnotherKey":        func(h *hostile) { h.sign = func(p []byte) string { return signed(p, jwa.ES256, other, h.kid) } },
		"AlgorithmNotSaid": func(h *hostile) {
			h.signer, h.kid = longer, "longer"
			h.sign = func(p []byte) string { return signed(p, jwa.ES384, longer, "longer") }
		},
		"HMACOfPublicKey": func(h *hostile) {
			der, err := x509.MarshalPKIXPublicKey(h.signer.Public())
			if err == nil {
				h.sign = func(p []byte) string { return signed(p, jwa.HS256, der, h.kid) }
			}
		},
		"HMACOfSecret": func(h *hostile) {
			h.sign = func(p []byte) string { return signed(p, jwa.HS256, []byte(oidcSecret), h.kid) }
		},
		"Tampered": func(h *hostile) {
			h.sign = func(p []byte) string {
				parts := strings.Split(signed(p, jwa.ES256, h.signer, h.kid), ".")
				return parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(p), "person-1", "person-2", 1))) + "." + parts[2]
			}
		},
		"NoToken": func(h *hostile) { h.sign = func([]byte) string { return "a.b.c" } },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t)
			o := h.relying()
			_, err := identify(o)
			require.NoError(t, err, "an honest one is taken")
			h.set(func() { forge(h) })
			_, err = identify(o)
			requireRefused(t, uptime.CodeUnauthorized, err)
		})
	}
}

// TestOIDCHonestVariants: what other providers send, and is right.
func TestOIDCHonestVariants(t *testing.T) {
	t.Parallel()
	for name, vary := range map[string]claims{
		"PartyAmongMany": {"aud": []string{oidcClient, "another"}, "azp": oidcClient},
		"AudienceList":   {"aud": []string{oidcClient}},
		"AccessHash":     {"at_hash": atHash("access")},
		"NotBefore":      {"nbf": 1},
		"LongSubject":    {"sub": strings.Repeat("ü", 127)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t)
			h.set(func() { h.token = vary })
			person, err := identify(h.relying())
			require.NoError(t, err)
			if subject, ok := vary["sub"]; ok {
				require.Equal(t, subject, person.Subject, "whole")
			}
		})
	}
}

func atHash(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// TestOIDCMixUp: an answer that another provider gave (RFC 9207).
func TestOIDCMixUp(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	o := h.relying()
	ask := func(o *auth.OIDC, issuer string) error {
		_, err := o.Identify(context.Background(), oidcRequest(), uptime.OIDCAnswer{Code: "the code", Issuer: issuer})
		return err
	}
	require.NoError(t, ask(o, h.URL))
	requireRefused(t, uptime.CodeUnauthorized, ask(o, "https://evil.example.com"))
	before := h.count("/token")
	requireRefused(t, uptime.CodeUnauthorized, ask(o, "https://evil.example.com/"+strings.Repeat("x", 9000)))
	require.Equal(t, before, h.count("/token"), "the code goes to nobody")
	h.set(func() { h.metadata = claims{"authorization_response_iss_parameter_supported": true} })
	strict := h.relying()
	requireRefused(t, uptime.CodeUnauthorized, ask(strict, ""))
	require.NoError(t, ask(strict, h.URL))
}

func TestOIDCClaims(t *testing.T) {
	t.Parallel()
	type want struct {
		email    string
		verified bool
		groups   []string
	}
	mia := func(groups ...string) want { return want{"mia@example.com", true, groups} }
	for name, c := range map[string]struct {
		claim       string
		token, info claims
		want        want
	}{
		"GroupsAsText":         {"groups", claims{"groups": "ops"}, nil, mia("ops")},
		"GroupsMissing":        {"groups", claims{"groups": nil}, claims{"sub": "person-1"}, mia()},
		"GroupsOfAllKinds":     {"groups", claims{"groups": []any{"ops", 7, nil, "", []any{"dev"}, claims{"a": "b"}, "qa"}}, nil, mia("ops", "qa")},
		"GroupsAsObject":       {"groups", claims{"groups": claims{"ops": true}}, nil, mia()},
		"GroupsWithin":         {"realm_access.roles", claims{"realm_access": claims{"roles": []string{"sre"}}}, nil, mia("sre")},
		"GroupsByWholeName":    {"https://a.example/groups", claims{"https://a.example/groups": []string{"sre"}}, nil, mia("sre")},
		"GroupsNotWithin":      {"realm_access.roles", claims{"realm_access": "x"}, claims{"sub": "person-1"}, mia()},
		"GroupsFromUserInfo":   {"groups", claims{"groups": nil}, claims{"sub": "person-1", "groups": []string{"sre"}}, mia("sre")},
		"TokenBeforeUserInfo":  {"groups", claims{"email_verified": nil}, claims{"sub": "person-1", "groups": []string{"owners"}}, want{"mia@example.com", false, []string{"ops", "dev"}}},
		"NobodyAsksForGroups":  {"", claims{}, nil, mia()},
		"AddressFromUserInfo":  {"", claims{"email": nil, "email_verified": nil}, claims{"sub": "person-1", "email": "M@Example.com ", "email_verified": true}, want{"m@example.com", true, nil}},
		"VerifiedGoesWithIt":   {"", claims{"email_verified": nil}, claims{"sub": "person-1", "email": "m@example.com", "email_verified": true}, want{"m@example.com", true, nil}},
		"VerifiedOfNothing":    {"", claims{"email": nil}, claims{"sub": "person-1", "email": "victim@example.com"}, want{"victim@example.com", false, nil}},
		"VerifiedAsText":       {"", claims{"email_verified": "true"}, nil, want{"mia@example.com", true, nil}},
		"VerifiedAsNumber":     {"", claims{"email_verified": 1}, nil, want{"mia@example.com", false, nil}},
		"NotVerified":          {"", claims{"email_verified": false}, nil, want{"mia@example.com", false, nil}},
		"AddressIsNoText":      {"", claims{"email": []string{"mia@example.com"}}, nil, want{"", true, nil}},
		"UserInfoSaysNotAList": {"groups", claims{"groups": nil}, claims{"sub": "person-1", "groups": nil}, mia()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t)
			h.set(func() { h.token, h.info = c.token, c.info })
			if c.info == nil {
				h.set(func() { h.metadata = claims{"userinfo_endpoint": nil} })
			}
			person, err := identify(h.relying(func(p *auth.OIDCParams) { p.GroupsClaim = c.claim }))
			require.NoError(t, err)
			require.Equal(t, c.want, want{person.Email, person.EmailVerified, person.Groups})
		})
	}
}

func TestOIDCUserInfoOfSomebodyElse(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	h.set(func() {
		h.token, h.info = claims{"email": nil}, claims{"sub": "person-2", "email": "victim@example.com", "email_verified": true}
	})
	o := h.relying()
	_, err := identify(o)
	requireRefused(t, uptime.CodeUnauthorized, err)
	h.set(func() { h.fail["/userinfo"] = status(http.StatusForbidden) })
	_, err = identify(o)
	requireRefused(t, uptime.CodeUnavailable, err)
	h.set(func() { h.fail["/userinfo"] = status(http.StatusBadGateway) })
	_, err = identify(o)
	requireRefused(t, uptime.CodeUnavailable, err)
	require.ErrorContains(t, err, "does not answer")
}

func status(code int) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(code)
		_, _ = rw.Write([]byte("<h1>" + strings.Repeat("x", 5000)))
	}
}

// TestOIDCAway: a provider that is away is asked again, but not by everybody at once,
// and what it said before is good meanwhile.
func TestOIDCAway(t *testing.T) {
	t.Parallel()
	const metadata = "/.well-known/openid-configuration"
	h := newHostile(t)
	h.set(func() { h.fail[metadata] = status(http.StatusServiceUnavailable) })
	o := h.relying()
	for range 3 {
		_, err := o.AuthURL(context.Background(), oidcRequest())
		requireRefused(t, uptime.CodeUnavailable, err)
		require.ErrorContains(t, err, "Acme does not answer at the moment")
	}
	require.Equal(t, 1, h.count(metadata))
	h.set(func() { h.now, h.fail = h.now.Add(6*time.Second), map[string]http.HandlerFunc{} })
	_, err := o.AuthURL(context.Background(), oidcRequest())
	require.NoError(t, err)

	h.set(func() { h.now, h.fail[metadata] = h.now.Add(2*time.Hour), status(http.StatusServiceUnavailable) })
	_, err = identify(o)
	require.NoError(t, err, "what it said of itself is old, and good enough")
	h.set(func() { h.fail["/token"] = status(http.StatusServiceUnavailable) })
	_, err = identify(o)
	requireRefused(t, uptime.CodeUnavailable, err)
	h.set(func() { delete(h.fail, "/token") })
	h.rotate(t, "unseen")
	h.set(func() { h.fail["/keys"] = status(http.StatusServiceUnavailable) })
	_, err = identify(o)
	requireRefused(t, uptime.CodeUnavailable, err)
	require.ErrorContains(t, err, "does not answer", "nobody is called a forger for it")

	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	_, err = h.relying(func(p *auth.OIDCParams) { p.Issuer = nobody.URL }).AuthURL(context.Background(), oidcRequest())
	requireRefused(t, uptime.CodeUnavailable, err)
}

// TestOIDCLeft: who leaves while it is asked takes nobody along.
func TestOIDCLeft(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	o := h.relying()
	gone, leave := context.WithCancel(context.Background())
	leave()
	_, _ = o.AuthURL(gone, oidcRequest())
	_, err := o.AuthURL(context.Background(), oidcRequest())
	require.NoError(t, err)
}

func TestOIDCKeyRotation(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	o := h.relying()
	_, err := identify(o)
	require.NoError(t, err)
	h.mu.Lock()
	withdrawn, old := h.signer, h.kid
	h.mu.Unlock()
	h.rotate(t, "second")
	_, err = identify(o)
	require.NoError(t, err, "a key that is new is fetched when it is first seen")
	require.Equal(t, 2, h.count("/keys"))
	h.set(func() { h.sign = func(p []byte) string { return signed(p, jwa.ES256, withdrawn, old) } })
	_, err = identify(o)
	requireRefused(t, uptime.CodeUnauthorized, err)

	// Without another key to be seen, too, within an hour.
	h.set(func() { h.sign = nil })
	h.mu.Lock()
	withdrawn, old = h.signer, h.kid
	h.mu.Unlock()
	h.rotate(t, "third")
	h.set(func() {
		h.now = h.now.Add(61 * time.Minute)
		h.sign = func(p []byte) string { return signed(p, jwa.ES256, withdrawn, old) }
	})
	_, err = identify(o)
	requireRefused(t, uptime.CodeUnauthorized, err)
}

func TestOIDCMetadata(t *testing.T) {
	t.Parallel()
	const metadata = "/.well-known/openid-configuration"
	for name, change := range map[string]func(h *hostile){
		"AnotherIssuer": func(h *hostile) { h.metadata = claims{"issuer": "https://evil.example.com"} },
		"NoTokens":      func(h *hostile) { h.metadata = claims{"token_endpoint": nil} },
		"NoKeys":        func(h *hostile) { h.metadata = claims{"jwks_uri": nil} },
		"Script":        func(h *hostile) { h.metadata = claims{"authorization_endpoint": "javascript:alert(1)//x"} },
		"NotFound":      func(h *hostile) { h.fail[metadata] = status(http.StatusNotFound) },
		"NoJSON":        func(h *hostile) { h.fail[metadata] = status(http.StatusOK) },
		"Huge":          func(h *hostile) { h.metadata = claims{"padding": strings.Repeat("x", 2<<20)} },
		"RedirectedAway": func(h *hostile) {
			h.fail[metadata] = http.RedirectHandler("http://localhost:1/x", http.StatusFound).ServeHTTP
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t)
			h.set(func() { change(h) })
			_, err := h.relying().AuthURL(context.Background(), oidcRequest())
			requireRefused(t, uptime.CodeUnavailable, err)
			require.ErrorContains(t, err, "not set up as it should be")
		})
	}
	t.Run("Slash", func(t *testing.T) {
		t.Parallel()
		h := newHostile(t)
		person, err := identify(h.relying(func(p *auth.OIDCParams) { p.Issuer += "/" }))
		require.NoError(t, err)
		require.Equal(t, h.URL, person.Issuer, "as the provider calls itself")
	})
}

// TestOIDCExchange: what the token endpoint refuses.
func TestOIDCExchange(t *testing.T) {
	t.Parallel()
	refuse := func(code string) http.HandlerFunc {
		return func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			rw.WriteHeader(http.StatusBadRequest)
			_, _ = rw.Write([]byte(`{"error":"` + code + `","error_description":"the secret ` + oidcSecret + ` is wrong\r\n"}`))
		}
	}
	for name, c := range map[string]struct {
		change func(h *hostile)
		code   uptime.Code
		says   string
	}{
		"UsedCode":      {func(h *hostile) { h.fail["/token"] = refuse("invalid_grant") }, uptime.CodeUnauthorized, "used before"},
		"WrongSecret":   {func(h *hostile) { h.fail["/token"] = refuse("invalid_client") }, uptime.CodeUnavailable, "not set up as it should be"},
		"NoIDToken":     {func(h *hostile) { h.answer = claims{"id_token": nil} }, uptime.CodeUnavailable, "not set up as it should be"},
		"IDTokenNoText": {func(h *hostile) { h.answer = claims{"id_token": 7} }, uptime.CodeUnavailable, "not set up as it should be"},
		"NoAccessToken": {func(h *hostile) { h.answer = claims{"access_token": nil} }, uptime.CodeUnavailable, "not set up as it should be"},
		"Huge":          {func(h *hostile) { h.answer = claims{"padding": strings.Repeat("x", 2<<20)} }, uptime.CodeUnavailable, ""},
		"RedirectedAway": {func(h *hostile) {
			h.fail["/token"] = http.RedirectHandler("/elsewhere", http.StatusTemporaryRedirect).ServeHTTP
		}, uptime.CodeUnavailable, ""},
		"Broken": {func(h *hostile) { h.fail["/token"] = status(http.StatusInternalServerError) }, uptime.CodeUnavailable, "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t)
			h.set(func() { c.change(h) })
			_, err := identify(h.relying())
			requireRefused(t, c.code, err)
			require.ErrorContains(t, err, c.says)
			require.Zero(t, h.count("/elsewhere"), "secret and code go nowhere else")
		})
	}
}

func TestOIDCClientAuthentication(t *testing.T) {
	t.Parallel()
	const methods = "token_endpoint_auth_methods_supported"
	for name, c := range map[string]struct {
		methods []string
		secret  string
		basic   bool
		posted  string
	}{
		"Basic":  {[]string{"client_secret_basic"}, oidcSecret, true, ""},
		"Post":   {[]string{"client_secret_post"}, oidcSecret, false, oidcSecret},
		"Both":   {[]string{"client_secret_post", "client_secret_basic"}, oidcSecret, true, ""},
		"Public": {[]string{"none", "client_secret_basic"}, "", false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHostile(t)
			h.set(func() { h.metadata = claims{methods: c.methods} })
			_, err := identify(h.relying(func(p *auth.OIDCParams) { p.ClientSecret = c.secret }))
			require.NoError(t, err)
			form, basic := h.exchange()
			require.Equal(t, c.basic, basic)
			require.Equal(t, c.posted, form.Get("client_secret"))
			require.NotEmpty(t, form.Get("code_verifier"))
		})
	}
}

// TestOIDCGuarded: a provider is reached where the network settings allow it, and what
// its metadata name as well.
func TestOIDCGuarded(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	for _, c := range []struct {
		config outbound.Config
		ok     bool
	}{
		{outbound.DefaultConfig(), true},
		{outbound.Config{Deny: []string{"127.0.0.0/8"}, AllowPrivate: true}, false},
		{outbound.Config{}, false},
		{outbound.Config{Allow: []string{"127.0.0.1"}}, true},
	} {
		guard, err := outbound.New(c.config)
		require.NoError(t, err)
		_, err = h.relying(func(p *auth.OIDCParams) { p.Dial = guard.DialContext }).AuthURL(context.Background(), oidcRequest())
		if c.ok {
			require.NoError(t, err)
			continue
		}
		requireRefused(t, uptime.CodeUnavailable, err)
		require.ErrorContains(t, err, "refused by network", "the log says why")
	}
	guard, err := outbound.New(outbound.DefaultConfig())
	require.NoError(t, err)
	h.set(func() { h.metadata = claims{"token_endpoint": "http://169.254.169.254/latest"} })
	_, err = identify(h.relying(func(p *auth.OIDCParams) { p.Dial = guard.DialContext }))
	requireRefused(t, uptime.CodeUnavailable, err)
	require.ErrorContains(t, err, "169.254.169.254 is refused")
}
