package queuetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func earliestFirst(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	m := s.together(1, 3)
	s.publish(1, time.Second, 100,
		s.job(m[0], 900*time.Millisecond), s.job(m[1], 0), s.job(m[2], 500*time.Millisecond))
	require.Equal(t, m[1:2], ids(s.take(1)), "a job that is due must not wait behind one that is not")
	require.Equal(t, m[2:3], ids(s.take(1)))
	require.Equal(t, m[0:1], ids(s.take(1)))
}

func newestFirst(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	m := s.together(1, 7)
	s.publish(1, 0, 1000,
		s.job(m[0], -50*time.Second), s.job(m[1], -20*time.Second), s.job(m[2], -30*time.Second),
		s.job(m[3], -10*time.Second), s.job(m[4], -40*time.Second))
	require.Equal(t, []int64{m[3]}, ids(s.take(1)))
	require.Equal(t, []int64{m[1], m[2]}, ids(s.take(2)))
	s.publish(1, 0, 1000, s.job(m[5], -15*time.Second), s.job(m[6], 0))
	require.Equal(t, []int64{m[6], m[5], m[4], m[0]}, ids(s.take(4)))
}

// newestOfMany: a backlog is looked through before any of it is handed out,
// however long it is.
func newestOfMany(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	m := s.together(1, 1200)
	jobs := make([]uptime.Job, len(m))
	for i, id := range m {
		jobs[i] = s.job(id, time.Duration(i-2000)*time.Second)
	}
	s.publish(1, 0, 1000, jobs...)
	require.Equal(t, m[1199:], ids(s.take(1)))
	require.Equal(t, []int64{m[1198], m[1197]}, ids(s.take(2)))
}

func paced(t *testing.T, fresh Factory) {
	t.Helper()
	const rate, seconds = 50, 6
	s := start(t, fresh, 0)
	s.publish(1, 0, rate, s.jobs(1, 2000, -10*time.Second)...)
	got := len(s.drain())
	require.LessOrEqual(t, got, rate, "at most half a second's allowance at once")
	for range 2 * seconds {
		s.Advance(500 * time.Millisecond)
		got += len(s.drain())
	}
	require.LessOrEqual(t, got, 2*rate*(seconds+1))
	require.GreaterOrEqual(t, got, 2*rate*seconds*8/10, "a backlog is worked off")
}

func pacedInSum(t *testing.T, fresh Factory) {
	t.Helper()
	const rate, seconds = 50, 6
	s := start(t, fresh, 0)
	s.publish(1, 0, rate, s.jobs(1, 2000, -10*time.Second)...)
	s.drain()
	var got, onTime int
	for i := range 4 * seconds {
		s.Advance(time.Second / 4)
		if i%4 == 3 {
			s.publish(1, 0, rate, s.jobs(int64(10_000+i*rate), rate, time.Duration(i+1)*time.Second/4)...)
		}
		for _, l := range s.drain() {
			got++
			if l.MonitorID >= 10_000 {
				onTime++
			}
		}
	}
	require.Equal(t, rate*seconds, onTime)
	require.LessOrEqual(t, got, 2*rate*(seconds+1))
	require.Greater(t, got, onTime, "the backlog gets what is left")
}

// pacedAfterStop: what is on time is taken at once, and the backlog waits until its
// allowance covers it: within two seconds no more than twice the steady rate is to
// be run.
func pacedAfterStop(t *testing.T, fresh Factory) {
	t.Helper()
	const rate, seconds = 50, 2
	s := start(t, fresh, 0)
	s.publish(1, 0, rate, s.jobs(1, 2000, -10*time.Second)...)
	ahead := int(uptime.TakeAhead/time.Second) + 1 // and the second that may have passed
	for i := range ahead {
		s.publish(1, 0, rate, s.jobs(int64(10_000+i*rate), rate, time.Duration(i)*time.Second)...)
	}
	got := len(s.drain())
	require.Equal(t, ahead*rate, got, "all that is on time, and nothing else")
	for range 4 * seconds {
		s.Advance(time.Second / 4)
		got += len(s.drain())
	}
	require.LessOrEqual(t, got, 2*rate*seconds+ahead*rate)
	require.Greater(t, got, ahead*rate)
}

func onTimeNotPaced(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	s.publish(1, 0, 1, s.jobs(1, 500, 0)...)
	require.Len(t, s.drain(), 500)
}

func expires(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	short, slow := s.job(1, 0), s.job(2, 0)
	short.Spec.Interval = 30 * time.Second
	slow.Spec.Interval, slow.Spec.Timeout = 30*time.Second, 40*time.Second
	s.publish(1, 0, 1000, short, slow, s.job(3, 0))
	s.Advance(31 * time.Second)
	got := map[int64]bool{}
	for _, l := range s.take(3) {
		got[l.MonitorID] = l.Expired
		s.ack(l)
	}
	require.Equal(t, map[int64]bool{1: true, 2: false, 3: false}, got)
	s.Advance(time.Minute)
	s.nothing()
}

func expiredShare(t *testing.T, fresh Factory) {
	t.Helper()
	s := start(t, fresh, 0)
	dead := s.jobs(1, 100, -time.Minute)
	for i := range dead {
		dead[i].Spec.Interval = 20 * time.Second
	}
	s.publish(1, 0, 1000, dead...)
	s.publish(1, 0, 1000, s.jobs(1001, 100, 0)...)
	var expired, live int
	for range 100 {
		if s.take(1)[0].Expired {
			expired++
		} else {
			live++
		}
	}
	require.Greater(t, live, expired, "what can be run goes first")
	require.Positive(t, expired, "what must be booked is not starved")
	for _, l := range append(s.drain(), uptime.Lease{}) {
		if l.Expired {
			expired++
		}
	}
	require.Equal(t, 100, expired)
}
