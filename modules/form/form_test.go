package form_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

type common struct {
	Note string `json:"note" validate:"max=5"`
}

type relay struct {
	Host     string `json:"host" label:"Server" validate:"required"`
	Password string `json:"password" secret:"value"`
}

type settings struct {
	URL      string            `json:"url" label:"URL" help:"What is asked." validate:"required,http_url,max=60" secret:"url"`
	Method   string            `json:"method" options:"GET,POST"`
	Headers  map[string]string `json:"headers" secret:"headers" validate:"max=3,dive,max=20"`
	Expected []string          `json:"expected_status" validate:"min=1,dive,min=3"`
	Follow   bool              `json:"follow_redirects"`
	Port     int               `json:"port" min:"1" max:"65535"`
	Ratio    float64           `json:"ratio" max:"1" min:"0"`
	After    form.Duration     `json:"degraded_after" min:"0s" max:"1h" advanced:"true"`
	Token    string            `json:"token" secret:"value"`
	To       []string          `json:"to" validate:"dive,email"`
	Mail     string            `json:"mail" validate:"omitempty,email"`
	SMTP     *relay            `json:"smtp"`
	common
}

func defaults() *settings {
	return &settings{Method: "GET", Expected: []string{"200-299"}, Follow: true, Port: 80}
}

func messages(err *uptime.Error) map[string]string {
	all := map[string]string{}
	if err != nil {
		for _, f := range err.Fields {
			all[f.Field] = f.Message
		}
	}
	return all
}

func TestDecodeKeepsDefaultsOfWhatIsAbsentOrNull(t *testing.T) {
	t.Parallel()
	s := defaults()
	err := form.Decode("http", json.RawMessage(`{"url":"https://example.com","method":null,"headers":{"A":"b"},"port":8e3,
		"degraded_after":"1h","smtp":{"host":"h"},"note":"x"}`), s)
	require.Nil(t, err)
	require.Equal(t, "GET", s.Method)
	require.Equal(t, 8000, s.Port)
	require.True(t, s.Follow)
	require.Equal(t, form.Duration(time.Hour), s.After)
	require.Equal(t, "h", s.SMTP.Host)
	require.Equal(t, "x", s.Note)
	require.JSONEq(t, `{"url":"https://example.com","method":"GET","headers":{"A":"b"},"expected_status":["200-299"],"follow_redirects":true,
		"port":8000,"ratio":0,"degraded_after":"3600s","token":"","to":[],"mail":"","smtp":{"host":"h","password":""},"note":"x"}`, string(form.Encode(s)))
}

func TestDecodeReportsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	err := form.Decode("http", json.RawMessage(`{"method":5,"nope":1,"headers":{"A":"1","A":"2","B":3},"expected_status":["200",7,null,"1"],
		"follow_redirects":"yes","port":1.5,"ratio":2,"degraded_after":90,"to":["a@b.de","x"],"mail":"m","smtp":{"hots":1},"note":"toolong","URL":"x"}`), defaults())
	require.Equal(t, map[string]string{
		"http.url":                "is required",
		"http.method":             "must be a string",
		"http.nope":               "is not a field of http; allowed are url, method, headers, expected_status, follow_redirects, port, ratio, degraded_after, token, to, mail, smtp, note",
		"http.URL":                "is not a field of http; allowed are url, method, headers, expected_status, follow_redirects, port, ratio, degraded_after, token, to, mail, smtp, note",
		"http.headers.A":          "is given twice",
		"http.headers.B":          "must be a string",
		"http.expected_status[1]": "must be a string",
		"http.expected_status[2]": "must not be null",
		"http.expected_status[3]": "must be at least 3 characters",
		"http.follow_redirects":   "must be true or false",
		"http.port":               "must be a whole number",
		"http.ratio":              "must be from 0 to 1",
		"http.degraded_after":     `must be a duration such as "90s", "5m" or "30d"`,
		"http.to[1]":              "must be an e-mail address",
		"http.mail":               "must be an e-mail address",
		"http.smtp.hots":          "is not a field of http.smtp; allowed are host, password",
		"http.smtp.host":          "is required",
		"http.note":               "must be at most 5 characters",
	}, messages(err))
	require.Equal(t, "http.url", err.Fields[0].Field, "in the order of the struct")
	require.NotContains(t, err.Error(), "settings.")
}

func TestDecodeRefusesWhatIsNoBlock(t *testing.T) {
	t.Parallel()
	require.Equal(t, uptime.CodeMalformed, form.Decode("http", json.RawMessage(`{"a":`), defaults()).Code)
	require.Equal(t, "must be an object", messages(form.Decode("http", json.RawMessage(`[]`), defaults()))["http"])
	for _, raw := range []string{"", "null", "{}"} {
		require.Equal(t, map[string]string{"http.url": "is required"}, messages(form.Decode("http", json.RawMessage(raw), defaults())))
	}
	require.Equal(t, "is given twice", messages(form.Decode("http", json.RawMessage(`{"url":"http://a","url":"http://b"}`), defaults()))["http.url"])
}

func TestValidateWords(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*settings)
		field  string
		want   string
	}{
		"Scheme":  {func(s *settings) { s.URL = "ftp://x" }, "url", "must be an absolute http or https URL"},
		"Length":  {func(s *settings) { s.URL = "http://x/" + strings.Repeat("a", 60) }, "url", "must be at most 60 characters"},
		"Option":  {func(s *settings) { s.Method = "BREW" }, "method", "must be one of GET, POST"},
		"Empty":   {func(s *settings) { s.Expected = nil }, "expected_status", "must have at least 1 entry"},
		"Key":     {func(s *settings) { s.Headers = map[string]string{"X-A": strings.Repeat("a", 21)} }, "headers.X-A", "must be at most 20 characters"},
		"Bound":   {func(s *settings) { s.Port = 0 }, "port", "must be from 1 to 65535"},
		"Longest": {func(s *settings) { s.After = form.Duration(2 * time.Hour) }, "degraded_after", "must be from 0s to 1h"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := defaults()
			s.URL = "http://example.com"
			require.Empty(t, form.Validate("", s))
			c.change(s)
			require.Equal(t, []uptime.FieldError{{Field: c.field, Message: c.want}}, form.Validate("", s))
		})
	}
}

func TestFieldsAreDrawnFromTheStruct(t *testing.T) {
	t.Parallel()
	byName := map[string]form.Field{}
	for _, f := range form.Fields(defaults()) {
		byName[f.Name] = f
	}
	require.Equal(t, form.Field{Name: "url", Label: "URL", Help: "What is asked.", Kind: "url", Default: "", Required: true, Secret: "url", MaxLength: 60}, byName["url"])
	require.Equal(t, form.Field{Name: "degraded_after", Label: "Degraded after", Kind: "duration", Default: "0s", Advanced: true, Min: "0s", Max: "1h"}, byName["degraded_after"])
	require.Equal(t, "select", byName["method"].Kind)
	require.Equal(t, []string{"GET", "POST"}, byName["method"].Options)
	require.Equal(t, "list", byName["to"].Kind)
	require.Equal(t, "map", byName["headers"].Kind)
	require.Equal(t, "password", byName["token"].Kind)
	require.Equal(t, "email", byName["mail"].Kind)
	require.Equal(t, "bool", byName["follow_redirects"].Kind)
	require.Equal(t, "group", byName["smtp"].Kind)
	require.Equal(t, "Server", byName["smtp"].Fields[0].Label)
	require.Contains(t, byName, "note")
}

func TestSecretsAreVisitedMaskedAndKept(t *testing.T) {
	t.Parallel()
	fresh := func() *settings {
		s := defaults()
		s.URL = "https://me:p%40ss@example.com/a b?x=1@2"
		s.Headers = map[string]string{"authorization": "Bearer 1", "X-Other": "o", "Cookie": ""}
		s.Token, s.SMTP = "tok", &relay{Password: "mail"}
		return s
	}
	seen := map[string]string{}
	s := fresh()
	require.NoError(t, form.Secrets(s, func(path, value string) (string, error) {
		seen[path] = value
		return "v1:" + value + "/é", nil
	}))
	require.Equal(t, map[string]string{"url": "p@ss", "headers.authorization": "Bearer 1", "token": "tok", "smtp.password": "mail"}, seen)
	require.Equal(t, "https://me:v1%3Ap%40ss%2F%C3%A9@example.com/a b?x=1@2", s.URL)
	require.Equal(t, "o", s.Headers["X-Other"])

	masked := fresh()
	form.MaskSecrets(masked)
	require.Equal(t, "https://me:********@example.com/a b?x=1@2", masked.URL)
	require.Equal(t, form.Mask, masked.Headers["authorization"])
	require.Empty(t, masked.Headers["Cookie"])
	require.NotContains(t, string(form.Encode(masked)), "tok\"")

	masked.Headers = map[string]string{"Authorization": form.Mask, "X-API-Key": form.Mask}
	masked.Token = ""
	form.KeepMasked(masked, fresh())
	require.Equal(t, fresh().URL, masked.URL)
	require.Equal(t, map[string]string{"Authorization": "Bearer 1", "X-API-Key": ""}, masked.Headers)
	require.Empty(t, masked.Token, "an empty secret clears it")
	require.Equal(t, "mail", masked.SMTP.Password)

	bad := errors.New("sealed elsewhere")
	require.ErrorIs(t, form.Secrets(fresh(), func(string, string) (string, error) { return "", bad }), bad)
}

func TestMaskingLeavesTheOriginalMapAlone(t *testing.T) {
	t.Parallel()
	shared := map[string]string{"Authorization": "x"}
	s := defaults()
	s.Headers = shared
	form.MaskSecrets(s)
	require.Equal(t, "x", shared["Authorization"])
}

func TestAFormComesBackAsItWasFilled(t *testing.T) {
	t.Parallel()
	s := defaults()
	s.URL, s.Follow, s.After, s.Ratio = "https://example.com", false, form.Duration(500*time.Millisecond), 0.5
	s.Headers = map[string]string{"B": "2: x", "A": "1"}
	s.Expected, s.SMTP = []string{"200", "3xx"}, &relay{Host: "mx", Password: " p "}
	v := url.Values{}
	for name, value := range form.ToValues(s) {
		v.Set("http."+name, value)
	}
	back := defaults()
	require.Nil(t, form.Decode("http", form.FromValues(form.Fields(defaults()), "http", v), back))
	s.To = []string{}
	require.Equal(t, s, back)
}

func TestFromValuesLeavesWhatIsMalformedToDecode(t *testing.T) {
	t.Parallel()
	v := url.Values{
		"url": {" https://example.com "}, "port": {"eighty"}, "headers": {"no colon"}, "degraded_after": {""},
		"follow_redirects": {"false", "true"}, "method": {""}, "ratio": {"0.5"},
	}
	raw := form.FromValues(form.Fields(defaults()), "", v)
	require.JSONEq(t, `{"url":"https://example.com","port":"eighty","headers":"no colon","follow_redirects":true,"ratio":0.5}`, string(raw))
	require.Equal(t, map[string]string{
		"port":    "must be a whole number",
		"headers": `must be names with values: a JSON object, or lines like "Name: value" in a form`,
	}, messages(form.Decode("", raw, defaults())))
	require.JSONEq(t, `{"follow_redirects":false}`, string(form.FromValues(form.Fields(defaults()), "", url.Values{})))
}

func TestJSONSchema(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(form.JSONSchema(defaults()))
	require.NoError(t, err)
	var s struct {
		Required   []string
		Additional bool `json:"additionalProperties"`
		Properties map[string]map[string]any
	}
	require.NoError(t, json.Unmarshal(raw, &s))
	require.Equal(t, []string{"url"}, s.Required)
	require.Equal(t, map[string]any{"type": "integer", "title": "Port", "minimum": 1.0, "maximum": 65535.0, "default": 80.0}, s.Properties["port"])
	require.Equal(t, true, s.Properties["token"]["writeOnly"])
	require.Equal(t, []any{"GET", "POST"}, s.Properties["method"]["enum"])
	require.Equal(t, "object", s.Properties["smtp"]["type"])
}

func TestDurations(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "5m": 5 * time.Minute, "30d": 720 * time.Hour, "500ms": 500 * time.Millisecond,
		"1d12h": 36 * time.Hour, "1.5h": 90 * time.Minute, "0": 0, "0s": 0, "1m30s": 90 * time.Second,
	} {
		got, err := form.ParseDuration(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "5", "-5s", "5us", "1e3s", "s", "99999999999d", "0.5ms", "5 s", "..s", "9223372036854775807ms"} {
		_, err := form.ParseDuration(text)
		require.Error(t, err, text)
	}
	for want, d := range map[string]time.Duration{"300s": 5 * time.Minute, "500ms": 500 * time.Millisecond, "0s": 0, "1500ms": 1500 * time.Millisecond} {
		require.Equal(t, want, form.FormatDuration(d))
	}
	var d form.Duration
	require.Error(t, json.Unmarshal([]byte(`90`), &d))
	require.NoError(t, json.Unmarshal([]byte(`"90s"`), &d))
	raw, err := json.Marshal(d)
	require.NoError(t, err)
	require.Equal(t, `"90s"`, string(raw))
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"url":"https://u:p@example.com","headers":{"Cookie":"a"},"smtp":{"host":"h"}}`))
	f.Add([]byte(`{"port":1e400,"ratio":-1e999,"to":[[]],"expected_status":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := defaults()
		if err := form.Decode("http", raw, s); err != nil {
			require.NotContains(t, err.Detail, "form.")
			return
		}
		again := defaults()
		require.Nil(t, form.Decode("http", form.Encode(s), again), "what was accepted is accepted again")
		require.JSONEq(t, string(form.Encode(s)), string(form.Encode(again)))
		form.MaskSecrets(s)
		form.KeepMasked(s, again)
		require.JSONEq(t, string(form.Encode(again)), string(form.Encode(s)))
	})
}

func FuzzFromValues(f *testing.F) {
	f.Add("http.url=https%3A%2F%2Fexample.com&http.port=1e5&http.headers=a%3Ab%0Aa%3Ac&http.smtp.host=x")
	f.Fuzz(func(t *testing.T, query string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		raw := form.FromValues(form.Fields(defaults()), "http", v)
		require.True(t, json.Valid(raw))
		_ = form.Decode("http", raw, defaults())
	})
}

func BenchmarkDecode(b *testing.B) {
	raw := json.RawMessage(`{"url":"https://example.com","headers":{"A":"b"}}`)
	for b.Loop() {
		_ = form.Decode("http", raw, defaults())
	}
}

func BenchmarkSecrets(b *testing.B) {
	s := defaults()
	for b.Loop() {
		_ = form.Secrets(s, func(_, v string) (string, error) { return v, nil })
	}
}
