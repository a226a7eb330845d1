package web

import (
	"encoding/json"
	"math"
	"time"

	"monitor/modules/form"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// sampleNow is the moment at which every sample is looked at.
func sampleNow() time.Time { return time.Date(2026, 11, 24, 14, 5, 0, 0, time.UTC) }

type sampleHTTP struct {
	URL       string            `json:"url" label:"URL" kind:"url" placeholder:"https://example.com/health" help:"With http:// or https://." validate:"required"`
	Method    string            `json:"method" label:"Method" options:"GET,HEAD,POST"`
	Statuses  []string          `json:"expected_status" label:"Accepted statuses" help:"One per line, as in 200 or 200-299."`
	Keyword   string            `json:"keyword" label:"Keyword" help:"The body must hold it."`
	Degraded  form.Duration     `json:"degraded_after" label:"Degraded after" help:"Slower answers are degraded. 0s: never."`
	Redirects bool              `json:"follow_redirects" label:"Follow redirects" help:"At most 10."`
	Verify    bool              `json:"verify_tls" label:"Verify TLS certificates"`
	Headers   map[string]string `json:"headers" label:"Headers" advanced:"true" secret:"headers"`
	Body      string            `json:"body" label:"Body" kind:"textarea" advanced:"true"`
}

type sampleWebhook struct {
	URL    string `json:"url" label:"URL" kind:"url" placeholder:"https://example.com/hooks/monitor" validate:"required"`
	Secret string `json:"secret" label:"Secret" secret:"value" help:"Signs each message after the Standard Webhooks specification."`
}

type sampleMail struct {
	To   []string `json:"to" label:"To" help:"One address per line." validate:"required"`
	SMTP *struct {
		Host     string `json:"host" label:"Host"`
		Port     int    `json:"port" label:"Port"`
		Password string `json:"password" label:"Password" secret:"value"`
	} `json:"smtp" label:"Own mail server" help:"Empty: the one of the settings."`
}

func sampleKinds() []uptime.Kind {
	return []uptime.Kind{{
		Name: "http", Label: "HTTP(S)", Help: "Asks a web address and judges the answer.",
		New: func() any {
			return &sampleHTTP{Method: "GET", Statuses: []string{"200-299"}, Redirects: true, Verify: true}
		},
		Target: func(s any) string { return s.(*sampleHTTP).URL },
	}}
}

func sampleChannelKinds() []uptime.Kind {
	return []uptime.Kind{
		{Name: "email", Label: "E-mail", Help: "A mail to one or more addresses.", New: func() any { return &sampleMail{} }},
		{Name: "webhook", Label: "Webhook", Help: "A signed JSON message to your own address.", New: func() any { return &sampleWebhook{} }},
	}
}

type sampleOf struct {
	name, target string
	status       uptime.Status
	retrying     bool
	failure      string
	tags         map[string]string
	since        time.Duration
	response     float64
}

// hostile is text that must never become markup.
const hostile = `<script>alert("1")</script>'"&`

func sampleList() []sampleOf {
	web, core := map[string]string{"team": "web", "env": "prod"}, map[string]string{"team": "core", "env": "prod", "tier": "1"}
	return []sampleOf{
		{"api-eu-003", "https://api-eu-003.example.com/healthz", uptime.Down, false, "Status 503 Service Unavailable, expected 200-299", core, 250 * time.Second, 92},
		{"checkout", "https://shop.example.com/checkout", uptime.Down, false, "connection refused", web, 42 * time.Minute, 0},
		{"search-stage-000", "https://search-stage-000.example.com/healthz", uptime.Degraded, false, "Slow: 2.31s, degraded after 1s", web, 11 * time.Minute, 2310},
		{"queue-eu-004", "https://queue-eu-004.example.com/metrics", uptime.Up, true, "timed out after 10 s", core, 3 * time.Hour, 10000},
		{"auth-us-001", "https://auth-us-001.example.com/healthz", uptime.Up, false, "", core, 40 * 24 * time.Hour, 487},
		{"cdn-stage-006", "https://cdn-stage-006.example.com/", uptime.Up, false, "", web, 9 * time.Hour, 34},
		{"db-proxy with a rather long name that somebody wrote in full", "https://db-stage-007.internal.example.com/a/very/long/path/that/does/not/end/soon?with=query", uptime.Up, false, "", core, 80 * time.Hour, 556},
		{"docs", "https://docs.example.com", uptime.Up, false, "", nil, 200 * time.Hour, 78},
		{"mail-eu-004", "https://mail-eu-004.example.com/healthz", uptime.Paused, false, "", core, 5 * time.Hour, 0},
		{"new one", "https://new.example.com", uptime.Pending, false, "", nil, 0, 0},
		{hostile, "https://evil.example.com/" + hostile, uptime.Up, false, "", map[string]string{hostile: hostile}, time.Hour, 12},
	}
}

func sampleMonitor(i int) manage.MonitorView {
	s := sampleList()[i]
	now := sampleNow()
	settings, _ := json.Marshal(&sampleHTTP{
		URL: s.target, Method: "GET", Statuses: []string{"200-299"}, Redirects: true, Verify: true,
		Headers: map[string]string{"Authorization": "********"},
	})
	m := manage.MonitorView{
		ID: int64(i + 1), Name: s.name, Type: "http", Enabled: s.status != uptime.Paused, Group: "Shop/EU", Target: s.target,
		Interval: form.Duration(time.Minute), Timeout: form.Duration(10 * time.Second), RetryInterval: form.Duration(20 * time.Second),
		FailuresBeforeDown: 3, SuccessesBeforeUp: 1, Regions: []string{"default"}, MinRegionsDown: 1, Settings: settings,
		Tags: s.tags, ChannelIDs: []int64{1}, Status: s.status, Retrying: s.retrying,
		CreatedAt: now.Add(-200 * 24 * time.Hour), UpdatedAt: now.Add(-time.Hour), ETag: `"7"`,
	}
	if s.retrying {
		m.ConsecutiveFailures = 2
	}
	if s.since > 0 {
		at := now.Add(-s.since)
		m.StatusSince = &at
	}
	if s.status != uptime.Pending {
		at := now.Add(-time.Duration(3+i*5) * time.Second)
		m.LastCheckedAt, m.LastResponseMS = &at, &s.response
	}
	if s.failure != "" {
		m.LastError = &s.failure
	}
	cert := now.Add(61 * 24 * time.Hour)
	switch i {
	case 1: // down in two of three places
		m.Regions, m.MinRegionsDown, m.FailingRegions = []string{"fra", "iad", "sin"}, 2, 2
	case 5:
		cert = now.Add(6*24*time.Hour + time.Hour)
	}
	m.CertificateExpiresAt = &cert
	return m
}

// sampleBuckets are waves with some trouble in them, the same at each call.
func sampleBuckets(id int64, from, to time.Time, width time.Duration) []uptime.Bucket {
	n := int((to.Sub(from) + width - 1) / width)
	out := make([]uptime.Bucket, n)
	for i := range out {
		b := uptime.Bucket{From: from.Add(time.Duration(i) * width), To: from.Add(time.Duration(i+1) * width)}
		k := (i*7 + int(id)*13) % 97
		wave := 1 + 0.4*math.Sin(float64(i)/9) + 0.2*math.Sin(float64(i*int(id))/3)
		b.Checks.Up, b.Known = 30, width
		b.P50 = time.Duration(80*wave) * time.Millisecond
		b.P95 = time.Duration(190*wave) * time.Millisecond
		b.P99 = time.Duration(290*wave) * time.Millisecond
		switch {
		case id == 10 || (id == 4 && i < n/3):
			b = uptime.Bucket{From: b.From, To: b.To}
		case k == 5 || (id <= 2 && i == n-1):
			b.Checks.Down, b.Downtime = 4, width/5
			if id == 2 {
				b.Downtime = width
				b.P50, b.P95, b.P99 = 0, 0, 0
			}
		case k == 40:
			b.Checks.Degraded = 3
		}
		out[i] = b
	}
	return out
}

func sampleIncident(id int64) manage.IncidentView {
	switch id {
	case handMade:
		return sampleByHand()
	case overDone:
		return sampleOver()
	}
	now := sampleNow()
	mia, confirmed := int64(1), now.Add(-210*time.Second)
	inc := manage.IncidentView{
		ID: id, MonitorID: &id, MonitorIDs: []int64{id}, Title: sampleList()[id-1].name + " is down", Status: uptime.IncidentOpen, Stage: uptime.StageInvestigating,
		Severity: uptime.SeverityMajor, StartedAt: now.Add(-250 * time.Second), DurationSeconds: 250, ConfirmedAt: &confirmed,
		Cause: "Status 503 Service Unavailable, expected 200-299", ErrorKind: uptime.KindStatus, ETag: `"1"`,
		Evidence: &uptime.Evidence{
			Address: "203.0.113.7:443", Worker: "worker-1", Headers: map[string]string{"Server": "nginx", "Retry-After": "30"},
			Excerpt: "<html><body><h1>503 Service Unavailable</h1></body></html>" + hostile,
		},
		Updates: []manage.UpdateView{
			{ID: 1, At: confirmed, Stage: uptime.StageInvestigating, Internal: true, Message: "Down after 3 failed checks in a row: Status 503 Service Unavailable"},
			{ID: 2, At: now.Add(-120 * time.Second), AuthorID: &mia, Author: "Mia Berg", Stage: uptime.StageIdentified, Message: "The new release ran out of file handles.\nRolling back now."},
		},
	}
	switch id {
	case 2:
		at := now.Add(-30 * time.Minute)
		inc.Status, inc.AcknowledgedAt, inc.AcknowledgedByName, inc.OwnerID, inc.OwnerName = uptime.IncidentAcknowledged, &at, "Mia Berg", &mia, "Mia Berg"
		inc.StartedAt, inc.DurationSeconds, inc.Cause, inc.ErrorKind = now.Add(-42*time.Minute), 42*60, "connection refused", uptime.KindConnectRefused
	case 5, 6:
		at := now.Add(-time.Duration(id) * time.Hour)
		inc.Status, inc.Stage, inc.ResolvedAt, inc.StartedAt, inc.DurationSeconds = uptime.IncidentResolved, uptime.StageResolved, &at, at.Add(-260*time.Second), 260
	}
	return inc
}

func sampleDelivery(id int64, status uptime.DeliveryStatus) manage.DeliveryView {
	now := sampleNow()
	code, incident := 200, int64(1)
	d := manage.DeliveryView{
		ID: id, EventID: "evt_a", EventType: uptime.EventOpened, ChannelID: 1, IncidentID: &incident, Status: status,
		CreatedAt: now.Add(-time.Duration(id) * time.Minute),
		Attempts:  []manage.AttemptView{{N: 1, At: now, DurationMS: 84, Outcome: uptime.AttemptOK, StatusCode: &code}},
	}
	if status == uptime.DeliveryDead {
		d.Reason = "HTTP 410: the endpoint asks for no more messages"
	}
	return d
}

func sampleChannel(id int64) manage.ChannelView {
	d := sampleDelivery(1, uptime.DeliveryDelivered)
	c := manage.ChannelView{
		ID: id, Name: "On-call webhook", Type: "webhook", Enabled: true, IsDefault: true, SendResolved: true,
		Settings: json.RawMessage(`{"url":"https://hooks.example.com/monitor","secret":"********"}`),
		Target:   "hooks.example.com", UsedBy: 9, LastDelivery: &d, ETag: `"3"`,
	}
	switch id {
	case 2:
		c.Name, c.Type, c.Target, c.LastDelivery, c.UsedBy, c.IsDefault = "Team mailbox", "email", "ops@example.com", nil, 1, false
		c.Settings = json.RawMessage(`{"to":["ops@example.com"]}`)
		retry := sampleNow().Add(22 * time.Second)
		c.Endpoint = manage.EndpointView{State: uptime.BreakerOpen, ConsecutiveFailures: 7, RetryAt: &retry}
	case 3:
		dead := sampleDelivery(9, uptime.DeliveryDead)
		c.Name, c.Enabled, c.DisabledReason, c.LastDelivery = "Old chat "+hostile, false, "HTTP 410: the endpoint asks for no more messages", &dead
	}
	return c
}
