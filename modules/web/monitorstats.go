package web

import (
	"math"
	"time"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// uptimeWindow is a time up to now whose uptime the page tells.
type uptimeWindow struct {
	label  string // in the catalogue
	length time.Duration
}

func uptimeWindows() []uptimeWindow {
	const day = 24 * time.Hour
	return []uptimeWindow{
		{lang.Key("Uptime 24 hours"), day},
		{lang.Key("Uptime 7 days"), 7 * day},
		{lang.Key("Uptime 30 days"), 30 * day},
		{lang.Key("Uptime 1 year"), 365 * day},
	}
}

// fillStats shows the figures: uptime, response times and the certificate.
func (p *MonitorPage) fillStats(r *request, s *scene, m manage.MonitorView) error {
	uses, ctx := r.web.deps.Manage, r.Request().Context()
	windows, lengths := uptimeWindows(), []time.Duration{}
	for _, w := range windows {
		lengths = append(lengths, w.length)
	}
	known, err := uses.Availability(ctx, r.actor, m.ID, lengths...)
	if err != nil {
		return err
	}
	for i, a := range known {
		p.Stats = append(p.Stats, Figure{s.t(windows[i].label), s.lang.Percent(a.Uptime), s.underUptime(m, lengths[i], a)})
	}
	at, err := uses.Stats(ctx, r.actor, m.ID, manage.StatsQuery{From: p.shown.from, To: p.shown.to})
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		ms   *float64
	}{{"p50", at.ResponseMS.P50}, {"p95", at.ResponseMS.P95}, {"p99", at.ResponseMS.P99}} {
		p.Stats = append(p.Stats, Figure{f.name, msText(s.lang, f.ms), p.shown.of})
	}
	if m.CertificateExpiresAt != nil {
		p.Stats = append(p.Stats, Figure{s.t("Certificate"), certDays(s.lang, m.CertificateExpiresAt.Sub(r.now)), s.t("until %s", s.whenPtr(m.CertificateExpiresAt).Day())})
		p.Expiring = s.expiring(m)
	}
	return p.compare(r, m, at.ResponseMS.P95)
}

// underUptime says how long a monitor was down, or that less than the whole time is known.
func (s *scene) underUptime(m manage.MonitorView, length time.Duration, known uptime.Availability) string {
	switch {
	case known.Uptime == nil:
		return ""
	case known.Downtime > 0:
		return s.t("down %s", s.lang.Span(known.Downtime))
	case known.Coverage < 0.95 || s.now.Sub(m.CreatedAt) < length:
		return s.t("since %s", s.when(m.CreatedAt).since())
	}
	return ""
}

// compare says how the 95th percentile is beside that of the same time before, where
// the monitor was there for all of it.
func (p *MonitorPage) compare(r *request, m manage.MonitorView, now *float64) error {
	length := p.shown.to.Sub(p.shown.from)
	from := p.shown.from.Add(-length)
	if now == nil || m.CreatedAt.After(from) {
		return nil
	}
	before, err := r.web.deps.Manage.Stats(r.Request().Context(), r.actor, m.ID, manage.StatsQuery{From: from, To: p.shown.from})
	if err != nil {
		return err
	}
	p.Compared = beside(p.Lang, *now, before.ResponseMS.P95, p.shown.before)
	return nil
}

// beside says how a 95th percentile is beside that of an earlier time, which may have
// none: "p95 412 ms, 8% above the previous 24 h".
func beside(l *lang.Language, now float64, then *float64, before string) string {
	text := msText(l, &now)
	if then == nil || *then <= 0 {
		return "p95 " + text
	}
	switch percent := int64(math.Round((now / *then - 1) * 100)); {
	case percent > 0:
		return l.T("p95 %s, %s%% above %s", text, l.Figure(percent), before)
	case percent < 0:
		return l.T("p95 %s, %s%% below %s", text, l.Figure(-percent), before)
	}
	return l.T("p95 %s, the same as in %s", text, before)
}

// expiringSoon is how long before its end a certificate is worth a warning.
const expiringSoon = 14 * 24 * time.Hour

// expiring warns of a certificate that ends soon, or did.
func (s *scene) expiring(m manage.MonitorView) string {
	if m.CertificateExpiresAt == nil || m.CertificateExpiresAt.Sub(s.now) >= expiringSoon {
		return ""
	}
	const day = 24 * time.Hour
	at := s.lang.DateTime(s.whenPtr(m.CertificateExpiresAt).local(), "15:04 MST")
	switch left := m.CertificateExpiresAt.Sub(s.now); {
	case left <= -day:
		return s.lang.N(int64(-left/day), "The certificate ended %s day ago: %s.", "The certificate ended %s days ago: %s.", at)
	case left <= 0:
		return s.t("The certificate has ended: %s.", at)
	case left < day:
		return s.t("The certificate ends in %s: %s.", s.lang.Span(left), at)
	default:
		return s.lang.N(int64(left/day), "The certificate ends in %s day: %s.", "The certificate ends in %s days: %s.", at)
	}
}

// certEnds says when a certificate ends: "certificate ends in 6 days".
func certEnds(l *lang.Language, left time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case left <= -day:
		return l.N(int64(-left/day), "certificate ended %s day ago", "certificate ended %s days ago")
	case left <= 0:
		return l.T("certificate has ended")
	case left < day:
		return l.T("certificate ends in %s", l.Span(left))
	}
	return l.N(int64(left/day), "certificate ends in %s day", "certificate ends in %s days")
}

func certDays(l *lang.Language, left time.Duration) string {
	if left < 0 {
		return l.T("certificate|expired")
	}
	return l.N(int64(left/(24*time.Hour)), "%s day", "%s days")
}

func seconds(v float64) time.Duration { return time.Duration(v * float64(time.Second)) }

func msText(l *lang.Language, ms *float64) string {
	if ms == nil {
		return "—"
	}
	return l.Latency(time.Duration(*ms * float64(time.Millisecond)))
}
