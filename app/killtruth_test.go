package app_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// checked is a result as the API shows it.
type checked struct {
	Region      string    `json:"region"`
	ScheduledAt time.Time `json:"scheduled_at"`
	StartedAt   time.Time `json:"started_at"`
	Status      string    `json:"status"`
	ResponseMS  float64   `json:"response_ms"`
	StatusCode  int       `json:"status_code"`
	ErrorKind   string    `json:"error_kind"`
	Attempt     int       `json:"attempt"`
}

func (r checked) String() string {
	return fmt.Sprintf("%s %s #%d", r.ScheduledAt.Format("04:05.000"), r.Status, r.Attempt)
}

// gap is a range of slots without results.
type gap struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Count int64     `json:"count"`
}

// told is an incident.
type told struct {
	ID         int64      `json:"id"`
	MonitorID  int64      `json:"monitor_id"`
	Status     string     `json:"status"`
	StartedAt  time.Time  `json:"started_at"`
	ResolvedAt *time.Time `json:"resolved_at"`
}

// delivery is one event on its way to one channel.
type delivery struct {
	EventID    string `json:"event_id"`
	EventType  string `json:"event_type"`
	ChannelID  int64  `json:"channel_id"`
	IncidentID int64  `json:"incident_id"`
	Status     string `json:"status"`
}

// monitorState is what a monitor says of itself.
type monitorState struct {
	Status              string    `json:"status"`
	ConsecutiveFailures int       `json:"consecutive_failures"`
	LastCheckedAt       time.Time `json:"last_checked_at"`
}

// peer is a server that ends with the test.
type peer struct{ *httptest.Server }

func newPeer(t *testing.T, h http.Handler) *peer {
	t.Helper()
	p := &peer{httptest.NewServer(h)}
	t.Cleanup(p.Close)
	return p
}

// refuseNext makes the mail server refuse the next n mails.
func (m *mailbox) refuseNext(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse = n
}

func (c *chaos) read(into any, a answer) {
	c.t.Helper()
	require.NoError(c.t, json.Unmarshal(a.raw, into), string(a.raw))
}

// list reads all pages of a list.
func list[T any](c *chaos, path string) []T {
	c.t.Helper()
	join := "?"
	if strings.Contains(path, "?") {
		join = "&"
	}
	var all []T
	for cursor := ""; ; {
		var page struct {
			Data []T     `json:"data"`
			Next *string `json:"next_cursor"`
		}
		c.read(&page, c.must(http.StatusOK, http.MethodGet, "/api/v1"+path+join+"limit=200&cursor="+url.QueryEscape(cursor), nil))
		all = append(all, page.Data...)
		if page.Next == nil {
			return all
		}
		cursor = *page.Next
	}
}

func (c *chaos) state(s *subject) (m monitorState) {
	c.t.Helper()
	c.read(&m, c.must(http.StatusOK, http.MethodGet, fmt.Sprintf("/api/v1/monitors/%d", s.id), nil))
	return m
}

// results of a monitor, ascending.
func (c *chaos) results(s *subject) []checked {
	c.t.Helper()
	all := list[checked](c, fmt.Sprintf("/monitors/%d/results", s.id))
	slices.Reverse(all)
	return all
}

func (c *chaos) gaps(s *subject) []gap {
	c.t.Helper()
	var page struct {
		Gaps []gap `json:"gaps"`
	}
	c.read(&page, c.must(http.StatusOK, http.MethodGet, fmt.Sprintf("/api/v1/monitors/%d/results?limit=1&include=gaps", s.id), nil))
	return page.Gaps
}

// outage is one that results amount to; recovered is zero while it goes on.
type outage struct{ started, recovered time.Time }

// verdict is the state that results amount to.
type verdict struct {
	status   string
	failures int
}

// outages folds results, ascending, by the rule of the contract: down after so
// many failures in a row, since the first of them; up after so many successes in
// a row, since the first of them.
func outages(s *subject, results []checked) ([]outage, verdict) {
	var all []outage
	v := verdict{status: "pending"}
	var firstFailure, firstSuccess time.Time
	successes := 0
	for _, r := range results {
		if r.Status == "unknown" { // the machine was too busy to check
			continue
		}
		if r.Status == "down" {
			successes = 0
			if v.failures++; v.failures == 1 {
				firstFailure = r.ScheduledAt
			}
			if v.status != "down" && v.failures >= s.failures {
				v.status = "down"
				all = append(all, outage{started: firstFailure})
			}
			continue
		}
		v.failures = 0
		if successes++; successes == 1 {
			firstSuccess = r.ScheduledAt
		}
		if v.status == "down" {
			if successes < s.successes {
				continue
			}
			all[len(all)-1].recovered = firstSuccess
		}
		v.status = "up"
	}
	return all, v
}

// checkResults compares results with what the targets answered: none is twice,
// none is invented, and no check that was made by a process which stopped in
// order is missing.
func (c *chaos) checkResults() {
	c.t.Helper()
	const (
		blur  = 3 * time.Millisecond // of times cut to milliseconds
		delay = 2 * time.Second      // of a machine that is busy, between the slot's start and the probe's
	)
	stored := 0
	for _, s := range c.subjects {
		seen := map[int64]bool{}
		for _, r := range s.results {
			require.False(c.t, seen[r.ScheduledAt.UnixMilli()], "monitor %d has two results of %s", s.id, r)
			seen[r.ScheduledAt.UnixMilli()] = true
			stored++
			require.False(c.t, r.Status == "down" && r.StatusCode == 0 && c.pausedWithin(r),
				"monitor %d: %s (%s) is down because the program was paused", s.id, r, r.ErrorKind)
			if r.ErrorKind == "timeout" || r.Status == "unknown" {
				continue // the machine was slower than the target
			}
			end := r.StartedAt.Add(time.Duration(r.ResponseMS * float64(time.Millisecond)))
			answered := c.farm.within(s.target, r.StartedAt.Add(-blur), end.Add(delay))
			require.True(c.t, slices.ContainsFunc(answered, func(h hit) bool {
				return h.status == r.StatusCode && (h.status == http.StatusOK) == (r.Status == "up")
			}), "monitor %d: %s (%d, %s) was not answered so: %v", s.id, r, r.StatusCode, r.ErrorKind, answered)
		}
		for _, sp := range c.spans {
			if !sp.polite {
				continue
			}
			for _, h := range c.farm.within(s.target, sp.from, sp.to) {
				require.True(c.t, slices.ContainsFunc(s.results, func(r checked) bool {
					end := r.StartedAt.Add(max(time.Duration(r.ResponseMS*float64(time.Millisecond)), killTimeout))
					return !h.came.Before(r.StartedAt.Add(-blur)) && !h.came.After(end.Add(delay))
				}), "monitor %d: the check answered at %s is not stored though the program stopped in order", s.id, h.came)
			}
		}
	}
	c.t.Logf("%d results", stored)
	answered := 0
	for s, slots := range c.acked {
		for _, at := range slots {
			require.True(c.t, slices.ContainsFunc(s.results, func(r checked) bool { return r.ScheduledAt.Equal(at) }),
				"monitor %d: the check by hand at %s was answered with 200 and is not stored", s.id, at)
			answered++
		}
	}
	c.t.Logf("%d checks by hand were answered", answered)
}

// pausedWithin reports whether the program was paused between the check's
// beginning and its end.
func (c *chaos) pausedWithin(r checked) bool {
	end := r.StartedAt.Add(time.Duration(r.ResponseMS * float64(time.Millisecond)))
	return slices.ContainsFunc(c.pauses, func(s span) bool { return r.StartedAt.Before(s.from) && !end.Before(s.to) })
}

// checkSlots compares the slots that were due with results and gaps. A slot
// within a time in which a process worked has a result; one lost by a kill may
// have nothing until the audit, which looks at it hours later.
func (c *chaos) checkSlots() {
	c.t.Helper()
	const settled = killTimeout + 3*time.Second
	end := c.spans[len(c.spans)-1].to.Add(-settled)
	due, missed, lost := 0, 0, 0
	for _, s := range c.subjects {
		has := map[int64]bool{}
		for _, r := range s.results {
			has[r.ScheduledAt.UnixMilli()] = true
		}
		booked := map[int64]bool{}
		for _, g := range s.gaps {
			at := g.From
			for range g.Count {
				require.False(c.t, booked[at.UnixMilli()], "monitor %d: slot %s is booked twice", s.id, at)
				booked[at.UnixMilli()] = true
				require.Equal(c.t, at, uptime.NextSlot(s.id, killInterval, at.Add(-time.Millisecond)), "monitor %d: a gap begins off the grid", s.id)
				at = at.Add(killInterval)
			}
			require.Equal(c.t, g.To, at.Add(-killInterval), "monitor %d: a gap ends off the grid: %v", s.id, g)
		}
		for at := uptime.NextSlot(s.id, killInterval, s.created); !at.After(end); at = at.Add(killInterval) {
			due++
			ms := at.UnixMilli()
			require.False(c.t, has[ms] && booked[ms], "monitor %d: slot %s has a result and is missed", s.id, at)
			switch {
			case has[ms]:
			case booked[ms]:
				missed++
			default:
				lost++
			}
			if c.worked(at, at.Add(settled)) {
				require.True(c.t, has[ms], "monitor %d: slot %s has no result though a process worked", s.id, at)
			}
		}
	}
	c.t.Logf("%d slots due, %d booked as missed, %d left to the audit", due, missed, lost)
	require.LessOrEqual(c.t, lost*20, due, "slots lost without a trace")
}

// worked reports whether one process was ready and lived from one time to
// another.
func (c *chaos) worked(from, to time.Time) bool {
	return slices.ContainsFunc(c.spans, func(s span) bool { return !s.from.After(from) && !s.to.Before(to) })
}

// checkIncidents compares incidents with the outages that the results amount to.
func (c *chaos) checkIncidents() {
	c.t.Helper()
	total := 0
	for _, s := range c.subjects {
		want, v := outages(s, s.results)
		require.Equal(c.t, "up", v.status, "monitor %d", s.id)
		slices.SortFunc(s.incidents, func(a, b told) int { return a.StartedAt.Compare(b.StartedAt) })
		var got []outage
		for _, i := range s.incidents {
			require.Equal(c.t, "resolved", i.Status)
			require.NotNil(c.t, i.ResolvedAt)
			got = append(got, outage{i.StartedAt, *i.ResolvedAt})
		}
		require.Equal(c.t, want, got, "outages of monitor %d (down after %d, up after %d): %v", s.id, s.failures, s.successes, s.results)
		total += len(got)
	}
	c.t.Logf("%d incidents", total)
}

// chapter is what a channel was told of one incident, by event.
type chapter struct{ opened, resolved map[string]string } // id → status of the delivery

// checkMessages compares what the channels received with the incidents.
func (c *chaos) checkMessages() {
	c.t.Helper()
	deliveries := list[delivery](c, "/deliveries")
	byEvent := map[string]delivery{}
	story := map[int64]map[int64]chapter{} // by channel and incident
	for _, d := range deliveries {
		byEvent[d.EventID] = d
		if story[d.ChannelID] == nil {
			story[d.ChannelID] = map[int64]chapter{}
		}
		ch, ok := story[d.ChannelID][d.IncidentID]
		if !ok {
			ch = chapter{map[string]string{}, map[string]string{}}
			story[d.ChannelID][d.IncidentID] = ch
		}
		part := ch.opened
		if d.EventType != "incident.opened" {
			require.Equal(c.t, "incident.resolved", d.EventType)
			part = ch.resolved
		}
		require.NotContains(c.t, part, d.EventID, "a channel has two deliveries of one event")
		part[d.EventID] = d.Status
	}
	hooked := c.hooked(byEvent)
	mailed := c.mailed(byEvent)
	require.Len(c.t, story, 2)
	for channel, chapters := range story {
		received := hooked
		if channel != slices.MinFunc(deliveries, func(a, b delivery) int { return cmp.Compare(a.ChannelID, b.ChannelID) }).ChannelID {
			received = mailed
		}
		c.checkStory(channel, chapters, received)
	}
}

// checkStory checks that one channel was told of each incident once, and of its
// end once, or of both by one message.
func (c *chaos) checkStory(channel int64, chapters map[int64]chapter, received map[string]bool) {
	c.t.Helper()
	living := map[int64]bool{}
	for _, s := range c.subjects {
		for _, i := range s.incidents {
			living[i.ID] = true
			require.Contains(c.t, chapters, i.ID, "channel %d was not told of an incident", channel)
		}
	}
	for id, ch := range chapters {
		again := 0
		if living[id] {
			again = c.reopened(id)
			require.Len(c.t, ch.opened, 1+again, "incident %d at channel %d", id, channel)
		}
		require.Len(c.t, ch.resolved, len(ch.opened), "incident %d at channel %d: %v", id, channel, ch)
		for event, status := range ch.opened {
			if status == "merged" {
				continue
			}
			require.Equal(c.t, "delivered", status)
			require.True(c.t, received[event], "%s was not received by channel %d", event, channel)
		}
		for event, status := range ch.resolved {
			if status == "merged" && again > 0 {
				continue
			}
			require.Equal(c.t, "delivered", status)
			require.True(c.t, received[event], "%s was not received by channel %d", event, channel)
		}
	}
}

// reopened counts how often an incident was opened again because a late result
// disproved its end.
func (c *chaos) reopened(id int64) int {
	c.t.Helper()
	var i struct {
		Updates []struct {
			Message string `json:"message"`
		} `json:"updates"`
	}
	c.read(&i, c.must(http.StatusOK, http.MethodGet, fmt.Sprintf("/api/v1/incidents/%d", id), nil))
	n := 0
	for _, u := range i.Updates {
		if strings.HasPrefix(u.Message, "Still down:") {
			n++
		}
	}
	return n
}

// hooked gives the ids that the webhook took. Repeats are the same bytes, and
// "down" comes before "up" unless one message tells of both.
func (c *chaos) hooked(byEvent map[string]delivery) map[string]bool {
	c.t.Helper()
	bodies := map[string]string{}
	opened := map[int64]bool{}
	repeats := 0
	for _, r := range c.hook.accepted() {
		id := r.header.Get("webhook-id")
		if before, ok := bodies[id]; ok {
			repeats++
			require.Equal(c.t, before, string(r.body), "a repeat differs")
			continue
		}
		bodies[id] = string(r.body)
		m := r.message(c.t)
		var more struct {
			Merged bool `json:"merged"`
		}
		require.NoError(c.t, json.Unmarshal(r.body, &more))
		require.Equal(c.t, id, m.ID)
		require.Contains(c.t, byEvent, id)
		require.Equal(c.t, byEvent[id].IncidentID, m.Incident.ID)
		if m.Type == "incident.opened" {
			opened[m.Incident.ID] = true
			continue
		}
		require.True(c.t, more.Merged || opened[m.Incident.ID], "incident %d: up came before down", m.Incident.ID)
	}
	c.t.Logf("%d messages by webhook and %d repeats", len(bodies), repeats)
	return keys(bodies)
}

var (
	mailID   = regexp.MustCompile(`(?i)Message-ID: <(evt_[a-z2-7]{26})@`)
	mailDate = regexp.MustCompile(`(?m)^Date: .*$`)
)

// mailed gives the ids that were received by mail. Repeats differ in their date
// only.
func (c *chaos) mailed(byEvent map[string]delivery) map[string]bool {
	c.t.Helper()
	texts := map[string]string{}
	repeats := 0
	for _, mail := range c.box.received() {
		found := mailID.FindStringSubmatch(mail)
		require.NotNil(c.t, found, mail)
		text := mailDate.ReplaceAllString(mail, "")
		if before, ok := texts[found[1]]; ok {
			repeats++
			require.Equal(c.t, before, text, "a repeat differs")
		}
		require.Contains(c.t, byEvent, found[1])
		texts[found[1]] = text
	}
	c.t.Logf("%d mails and %d repeats", len(texts), repeats)
	return keys(texts)
}

func keys(m map[string]string) map[string]bool {
	set := make(map[string]bool, len(m))
	for k := range m {
		set[k] = true
	}
	return set
}
