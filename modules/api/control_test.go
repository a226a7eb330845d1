package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// leaf is a text of a body: where it stands, and how to put another there.
type leaf struct {
	path string
	set  func(text string)
}

// leaves lists every text in a body, and every name that its sender chose.
func leaves(path string, v any, set func(any)) []leaf {
	switch v := v.(type) {
	case string:
		return []leaf{{path, func(text string) { set(text) }}}
	case []any:
		var out []leaf
		for i := range v {
			out = append(out, leaves(path+"["+strconv.Itoa(i)+"]", v[i], func(next any) { v[i] = next })...)
		}
		return out
	case map[string]any:
		var out []leaf
		for _, name := range slices.Sorted(maps.Keys(v)) {
			at := strings.TrimPrefix(path+"."+name, ".")
			out = append(out, leaves(at, v[name], func(next any) { v[name] = next })...)
			if strings.HasSuffix(path, "headers") || path == "tags" {
				out = append(out, leaf{path + " name", func(text string) {
					v[text] = v[name]
					delete(v, name)
				}})
			}
		}
		return out
	}
	return nil
}

// mayHold says which texts may have line breaks and control characters in them: what
// people write in several lines, and what is sent or compared byte by byte.
func mayHold(path string) bool {
	return slices.Contains([]string{"message", "http.body", "http.keyword", "password", "current_password", "settings.secret", "refresh_token"}, path)
}

// mayHoldUnicode says which may have letters that look odd, but cannot leave a line:
// they go out as UTF-8, are compared with what is stored, or are shown cleaned.
func mayHoldUnicode(path string) bool {
	return strings.HasPrefix(path, "http.headers.") || strings.HasPrefix(path, "settings.headers.") || path == "http.url" || path == "settings.url"
}

// TestControlCharactersInEveryField: no text that a client sends brings a line break
// or a control character to where a header, a mail or a log is made of it.
func TestControlCharactersInEveryField(t *testing.T) {
	t.Parallel()
	b, empty := setup(t), bare(t)
	v := newVictims(t, b)
	for _, rt := range routes() {
		if rt.takes == "" {
			continue
		}
		at, name := v, rt.method+" "+rt.path
		if rt.path == "/setup" {
			at = &victims{bundle: empty}
		}
		good := goodBodies()[name]
		for i := range leavesOf(t, good) {
			for _, bad := range []string{"\r\nX-Injected: 1", "\n", "\r", "\x00", "\x1b[31m", "\u0085", "\u2028", "\u2029", "\u202e", "\u2066"} {
				var body any
				require.NoError(t, json.Unmarshal([]byte(good), &body))
				one := leaves("", body, nil)[i]
				one.set("a" + bad + "b")
				raw, err := json.Marshal(body)
				require.NoError(t, err)
				a := at.write(t, rt, string(raw))
				what := name + " " + one.path + " " + strconv.QuoteToASCII(bad)
				require.Less(t, a.status, http.StatusInternalServerError, "%s: %s", what, a.body)
				require.NotContains(t, a.header, "X-Injected", what)
				if bad != "\x00" && (mayHold(one.path) || bad >= "\u0085" && mayHoldUnicode(one.path)) {
					continue
				}
				require.GreaterOrEqual(t, a.status, http.StatusBadRequest, "%s: %s", what, a.body)
			}
		}
	}
}

func leavesOf(t *testing.T, body string) []leaf {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(body), &v))
	return leaves("", v, nil)
}

// TestControlCharactersInHeaders: what a client says of itself is one line when it is
// shown again.
func TestControlCharactersInHeaders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	agent := "Moz\u202eilla\u2028/5.0\t\u0085 {{.}} %s%n <script>"
	in := b.ask(t, "POST", prefix+"/auth/login", `{"email":"owner@example.com","password":"`+ownPassword+`"}`, anonymous,
		with("User-Agent", agent), with("X-Request-Id", "forged"), with("X-Correlation-Id", "forged"))
	require.Equal(t, http.StatusOK, in.status, in.body)
	all := b.ask(t, "GET", prefix+"/me/sessions", "", as(in.text("access_token")))
	agents := []any{}
	for _, one := range all.list("data") {
		agents = append(agents, one.(map[string]any)["user_agent"])
	}
	require.Contains(t, agents, "Mozilla /5.0 {{.}} %s%n <script>")
	refused := b.ask(t, "GET", prefix+"/monitors/99", "", with("X-Request-Id", "forged"))
	require.Equal(t, "req-1", refused.text("request_id"), "the id is ours")
	require.NotContains(t, b.log.String(), "forged")
}
