package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/lestrrat-go/jwx/v2/jwt"

	"monitor/modules/uptime"
)

const (
	tokenIssuer   = "monitor"
	tokenAudience = "monitor-api"
	tokenType     = "at+jwt" // RFC 9068
	maxTokenSize  = 8 << 10
	// tokenSkew is how far the clocks of two processes may differ.
	tokenSkew = 2 * time.Second

	claimWorkspace = "ws"
	claimSession   = "sid"
	claimIssuedMS  = "iat_ms"
)

// ErrBadToken says that an access token is not to be trusted.
var ErrBadToken = errors.New("bad access token")

// AccessTokens signs and reads access tokens: JWTs with HS256 and no other
// algorithm. It is the only user of the JWT library.
type AccessTokens struct {
	keys Keys
}

// NewAccessTokens signs with the current key and reads with all.
func NewAccessTokens(keys Keys) *AccessTokens { return &AccessTokens{keys: keys} }

// Sign gives the token of the claims.
func (a *AccessTokens) Sign(c uptime.AccessClaims) (string, error) {
	token, err := jwt.NewBuilder().
		Issuer(tokenIssuer).Audience([]string{tokenAudience}).
		Subject(strconv.FormatInt(c.UserID, 10)).
		IssuedAt(c.IssuedAt).Expiration(c.ExpiresAt).
		Claim(claimWorkspace, strconv.FormatInt(c.WorkspaceID, 10)).
		Claim(claimSession, c.Session).
		Claim(claimIssuedMS, strconv.FormatInt(c.IssuedAt.UnixMilli(), 10)).
		Build()
	if err != nil {
		return "", fmt.Errorf("build access token: %w", err)
	}
	headers := jws.NewHeaders()
	if err := errors.Join(headers.Set(jws.KeyIDKey, a.keys.current.id), headers.Set(jws.TypeKey, tokenType)); err != nil {
		return "", fmt.Errorf("build access token: %w", err)
	}
	signed, err := jwt.Sign(token, jwt.WithKey(jwa.HS256, a.keys.current.jwt, jws.WithProtectedHeaders(headers)))
	if err != nil {
		return "", fmt.Errorf("sign access token: %w", err)
	}
	return string(signed), nil
}

// Parse gives the claims of a token that one of the keys signed and that has not
// ended at now. Any error is ErrBadToken. The size and the header are judged
// before anything is computed; nothing in the header is followed.
func (a *AccessTokens) Parse(token string, now time.Time) (uptime.AccessClaims, error) {
	set, err := a.keyOf(token)
	if err != nil {
		return uptime.AccessClaims{}, fmt.Errorf("%w: %w", ErrBadToken, err)
	}
	parsed, err := jwt.ParseString(token,
		jwt.WithKey(jwa.HS256, set.jwt), jwt.WithValidate(true),
		jwt.WithClock(jwt.ClockFunc(func() time.Time { return now })), jwt.WithAcceptableSkew(tokenSkew),
		jwt.WithIssuer(tokenIssuer), jwt.WithAudience(tokenAudience), jwt.WithRequiredClaim(jwt.ExpirationKey))
	if err != nil {
		return uptime.AccessClaims{}, fmt.Errorf("%w: %w", ErrBadToken, err)
	}
	claims, err := claimsOf(parsed)
	if err != nil {
		return uptime.AccessClaims{}, fmt.Errorf("%w: %w", ErrBadToken, err)
	}
	return claims, nil
}

// keyOf finds the key that the token's header names, by a lookup and nothing
// else. A header with any member but the three known ones (jku, jwk, x5u, crit,
// b64 …) is refused.
func (a *AccessTokens) keyOf(token string) (keySet, error) {
	if len(token) > maxTokenSize {
		return keySet{}, errors.New("too long")
	}
	if strings.Count(token, ".") != 2 {
		return keySet{}, errors.New("not in three parts")
	}
	// The JWT library forgives padding and stray bits; one token shall have one
	// form only (RFC 7515, section 2).
	var raw []byte
	for i, part := range strings.Split(token, ".") {
		decoded, err := base64.RawURLEncoding.Strict().DecodeString(part)
		if err != nil || strings.ContainsAny(part, "\r\n") {
			return keySet{}, errors.New("not in base64url")
		}
		if i < 2 && !plainObject(decoded) {
			return keySet{}, errors.New("not an object with one member of each name")
		}
		if i == 0 {
			raw = decoded
		}
	}
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
		Type      string `json:"typ"`
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&header); err != nil || decoder.More() {
		return keySet{}, errors.New("unexpected header")
	}
	set, known := a.keys.byID[header.KeyID]
	if header.Algorithm != jwa.HS256.String() || header.Type != tokenType || !known {
		return keySet{}, errors.New("unknown key, algorithm or type")
	}
	return set, nil
}

// plainObject reports a JSON object that names no member twice, in whatever case: of
// two readers one may take the first and one the last. A token within a token is none.
func plainObject(raw []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if begin, err := decoder.Token(); err != nil || begin != json.Delim('{') {
		return false
	}
	seen := map[string]bool{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil || decoder.Decode(new(json.RawMessage)) != nil {
			return false
		}
		folded := strings.ToLower(fmt.Sprint(name))
		if seen[folded] {
			return false
		}
		seen[folded] = true
	}
	_, err := decoder.Token() // its end
	return err == nil && !decoder.More()
}

func claimsOf(token jwt.Token) (uptime.AccessClaims, error) {
	user, err1 := strconv.ParseInt(token.Subject(), 10, 64)
	workspace, err2 := numberOf(token, claimWorkspace)
	issued, err3 := numberOf(token, claimIssuedMS)
	if err := errors.Join(err1, err2, err3); err != nil {
		return uptime.AccessClaims{}, err
	}
	session, _ := token.Get(claimSession)
	family, ok := session.(string)
	if !ok || family == "" || user <= 0 || workspace <= 0 {
		return uptime.AccessClaims{}, errors.New("claims are missing")
	}
	return uptime.AccessClaims{
		UserID: user, WorkspaceID: workspace, Session: family,
		IssuedAt: time.UnixMilli(issued).UTC(), ExpiresAt: token.Expiration().UTC(),
	}, nil
}

func numberOf(token jwt.Token, name string) (int64, error) {
	value, _ := token.Get(name)
	text, ok := value.(string)
	if !ok {
		return 0, fmt.Errorf("claim %s is missing", name)
	}
	return strconv.ParseInt(text, 10, 64)
}
