package manage

import (
	"context"
	"log/slog"
	"time"

	"monitor/modules/uptime"
)

// Config is what the settings say of people and monitors.
type Config struct {
	MinInterval time.Duration // shortest interval of a monitor that may be set
	AccessTTL   time.Duration // of access tokens
	RefreshTTL  time.Duration // of refresh tokens and of remembered web sessions
	// SetupToken lets a stranger make the first owner. It is never empty.
	SetupToken string
	// PublicURL is the address of the pages without a slash at its end, "" where it
	// is not known. Links in mails begin with it: what a request says its address
	// were may be a stranger's.
	PublicURL string
	OIDC      OIDCConfig // used with a Provider
	Retention RetentionConfig
	Build     Build
}

// Deps is what New needs; all of it is required but where a nil is explained. One store stands behind the
// contracts of the first two blocks.
type Deps struct {
	Monitors     monitorStore
	MonitorLists monitorLists
	Groups       groupStore
	Views        viewStore
	Silences     silenceStore
	Trash        trash
	Bulk         bulkJobs
	BulkWork     bulkWork
	Finder       finder
	WallShares   wallShareStore
	Results      resultStore
	Incidents    incidentStore
	IncidentDesk incidentDesk
	Channels     channelStore
	Defaults     channelDefaults
	Deliveries   deliveryStore
	Workspaces   workspaceStore
	Settings     settingStore
	Users        userStore
	UserChanges  userChanges
	Identities   identityStore
	Sessions     sessionStore
	Tokens       tokenStore
	AuditLog     auditStore
	// Keys, Sealed and Keyring are for who holds keys and seals anew; nil where nobody does.
	Keys   keyStore
	Sealed sealedStore

	PasskeyStore   passkeyStore
	PasskeyChanges passkeyChanges

	ProbeKinds   uptime.Catalog
	ChannelKinds uptime.Catalog
	Prober       uptime.Prober
	Sender       uptime.Sender
	Sealer       uptime.Sealer
	Keyring      keyring
	Passwords    passwords
	Codes        oneTimeCodes
	Passkeys     passkeys
	Access       accessTokens
	Secrets      secrets
	Bus          uptime.Bus
	Queue        jobQueue
	Limiter      uptime.Limiter
	Postman      uptime.Postman   // nil: there is no mail server
	Provider     identityProvider // nil: nobody logs in by OpenID Connect
	Vitals       vitals
	Endpoints    endpoints // nil: this process sends nothing
	// Conditions says what is not as it should be with the program itself; it
	// answers at once, asking nobody. nil: nothing ever is.
	Conditions func(ctx context.Context) []uptime.Condition

	Clock  uptime.Clock
	Random func() string // 26 unguessable base32 characters
	Log    *slog.Logger
	Config Config
}

// Manage is the use cases. Make it with New; it needs no closing.
type Manage struct {
	deps  Deps
	rules map[Action]rule
	// tests bounds the unsaved monitors and the channels under test.
	tests   chan struct{}
	streams streams
	// bulk wakes whoever does jobs on many monitors.
	bulk chan struct{}
}

// maxTests bounds how many tests by people run at once in a process: each may
// hold a body of a megabyte and a connection for as long as its timeout.
const maxTests = 8

// New gives the use cases over what deps names.
func New(deps Deps) *Manage {
	return &Manage{
		deps: deps, rules: rules(), tests: make(chan struct{}, maxTests), bulk: make(chan struct{}, 1),
		streams: streams{open: map[uptime.ActorKey]int{}},
	}
}

// conditions are those of now.
func (m *Manage) conditions(ctx context.Context) []uptime.Condition {
	if m.deps.Conditions == nil {
		return nil
	}
	return m.deps.Conditions(ctx)
}

// Program is the actor of the program itself and of commands at the machine.
func Program(workspaceID int64) uptime.Actor {
	return uptime.Actor{WorkspaceID: workspaceID, Role: uptime.RoleOwner, Name: "monitor"}
}
