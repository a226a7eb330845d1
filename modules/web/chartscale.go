package web

import (
	"math"
	"time"

	"monitor/modules/uptime"
)

// scale is how high response times stand in a chart.
type scale struct {
	floor, ceiling time.Duration
	log            bool
	ticks          []time.Duration // top to bottom, evenly spaced
}

// newScale begins at zero, or with log at the power of ten below the least value.
func newScale(buckets []uptime.Bucket, log bool) (scale, bool) {
	var top, least time.Duration
	for _, b := range buckets {
		top = max(top, b.P50, b.P95, b.P99)
		if b.P50 > 0 && (least == 0 || b.P50 < least) {
			least = b.P50
		}
	}
	if top == 0 {
		return scale{}, false
	}
	s := scale{log: log, ceiling: niceCeiling(top)}
	if !log {
		for i := 4; i >= 0; i-- {
			s.ticks = append(s.ticks, s.ceiling*time.Duration(i)/4)
		}
		return s, true
	}
	if least == 0 {
		least = top
	}
	s.floor = decade(math.Floor(decades(least)))
	s.ceiling = max(decade(math.Ceil(decades(top)-1e-9)), s.floor*10)
	for v := s.ceiling; v >= s.floor; v /= 10 {
		s.ticks = append(s.ticks, v)
	}
	return s, true
}

// decades is the logarithm of a time in microseconds, which is never below zero.
func decades(d time.Duration) float64 {
	return max(math.Log10(float64(d)/float64(time.Microsecond)), 0)
}

func decade(n float64) time.Duration {
	return time.Duration(math.Pow(10, n)) * time.Microsecond
}

func (s scale) y(v time.Duration) float64 {
	if !s.log {
		return chartHeight - chartHeight*float64(v)/float64(s.ceiling)
	}
	low, high := decades(s.floor), decades(s.ceiling)
	return chartHeight - chartHeight*(decades(max(v, s.floor))-low)/(high-low)
}

// niceCeiling is the next of 1, 2, 4, 5, 8 × 10ⁿ milliseconds: quarters of it
// are round.
func niceCeiling(d time.Duration) time.Duration {
	ms := max(float64(d)/float64(time.Millisecond), 1)
	base := math.Pow(10, math.Floor(math.Log10(ms)))
	for _, step := range []float64{1, 2, 4, 5, 8, 10} {
		if ms <= step*base {
			return time.Duration(step * base * float64(time.Millisecond))
		}
	}
	return time.Duration(10 * base * float64(time.Millisecond))
}
