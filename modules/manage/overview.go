package manage

import (
	"context"
	"fmt"

	"monitor/modules/uptime"
)

// Overview gives the state of everything in a few numbers.
func (m *Manage) Overview(ctx context.Context, actor uptime.Actor) (OverviewView, error) {
	counts, err := m.Counts(ctx, actor)
	if err != nil {
		return OverviewView{}, err
	}
	open, err := m.deps.Incidents.CountIncidents(ctx, actor.WorkspaceID, uptime.IncidentFilter{Unresolved: true})
	if err != nil {
		return OverviewView{}, err
	}
	vitals, err := m.deps.Vitals.Vitals(ctx)
	if err != nil {
		return OverviewView{}, fmt.Errorf("read vitals: %w", err)
	}
	conditions := []ConditionView{}
	for _, c := range m.conditions(ctx) {
		conditions = append(conditions, ConditionView(c))
	}
	return OverviewView{
		Monitors: counts, OpenIncidents: open, ChecksPerSecond: vitals.ChecksPerSecond,
		LatenessMS: LatenessView{P50: millis(vitals.LatenessP50), P99: millis(vitals.LatenessP99)},
		Roles:      orEmpty(vitals.Roles), Conditions: conditions,
	}, nil
}

// Instance gives the workspace, with its name and time zone, for pages; nothing
// in it is secret and no permission is asked.
func (m *Manage) Instance(ctx context.Context) (uptime.Workspace, error) {
	return m.deps.Workspaces.EnsureWorkspace(ctx, defaultInstance)
}
