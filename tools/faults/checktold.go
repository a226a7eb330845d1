package main

import (
	"slices"
	"time"
)

// told is what one channel was told of one incident: event → status.
type told struct{ opened, resolved map[string]string }

// checkTold: each event reached each channel, repeats are the same and happened
// only when a notifier died or an answer was lost, "down" came before "up"
// (promises 2 and 5).
func (w *world) checkTold(t *truth) {
	for _, broken := range slices.Concat(w.hook.broken, w.mail.broken) {
		w.find("%s", broken)
	}
	byChannel := map[string][]message{"webhook": w.hook.taken(), "email": w.mail.taken()}
	stories := map[string]map[int64]*told{}
	known := map[string]bool{}
	for _, d := range t.deliveries {
		known[d.event] = true
		if d.status == "dead" || d.status == "cancelled" {
			w.find("%s of incident %d is %s (promise 2)", d.kind, d.incident, d.status)
		}
		if d.incident == 0 {
			w.checkReceived(d, byChannel[d.channelType])
			continue
		}
		if stories[d.channelType] == nil {
			stories[d.channelType] = map[int64]*told{}
		}
		story := stories[d.channelType][d.incident]
		if story == nil {
			story = &told{map[string]string{}, map[string]string{}}
			stories[d.channelType][d.incident] = story
		}
		if d.kind == "incident.opened" {
			story.opened[d.event] = d.status
		} else {
			story.resolved[d.event] = d.status
		}
		w.checkReceived(d, byChannel[d.channelType])
	}
	for channel, story := range stories {
		w.checkStories(t, channel, story)
	}
	for channel, all := range byChannel {
		w.checkRepeats(channel, all, known)
	}
	w.checkOrder(w.hook.taken())
}

// checkReceived: what is said to be delivered was received.
func (w *world) checkReceived(d delivery, received []message) {
	if d.status != "delivered" {
		return
	}
	if !slices.ContainsFunc(received, func(m message) bool { return m.ID == d.event }) {
		w.find("%s of incident %d is said to be delivered by %s and was not received (promise 2)", d.kind, d.incident, d.channelType)
	}
}

// checkStories: a channel was told of each incident once and of its end once,
// or of both by one message. A recovery that a late result disproved is told
// again.
func (w *world) checkStories(t *truth, channel string, stories map[int64]*told) {
	for _, incidents := range t.incidents {
		for _, i := range incidents {
			story := stories[i.id]
			if story == nil {
				w.find("%s was not told of incident %d (promise 2)", channel, i.id)
				continue
			}
			if len(story.opened) != 1+i.reopened {
				w.find("%s has %d events of the beginning of incident %d, which began %d times (promise 1)", channel, len(story.opened), i.id, 1+i.reopened)
			}
			if i.resolved && len(story.resolved) != len(story.opened) {
				w.find("%s has %d events of the end of incident %d and %d of its beginning", channel, len(story.resolved), i.id, len(story.opened))
			}
		}
	}
}

// checkRepeats: a message comes again with the same id and the same words, and no
// more often than something died or was cut while it may have been sent.
func (w *world) checkRepeats(channel string, all []message, known map[string]bool) {
	first := map[string]message{}
	times := map[string]int{}
	repeats := 0
	for _, m := range all {
		if !known[m.ID] {
			w.find("%s received %s, which was never stored", channel, m.ID)
		}
		before, again := first[m.ID]
		times[m.ID]++
		if !again {
			first[m.ID] = m
			continue
		}
		repeats++
		if before.body != m.body {
			w.find("a repeat of %s at %s differs from the first (promise 2)", m.ID, channel)
		}
		if !w.mayRepeat(before.at, m.at) {
			w.find("%s received %s again after %.1f s though nothing died or was cut then (promise 2)", channel, m.ID, m.at.Sub(before.at).Seconds())
		}
		if times[m.ID] > 1+len(w.faults) {
			w.find("%s received %s %d times", channel, m.ID, times[m.ID])
		}
	}
	if len(all) > 0 {
		w.note("%s: %d messages, %d repeats", channel, len(first), repeats)
	}
}

// mayRepeat reports whether a fault lies between a message and its repeat, or
// hid the first one's commit.
func (w *world) mayRepeat(first, again time.Time) bool {
	return slices.ContainsFunc(w.faults, func(f span) bool {
		return f.from.Before(again) && f.to.After(first.Add(-time.Second))
	})
}

// checkOrder: "down" reaches the webhook before "up", or one message tells of both.
func (w *world) checkOrder(all []message) {
	opened := map[int64]bool{}
	for _, m := range all {
		switch {
		case m.Type == "incident.opened":
			opened[m.Incident.ID] = true
		case m.Type == "incident.resolved" && !m.Merged && !opened[m.Incident.ID]:
			w.find("the end of incident %d came before its beginning (promise 5)", m.Incident.ID)
		}
	}
}
