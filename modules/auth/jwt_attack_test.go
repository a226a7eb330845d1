package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// signer signs the first two parts of a token.
type signer func(input string) []byte

// forge writes a token of any header and payload, as somebody would who can sign it.
func forge(header, payload string, sign signer) string {
	encode := base64.RawURLEncoding.EncodeToString
	input := encode([]byte(header)) + "." + encode([]byte(payload))
	return input + "." + encode(sign(input))
}

func mac(of func() hash.Hash, key []byte) signer {
	return func(input string) []byte {
		m := hmac.New(of, key)
		m.Write([]byte(input))
		return m.Sum(nil)
	}
}

// attacked are the keys of a program that is attacked, and what its tokens hold.
func attacked(t *testing.T) (keys Keys, header, payload string, now time.Time) {
	t.Helper()
	keys, err := NewKeys(strings.Repeat("a", MinSecretLength), []string{strings.Repeat("b", MinSecretLength)})
	require.NoError(t, err)
	now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	header = `{"alg":"HS256","kid":"` + keys.current.id + `","typ":"at+jwt"}`
	payload = fmt.Sprintf(`{"iss":"monitor","aud":["monitor-api"],"sub":"7","ws":"1","sid":"family","iat_ms":"%d","iat":%d,"exp":%d}`,
		now.UnixMilli(), now.Unix(), now.Add(time.Minute).Unix())
	_, err = NewAccessTokens(keys).Parse(forge(header, payload, mac(sha256.New, keys.current.jwt)), now)
	require.NoError(t, err, "what the attacks begin with is a good token")
	return keys, header, payload, now
}

// TestAlgorithmSwap: whatever the header says, with whatever a signature of that
// algorithm can be made, our own key among it.
func TestAlgorithmSwap(t *testing.T) {
	t.Parallel()
	keys, header, payload, now := attacked(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	byRSA := func(input string) []byte {
		sum := sha256.Sum256([]byte(input))
		signature, err := rsa.SignPKCS1v15(rand.Reader, rsaKey, crypto.SHA256, sum[:])
		require.NoError(t, err)
		return signature
	}
	byEC := func(input string) []byte {
		sum := sha256.Sum256([]byte(input))
		r, s, err := ecdsa.Sign(rand.Reader, ecKey, sum[:])
		require.NoError(t, err)
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	nothing := func(string) []byte { return nil }
	own := keys.current.jwt
	tokens := NewAccessTokens(keys)
	for name, attack := range map[string]struct {
		algorithm string
		sign      signer
	}{
		"HS384":             {`"HS384"`, mac(sha512.New384, own)},
		"HS512":             {`"HS512"`, mac(sha512.New, own)},
		"HS384SignedAs256":  {`"HS384"`, mac(sha256.New, own)},
		"RS256":             {`"RS256"`, byRSA},
		"RS256ByOurKey":     {`"RS256"`, mac(sha256.New, own)},
		"PS256":             {`"PS256"`, byRSA},
		"ES256":             {`"ES256"`, byEC},
		"ES256ByOurKey":     {`"ES256"`, mac(sha256.New, own)},
		"ES256OfZeros":      {`"ES256"`, func(string) []byte { return make([]byte, 64) }}, // CVE-2022-21449
		"EdDSA":             {`"EdDSA"`, byEC},
		"None":              {`"none"`, nothing},
		"NoneSignedByUs":    {`"none"`, mac(sha256.New, own)},
		"NoneInOtherCase":   {`"nOnE"`, nothing},
		"Empty":             {`""`, nothing},
		"Null":              {`null`, mac(sha256.New, own)},
		"LowerCase":         {`"hs256"`, mac(sha256.New, own)},
		"List":              {`["HS256"]`, mac(sha256.New, own)},
		"Number":            {`256`, mac(sha256.New, own)},
		"EmptyKey":          {`"HS256"`, mac(sha256.New, nil)},
		"KeyOfZeros":        {`"HS256"`, mac(sha256.New, make([]byte, 32))},
		"SealingKey":        {`"HS256"`, mac(sha256.New, keys.current.seal)},
		"PreviousKey":       {`"HS256"`, mac(sha256.New, keys.byID[otherID(keys)].jwt)},
		"SignatureCutShort": {`"HS256"`, func(input string) []byte { return mac(sha256.New, own)(input)[:16] }},
	} {
		token := forge(strings.Replace(header, `"HS256"`, attack.algorithm, 1), payload, attack.sign)
		_, err := tokens.Parse(token, now)
		require.ErrorIs(t, err, ErrBadToken, name)
	}
}

// otherID is the id of the key that is no longer signed with.
func otherID(keys Keys) string {
	for id := range keys.byID {
		if id != keys.current.id {
			return id
		}
	}
	return ""
}

// TestKeyIDTricks: a kid is looked up, and is neither a path nor a query nor code.
func TestKeyIDTricks(t *testing.T) {
	t.Parallel()
	keys, header, payload, now := attacked(t)
	tokens := NewAccessTokens(keys)
	own := `"kid":"` + keys.current.id + `"`
	for name, kid := range map[string]string{
		"Path":           `"kid":"../../../../dev/null"`,
		"Windows":        `"kid":"..\\..\\windows\\win.ini"`,
		"SQL":            `"kid":"' UNION SELECT 'aaaaaaaaaaaaaaaa"`,
		"Comment":        `"kid":"` + keys.current.id + `'--"`,
		"Command":        `"kid":"key; sleep 10"`,
		"Template":       `"kid":"{{.}}"`,
		"URL":            `"kid":"http://evil.example/key"`,
		"NUL":            `"kid":"` + keys.current.id + `\u0000"`,
		"UpperCase":      `"kid":"` + strings.ToUpper(keys.current.id) + `x"`,
		"OtherKey":       `"kid":"` + otherID(keys) + `"`,
		"Empty":          `"kid":""`,
		"Missing":        `"kid2":"x"`,
		"Null":           `"kid":null`,
		"List":           `"kid":["` + keys.current.id + `"]`,
		"Object":         `"kid":{"$ne":""}`,
		"TwiceBadLast":   own + `,"kid":"../../dev/null"`,
		"TwiceGoodLast":  `"kid":"../../dev/null",` + own,
		"TwiceInCapital": own + `,"KID":"../../dev/null"`,
		"Long":           `"kid":"` + strings.Repeat("a", 4000) + `"`,
	} {
		for _, key := range [][]byte{keys.current.jwt, nil, []byte("\x00")} {
			_, err := tokens.Parse(forge(strings.Replace(header, own, kid, 1), payload, mac(sha256.New, key)), now)
			require.ErrorIs(t, err, ErrBadToken, name)
		}
	}
}

// TestNoHeaderIsFollowed: a token that says where its key is, or brings it, is
// refused without anybody being asked.
func TestNoHeaderIsFollowed(t *testing.T) {
	t.Parallel()
	keys, header, payload, now := attacked(t)
	tokens := NewAccessTokens(keys)
	asked := make(chan string, 99)
	evil := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.Path }))
	t.Cleanup(evil.Close)
	theirs := []byte("the attacker's own key, of 32 bytes")
	jwk := `{"kty":"oct","alg":"HS256","kid":"x","k":"` + base64.RawURLEncoding.EncodeToString(theirs) + `"}`
	for name, member := range map[string]string{
		"JKU":            `"jku":"` + evil.URL + `/jku"`,
		"X5U":            `"x5u":"` + evil.URL + `/x5u"`,
		"JWK":            `"jwk":` + jwk,
		"X5C":            `"x5c":["MIIB"]`,
		"X5T":            `"x5t":"AAAA"`,
		"Critical":       `"crit":["exp"]`,
		"Unencoded":      `"b64":false,"crit":["b64"]`,
		"Compressed":     `"zip":"DEF"`,
		"Nested":         `"cty":"JWT"`,
		"Encrypted":      `"enc":"A256GCM"`,
		"Unknown":        `"nobody":"knows"`,
		"AlgorithmTwice": `"alg":"none"`,
	} {
		for _, key := range [][]byte{theirs, keys.current.jwt} {
			_, err := tokens.Parse(forge(strings.TrimSuffix(header, "}")+","+member+"}", payload, mac(sha256.New, key)), now)
			require.ErrorIs(t, err, ErrBadToken, name)
		}
	}
	require.Empty(t, asked)
}

// TestOtherFormsOfTokens: encrypted, nested, in other serialisations, for others.
func TestOtherFormsOfTokens(t *testing.T) {
	t.Parallel()
	keys, header, payload, now := attacked(t)
	tokens, ours := NewAccessTokens(keys), mac(sha256.New, keys.current.jwt)
	good := forge(header, payload, ours)
	encode := base64.RawURLEncoding.EncodeToString
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"Encrypted":       encode([]byte(`{"alg":"dir","enc":"A256GCM"}`)) + ".." + encode(make([]byte, 12)) + "." + encode([]byte(payload)) + "." + encode(make([]byte, 16)),
		"EncryptedPBES2":  encode([]byte(`{"alg":"PBES2-HS512+A256KW","p2c":2147483647,"p2s":"AAAA","enc":"A256GCM"}`)) + ".AA.AA.AA.AA",
		"NestedToken":     forge(header, good, ours),
		"JSONFlattened":   `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`,
		"TokenTwice":      good + "." + good,
		"Bearer":          "Bearer " + good,
		"TrailingDot":     good + ".",
		"ThreeMegabytes":  parts[0] + "." + strings.Repeat("A", 3<<20) + "." + parts[2],
		"ManyDots":        strings.Repeat(".", 1<<20),
		"SubjectTwice":    forge(header, strings.Replace(payload, `"sub":"7"`, `"sub":"7","sub":"1"`, 1), ours),
		"SubjectCapital":  forge(header, strings.Replace(payload, `"sub":"7"`, `"sub":"7","SUB":"1"`, 1), ours),
		"WorkspaceTwice":  forge(header, strings.Replace(payload, `"ws":"1"`, `"ws":"1","ws":"2"`, 1), ours),
		"EndTwice":        forge(header, strings.Replace(payload, `"exp":`, `"exp":99999999999,"exp":`, 1), ours),
		"OtherAudience":   forge(header, strings.Replace(payload, "monitor-api", "monitor-web", 1), ours),
		"NoAudience":      forge(header, strings.Replace(payload, `"aud":["monitor-api"],`, "", 1), ours),
		"OtherIssuer":     forge(header, strings.Replace(payload, `"iss":"monitor"`, `"iss":"monitor "`, 1), ours),
		"NoIssuer":        forge(header, strings.Replace(payload, `"iss":"monitor",`, "", 1), ours),
		"IDToken":         forge(strings.Replace(header, "at+jwt", "JWT", 1), payload, ours),
		"NoType":          forge(strings.Replace(header, `,"typ":"at+jwt"`, "", 1), payload, ours),
		"PayloadIsAList":  forge(header, "["+payload+"]", ours),
		"PayloadIsNull":   forge(header, "null", ours),
		"PayloadIsBinary": forge(header, "\xff\xfe", ours),
	} {
		_, err := tokens.Parse(token, now)
		require.ErrorIs(t, err, ErrBadToken, name)
	}
}

// TestTokensByTheSecond: tokenSkew and no more is forgiven, on either side.
func TestTokensByTheSecond(t *testing.T) {
	t.Parallel()
	keys, header, payload, now := attacked(t)
	tokens, ours := NewAccessTokens(keys), mac(sha256.New, keys.current.jwt)
	ends := fmt.Sprintf(`"exp":%d`, now.Add(time.Minute).Unix())
	for shift, taken := range map[time.Duration]bool{
		time.Second: true, 0: true, -time.Second: true, -tokenSkew: false, -tokenSkew - time.Second: false, -time.Hour: false,
	} {
		token := forge(header, strings.Replace(payload, ends, fmt.Sprintf(`"exp":%d`, now.Add(shift).Unix()), 1), ours)
		_, err := tokens.Parse(token, now)
		require.Equal(t, taken, err == nil, "ended %s from now", shift)
	}
	for shift, taken := range map[time.Duration]bool{
		-time.Second: true, tokenSkew: true, tokenSkew + time.Second: false, time.Hour: false,
	} {
		begins := fmt.Sprintf(`"nbf":%d,"iss"`, now.Add(shift).Unix())
		_, err := tokens.Parse(forge(header, strings.Replace(payload, `"iss"`, begins, 1), ours), now)
		require.Equal(t, taken, err == nil, "begins %s from now", shift)
	}
	for name, end := range map[string]string{"Text": `"exp":"never"`, "Null": `"exp":null`, "Negative": `"exp":-1`, "Infinite": `"exp":1e999`} {
		_, err := tokens.Parse(forge(header, strings.Replace(payload, ends, end, 1), ours), now)
		require.ErrorIs(t, err, ErrBadToken, name)
	}
}
