package uptime

import "time"

// Page asks for a part of a list. Cursor is opaque and comes from the page
// before; "" is the first.
type Page struct {
	Limit  int // 1–200
	Cursor string
}

// List is a part of a list. Next is "" on the last page.
type List[T any] struct {
	Items []T
	Next  string
}

// TagFilter matches monitors with the tag; HasValue asks for its value too.
type TagFilter struct {
	Name, Value string
	HasValue    bool
}

// MonitorFilter chooses monitors. Zero fields choose all.
type MonitorFilter struct {
	Statuses []Status
	Types    []string
	Tags     []TagFilter // all must match
	Group    string      // the group itself and everything below it; NoGroup: those without one
	Query    string      // in name, target, group or tags, any case
	Enabled  *bool
	IDs      []int64 // only these; nil: all
	Silenced *bool   // a silence holds
	Sort     string  // "status" (default: severity, then name), "name", "checked", "response", "group"
	Desc     bool
	// Offset is for numbered pages of the web app; the API pages by cursor.
	Offset int
}

// ResultFilter chooses results of one monitor, newest first.
type ResultFilter struct {
	From, To time.Time // [From, To), zero: open
	Region   string
	Status   Status
}

// IncidentFilter chooses incidents, newest first.
type IncidentFilter struct {
	MonitorID  int64
	OpenedFor  []int64 // by the program, for one of these monitors
	Unresolved bool
	Resolved   bool
	From, To   time.Time  // started in [From, To)
	Severities []Severity // any of them
	Query      string     // in the title, any case
	// Tags, which must all match, and Group are of the monitor, or of one of those that
	// an incident made by hand names.
	Tags  []TagFilter
	Group string // the group itself and everything below it
	// Offset and OpenFirst, which puts unresolved ones before the others, are for
	// numbered pages; with OpenFirst there is no cursor.
	Offset    int
	OpenFirst bool
}

// DeliveryFilter chooses deliveries, newest first.
type DeliveryFilter struct {
	Status     DeliveryStatus
	ChannelID  int64
	IncidentID int64
	MonitorID  int64
}

// IncidentSpan is what charts and bars show of an incident of one monitor.
type IncidentSpan struct {
	ID          int64
	Cause       string
	StartedAt   time.Time
	ConfirmedAt time.Time
	// RecoveredAt is zero while the outage goes on, also when somebody resolved
	// the incident by hand.
	RecoveredAt time.Time
}

// StatusCounts counts living monitors by derived status.
type StatusCounts map[Status]int64

// Total of all statuses.
func (c StatusCounts) Total() int64 {
	var n int64
	for _, v := range c {
		n += v
	}
	return n
}

// Stats sums a monitor's results over a window; docs/uptime.md defines its figures.
type Stats struct {
	From, To time.Time
	// Uptime is 1 − downtime ÷ known time, nil without known time. It is 1
	// only when downtime is exactly zero.
	Uptime *float64
	// Coverage is known time ÷ the part of the window in which the monitor was
	// meant to be checked, without maintenance, 0–1.
	Coverage float64
	// Known, Unknown and Maintenance add up to the time in which the monitor was
	// meant to be checked. Downtime is a part of Known.
	Known, Downtime, Unknown, Maintenance time.Duration
	Responses
	Checks    CheckCounts
	Incidents int64
	Regions   []RegionStats // by name
}

// RegionStats is what one region saw. Its downtime is the time that failed checks
// of it speak for, confirmed or not.
type RegionStats struct {
	Region                                string
	Uptime                                *float64
	Known, Downtime, Unknown, Maintenance time.Duration
	Responses
	Checks CheckCounts
}

// Responses are response times of successful checks.
type Responses struct {
	HasResponse         bool
	Mean, P50, P95, P99 time.Duration
}

// CheckCounts counts checks by what they found.
type CheckCounts struct {
	Up, Degraded, Down, Unknown, Missed int64
}

// Availability is how much of a time a monitor was up.
type Availability struct {
	Uptime   *float64 // nil where nothing is known
	Coverage float64  // known part of the time that it was to be checked in, without maintenance
	Downtime time.Duration
}

// GlanceQuery asks for a bar over [From, To) in pieces of Width, and for the uptime
// of [Since, To), Since not after From. The future is left out of both.
type GlanceQuery struct {
	From, To time.Time
	Width    time.Duration
	Since    time.Time
}

// Glance is what a list shows of a monitor's past.
type Glance struct {
	Buckets []Bucket
	P95     time.Duration // of successful checks in all buckets; zero without any
	Uptime  *float64      // since; nil where nothing is known
}

// Bucket is one slot of a bar or one point of a chart.
type Bucket struct {
	From, To      time.Time
	Checks        CheckCounts
	Known         time.Duration // without maintenance
	Downtime      time.Duration // a part of Known
	P50, P95, P99 time.Duration // of successful checks; zero without any
}
