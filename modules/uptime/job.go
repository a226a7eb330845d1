package uptime

import (
	"encoding/json"
	"time"
)

// Job is one check that is to be made: a monitor, a region and a slot.
// (MonitorID, Region, ScheduledAt) is its identity: a job that is published or
// run twice changes nothing.
type Job struct {
	MonitorID   int64
	Region      string
	ScheduledAt time.Time // whole milliseconds; a worker starts it then
	Attempt     int       // 1 for a regular slot, one more for each retry
	// ByHand: somebody asked for it; it is no slot of the schedule, and none is
	// missed when it is not run.
	ByHand bool
	Spec   Spec
}

// Expires is when the job is too old to be run by the queue's clock: one
// interval after its slot, or its timeout if that is longer.
func (j Job) Expires() time.Time {
	return j.ScheduledAt.Add(max(j.Spec.Interval, j.Spec.Timeout))
}

// Slot is a job of the schedule as the leader publishes it: the first attempt at a
// slot of the grid, or at an extra one.
type Slot struct {
	MonitorID int64
	Region    string
	At        int64 // Unix milliseconds
	Spec      Packed
}

// Key of the slot, which is the key of its job and its result.
func (s Slot) Key() ResultKey { return ResultKey{s.MonitorID, s.Region, s.At} }

// Spec is what a check needs to know, so that it reads no database.
type Spec struct {
	WorkspaceID int64
	RowKey      string
	Type        string
	Interval    time.Duration
	Timeout     time.Duration
	// Of is Monitor.CheckAt when the job was made. A result of a spec that was
	// replaced meanwhile says nothing about the monitor as it is.
	Of time.Time
	// Settings is the type's block. Secrets in it are sealed while it travels
	// and opened by the worker just before the probe.
	Settings json.RawMessage
}

// Lease is a job in a worker's hands until it is acknowledged or its lease
// ends. Receipt is the queue's own name for it.
type Lease struct {
	Job
	Receipt string
	// Taken counts how often the job was handed out, this time included.
	Taken int
	// Expired: past Expires by the queue's clock; not to be run.
	Expired bool
}

// MissedReason says why slots have no result.
type MissedReason string

// The reasons of the public contract.
const (
	MissedStale    MissedReason = "stale"    // older than its interval before a worker was free
	MissedFailover MissedReason = "failover" // no leader
	MissedStopped  MissedReason = "stopped"  // the program was not running
	MissedLost     MissedReason = "lost"     // found by the audit
	MissedOverload MissedReason = "overload" // more results than could be held
)

// MissedRange is a run of slots of one monitor and region without results.
type MissedRange struct {
	MonitorID   int64
	WorkspaceID int64
	Region      string
	From        time.Time // first slot
	To          time.Time // last slot
	Count       int64
	Reason      MissedReason
}
