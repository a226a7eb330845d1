package uptime

import (
	"encoding/json"
	"time"
)

const (
	// MaxBulk is how many monitors one job may be about.
	MaxBulk = 50_000
	// UndoBulkFor is how long after its end a job can be taken back.
	UndoBulkFor = time.Hour
	// KeepBulkFor is how long after its end a job can be looked at.
	KeepBulkFor = 30 * 24 * time.Hour
)

// BulkJob is one action on many monitors, done in steps by whichever process holds it.
type BulkJob struct {
	ID, WorkspaceID int64
	// Who asked for it, for the audit log.
	UserID, TokenID   int64
	UserName, Address string

	Action json.RawMessage // of package manage
	IDs    []int64         // ascending; read with a claim only
	Total  int
	// Position is how many are done; they are Changed, Same (as they should be already) or
	// Skipped (could not be changed).
	Position, Changed, Same, Skipped int

	Undoes   int64 // the job that it takes back, 0: none
	UndoneBy int64 // the job that takes it back, 0: none
	// Claim is the number of the claim that holds it: a step under an older one fails.
	Claim int64

	CreatedAt, StartedAt, FinishedAt time.Time
}

// BulkItem is what became of one monitor of a job.
type BulkItem struct {
	MonitorID int64
	Name      string
	Skipped   string          // why, "" where it was changed
	Undo      json.RawMessage // what takes it back, of package manage
}

// BulkChange is what a step does to one monitor: the first of these that is set.
type BulkChange struct {
	MonitorID int64
	Skip      string // nothing, for this reason
	Name      string // of one that is skipped or done
	Done      bool   // nothing: it is done
	Delete    bool
	Restore   time.Time // to be checked then
	Silence   *Silence  // until zero: ends it
	// Mutate changes its settings; called again when the transaction is repeated. An *Error is
	// why it is skipped.
	Mutate func(*Monitor) error
	// Undo gives what takes the change back.
	Undo  func(before, after Monitor) json.RawMessage
	Audit *Audit
}
