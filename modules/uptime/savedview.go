package uptime

import "time"

// SavedView is a filter of the list of monitors that somebody gave a name to.
type SavedView struct {
	ID          int64
	WorkspaceID int64
	UserID      int64  // who made it
	Maker       string // their name; not stored
	Name        string
	Query       string // of the list's address, without the question mark
	Shared      bool   // with everybody in the workspace
	CreatedAt   time.Time
}
