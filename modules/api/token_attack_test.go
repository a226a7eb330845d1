package api

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// forger knows what nobody should: the key of the bundle's tokens, derived here
// anew.
type forger struct{ id, key string }

func newForger(t *testing.T) forger {
	t.Helper()
	const secret = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" // of the bundle
	id, err := hkdf.Key(sha256.New, []byte(secret), nil, "monitor/v1/id", 8)
	require.NoError(t, err)
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "monitor/v1/jwt", 32)
	require.NoError(t, err)
	return forger{id: hex.EncodeToString(id), key: string(key)}
}

// header is a good one with members that change or add to it.
func (f forger) header(algorithm, more string) string {
	return `{"alg":"` + algorithm + `","kid":"` + f.id + `","typ":"at+jwt"` + more + `}`
}

func (f forger) token(header, payload string, of func() hash.Hash) string {
	encode := base64.RawURLEncoding.EncodeToString
	input := encode([]byte(header)) + "." + encode([]byte(payload))
	if of == nil {
		return input + "."
	}
	mac := hmac.New(of, []byte(f.key))
	mac.Write([]byte(input))
	return input + "." + encode(mac.Sum(nil))
}

// payloadOf reads what a token holds.
func payloadOf(t *testing.T, token string) string {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	require.NoError(t, err)
	return string(raw)
}

// TestForgedTokensAreAllTheSame: whatever is wrong with a token, a stranger hears the
// same words, and no page of it is looked at beyond what they allow.
func TestForgedTokensAreAllTheSame(t *testing.T) {
	t.Parallel()
	b, f := setup(t), newForger(t)
	payload := payloadOf(t, b.token)
	good := f.token(f.header("HS256", ""), payload, sha256.New)
	require.Equal(t, http.StatusOK, b.ask(t, "GET", prefix+"/me", "", as(good)).status, "the key is the right one")
	nobody := b.ask(t, "GET", prefix+"/me", "", as("garbage"))
	require.Equal(t, http.StatusUnauthorized, nobody.status)
	require.Equal(t, "unauthorized", nobody.text("code"))

	now := time.Now()
	shifted := func(name string, at time.Time) string {
		return f.token(f.header("HS256", ""), strings.TrimSuffix(payload, "}")+fmt.Sprintf(`,%q:%d}`, name, at.Unix()), sha256.New)
	}
	elsewhere := strings.ReplaceAll(payload, `"ws":"1"`, `"ws":"77"`)
	require.NotEqual(t, payload, elsewhere)
	for name, token := range map[string]string{
		"None":           f.token(f.header("none", ""), payload, nil),
		"HS384":          f.token(f.header("HS384", ""), payload, sha512.New384),
		"HS512":          f.token(f.header("HS512", ""), payload, sha512.New),
		"RS256":          f.token(f.header("RS256", ""), payload, sha256.New),
		"ES256":          f.token(f.header("ES256", ""), payload, sha256.New),
		"KeyIsAPath":     f.token(strings.Replace(f.header("HS256", ""), f.id, "../../dev/null", 1), payload, sha256.New),
		"KeyIsSQL":       f.token(strings.Replace(f.header("HS256", ""), f.id, "' OR 1=1 --", 1), payload, sha256.New),
		"NoKey":          f.token(strings.Replace(f.header("HS256", ""), `"kid":"`+f.id+`",`, "", 1), payload, sha256.New),
		"JKU":            f.token(f.header("HS256", `,"jku":"http://127.0.0.1:1/keys"`), payload, sha256.New),
		"X5U":            f.token(f.header("HS256", `,"x5u":"http://127.0.0.1:1/keys"`), payload, sha256.New),
		"JWK":            f.token(f.header("HS256", `,"jwk":{"kty":"oct","k":"AA"}`), payload, sha256.New),
		"Encrypted":      "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA.AA.AA",
		"Audience":       f.token(f.header("HS256", ""), strings.Replace(payload, "monitor-api", "monitor", 1), sha256.New),
		"Issuer":         f.token(f.header("HS256", ""), strings.Replace(payload, `"iss":"monitor"`, `"iss":"else"`, 1), sha256.New),
		"NotYet":         shifted("nbf", now.Add(time.Hour)),
		"EndTwice":       shifted("exp", now.Add(time.Hour)),
		"RefreshToken":   b.refresh,
		"SetupToken":     setupToken,
		"ThreeKilobytes": strings.Repeat("a", 3<<10),
	} {
		a := b.ask(t, "GET", prefix+"/me", "", as(token))
		require.Equal(t, http.StatusUnauthorized, a.status, name)
		require.Equal(t, nobody.body, a.body, name)
		require.Equal(t, nobody.header.Get("WWW-Authenticate"), a.header.Get("WWW-Authenticate"), name)
		require.Equal(t, "application/problem+json", a.header.Get("Content-Type"), name)
	}
	// Even who had the key could not choose another person or workspace for a session.
	for name, payload := range map[string]string{"Workspace": elsewhere, "Person": strings.Replace(payload, `"sub":"1"`, `"sub":"2"`, 1)} {
		a := b.ask(t, "GET", prefix+"/me", "", as(f.token(f.header("HS256", ""), payload, sha256.New)))
		require.Equal(t, http.StatusUnauthorized, a.status, name)
	}
	a := b.ask(t, "GET", prefix+"/me", "", as(strings.Repeat("a", 500<<10)))
	require.Equal(t, http.StatusUnauthorized, a.status, "what is far too long is none")
}

// TestTokensHaveOneUse: none is taken for another.
func TestTokensHaveOneUse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	api := b.made(t, "/tokens", `{"name":"deploy"}`).text("secret")
	invited := b.made(t, "/users", `{"email":"noa@example.com","role":"viewer"}`).text("invite_url")
	invite := invited[strings.LastIndex(invited, "/")+1:]
	for name, token := range map[string]string{"Access": b.token, "API": api, "Invitation": invite, "Setup": setupToken} {
		a := b.ask(t, "POST", prefix+"/auth/refresh", `{"refresh_token":"`+token+`"}`, anonymous)
		require.Equal(t, http.StatusUnauthorized, a.status, name)
	}
	for name, token := range map[string]string{"Refresh": b.refresh, "Invitation": invite, "Setup": setupToken} {
		require.Equal(t, http.StatusUnauthorized, b.ask(t, "GET", prefix+"/me", "", as(token)).status, name)
		require.Equal(t, http.StatusUnauthorized, b.ask(t, "GET", prefix+"/me", "", anonymous, with("X-API-Key", token)).status, name)
	}
	for name, place := range map[string]asking{
		"Query":  func(r *http.Request) { r.URL.RawQuery = "token=" + api },
		"Cookie": with("Cookie", "monitor_session="+api),
		"Basic":  with("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("x:"+api))),
	} {
		require.Equal(t, http.StatusUnauthorized, b.ask(t, "GET", prefix+"/me", "", anonymous, place).status, name)
	}
	require.Equal(t, http.StatusOK, b.ask(t, "GET", prefix+"/me", "", as(api)).status)
	require.Equal(t, http.StatusOK, b.ask(t, "GET", prefix+"/me", "").status, "nothing of this ended the session")
}
