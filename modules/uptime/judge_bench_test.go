package uptime

import (
	"testing"
	"time"
)

// BenchmarkJudge is the pure state step of one result: one that agrees, as nearly all
// do, one that confirms an outage, and one that came late, by a full history.
func BenchmarkJudge(b *testing.B) {
	decide := Judge(func() string { return "abcdefghijklmnopqrstuvwxyz" })
	up := func(slot int) Result {
		return Result{
			MonitorID: 1, WorkspaceID: 1, Region: DefaultRegion, ScheduledAt: at(slot), StartedAt: at(slot), Attempt: 1,
			Outcome: Outcome{Status: Up, Response: 12 * time.Millisecond, StatusCode: 200},
		}
	}
	down := func(slot int) Result {
		r := up(slot)
		r.Outcome = Outcome{Status: Down, ErrorKind: KindTimeout, Error: "no answer within 10s"}
		return r
	}
	step := func(m Monitor, r ...Result) Monitor {
		m.State = decide(Situation{Monitor: m, Now: at(1 << 20), New: r}).State
		return m
	}
	well := step(step(subject(2, 1), up(60)), up(120))
	late := Situation{Monitor: well, Now: at(1 << 20), Late: true}
	for slot := range Lookback {
		late.History = append(late.History, up(slot*60))
	}
	late.Monitor = step(well, up(Lookback*60))
	late.New = late.History[Lookback-1:]
	for name, s := range map[string]Situation{
		"Agrees":   {Monitor: well, Now: at(1 << 20), New: []Result{up(180)}},
		"Fails":    {Monitor: well, Now: at(1 << 20), New: []Result{down(180)}},
		"Confirms": {Monitor: step(well, down(180)), Now: at(1 << 20), New: []Result{down(200)}},
		"Late":     late,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				decide(s)
			}
		})
	}
}
