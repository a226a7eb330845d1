package uptime

import "time"

// Finds are things of a workspace that words or ids led to. Incidents come without
// their timelines, channels without what was sent by them.
type Finds struct {
	Monitors  []Monitor
	Incidents []Incident
	Channels  []Channel
}

// FindIDs names things of a workspace.
type FindIDs struct {
	Monitors, Incidents, Channels []int64
}

// Tile is a monitor as a wallboard shows it: nothing of what it checks.
type Tile struct {
	ID       int64
	Name     string
	Status   Status
	Retrying bool
	Since    time.Time // of the status, zero: not known
}

// WallShare lets whoever knows its secret see a wallboard without an account.
type WallShare struct {
	ID          int64
	WorkspaceID int64
	UserID      int64  // who made it
	Name        string // what the wallboard is called
	Tag         string // only monitors with it: a tag's name, or name and value as team:web
	Group       string // only those of the group and below it
	Prefix      string // of the secret, what may be shown
	Hash        string // SHA-256 of the secret, hex
	ExpiresAt   time.Time
	LastUsedAt  time.Time
	CreatedAt   time.Time
}
