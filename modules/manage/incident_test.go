package manage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func TestIncidentByHand(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	mon := b.monitor(t, leastMonitor)
	heard, err := b.bus.Subscribe(t.Context(), uptime.TopicIncident)
	require.NoError(t, err)
	i, err := b.CreateIncident(ctx, b.owner, json.RawMessage(`{"title":"Mail is late","severity":"major","message":"We look into it.\nSoon more.","monitor_ids":[1,1]}`))
	require.NoError(t, err)
	require.Nil(t, i.MonitorID)
	require.Equal(t, []int64{mon.ID}, i.MonitorIDs)
	require.Equal(t, uptime.IncidentOpen, i.Status)
	require.Len(t, i.Updates, 1)
	require.Equal(t, "We look into it.\nSoon more.", i.Updates[0].Message)
	require.Equal(t, i.ID, (<-heard).ID)

	b.clock.add(time.Minute)
	i, err = b.PatchIncident(ctx, b.owner, i.ID, json.RawMessage(`{"stage":"identified","message":"Found."}`), i.ETag)
	require.NoError(t, err)
	require.Equal(t, uptime.StageIdentified, i.Stage)
	require.Len(t, i.Updates, 2)
	require.InDelta(t, 60, i.DurationSeconds, 0.01)
	_, err = b.PatchIncident(ctx, b.owner, i.ID, json.RawMessage(`{"title":"x"}`), `"0"`)
	require.Equal(t, uptime.CodePrecondition, uptime.CodeOf(err))

	i, err = b.AcknowledgeIncident(ctx, b.owner, i.ID, nil)
	require.NoError(t, err)
	require.Equal(t, uptime.IncidentAcknowledged, i.Status)
	require.Equal(t, b.owner.UserID, *i.AcknowledgedBy)
	require.Equal(t, "Olga", i.AcknowledgedByName)
	_, err = b.AcknowledgeIncident(ctx, b.owner, i.ID, json.RawMessage(`{}`))
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))

	i, err = b.AddIncidentUpdate(ctx, b.owner, i.ID, json.RawMessage(`{"message":"Watching.","stage":"monitoring"}`))
	require.NoError(t, err)
	require.Equal(t, uptime.StageMonitoring, i.Stage)
	i, err = b.ResolveIncident(ctx, b.owner, i.ID, json.RawMessage(`{"message":"Done."}`))
	require.NoError(t, err)
	require.Equal(t, uptime.IncidentResolved, i.Status)
	require.Equal(t, uptime.StageResolved, i.Stage)
	require.NotNil(t, i.ResolvedAt)
	_, err = b.ResolveIncident(ctx, b.owner, i.ID, nil)
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	_, err = b.PatchIncident(ctx, b.owner, i.ID, json.RawMessage(`{"stage":"monitoring"}`), "")
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err))
	i, err = b.AddIncidentUpdate(ctx, b.owner, i.ID, json.RawMessage(`{"message":"Post-mortem follows."}`))
	require.NoError(t, err)
	require.Len(t, i.Updates, 6)

	raw, err := json.Marshal(i)
	require.NoError(t, err)
	_, err = b.PatchIncident(ctx, b.owner, i.ID, raw, "")
	require.NoError(t, err, "an answer can be sent back")
}

func TestHostileIncidents(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	for name, c := range map[string]struct{ body, want string }{
		"NoTitle":      {`{}`, "title is required"},
		"LongTitle":    {`{"title":"` + strings.Repeat("x", 201) + `"}`, "title must be at most 200 characters"},
		"BadStage":     {`{"title":"x","stage":"resolved"}`, "stage must be one of investigating, identified, monitoring"},
		"BadSeverity":  {`{"title":"x","severity":"huge"}`, "severity must be one of none, minor, major, critical"},
		"SeverityType": {`{"title":"x","severity":1}`, "severity must be a string"},
		"NoMonitor":    {`{"title":"x","monitor_ids":[5]}`, "monitor_ids[0] is not a monitor of yours"},
		"Future":       {`{"title":"x","started_at":"2030-01-01T00:00:00Z"}`, "started_at must not be in the future"},
		"NoTime":       {`{"title":"x","started_at":"yesterday"}`, `started_at must be a time such as "2026-01-02T03:04:05Z"`},
		"ControlText":  {`{"title":"x","message":"a\u0007"}`, "message must not contain control characters"},
		"Unknown":      {`{"title":"x","nope":1}`, "nope is not a field of an incident; allowed are title, stage, severity, message, internal, started_at, next_update_by, monitor_ids, owner_id"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.CreateIncident(ctx, b.owner, json.RawMessage(c.body))
			require.Equal(t, []string{c.want}, problems(t, err))
		})
	}
	_, err := b.AddIncidentUpdate(ctx, b.owner, 1, json.RawMessage(`{"message":" "}`))
	require.Equal(t, []string{"message must not be empty"}, problems(t, err))
}

// TestIncidentOfAMonitorTellsItsChannels: the event is written with the change.
func TestIncidentOfAMonitorTellsItsChannels(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	require.NoError(t, b.store.EnsurePartitions(ctx, 2))
	c := b.channel(t, `{"name":"Hook","type":"webhook","is_default":true,"settings":{"url":"https://example.com"}}`)
	mon := b.monitor(t, leastMonitor)
	b.clock.add(time.Minute)
	result := uptime.Result{MonitorID: mon.ID, WorkspaceID: 1, Region: "default", ScheduledAt: b.clock.Now(), StartedAt: b.clock.Now(), Attempt: 1, Outcome: uptime.Outcome{Status: uptime.Down}}
	_, err := b.store.Record(ctx, []uptime.Result{result}, func(s uptime.Situation) uptime.Decision {
		state := s.Monitor.State
		state.Status, state.Since = uptime.Down, result.ScheduledAt
		state.Outage = &uptime.Outage{Started: result.ScheduledAt, Confirmed: result.ScheduledAt}
		return uptime.Decision{State: state, Incidents: []uptime.IncidentChange{{Incident: uptime.Incident{
			WorkspaceID: 1, MonitorID: mon.ID, Title: "Shop is down", Status: uptime.IncidentOpen, Stage: uptime.StageInvestigating,
			Severity: uptime.SeverityMajor, StartedAt: result.ScheduledAt, ConfirmedAt: result.ScheduledAt,
		}}}}
	})
	require.NoError(t, err)
	list, err := b.Incidents(ctx, b.owner, uptime.IncidentFilter{Unresolved: true}, uptime.Page{})
	require.NoError(t, err)
	require.Len(t, list.Items, 1)
	overview, err := b.Overview(ctx, b.owner)
	require.NoError(t, err)
	require.Equal(t, int64(1), overview.OpenIncidents)
	require.Equal(t, int64(1), overview.Monitors[uptime.Down])

	_, err = b.AcknowledgeIncident(ctx, b.owner, list.Items[0].ID, nil)
	require.NoError(t, err)
	over, err := b.ResolveIncident(ctx, b.owner, list.Items[0].ID, nil)
	require.NoError(t, err)
	for i, message := range []string{"Acknowledged.", "Resolved."} {
		require.Equal(t, message, over.Updates[i].Message)
		require.Equal(t, "Olga", over.Updates[i].Author)
	}
	deliveries, err := b.Deliveries(ctx, b.owner, uptime.DeliveryFilter{ChannelID: c.ID}, uptime.Page{})
	require.NoError(t, err)
	var types []uptime.EventType
	for _, d := range deliveries.Items {
		types = append(types, d.EventType)
	}
	require.ElementsMatch(t, []uptime.EventType{uptime.EventAcknowledged, uptime.EventResolved}, types)
	claims, err := b.store.ClaimDeliveries(ctx, uptime.ClaimParams{Limit: 1, PerChannel: 1, Lease: time.Minute})
	require.NoError(t, err)
	require.Equal(t, "Resolved by Olga.", claims[0].Event.Data.Incident.Reason)
	require.NoError(t, b.store.FinishDelivery(ctx, claims[0], uptime.AttemptResult{
		Attempt: uptime.Attempt{At: b.clock.Now(), Outcome: uptime.AttemptPermanent}, Status: uptime.DeliveryDead, Reason: "no",
	}))
	heard, err := b.bus.Subscribe(t.Context(), uptime.TopicDelivery)
	require.NoError(t, err)
	_, err = b.RetryDelivery(ctx, b.owner, claims[0].Delivery.ID)
	require.NoError(t, err)
	told := <-heard
	require.Equal(t, claims[0].Delivery.ID, told.ID)
	require.JSONEq(t, fmt.Sprintf(`{"id":%d,"event_id":%q,"event_type":"incident.resolved","channel_id":1,"monitor_id":1,"status":"pending"}`,
		told.ID, claims[0].Event.ID), string(told.Data), "what streams show, so that those of one monitor get it")
	_, err = b.RetryDelivery(ctx, b.owner, claims[0].Delivery.ID)
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(err), "only dead ones are sent again")
}

// TestIncidentsInTheAuditLog: it has what a person made of an incident, and what they said.
func TestIncidentsInTheAuditLog(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	made, err := b.CreateIncident(ctx, b.owner, json.RawMessage(`{"title":"Slow","severity":"minor"}`))
	require.NoError(t, err)
	_, err = b.PatchIncident(ctx, b.owner, made.ID, json.RawMessage(`{"stage":"identified","severity":"major","message":"A full disk."}`), "")
	require.NoError(t, err)
	log, err := b.store.AuditLog(ctx, b.owner.WorkspaceID, uptime.AuditFilter{ObjectType: "incident", ObjectID: made.ID}, uptime.Page{Limit: 10})
	require.NoError(t, err)
	require.Len(t, log.Items, 2)
	require.JSONEq(t, `{"title":"Slow","severity":"minor"}`, string(log.Items[1].Detail))
	require.JSONEq(t, `{"stage":{"from":"investigating","to":"identified"},"severity":{"from":"minor","to":"major"},"message":{"from":null,"to":"A full disk."}}`,
		string(log.Items[0].Detail))
}

// colleague is somebody else of the workspace.
func (b *bundle) colleague(t *testing.T, name string, role uptime.Role) uptime.Actor {
	t.Helper()
	user, err := b.store.CreateUser(t.Context(), uptime.User{
		WorkspaceID: 1, Role: role, Email: strings.ToLower(name) + "@example.com", Name: name, PasswordHash: "x", TimeZone: "UTC", Language: "en", Theme: "auto",
	}, nil)
	require.NoError(t, err)
	return uptime.Actor{WorkspaceID: 1, UserID: user.ID, Name: name, Role: role}
}

func TestUpdatesOfAnIncident(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	noa, vic := b.colleague(t, "Noa", uptime.RoleEditor), b.colleague(t, "Vic", uptime.RoleEditor)
	i, err := b.CreateIncident(ctx, noa, json.RawMessage(`{"title":"Slow","message":"We look."}`))
	require.NoError(t, err)
	require.False(t, i.Updates[0].Internal, "for everybody unless it says so")
	require.Equal(t, "We look.", i.Cause)
	soon := b.clock.Now().Add(time.Hour).Format(time.RFC3339)
	i, err = b.AddIncidentUpdate(ctx, noa, i.ID, json.RawMessage(`{"message":"A disk.","stage":"identified","next_update_by":"`+soon+`"}`))
	require.NoError(t, err)
	require.Equal(t, soon, i.NextUpdateBy.Format(time.RFC3339))
	i, err = b.AddIncidentUpdate(ctx, noa, i.ID, json.RawMessage(`{"message":"Call Joe.","internal":true}`))
	require.NoError(t, err)
	require.NotNil(t, i.NextUpdateBy, "a word among the team keeps no promise")
	require.True(t, i.Updates[2].Internal)
	i, err = b.AddIncidentUpdate(ctx, noa, i.ID, json.RawMessage(`{"message":"Nearly there."}`))
	require.NoError(t, err)
	require.Nil(t, i.NextUpdateBy)
	for body, want := range map[string]string{
		`{"message":"x","next_update_by":"2020-01-01T00:00:00Z"}`: "next_update_by must be in the future",
		`{"message":"x","next_update_by":"2999-01-01T00:00:00Z"}`: "next_update_by must be within a year",
		`{"message":"x","internal":"yes"}`:                        "internal must be true or false",
		`{"message":"` + strings.Repeat("ä", 5001) + `"}`:         "message must be at most 5000 characters",
		`{"message":"x","next_update_by":"tomorrow"}`:             `next_update_by must be a time such as "2026-01-02T03:04:05Z"`,
	} {
		_, err := b.AddIncidentUpdate(ctx, noa, i.ID, json.RawMessage(body))
		require.Equal(t, []string{want}, problems(t, err))
	}

	first := i.Updates[0].ID
	b.clock.add(time.Minute)
	i, err = b.PatchIncidentUpdate(ctx, noa, i.ID, first, json.RawMessage(`{"message":"We look into it."}`), i.ETag)
	require.NoError(t, err)
	require.Equal(t, "We look into it.", i.Updates[0].Message)
	require.Equal(t, b.clock.Now(), i.Updates[0].EditedAt.UTC())
	require.Equal(t, "We look into it.", i.Cause, "what it began with is told as it is now")
	_, err = b.PatchIncidentUpdate(ctx, noa, i.ID, first, json.RawMessage(`{"message":"x"}`), `"1"`)
	require.Equal(t, uptime.CodePrecondition, uptime.CodeOf(err))
	_, err = b.PatchIncidentUpdate(ctx, vic, i.ID, first, json.RawMessage(`{"message":"x"}`), "")
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(err), "another editor's")
	require.Equal(t, uptime.CodeForbidden, uptime.CodeOf(b.DeleteIncidentUpdate(ctx, vic, i.ID, first, "")))
	_, err = b.PatchIncidentUpdate(ctx, noa, i.ID, first, json.RawMessage(`{"message":null}`), "")
	require.Equal(t, []string{"message must not be empty"}, problems(t, err))
	i, err = b.PatchIncidentUpdate(ctx, b.owner, i.ID, first, json.RawMessage(`{"internal":true}`), "")
	require.NoError(t, err, "an owner may")
	require.True(t, i.Updates[0].Internal)
	require.Empty(t, i.Cause, "what is for the team is no cause for all")
	require.NoError(t, b.DeleteIncidentUpdate(ctx, noa, i.ID, first, ""))
	require.ErrorIs(t, b.DeleteIncidentUpdate(ctx, noa, i.ID, first, ""), uptime.ErrNotFound)
	got, err := b.Incident(ctx, noa, i.ID)
	require.NoError(t, err)
	require.Len(t, got.Updates, 3)
	require.Equal(t, uptime.StageIdentified, got.Stage, "the stage stays")

	i, err = b.AddIncidentUpdate(ctx, vic, i.ID, json.RawMessage(`{"message":"Over.","stage":"resolved"}`))
	require.NoError(t, err)
	require.Equal(t, uptime.IncidentResolved, i.Status)
	_, err = b.AddIncidentUpdate(ctx, vic, i.ID, json.RawMessage(`{"message":"x","next_update_by":"`+soon+`"}`))
	require.Equal(t, []string{"next_update_by cannot be promised: the incident is resolved"}, problems(t, err))
}

func TestOwnerOfAnIncident(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	noa := b.colleague(t, "Noa", uptime.RoleEditor)
	i, err := b.CreateIncident(ctx, b.owner, json.RawMessage(`{"title":"Slow"}`))
	require.NoError(t, err)
	assign := func(actor uptime.Actor, owner string) {
		i, err = b.PatchIncident(ctx, actor, i.ID, json.RawMessage(`{"owner_id":`+owner+`}`), "")
		require.NoError(t, err)
	}
	last := func() string {
		line := i.Updates[len(i.Updates)-1].Message
		require.True(t, manage.HandedOver(line), line)
		return line
	}
	assign(b.owner, fmt.Sprint(noa.UserID))
	require.Equal(t, "Noa", i.OwnerName)
	require.Equal(t, "Assigned to Noa.", last())
	require.True(t, i.Updates[0].Internal)
	assign(noa, "null")
	require.Nil(t, i.OwnerID)
	require.Contains(t, last(), "Gave it up")
	assign(noa, fmt.Sprint(noa.UserID))
	require.Equal(t, "Took it over.", last())
	lines := len(i.Updates)
	assign(noa, fmt.Sprint(noa.UserID))
	require.Len(t, i.Updates, lines, "nothing changed")
	assign(b.owner, "null")
	require.Contains(t, last(), "Took it from its owner")
	i, err = b.AcknowledgeIncident(ctx, noa, i.ID, nil)
	require.NoError(t, err)
	require.Equal(t, noa.UserID, *i.OwnerID, "who acknowledges takes it")
	for _, id := range []string{"999", `"x"`} {
		_, err = b.PatchIncident(ctx, noa, i.ID, json.RawMessage(`{"owner_id":`+id+`}`), "")
		require.Equal(t, uptime.CodeInvalid, uptime.CodeOf(err))
	}
	_, err = b.store.UpdateUser(ctx, 1, noa.UserID, func(u *uptime.User) error { u.Disabled = true; return nil }, nil)
	require.NoError(t, err)
	_, err = b.PatchIncident(ctx, b.owner, i.ID, json.RawMessage(`{"owner_id":null}`), "")
	require.NoError(t, err)
	_, err = b.PatchIncident(ctx, b.owner, i.ID, json.RawMessage(fmt.Sprintf(`{"owner_id":%d}`, noa.UserID)), "")
	require.Equal(t, []string{"owner_id is somebody who cannot log in"}, problems(t, err))
	people, err := b.Assignees(ctx, b.owner)
	require.NoError(t, err)
	require.Equal(t, []manage.PersonView{{ID: b.owner.UserID, Name: "Olga"}}, people.Items)
}

func TestPostmortem(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	i, err := b.CreateIncident(ctx, b.owner, json.RawMessage(`{"title":"Slow"}`))
	require.NoError(t, err)
	patch := func(body string) error {
		i, err = b.PatchIncident(ctx, b.owner, i.ID, json.RawMessage(body), "")
		return err
	}
	id := i.ID
	require.Equal(t, uptime.CodeConflict, uptime.CodeOf(patch(`{"postmortem":{"text":"A disk."}}`)), "it is not over")
	i.ID = id
	require.NoError(t, patch(`{"stage":"resolved"}`))
	require.Nil(t, i.Postmortem)
	b.clock.add(time.Minute)
	require.NoError(t, patch(`{"postmortem":{"text":" A disk.\n\nAnother. "}}`))
	require.Equal(t, &manage.PostmortemView{Text: "A disk.\n\nAnother.", WrittenAt: b.clock.Now()}, i.Postmortem)
	written := i.Postmortem.WrittenAt
	b.clock.add(time.Minute)
	require.NoError(t, patch(`{"postmortem":{"published":true}}`), "merged")
	require.Equal(t, &manage.PostmortemView{Text: "A disk.\n\nAnother.", Published: true, WrittenAt: written}, i.Postmortem)
	whole, err := json.Marshal(i)
	require.NoError(t, err)
	require.NoError(t, patch(string(whole)), "an answer can be sent back")
	for body, want := range map[string]string{
		`{"postmortem":"x"}`:        "postmortem must be an object or null",
		`{"postmortem":{"text":1}}`: "postmortem.text must be a string",
		`{"postmortem":{"nope":1}}`: "postmortem.nope is not a field of a post-mortem; allowed are text, published",
		`{"postmortem":{"text":"` + strings.Repeat("x", 50_001) + `"}}`: "postmortem.text must be at most 50000 characters",
	} {
		err := patch(body)
		require.Equal(t, []string{want}, problems(t, err))
		i.ID = id
	}
	require.NoError(t, patch(`{"postmortem":null}`))
	require.Nil(t, i.Postmortem)
}

func TestIncidentIsChangedAndDeleted(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	mon := b.monitor(t, leastMonitor)
	i, err := b.CreateIncident(ctx, b.owner, json.RawMessage(`{"title":"Slow"}`))
	require.NoError(t, err)
	b.clock.add(time.Hour)
	i, err = b.PatchIncident(ctx, b.owner, i.ID, json.RawMessage(fmt.Sprintf(`{"title":"Slower","started_at":%q,"monitor_ids":[%d]}`, i.StartedAt.Add(30*time.Minute).Format(time.RFC3339), mon.ID)), i.ETag)
	require.NoError(t, err)
	require.InDelta(t, 1800, i.DurationSeconds, 1)
	require.Equal(t, []int64{mon.ID}, i.MonitorIDs)
	_, err = b.PatchIncident(ctx, b.owner, i.ID, json.RawMessage(`{"started_at":"2999-01-01T00:00:00Z"}`), "")
	require.Equal(t, []string{"started_at must not be in the future"}, problems(t, err))
	list, err := b.MonitorsOf(ctx, b.owner, []int64{mon.ID, 99})
	require.NoError(t, err)
	require.Len(t, list, 1)

	require.Equal(t, uptime.CodePrecondition, uptime.CodeOf(b.DeleteIncident(ctx, b.owner, i.ID, `"1"`)))
	require.NoError(t, b.DeleteIncident(ctx, b.owner, i.ID, i.ETag))
	_, err = b.Incident(ctx, b.owner, i.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
	got, err := b.RestoreIncident(ctx, b.owner, i.ID)
	require.NoError(t, err)
	require.Equal(t, "Slower", got.Title)
	_, err = b.RestoreIncident(ctx, b.owner, i.ID)
	require.ErrorIs(t, err, uptime.ErrNotFound)
}
