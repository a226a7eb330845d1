package lock

import "time"

// NewQuickRedis makes a contender with a shorter lease, and all else in proportion.
func NewQuickRedis(p RedisParams, length time.Duration) (*Redis, error) {
	t := lasting()
	quick := func(d time.Duration) time.Duration {
		return time.Duration(float64(d) * length.Seconds() / t.length.Seconds())
	}
	return newRedis(p, durations{
		length: length, extend: quick(t.extend), trust: quick(t.trust), again: quick(t.again),
		repeat: quick(t.repeat), attempt: quick(t.attempt),
	})
}
