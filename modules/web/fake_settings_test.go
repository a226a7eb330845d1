package web

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"monitor/modules/form"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (f *fake) MonitorDefaults(context.Context, uptime.Actor) (manage.MonitorDefaultsView, error) {
	settings, err := json.Marshal(map[string]any{
		"method": "GET", "expected_status": []string{"200-299", "301"}, "keyword": "", "degraded_after": "2s", "follow_redirects": true, "verify_tls": true, "body": "",
	})
	if err != nil {
		return manage.MonitorDefaultsView{}, err
	}
	if f.empty {
		settings = form.Encode(sampleKinds()[0].New())
	}
	v := manage.MonitorDefaultsView{
		Interval: form.Duration(time.Minute), Timeout: form.Duration(10 * time.Second), RetryInterval: form.Duration(20 * time.Second),
		FailuresBeforeDown: 3, SuccessesBeforeUp: 1, Regions: []string{"default", "eu"}, MinRegionsDown: 1,
		Types: map[string]json.RawMessage{"http": settings}, ETag: `"4"`,
	}
	if f.empty {
		v.FailuresBeforeDown = uptime.DefaultFailuresBeforeDown
	}
	return v, f.broken
}

func (f *fake) ReplaceMonitorDefaults(_ context.Context, _ uptime.Actor, body json.RawMessage, _ string) (manage.MonitorDefaultsView, error) {
	return manage.MonitorDefaultsView{Change: 4}, f.change(body)
}

func (f *fake) ReplacedDefaults(_ context.Context, _ uptime.Actor, change int64) (json.RawMessage, error) {
	if change != 4 {
		return nil, uptime.ErrNotFound
	}
	return json.RawMessage(`{"interval":"60s","http":{"degraded_after":"0s"}}`), f.broken
}

func (f *fake) Retention(context.Context, uptime.Actor) (manage.RetentionView, error) {
	day := 24 * time.Hour
	return manage.RetentionView{
		Results: form.Duration(30 * day), Rollups: form.Duration(400 * day), Incidents: 0, Fixed: []string{"rollups"}, Changeable: !f.young, ETag: `"2"`,
	}, f.broken
}

func (f *fake) ReplaceRetention(_ context.Context, _ uptime.Actor, body json.RawMessage, _ string) (manage.RetentionView, error) {
	return manage.RetentionView{}, f.change(body)
}

func (f *fake) Storage(context.Context, uptime.Actor) (manage.StorageView, error) {
	results, rollups := int64(3_540_000_000), int64(210_400_000)
	return manage.StorageView{Kind: "PostgreSQL", Version: "17.2", Bytes: 3_812_345_678, ResultBytes: &results, RollupBytes: &rollups}, f.broken
}

func (f *fake) About(ctx context.Context, a uptime.Actor) (manage.AboutView, error) {
	storage, err := f.Storage(ctx, a)
	return manage.AboutView{
		Build:    manage.Build{Version: "1.0.0", Commit: "0123456789abcdef0123456789abcdef01234567", GoVersion: "go1.26.8"},
		Database: storage,
		OverviewView: manage.OverviewView{
			ChecksPerSecond: 33.4, LatenessMS: manage.LatenessView{P50: 0.8, P99: 4.2},
			Roles: []manage.RoleHealth{{Role: "web", Instances: 2, Healthy: 2}, {Role: "worker", Instances: 3, Healthy: 2}, {Role: "notifier"}},
		},
	}, err
}

func (f *fake) LastChange(context.Context, uptime.Actor, string, int64) (manage.ChangeView, error) {
	return manage.ChangeView{At: sampleNow().Add(-40 * time.Second), User: "Mia Weber"}, f.broken
}

// judge is what is wrong with a form: a URL of another kind, and a short interval.
func (f *fake) judge(raw json.RawMessage) error {
	text := string(raw)
	var wrong []uptime.FieldError
	if strings.Contains(text, `"ftp:`) {
		wrong = append(wrong, uptime.FieldError{Field: "http.url", Message: "must be an absolute http or https URL"}, uptime.FieldError{Field: "settings.url", Message: "must be an absolute http or https URL"})
	}
	if strings.Contains(text, `"interval":"1s"`) {
		wrong = append(wrong, uptime.FieldError{Field: "interval", Message: "must be at least 5s"})
	}
	if len(wrong) == 0 {
		return f.broken
	}
	return uptime.Invalid(wrong...)
}

func (f *fake) ValidateMonitor(_ context.Context, _ uptime.Actor, _ int64, body json.RawMessage) error {
	return f.judge(body)
}

func (f *fake) ValidateChannel(_ context.Context, _ uptime.Actor, _ int64, body json.RawMessage) error {
	return f.judge(body)
}
