package manage

import (
	"encoding/json"
	"time"

	"monitor/modules/uptime"
)

// UserView is a user as the public contract shows them.
type UserView struct {
	ID       int64       `json:"id"`
	Email    string      `json:"email"`
	Name     string      `json:"name"`
	Role     uptime.Role `json:"role"`
	Disabled bool        `json:"disabled"`
	TOTP     bool        `json:"totp"`
	Invited  bool        `json:"invited"` // has not accepted the invitation yet
	Password bool        `json:"has_password"`
	TimeZone string      `json:"time_zone"`
	Language string      `json:"language"`
	Theme    string      `json:"theme"` // "auto", "light" or "dark"
	// Preferences are there for the person alone.
	Preferences *uptime.Preferences `json:"preferences,omitempty"`
	LastSeenAt  *time.Time          `json:"last_seen_at"`
	CreatedAt   time.Time           `json:"created_at"`
	// RecoveryCodes are there once, when the second factor was turned on.
	RecoveryCodes []string `json:"recovery_codes,omitempty"`

	ETag      string `json:"-"`
	Elsewhere bool   `json:"-"` // they have joined another workspace, too
}

// WorkspaceView is a workspace of the one who asks.
type WorkspaceView struct {
	ID        int64       `json:"id"`
	Name      string      `json:"name"`
	TimeZone  string      `json:"time_zone"`
	Role      uptime.Role `json:"role"`    // theirs
	Current   bool        `json:"current"` // the one that they are in
	CreatedAt time.Time   `json:"created_at"`
}

// InvitationView is an invitation as who got it sees it.
type InvitationView struct {
	UserView

	Workspace string
	// HasAccount: they log in as they do already instead of choosing a password.
	HasAccount bool
	// HasPassword: joining asks for it.
	HasPassword bool
}

// TOTPView is the secret of a second factor that somebody may turn on.
type TOTPView struct {
	Secret string `json:"secret"`
	URL    string `json:"url"` // for an authenticator app, as a QR code
}

// RecoveryView are codes that stand in for the second factor, each once.
type RecoveryView struct {
	RecoveryCodes []string `json:"recovery_codes"`
}

// TokenView is an API token. Secret is there once, at creation.
type TokenView struct {
	ID         int64       `json:"id"`
	UserID     int64       `json:"user_id"`
	Name       string      `json:"name"`
	Role       uptime.Role `json:"role"`
	Scopes     []string    `json:"scopes"`
	Prefix     string      `json:"prefix"`
	Secret     string      `json:"secret,omitempty"`
	ExpiresAt  *time.Time  `json:"expires_at"` // null: never
	LastUsedAt *time.Time  `json:"last_used_at"`
	CreatedAt  time.Time   `json:"created_at"`
}

// SessionView is one log-in of a person.
type SessionView struct {
	ID         string    `json:"id"`
	Current    bool      `json:"current"` // the one that asks
	Address    string    `json:"address"` // IP it was seen from last
	UserAgent  string    `json:"user_agent"`
	CreatedAt  time.Time `json:"created_at"`
	LastSeenAt time.Time `json:"last_seen_at"` // to the minute
	ExpiresAt  time.Time `json:"expires_at"`   // moves while it is used
}

// PasskeyView is a passkey of a person.
type PasskeyView struct {
	ID         int64      `json:"id"`
	Name       string     `json:"name"`
	Host       string     `json:"host"`   // that it logs in at
	Synced     bool       `json:"synced"` // its provider has copies of it
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at"`
}

// NewPasskey begins to add one.
type NewPasskey struct {
	Name            string
	CurrentPassword string
	Party           uptime.RelyingParty // its name is not needed
}

// Ceremony asks a browser for a passkey.
type Ceremony struct {
	Options json.RawMessage // of navigator.credentials.create or get: its publicKey
	State   string          // sealed; comes back with the answer, within five minutes
}

// PasskeyAnswer is what a browser says.
type PasskeyAnswer struct {
	State    string
	Answer   []byte // JSON of the PublicKeyCredential
	Party    uptime.RelyingParty
	Remember bool // of a web session: for RefreshTTL, else for a day
	Client   Client
}

// AuditView is a line of the audit log.
type AuditView struct {
	ID         int64           `json:"id"`
	At         time.Time       `json:"at"`
	UserID     int64           `json:"user_id"` // 0: the program, or a command at the machine
	User       string          `json:"user"`    // their name
	Email      string          `json:"email"`
	TokenID    int64           `json:"token_id"` // 0: no API token
	Address    string          `json:"address"`
	Action     string          `json:"action"` // "monitor.update"
	ObjectType string          `json:"object_type"`
	ObjectID   int64           `json:"object_id"`
	Detail     json.RawMessage `json:"detail"` // what changed, or null
}

// MonitorChangeView is a line of the audit log for whoever may read the monitor.
type MonitorChangeView struct {
	ID      int64           `json:"id"`
	At      time.Time       `json:"at"`
	UserID  int64           `json:"user_id"`  // 0: the program, or a command at the machine
	User    string          `json:"user"`     // their name
	TokenID int64           `json:"token_id"` // 0: no API token
	Action  string          `json:"action"`   // "monitor.update"
	Detail  json.RawMessage `json:"detail"`   // what changed, or null
}

// TokenPair is the answer of log-in and refresh.
type TokenPair struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"` // "Bearer"
	ExpiresIn    int64  `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token"`
}

// Session is a log-in of the web app. Cookie is the whole value of its cookie.
type Session struct {
	Cookie string
	// Persistent: the cookie outlives the browser, until ExpiresAt; using the
	// session moves that.
	Persistent bool
	ExpiresAt  time.Time
	User       UserView
	// Ticket is all that there is of a log-in that still needs a one-time code; see
	// LoginTicket.
	Ticket string
}

// Client is where a request comes from.
type Client struct {
	Address   string // IP
	UserAgent string
}

// SetupInput makes the first owner.
type SetupInput struct {
	Email        string `json:"email"`
	Password     string `json:"password"`
	Name         string `json:"name"`
	InstanceName string `json:"instance_name"`
	TimeZone     string `json:"time_zone"`
	SetupToken   string `json:"setup_token"`

	// Trusted: the caller saw that the request comes from the machine itself,
	// so that no set-up token is needed.
	Trusted bool   `json:"-"`
	Client  Client `json:"-"`

	bySettings bool // no person gave it
}

// LoginInput logs a person in.
type LoginInput struct {
	Email    string `json:"email"`
	Password string `json:"password"`
	TOTP     string `json:"totp"`

	Remember bool   `json:"-"` // of a web session: for RefreshTTL, else for a day
	Client   Client `json:"-"`
}

// InviteInput accepts an invitation.
type InviteInput struct {
	Token    string
	Name     string // "": as invited
	Password string
	TimeZone string // "": as invited
	Client   Client
}

// Vitals is how the program itself is doing.
type Vitals struct {
	ChecksPerSecond float64
	// Lateness of checks: start minus slot.
	LatenessP50, LatenessP99 time.Duration
	Roles                    []RoleHealth
}

// RoleHealth counts the processes of a role.
type RoleHealth struct {
	Role      string `json:"role"`
	Instances int    `json:"instances"`
	Healthy   int    `json:"healthy"`
}

// OverviewView is the answer of GET /overview.
type OverviewView struct {
	Monitors        Counts       `json:"monitors"`
	OpenIncidents   int64        `json:"open_incidents"` // all unresolved ones
	ChecksPerSecond float64      `json:"checks_per_second"`
	LatenessMS      LatenessView `json:"lateness_ms"`
	Roles           []RoleHealth `json:"roles"`
	// Conditions are about the program itself, not about what it watches.
	Conditions []ConditionView `json:"conditions"`
}

// ConditionView is something that is not as it should be.
type ConditionView struct {
	Name   string `json:"name"`
	Detail string `json:"detail"`
}

// LatenessView is in milliseconds.
type LatenessView struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}
