package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// Record stores a batch of results and everything that follows from them in one
// transaction, which it may run several times, decide with it. Results that are
// stored already, or come twice in the batch, change nothing: the first stays.
// Results of monitors that are paused, deleted or unknown are dropped.
func (s *Store) Record(ctx context.Context, batch []uptime.Result, decide uptime.Decide) (uptime.Recorded, error) {
	return s.RecordAndClaim(ctx, batch, decide, uptime.ClaimParams{})
}

// RecordAndClaim is Record for somebody who can send, too: within offer, what the
// batch has to tell is claimed in the same transaction, as ClaimDeliveries would
// after it. An offer with a limit of zero is none.
func (s *Store) RecordAndClaim(ctx context.Context, batch []uptime.Result, decide uptime.Decide, offer uptime.ClaimParams) (uptime.Recorded, error) {
	var done uptime.Recorded
	if len(batch) == 0 {
		return done, nil
	}
	names := map[string]struct{}{}
	for _, r := range batch {
		names[r.Region] = struct{}{}
	}
	if err := s.ensureRegions(ctx, names); err != nil {
		return done, fmt.Errorf("record results: %w", err)
	}
	in := s.sortBatch(batch)
	var r recording
	err := s.writeBy(ctx, s.hot, func(tx *gorm.DB) error {
		r = recording{Store: s, tx: tx, in: in, decide: decide, offer: offer, revisions: map[int64]int64{}, calm: map[int64]calmMonitor{}}
		return r.run()
	})
	done = r.done
	s.calm.replace(r.revisions, r.calm, err == nil)
	if err != nil {
		return uptime.Recorded{}, fmt.Errorf("record results: %w", err)
	}
	return done, nil
}

// input is a result with its row.
type input struct {
	uptime.Result
	row resultRow
}

// sortBatch gives the batch in order of key, which is the order of pages on disk,
// each key once.
func (s *Store) sortBatch(batch []uptime.Result) []input {
	in := make([]input, 0, len(batch))
	for _, r := range batch {
		r = normalResult(r)
		id, _ := s.regions.id(r.Region)
		in = append(in, input{r, rowOfResult(r, id)})
	}
	slices.SortStableFunc(in, func(a, b input) int {
		return cmp.Or(cmp.Compare(a.row.MonitorID, b.row.MonitorID), cmp.Compare(a.row.RegionID, b.row.RegionID),
			cmp.Compare(a.row.ScheduledAt, b.row.ScheduledAt))
	})
	return slices.CompactFunc(in, func(a, b input) bool { return a.row.key() == b.row.key() })
}

// recording is one run of the recording transaction.
type recording struct {
	*Store
	tx     *gorm.DB
	in     []input
	decide uptime.Decide
	offer  uptime.ClaimParams

	situations []uptime.Situation // by monitor id
	revisions  map[int64]int64    // of their states, as read
	calm       map[int64]calmMonitor
	changed    []uptime.Monitor
	events     []uptime.Event
	after      []uptime.Notice // about what was judged, after those of results
	done       uptime.Recorded
}

func (r *recording) run() error {
	if err := r.insert(); err != nil {
		return err
	}
	if err := r.look(); err != nil {
		return err
	}
	for _, situation := range r.situations {
		if err := r.apply(situation); err != nil {
			return err
		}
	}
	if err := r.saveStates(r.tx, r.changed); err != nil {
		return err
	}
	out, err := r.insertEvents(r.tx, r.events)
	if err != nil {
		return err
	}
	if r.done.Claims, err = r.claimNew(r.tx, out, r.offer); err != nil {
		return err
	}
	r.done.Due = len(out) > len(r.done.Claims)
	if r.done.Due {
		r.after = append(r.after, uptime.Notice{Topic: uptime.TopicOutbox})
	}
	r.done.Notices = append(r.done.Notices, r.after...)
	return nil
}

// insert locks the monitors, drops what is not wanted, stores the rest and
// begins a situation for each monitor with a new result.
func (r *recording) insert() error {
	ids := map[int64]struct{}{}
	for _, i := range r.in {
		ids[i.MonitorID] = struct{}{}
	}
	monitors, err := r.lockedMonitors(r.tx, slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return err
	}
	wanted := make([]input, 0, len(r.in))
	rows := make([]resultRow, 0, len(r.in))
	for _, i := range r.in {
		if m, ok := monitors[i.MonitorID]; !ok || !due(m.Monitor) || i.Replaced(m.Monitor) {
			r.done.Dropped++
			continue
		}
		wanted, rows = append(wanted, i), append(rows, i.row)
	}
	if len(rows) == 0 {
		return nil
	}
	isNew, outside, err := r.insertResults(r.tx, rows)
	if err != nil {
		return err
	}
	r.done.Dropped += len(outside)
	var stored []resultRow
	intervals := map[int64]int64{}
	for _, i := range wanted {
		if !isNew[i.row.key()] {
			continue
		}
		m := monitors[i.MonitorID]
		i.WorkspaceID = m.WorkspaceID
		stored = append(stored, i.row)
		intervals[m.ID] = m.Interval.Milliseconds()
		r.revisions[m.ID] = m.revision
		r.take(m.Monitor, i.Result)
	}
	r.done.Stored = len(stored)
	return markDirty(r.tx, stored, intervals, r.now())
}

// take adds a new result to its monitor's situation. Inputs come sorted by
// monitor.
func (r *recording) take(m uptime.Monitor, result uptime.Result) {
	last := len(r.situations) - 1
	if last < 0 || r.situations[last].Monitor.ID != m.ID {
		r.situations = append(r.situations, uptime.Situation{Monitor: m, Now: r.now()})
		last++
	}
	r.situations[last].New = append(r.situations[last].New, result)
	r.done.Notices = append(r.done.Notices, uptime.Notice{
		Topic: uptime.TopicResult, WorkspaceID: m.WorkspaceID, ID: m.ID, Slot: result.ScheduledAt,
	})
}
