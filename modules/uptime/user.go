package uptime

import (
	"encoding/json"
	"time"
)

// Role is what a member of a workspace may do; each includes the ones below it.
type Role string

// The roles, highest first.
const (
	RoleOwner  Role = "owner"
	RoleAdmin  Role = "admin"
	RoleEditor Role = "editor"
	RoleViewer Role = "viewer"
)

// rank orders roles; 0 is no role at all.
func (r Role) rank() int {
	switch r {
	case RoleOwner:
		return 4
	case RoleAdmin:
		return 3
	case RoleEditor:
		return 2
	case RoleViewer:
		return 1
	}
	return 0
}

// Valid reports whether r is a role.
func (r Role) Valid() bool { return r.rank() > 0 }

// Includes reports whether r may do all that other may.
func (r Role) Includes(other Role) bool { return r.rank() >= other.rank() && other.Valid() }

// Workspace owns everything. A single team never notices that there is one.
type Workspace struct {
	ID        int64
	Name      string // the instance's name on pages
	TimeZone  string
	CreatedAt time.Time
}

// Membership is a workspace that somebody belongs to.
type Membership struct {
	Workspace

	Role Role
}

// User is a person and their membership in one workspace: WorkspaceID, Role, Disabled,
// the invitation and CreatedAt are of the membership, the rest is the person's wherever
// they are.
type User struct {
	ID          int64
	WorkspaceID int64
	Role        Role
	// Elsewhere: they have joined another workspace, too. It is not stored.
	Elsewhere    bool
	Email        string // lower case
	Name         string
	PasswordHash string // argon2id; "" until an invitation is accepted, and for who logs in elsewhere alone
	// PasswordGiven: it was chosen for them, and somebody else knows it.
	PasswordGiven bool
	TimeZone      string
	Language      string
	Theme         string // "auto", "light" or "dark"
	Preferences   Preferences
	Disabled      bool
	InviteHash    string    // SHA-256 of the invitation's token, hex; "" once they have joined
	InviteUntil   time.Time // end of the invitation
	ResetHash     string    // SHA-256 of the token of a link that sets a new password, hex; "" none
	ResetUntil    time.Time // end of that link
	// TOTPSecret is that of the second factor, sealed for the random TOTPKey; "" none.
	TOTPSecret string
	TOTPKey    string
	TOTPStep   int64    // the newest time step of which a code was taken
	Recovery   []string // SHA-256 of each recovery code that is left, hex
	// TokensFrom ends every access token issued before it (password change,
	// disabling, log-out everywhere).
	TokensFrom time.Time
	LastSeenAt time.Time
	// Alone ends passkeys, links to persons of a provider and all sessions but KeepSession
	// with the change. It is not stored.
	Alone bool
	// KeepSession is the session that goes on where a change ends all others. It is not
	// stored.
	KeepSession string
	// Link is an identity that a change adds. It is not read.
	Link      *Identity
	Version   int64
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Invited reports somebody who has not accepted their invitation yet.
func (u User) Invited() bool { return u.InviteHash != "" }

// RefreshToken is one link of a family of rotating refresh tokens, which is
// also a log-in session.
type RefreshToken struct {
	Hash        string // SHA-256 of the token, hex
	Family      string
	UserID      int64
	WorkspaceID int64
	IssuedAt    time.Time
	ExpiresAt   time.Time
	UsedAt      time.Time // zero: not rotated yet
	BeganAt     time.Time // when the session was begun
	SeenAt      time.Time // when the session was seen last, to the minute
	Address     string
	UserAgent   string
}

// APIToken lets a program act with a role.
type APIToken struct {
	ID          int64
	WorkspaceID int64
	UserID      int64 // who made it
	Name        string
	Role        Role
	Scopes      []string // of "read", "write", "push"
	Prefix      string   // what may be shown of it
	Hash        string   // SHA-256 of the secret, hex
	ExpiresAt   time.Time
	LastUsedAt  time.Time
	CreatedAt   time.Time
}

// Actor is who does something and from where.
type Actor struct {
	WorkspaceID int64
	UserID      int64  // 0: the program or a command at the machine
	TokenID     int64  // 0: no API token
	Session     string // refresh family of a session, or ""
	Name        string // of the user, for timelines
	Email       string
	Role        Role
	Scopes      []string // nil: all
	Address     string
	Language    string // of pages: a BCP 47 tag, or "auto"
}

// ActorKey identifies an actor for limits and idempotency keys.
type ActorKey struct {
	UserID, TokenID int64
}

// Key of the actor.
func (a Actor) Key() ActorKey { return ActorKey{a.UserID, a.TokenID} }

// Audit is one line of the audit log, written in the transaction of the change.
type Audit struct {
	WorkspaceID int64
	UserID      int64
	TokenID     int64
	Address     string
	Action      string // "monitor.update"
	ObjectType  string
	ObjectID    int64           // filled by the store on creation
	Detail      json.RawMessage // what changed, secrets masked
	At          time.Time
}

// AuditLine is a line of the audit log, with who did it.
type AuditLine struct {
	Audit
	ID    int64
	Name  string // of the user, "" for the program
	Email string
}

// AuditFilter chooses lines of the audit log; what is zero chooses all.
type AuditFilter struct {
	UserID     int64
	ObjectType string
	ObjectID   int64
	From, To   time.Time // from inclusive, to exclusive
}
