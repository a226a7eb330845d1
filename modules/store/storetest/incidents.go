package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

func testIncidentByHand(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleEditor)
	a, b := h.monitor(t), h.monitor(t)
	i, err := h.CreateIncident(t.Context(), uptime.Incident{
		WorkspaceID: h.ws, MonitorIDs: []int64{b.ID, a.ID}, Title: "Slow", Status: uptime.IncidentOpen,
		Stage: uptime.StageInvestigating, Severity: uptime.SeverityMinor, Cause: "unknown",
		Updates: []uptime.IncidentUpdate{{At: h.clock.Now(), AuthorID: u.ID, Stage: uptime.StageInvestigating, Message: "Looking."}},
	}, nil)
	require.NoError(t, err)
	require.Equal(t, []int64{a.ID, b.ID}, i.MonitorIDs)
	require.Zero(t, i.MonitorID)
	require.Equal(t, h.clock.Now(), i.StartedAt)
	require.Len(t, i.Updates, 1)
	require.Equal(t, u.Name, i.Updates[0].Author)
	got, err := h.Incident(t.Context(), h.ws, i.ID)
	require.NoError(t, err)
	require.Equal(t, i, got)
	_, err = h.Incident(t.Context(), h.ws+1, i.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = h.CreateIncident(t.Context(), uptime.Incident{WorkspaceID: h.ws, MonitorIDs: []int64{a.ID, b.ID + 100}}, nil)
	require.Equal(t, uptime.CodeInvalid, uptime.CodeOf(err))

	change := func(ids ...int64) (uptime.Incident, error) {
		return h.UpdateIncident(t.Context(), h.ws, i.ID, func(i *uptime.Incident) ([]uptime.IncidentUpdate, []uptime.Event, error) {
			i.MonitorIDs = ids
			return nil, []uptime.Event{{Type: uptime.EventResolved}}, nil
		}, nil)
	}
	got, err = change(b.ID)
	require.NoError(t, err)
	require.Equal(t, []int64{b.ID}, got.MonitorIDs)
	_, err = change(b.ID + 100)
	require.Equal(t, uptime.CodeInvalid, uptime.CodeOf(err))
	own := h.down(t, a)
	i.ID = own.ID
	_, err = change(b.ID)
	require.Equal(t, uptime.CodeInvalid, uptime.CodeOf(err), "an outage belongs to its monitor")
}

func testIncidentLists(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	a, b := h.monitor(t), h.monitor(t)
	start := h.clock.Now()
	first := h.down(t, a)
	h.clock.Advance(time.Minute)
	h.resolve(t, first.ID)
	second := h.down(t, b)
	hand, err := h.CreateIncident(t.Context(), uptime.Incident{
		WorkspaceID: h.ws, MonitorIDs: []int64{a.ID}, Title: "By hand", Status: uptime.IncidentOpen, StartedAt: h.clock.Now(),
	}, nil)
	require.NoError(t, err)
	cases := map[string]struct {
		filter uptime.IncidentFilter
		want   []int64
	}{
		"All":        {uptime.IncidentFilter{}, []int64{hand.ID, second.ID, first.ID}},
		"Unresolved": {uptime.IncidentFilter{Unresolved: true}, []int64{hand.ID, second.ID}},
		"Resolved":   {uptime.IncidentFilter{Resolved: true}, []int64{first.ID}},
		"OfMonitor":  {uptime.IncidentFilter{MonitorID: a.ID}, []int64{hand.ID, first.ID}},
		"OpenedFor":  {uptime.IncidentFilter{OpenedFor: []int64{a.ID, b.ID}, Unresolved: true}, []int64{second.ID}},
		"From":       {uptime.IncidentFilter{From: start.Add(time.Second)}, []int64{hand.ID, second.ID}},
		"To":         {uptime.IncidentFilter{To: start.Add(time.Second)}, []int64{first.ID}},
	}
	for name, c := range cases {
		n, err := h.CountIncidents(t.Context(), h.ws, c.filter)
		require.NoError(t, err, name)
		require.EqualValues(t, len(c.want), n, name)
		var got []int64
		page := uptime.Page{Limit: 1}
		for {
			list, err := h.Incidents(t.Context(), h.ws, c.filter, page)
			require.NoError(t, err, name)
			for _, i := range list.Items {
				got = append(got, i.ID)
			}
			if page.Cursor = list.Next; page.Cursor == "" {
				break
			}
		}
		require.Equal(t, c.want, got, name)
	}
	list, err := h.Incidents(t.Context(), h.ws, uptime.IncidentFilter{Offset: 2}, uptime.Page{Limit: 5})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	require.Equal(t, first.ID, list.Items[0].ID)
	for _, id := range []int64{hand.ID, first.ID} {
		_, err := h.UpdateIncident(t.Context(), h.ws, id, func(*uptime.Incident) ([]uptime.IncidentUpdate, []uptime.Event, error) {
			return []uptime.IncidentUpdate{{Message: "One."}, {Message: "Two."}}, nil, nil
		}, nil)
		require.NoError(t, err)
	}
	list, err = h.Incidents(t.Context(), h.ws, uptime.IncidentFilter{}, uptime.Page{Limit: 5})
	require.NoError(t, err)
	for _, i := range list.Items {
		one, err := h.Incident(t.Context(), h.ws, i.ID)
		require.NoError(t, err)
		require.Equal(t, one, i, "a list shows what it lists whole")
	}
	require.Len(t, list.Items[0].Updates, 2)
	list, err = h.Incidents(t.Context(), h.ws+1, uptime.IncidentFilter{}, uptime.Page{Limit: 5})
	require.NoError(t, err)
	require.Empty(t, list.Items)
}

func testUpdateIncident(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleEditor)
	channel := h.channel(t)
	m := h.monitor(t, channel)
	i := h.down(t, m)
	h.finish(t, h.claimOne(t), uptime.DeliveryDelivered)
	h.clock.Advance(time.Second)
	got, err := h.UpdateIncident(t.Context(), h.ws, i.ID, func(i *uptime.Incident) ([]uptime.IncidentUpdate, []uptime.Event, error) {
		i.Status, i.AcknowledgedAt, i.AcknowledgedBy, i.MonitorID = uptime.IncidentAcknowledged, h.clock.Now(), u.ID, 99
		return []uptime.IncidentUpdate{{AuthorID: u.ID, Message: "On it."}},
			[]uptime.Event{{Type: uptime.EventAcknowledged, Data: uptime.EventData{
				Incident: &uptime.EventIncident{ID: i.ID, Status: i.Status, AcknowledgedBy: u.Name},
			}}}, nil
	}, nil)
	require.NoError(t, err)
	require.Equal(t, m.ID, got.MonitorID)
	require.Equal(t, u.ID, got.AcknowledgedBy)
	require.Equal(t, i.Version+1, got.Version)
	require.Equal(t, h.clock.Now(), got.UpdatedAt)
	require.Equal(t, i.CreatedAt, got.CreatedAt)
	require.Len(t, got.Updates, 1)
	require.Equal(t, uptime.IncidentUpdate{
		ID: got.Updates[0].ID, IncidentID: i.ID, At: h.clock.Now(), AuthorID: u.ID, Author: u.Name, Message: "On it.",
	}, got.Updates[0])
	c := h.claimOne(t)
	require.Equal(t, uptime.EventAcknowledged, c.Event.Type)
	require.Equal(t, u.Name, c.Event.Data.Incident.AcknowledgedBy)
	require.Equal(t, m.Target, c.Event.Data.Monitor.Target)
	require.Equal(t, uptime.Down, c.Event.Data.Result.Status)
	require.Regexp(t, `^evt_[a-z2-7]{26}$`, c.Event.ID)
	h.finish(t, c, uptime.DeliveryDelivered)

	_, err = h.UpdateMonitor(t.Context(), h.ws, m.ID, func(m *uptime.Monitor) error { m.Enabled = false; return nil },
		&uptime.Audit{WorkspaceID: h.ws, UserID: u.ID, Action: "monitor.pause", ObjectType: "monitor", ObjectID: m.ID, At: h.clock.Now()})
	require.NoError(t, err)
	got, err = h.Incident(t.Context(), h.ws, i.ID)
	require.NoError(t, err)
	require.Equal(t, "Monitor paused.", got.Updates[len(got.Updates)-1].Message)
	require.Equal(t, u.Name, got.Updates[len(got.Updates)-1].Author)
	c = h.claimOne(t)
	require.Equal(t, uptime.EventResolved, c.Event.Type)
	require.Equal(t, "Monitor paused.", c.Event.Data.Incident.Reason)
	require.Nil(t, c.Event.Data.Result, "nothing recovered")
}

func testIncidentUnchanged(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	i := h.down(t, h.monitor(t))
	h.clock.Advance(time.Second)
	update := func(err error) (uptime.Incident, error) {
		return h.UpdateIncident(t.Context(), h.ws, i.ID, func(n *uptime.Incident) ([]uptime.IncidentUpdate, []uptime.Event, error) {
			if err != nil {
				n.Title = "changed"
			}
			return nil, nil, err
		}, nil)
	}
	got, err := update(nil)
	require.NoError(t, err)
	require.Equal(t, i.Version, got.Version)
	require.Equal(t, i.UpdatedAt, got.UpdatedAt)
	refused := uptime.Fail(uptime.CodeConflict, "It is resolved already.")
	_, err = update(refused)
	require.Equal(t, error(refused), err)
	got, err = h.Incident(t.Context(), h.ws, i.ID)
	require.NoError(t, err)
	require.Equal(t, i.Title, got.Title)
	_, err = h.UpdateIncident(t.Context(), h.ws+1, i.ID, nil, nil)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}

// testIncidentSearch: what lists are narrowed by, and the unresolved ones before the others.
func testIncidentSearch(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	a, b := h.monitor(t), h.monitor(t)
	a = change(t, h, a.ID, func(m *uptime.Monitor) { m.Group, m.Tags = "Shop/EU", map[string]string{"team": "core"} })
	var ids []int64
	for n, title := range []string{"Zahlung 100% langsam", "Ärger mit der Post", "Slow mail", "Slow_mail"} {
		h.clock.Advance(time.Minute)
		i, err := h.CreateIncident(t.Context(), uptime.Incident{
			WorkspaceID: h.ws, Title: title, Status: uptime.IncidentOpen, Severity: []uptime.Severity{"none", "minor", "major", "major"}[n], StartedAt: h.clock.Now(),
			MonitorIDs: [][]int64{{a.ID}, {b.ID}, nil, {a.ID, b.ID}}[n],
		}, nil)
		require.NoError(t, err)
		ids = append(ids, i.ID)
	}
	own := h.down(t, a)
	h.resolve(t, ids[3])
	h.resolve(t, ids[1])
	for name, c := range map[string]struct {
		filter uptime.IncidentFilter
		want   []int64
	}{
		"Severity":   {uptime.IncidentFilter{Severities: []uptime.Severity{uptime.SeverityNone, uptime.SeverityMinor}}, []int64{ids[1], ids[0]}},
		"Title":      {uptime.IncidentFilter{Query: "SLOW"}, []int64{ids[3], ids[2]}},
		"Umlaut":     {uptime.IncidentFilter{Query: "ärger"}, []int64{ids[1]}},
		"Percent":    {uptime.IncidentFilter{Query: "100%"}, []int64{ids[0]}},
		"Underscore": {uptime.IncidentFilter{Query: "slow_"}, []int64{ids[3]}},
		"Tag":        {uptime.IncidentFilter{Tags: []uptime.TagFilter{{Name: "team", Value: "core", HasValue: true}}}, []int64{own.ID, ids[3], ids[0]}},
		"TagName":    {uptime.IncidentFilter{Tags: []uptime.TagFilter{{Name: "team"}}}, []int64{own.ID, ids[3], ids[1], ids[0]}},
		"Group":      {uptime.IncidentFilter{Group: "Shop"}, []int64{own.ID, ids[3], ids[0]}},
		"NoGroup":    {uptime.IncidentFilter{Group: "Sho"}, nil},
		"OpenFirst":  {uptime.IncidentFilter{OpenFirst: true}, []int64{own.ID, ids[2], ids[0], ids[3], ids[1]}},
		"OpenAlone":  {uptime.IncidentFilter{OpenFirst: true, Unresolved: true}, []int64{own.ID, ids[2], ids[0]}},
	} {
		n, err := h.CountIncidents(t.Context(), h.ws, c.filter)
		require.NoError(t, err, name)
		require.EqualValues(t, len(c.want), n, name)
		for size := 1; size <= 6; size++ { // numbered pages hold each once
			var got []int64
			for c.filter.Offset = 0; c.filter.Offset < 6; c.filter.Offset += size {
				list, err := h.Incidents(t.Context(), h.ws, c.filter, uptime.Page{Limit: size})
				require.NoError(t, err, name)
				for _, i := range list.Items {
					got = append(got, i.ID)
				}
			}
			require.Equal(t, c.want, got, "%s by %d", name, size)
		}
	}
	found, err := h.MonitorsOf(t.Context(), h.ws, []int64{b.ID, a.ID, 999})
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Equal(t, "Shop/EU", found[0].Group)
	require.Equal(t, uptime.Down, found[0].Status)
	found, err = h.MonitorsOf(t.Context(), h.ws+1, []int64{b.ID})
	require.NoError(t, err)
	require.Empty(t, found)
}

// testIncidentLines: lines change and go by what is made of them, and what belongs to an
// incident is kept.
func testIncidentLines(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	u := h.user(t, uptime.RoleEditor)
	i, err := h.CreateIncident(t.Context(), uptime.Incident{
		WorkspaceID: h.ws, Title: "Slow", Status: uptime.IncidentOpen,
		Updates: []uptime.IncidentUpdate{{At: h.clock.Now(), AuthorID: u.ID, Message: "One."}, {At: h.clock.Now(), AuthorID: u.ID, Message: "Two.", Internal: true}},
	}, nil)
	require.NoError(t, err)
	require.False(t, i.Updates[0].Internal)
	require.True(t, i.Updates[1].Internal)
	h.clock.Advance(time.Second)
	now := h.clock.Now()
	got, err := h.UpdateIncident(t.Context(), h.ws, i.ID, func(i *uptime.Incident) ([]uptime.IncidentUpdate, []uptime.Event, error) {
		require.Len(t, i.Updates, 2, "the timeline is there")
		i.Updates[1].Message, i.Updates[1].Internal, i.Updates[1].EditedAt = "Zwei.", false, now
		i.Updates = i.Updates[1:]
		i.OwnerID, i.NextUpdateBy = u.ID, now.Add(time.Hour)
		i.Postmortem = uptime.Postmortem{Text: "A disk.", Published: true, WrittenAt: now}
		return []uptime.IncidentUpdate{{AuthorID: u.ID, Message: "Three."}}, nil, nil
	}, nil)
	require.NoError(t, err)
	require.Len(t, got.Updates, 2)
	require.Equal(t, uptime.IncidentUpdate{
		ID: i.Updates[1].ID, IncidentID: i.ID, At: i.Updates[1].At, AuthorID: u.ID, Author: u.Name, Message: "Zwei.", EditedAt: now,
	}, got.Updates[0])
	require.Equal(t, "Three.", got.Updates[1].Message)
	require.Equal(t, u.ID, got.OwnerID)
	require.Equal(t, now.Add(time.Hour), got.NextUpdateBy)
	require.Equal(t, uptime.Postmortem{Text: "A disk.", Published: true, WrittenAt: now}, got.Postmortem)
	again, err := h.Incident(t.Context(), h.ws, i.ID)
	require.NoError(t, err)
	require.Equal(t, got, again)
}

func testDeleteIncident(t *testing.T, open OpenFunc) {
	h := newHouse(t, open)
	fine := func(uptime.Incident) error { return nil }
	own := h.down(t, h.monitor(t))
	require.ErrorIs(t, h.DeleteIncident(t.Context(), h.ws, own.ID, fine, nil), uptime.ErrNotFound, "what happened stays")
	i, err := h.CreateIncident(t.Context(), uptime.Incident{WorkspaceID: h.ws, Title: "Slow", Status: uptime.IncidentOpen, Updates: []uptime.IncidentUpdate{{At: h.clock.Now(), Message: "One."}}}, nil)
	require.NoError(t, err)
	refused := uptime.Fail(uptime.CodePrecondition, "It was changed.")
	require.Equal(t, error(refused), h.DeleteIncident(t.Context(), h.ws, i.ID, func(uptime.Incident) error { return refused }, nil))
	require.ErrorIs(t, h.DeleteIncident(t.Context(), h.ws+1, i.ID, fine, nil), uptime.ErrNotFound)
	_, err = h.RestoreIncident(t.Context(), h.ws, i.ID, nil)
	require.ErrorIs(t, err, uptime.ErrNotFound, "it is there")
	require.NoError(t, h.DeleteIncident(t.Context(), h.ws, i.ID, fine, nil))
	require.ErrorIs(t, h.DeleteIncident(t.Context(), h.ws, i.ID, fine, nil), uptime.ErrNotFound)
	_, err = h.Incident(t.Context(), h.ws, i.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	_, err = h.RestoreIncident(t.Context(), h.ws+1, i.ID, nil)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	h.clock.Advance(uptime.UndeleteFor - time.Second)
	got, err := h.RestoreIncident(t.Context(), h.ws, i.ID, nil)
	require.NoError(t, err)
	require.Len(t, got.Updates, 1)
	require.Equal(t, i.Version+2, got.Version)
	require.NoError(t, h.DeleteIncident(t.Context(), h.ws, i.ID, fine, nil))
	h.clock.Advance(uptime.UndeleteFor + time.Second)
	_, err = h.RestoreIncident(t.Context(), h.ws, i.ID, nil)
	require.ErrorIs(t, err, uptime.ErrNotFound, "too late")
}
