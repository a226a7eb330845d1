package channeltest

import (
	"time"

	"monitor/modules/uptime"
)

// At is when the sample messages happened.
func At() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC) }

// Samples gives a message of every event type by a name for its golden file.
// Names in them try to break out of headers, JSON and HTML.
func Samples() map[string]uptime.Message {
	resolved := At()
	code := 503
	monitor := &uptime.EventMonitor{
		ID: 7, Name: "Shop <b>\"EU\"</b>\r\nBcc: evil@example.com", Type: "http",
		Target: "https://example.com/health?a=1&b=2", Tags: map[string]string{"team": "web", "eu": ""},
	}
	open := &uptime.EventIncident{
		ID: 12, Status: uptime.IncidentOpen, StartedAt: At().Add(-250 * time.Second),
		Cause: "HTTP 503", ErrorKind: uptime.KindStatus,
	}
	acknowledged := *open
	acknowledged.Status, acknowledged.AcknowledgedBy = uptime.IncidentAcknowledged, "Mia\nX-Evil: 1"
	closed := *open
	closed.Status, closed.ResolvedAt = uptime.IncidentResolved, &resolved
	paused := closed
	paused.Cause, paused.Reason = "HTTP 503. Monitor paused.", "Monitor paused.\r\nBcc: evil@example.com"
	down := &uptime.EventResult{Status: uptime.Down, Error: "HTTP 503", StatusCode: &code, ResponseMS: 87.4}
	slow := &uptime.EventResult{Status: uptime.Degraded, Error: "slower than 500 ms", ResponseMS: 812.5}
	up := &uptime.EventResult{Status: uptime.Up, ResponseMS: 12}
	certificate := &uptime.EventCertificateData{
		Subject: "shop.example.com", Issuer: "Example CA", Fingerprint: "ab12",
		NotAfter: At().Add(13 * 24 * time.Hour), WarnDays: 14,
	}
	alarm := &uptime.EventAlarmData{Kind: uptime.AlarmChannelDead, Subject: "Ops\nmail", Detail: "given up after 72 h: connection refused"}
	over := *alarm
	over.Ended = true
	samples := map[string]uptime.Message{
		"opened":       {Type: uptime.EventOpened, Data: uptime.EventData{Monitor: monitor, Incident: open, Result: down}},
		"acknowledged": {Type: uptime.EventAcknowledged, Data: uptime.EventData{Monitor: monitor, Incident: &acknowledged, Result: down}},
		"resolved":     {Type: uptime.EventResolved, Data: uptime.EventData{Monitor: monitor, Incident: &closed, Result: up}},
		"paused":       {Type: uptime.EventResolved, Data: uptime.EventData{Monitor: monitor, Incident: &paused}},
		"closed":       {Type: uptime.EventResolved, Data: uptime.EventData{Monitor: monitor, Incident: &closed}},
		"merged":       {Type: uptime.EventResolved, Merged: true, Data: uptime.EventData{Monitor: monitor, Incident: &closed, Result: up}},
		"reminder":     {Type: uptime.EventReminder, Data: uptime.EventData{Monitor: monitor, Incident: open, Result: down}},
		"degraded":     {Type: uptime.EventDegraded, Data: uptime.EventData{Monitor: monitor, Result: slow}},
		"recovered":    {Type: uptime.EventRecovered, Data: uptime.EventData{Monitor: monitor, Result: up}},
		"certificate":  {Type: uptime.EventCertificate, Data: uptime.EventData{Monitor: monitor, Certificate: certificate}},
		"alarm":        {Type: uptime.EventAlarm, Data: uptime.EventData{Monitor: monitor, Incident: open, Result: down, Alarm: alarm}},
		"alarm_bare":   {Type: uptime.EventAlarm, Data: uptime.EventData{Alarm: alarm}},
		"alarm_over":   {Type: uptime.EventAlarm, Data: uptime.EventData{Alarm: &over}},
		"test":         {Type: uptime.EventTest, TestOf: uptime.EventOpened, Data: uptime.EventData{Monitor: monitor, Incident: open}},
		"test_bare":    {Type: uptime.EventTest, TestOf: uptime.EventResolved},
	}
	for name, m := range samples {
		m.ID, m.Timestamp = "evt_aaaaaaaaaaaaaaaaaaaaaaaaaa", At()
		m.Attempt, m.AttemptAt = 1, At().Add(time.Second)
		samples[name] = m
	}
	return samples
}
