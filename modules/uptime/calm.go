package uptime

import (
	"fmt"
	"time"
)

// Calm is what must be known of a monitor to tell, without judging, that a success
// changes nothing about it but its newest figures: LastSlot, KnownSlot and
// LastResponse, and its region's LastSlot. Nearly all results of a day are such. A
// test compares it with Judge.
type Calm struct {
	WorkspaceID int64
	Interval    time.Duration
	Region      string

	checkAt, judgeFrom time.Time
	certNotAfter       time.Time
	certWarned         string
}

// CalmOf gives it for a monitor that is up and checked from one region, whose own
// incidents, as a Situation has them, are all over. It holds until the state is
// written by anybody but for those figures.
func CalmOf(m Monitor, incidents []Incident) (Calm, bool) {
	s := m.State
	if !m.Enabled || !m.DeletedAt.IsZero() || len(m.Regions) != 1 || len(s.Regions) != 1 {
		return Calm{}, false
	}
	region := s.Regions[m.Regions[0]]
	at := region.LastSlot
	region.LastSlot = time.Time{}
	quiet := s.Status == Up && s.LastResult == Up && s.Outage == nil && s.ConsecutiveFailures == 0 &&
		s.LastError == "" && s.LastErrorKind == "" && region == RegionState{Answered: true} &&
		at.Equal(s.LastSlot) && at.Equal(s.KnownSlot)
	for _, inc := range incidents {
		quiet = quiet && !inc.Unresolved() && !inc.EndedAt.IsZero() && !inc.EndedAt.After(at)
	}
	return Calm{
		WorkspaceID: m.WorkspaceID, Interval: m.Interval, Region: m.Regions[0],
		checkAt: m.CheckAt, judgeFrom: s.JudgeFrom, certNotAfter: s.CertNotAfter, certWarned: s.CertWarned,
	}, quiet
}

// Agrees reports whether a result is such a success, where its slot comes after
// LastSlot.
func (c Calm) Agrees(r Result) bool {
	return r.Status == Up && r.Region == c.Region && r.Error == "" && r.ErrorKind == "" &&
		!r.ScheduledAt.Before(c.judgeFrom) && !r.Replaced(Monitor{CheckAt: c.checkAt}) &&
		(r.Certificate == nil || c.knows(*r.Certificate, r.ScheduledAt))
}

// knows reports a certificate that was seen before and is not to be warned of
// again.
func (c Calm) knows(cert Certificate, at time.Time) bool {
	return cert.NotAfter.Equal(c.certNotAfter) && (!cert.ends(at) || cert.warning() == c.certWarned)
}

// ends reports whether the certificate is to be warned of at a time.
func (c Certificate) ends(at time.Time) bool {
	return c.WarnDays > 0 && c.NotAfter.Sub(at) < time.Duration(c.WarnDays)*24*time.Hour
}

// warning names the certificate and its threshold.
func (c Certificate) warning() string { return fmt.Sprintf("%s:%d", c.Fingerprint, c.WarnDays) }
