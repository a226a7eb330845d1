package manage_test

import (
	"context"
	"encoding/json"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// hostile is a body and everything that is wrong with it.
type hostile struct {
	body string
	want []string
}

const (
	allFields = "name, type, enabled, external_key, group, interval, timeout, retry_interval, failures_before_down, " +
		"successes_before_up, resend_every, regions, min_regions_down, http, tags, channel_ids"
	badDuration = `must be a duration such as "90s", "5m" or "30d"`
	badURL      = "http.url must be an absolute http or https URL"
)

func long() string { return strings.Repeat("x", 201) }

func with(fields string) string {
	return `{"name":"Shop","type":"http","http":{"url":"https://example.com"},` + fields + `}`
}

func block(fields string) string {
	return `{"name":"Shop","type":"http","http":{"url":"https://example.com",` + fields + `}}`
}

func link(url string) string { return `{"name":"Shop","type":"http","http":{"url":` + url + `}}` }

func hostileNamesAndSettings() map[string]hostile {
	return map[string]hostile{
		"NoName":            {`{"type":"http","http":{"url":"https://example.com"}}`, []string{"name is required"}},
		"Nothing":           {`{}`, []string{"name is required", "type is required"}},
		"NullName":          {`{"name":null,"type":"http","http":{"url":"https://example.com"}}`, []string{"name is required"}},
		"NameWithSpace":     {with(`"name ":1`), []string{"name is not a field of a monitor; allowed are " + allFields}},
		"BlankName":         {`{"name":"  ","type":"http","http":{"url":"https://example.com"}}`, []string{"name must not be empty"}},
		"NumberName":        {`{"name":7,"type":"http","http":{"url":"https://example.com"}}`, []string{"name must be a string"}},
		"LongName":          {`{"name":"` + long() + `","type":"http","http":{"url":"https://example.com"}}`, []string{"name must be at most 200 characters"}},
		"ControlName":       {`{"name":"a\u0007b","type":"http","http":{"url":"https://example.com"}}`, []string{"name must not contain control characters"}},
		"NewlineName":       {`{"name":"a\nb","type":"http","http":{"url":"https://example.com"}}`, []string{"name must not contain control characters"}},
		"LineSeparatorName": {`{"name":"a\u2028b","type":"http","http":{"url":"https://example.com"}}`, []string{"name must not contain control characters"}},
		"NULName":           {`{"name":"a\u0000b","type":"http","http":{"url":"https://example.com"}}`, []string{"name must not contain NUL characters", "name must not contain control characters"}},
		"NULInBody":         {block(`"body":"a\u0000b"`), []string{"http.body must not contain NUL characters"}},
		"UnknownType":       {`{"name":"Shop","type":"gopher"}`, []string{"type must be one of http, tcp"}},
		"NumberType":        {`{"name":"Shop","type":1}`, []string{"type must be a string"}},
		"UnknownField":      {with(`"nope":1`), []string{"nope is not a field of a monitor; allowed are " + allFields}},
		"UnknownNullField":  {with(`"nope":null`), []string{"nope is not a field of a monitor; allowed are " + allFields}},
		"OtherBlock":        {with(`"tcp":{"host":"a"}`), []string{"tcp belongs to monitors of type tcp; this one is http"}},
		"UnknownSetting":    {block(`"nope":1`), []string{"http.nope is not a field of http; allowed are url, method, headers, body, expected_status, follow_redirects, keyword, keyword_absent, degraded_after, certificate_warning_days, verify_tls"}},
		"BlockIsAList":      {`{"name":"Shop","type":"http","http":[]}`, []string{"http must be an object"}},
		"BlockIsText":       {`{"name":"Shop","type":"http","http":"x"}`, []string{"http must be an object"}},
		"NoURL":             {`{"name":"Shop","type":"http"}`, []string{"http.url is required"}},
		"EmptyURL":          {link(`""`), []string{"http.url is required"}},
		"NumberURL":         {link(`5`), []string{"http.url must be a string"}},
		"RelativeURL":       {link(`"/health"`), []string{badURL}},
		"SchemelessURL":     {link(`"example.com"`), []string{badURL}},
		"FTPURL":            {link(`"ftp://example.com"`), []string{badURL}},
		"FileURL":           {link(`"file:///etc/passwd"`), []string{badURL}},
		"JavaScriptURL":     {link(`"javascript:alert(1)"`), []string{badURL}},
		"HostlessURL":       {link(`"http://"`), []string{badURL}},
		"MethodIsANumber":   {block(`"method":7`), []string{"http.method must be a string"}},
		"BodyTooLong":       {block(`"body":"` + strings.Repeat("x", 1<<20+1) + `"`), []string{"http.body must be at most 1048576 characters"}},
		"HeadersAreAList":   {block(`"headers":["a"]`), []string{`http.headers must be names with values: a JSON object, or lines like "Name: value" in a form`}},
		"HeaderIsANumber":   {block(`"headers":{"A":1}`), []string{"http.headers.A must be a string"}},
		"HeaderInjection":   {block(`"headers":{"A":"b\r\nC: d"}`), []string{"http.headers.A must not contain line breaks or control characters"}},
		"StatusIsANumber":   {block(`"expected_status":[200]`), []string{"http.expected_status[0] must be a string"}},
		"RedirectsAreText":  {block(`"follow_redirects":"yes"`), []string{"http.follow_redirects must be true or false"}},
		"MaskWithoutSecret": {block(`"headers":{"Authorization":"********"}`), []string{"http.headers.Authorization is masked and nothing is stored for it: write the value itself"}},
		"MaskedPassword":    {link(`"https://u:********@example.com"`), []string{"http.url is masked and nothing is stored for it: write the value itself"}},
	}
}

func hostileFields() map[string]hostile {
	return map[string]hostile{
		"DoubledField":         {`{"name":"A","name":"B","type":"http","http":{"url":"https://example.com"}}`, []string{"name is given twice"}},
		"DoubledSetting":       {`{"name":"A","type":"http","http":{"url":"https://a.example","url":"https://b.example"}}`, []string{"http.url is given twice"}},
		"DoubledTag":           {with(`"tags":{"a":"1","a":"2"}`), []string{"tags.a is given twice"}},
		"EnabledIsText":        {with(`"enabled":"true"`), []string{"enabled must be true or false"}},
		"EnabledIsANumber":     {with(`"enabled":1`), []string{"enabled must be true or false"}},
		"IntervalIsANumber":    {with(`"interval":60`), []string{"interval " + badDuration}},
		"IntervalWithoutUnit":  {with(`"interval":"60"`), []string{"interval " + badDuration}},
		"IntervalInYears":      {with(`"interval":"1y"`), []string{"interval " + badDuration}},
		"NegativeInterval":     {with(`"interval":"-5s"`), []string{"interval " + badDuration}},
		"EmptyInterval":        {with(`"interval":""`), []string{"interval " + badDuration}},
		"ZeroInterval":         {with(`"interval":"0s"`), []string{"interval must be at least 5s"}},
		"ShortInterval":        {with(`"interval":"4s"`), []string{"interval must be at least 5s"}},
		"LongInterval":         {with(`"interval":"31d"`), []string{"interval must be at most 30d"}},
		"EndlessInterval":      {with(`"interval":"99999999999999999999d"`), []string{"interval " + badDuration}},
		"ZeroTimeout":          {with(`"timeout":"0s"`), []string{"timeout must be at least 1ms"}},
		"TimeoutAboveInterval": {with(`"interval":"20s","timeout":"21s"`), []string{"timeout must not be longer than the interval (20s)"}},
		"RetryAboveInterval":   {with(`"interval":"20s","retry_interval":"1m"`), []string{"retry_interval must not be longer than the interval (20s)"}},
		"NoFailures":           {with(`"failures_before_down":0`), []string{"failures_before_down must be from 1 to 20"}},
		"TooManyFailures":      {with(`"failures_before_down":21`), []string{"failures_before_down must be from 1 to 20"}},
		"HalfAFailure":         {with(`"failures_before_down":1.5`), []string{"failures_before_down must be a whole number"}},
		"FailuresAreText":      {with(`"failures_before_down":"2"`), []string{"failures_before_down must be a whole number"}},
		"HugeFailures":         {with(`"failures_before_down":1e400`), []string{"failures_before_down must be a whole number"}},
		"NegativeSuccesses":    {with(`"successes_before_up":-1`), []string{"successes_before_up must be from 1 to 20"}},
		"ShortResend":          {with(`"resend_every":"10ms"`), []string{"resend_every must be at least 1s, or 0s for none"}},
		"NoRegions":            {with(`"regions":[]`), []string{"regions must have at least 1 entry"}},
		"RegionsAreText":       {with(`"regions":"eu"`), []string{"regions must be a list"}},
		"RegionIsNull":         {with(`"regions":[null]`), []string{"regions[0] must be a string"}},
		"RegionWithSpace":      {with(`"regions":["eu","US west"]`), []string{"regions[1] must be a name of lower-case letters, digits, - and _"}},
		"RegionTwice":          {with(`"regions":["eu","eu"]`), []string{"regions[1] is given twice"}},
		"TooManyRegionsDown":   {with(`"min_regions_down":2`), []string{"min_regions_down must not be more than the number of regions (1)"}},
		"TagsAreAList":         {with(`"tags":["a"]`), []string{`tags must be an object such as {"team": "web"}`}},
		"TagIsANumber":         {with(`"tags":{"team":7}`), []string{"tags.team must be a string"}},
		"TagWithColon":         {with(`"tags":{"a:b":"c"}`), []string{"tags.a:b must have a name of 1 to 50 characters without : , = and control characters"}},
		"TagWithoutName":       {with(`"tags":{"":"c"}`), []string{"tags. must have a name of 1 to 50 characters without : , = and control characters"}},
		"LongTag":              {with(`"tags":{"a":"` + long() + `"}`), []string{"tags.a must be at most 100 characters"}},
		"ControlTag":           {with(`"tags":{"a":"b\tc"}`), []string{"tags.a must not contain control characters"}},
		"GroupWithHole":        {with(`"group":"Shop//EU"`), []string{`group must be a path such as "Shop/EU" without empty parts`}},
		"DeepGroup":            {with(`"group":"` + strings.Repeat("a/", 10) + `a"`), []string{"group must have at most 10 parts"}},
		"ChannelsAreText":      {with(`"channel_ids":"1"`), []string{"channel_ids must be a list"}},
		"ChannelIsText":        {with(`"channel_ids":["1"]`), []string{"channel_ids[0] must be an id"}},
		"NegativeChannel":      {with(`"channel_ids":[-1]`), []string{"channel_ids[0] must be an id"}},
		"HugeChannel":          {with(`"channel_ids":[99999999999999999999]`), []string{"channel_ids[0] must be an id"}},
		"ForeignChannels":      {with(`"channel_ids":[77,78]`), []string{"channel_ids[0] is not a channel of yours", "channel_ids[1] is not a channel of yours"}},
		"LongKey":              {with(`"external_key":"` + long() + `"`), []string{"external_key must be at most 200 characters"}},
		"AllAtOnce": {`{"name":"","type":"http","interval":"x","http":{"method":1},"channel_ids":[77]}`, []string{
			"name must not be empty", "interval " + badDuration, "http.url is required", "http.method must be a string", "channel_ids[0] is not a channel of yours",
		}},
	}
}

func TestHostileMonitors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cases := hostileNamesAndSettings()
	maps.Copy(cases, hostileFields())
	require.GreaterOrEqual(t, len(cases), 60)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := b.CreateMonitor(context.Background(), b.owner, json.RawMessage(c.body))
			require.Equal(t, c.want, problems(t, err))
			_, err = b.TestMonitor(context.Background(), b.owner, json.RawMessage(c.body))
			if err != nil {
				require.NotEqual(t, uptime.CodeInternal, uptime.CodeOf(err), err.Error())
			}
		})
	}
}

func TestBodiesThatAreNoObject(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		body string
		code uptime.Code
		want string
	}{
		"Empty":    {"", uptime.CodeMalformed, "The body is empty; a JSON object is expected."},
		"Blank":    {" \n", uptime.CodeMalformed, "The body is empty; a JSON object is expected."},
		"Null":     {"null", uptime.CodeMalformed, "The body must be a JSON object."},
		"List":     {"[]", uptime.CodeMalformed, "The body must be a JSON object."},
		"Text":     {`"x"`, uptime.CodeMalformed, "The body must be a JSON object."},
		"Words":    {"hello", uptime.CodeMalformed, "The body is not valid JSON: invalid character 'h' looking for beginning of value."},
		"Cut":      {`{"name":`, uptime.CodeMalformed, "The body is not valid JSON: unexpected end of JSON input."},
		"Trailing": {`{}{}`, uptime.CodeMalformed, "The body is not valid JSON: invalid character '{' after top-level value."},
		"NaN":      {`{"failures_before_down":NaN}`, uptime.CodeMalformed, "The body is not valid JSON: invalid character 'N' looking for beginning of value."},
		"Infinity": {`{"failures_before_down":Infinity}`, uptime.CodeMalformed, "The body is not valid JSON: invalid character 'I' looking for beginning of value."},
		"NotUTF8":  {"{\"name\":\"\xff\"}", uptime.CodeMalformed, "The body is not valid UTF-8."},
		"Deep":     {`{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, uptime.CodeMalformed, "The body is nested more than 32 deep."},
		"Bottomless": {
			`{"a":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`, uptime.CodeMalformed,
			"The body is not valid JSON: invalid character '[' exceeded max depth.",
		},
		"TooLarge": {`{"a":"` + strings.Repeat("x", 7<<20) + `"}`, uptime.CodeTooLarge, "The body has more than 7 MiB."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, raw := context.Background(), json.RawMessage(c.body)
			mon := func() error { _, err := b.CreateMonitor(ctx, b.owner, raw); return err }
			channel := func() error { _, err := b.CreateChannel(ctx, b.owner, raw); return err }
			incident := func() error { _, err := b.CreateIncident(ctx, b.owner, raw); return err }
			user := func() error { _, _, err := b.CreateUser(ctx, b.owner, raw); return err }
			token := func() error { _, err := b.CreateToken(ctx, b.owner, raw); return err }
			me := func() error { _, err := b.UpdateMe(ctx, b.owner, raw, ""); return err }
			for _, try := range []func() error{mon, channel, incident, user, token, me} {
				var e *uptime.Error
				require.ErrorAs(t, try(), &e)
				require.Equal(t, c.code, e.Code)
				require.Equal(t, c.want, e.Detail)
			}
		})
	}
}
