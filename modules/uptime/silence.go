package uptime

import "time"

// MaxSilence is the longest that a monitor may be silenced ahead.
const MaxSilence = 30 * 24 * time.Hour

// Silence is a time in which nobody is told of a monitor: checks and incidents go on. The
// last one of a monitor stays on record when it is over.
type Silence struct {
	From, Until time.Time
	By          string // the name of who asked for it
	Note        string // why, or ""
}

// Holds reports whether the silence is in force at a time.
func (s Silence) Holds(at time.Time) bool { return !s.Until.IsZero() && at.Before(s.Until) }

// Has reports whether a time lies in the silence.
func (s Silence) Has(at time.Time) bool { return s.Holds(at) && !at.Before(s.From) }
