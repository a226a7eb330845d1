package web

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"monitor/modules/manage"
)

// page is a handler of somebody who is logged in and may do what its route
// asks for.
type page func(*request) error

// door is a handler that anybody may reach.
type door func(echo.Context) error

type route struct {
	method, path string
	open         door // public, or
	page         page // needs a session and
	needs        manage.Action
}

// routes is THE table: what is not here does not exist, and what is not open
// needs a session and the named right.
func (w *Web) routes() []route { return slices.Concat(w.doors(), w.places(), w.settings()) }

const get, post = http.MethodGet, http.MethodPost

// doors are for who is not logged in, or not yet.
func (w *Web) doors() []route {
	return []route{
		{get, "/static/*", w.static, nil, ""},
		{get, "/setup", w.setupForm, nil, ""},
		{post, "/setup", w.setup, nil, ""},
		{get, "/login", w.loginForm, nil, ""},
		{post, "/login", w.login, nil, ""},
		{get, "/login/2fa", w.codeForm, nil, ""},
		{post, "/login/2fa", w.code, nil, ""},
		{get, "/login/oidc", w.oidcStart, nil, ""},
		{get, "/login/oidc/callback", w.oidcCallback, nil, ""},
		{post, "/login/passkey", w.passkeyLogin, nil, ""},
		{post, "/login/passkey/options", w.passkeyLoginOptions, nil, ""},
		{post, "/login/2fa/passkey", w.passkeyFactor, nil, ""},
		{post, "/login/2fa/passkey/options", w.passkeyFactorOptions, nil, ""},
		{get, "/forgot", w.forgotForm, nil, ""},
		{post, "/forgot", w.forgot, nil, ""},
		{get, "/reset/:token", w.resetForm, nil, ""},
		{post, "/reset/:token", w.reset, nil, ""},
		{get, "/invite/:token", w.inviteForm, nil, ""},
		{post, "/invite/:token", w.invite, nil, ""},
		{get, "/wall/:token", w.sharedWall, nil, ""},
	}
}

// places are what the navigation leads to.
func (w *Web) places() []route {
	const read, self = manage.Read, manage.ReadSelf
	const monitor, channel, incident = manage.ChangeMonitor, manage.ChangeChannel, manage.ChangeIncident
	return []route{
		{post, "/logout", nil, w.logout, self},
		{get, "/events", nil, w.events, read},
		{get, "/conditions", nil, w.conditionsJSON, self},
		{get, "/search", nil, w.search, read},
		{get, "/wall", nil, w.wall, read},
		{get, "/", nil, w.overview, read},

		{get, "/monitors", nil, w.monitors, read},
		{get, "/monitors.csv", nil, w.monitorsCSV, read},
		{get, "/monitors.json", nil, w.monitorsJSON, read},
		{post, "/monitors/views", nil, w.viewCreate, manage.SaveView},
		{post, "/monitors/views/:id/delete", nil, w.viewDelete, manage.SaveView},
		{get, "/monitors/new", nil, w.monitorNew, monitor},
		{post, "/monitors", nil, w.monitorCreate, monitor},
		{post, "/monitors/test", nil, w.monitorTest, monitor},
		{post, "/monitors/validate", nil, w.monitorValidate, monitor},
		{get, "/monitors/deleted", nil, w.monitorsDeleted, read},
		{post, "/monitors/bulk", nil, w.bulk, monitor},
		{get, "/monitors/bulk/:id", nil, w.bulkJob, read},
		{post, "/monitors/bulk/:id/undo", nil, w.bulkUndo, monitor},
		{get, "/monitors/rows", nil, w.monitorRows, read},
		{get, "/monitors/:id", nil, w.monitor, read},
		{get, "/monitors/:id/next", nil, w.monitorNext, read},
		{get, "/monitors/:id/previous", nil, w.monitorPrevious, read},
		{get, "/monitors/:id/chart.csv", nil, w.chartCSV, read},
		{get, "/monitors/:id/export", nil, w.monitorExport, read},
		{get, "/monitors/:id/edit", nil, w.monitorEdit, monitor},
		{post, "/monitors/:id/edit", nil, w.monitorSave, monitor},
		{get, "/monitors/:id/delete", nil, w.monitorConfirmDelete, monitor},
		{post, "/monitors/:id/delete", nil, w.monitorDelete, monitor},
		{post, "/monitors/:id/pause", nil, w.monitorPause, monitor},
		{post, "/monitors/:id/resume", nil, w.monitorResume, monitor},
		{post, "/monitors/:id/check", nil, w.monitorCheck, monitor},
		{get, "/monitors/:id/clone", nil, w.monitorClone, monitor},
		{post, "/monitors/:id/clone", nil, w.monitorCopy, monitor},
		{post, "/monitors/:id/silence", nil, w.monitorSilence, monitor},
		{post, "/monitors/:id/unsilence", nil, w.monitorUnsilence, monitor},
		{post, "/monitors/:id/restore", nil, w.monitorRestore, monitor},

		{get, "/incidents", nil, w.incidents, read},
		{get, "/incidents.csv", nil, w.incidentsCSV, read},
		{get, "/incidents.json", nil, w.incidentsJSON, read},
		{get, "/incidents/new", nil, w.incidentNew, incident},
		{post, "/incidents", nil, w.incidentCreate, incident},
		{get, "/incidents/:id", nil, w.incident, read},
		{get, "/incidents/:id/edit", nil, w.incidentEdit, incident},
		{post, "/incidents/:id/edit", nil, w.incidentSave, incident},
		{get, "/incidents/:id/delete", nil, w.incidentConfirmDelete, incident},
		{post, "/incidents/:id/delete", nil, w.incidentDelete, incident},
		{post, "/incidents/:id/restore", nil, w.incidentRestore, incident},
		{post, "/incidents/:id/assign", nil, w.incidentAssign, incident},
		{get, "/incidents/:id/postmortem", nil, w.incidentPostmortem, incident},
		{post, "/incidents/:id/postmortem", nil, w.incidentPostmortemSave, incident},
		{post, "/incidents/:id/acknowledge", nil, w.incidentAcknowledge, incident},
		{post, "/incidents/:id/resolve", nil, w.incidentResolve, incident},
		{post, "/incidents/:id/updates", nil, w.incidentUpdate, incident},
		{post, "/incidents/:id/updates/:update", nil, w.incidentLineSave, incident},
		{post, "/incidents/:id/updates/:update/delete", nil, w.incidentLineDelete, incident},

		{get, "/channels", nil, w.channels, read},
		{get, "/channels/new", nil, w.channelNew, channel},
		{post, "/channels", nil, w.channelCreate, channel},
		{post, "/channels/validate", nil, w.channelValidate, channel},
		{get, "/channels/:id/edit", nil, w.channelEdit, channel},
		{post, "/channels/:id/edit", nil, w.channelSave, channel},
		{post, "/channels/:id/test", nil, w.channelTest, channel},
		{post, "/channels/:id/enable", nil, w.channelEnable, channel},
		{post, "/channels/:id/disable", nil, w.channelDisable, channel},
		{get, "/channels/:id/delete", nil, w.channelConfirmDelete, channel},
		{post, "/channels/:id/delete", nil, w.channelDelete, channel},
		{get, "/channels/:id/log", nil, w.channelLog, read},
		{post, "/deliveries/:id/retry", nil, w.deliveryRetry, manage.SendAgain},
	}
}

// settings are of the person, and of the workspace.
func (w *Web) settings() []route {
	const self = manage.ReadSelf
	return []route{
		{get, "/settings/profile", nil, w.profile, self},
		{post, "/settings/profile", nil, w.profileSave, manage.ChangeSelf},
		{post, "/settings/list", nil, w.displaySave, manage.ChangeSelf},
		{get, "/settings/security", nil, w.security, self},
		{post, "/settings/security", nil, w.securitySave, manage.ChangeSelf},
		{get, "/settings/security/totp", nil, w.factor, manage.ChangeSelf},
		{post, "/settings/security/totp", nil, w.factorOn, manage.ChangeSelf},
		{post, "/settings/security/totp/off", nil, w.factorOff, manage.ChangeSelf},
		{post, "/settings/security/recovery", nil, w.factorCodes, manage.ChangeSelf},
		{post, "/settings/security/passkeys", nil, w.passkeyCreate, manage.ChangeSelf},
		{post, "/settings/security/passkeys/options", nil, w.passkeyNewOptions, manage.ChangeSelf},
		{post, "/settings/security/passkeys/:id/rename", nil, w.passkeyRename, manage.ChangeSelf},
		{get, "/settings/security/passkeys/:id/delete", nil, w.passkeyConfirmDelete, manage.ChangeSelf},
		{post, "/settings/security/passkeys/:id/delete", nil, w.passkeyDelete, manage.ChangeSelf},
		{post, "/settings/sessions/end", nil, w.sessionEnd, manage.ChangeSelf},
		{get, "/settings/workspaces", nil, w.workspaces, self},
		{post, "/settings/workspaces", nil, w.workspaceSave, manage.ChangeWorkspace},
		{post, "/settings/workspaces/new", nil, w.workspaceCreate, manage.ManageWorkspaces},
		{get, "/settings/workspaces/delete", nil, w.workspaceConfirmDelete, manage.ManageWorkspaces},
		{post, "/settings/workspaces/delete", nil, w.workspaceDelete, manage.ManageWorkspaces},
		{post, "/settings/workspaces/:id/enter", nil, w.workspaceEnter, manage.ChangeSelf},
		{get, "/settings/tokens", nil, w.tokens, self},
		{post, "/settings/tokens", nil, w.tokenCreate, manage.ManageOwnToken},
		{post, "/settings/tokens/:id/revoke", nil, w.tokenRevoke, manage.ManageOwnToken},
		{get, "/settings/wallboards", nil, w.wallboards, manage.ReadWallShares},
		{post, "/settings/wallboards", nil, w.wallboardCreate, manage.ShareWall},
		{post, "/settings/wallboards/:id/revoke", nil, w.wallboardRevoke, manage.ShareWall},
		{get, "/settings/people", nil, w.people, manage.ReadUsers},
		{post, "/settings/people", nil, w.personInvite, manage.ManageUsers},
		{get, "/settings/people/:id", nil, w.person, manage.ReadUsers},
		{post, "/settings/people/:id", nil, w.personSave, manage.ManageUsers},
		{get, "/settings/people/:id/remove", nil, w.personConfirmRemove, manage.ManageUsers},
		{post, "/settings/people/:id/remove", nil, w.personRemove, manage.ManageUsers},
		{get, "/settings/tags", nil, w.tags, manage.ChangeMonitor},
		{get, "/settings/defaults", nil, w.defaults, manage.ReadSettings},
		{post, "/settings/defaults", nil, w.defaultsSave, manage.ChangeSettings},
		{get, "/settings/retention", nil, w.retention, manage.ReadSettings},
		{post, "/settings/retention", nil, w.retentionSave, manage.ChangeSettings},
		{get, "/settings/about", nil, w.about, manage.ReadSettings},
		{get, "/settings/audit", nil, w.audit, manage.ReadAudit},
		{get, "/settings/audit.csv", nil, w.auditCSV, manage.ReadAudit},
		{post, "/settings/getting-started", nil, w.stepsDone, manage.ChangeSelf},
		{post, "/settings/theme", nil, w.themeSave, manage.ChangeSelf},
	}
}

func (w *Web) route(e *echo.Echo) {
	for _, r := range w.routes() {
		handler := echo.HandlerFunc(r.open)
		if r.page != nil {
			handler = w.withSession(r.page, r.needs)
		}
		e.Add(r.method, r.path, handler)
		if r.method == http.MethodGet {
			e.Add(http.MethodHead, r.path, handler)
		}
	}
}
