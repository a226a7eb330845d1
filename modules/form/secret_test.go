package form_test

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/form"
)

func TestSecretsInTheQueryOfAURL(t *testing.T) {
	t.Parallel()
	fresh := func() *settings {
		s := defaults()
		s.URL = "https://me:pw@h/a?page=1&token=a%2Bb+c&API_Key=k1&token=again&token=&keyword=x#token=f"
		return s
	}
	seen := map[string]string{}
	s := fresh()
	require.NoError(t, form.Secrets(s, func(path, value string) (string, error) {
		seen[path] = value
		return "s1:" + value + "&é", nil
	}))
	require.Equal(t, map[string]string{"url": "pw", "url?token": "a+b c", "url?API_Key": "k1", "url?token[1]": "again"}, seen)
	require.Equal(t, "https://me:s1%3Apw&%C3%A9@h/a?page=1&token=s1:a%2Bb%20c%26%C3%A9&API_Key=s1:k1%26%C3%A9&token=s1:again%26%C3%A9&token=&keyword=x#token=f", s.URL)
	parsed, err := url.Parse(s.URL)
	require.NoError(t, err)
	require.Equal(t, []string{"s1:a+b c&é", "s1:again&é", ""}, parsed.Query()["token"])

	masked := fresh()
	form.MaskSecrets(masked)
	require.Equal(t, "https://me:********@h/a?page=1&token=********&API_Key=********&token=********&token=&keyword=x#token=f", masked.URL)
	masked.URL = strings.Replace(masked.URL, "page=1", "page=2", 1)
	form.KeepMasked(masked, fresh())
	require.Equal(t, "https://me:pw@h/a?page=2&token=a%2Bb%20c&API_Key=k1&token=again&token=&keyword=x#token=f", masked.URL)
}

func TestWhichHeadersAreSecret(t *testing.T) {
	t.Parallel()
	for name, secret := range map[string]bool{
		"Authorization": true, "cookie": true, "X-Api-Key": true, "X-Auth-Token": true, "PRIVATE-TOKEN": true, "X-Vault-Token": true,
		"Api_Key": true, "Client-Secret": true, "X-Auth": true, "X-Session-ID": true,
		"Accept": false, "X-Author": false, "X-Team": false, "User-Agent": false, "X-Key-Id": false, "Content-Type": false,
	} {
		s := defaults()
		s.Headers = map[string]string{name: "value"}
		form.MaskSecrets(s)
		require.Equal(t, secret, s.Headers[name] == form.Mask, name)
	}
}

// TestSpellings: what servers repeat is found, the longest first.
func TestSpellings(t *testing.T) {
	t.Parallel()
	const secret = `p"w<&+/ é`
	quoted, err := json.Marshal(secret)
	require.NoError(t, err)
	ways := form.Spellings("Bearer " + secret)
	for _, told := range []string{
		secret, strings.Trim(string(quoted), `"`), `p\"w<&+/ é`, `p\"w<&+\/ é`, url.QueryEscape(secret), url.PathEscape(secret),
		"p%22w%3C%26%2B%2F%20%C3%A9", base64.StdEncoding.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte("Bearer " + secret)),
	} {
		require.Contains(t, ways, told)
	}
	for i := 1; i < len(ways); i++ {
		require.GreaterOrEqual(t, len(ways[i-1]), len(ways[i]))
	}
	require.Empty(t, form.Spellings("abc", ""), "too short to be hidden")
	login := base64.StdEncoding.EncodeToString([]byte("user:" + secret))
	require.Contains(t, form.Spellings("Basic "+login), secret)
	require.Contains(t, form.LoginSpellings("user", secret), login)
	require.Empty(t, form.LoginSpellings("user", ""))
}
