package scheduler

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"monitor/modules/failpoint"
	"monitor/modules/uptime"
)

const (
	// batchSize is about how many jobs one batch has at most: a batch blocks a
	// queue on a server while it is added.
	batchSize = 5000
	// lostWith is how far before its last watermark a queue that lost
	// everything may have held jobs without results: the longest usual
	// timeout with its lease.
	lostWith = time.Minute
	// publishAhead is how much further than the next tick slots are published. With
	// the default tick that is uptime.TakeAhead: a job may be taken as soon as it
	// is published.
	publishAhead = time.Second
	// setBack is how far behind what is published, beyond two ticks, a clock may
	// fall before it counts as set back.
	setBack = 10 * time.Second
)

// errClockSetBack ends a term whose clock was ahead: its timetable stands in the
// future, and would stand still until then.
var errClockSetBack = errors.New("the clock was set back: leading begins anew")

// term is one time of leading. One goroutine owns all of it but the ledger.
type term struct {
	*Scheduler
	epoch  int64
	table  *timetable
	ledger *ledger
	// reasons for what is found too old, by partition: they differ only while
	// the term catches up.
	reasons []uptime.MissedReason
	// pending is a batch that failed; nothing else is published before it.
	pending *uptime.SlotBatch
	// spare is the last batch's list, to be filled again.
	spare []uptime.Slot
	// missed waits for the next answer of the queue: a leader that is fenced
	// knows nothing of what is missed.
	missed []uptime.MissedRange
}

// takeOver shuts out earlier leaders, reads all monitors and publishes what is
// due since the last one.
func (s *Scheduler) takeOver(ctx context.Context, epoch int64, r *reader) (*term, error) {
	began := s.Clock()
	if err := s.Slots.Raise(ctx, epoch); err != nil {
		return nil, fmt.Errorf("raise epoch %d: %w", epoch, err)
	}
	origins, err := s.origins(ctx)
	if err != nil {
		return nil, err
	}
	now := s.Clock()
	t := &term{
		Scheduler: s, epoch: epoch, table: newTimetable(now.UnixMilli()),
		ledger: newLedger(s, epoch, len(origins)),
	}
	for _, o := range origins {
		t.reasons = append(t.reasons, o.reason)
	}
	err = r.load(ctx, func(page []uptime.Scheduled) {
		for i := range page {
			if m := &page[i]; live(m) {
				t.table.put(newEntry(m, s.after(origins[s.Slots.Partition(m.ID)], m, now), now))
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if err := t.tick(ctx); err != nil {
		return nil, err
	}
	s.Log.Info("schedule taken over", "epoch", epoch, "monitors", len(t.table.entries), "took", s.Clock().Sub(began))
	return t, nil
}

// origin is where a new leader goes on in one partition.
type origin struct {
	mark   time.Time // zero: from now
	lost   bool      // the queue lost what it held
	reason uptime.MissedReason
}

// origins reads the watermarks of the queue, and those of the database where it
// has none. One that is behind its copy lost its last writes: the slots between are
// published again, for their jobs are lost with it. One that lies in the future is
// of a clock that was ahead: of no use, like no mark at all, but the queue holds
// what it did.
func (s *Scheduler) origins(ctx context.Context) ([]origin, error) {
	ctx, cancel := context.WithTimeout(uptime.WithFresh(ctx), callTimeout)
	defer cancel()
	marks, err := s.Slots.Watermarks(ctx)
	if err != nil {
		return nil, fmt.Errorf("read watermarks of the queue: %w", err)
	}
	now := s.Clock()
	useless := func(mark time.Time) bool { return mark.IsZero() || s.future(mark, now) }
	var copies []time.Time
	if slices.ContainsFunc(marks, useless) {
		if copies, err = s.Store.Watermarks(ctx); err != nil {
			return nil, fmt.Errorf("read saved watermarks: %w", err)
		}
	}
	list := make([]origin, len(marks))
	for i, mark := range marks {
		list[i] = origin{mark: mark, reason: uptime.MissedFailover}
		if useless(mark) {
			list[i] = origin{mark: copyOf(copies, i), lost: mark.IsZero(), reason: uptime.MissedStopped}
		}
		if s.future(list[i].mark, now) {
			list[i].mark = time.Time{}
		}
	}
	return list, nil
}

// future reports a time that no leader can have published up to: only a clock that
// was wrong gives it.
func (s *Scheduler) future(t, now time.Time) bool {
	return t.After(now.Add(s.Config.Tick + publishAhead + uptime.Ahead))
}

// copyOf gives the saved mark of a partition. All are saved together, so where
// there were fewer partitions then, the first one's stands for the new ones.
func copyOf(copies []time.Time, i int) time.Time {
	switch {
	case i < len(copies) && !copies[i].IsZero():
		return copies[i]
	case len(copies) > 0:
		return copies[0]
	}
	return time.Time{}
}

// after gives the time up to which a monitor's slots are not to be published.
func (s *Scheduler) after(o origin, m *uptime.Scheduled, now time.Time) time.Time {
	switch {
	case o.mark.IsZero():
		return now
	case o.lost && !s.future(m.Answered, now):
		return later(o.mark.Add(-lostWith), m.Answered)
	case o.lost:
		return o.mark.Add(-lostWith)
	}
	return o.mark
}

// tick publishes what is due up to the next tick, and publishAhead more, so that a
// job is in the queue when it may be taken even where this tick comes late. Its
// error ends the term.
func (t *term) tick(ctx context.Context) error {
	if err := t.settle(ctx); err != nil || t.pending != nil {
		return err
	}
	now := t.Clock()
	if utc(t.table.cursor).Sub(now) > 2*t.Config.Tick+publishAhead+setBack {
		return errClockSetBack
	}
	to := now.Add(t.Config.Tick + publishAhead).Truncate(time.Millisecond)
	if err := t.publishUpTo(ctx, to); err != nil || t.pending != nil {
		return err
	}
	for i := range t.reasons {
		t.reasons[i] = uptime.MissedFailover
	}
	return nil
}

// accept takes in monitors that changed and publishes at once what they ask for.
func (t *term) accept(ctx context.Context, c change) error {
	now := t.Clock()
	if c.begin {
		t.table.begin()
	}
	for i := range c.monitors {
		t.apply(&c.monitors[i], now)
	}
	if c.gone != 0 {
		t.table.remove(c.gone)
	}
	if c.end {
		t.table.sweep()
	}
	t.count(func(s *Stats) { s.Monitors, s.Rate = len(t.table.entries), t.table.perSecond() })
	if t.pending != nil || t.table.late == nil {
		return nil
	}
	return t.publishUpTo(ctx, utc(t.table.cursor))
}

func (t *term) apply(m *uptime.Scheduled, now time.Time) {
	e := t.table.entries[m.ID]
	switch {
	case e != nil && m.ChangeSeq <= e.seq: // known, or read before a newer one was
		t.table.see(e)
		return
	case !live(m):
		t.table.remove(m.ID)
		return
	case e == nil:
		e = newEntry(m, now.Add(-m.Interval), now)
	default:
		t.table.remove(m.ID)
		e.change(m, now)
	}
	t.table.put(e)
}

// publishUpTo publishes all slots up to to, in batches; the last one moves the
// watermarks, unless they are there already.
func (t *term) publishUpTo(ctx context.Context, to time.Time) error {
	for more := true; more && ctx.Err() == nil; {
		ahead := to.UnixMilli() > t.table.cursor
		out := output{slots: t.spare[:0]}
		more = t.table.due(to.UnixMilli(), t.Clock().UnixMilli(), batchSize, &out)
		t.spare = out.slots
		t.miss(out.missed)
		batch := uptime.SlotBatch{Epoch: t.epoch, Slots: out.slots, Rate: t.table.perSecond()}
		if ahead && !more {
			batch.UpTo = to
		}
		if len(batch.Slots) == 0 && batch.UpTo.IsZero() {
			continue
		}
		if err := t.publish(ctx, batch); err != nil {
			t.spare = nil // it may be what is pending
			return t.suspend(ctx, batch, err)
		}
	}
	return nil
}

func (t *term) publish(ctx context.Context, batch uptime.SlotBatch) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	failpoint.Here("scheduler.publishing")
	if err := t.Slots.Publish(ctx, batch); err != nil {
		return err
	}
	if !batch.UpTo.IsZero() {
		t.ledger.mark(batch.UpTo)
	}
	t.book()
	t.count(func(s *Stats) {
		s.Published += uint64(len(batch.Slots))
		s.Monitors, s.Rate = len(t.table.entries), t.table.perSecond()
		s.Watermark = later(s.Watermark, batch.UpTo)
	})
	return nil
}

// suspend keeps a batch that failed for the next tick, unless the term is over.
func (t *term) suspend(ctx context.Context, batch uptime.SlotBatch, err error) error {
	if errors.Is(err, uptime.ErrFenced) || errors.Is(err, uptime.ErrLost) {
		return fmt.Errorf("publish slots: %w", err)
	}
	if t.pending == nil && ctx.Err() == nil {
		t.Log.Warn("cannot publish slots; trying again at each tick", "epoch", t.epoch, "error", err)
	}
	t.pending = &batch
	// Some partitions may have moved on: whoever leads next starts behind this.
	t.book()
	t.count(func(s *Stats) { s.PublishErrors++ })
	return nil
}

// settle tries to publish the pending batch, without what is too old by now and
// what its partitions already have.
func (t *term) settle(ctx context.Context) error {
	if t.pending == nil {
		return nil
	}
	batch := *t.pending
	own, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	marks, err := t.Slots.Watermarks(own)
	if err != nil {
		return t.suspend(ctx, batch, err)
	}
	batch.Slots = t.stillDue(batch, marks)
	if err := t.publish(ctx, batch); err != nil {
		return t.suspend(ctx, batch, err)
	}
	t.pending = nil
	t.Log.Info("publishing slots again", "epoch", t.epoch)
	return nil
}

func (t *term) stillDue(batch uptime.SlotBatch, marks []time.Time) []uptime.Slot {
	now := t.Clock()
	var missed []uptime.MissedRange
	slots := slices.DeleteFunc(slices.Clone(batch.Slots), func(s uptime.Slot) bool {
		p := t.Slots.Partition(s.MonitorID)
		if !batch.UpTo.IsZero() && p < len(marks) && !marks[p].Before(batch.UpTo) && !t.future(marks[p], now) {
			return true
		}
		at := utc(s.At)
		if interval, _ := s.Spec.Limits(); at.Add(interval).After(now) {
			return false
		}
		// An extra slot that is too old is no longer asked for: not missed.
		if e := t.table.entries[s.MonitorID]; e == nil || e.checkAt != s.At {
			missed = append(missed, uptime.MissedRange{
				MonitorID: s.MonitorID, WorkspaceID: s.Spec.Workspace(), Region: s.Region, From: at, To: at, Count: 1,
			})
		}
		return true
	})
	t.miss(missed)
	return slots
}

// miss keeps ranges, with their reason, for the ledger.
func (t *term) miss(ranges []uptime.MissedRange) {
	for i := range ranges {
		ranges[i].Reason = t.reasons[t.Slots.Partition(ranges[i].MonitorID)]
	}
	t.missed = append(t.missed, ranges...)
}

// book hands what was kept to the ledger.
func (t *term) book() {
	var slots uint64
	for _, r := range t.missed {
		slots += uint64(r.Count) //nolint:gosec // never below zero
	}
	t.ledger.miss(t.missed)
	t.missed = nil
	t.count(func(s *Stats) { s.MissedSlots += slots })
}
