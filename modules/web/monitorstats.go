package web

import (
	"fmt"
	"math"
	"time"

	"monitor/modules/manage"
)

func (p *MonitorPage) fillStats(r *request, s *scene, m manage.MonitorView) error {
	const day = 24 * time.Hour
	labels, spans := []string{"24 hours", "7 days", "30 days", "1 year"}, []time.Duration{day, 7 * day, 30 * day, 365 * day}
	uses, ctx := r.web.deps.Manage, r.Request().Context()
	windows, err := uses.Availability(ctx, r.actor, m.ID, spans...)
	if err != nil {
		return err
	}
	for i, w := range windows {
		under := ""
		switch {
		case w.Uptime == nil:
		case w.Downtime > 0:
			under = "down " + span(w.Downtime)
		case w.Coverage < 0.95 || r.now.Sub(m.CreatedAt) < spans[i]:
			under = "since " + s.when(m.CreatedAt).since()
		}
		p.Stats = append(p.Stats, Figure{"Uptime " + labels[i], percent(w.Uptime), under})
	}
	at, err := uses.Stats(ctx, r.actor, m.ID, manage.StatsQuery{From: p.shown.from, To: p.shown.to})
	if err != nil {
		return err
	}
	under := "of the range"
	for _, c := range p.Ranges {
		if c.Current {
			under = "of " + c.Label
		}
	}
	for _, f := range []struct {
		name string
		ms   *float64
	}{{"p50", at.ResponseMS.P50}, {"p95", at.ResponseMS.P95}, {"p99", at.ResponseMS.P99}} {
		p.Stats = append(p.Stats, Figure{f.name, msText(f.ms), under})
	}
	if m.CertificateExpiresAt != nil {
		p.Stats = append(p.Stats, Figure{"Certificate", certDays(m.CertificateExpiresAt.Sub(r.now)), "until " + s.whenPtr(m.CertificateExpiresAt).local().Format("2 Jan 2006")})
		p.Expiring = s.expiring(m)
	}
	return p.compare(r, m, at.ResponseMS.P95)
}

// compare says how the 95th percentile is beside that of the same time before, where
// the monitor was there for all of it.
func (p *MonitorPage) compare(r *request, m manage.MonitorView, now *float64) error {
	length := p.shown.to.Sub(p.shown.from)
	from := p.shown.from.Add(-length)
	if now == nil || m.CreatedAt.After(from) {
		return nil
	}
	p.Compared = "p95 " + msText(now)
	before, err := r.web.deps.Manage.Stats(r.Request().Context(), r.actor, m.ID, manage.StatsQuery{From: from, To: p.shown.from})
	if err != nil {
		return err
	}
	if then := before.ResponseMS.P95; then != nil && *then > 0 {
		p.Compared += ", " + beside(*now, *then) + " " + p.shown.before
	}
	return nil
}

// beside says how a value is beside an earlier one: "8% above".
func beside(now, then float64) string {
	percent := math.Round((now/then - 1) * 100)
	switch {
	case percent > 0:
		return fmt.Sprintf("%.0f%% above", percent)
	case percent < 0:
		return fmt.Sprintf("%.0f%% below", -percent)
	}
	return "the same as in"
}

// expiringSoon is how long before its end a certificate is worth a warning.
const expiringSoon = 14 * 24 * time.Hour

// expiring warns of a certificate that ends soon, or did.
func (s *scene) expiring(m manage.MonitorView) string {
	if m.CertificateExpiresAt == nil || m.CertificateExpiresAt.Sub(s.now) >= expiringSoon {
		return ""
	}
	return "The " + certEnds(m.CertificateExpiresAt.Sub(s.now)) + ": " + s.whenPtr(m.CertificateExpiresAt).local().Format("2 Jan 2006, 15:04 MST") + "."
}

// certEnds says when a certificate ends: "certificate ends in 6 days".
func certEnds(left time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case left <= -day:
		return "certificate ended " + plural(int64(-left/day), "day", "days") + " ago"
	case left <= 0:
		return "certificate has ended"
	case left < day:
		return "certificate ends in " + span(left)
	}
	return "certificate ends in " + plural(int64(left/day), "day", "days")
}

func certDays(left time.Duration) string {
	if left < 0 {
		return "expired"
	}
	return plural(int64(left/(24*time.Hour)), "day", "days")
}

func seconds(v float64) time.Duration { return time.Duration(v * float64(time.Second)) }

func msText(ms *float64) string {
	if ms == nil {
		return "—"
	}
	return latency(time.Duration(*ms * float64(time.Millisecond)))
}
