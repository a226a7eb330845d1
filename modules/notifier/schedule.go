package notifier

import "time"

// GiveUp is how old a delivery gets before it is dead.
const GiveUp = 72 * time.Hour

// jitter is the share by which a wait is longer or shorter, so that messages
// that failed together do not come back together.
const jitter = 0.2

// maxWish is the longest Retry-After that is honoured.
const maxWish = time.Hour

// wait is the time between attempt n, from 1, and the next one: an alert ages
// fast, so the first are close together.
func wait(n int) time.Duration {
	waits := [...]time.Duration{
		time.Second, 5 * time.Second, 15 * time.Second,
		time.Minute, 5 * time.Minute, 15 * time.Minute,
		time.Hour, 2 * time.Hour, 4 * time.Hour,
	}
	if n = max(n, 1); n <= len(waits) {
		return waits[n-1]
	}
	return 6 * time.Hour
}

// Next is when to try again after attempt n, from 1, of a delivery created at
// created has failed at now; wish is the endpoint's Retry-After, 0 for none.
// random is in [0, 1). ok is false when the delivery would be older than GiveUp.
func Next(n int, created, now time.Time, wish time.Duration, random float64) (at time.Time, ok bool) {
	spread := 1 - jitter + 2*jitter*random
	at = now.Add(time.Duration(float64(wait(n)) * spread))
	if asked := now.Add(min(wish, maxWish)); wish > 0 && asked.After(at) {
		at = asked
	}
	return at, !at.After(created.Add(GiveUp))
}
