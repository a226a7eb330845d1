package web

import (
	"context"
	"encoding/json"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// sampleSpans are outages of a monitor, newest first.
func sampleSpans(id int64) []uptime.IncidentSpan {
	now := sampleNow()
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	var out []uptime.IncidentSpan
	if id <= 2 {
		inc := sampleIncident(id)
		out = append(out, uptime.IncidentSpan{ID: id, Cause: inc.Cause, StartedAt: inc.StartedAt, ConfirmedAt: *inc.ConfirmedAt})
	}
	if id == 10 {
		return nil
	}
	return append(out,
		uptime.IncidentSpan{ID: 5, Cause: "timed out after 10 s", StartedAt: ago(5*time.Hour + 260*time.Second), ConfirmedAt: ago(5*time.Hour + 200*time.Second), RecoveredAt: ago(5 * time.Hour)},
		uptime.IncidentSpan{ID: 6, Cause: hostile, StartedAt: ago(75 * time.Hour), ConfirmedAt: ago(75 * time.Hour), RecoveredAt: ago(70 * time.Hour)},
	)
}

func (f *fake) IncidentSpans(_ context.Context, _ uptime.Actor, id int64, from, to time.Time) ([]uptime.IncidentSpan, error) {
	var out []uptime.IncidentSpan
	for _, i := range sampleSpans(id) {
		if touches(i, from, to) && !f.empty && !f.young {
			out = append(out, i)
		}
	}
	return out, nil
}

func (f *fake) Result(ctx context.Context, a uptime.Actor, id int64, region string, slot time.Time) (manage.ResultView, error) {
	list, err := f.Results(ctx, a, id, uptime.ResultFilter{}, uptime.Page{})
	for _, v := range list.Items {
		if v.ScheduledAt.Equal(slot) && v.Region == region {
			return v, nil
		}
	}
	if err == nil {
		err = uptime.ErrNotFound
	}
	return manage.ResultView{}, err
}

func (f *fake) MonitorChanges(context.Context, uptime.Actor, int64, uptime.Page) (uptime.List[manage.MonitorChangeView], error) {
	at := func(ago time.Duration) time.Time { return sampleNow().Add(-ago) }
	return uptime.List[manage.MonitorChangeView]{Next: "older", Items: []manage.MonitorChangeView{
		{ID: 9, At: at(time.Hour), UserID: 1, User: "Mia Berg", Action: "monitor.update", Detail: json.RawMessage(`{"interval":{"from":"5m","to":"60s"},"http":{"from":{"url":"https://a.example.com","headers":{"Accept":"a"}},"to":{"url":"https://b.example.com","headers":{"Accept":"a"}}},"tcp":{"from":{"secret":"********"},"to":{"secret":"********"}},"name":{"from":"api","to":` + string(mustJSON(hostile)) + `}}`)},
		{ID: 7, At: at(50 * time.Hour), UserID: 1, User: "Mia Berg", TokenID: 3, Action: "monitor.pause"},
		{ID: 2, At: at(4000 * time.Hour), Action: "monitor.create", Detail: json.RawMessage(`{"name":"api-eu-003","target":"https://api-eu-003.example.com","type":"http"}`)},
	}}, f.broken
}

func mustJSON(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return raw
}

func (f *fake) ExpiringCertificates(_ context.Context, _ uptime.Actor, within time.Duration) ([]manage.MonitorView, error) {
	var out []manage.MonitorView
	for i := range sampleList() {
		m := sampleMonitor(i)
		if !f.empty && m.Enabled && m.CertificateExpiresAt.Sub(sampleNow()) < within {
			out = append(out, m)
		}
	}
	return out, nil
}
