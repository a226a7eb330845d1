package web

import (
	"context"
	"encoding/json"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// useCases is what a person may do, as pages need it: package manage.
type useCases interface {
	gate
	provider
	passkeyLogins
	invitations
	account
	instance
	settings
	monitorLists
	savedViews
	monitors
	monitorChecks
	monitorExtras
	bulk
	figures
	incidents
	incidentDesk
	incidentChanges
	channels
	deliveries
	kinds
	finder
	walls
}

// Use cases of people who are not logged in yet.
type gate interface {
	NeedsSetup(ctx context.Context) (bool, error)
	SetupSession(ctx context.Context, in manage.SetupInput) (manage.Session, error)
	LoginSession(ctx context.Context, in manage.LoginInput) (manage.Session, error)
	ActorOfSession(ctx context.Context, cookie, address string) (uptime.Actor, *manage.Session, error)
	LoginTicket(ctx context.Context, ticket, code string, client manage.Client) (manage.Session, error)
	LogoutActor(ctx context.Context, actor uptime.Actor) error
}

// Log-in by OpenID Connect.
type provider interface {
	// OIDCName is what the provider is called, "" where there is none.
	OIDCName() string
	StartOIDC(ctx context.Context, next string) (manage.OIDCStart, error)
	LoginOIDC(ctx context.Context, in manage.OIDCInput) (session manage.Session, next string, err error)
}

type resets interface {
	CanReset() bool
	RequestReset(ctx context.Context, email string, client manage.Client) error
	ResetOf(ctx context.Context, token string) (manage.UserView, error)
	Reset(ctx context.Context, in manage.ResetInput) error
}

type invitations interface {
	resets

	Invited(ctx context.Context, invite string) (manage.InvitationView, error)
	JoinWorkspace(ctx context.Context, actor uptime.Actor, invite, currentPassword string) error
	AcceptInvite(ctx context.Context, in manage.InviteInput) (manage.Session, error)
}

type sessions interface {
	OwnSessions(ctx context.Context, actor uptime.Actor) (uptime.List[manage.SessionView], error)
	EndOwnSession(ctx context.Context, actor uptime.Actor, id string) error
	LogoutOthers(ctx context.Context, actor uptime.Actor) error
}

type factors interface {
	NewTOTP(ctx context.Context, actor uptime.Actor) (manage.TOTPView, error)
	TOTPOf(ctx context.Context, actor uptime.Actor, secret string) (manage.TOTPView, error)
	NewRecoveryCodes(ctx context.Context, actor uptime.Actor, currentPassword string) (manage.RecoveryView, error)
}

// passkeyLogins are those of people who are not logged in yet.
type passkeyLogins interface {
	BeginPasskeyLogin(ctx context.Context, party uptime.RelyingParty) (manage.Ceremony, error)
	LoginPasskey(ctx context.Context, in manage.PasskeyAnswer) (manage.Session, error)
	TicketPasskeys(ctx context.Context, ticket string, party uptime.RelyingParty) bool
	BeginPasskeyFactor(ctx context.Context, ticket string, party uptime.RelyingParty) (manage.Ceremony, error)
	LoginTicketPasskey(ctx context.Context, ticket string, in manage.PasskeyAnswer) (manage.Session, error)
}

type passkeys interface {
	OwnPasskeys(ctx context.Context, actor uptime.Actor) (uptime.List[manage.PasskeyView], error)
	BeginPasskey(ctx context.Context, actor uptime.Actor, in manage.NewPasskey) (manage.Ceremony, error)
	CreatePasskey(ctx context.Context, actor uptime.Actor, in manage.PasskeyAnswer) (manage.PasskeyView, error)
	RenamePasskey(ctx context.Context, actor uptime.Actor, id int64, name string) error
	DeletePasskey(ctx context.Context, actor uptime.Actor, id int64) error
}

type auditLog interface {
	LastChange(ctx context.Context, actor uptime.Actor, object string, id int64) (manage.ChangeView, error)
	AuditLog(ctx context.Context, actor uptime.Actor, f uptime.AuditFilter, p uptime.Page) (uptime.List[manage.AuditView], error)
}

type workspaces interface {
	Workspace(ctx context.Context, actor uptime.Actor) (uptime.Workspace, error)
	Workspaces(ctx context.Context, actor uptime.Actor) (uptime.List[manage.WorkspaceView], error)
	CreateWorkspace(ctx context.Context, actor uptime.Actor, body json.RawMessage) (manage.WorkspaceView, error)
	UpdateWorkspace(ctx context.Context, actor uptime.Actor, id int64, patch json.RawMessage) (manage.WorkspaceView, error)
	DeleteWorkspace(ctx context.Context, actor uptime.Actor, id int64) error
	EnterWorkspace(ctx context.Context, actor uptime.Actor, id int64) error
}

type people interface {
	Users(ctx context.Context, actor uptime.Actor, p uptime.Page) (uptime.List[manage.UserView], error)
	User(ctx context.Context, actor uptime.Actor, id int64) (manage.UserView, error)
	CreateUser(ctx context.Context, actor uptime.Actor, body json.RawMessage) (view manage.UserView, invite string, err error)
	UpdateUser(ctx context.Context, actor uptime.Actor, id int64, patch json.RawMessage, ifMatch string) (manage.UserView, error)
	DeleteUser(ctx context.Context, actor uptime.Actor, id int64) error
}

type tokens interface {
	Tokens(ctx context.Context, actor uptime.Actor, p uptime.Page) (uptime.List[manage.TokenView], error)
	CreateToken(ctx context.Context, actor uptime.Actor, body json.RawMessage) (manage.TokenView, error)
	DeleteToken(ctx context.Context, actor uptime.Actor, id int64) error
}

type account interface {
	workspaces
	tokens
	people
	auditLog
	factors
	passkeys
	sessions

	StillAllowed(ctx context.Context, actor uptime.Actor) (uptime.Actor, error)
	OpenStream(actor uptime.Actor) (end func(), err error)
	Me(ctx context.Context, actor uptime.Actor) (manage.UserView, error)
	UpdateMe(ctx context.Context, actor uptime.Actor, patch json.RawMessage, ifMatch string) (manage.UserView, error)
	Can(actor uptime.Actor, action manage.Action) bool
}

type instance interface {
	Instance(ctx context.Context) (uptime.Workspace, error)
	Counts(ctx context.Context, actor uptime.Actor) (manage.Counts, error)
}

// settings are chosen for everybody.
type settings interface {
	MonitorDefaults(ctx context.Context, actor uptime.Actor) (manage.MonitorDefaultsView, error)
	ReplaceMonitorDefaults(ctx context.Context, actor uptime.Actor, body json.RawMessage, ifMatch string) (manage.MonitorDefaultsView, error)
	ReplacedDefaults(ctx context.Context, actor uptime.Actor, change int64) (json.RawMessage, error)
	Retention(ctx context.Context, actor uptime.Actor) (manage.RetentionView, error)
	ReplaceRetention(ctx context.Context, actor uptime.Actor, body json.RawMessage, ifMatch string) (manage.RetentionView, error)
	about
}

type about interface {
	Storage(ctx context.Context, actor uptime.Actor) (manage.StorageView, error)
	About(ctx context.Context, actor uptime.Actor) (manage.AboutView, error)
}

type monitorLists interface {
	Monitors(ctx context.Context, actor uptime.Actor, f uptime.MonitorFilter, p uptime.Page) (uptime.List[manage.MonitorView], error)
	CountMonitors(ctx context.Context, actor uptime.Actor, f uptime.MonitorFilter) (int64, error)
	TagsAndGroups(ctx context.Context, actor uptime.Actor) (manage.TagsAndGroups, error)
	Facets(ctx context.Context, actor uptime.Actor, f uptime.MonitorFilter) (manage.FacetsView, error)
	Groups(ctx context.Context, actor uptime.Actor, f uptime.MonitorFilter, limit, offset int) ([]manage.GroupView, int64, error)
	GroupHeads(ctx context.Context, actor uptime.Actor, f uptime.MonitorFilter, limit, offset int) ([]manage.GroupView, int64, error)
	ExpiringCertificates(ctx context.Context, actor uptime.Actor, within time.Duration) ([]manage.MonitorView, error)
}

type savedViews interface {
	Views(ctx context.Context, actor uptime.Actor) (uptime.List[manage.SavedView], error)
	CreateView(ctx context.Context, actor uptime.Actor, body json.RawMessage) (manage.SavedView, error)
	DeleteView(ctx context.Context, actor uptime.Actor, id int64) error
}

type monitors interface {
	Monitor(ctx context.Context, actor uptime.Actor, id int64) (manage.MonitorView, error)
	CreateMonitor(ctx context.Context, actor uptime.Actor, body json.RawMessage) (manage.MonitorView, error)
	ReplaceMonitor(ctx context.Context, actor uptime.Actor, id int64, body json.RawMessage, ifMatch string) (manage.MonitorView, error)
	DeleteMonitor(ctx context.Context, actor uptime.Actor, id int64, ifMatch string) error
	MonitorChanges(ctx context.Context, actor uptime.Actor, id int64, p uptime.Page) (uptime.List[manage.MonitorChangeView], error)
}

type monitorChecks interface {
	PauseMonitor(ctx context.Context, actor uptime.Actor, id int64) (manage.MonitorView, error)
	ResumeMonitor(ctx context.Context, actor uptime.Actor, id int64) (manage.MonitorView, error)
	CheckNow(ctx context.Context, actor uptime.Actor, id int64) (manage.ResultView, error)
	TestMonitor(ctx context.Context, actor uptime.Actor, body json.RawMessage) (manage.MonitorTestView, error)
	ValidateMonitor(ctx context.Context, actor uptime.Actor, id int64, body json.RawMessage) error
}

type monitorExtras interface {
	SilenceMonitor(ctx context.Context, actor uptime.Actor, id int64, body json.RawMessage) (manage.MonitorView, error)
	UnsilenceMonitor(ctx context.Context, actor uptime.Actor, id int64) (manage.MonitorView, error)
	RestoreMonitor(ctx context.Context, actor uptime.Actor, id int64) (manage.MonitorView, error)
	DeletedMonitors(ctx context.Context, actor uptime.Actor) (uptime.List[manage.DeletedMonitorView], error)
	CopyMonitor(ctx context.Context, actor uptime.Actor, id int64, body json.RawMessage) (manage.MonitorView, error)
}

type bulk interface {
	BulkMonitors(ctx context.Context, actor uptime.Actor, body json.RawMessage) (manage.BulkJobView, error)
	BulkJob(ctx context.Context, actor uptime.Actor, id int64) (manage.BulkJobView, error)
	UndoBulk(ctx context.Context, actor uptime.Actor, id int64) (manage.BulkJobView, error)
}

type figures interface {
	Result(ctx context.Context, actor uptime.Actor, id int64, region string, slot time.Time) (manage.ResultView, error)
	Results(ctx context.Context, actor uptime.Actor, id int64, f uptime.ResultFilter, p uptime.Page) (uptime.List[manage.ResultView], error)
	Stats(ctx context.Context, actor uptime.Actor, id int64, q manage.StatsQuery) (manage.StatsView, error)
	Availability(ctx context.Context, actor uptime.Actor, id int64, lengths ...time.Duration) ([]uptime.Availability, error)
	Glances(ctx context.Context, actor uptime.Actor, ids []int64, q uptime.GlanceQuery) (map[int64]uptime.Glance, error)
	Buckets(ctx context.Context, actor uptime.Actor, ids []int64, from, to time.Time, width time.Duration) (map[int64][]uptime.Bucket, error)
}

type incidents interface {
	Incidents(ctx context.Context, actor uptime.Actor, f uptime.IncidentFilter, p uptime.Page) (uptime.List[manage.IncidentView], error)
	CountIncidents(ctx context.Context, actor uptime.Actor, f uptime.IncidentFilter) (int64, error)
	Incident(ctx context.Context, actor uptime.Actor, id int64) (manage.IncidentView, error)
	IncidentEdits(ctx context.Context, actor uptime.Actor, id int64) ([]manage.AuditView, error)
	MonitorsOf(ctx context.Context, actor uptime.Actor, ids []int64) ([]manage.MonitorView, error)
	IncidentSpans(ctx context.Context, actor uptime.Actor, monitorID int64, from, to time.Time) ([]uptime.IncidentSpan, error)
}

type incidentDesk interface {
	CreateIncident(ctx context.Context, actor uptime.Actor, body json.RawMessage) (manage.IncidentView, error)
	PatchIncident(ctx context.Context, actor uptime.Actor, id int64, patch json.RawMessage, ifMatch string) (manage.IncidentView, error)
	DeleteIncident(ctx context.Context, actor uptime.Actor, id int64, ifMatch string) error
	RestoreIncident(ctx context.Context, actor uptime.Actor, id int64) (manage.IncidentView, error)
	Assignees(ctx context.Context, actor uptime.Actor) (uptime.List[manage.PersonView], error)
}

type incidentChanges interface {
	AcknowledgeIncident(ctx context.Context, actor uptime.Actor, id int64, body json.RawMessage) (manage.IncidentView, error)
	ResolveIncident(ctx context.Context, actor uptime.Actor, id int64, body json.RawMessage) (manage.IncidentView, error)
	AddIncidentUpdate(ctx context.Context, actor uptime.Actor, id int64, body json.RawMessage) (manage.IncidentView, error)
	PatchIncidentUpdate(ctx context.Context, actor uptime.Actor, id, line int64, patch json.RawMessage, ifMatch string) (manage.IncidentView, error)
	DeleteIncidentUpdate(ctx context.Context, actor uptime.Actor, id, line int64, ifMatch string) error
}

type channels interface {
	Channels(ctx context.Context, actor uptime.Actor, p uptime.Page) (uptime.List[manage.ChannelView], error)
	Channel(ctx context.Context, actor uptime.Actor, id int64) (manage.ChannelView, error)
	CreateChannel(ctx context.Context, actor uptime.Actor, body json.RawMessage) (manage.ChannelView, error)
	PatchChannel(ctx context.Context, actor uptime.Actor, id int64, patch json.RawMessage, ifMatch string) (manage.ChannelView, error)
	DeleteChannel(ctx context.Context, actor uptime.Actor, id int64, ifMatch string) error
}

type deliveries interface {
	ValidateChannel(ctx context.Context, actor uptime.Actor, id int64, body json.RawMessage) error
	TestChannel(ctx context.Context, actor uptime.Actor, id int64) (manage.ChannelTestView, error)
	Deliveries(ctx context.Context, actor uptime.Actor, f uptime.DeliveryFilter, p uptime.Page) (uptime.List[manage.DeliveryView], error)
	RetryDelivery(ctx context.Context, actor uptime.Actor, id int64) (manage.DeliveryView, error)
}

type finder interface {
	Search(ctx context.Context, actor uptime.Actor, words string, limit int) (uptime.List[manage.FoundView], error)
	FoundByID(ctx context.Context, actor uptime.Actor, ids uptime.FindIDs) ([]manage.FoundView, error)
	Neighbour(ctx context.Context, actor uptime.Actor, id int64, f uptime.MonitorFilter, before bool) (int64, error)
}

type walls interface {
	Wall(ctx context.Context, actor uptime.Actor, tag, group string) (manage.WallView, error)
	SharedWall(ctx context.Context, secret string, client manage.Client) (manage.WallView, error)
	WallShares(ctx context.Context, actor uptime.Actor, p uptime.Page) (uptime.List[manage.WallShareView], error)
	CreateWallShare(ctx context.Context, actor uptime.Actor, body json.RawMessage) (manage.WallShareView, error)
	DeleteWallShare(ctx context.Context, actor uptime.Actor, id int64) error
}

type kinds interface {
	MonitorKinds() []uptime.Kind
	ChannelKinds() []uptime.Kind
}

var _ useCases = (*manage.Manage)(nil)
