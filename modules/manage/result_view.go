package manage

import (
	"time"

	"monitor/modules/uptime"
)

// ResultView is a result as the public contract shows it.
type ResultView struct {
	MonitorID   int64            `json:"monitor_id"`
	Region      string           `json:"region"`
	ScheduledAt time.Time        `json:"scheduled_at"`
	StartedAt   time.Time        `json:"started_at"`
	Status      uptime.Status    `json:"status"`
	ResponseMS  float64          `json:"response_ms"`
	Phases      PhasesView       `json:"phases"`
	StatusCode  *int             `json:"status_code"`
	ErrorKind   uptime.ErrorKind `json:"error_kind"`
	Error       string           `json:"error"`
	Attempt     int              `json:"attempt"`
}

// PhasesView are the phases of a check in milliseconds; null did not happen.
type PhasesView struct {
	DNSMS       *float64 `json:"dns_ms"`
	ConnectMS   *float64 `json:"connect_ms"`
	TLSMS       *float64 `json:"tls_ms"`
	FirstByteMS *float64 `json:"first_byte_ms"`
}

// GapView is a run of slots without results, and why.
type GapView struct {
	MonitorID int64               `json:"monitor_id"`
	Region    string              `json:"region"`
	From      time.Time           `json:"from"` // first slot
	To        time.Time           `json:"to"`   // last slot
	Count     int64               `json:"count"`
	Reason    uptime.MissedReason `json:"reason"`
}

// StatsQuery asks for a window: one of "24h", "7d", "30d", "90d", "1y", or from
// and to. Nothing is 24h.
type StatsQuery struct {
	Window   string
	From, To time.Time
}

// StatsView sums a monitor's results over a window.
type StatsView struct {
	Window             string       `json:"window"`
	From               time.Time    `json:"from"`
	To                 time.Time    `json:"to"`
	Uptime             *float64     `json:"uptime"` // 0–1, null without known time
	Coverage           float64      `json:"coverage"`
	DowntimeSeconds    float64      `json:"downtime_seconds"`
	MaintenanceSeconds float64      `json:"maintenance_seconds"`
	UnknownSeconds     float64      `json:"unknown_seconds"`
	ResponseMS         ResponseView `json:"response_ms"`
	Checks             ChecksView   `json:"checks"`
	Incidents          int64        `json:"incidents"`
}

// ResponseView are response times of successful checks, null without any.
type ResponseView struct {
	Mean *float64 `json:"mean"`
	P50  *float64 `json:"p50"`
	P95  *float64 `json:"p95"`
	P99  *float64 `json:"p99"`
}

// ChecksView counts checks.
type ChecksView struct {
	Up       int64 `json:"up"`
	Degraded int64 `json:"degraded"`
	Down     int64 `json:"down"`
	Unknown  int64 `json:"unknown"`
	Missed   int64 `json:"missed"`
}

// MonitorTestView is what a test of an unsaved monitor found.
type MonitorTestView struct {
	Status       uptime.Status        `json:"status"`
	ResponseMS   float64              `json:"response_ms"`
	Phases       PhasesView           `json:"phases"`
	StatusCode   *int                 `json:"status_code"`
	ErrorKind    uptime.ErrorKind     `json:"error_kind"`
	Error        string               `json:"error"`
	Address      string               `json:"address"`
	Headers      map[string]string    `json:"headers"`
	Excerpt      string               `json:"excerpt"`
	Certificate  *CertificateView     `json:"certificate"`
	Expectations []uptime.Expectation `json:"expectations"`
}

// CertificateView is a certificate that was seen.
type CertificateView struct {
	Fingerprint string    `json:"fingerprint"`
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	NotAfter    time.Time `json:"not_after"`
}
