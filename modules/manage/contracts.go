package manage

import (
	"context"
	"encoding/json"
	"time"

	"monitor/modules/uptime"
)

// The contracts below are what this package asks of the store; see
// uptime.ErrNotFound, ErrConflict and ErrUnavailable for their errors.

type monitorStore interface {
	CreateMonitor(ctx context.Context, m uptime.Monitor, audit *uptime.Audit) (uptime.Monitor, error)
	Monitor(ctx context.Context, ws, id int64) (uptime.Monitor, error)
	UpdateMonitor(ctx context.Context, ws, id int64, mutate func(*uptime.Monitor) error, audit *uptime.Audit) (uptime.Monitor, error)
	DeleteMonitor(ctx context.Context, ws, id int64, audit *uptime.Audit) error
	RestoreMonitor(ctx context.Context, ws, id int64, audit *uptime.Audit) (uptime.Monitor, error)
}

type trash interface {
	// DeletedMonitors lists those that RestoreMonitor brings back, the last deleted first.
	DeletedMonitors(ctx context.Context, ws int64, limit int) ([]uptime.Monitor, error)
}

type silenceStore interface {
	// SilenceMonitor silences until silence.Until, or ends the silence where that is zero.
	SilenceMonitor(ctx context.Context, ws, id int64, silence uptime.Silence, audit *uptime.Audit) (uptime.Monitor, error)
}

// bulkJobs are jobs on many monitors, and what they are about.
type bulkJobs interface {
	CreateBulkJob(ctx context.Context, j uptime.BulkJob, audit *uptime.Audit) (uptime.BulkJob, error)
	BulkJob(ctx context.Context, ws, id int64) (uptime.BulkJob, error)
	SkippedOfBulk(ctx context.Context, jobID int64, limit int) ([]uptime.BulkItem, error)
	MonitorIDs(ctx context.Context, ws int64, f uptime.MonitorFilter, limit int) ([]int64, error)
	MonitorsOf(ctx context.Context, ws int64, ids []int64) ([]uptime.Monitor, error)
}

// bulkWork is how they are done.
type bulkWork interface {
	// ClaimBulkJob gives ErrNotFound where no job waits.
	ClaimBulkJob(ctx context.Context, lease time.Duration) (uptime.BulkJob, error)
	ReleaseBulkJob(ctx context.Context, j uptime.BulkJob) error
	// StepBulk gives ErrStale when another process holds the job by now.
	StepBulk(ctx context.Context, j uptime.BulkJob, changes []uptime.BulkChange, lease time.Duration) (after uptime.BulkJob, changed []int64, err error)
	UndoableOfBulk(ctx context.Context, jobID int64) ([]int64, error)
	UndoOfBulk(ctx context.Context, jobID int64, ids []int64) ([]uptime.BulkItem, error)
}

type monitorLists interface {
	MonitorByKey(ctx context.Context, ws int64, externalKey string) (uptime.Monitor, error)
	Monitors(ctx context.Context, ws int64, f uptime.MonitorFilter, p uptime.Page) (uptime.List[uptime.Monitor], error)
	CountMonitors(ctx context.Context, ws int64, f uptime.MonitorFilter) (int64, error)
	StatusCounts(ctx context.Context, ws int64) (uptime.StatusCounts, error)
	TagsAndGroups(ctx context.Context, ws int64) (tags map[string][]string, groups []string, err error)
	ExpiringMonitors(ctx context.Context, ws int64, before time.Time, limit int) ([]uptime.Monitor, error)
}

// groupStore is how monitors are spread.
type groupStore interface {
	Facets(ctx context.Context, ws int64, f uptime.MonitorFilter) (uptime.Facets, error)
	StatusCountsOf(ctx context.Context, ws int64, f uptime.MonitorFilter) (uptime.StatusCounts, error)
	// Groups lists groups of monitors with rows of them, and counts all groups.
	Groups(ctx context.Context, ws int64, f uptime.MonitorFilter, limit, offset int) ([]uptime.MonitorGroup, int64, error)
	// GroupHeads is Groups without rows.
	GroupHeads(ctx context.Context, ws int64, f uptime.MonitorFilter, limit, offset int) ([]uptime.MonitorGroup, int64, error)
}

type viewStore interface {
	Views(ctx context.Context, ws, userID int64) ([]uptime.SavedView, error)
	// View gives one that the person is shown.
	View(ctx context.Context, ws, userID, id int64) (uptime.SavedView, error)
	CreateView(ctx context.Context, v uptime.SavedView, audit *uptime.Audit) (uptime.SavedView, error)
	DeleteView(ctx context.Context, ws, id int64, audit *uptime.Audit) error
}

// finder finds monitors, incidents and channels in other ways than by lists.
type finder interface {
	Find(ctx context.Context, ws int64, words string, limit int) (uptime.Finds, error)
	FindByID(ctx context.Context, ws int64, ids uptime.FindIDs) (uptime.Finds, error)
	Neighbour(ctx context.Context, ws, id int64, f uptime.MonitorFilter, before bool) (int64, error)
	Tiles(ctx context.Context, ws int64, f uptime.MonitorFilter, limit int) ([]uptime.Tile, error)
}

type wallShareStore interface {
	// CreateWallShare gives ErrConflict when the workspace has most of them.
	CreateWallShare(ctx context.Context, w uptime.WallShare, most int, audit *uptime.Audit) (uptime.WallShare, error)
	WallShares(ctx context.Context, ws int64, p uptime.Page) (uptime.List[uptime.WallShare], error)
	WallShareByHash(ctx context.Context, hash string) (uptime.WallShare, error)
	DeleteWallShare(ctx context.Context, ws, id int64, audit *uptime.Audit) error
	TouchWallShare(ctx context.Context, id int64, at time.Time) error
}

type resultStore interface {
	Result(ctx context.Context, ws, monitorID int64, region string, slot time.Time) (uptime.Result, error)
	Results(ctx context.Context, ws, monitorID int64, f uptime.ResultFilter, p uptime.Page) (uptime.List[uptime.Result], error)
	Missed(ctx context.Context, ws, monitorID int64, from, to time.Time) ([]uptime.MissedRange, error)
	Stats(ctx context.Context, ws, monitorID int64, from, to time.Time) (uptime.Stats, error)
	Availability(ctx context.Context, ws, monitorID int64, lengths []time.Duration) ([]uptime.Availability, error)
	Glances(ctx context.Context, ws int64, monitorIDs []int64, q uptime.GlanceQuery) (map[int64]uptime.Glance, error)
	Buckets(ctx context.Context, ws int64, monitorIDs []int64, from, to time.Time, width time.Duration) (map[int64][]uptime.Bucket, error)
}

type incidentStore interface {
	Incident(ctx context.Context, ws, id int64) (uptime.Incident, error)
	Incidents(ctx context.Context, ws int64, f uptime.IncidentFilter, p uptime.Page) (uptime.List[uptime.Incident], error)
	CountIncidents(ctx context.Context, ws int64, f uptime.IncidentFilter) (int64, error)
	IncidentSpans(ctx context.Context, ws, monitorID int64, from, to time.Time, limit int) ([]uptime.IncidentSpan, error)
	CreateIncident(ctx context.Context, i uptime.Incident, audit *uptime.Audit) (uptime.Incident, error)
	UpdateIncident(ctx context.Context, ws, id int64, mutate func(*uptime.Incident) (updates []uptime.IncidentUpdate, events []uptime.Event, err error), audit *uptime.Audit) (uptime.Incident, error)
}

// incidentDesk is what else the store knows of incidents.
type incidentDesk interface {
	DeleteIncident(ctx context.Context, ws, id int64, check func(uptime.Incident) error, audit *uptime.Audit) error
	RestoreIncident(ctx context.Context, ws, id int64, audit *uptime.Audit) (uptime.Incident, error)
	// MonitorsOf gives the living monitors among ids, by id.
	MonitorsOf(ctx context.Context, ws int64, ids []int64) ([]uptime.Monitor, error)
}

type channelStore interface {
	CreateChannel(ctx context.Context, c uptime.Channel, audit *uptime.Audit) (uptime.Channel, error)
	Channel(ctx context.Context, ws, id int64) (uptime.Channel, error)
	UpdateChannel(ctx context.Context, ws, id int64, mutate func(*uptime.Channel) error, audit *uptime.Audit) (uptime.Channel, error)
	DeleteChannel(ctx context.Context, ws, id int64, audit *uptime.Audit) error
	Channels(ctx context.Context, ws int64, p uptime.Page) (uptime.List[uptime.Channel], error)
}

type channelDefaults interface {
	DefaultChannelIDs(ctx context.Context, ws int64) ([]int64, error)
}

type deliveryStore interface {
	Deliveries(ctx context.Context, ws int64, f uptime.DeliveryFilter, p uptime.Page) (uptime.List[uptime.Delivery], error)
	RetryDelivery(ctx context.Context, ws, id int64, audit *uptime.Audit) (uptime.Delivery, error)
}

type workspaceStore interface {
	EnsureWorkspace(ctx context.Context, name string) (uptime.Workspace, error)
	Workspace(ctx context.Context, ws int64) (uptime.Workspace, error)
	Workspaces(ctx context.Context) ([]uptime.Workspace, error)
	Memberships(ctx context.Context, userID int64) ([]uptime.Membership, error)
	CreateWorkspace(ctx context.Context, w uptime.Workspace, ownerID int64, audit *uptime.Audit) (uptime.Workspace, error)
	UpdateWorkspace(ctx context.Context, ws int64, mutate func(*uptime.Workspace) error, audit *uptime.Audit) (uptime.Workspace, error)
	DeleteWorkspace(ctx context.Context, ws int64, audit *uptime.Audit) error
	EnterWorkspace(ctx context.Context, userID, ws int64, family string) error
}

// settingStore keeps what people choose on pages.
type settingStore interface {
	Setting(ctx context.Context, ws int64, name string) (uptime.Setting, error)
	ChangeSetting(ctx context.Context, ws int64, name string, mutate func(*uptime.Setting) error, audit *uptime.Audit) (uptime.Setting, error)
	Storage(ctx context.Context) (uptime.Storage, error)
}

type userStore interface {
	User(ctx context.Context, ws, id int64) (uptime.User, error)
	UserByEmail(ctx context.Context, email string) (uptime.User, error)
	UserByInvite(ctx context.Context, hash string) (uptime.User, error)
	UserByReset(ctx context.Context, hash string) (uptime.User, error)
	Users(ctx context.Context, ws int64, p uptime.Page) (uptime.List[uptime.User], error)
	CountUsers(ctx context.Context) (int64, error)
}

type userChanges interface {
	CreateFirstOwner(ctx context.Context, u uptime.User, w uptime.Workspace, audit *uptime.Audit) (uptime.User, error)
	CreateUser(ctx context.Context, u uptime.User, audit *uptime.Audit) (uptime.User, error)
	UpdateUser(ctx context.Context, ws, id int64, mutate func(*uptime.User) error, audit *uptime.Audit) (uptime.User, error)
	DeleteUser(ctx context.Context, ws, id int64, audit *uptime.Audit) error
	TouchUser(ctx context.Context, id int64, at time.Time) error
}

type sessionStore interface {
	SaveRefreshToken(ctx context.Context, t uptime.RefreshToken, passwordHash string) error
	RotateRefreshToken(ctx context.Context, hash string, next uptime.RefreshToken) (old uptime.RefreshToken, reused bool, err error)
	RefreshFamily(ctx context.Context, family string) (uptime.RefreshToken, error)
	Sessions(ctx context.Context, userID int64, limit int) ([]uptime.RefreshToken, error)
	TouchSession(ctx context.Context, family, address string, seen time.Time) error
	EndFamily(ctx context.Context, family string) error
	EndFamilies(ctx context.Context, userID int64, except string) error
}

type tokenStore interface {
	CreateAPIToken(ctx context.Context, t uptime.APIToken, audit *uptime.Audit) (uptime.APIToken, error)
	APITokens(ctx context.Context, ws int64, p uptime.Page) (uptime.List[uptime.APIToken], error)
	APITokenByHash(ctx context.Context, hash string) (uptime.APIToken, uptime.User, error)
	DeleteAPIToken(ctx context.Context, ws, id int64, audit *uptime.Audit) error
	TouchAPIToken(ctx context.Context, id int64, at time.Time) error
}

type passkeyStore interface {
	// PasskeyHandle gives what names the user to authenticators: fresh, where they
	// have nothing yet.
	PasskeyHandle(ctx context.Context, userID int64, fresh []byte) ([]byte, error)
	Passkeys(ctx context.Context, userID int64) ([]uptime.Passkey, error)
	PasskeyByCredential(ctx context.Context, credentialID []byte) (uptime.Passkey, error)
	// CreatePasskey gives ErrStale when the challenge was used before, or the password
	// is not that of the hash any more.
	CreatePasskey(ctx context.Context, k uptime.Passkey, used uptime.UsedChallenge, passwordHash string, audit *uptime.Audit) (uptime.Passkey, error)
	// UsePasskey gives ErrStale when the challenge was used before, ErrConflict when
	// the counter did not go up.
	UsePasskey(ctx context.Context, id int64, use uptime.PasskeyUse, audit *uptime.Audit) error
}

type passkeyChanges interface {
	RenamePasskey(ctx context.Context, userID, id int64, name string, audit *uptime.Audit) error
	DeletePasskey(ctx context.Context, userID, id int64, audit *uptime.Audit) error
}

type auditStore interface {
	// WriteAudit adds a line of its own to the audit log: of what changes no
	// object.
	WriteAudit(ctx context.Context, audit uptime.Audit) error
	AuditLog(ctx context.Context, ws int64, f uptime.AuditFilter, p uptime.Page) (uptime.List[uptime.AuditLine], error)
}

// passwords hashes with a bounded number of hashes at once; each method may
// wait for its turn until ctx ends.
type passwords interface {
	Hash(ctx context.Context, password string) (string, error)
	Verify(ctx context.Context, password, hash string) (bool, error)
	// VerifyNothing costs what Verify does: for accounts that do not exist.
	VerifyNothing(ctx context.Context, password string) error
}

// oneTimeCodes are those of a second factor.
type oneTimeCodes interface {
	NewSecret() string
	Usable(secret string) bool
	// URL is what an authenticator app reads.
	URL(secret, issuer, account string) string
	// Step gives the time step whose code this is, of about now; false for none.
	Step(secret, code string, now time.Time) (step int64, ok bool)
}

// passkeys is what browsers are asked and how their answers are judged (WebAuthn).
// Options and answers are the JSON that browsers read and write.
type passkeys interface {
	// Creation asks for a new passkey, on no authenticator that holds one of have.
	Creation(party uptime.RelyingParty, user uptime.User, handle []byte, have []uptime.Passkey) (options json.RawMessage, challenge string, err error)
	Created(party uptime.RelyingParty, challenge string, handle, answer []byte) (uptime.Passkey, error)
	// Request asks for one of allow, or without any for whichever there is.
	Request(party uptime.RelyingParty, allow []uptime.Passkey) (options json.RawMessage, challenge string, err error)
	// Named gives which passkey answers, unproved.
	Named(answer []byte) (credentialID, handle []byte, err error)
	// Verify judges all of an answer but its count. A key without PublicKey costs the
	// same and is refused.
	Verify(party uptime.RelyingParty, challenge string, key uptime.Passkey, answer []byte) (uptime.PasskeyUse, error)
}

type accessTokens interface {
	Sign(claims uptime.AccessClaims) (string, error)
	// Parse gives the claims of a token that was signed here, is meant for here
	// and has not ended at now; any error means that it is not to be trusted.
	Parse(token string, now time.Time) (uptime.AccessClaims, error)
}

type secrets interface {
	// New gives prefix followed by 256 unguessable bits in letters and digits,
	// and the hash to be stored of it.
	New(prefix string) (secret, hash string)
	Hash(secret string) string
}

type jobQueue interface {
	Push(ctx context.Context, jobs []uptime.Job) error
}

// endpoints tells how the endpoints of channels do in this process.
type endpoints interface {
	Endpoints() []uptime.EndpointState
}

type vitals interface {
	Vitals(ctx context.Context) (Vitals, error)
}

// keyStore keeps which keys are in use, and by whom.
type keyStore interface {
	KeyRing(ctx context.Context) (uptime.KeyRing, error)
	HoldKeys(ctx context.Context, h uptime.KeyHolder, keys []uptime.SealKey, alone bool, judge func(uptime.KeyRing) error) error
	SeeHolder(ctx context.Context, h uptime.KeyHolder) (ids []string, err error)
	LeaveKeys(ctx context.Context, member string) error
	DropKeys(ctx context.Context, choose func(uptime.KeyRing) ([]string, error)) error
}

// sealedStore gives all that is sealed, of all workspaces.
type sealedStore interface {
	SealedRows(ctx context.Context, table uptime.SealedTable, after uptime.SealedRow, limit int) ([]uptime.SealedRow, error)
	Reseal(ctx context.Context, table uptime.SealedTable, rows []uptime.Resealed) (changed int, err error)
	DropSealed(ctx context.Context, table uptime.SealedTable, row uptime.SealedRow, audit *uptime.Audit) (dropped bool, err error)
}

// keyring tells by which key a value is sealed, beside uptime.Sealer.
type keyring interface {
	SealBy(id string, place uptime.SecretPlace, secret string) (string, error)
	// Known are the ids of all keys, the one that new values are sealed by first.
	Known() []string
	KeyOf(value string) (id string, ok bool)
	KeysIn(text string) []string
}
