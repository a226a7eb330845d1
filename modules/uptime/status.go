package uptime

import "slices"

// Status is the word for how a monitor or one of its results is doing.
type Status string

// The statuses of a monitor. Of these, a result has Up, Degraded, Down or
// Unknown only, and the judged state that is stored has Pending, Up, Degraded or
// Down only; the others are derived when a monitor is read.
const (
	Pending     Status = "pending"
	Up          Status = "up"
	Degraded    Status = "degraded"
	Down        Status = "down"
	Unknown     Status = "unknown"
	Paused      Status = "paused"
	Maintenance Status = "maintenance"
)

// Statuses lists every status, worst first: the default order of lists.
func Statuses() []Status {
	return []Status{Down, Degraded, Unknown, Pending, Maintenance, Up, Paused}
}

// Valid reports whether s is one of the statuses of a monitor.
func (s Status) Valid() bool { return slices.Contains(Statuses(), s) }

// Severity orders statuses for lists: 0 is the worst.
func (s Status) Severity() int { return slices.Index(Statuses(), s) }

// ErrorKind says in one word why a check was not up.
type ErrorKind string

// The kinds of a result that is down: the target failed.
const (
	KindTimeout        ErrorKind = "timeout"
	KindDNS            ErrorKind = "dns"
	KindConnectRefused ErrorKind = "connect_refused"
	KindConnect        ErrorKind = "connect"
	KindTLS            ErrorKind = "tls"
	KindCertificate    ErrorKind = "certificate"
	KindStatus         ErrorKind = "status"
	KindKeyword        ErrorKind = "keyword"
	KindAssertion      ErrorKind = "assertion"
	KindProtocol       ErrorKind = "protocol"
	KindBodyTooLarge   ErrorKind = "body_too_large"
	KindRedirects      ErrorKind = "redirects"
	KindNoHeartbeat    ErrorKind = "no_heartbeat"
)

// The kinds of a result that is unknown: we could not check. They never count
// as down.
const (
	KindInternal ErrorKind = "internal" // our fault
	KindBlocked  ErrorKind = "blocked"  // our policy refused the address
	KindNetwork  ErrorKind = "network"  // the worker's own network is suspected
)
