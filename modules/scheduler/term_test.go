package scheduler

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"monitor/modules/uptime"
)

// Whatever the intervals, at whatever moment leaders change, the queue fails or
// forgets: each slot is published, or booked as missed because it was too old.
func TestEachSlotOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		faulty := rapid.Bool().Draw(t, "faulty queue")
		w := newWorld(t, rapid.IntRange(1, 8).Draw(t, "partitions"))
		for range rapid.IntRange(10, 80).Draw(t, "steps") {
			w.step(faulty)
		}
		w.queue.setFails(func(int) bool { return false })
		w.tick()
		w.tick()
		for _, term := range w.all { // leaders write what they know when they leave
			term.part(context.Background())
		}
		w.requireAll(faulty)
	})
}

// world is a random history of one schedule.
type world struct {
	*bundle
	t     *rapid.T
	clock *handClock
	epoch int64
	term  *term
	all   []*term // the newest last
	began time.Time
}

func newWorld(t *rapid.T, parts int) *world {
	clock := &handClock{now: base}
	w := &world{bundle: setup(t, clock.Now, parts), t: t, clock: clock}
	for id := range rapid.Int64Range(1, 25).Draw(t, "monitors") {
		m := monitor(id*rapid.Int64Range(1, 50).Draw(t, "stride")+1,
			time.Duration(rapid.IntRange(1000, 300_000).Draw(t, "interval"))*time.Millisecond)
		if rapid.Bool().Draw(t, "two regions") {
			m.Regions = []string{"default", "eu"}
			m.State.Regions = map[string]uptime.RegionState{}
		}
		m.CheckAt, m.State.LastSlot = base, base // there are no slots before
		w.table.save(m)
	}
	w.began = clock.Now()
	w.table.marks = slices.Repeat([]time.Time{base}, parts) // of an earlier run
	w.takeOver()
	return w
}

func (w *world) takeOver() {
	w.epoch++
	w.term = w.take(w.t, w.epoch)
	w.all = append(w.all, w.term)
}

func (w *world) tick() {
	require.NoError(w.t, w.term.tick(context.Background()))
	w.term.ledger.runOnce(context.Background())
}

func (w *world) step(faulty bool) {
	w.clock.move(time.Duration(rapid.IntRange(0, 2000).Draw(w.t, "ms")) * time.Millisecond)
	w.answer()
	switch kind := rapid.IntRange(0, 20).Draw(w.t, "step"); {
	case kind == 0: // a stop of any length
		w.clock.move(time.Duration(rapid.IntRange(0, 600_000).Draw(w.t, "stop ms")) * time.Millisecond)
		w.takeOver()
	case kind <= 2: // a change of leader; the old one does not know yet
		w.takeOver()
	case kind == 3 && faulty: // the queue forgets everything
		w.forget()
		w.takeOver()
	case kind == 4 && faulty:
		mask := rapid.IntRange(0, 255).Draw(w.t, "failing")
		w.queue.setFails(func(p int) bool { return mask>>p&1 == 1 })
	case kind == 5 && faulty:
		w.queue.setFails(func(int) bool { return false })
	case kind == 6 && len(w.all) > 1:
		stale := rapid.SampledFrom(w.all[:len(w.all)-1]).Draw(w.t, "stale leader")
		w.clock.move(tick)
		require.ErrorIs(w.t, stale.tick(context.Background()), uptime.ErrFenced)
	default:
		w.tick()
	}
}

// answer stores the results of what was published and is over.
func (w *world) answer() {
	for _, j := range w.queue.list {
		if at := utc(j.At); at.Before(w.clock.Now().Add(-time.Second)) {
			w.table.done(j.MonitorID, at)
			if s := w.table.monitors[j.MonitorID].State.Regions; s != nil {
				s[j.Region] = uptime.RegionState{LastSlot: later(s[j.Region].LastSlot, at)}
			}
		}
	}
}

// forget drops watermarks and the jobs that were not done.
func (w *world) forget() {
	w.term.ledger.runOnce(context.Background())
	w.queue.marks = make([]time.Time, len(w.queue.marks))
	w.queue.list = slices.DeleteFunc(w.queue.list, func(j uptime.Slot) bool {
		waiting := !utc(j.At).Before(w.clock.Now().Add(-time.Second))
		if waiting {
			delete(w.queue.jobs, j.Key())
		}
		return waiting
	})
}

func (w *world) requireAll(faulty bool) {
	missed := map[uptime.ResultKey]bool{}
	for _, r := range w.table.booked() {
		m := w.table.monitors[r.MonitorID]
		require.Equal(w.t, r.Count-1, int64(r.To.Sub(r.From)/m.Interval), "%+v", r)
		for slot := r.From; !slot.After(r.To); slot = slot.Add(m.Interval) {
			missed[uptime.ResultKey{MonitorID: m.ID, Region: r.Region, ScheduledAt: slot.UnixMilli()}] = true
		}
		require.Contains(w.t, []uptime.MissedReason{uptime.MissedFailover, uptime.MissedStopped}, r.Reason)
	}
	end := w.clock.Now().Add(tick + publishAhead)
	due := map[uptime.ResultKey]bool{}
	for _, m := range w.table.monitors {
		for _, slot := range grid(m, w.began, end) {
			for _, region := range m.Regions {
				key := uptime.ResultKey{MonitorID: m.ID, Region: region, ScheduledAt: base.Add(slot).UnixMilli()}
				due[key] = true
				require.True(w.t, w.queue.jobs[key] > 0 || missed[key], "lost: %+v after %s", key, slot)
			}
		}
	}
	for key, n := range w.queue.jobs {
		require.True(w.t, due[key], "not due: %+v", key)
		if !faulty {
			require.Equal(w.t, 1, n, "published twice: %+v", key)
			require.False(w.t, missed[key], "published and booked: %+v", key)
		}
	}
}

func TestTakeOverWithoutAnyMark(t *testing.T) {
	t.Parallel()
	clock := &handClock{now: base}
	b := setup(t, clock.Now, 3)
	m := b.table.save(monitor(5, 10*time.Second))
	term := b.take(t, 1)
	require.Equal(t, grid(m, base, base.Add(tick+publishAhead)), b.queue.slots(5))
	term.ledger.runOnce(t.Context())
	require.Empty(t, b.table.booked())
	require.Equal(t, []time.Time{base.Add(2 * time.Second), base.Add(2 * time.Second), base.Add(2 * time.Second)}, b.table.marks)
}

// What is booked and what is caught up after a gap, and why.
func TestTakeOverAfterAGap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		queue  bool
		copies int
		reason uptime.MissedReason
	}{
		{"QueueSurvived", true, 2, uptime.MissedFailover},
		{"QueueLost", false, 2, uptime.MissedStopped},
		{"MorePartitionsThen", false, 5, uptime.MissedStopped},
		{"FewerPartitionsThen", false, 1, uptime.MissedStopped},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clock := &handClock{now: base}
			b := setup(t, clock.Now, 2)
			m := monitor(7, 20*time.Second)
			mark := base.Add(-time.Hour)
			m.State.LastSlot = uptime.NextSlot(m.ID, m.Interval, mark.Add(-m.Interval))
			b.table.save(m)
			if c.queue {
				b.queue.marks = []time.Time{mark, mark}
			}
			b.table.marks = slices.Repeat([]time.Time{mark}, c.copies)
			term := b.take(t, 1)
			term.ledger.runOnce(t.Context())

			all := grid(m, mark, base.Add(tick+publishAhead))
			published := b.queue.slots(7)
			require.NotEmpty(t, published)
			require.Greater(t, published[0], -m.Interval, "only what is younger than the interval")
			booked := b.table.booked()
			require.Len(t, booked, 1)
			require.Equal(t, c.reason, booked[0].Reason)
			require.Equal(t, all[0], booked[0].From.Sub(base))
			require.Equal(t, int64(len(all)-len(published)), booked[0].Count)
			require.Equal(t, int64(1), booked[0].WorkspaceID)

			// What becomes too old later has another reason.
			clock.move(time.Hour)
			require.NoError(t, term.tick(t.Context()))
			term.ledger.runOnce(t.Context())
			require.Equal(t, uptime.MissedFailover, b.table.booked()[1].Reason)
		})
	}
}

// A stop of a second loses nothing although the queue is in memory: what it held
// is published again, and what has a result is not.
func TestQueueInMemoryIsMadeUp(t *testing.T) {
	t.Parallel()
	clock := &handClock{now: base}
	b := setup(t, clock.Now, 4)
	for id := range int64(200) {
		m := monitor(id+1, time.Minute)
		b.table.save(m)
		// Half of them have their result of the last 20 seconds.
		if slot := uptime.NextSlot(m.ID, m.Interval, base.Add(-20*time.Second)); id%2 == 0 && slot.Before(base) {
			b.table.done(m.ID, slot)
		}
	}
	b.table.marks = slices.Repeat([]time.Time{base}, 4)
	b.take(t, 1)
	for id := range int64(200) {
		m := b.table.monitors[id+1]
		from := later(base.Add(-lostWith), m.State.LastSlot)
		require.Equal(t, grid(m, from, base.Add(2*time.Second)), b.queue.slots(m.ID), "monitor %d", m.ID)
	}
}

func TestNewMonitorIsCheckedAtOnce(t *testing.T) {
	t.Parallel()
	clock := &handClock{now: base}
	b := setup(t, clock.Now, 4)
	term := b.take(t, 1)
	clock.move(300 * time.Millisecond)
	m := monitor(9, 10*time.Second)
	m.CheckAt = clock.Now()
	m = b.table.save(m)
	require.NoError(t, term.accept(t.Context(), changed(m)))
	require.Equal(t, []time.Duration{300 * time.Millisecond}, b.queue.slots(9)[:1])
	for range 30 {
		clock.move(time.Second)
		require.NoError(t, term.tick(t.Context()))
	}
	want := append([]time.Duration{300 * time.Millisecond}, grid(m, m.CheckAt, clock.Now().Add(2*time.Second))...)
	require.Equal(t, want, b.queue.slots(9))
}

// A changed interval gives one check at once and then the new grid; the extra
// slot survives a change of leader, and is not made twice.
func TestChangedInterval(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		clock := &handClock{now: base}
		b := setup(t, clock.Now, 4)
		first, second := seconds(t, "first"), seconds(t, "second")
		m := b.table.save(monitor(rapid.Int64Range(1, 1000).Draw(t, "id"), first))
		term := b.take(t, 1)
		run := func(n int) {
			for range n {
				clock.move(tick)
				require.NoError(t, term.tick(context.Background()))
			}
		}
		run(rapid.IntRange(0, 20).Draw(t, "before"))
		clock.move(time.Duration(rapid.IntRange(0, 999).Draw(t, "ms")) * time.Millisecond)
		published := term.table.cursor
		m.Interval, m.CheckAt = second, clock.Now()
		m = b.table.save(m)
		clock.move(time.Duration(rapid.IntRange(0, 900).Draw(t, "delay")) * time.Millisecond)
		require.NoError(t, term.accept(context.Background(), changed(m)))
		if rapid.Bool().Draw(t, "change of leader") {
			term = b.take(t, 2)
		}
		run(rapid.IntRange(1, 60).Draw(t, "after"))

		var got []time.Duration
		for _, slot := range b.queue.slots(m.ID) {
			// The old grid goes on to where it was published already.
			if at := base.Add(slot); at.UnixMilli() > published || !at.Before(m.CheckAt) && at.Equal(m.CheckAt) {
				got = append(got, slot)
			}
		}
		want := []time.Duration{m.CheckAt.Sub(base)}
		for _, slot := range grid(m, m.CheckAt, clock.Now().Add(2*time.Second)) {
			if base.Add(slot).UnixMilli() > published {
				want = append(want, slot)
			}
			require.Contains(t, b.queue.slots(m.ID), slot)
		}
		slices.Sort(got)
		require.Equal(t, want, got)
	})
}

func seconds(t *rapid.T, name string) time.Duration {
	return time.Duration(rapid.IntRange(2, 40).Draw(t, name)) * time.Second
}

// A new target leaves the grid as it is: nothing is published twice.
func TestChangedTarget(t *testing.T) {
	t.Parallel()
	clock := &handClock{now: base}
	b := setup(t, clock.Now, 4)
	m := b.table.save(monitor(3, 5*time.Second))
	term := b.take(t, 1)
	for i := range 30 {
		clock.move(tick)
		require.NoError(t, term.tick(t.Context()))
		if i == 10 {
			m.CheckAt, m.Settings = clock.Now(), []byte(`{"url":"new"}`)
			m = b.table.save(m)
			require.NoError(t, term.accept(t.Context(), changed(m)))
		}
	}
	want := append(grid(m, base, clock.Now().Add(2*time.Second)), m.CheckAt.Sub(base))
	slices.Sort(want)
	require.Equal(t, want, b.queue.slots(3))
	for key, n := range b.queue.jobs {
		require.Equal(t, 1, n, "%+v", key)
	}
	for _, j := range b.queue.list {
		spec, err := j.Spec.Spec()
		require.NoError(t, err)
		at := utc(j.At)
		require.Equal(t, at.After(m.CheckAt.Add(2*time.Second)) || at.Equal(m.CheckAt),
			string(spec.Settings) == `{"url":"new"}`, "%s", at.Sub(base))
	}
}

// The extra slot is wanted once, and not for ever.
func TestExtraSlot(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		age     time.Duration
		last    time.Duration // of the newest result, after CheckAt
		none    bool
		wanted  bool
		enabled bool
	}{
		{"Fresh", 0, 0, true, true, true},
		{"AlmostTooOld", 59 * time.Second, -time.Second, false, true, true},
		{"TooOld", time.Minute, 0, true, false, true},
		{"Done", time.Second, 0, false, false, true},
		{"DoneLater", 10 * time.Second, 3 * time.Second, false, false, true},
		{"Paused", 0, 0, true, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			clock := &handClock{now: base}
			b := setup(t, clock.Now, 1)
			m := monitor(11, time.Minute)
			m.Enabled, m.CheckAt = c.enabled, base.Add(-c.age)
			if !c.none {
				m.State.LastSlot = m.CheckAt.Add(c.last)
			}
			b.table.save(m)
			b.queue.marks = []time.Time{base}
			b.take(t, 1)
			require.Equal(t, c.wanted, slices.Contains(b.queue.slots(11), -c.age))
		})
	}
}

// Changing 1,000 monitors together makes no burst.
func TestBulkChangeMakesNoBurst(t *testing.T) {
	t.Parallel()
	const n = 1000
	clock := &handClock{now: base}
	b := setup(t, clock.Now, 8)
	for id := range int64(n) {
		b.table.save(monitor(id+1, time.Minute))
	}
	term := b.take(t, 1)
	clock.move(5 * time.Second)
	require.NoError(t, term.tick(t.Context()))
	var bulk []uptime.Monitor
	for i := range n {
		m := b.table.monitors[int64(i+1)]
		m.Interval = 2 * time.Minute
		m.CheckAt = uptime.SpreadChecks(clock.Now(), m.Interval, i, n)
		bulk = append(bulk, b.table.save(m))
	}
	require.NoError(t, term.accept(t.Context(), changed(bulk...)))
	for range 180 {
		clock.move(tick)
		require.NoError(t, term.tick(t.Context()))
	}
	perSecond, extras := map[int]int{}, map[int64]int{}
	for key := range b.queue.jobs {
		at := time.UnixMilli(key.ScheduledAt)
		perSecond[int(at.Sub(base)/time.Second)]++
		if at.Equal(b.table.monitors[key.MonitorID].CheckAt) {
			extras[key.MonitorID]++
		}
	}
	require.Len(t, extras, n)
	for second, jobs := range perSecond {
		// 1000/60 extra ones and at most 1000/60 of the grids, with their spread.
		require.LessOrEqual(t, jobs, 2*n/60+8, "second %d", second)
	}
}

func TestMonitorsLeave(t *testing.T) {
	t.Parallel()
	paused := func(m *uptime.Monitor) { m.Enabled = false }
	deleted := func(m *uptime.Monitor) { m.DeletedAt = base }
	for i, leave := range []func(*uptime.Monitor){paused, deleted} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			clock := &handClock{now: base}
			b := setup(t, clock.Now, 2)
			m := b.table.save(monitor(1, 2*time.Second))
			stays := b.table.save(monitor(2, 2*time.Second))
			term := b.take(t, 1)
			before := b.queue.slots(1)
			leave(&m)
			m = b.table.save(m)
			require.NoError(t, term.accept(t.Context(), changed(m)))
			clock.move(20 * time.Second)
			require.NoError(t, term.tick(t.Context()))
			require.Equal(t, before, b.queue.slots(1))
			require.Equal(t, grid(stays, base, clock.Now().Add(2*time.Second))[9:], b.queue.slots(2)[1:])
			require.InDelta(t, 0.5, b.queue.rate, 1e-6)
		})
	}
}

// A re-read takes out what it did not see, and an older version changes nothing.
func TestReread(t *testing.T) {
	t.Parallel()
	clock := &handClock{now: base}
	b := setup(t, clock.Now, 2)
	kept := b.table.save(monitor(1, 2*time.Second))
	old := kept
	b.table.save(monitor(2, 2*time.Second))
	kept.Interval = 4 * time.Second
	b.table.save(kept)
	term := b.take(t, 1)
	for _, c := range []change{{begin: true}, changed(old), {end: true}} {
		require.NoError(t, term.accept(t.Context(), c))
	}
	require.Len(t, term.table.entries, 1)
	require.Equal(t, 1, term.table.seen)
	require.Equal(t, int64(4000), term.table.entries[1].step())
	require.InDelta(t, 0.25, term.table.perSecond(), 1e-6)
	require.NoError(t, term.accept(t.Context(), change{gone: 1}))
	require.Empty(t, term.table.entries)
	require.Zero(t, term.table.rate)
	require.Zero(t, term.table.seen)
}

// A partition that failed gets its jobs later; those that did not get none twice.
func TestFailedPartition(t *testing.T) {
	t.Parallel()
	clock := &handClock{now: base}
	b := setup(t, clock.Now, 4)
	for id := range int64(40) {
		b.table.save(monitor(id+1, 5*time.Second))
	}
	term := b.take(t, 1)
	b.queue.setFails(func(p int) bool { return p == 2 })
	for range 3 {
		clock.move(tick)
		require.NoError(t, term.tick(t.Context()))
	}
	require.NotNil(t, term.pending)
	require.Equal(t, uint64(3), b.Stats().PublishErrors)
	b.queue.setFails(func(int) bool { return false })
	require.NoError(t, term.tick(t.Context()))
	require.Nil(t, term.pending)
	for id := range int64(40) {
		m := b.table.monitors[id+1]
		require.Equal(t, grid(m, base, clock.Now().Add(2*time.Second)), b.queue.slots(m.ID))
	}
	for key, n := range b.queue.jobs {
		require.Equal(t, 1, n, "%+v", key)
	}
}
