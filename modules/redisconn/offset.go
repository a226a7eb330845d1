package redisconn

import "time"

// sample is one measurement of how far the server's clock is off ours: right to
// half of the round trip, whatever its two ways took.
type sample struct{ offset, trip time.Duration }

// window is how many measurements are remembered, one a second.
const window = 30

// samples are the last measurements, newest last. The one with the quickest round
// trip says most: a slow one may be off by half of it, and a worker's clock must
// not jump because a server was busy (NTP's clock filter, RFC 5905, section 10).
type samples []sample

func (s *samples) add(one sample) {
	for _, old := range *s {
		if apart(old, one) {
			*s = nil // a clock was set: what was before says nothing any more
			break
		}
	}
	*s = append(*s, one)
	if len(*s) > window {
		*s = append(samples(nil), (*s)[1:]...)
	}
}

// apart reports whether no single offset agrees with both. Some is allowed for
// clocks that run at different speeds: 200 ppm over the window.
func apart(a, b sample) bool {
	const drift = window * time.Second * 200 / 1_000_000
	return (a.offset - b.offset).Abs() > (a.trip+b.trip)/2+drift
}

// best gives the newest of the quickest; there must be one.
func (s samples) best() sample {
	found := s[0]
	for _, one := range s {
		if one.trip <= found.trip {
			found = one
		}
	}
	return found
}
