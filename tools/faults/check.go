package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	blur  = 3 * time.Millisecond // of times cut to milliseconds
	delay = 2 * time.Second      // of a machine that is busy, between a check's start and its request
	// around is how far from a fault what it may have touched lies: the lease
	// of a job (its timeout and 10 s) and one who takes it then.
	around = 20 * time.Second
)

// settle heals everything and waits until all is stored and told, then reads it.
func (w *world) settle(ctx context.Context, within time.Duration) (*truth, error) {
	w.farm.setAll(w.subjects, http.StatusOK, 0)
	w.hook.answers(http.StatusOK, 0)
	healed := time.Now()
	var last string
	var t *truth
	_, err := w.eventually(ctx, within, "all monitors are up and all is told", func() bool {
		var err error
		if t, err = w.read(ctx); err != nil {
			last = err.Error()
			return false
		}
		last = t.unsettled(w.subjects, healed)
		return last == ""
	})
	if err != nil {
		w.find("it did not come to rest: %s", last)
	}
	return t, ctx.Err()
}

// unsettled says what still goes on.
func (t *truth) unsettled(subjects []subject, healed time.Time) string {
	for _, s := range subjects {
		state := t.states[s.id]
		if state.status != codeUp {
			return fmt.Sprintf("monitor %d has status %d", s.id, state.status)
		}
		if s.interval <= 5*time.Second && state.lastSlot.Before(healed) {
			return fmt.Sprintf("monitor %d has no result since all was healed; the newest is of %s", s.id, state.lastSlot.Format(time.TimeOnly))
		}
		for _, i := range t.incidents[s.id] {
			if !i.resolved {
				return fmt.Sprintf("incident %d of monitor %d is unresolved", i.id, s.id)
			}
		}
	}
	for _, d := range t.deliveries {
		if d.status == "pending" || d.status == "sending" {
			return fmt.Sprintf("%s of incident %d is %s at channel %d after %d attempts", d.kind, d.incident, d.status, d.channel, d.attempts)
		}
	}
	return ""
}

// checkAll compares what was stored and told with what targets and receivers
// saw: promises 1 to 5.
func (w *world) checkAll(t *truth) {
	if t == nil {
		w.find("what was stored could not be read")
		return
	}
	w.checkResults(t)
	w.checkSlots(t)
	w.checkIncidents(t)
	w.checkTold(t)
}

// checkResults: no result is invented, and none is "down" while its target was
// well.
func (w *world) checkResults(t *truth) {
	stored, unknown, hits := 0, 0, w.farm.count()
	for _, s := range w.subjects {
		for _, r := range t.results[s.id] {
			stored++
			if r.status == codeUnknown {
				unknown++
				continue
			}
			if r.status == codeDown && !w.farm.failedWithin(s, r.started.Add(-delay), r.ended.Add(delay)) {
				w.find("monitor %d is down though its target was well: %s (promise 4)", s.id, r)
				continue
			}
			if r.code == 0 {
				continue
			}
			answered := w.farm.within(s.target, r.started.Add(-blur), r.ended.Add(delay))
			if !slices.ContainsFunc(answered, func(h hit) bool { return h.status == r.code }) {
				w.find("monitor %d: the target did not answer so: %s", s.id, r)
			}
		}
	}
	w.note("%d requests, %d results, %d of them unknown", hits, stored, unknown)
}

// checkSlots: what was due has a result or is booked. What has neither was lost by
// a fault and is left to the hourly audit.
func (w *world) checkSlots(t *truth) {
	due, missedSlots, left := 0, 0, 0
	for _, s := range w.subjects {
		has := map[int64]bool{}
		for _, r := range t.results[s.id] {
			has[r.slot.UnixMilli()] = true
		}
		booked := w.booked(s, t.missed[s.id])
		end := t.states[s.id].lastSlot
		for _, sch := range t.schedules[s.id] {
			for _, at := range sch.slots(s.id, end) {
				due++
				ms := at.UnixMilli()
				switch {
				case has[ms]: // it wins over a mark, for every reader of the program
				case booked[ms]:
					missedSlots++
				case w.faulty(at, s.interval):
					left++
				default:
					w.find("monitor %d: slot %s has neither result nor mark, far from any fault (promise 3)", s.id, at.Format("15:04:05.000"))
				}
			}
		}
	}
	w.note("%d slots due, %d booked as missed, %d left to the audit", due, missedSlots, left)
}

// booked gives the slots that ranges speak of, and finds fault with ranges that
// overlap or lie off the grid.
func (w *world) booked(s subject, ranges []missed) map[int64]bool {
	slots := map[int64]bool{}
	for _, m := range ranges {
		at := m.from
		for range m.count {
			if slots[at.UnixMilli()] {
				w.find("monitor %d: slot %s is booked twice (promise 3)", s.id, at.Format(time.TimeOnly))
			}
			slots[at.UnixMilli()] = true
			at = at.Add(s.interval)
		}
		if last := at.Add(-s.interval); !last.Equal(m.to) || !nextSlot(s.id, s.interval, m.from.Add(-time.Millisecond)).Equal(m.from) {
			w.find("monitor %d: the range %s–%s of %d lies off the grid", s.id, m.from.Format("15:04:05.000"), m.to.Format("15:04:05.000"), m.count)
		}
	}
	return slots
}

// faulty reports whether a slot may have been touched by a fault.
func (w *world) faulty(at time.Time, interval time.Duration) bool {
	return slices.ContainsFunc(w.faults, func(f span) bool {
		return at.After(f.from.Add(-around)) && at.Before(f.to.Add(around+interval))
	})
}

// checkIncidents: the incidents are exactly the outages that the stored results
// amount to, and the state is what they end in (promise 1).
func (w *world) checkIncidents(t *truth) {
	total := 0
	for _, s := range w.subjects {
		want, end := outages(s, t.results[s.id])
		var got []outage
		open := 0
		for _, i := range t.incidents[s.id] {
			got = append(got, outage{i.started, i.recovered})
			if !i.resolved {
				open++
			}
		}
		if open > 1 {
			w.find("monitor %d has %d unresolved incidents (promise 1)", s.id, open)
		}
		if !slices.EqualFunc(want, got, func(a, b outage) bool {
			return a.started.Equal(b.started) && a.recovered.Equal(b.recovered)
		}) {
			w.find("monitor %d (down after %d, up after %d): results amount to %s, incidents are %s (promise 1)",
				s.id, s.failures, s.successes, spell(want), spell(got))
		}
		if is := t.states[s.id]; is.status != end.status || is.failures != end.failures || !is.lastSlot.Equal(end.lastSlot) {
			w.find("monitor %d: the state is %d after %d failures, results amount to %d after %d", s.id, is.status, is.failures, end.status, end.failures)
		}
		total += len(got)
	}
	w.note("%d incidents", total)
}

func spell(all []outage) string {
	parts := make([]string, 0, len(all))
	for _, o := range all {
		parts = append(parts, o.started.Format("04:05.000")+"–"+o.recovered.Format("04:05.000"))
	}
	return "[" + strings.Join(parts, " ") + "]"
}
