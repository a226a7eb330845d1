package web

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (f *fake) CreateIncident(_ context.Context, _ uptime.Actor, body json.RawMessage) (manage.IncidentView, error) {
	return manage.IncidentView{ID: 1}, f.change(body)
}

func (f *fake) PatchIncident(_ context.Context, _ uptime.Actor, id int64, patch json.RawMessage, _ string) (manage.IncidentView, error) {
	return sampleIncident(id), f.change(patch)
}

func (f *fake) DeleteIncident(context.Context, uptime.Actor, int64, string) error {
	return f.change(nil)
}

func (f *fake) RestoreIncident(_ context.Context, _ uptime.Actor, id int64) (manage.IncidentView, error) {
	return sampleIncident(id), f.change(nil)
}

func (f *fake) PatchIncidentUpdate(_ context.Context, _ uptime.Actor, id, _ int64, patch json.RawMessage, _ string) (manage.IncidentView, error) {
	return sampleIncident(id), f.change(patch)
}

func (f *fake) DeleteIncidentUpdate(context.Context, uptime.Actor, int64, int64, string) error {
	return f.change(nil)
}

func (f *fake) Assignees(context.Context, uptime.Actor) (uptime.List[manage.PersonView], error) {
	return uptime.List[manage.PersonView]{Items: []manage.PersonView{{ID: 1, Name: "Mia Berg"}, {ID: 2, Name: "Noa Lind"}, {ID: 3, Name: hostile}}}, nil
}

func (f *fake) MonitorsOf(_ context.Context, _ uptime.Actor, ids []int64) ([]manage.MonitorView, error) {
	var out []manage.MonitorView
	for i := range sampleList() {
		if slices.Contains(ids, int64(i+1)) {
			out = append(out, sampleMonitor(i))
		}
	}
	return out, nil
}

// IncidentEdits are of somebody who gave an incident another title and other monitors.
func (f *fake) IncidentEdits(context.Context, uptime.Actor, int64) ([]manage.AuditView, error) {
	now := sampleNow()
	return []manage.AuditView{
		{ID: 3, At: now.Add(-20 * time.Second), UserID: 2, User: "Noa Lind", Detail: json.RawMessage(`{"message":{"from":null,"to":"On it."}}`)},
		{ID: 2, At: now.Add(-40 * time.Second), UserID: 2, User: "Noa Lind", Detail: json.RawMessage(`{"title":{"from":"Mail is late","to":"Payments are slow"},"severity":{"from":"minor","to":"major"},"monitor_ids":{"from":[1],"to":[1,2,11]}}`)},
		{ID: 1, At: now.Add(-time.Hour), UserID: 1, User: "Mia Berg", Detail: json.RawMessage(`{"title":"Mail is late"}`)},
	}, nil
}

// handMade is the incident made by hand among the samples, storm the first of some that
// began together.
const (
	handMade = 20
	overDone = 21
	storm    = 30
)

// sampleByHand is one that people wrote.
func sampleByHand() manage.IncidentView {
	now := sampleNow()
	mia, promise, edited := int64(1), now.Add(-12*time.Minute), now.Add(-20*time.Minute)
	noa := int64(2)
	return manage.IncidentView{
		ID: handMade, MonitorIDs: []int64{1, 2, 11}, Title: "Payments are slow", Status: uptime.IncidentOpen, Stage: uptime.StageIdentified,
		Severity: uptime.SeverityMajor, StartedAt: now.Add(-70 * time.Minute), DurationSeconds: 4200, OwnerID: &noa, OwnerName: "Noa Lind", NextUpdateBy: &promise,
		Updates: []manage.UpdateView{
			{ID: 51, At: now.Add(-70 * time.Minute), AuthorID: &mia, Author: "Mia Berg", Stage: uptime.StageInvestigating, Message: "We see slow payments and look into it."},
			{ID: 52, At: now.Add(-40 * time.Minute), AuthorID: &noa, Author: "Noa Lind", Stage: uptime.StageIdentified, Message: "\u05d4\u05d3\u05d9\u05e1\u05e7 \u05de\u05dc\u05d0 (a full disk).\n\nIt is being replaced.", EditedAt: &edited},
			{ID: 53, At: now.Add(-30 * time.Minute), AuthorID: &mia, Author: "Mia Berg", Message: "Customer X called twice. " + hostile, Internal: true},
		},
		UpdatedAt: now.Add(-30 * time.Second), ETag: `"4"`,
	}
}

// sampleOver is resolved, with a post-mortem and a text without a blank in it.
func sampleOver() manage.IncidentView {
	inc := sampleByHand()
	at := sampleNow().Add(-10 * time.Minute)
	inc.ID, inc.Title, inc.Status, inc.Stage, inc.ResolvedAt, inc.NextUpdateBy = overDone, "\u202b"+hostile, uptime.IncidentResolved, uptime.StageResolved, &at, nil
	long := make([]byte, 5000)
	for i := range long {
		long[i] = 'x'
	}
	inc.Updates = append(inc.Updates, manage.UpdateView{ID: 54, At: at, AuthorID: inc.OwnerID, Author: "Noa Lind", Stage: uptime.StageResolved, Message: string(long)})
	inc.Postmortem = &manage.PostmortemView{Text: "A disk was full.\nNobody saw it.\n\n" + hostile + "\n\n" + string(long), Published: true, WrittenAt: sampleNow().Add(-time.Minute)}
	return inc
}

// sampleStorm are incidents that began within two minutes.
func sampleStorm() []manage.IncidentView {
	var out []manage.IncidentView
	for i := range 4 {
		inc := sampleIncident(int64(1 + i%2*2)) // of monitors 1 and 3, which share a group
		inc.ID, inc.StartedAt = int64(storm+i), sampleNow().Add(-5*time.Hour-time.Duration(i)*20*time.Second)
		inc.DurationSeconds = sampleNow().Sub(inc.StartedAt).Seconds()
		out = append(out, inc)
	}
	return out
}
