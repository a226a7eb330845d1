package uptime

import "time"

// AccessClaims are what an access token says of its holder. What they may do is
// read from the store with each request, not from the token.
type AccessClaims struct {
	UserID      int64
	WorkspaceID int64
	Session     string    // refresh family that the token belongs to
	IssuedAt    time.Time // whole milliseconds
	ExpiresAt   time.Time // whole seconds
}
