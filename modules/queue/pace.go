package queue

import "time"

// pace is a token bucket that holds backlogs to BacklogFactor times the steady
// rate. Jobs on time are never held back, but use up the allowance, so that the
// sum keeps to it. The queue's lock guards it.
type pace struct {
	perSecond float64 // 0: nothing is held back
	tokens    float64
	at        time.Time
}

func (p *pace) burst() float64 { return max(p.perSecond, BacklogBurst) }

// set changes the steady rate at now.
func (p *pace) set(rate float64, now time.Time) {
	p.refill(now)
	if p.perSecond == 0 { // nothing was held back: start with a full allowance
		p.perSecond = rate * BacklogFactor
		p.tokens = p.burst()
		return
	}
	p.perSecond = rate * BacklogFactor
	p.tokens = min(p.tokens, p.burst())
}

func (p *pace) refill(now time.Time) {
	if now.After(p.at) {
		if !p.at.IsZero() {
			p.tokens = min(p.burst(), p.tokens+p.perSecond*now.Sub(p.at).Seconds())
		}
		p.at = now
	}
}

// allows reports whether a backlogged job may be handed out now; refill first.
func (p *pace) allows() bool { return p.perSecond == 0 || p.tokens >= 1 }

// use takes one from the allowance. Jobs on time may bring it to zero, not below:
// what they need is not a debt of the backlog.
func (p *pace) use() { p.tokens = max(p.tokens-1, 0) }

// nextAt is when allows becomes true.
func (p *pace) nextAt() time.Time {
	if p.allows() {
		return p.at
	}
	wait := (1 - p.tokens) / p.perSecond
	// A millisecond more than computed: a wake-up just before the token is
	// whole would spin.
	return p.at.Add(time.Duration(wait*float64(time.Second)) + time.Millisecond)
}
