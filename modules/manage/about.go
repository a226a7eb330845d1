package manage

import (
	"context"
	"fmt"

	"monitor/modules/uptime"
)

// Build names the program that runs.
type Build struct {
	Version   string `json:"version"`
	Commit    string `json:"commit"`
	Date      string `json:"date"`
	GoVersion string `json:"go"`
}

// AboutView is what somebody who helps asks for first.
type AboutView struct {
	Build
	Database StorageView `json:"database"`
	OverviewView
}

// StorageView is the database and what it takes, in bytes.
type StorageView struct {
	Kind    string `json:"kind"` // "SQLite" or "PostgreSQL"
	Version string `json:"version"`
	Bytes   int64  `json:"bytes"`
	// ResultBytes and RollupBytes are parts of it; nil where the database does not
	// tell without reading all of it.
	ResultBytes *int64 `json:"result_bytes"`
	RollupBytes *int64 `json:"rollup_bytes"`
}

// Storage gives what the database takes.
func (m *Manage) Storage(ctx context.Context, actor uptime.Actor) (StorageView, error) {
	if err := m.permit(actor, ReadSettings); err != nil {
		return StorageView{}, err
	}
	s, err := m.deps.Settings.Storage(ctx)
	if err != nil {
		return StorageView{}, fmt.Errorf("measure the database: %w", err)
	}
	return StorageView{Kind: s.Kind, Version: s.Version, Bytes: s.Bytes, ResultBytes: idOrNil(s.Results), RollupBytes: idOrNil(s.Rollups)}, nil
}

// About gives the program, its database and how it does.
func (m *Manage) About(ctx context.Context, actor uptime.Actor) (AboutView, error) {
	storage, err := m.Storage(ctx, actor)
	if err != nil {
		return AboutView{}, err
	}
	overview, err := m.Overview(ctx, actor)
	if err != nil {
		return AboutView{}, err
	}
	return AboutView{Build: m.deps.Config.Build, Database: storage, OverviewView: overview}, nil
}
