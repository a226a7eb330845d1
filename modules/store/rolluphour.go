package store

import (
	"cmp"
	"slices"

	"gorm.io/gorm"
)

// summedHour is what an hour of some monitors comes to.
type summedHour struct {
	start  int64
	rows   []rollupRow // with slices
	missed []missedChange
}

// sumHour reads the results of an hour and sums them by monitor and region.
func (r *roller) sumHour(db *gorm.DB, ids []int64, start int64) (summedHour, error) {
	h := summedHour{start: start}
	end := start + hourMS
	raw, err := r.rawResults(db, ids, start, span{start, end})
	if err != nil {
		return h, err
	}
	var t tally
	for _, id := range ids {
		m := raw[id]
		for region, rows := range m.regions {
			name, err := r.regionName(db, region)
			if err != nil {
				return h, err
			}
			row := t.hour(rows, start)
			row.MonitorID, row.RegionID, row.StartAt = id, region, start
			line := timeline{scheduled: scheduled(m.rows, name)}
			line.known, line.down = m.knownSpans(rows)
			row.line(line, end)
			row.pack(end, &t)
			if !row.empty() {
				h.rows = append(h.rows, row.rollupRow)
			}
		}
	}
	slices.SortFunc(h.rows, compareRollups)
	h.missed, err = r.missedChanges(db, ids, start, end, raw)
	return h, err
}

// saveHour replaces what was summed before, and takes slots that have a result now
// out of the ranges of missed ones.
func (r *roller) saveHour(tx *gorm.DB, ids []int64, h summedHour) error {
	if err := r.saveRollups(tx, hourly, ids, h.start, h.rows); err != nil {
		return err
	}
	var sliced []rollupRow
	for _, row := range h.rows {
		if len(row.slices) > 0 {
			sliced = append(sliced, row)
		}
	}
	if err := r.saveFine(tx, ids, h.start, sliced); err != nil {
		return err
	}
	return applyMissed(tx, h.missed)
}

func compareRollups(a, b rollupRow) int {
	return cmp.Or(cmp.Compare(a.MonitorID, b.MonitorID), cmp.Compare(a.StartAt, b.StartAt), cmp.Compare(a.RegionID, b.RegionID))
}

// summed is a row that is being made.
type summed struct {
	rollupRow
	known, down spans
}

func (r *summed) empty() bool { return r.Up+r.Degraded+r.Down+r.Unknown+r.KnownMS == 0 }

// hour tallies one region's results from start on and cuts slices.
func (t *tally) hour(rows []measuredRow, start int64) summed {
	var out summed
	var whole tally
	t.reset()
	number := int64(0)
	for _, r := range rows {
		if r.ScheduledAt < start {
			continue
		}
		if n := (r.ScheduledAt - start) / sliceMS; n != number {
			out.slices = t.packSlice(out.slices, int(number))
			t.reset()
			number = n
		}
		t.add(r)
		whole.add(r)
	}
	out.slices = t.packSlice(out.slices, int(number))
	*t = whole
	return out
}

// line measures what is known in the row's time, which ends at end.
func (r *summed) line(line timeline, end int64) {
	m := line.measure(r.StartAt, end)
	r.UnknownMS, r.MaintainMS = m.unknown, m.maintenance
	r.known, r.down = line.known.within(r.StartAt, end), line.down.within(r.StartAt, end)
}

// pack fills in the sums of t and the spans.
func (r *summed) pack(end int64, t *tally) {
	r.Up, r.Degraded, r.Down, r.Unknown = t.counts.Up, t.counts.Degraded, t.counts.Down, t.counts.Unknown
	r.ResponseUS, r.Histogram = t.sumUS, t.histogram.pack()
	r.KnownMS, r.KnownSpans = r.known.total(), r.known.pack(r.StartAt, end)
	r.DownMS, r.DownSpans = r.down.total(), r.down.pack(r.StartAt, end)
}

// joinHours sums rows of one region, which are in order, into t and a row.
func joinHours(t *tally, rows []rollupRow) (summed, error) {
	var out summed
	var known, down []span
	t.reset()
	for _, r := range rows {
		if err := t.merge(r.sums); err != nil {
			return out, err
		}
		k, d, err := r.spans()
		if err != nil {
			return out, err
		}
		known, down = append(known, k...), append(down, d...)
		out.UnknownMS += r.UnknownMS
		out.MaintainMS += r.MaintainMS
	}
	out.known, out.down = joined(known), joined(down)
	return out, nil
}
