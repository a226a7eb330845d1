package queue

import (
	"time"

	"monitor/modules/uptime"
)

// pace is a token bucket that holds backlogs to BacklogFactor times the steady
// rate. Jobs on time are never held back, but use up the allowance, so that the
// sum keeps to it. The queue's lock guards it.
type pace struct {
	perSecond float64 // 0: nothing is held back
	tokens    float64
	at        time.Time
}

// burst is the most that is saved up.
func (p *pace) burst() float64 { return burstOf(p.perSecond, 1) }

// debt is the most that jobs on time may owe: those that are handed out at once
// after a long stop, which are run while the backlog would get its allowance too.
func (p *pace) debt() float64 {
	return p.perSecond / BacklogFactor * (uptime.TakeAhead + BacklogAfter).Seconds()
}

// burstOf is the burst of a part of the whole that is paced so.
func burstOf(perSecond, part float64) float64 {
	return max(perSecond*BacklogSaved.Seconds(), BacklogBurst*part, 1)
}

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

// use takes one from the allowance.
func (p *pace) use() { p.tokens = max(p.tokens-1, -p.debt()) }

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
