package store

import "math"

// timeline says what is known of a monitor, or of one of its regions, as sets of
// time. docs/uptime.md defines them.
type timeline struct {
	scheduled   spans // meant to be checked
	known       spans // a result speaks for it
	down        spans // outages
	maintenance spans // windows of it
}

// measure is a timeline in figures, in milliseconds.
type measure struct {
	known, down, unknown, maintenance int64
}

// open is the scheduled time in [from, to) without maintenance: all figures but
// maintenance come from it.
func (t timeline) open(from, to int64) spans {
	return t.scheduled.within(from, to).less(t.maintenance)
}

// measure [from, to). Scheduled time is maintenance, known or unknown, and down
// is a part of what is known: of a time of which nothing is known nobody can say
// that it was down.
func (t timeline) measure(from, to int64) measure {
	open := t.open(from, to)
	known := open.and(t.known)
	return measure{
		known: known.total(), down: known.and(t.down).total(), unknown: open.total() - known.total(),
		maintenance: t.scheduled.within(from, to).total() - open.total(),
	}
}

// uptime is 1 − down ÷ known: 1 only without any downtime, nil where nothing is
// known.
func (m measure) uptime() *float64 {
	if m.known <= 0 {
		return nil
	}
	ratio := 1 - float64(m.down)/float64(m.known)
	if m.down > 0 && ratio == 1 {
		ratio = math.Nextafter(1, 0)
	}
	return &ratio
}

// coverage is known ÷ scheduled time without maintenance, 0 where there is none.
func (m measure) coverage() float64 {
	if m.known <= 0 {
		return 0
	}
	return float64(m.known) / float64(m.known+m.unknown)
}
