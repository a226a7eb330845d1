package api

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// hostile is a request that nobody should send, and its exact answer.
type hostile struct {
	name   string
	ask    string // method and path below prefix; a path with /api is whole
	body   string
	change []asking
	status int
	code   string
	field  string // of the first error, "" none
	says   string // its message, or the detail where there is no field
}

const (
	emptyBody  = "The body is empty; a JSON object is expected."
	notObject  = "The body must be a JSON object."
	wrongMedia = "Send the body as application/json, in UTF-8 and not compressed."
	patchMedia = "Send the body as application/json or application/merge-patch+json, in UTF-8 and not compressed."
	notThere   = "It is not there, or it is not yours."
	noAddress  = "Nothing is at this address."
	noToken    = "Send a token: Authorization: Bearer TOKEN."
	badTime    = `must be a time such as "2026-01-02T03:04:05Z", with + escaped as %2B`
	halfAPair  = `The body holds half of a surrogate pair: \uD800 to \uDFFF come in twos.`
	oneToMany  = "must be a whole number from 1 to 200"
)

func hostileBodies() []hostile {
	list := []hostile{
		{"NoBody", "POST /monitors", "", nil, 400, "malformed", "", emptyBody},
		{"Blanks", "POST /monitors", " \n\t ", nil, 400, "malformed", "", emptyBody},
		{"CutShort", "POST /monitors", "{\n  \"name\": ", nil, 400, "malformed", "", "The body is not valid JSON at line 2, column 10: unexpected end of JSON input."},
		{"TrailingComma", "POST /monitors", `{"name":"x",}`, nil, 400, "malformed", "", "The body is not valid JSON at line 1, column 13: invalid character '}' looking for beginning of object key string."},
		{"TwoObjects", "POST /monitors", `{}{}`, nil, 400, "malformed", "", "The body is not valid JSON at line 1, column 3: invalid character '{' after top-level value."},
		{"SingleQuotes", "POST /monitors", `{'name':1}`, nil, 400, "malformed", "", `The body is not valid JSON at line 1, column 2: invalid character '\'' looking for beginning of object key string.`},
		{"List", "POST /monitors", `[]`, nil, 400, "malformed", "", notObject},
		{"Null", "POST /monitors", `null`, nil, 400, "malformed", "", notObject},
		{"Number", "POST /channels", `7`, nil, 400, "malformed", "", notObject},
		{"Text", "PATCH /me", `"me"`, nil, 400, "malformed", "", notObject},
		{"LoginList", "POST /auth/login", `["a"]`, nil, 400, "malformed", "", notObject},
		{"NotUTF8", "POST /monitors", "{\"name\":\"\xff\xfe\"}", nil, 400, "malformed", "", "The body is not valid UTF-8."},
		{"HalfAPair", "POST /monitors", `{"name":"\ud83d"}`, nil, 400, "malformed", "", halfAPair},
		{"HalfAPairTurned", "POST /monitors", `{"name":"\\\ude00\ud83d"}`, nil, 400, "malformed", "", halfAPair},
		{"Deep", "POST /monitors", `{"tags":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, nil, 400, "malformed", "", "The body is nested more than 32 deep."},
		{"VeryDeep", "POST /monitors", strings.Repeat("[", 20000), nil, 400, "malformed", "", "The body is not valid JSON at line 1, column 10001: invalid character '[' exceeded max depth."},
		{"TooLarge", "POST /monitors", `{"name":"` + strings.Repeat("x", 4<<20) + `"}`, nil, 413, "too_large", "", "The body has more than 4 MiB."},
		{"TooLargeFromAStranger", "POST /auth/login", `{"email":"` + strings.Repeat("x", 17<<10) + `"}`, nil, 413, "too_large", "", "The body has more than 16 KiB."},
		{"TooLargeWithoutSchema", "POST /monitors/1/pause", strings.Repeat("x", 5<<20), nil, 413, "too_large", "", "The body has more than 4 MiB."},
		{"Form", "POST /monitors", `name=x`, []asking{with("Content-Type", "application/x-www-form-urlencoded")}, 415, "unsupported_media", "", wrongMedia},
		{"NoType", "POST /monitors", leastMonitor, []asking{without("Content-Type")}, 415, "unsupported_media", "", wrongMedia},
		{"BrokenType", "POST /monitors", leastMonitor, []asking{with("Content-Type", "application/json; charset")}, 415, "unsupported_media", "", wrongMedia},
		{"Latin1", "POST /monitors", leastMonitor, []asking{with("Content-Type", "application/json; charset=iso-8859-1")}, 415, "unsupported_media", "", wrongMedia},
		{"Compressed", "POST /monitors", leastMonitor, []asking{with("Content-Encoding", "gzip")}, 415, "unsupported_media", "", wrongMedia},
		{"MergePatchAsPost", "POST /monitors", leastMonitor, []asking{with("Content-Type", "application/merge-patch+json")}, 415, "unsupported_media", "", wrongMedia},
		{"OtherJSON", "PATCH /monitors/1", `{}`, []asking{with("Content-Type", "application/vnd.api+json")}, 415, "unsupported_media", "", patchMedia},
	}
	return append(list, []hostile{
		{"EmptyObject", "POST /monitors", `{}`, nil, 422, "invalid", "name", "is required"},
		{"DoubledName", "POST /monitors", `{"name":"a","name":"b","type":"http","http":{"url":"https://a.example"}}`, nil, 422, "invalid", "name", "is given twice"},
		{"WrongCase", "PATCH /monitors/1", `{"Name":"x"}`, nil, 422, "invalid", "Name", ""},
		{"NameIsNumber", "PATCH /monitors/1", `{"name":7}`, nil, 422, "invalid", "name", "must be a string"},
		{"NUL", "PATCH /monitors/1", "{\"group\":\"a\\u0000b\"}", nil, 422, "invalid", "group", "must not contain NUL characters"},
		{"IntervalIsNumber", "PATCH /monitors/1", `{"interval":60}`, nil, 422, "invalid", "interval", `must be a duration such as "90s", "5m" or "30d"`},
		{"IntervalTooShort", "PATCH /monitors/1", `{"interval":"1s"}`, nil, 422, "invalid", "interval", "must be at least 5s"},
		{"OtherType", "PATCH /monitors/1", `{"type":"nope"}`, nil, 422, "invalid", "type", "cannot change; it is http"},
		{"UnknownType", "POST /monitors", `{"name":"x","type":"nope"}`, nil, 422, "invalid", "type", ""},
		{"BlockIsText", "PATCH /monitors/1", `{"http":"x"}`, nil, 422, "invalid", "http", "must be an object"},
		{"UnknownSetting", "PATCH /monitors/1", `{"http":{"nope":1}}`, nil, 422, "invalid", "http.nope", ""},
		{"ScriptURL", "PATCH /monitors/1", `{"http":{"url":"javascript:alert(1)"}}`, nil, 422, "invalid", "http.url", "must be an absolute http or https URL"},
		{"HugeNumber", "PATCH /monitors/1", `{"failures_before_down":1e400}`, nil, 422, "invalid", "failures_before_down", "must be a whole number"},
		{"ForeignChannel", "PATCH /monitors/1", `{"channel_ids":[99]}`, nil, 422, "invalid", "channel_ids[0]", "is not a channel of yours"},
		{"LoginUnknownField", "POST /auth/login", `{"email":"a@b.c","password":"x","admin":"true"}`, nil, 422, "invalid", "admin", "is not a field of the log-in; allowed are email, password, totp"},
		{"LoginNumber", "POST /auth/login", `{"email":1,"password":"x"}`, nil, 422, "invalid", "email", "must be a string"},
		{"LoginTwice", "POST /auth/login", `{"email":"a","email":"b","password":"x"}`, nil, 422, "invalid", "email", "is given twice"},
		{"LoginNUL", "POST /auth/login", `{"email":"a\u0000","password":"x"}`, nil, 422, "invalid", "email", "must not contain NUL characters"},
		{"LoginNothing", "POST /auth/login", `{}`, nil, 422, "invalid", "email", "is required"},
		{"LoginTOTP", "POST /auth/login", `{"email":"owner@example.com","password":"x","totp":"123456"}`, nil, 401, "unauthorized", "", ""},
		{"RefreshNothing", "POST /auth/refresh", `{}`, nil, 422, "invalid", "refresh_token", "is required"},
		{"LogoutNumber", "POST /auth/logout", `{"refresh_token":1}`, nil, 422, "invalid", "refresh_token", "must be a string"},
		{"ShortPassword", "POST /users", `{"email":"a@example.com","role":"viewer","password":"short"}`, nil, 422, "invalid", "password", ""},
		{"UnknownRole", "POST /users", `{"email":"a@example.com","role":"root"}`, nil, 422, "invalid", "role", "must be one of owner, admin, editor, viewer"},
		{"IncidentMonitorOfOthers", "POST /incidents", `{"title":"x","monitor_ids":[99]}`, nil, 422, "invalid", "monitor_ids[0]", "is not a monitor of yours"},
		{"UpdateWithoutMessage", "POST /incidents/1/updates", `{}`, nil, 422, "invalid", "message", "is required"},
		{"SetupAgain", "POST /setup", `{"email":"b@example.com","password":"` + ownPassword + `"}`, nil, 409, "conflict", "", "There is a user already; log in instead."},
	}...)
}

func hostileTokens() []hostile {
	return []hostile{
		{"NoToken", "GET /me", "", []asking{anonymous}, 401, "unauthorized", "", noToken},
		{"EmptyToken", "GET /me", "", []asking{with("Authorization", "Bearer ")}, 401, "unauthorized", "", noToken},
		{"Basic", "GET /me", "", []asking{with("Authorization", "Basic b3duZXI6eA==")}, 401, "unauthorized", "", noToken},
		{"Garbage", "GET /me", "", []asking{as("garbage")}, 401, "unauthorized", "", ""},
		{"NoSignature", "GET /me", "", []asking{as("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.")}, 401, "unauthorized", "", ""},
		{"UnknownAPIToken", "GET /me", "", []asking{as("mon_" + strings.Repeat("a", 43))}, 401, "unauthorized", "", ""},
		{"HugeToken", "GET /me", "", []asking{as(strings.Repeat("a", 9000))}, 401, "unauthorized", "", noToken},
		{"TwoTokens", "GET /me", "", []asking{func(r *http.Request) { r.Header.Add("Authorization", "Bearer x") }}, 401, "unauthorized", "", noToken},
		{"BadKey", "GET /me", "", []asking{anonymous, with("X-API-Key", "mon_x")}, 401, "unauthorized", "", ""},
		{"QueryToken", "GET /me?access_token=x", "", []asking{anonymous}, 401, "unauthorized", "", noToken},
		{"BadRefresh", "POST /auth/refresh", `{"refresh_token":"x"}`, nil, 401, "unauthorized", "", ""},
		{"WrongPassword", "POST /auth/login", `{"email":"owner@example.com","password":"wrong wrong wrong"}`, nil, 401, "unauthorized", "", "The e-mail address or the password is wrong."},
		{"NoSuchUser", "POST /auth/login", `{"email":"nobody@example.com","password":"wrong wrong wrong"}`, nil, 401, "unauthorized", "", "The e-mail address or the password is wrong."},
	}
}

func hostileAddresses() []hostile {
	return []hostile{
		{"Unknown", "GET /nope", "", nil, 404, "not_found", "", noAddress},
		{"UnknownWithoutToken", "GET /api/nope", "", []asking{anonymous}, 404, "not_found", "", noAddress},
		{"NotBuilt", "GET /status-pages", "", nil, 404, "not_found", "", noAddress},
		{"Traversal", "GET /api/docs/..%2f..%2fdocs.go", "", nil, 404, "not_found", "", noAddress},
		{"IDIsText", "GET /monitors/abc", "", nil, 404, "not_found", "", notThere},
		{"IDIsZero", "GET /monitors/0", "", nil, 404, "not_found", "", notThere},
		{"IDIsNegative", "GET /monitors/-1", "", nil, 404, "not_found", "", notThere},
		{"IDIsHuge", "GET /monitors/99999999999999999999", "", nil, 404, "not_found", "", notThere},
		{"IDIsFloat", "DELETE /channels/1.0", "", nil, 404, "not_found", "", notThere},
		{"IDInjects", "GET /monitors/1%20OR%201=1", "", nil, 404, "not_found", "", notThere},
		{"TailAfterID", "GET /users/1/secret", "", nil, 404, "not_found", "", notThere},
		{"NotThere", "GET /monitors/99", "", nil, 404, "not_found", "", notThere},
		{"NoSuchDelivery", "POST /deliveries/99/retry", "", nil, 404, "not_found", "", notThere},
		{"TestIsNoMonitor", "GET /monitors/test", "", nil, 404, "not_found", "", notThere},
		{"WrongMethod", "DELETE /monitors", "", nil, 405, "method_not_allowed", "", "This address takes OPTIONS, GET, HEAD, POST."},
		{"StrangeMethod", "BREW /overview", "", nil, 405, "method_not_allowed", "", "This address takes OPTIONS, GET, HEAD."},
		{"KeyOfBlanks", "PUT /monitors/by-key/%20", leastMonitor, nil, 422, "invalid", "external_key", "must not be empty"},
		{"KeyNotUTF8", "PUT /monitors/by-key/%F0%28", leastMonitor, nil, 422, "invalid", "external_key", "must be valid UTF-8"},
		{"KeyWithNUL", "PUT /monitors/by-key/a%00b", leastMonitor, nil, 422, "invalid", "external_key", "must not contain control characters"},
	}
}

func hostileQueries() []hostile {
	return []hostile{
		{"UnknownParameter", "GET /monitors?nope=1", "", nil, 422, "invalid", "nope", "is not a query parameter here; allowed are status, type, tag, group, q, enabled, silenced, sort, dir, limit, cursor"},
		{"ParameterWithoutAny", "GET /me?x=1", "", nil, 422, "invalid", "x", "is not a query parameter here"},
		{"LimitZero", "GET /monitors?limit=0", "", nil, 422, "invalid", "limit", oneToMany},
		{"LimitMany", "GET /monitors?limit=201", "", nil, 422, "invalid", "limit", oneToMany},
		{"LimitText", "GET /users?limit=all", "", nil, 422, "invalid", "limit", oneToMany},
		{"LimitEmpty", "GET /tokens?limit=", "", nil, 422, "invalid", "limit", oneToMany},
		{"LimitTwice", "GET /monitors?limit=1&limit=2", "", nil, 422, "invalid", "limit", "is given more than once"},
		{"BadCursor", "GET /monitors?cursor=%27%3B--", "", nil, 400, "malformed", "cursor", "must be a next_cursor of this list with the same sort"},
		{"BadStatus", "GET /monitors?status=sideways", "", nil, 422, "invalid", "status", "must be one of down, degraded, unknown, pending, maintenance, up, paused"},
		{"BadType", "GET /monitors?type=nope", "", nil, 422, "invalid", "type", ""},
		{"EmptyTag", "GET /monitors?tag=", "", nil, 422, "invalid", "tag", "must be a tag's name, or its name and value such as team:web"},
		{"BadEnabled", "GET /monitors?enabled=1", "", nil, 422, "invalid", "enabled", "must be true or false"},
		{"BadSort", "GET /monitors?sort=id;drop", "", nil, 400, "malformed", "", "The query of the address is not escaped as it should be."},
		{"UnknownSort", "GET /monitors?sort=id", "", nil, 422, "invalid", "sort", "must be one of status, name, checked, response, group"},
		{"BadDirection", "GET /monitors?dir=up", "", nil, 422, "invalid", "dir", "must be one of asc, desc"},
		{"NotUTF8Query", "GET /monitors?q=%ff", "", nil, 422, "invalid", "q", "must be text without control characters"},
		{"NULQuery", "GET /monitors?q=a%00", "", nil, 422, "invalid", "q", "must be text without control characters"},
		{"LongQuery", "GET /monitors?q=" + strings.Repeat("x", 3000), "", nil, 422, "invalid", "q", "must be at most 2000 bytes"},
		{"BadEscape", "GET /monitors?q=%zz", "", nil, 400, "malformed", "", "The query of the address is not escaped as it should be."},
		{"BadFrom", "GET /monitors/1/results?from=yesterday", "", nil, 422, "invalid", "from", badTime},
		{"PlusAsBlank", "GET /monitors/1/results?from=2026-01-02T03:04:05+01:00", "", nil, 422, "invalid", "from", badTime},
		{"ToBeforeFrom", "GET /monitors/1/results?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "", nil, 422, "invalid", "to", "must be after from"},
		{"BadRegion", "GET /monitors/1/results?region=%27", "", nil, 422, "invalid", "region", "must be a name of lower-case letters, digits, - and _"},
		{"BadInclude", "GET /monitors/1/results?include=all", "", nil, 422, "invalid", "include", "must be one of gaps"},
		{"BadWindow", "GET /monitors/1/stats?window=2h", "", nil, 422, "invalid", "window", "must be one of 24h, 7d, 30d, 90d, 1y"},
		{"WindowAndFrom", "GET /monitors/1/stats?window=24h&from=2026-01-02T00:00:00Z", "", nil, 422, "invalid", "window", "cannot be used together with from and to"},
		{"BadMonitorID", "GET /incidents?monitor_id=x", "", nil, 422, "invalid", "monitor_id", "must be an id"},
		{"BadOpen", "GET /incidents?open=yes", "", nil, 422, "invalid", "open", "must be true or false"},
		{"BadDeliveryStatus", "GET /deliveries?status=lost", "", nil, 422, "invalid", "status", "must be one of pending, sending, delivered, dead, merged, cancelled"},
		{"BadEventTypes", "GET /events?types=status,nope", "", nil, 422, "invalid", "types", "must be one of status, incident, delivery, result"},
		{"EventsOfNothing", "GET /events?monitor_id=99", "", nil, 404, "not_found", "", notThere},
		{"QueryOnPost", "POST /monitors?dry=1", leastMonitor, nil, 422, "invalid", "dry", "is not a query parameter here"},
	}
}

func hostileHeaders() []hostile {
	bad := "must be 1 to 255 printable ASCII characters"
	return []hostile{
		{"EmptyKey", "POST /monitors", leastMonitor, []asking{with("Idempotency-Key", "")}, 400, "malformed", "Idempotency-Key", bad},
		{"LongKey", "POST /monitors", leastMonitor, []asking{with("Idempotency-Key", strings.Repeat("k", 256))}, 400, "malformed", "Idempotency-Key", bad},
		{"KeyNotASCII", "POST /monitors", leastMonitor, []asking{with("Idempotency-Key", "schlüssel")}, 400, "malformed", "Idempotency-Key", bad},
		{"TwoKeys", "POST /monitors", leastMonitor, []asking{func(r *http.Request) { r.Header["Idempotency-Key"] = []string{"a", "b"} }}, 400, "malformed", "Idempotency-Key", bad},
		{"OldMatch", "PATCH /monitors/1", `{"name":"x"}`, []asking{with("If-Match", `"99"`)}, 412, "precondition", "", "It was changed since you read it; read it again and repeat your change."},
		{"MatchIsNoTag", "DELETE /monitors/1", "", []asking{with("If-Match", `nonsense`)}, 412, "precondition", "", "It was changed since you read it; read it again and repeat your change."},
		{"MatchOfNewKey", "PUT /monitors/by-key/new", leastMonitor, []asking{with("If-Match", `"1"`)}, 412, "precondition", "", "No monitor has this external key yet."},
		{"QueueIsFull", "POST /monitors/1/check", "", nil, 503, "unavailable", "", "The queue of checks is full, so nothing more can be checked now. Try again shortly."},
	}
}

func TestHostileRequests(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.made(t, "/monitors", leastMonitor)
	b.made(t, "/incidents", `{"title":"Slow"}`)
	all := hostileBodies()
	all = append(all, hostileTokens()...)
	all = append(all, hostileAddresses()...)
	all = append(all, hostileQueries()...)
	all = append(all, hostileHeaders()...)
	for _, h := range all {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			method, path, _ := strings.Cut(h.ask, " ")
			if !strings.HasPrefix(path, "/api/") {
				path = prefix + path
			}
			a := b.ask(t, method, path, h.body, h.change...)
			require.Equal(t, h.status, a.status, a.body)
			require.Equal(t, h.code, a.text("code"), a.body)
			require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
			require.Equal(t, "req-1", a.text("request_id"))
			require.Equal(t, http.StatusText(h.status), a.text("title"))
			require.Equal(t, "about:blank", a.text("type"))
			checkFields(t, h, a)
		})
	}
}

func checkFields(t *testing.T, h hostile, a got) {
	t.Helper()
	fields := a.list("errors")
	require.NotNil(t, fields, "errors is always a list")
	if h.field == "" {
		require.Empty(t, fields, a.body)
		if h.says != "" {
			require.Equal(t, h.says, a.text("detail"))
		}
		return
	}
	require.NotEmpty(t, fields, a.body)
	first := fields[0].(map[string]any)
	require.Equal(t, h.field, first["field"], a.body)
	if h.says != "" {
		require.Equal(t, h.says, first["message"], a.body)
	}
}

func TestBareRequests(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct{ raw, want string }{
		"BodyCutOff": {"POST /api/v1/monitors HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + b.token +
			"\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "HTTP/1.1 400"},
		"SlashSlash":   {"GET //api//v1//me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 404"},
		"AbsoluteForm": {"GET http://evil.example/api/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 401"},
		"ForgedHost": {
			"GET /api/v1/me HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-For: 127.0.0.1\r\nConnection: close\r\n\r\n",
			"HTTP/1.1 401",
		},
	} {
		t.Run(name, func(t *testing.T) {
			conn := b.dial(t)
			_, err := conn.Write([]byte(c.raw))
			require.NoError(t, err)
			answer := make([]byte, len(c.want))
			_, err = conn.Read(answer)
			require.NoError(t, err)
			require.Equal(t, c.want, string(answer))
		})
	}
}

// FuzzReaders: nothing that a client sends as query or body makes a reader
// panic or let through what it must refuse.
func FuzzReaders(f *testing.F) {
	for _, h := range append(hostileQueries(), hostileBodies()...) {
		_, query, _ := strings.Cut(h.ask, "?")
		if len(h.body) < 1000 {
			f.Add(query, h.body)
		}
	}
	f.Fuzz(func(t *testing.T, query, body string) {
		c := &call{route: route{query: monitorQuery()}, r: &http.Request{URL: &url.URL{RawQuery: query}}}
		if c.readQuery() == nil {
			require.LessOrEqual(t, c.page().Limit, 200)
			require.NotContains(t, c.query.text("q"), "\x00")
		}
		var email string
		if checkJSON([]byte(body)) == nil && readTexts([]byte(body), "x", map[string]*string{"email": &email}) == nil {
			require.NotContains(t, email, "\x00")
		}
	})
}

// TestLargeBodyIsTaken: a client that sends before it reads gets the answer, not
// a broken connection.
func TestLargeBodyIsTaken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const size = 20 << 20
	for name, framing := range map[string]string{
		"Length":  "Content-Length: " + strconv.Itoa(size),
		"Chunked": "Transfer-Encoding: chunked",
	} {
		t.Run(name, func(t *testing.T) {
			conn := b.dial(t)
			_, err := fmt.Fprintf(conn, "POST /api/v1/monitors HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
				"Content-Type: application/json\r\n%s\r\n\r\n", b.token, framing)
			require.NoError(t, err)
			chunk := bytes.Repeat([]byte("x"), 1<<20)
			for range size / len(chunk) {
				if name == "Chunked" {
					_, err = fmt.Fprintf(conn, "%x\r\n%s\r\n", len(chunk), chunk)
				} else {
					_, err = conn.Write(chunk)
				}
				require.NoError(t, err)
			}
			if name == "Chunked" {
				_, err = conn.Write([]byte("0\r\n\r\n"))
				require.NoError(t, err)
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			defer func() { _ = answer.Body.Close() }()
			require.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode)
		})
	}
	t.Run("AsksFirst", func(t *testing.T) {
		conn := b.dial(t)
		_, err := fmt.Fprintf(conn, "POST /api/v1/monitors HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
			"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", b.token, size)
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		defer func() { _ = answer.Body.Close() }()
		require.Equal(t, http.StatusRequestEntityTooLarge, answer.StatusCode, "not 100: nothing is to be sent")
	})
}
