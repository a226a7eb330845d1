package api

import (
	"net/http"
	"slices"
	"strings"
)

// access says who may call a route, and what its answer holds.
type access int

const (
	member access = 0         // a token is needed
	anyone access = 1 << iota // no token is asked for
	secret                    // the answer shows a secret once
)

func (a access) has(flag access) bool { return a&flag != 0 }

// route is one line of the table.
type route struct {
	method string
	path   string // below prefix
	access access
	tag    string
	title  string
	takes  string // schema of the body; "" none, with a ? at its end optional
	gives  string // schema of the answer, "" none
	status int
	query  []param
	handle func(*server, *call) (reply, error)
}

func (rt route) bodyOptional() bool { return strings.HasSuffix(rt.takes, "?") }

// routes is THE table of operations.
func routes() []route {
	return slices.Concat(peopleRoutes(), watchRoutes(), incidentRoutes(), instance())
}

func peopleRoutes() []route {
	const get, post, patch, del = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	const ok, made, none = http.StatusOK, http.StatusCreated, http.StatusNoContent
	return []route{
		{post, "/setup", anyone, "Access", "Set up the first owner", "SetupInput", "Setup", made, nil, (*server).setup},
		{post, "/auth/login", anyone, "Access", "Log in", "LoginInput", "TokenPair", ok, nil, (*server).login},
		{post, "/auth/refresh", anyone, "Access", "Swap a refresh token", "RefreshInput", "TokenPair", ok, nil, (*server).refresh},
		{post, "/auth/logout", member, "Access", "Log out", "RefreshInput?", "", none, nil, (*server).logout},

		{get, "/me", member, "People", "Read your profile", "", "User", ok, nil, (*server).me},
		{patch, "/me", member, "People", "Change your profile", "MePatch", "User", ok, nil, (*server).updateMe},
		{post, "/me/totp", member | secret, "People", "Get a secret for a second factor", "", "TOTP", ok, nil, (*server).newTOTP},
		{post, "/me/recovery-codes", member | secret, "People", "Replace your recovery codes", "RecoveryInput", "Recovery", ok, nil, (*server).newRecoveryCodes},
		{get, "/me/sessions", member, "People", "List your sessions", "", "SessionList", ok, nil, (*server).sessions},
		{del, "/me/sessions", member, "People", "Log out everywhere else", "", "", none, nil, (*server).endOtherSessions},
		{del, "/me/sessions/{id}", member, "People", "End one of your sessions", "", "", none, nil, (*server).endSession},
		{get, "/me/passkeys", member, "People", "List your passkeys", "", "PasskeyList", ok, nil, (*server).passkeys},
		{del, "/me/passkeys/{id}", member, "People", "Remove one of your passkeys", "", "", none, nil, (*server).deletePasskey},
		{get, "/workspaces", member, "People", "List your workspaces", "", "WorkspaceList", ok, nil, (*server).workspaces},
		{post, "/workspaces", member, "People", "Create a workspace", "WorkspaceInput", "Workspace", made, nil, (*server).createWorkspace},
		{patch, "/workspaces/{id}", member, "People", "Change the workspace you are in", "WorkspacePatch", "Workspace", ok, nil, (*server).updateWorkspace},
		{del, "/workspaces/{id}", member, "People", "Delete the workspace you are in", "", "", none, nil, (*server).deleteWorkspace},
		{post, "/workspaces/{id}/enter", member, "People", "Enter another workspace of yours", "", "", none, nil, (*server).enterWorkspace},
		{get, "/users", member, "People", "List users", "", "UserList", ok, paged(), (*server).users},
		{post, "/users", member | secret, "People", "Create a user", "UserInput", "NewUser", made, nil, (*server).createUser},
		{get, "/users/{id}", member, "People", "Read a user", "", "User", ok, nil, (*server).user},
		{patch, "/users/{id}", member, "People", "Change a user", "UserPatch", "User", ok, nil, (*server).updateUser},
		{del, "/users/{id}", member, "People", "Delete a user", "", "", none, nil, (*server).deleteUser},
		{get, "/tokens", member, "People", "List API tokens", "", "TokenList", ok, paged(), (*server).tokens},
		{post, "/tokens", member | secret, "People", "Create an API token", "TokenInput", "Token", made, nil, (*server).createToken},
		{del, "/tokens/{id}", member, "People", "Delete an API token", "", "", none, nil, (*server).deleteToken},
	}
}

func watchRoutes() []route {
	const get, post, put, patch, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete
	const ok, made, none = http.StatusOK, http.StatusCreated, http.StatusNoContent
	return []route{
		{get, "/monitors", member, "Monitors", "List monitors", "", "MonitorList", ok, monitorQuery(), (*server).monitors},
		{post, "/monitors", member, "Monitors", "Create a monitor", "MonitorInput", "Monitor", made, nil, (*server).createMonitor},
		{post, "/monitors/test", member, "Monitors", "Test an unsaved monitor", "MonitorInput", "MonitorTest", ok, nil, (*server).testMonitor},
		{post, "/monitors/bulk", member, "Monitors", "Do one thing to many monitors", "BulkInput", "BulkJob", http.StatusAccepted, nil, (*server).bulkMonitors},
		{get, "/bulk-jobs/{id}", member, "Monitors", "Read how far a job on many monitors is", "", "BulkJob", ok, nil, (*server).bulkJob},
		{post, "/bulk-jobs/{id}/undo", member, "Monitors", "Undo a job on many monitors", "", "BulkJob", http.StatusAccepted, nil, (*server).undoBulk},
		{put, "/monitors/by-key/{external_key}", member, "Monitors", "Create or replace a monitor by its key", "MonitorInput", "Monitor", ok, nil, (*server).upsertMonitor},
		{get, "/monitors/facets", member, "Monitors", "Count monitors by what they are", "", "Facets", ok, monitorConditions(), (*server).facets},
		{get, "/monitors/deleted", member, "Monitors", "List deleted monitors that can be restored", "", "DeletedMonitorList", ok, nil, (*server).deletedMonitors},
		{get, "/monitors/{id}", member, "Monitors", "Read a monitor", "", "Monitor", ok, nil, (*server).monitor},
		{put, "/monitors/{id}", member, "Monitors", "Replace a monitor", "MonitorInput", "Monitor", ok, nil, (*server).replaceMonitor},
		{patch, "/monitors/{id}", member, "Monitors", "Change a monitor", "MonitorPatch", "Monitor", ok, nil, (*server).patchMonitor},
		{del, "/monitors/{id}", member, "Monitors", "Delete a monitor", "", "", none, nil, (*server).deleteMonitor},
		{post, "/monitors/{id}/restore", member, "Monitors", "Restore a deleted monitor", "", "Monitor", ok, nil, (*server).restoreMonitor},
		{post, "/monitors/{id}/pause", member, "Monitors", "Pause a monitor", "", "Monitor", ok, nil, (*server).pauseMonitor},
		{post, "/monitors/{id}/resume", member, "Monitors", "Resume a monitor", "", "Monitor", ok, nil, (*server).resumeMonitor},
		{post, "/monitors/{id}/clone", member, "Monitors", "Create a monitor like another one", "MonitorPatch?", "Monitor", made, nil, (*server).cloneMonitor},
		{post, "/monitors/{id}/silence", member, "Monitors", "Silence a monitor for a time", "SilenceInput", "Monitor", ok, nil, (*server).silenceMonitor},
		{post, "/monitors/{id}/unsilence", member, "Monitors", "End the silence of a monitor", "", "Monitor", ok, nil, (*server).unsilenceMonitor},
		{post, "/monitors/{id}/check", member, "Monitors", "Check a monitor now", "", "Result", ok, nil, (*server).checkMonitor},
		{get, "/monitors/{id}/results", member, "Monitors", "List results of a monitor", "", "ResultList", ok, resultQuery(), (*server).results},
		{get, "/monitors/{id}/stats", member, "Monitors", "Read statistics of a monitor", "", "Stats", ok, statsQuery(), (*server).stats},
		{get, "/monitors/{id}/changes", member, "Monitors", "List changes of a monitor", "", "MonitorChangeList", ok, paged(), (*server).monitorChanges},

		{get, "/views", member, "Monitors", "List saved views", "", "SavedViewList", ok, nil, (*server).views},
		{post, "/views", member, "Monitors", "Save a view", "SavedViewInput", "SavedView", made, nil, (*server).createView},
		{del, "/views/{id}", member, "Monitors", "Delete a saved view", "", "", none, nil, (*server).deleteView},

		{get, "/channels", member, "Channels", "List channels", "", "ChannelList", ok, paged(), (*server).channels},
		{post, "/channels", member, "Channels", "Create a channel", "ChannelInput", "Channel", made, nil, (*server).createChannel},
		{get, "/channels/{id}", member, "Channels", "Read a channel", "", "Channel", ok, nil, (*server).channel},
		{patch, "/channels/{id}", member, "Channels", "Change a channel", "ChannelPatch", "Channel", ok, nil, (*server).patchChannel},
		{del, "/channels/{id}", member, "Channels", "Delete a channel", "", "", none, nil, (*server).deleteChannel},
		{post, "/channels/{id}/test", member, "Channels", "Test a channel", "", "ChannelTest", ok, nil, (*server).testChannel},
		{get, "/deliveries", member, "Channels", "List deliveries", "", "DeliveryList", ok, deliveryQuery(), (*server).deliveries},
		{post, "/deliveries/{id}/retry", member, "Channels", "Send a dead delivery again", "", "Delivery", ok, nil, (*server).retryDelivery},
	}
}

// instance is of the workspace as a whole, and of the program.
func instance() []route {
	const get, post, put, del = http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete
	const ok, made, none = http.StatusOK, http.StatusCreated, http.StatusNoContent
	return []route{
		{get, "/settings/defaults", member, "Instance", "Read the defaults of new monitors", "", "MonitorDefaults", ok, nil, (*server).monitorDefaults},
		{put, "/settings/defaults", member, "Instance", "Replace the defaults of new monitors", "MonitorDefaultsInput", "MonitorDefaults", ok, nil, (*server).replaceMonitorDefaults},
		{get, "/settings/retention", member, "Instance", "Read how long history is kept", "", "Retention", ok, nil, (*server).retention},
		{put, "/settings/retention", member, "Instance", "Change how long history is kept", "RetentionInput", "Retention", ok, nil, (*server).replaceRetention},
		{get, "/about", member, "Instance", "Read about the program", "", "About", ok, nil, (*server).about},
		{get, "/audit-log", member, "Instance", "List what was changed", "", "AuditList", ok, auditQuery(), (*server).auditLog},
		{get, "/wall-shares", member, "Instance", "List links to wallboards", "", "WallShareList", ok, paged(), (*server).wallShares},
		{post, "/wall-shares", member | secret, "Instance", "Create a link to a wallboard", "WallShareInput", "WallShare", made, nil, (*server).createWallShare},
		{del, "/wall-shares/{id}", member, "Instance", "Revoke a link to a wallboard", "", "", none, nil, (*server).deleteWallShare},
		{get, "/search", member, "Instance", "Search everything", "", "FoundList", ok, searchQuery(), (*server).search},
		{get, "/overview", member, "Instance", "Read the overview", "", "Overview", ok, nil, (*server).overview},
		{get, "/events", member, "Instance", "Stream events", "", stream, ok, eventQuery(), (*server).events},
	}
}

// incidentRoutes are the part of the table that is about incidents.
func incidentRoutes() []route {
	const get, post, patch, del = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	const ok, made, none = http.StatusOK, http.StatusCreated, http.StatusNoContent
	return []route{
		{get, "/incidents", member, "Incidents", "List incidents", "", "IncidentList", ok, incidentQuery(), (*server).incidents},
		{post, "/incidents", member, "Incidents", "Create an incident", "IncidentInput", "Incident", made, nil, (*server).createIncident},
		{get, "/incidents/{id}", member, "Incidents", "Read an incident", "", "Incident", ok, nil, (*server).incident},
		{patch, "/incidents/{id}", member, "Incidents", "Change an incident", "IncidentPatch", "Incident", ok, nil, (*server).patchIncident},
		{post, "/incidents/{id}/acknowledge", member, "Incidents", "Acknowledge an incident", "MessageInput?", "Incident", ok, nil, (*server).acknowledgeIncident},
		{post, "/incidents/{id}/resolve", member, "Incidents", "Resolve an incident", "MessageInput?", "Incident", ok, nil, (*server).resolveIncident},
		{del, "/incidents/{id}", member, "Incidents", "Delete an incident made by hand", "", "", none, nil, (*server).deleteIncident},
		{post, "/incidents/{id}/restore", member, "Incidents", "Restore a deleted incident", "", "Incident", ok, nil, (*server).restoreIncident},
		{get, "/incidents/assignees", member, "Incidents", "List who may take care of incidents", "", "PersonList", ok, nil, (*server).assignees},
		{post, "/incidents/{id}/updates", member, "Incidents", "Add an update to an incident", "UpdateInput", "Incident", made, nil, (*server).addIncidentUpdate},
		{patch, "/incidents/{id}/updates/{update_id}", member, "Incidents", "Change an update of an incident", "UpdatePatch", "Incident", ok, nil, (*server).patchIncidentUpdate},
		{del, "/incidents/{id}/updates/{update_id}", member, "Incidents", "Delete an update of an incident", "", "", none, nil, (*server).deleteIncidentUpdate},
	}
}
