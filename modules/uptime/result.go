package uptime

import "time"

// Phases are the parts of a check that took time; a zero phase did not happen.
type Phases struct {
	DNS       time.Duration
	Connect   time.Duration
	TLS       time.Duration
	FirstByte time.Duration // from the request written to the first byte of the answer
}

// Certificate is what a check saw of the target's certificate.
type Certificate struct {
	Fingerprint string    // SHA-256 of the leaf, hex
	Subject     string    // common name or first DNS name
	Issuer      string    // common name
	NotAfter    time.Time // the earliest end within the chain that was sent
	// WarnDays is the monitor's threshold: warn when fewer days are left; 0: never.
	WarnDays int
}

// Evidence is kept with an incident so that its cause can be seen later. All
// text in it went through Clean.
type Evidence struct {
	Address     string            `json:"address,omitempty"` // IP and port dialled
	Headers     map[string]string `json:"headers,omitempty"` // of the answer, secrets left out
	Excerpt     string            `json:"excerpt,omitempty"` // start of the body, at most 2 KiB
	Certificate *Certificate      `json:"certificate,omitempty"`
	Worker      string            `json:"worker,omitempty"`
}

// Expectation is one thing that a check demanded and what it found, for
// people who test a monitor before they save it.
type Expectation struct {
	Name     string `json:"name"`
	Expected string `json:"expected"`
	Actual   string `json:"actual"`
	Met      bool   `json:"met"`
}

// Outcome is what a probe found. A failed target is an Outcome; an error from
// a probe means that we could not check, and is never down.
type Outcome struct {
	Status     Status // Up, Degraded, Down or Unknown
	ErrorKind  ErrorKind
	Error      string // one clean line for people
	Response   time.Duration
	Phases     Phases
	StatusCode int // 0: the protocol has none or it never came

	Certificate  *Certificate
	Evidence     *Evidence     // of failures, and of tests
	Expectations []Expectation // of tests
}

// Result is one check that was made. (MonitorID, Region, ScheduledAt) is its
// key; the first one stored stays.
type Result struct {
	MonitorID   int64
	WorkspaceID int64
	Region      string
	ScheduledAt time.Time // whole milliseconds
	StartedAt   time.Time
	Attempt     int
	// SpecOf is Spec.Of of the job; it is not stored.
	SpecOf time.Time
	Outcome
}

// Replaced reports whether the monitor's target, interval or state of being
// checked changed, in a way that asked for a new check at once, after the job of
// this result was made and not after its slot: it measured what is no more.
func (r Result) Replaced(m Monitor) bool {
	return !r.SpecOf.IsZero() && r.SpecOf.Before(m.CheckAt) && !r.ScheduledAt.Before(m.CheckAt)
}

// Failed reports whether the target failed. An unknown result did not.
func (r Result) Failed() bool { return r.Status == Down }

// ResultKey names a result.
type ResultKey struct {
	MonitorID   int64
	Region      string
	ScheduledAt int64 // Unix milliseconds
}

// Key of the result.
func (r Result) Key() ResultKey {
	return ResultKey{r.MonitorID, r.Region, r.ScheduledAt.UnixMilli()}
}

// Key of the job, which is the key of its result.
func (j Job) Key() ResultKey {
	return ResultKey{j.MonitorID, j.Region, j.ScheduledAt.UnixMilli()}
}
