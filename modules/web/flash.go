package web

import (
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"monitor/modules/lang"
)

const flashCookie = "monitor_flash"

// flashes are the things that a page may be told was just done. The cookie
// holds a key of this table and never a text.
func flashes() map[string]Flash {
	ok := func(text string) Flash { return Flash{"up", "up", text} }
	return map[string]Flash{
		"monitor-created":   ok(lang.Key("Monitor created. Its first check runs now.")),
		"monitor-saved":     ok(lang.Key("Changes saved.")),
		"monitor-deleted":   ok(lang.Key("Monitor deleted.")),
		"monitor-restored":  ok(lang.Key("Monitor restored. It is checked now.")),
		"monitor-silenced":  {"paused", "bell-off", lang.Key("Monitor silenced. Checks go on, and nobody is told until it ends.")},
		"silence-bad":       {"degraded", "degraded", lang.Key("The monitor was not silenced: the end must be given, at least a minute and at most 30 days from now.")},
		"silence-ended":     ok(lang.Key("Silence ended. What waited is told now.")),
		"bulk-none":         {"degraded", "degraded", lang.Key("Nothing was selected. Tick the monitors first.")},
		"monitor-paused":    {"paused", "paused", lang.Key("Monitor paused. It is not checked and alerts nobody until you resume it.")},
		"monitor-resumed":   ok(lang.Key("Monitor resumed. It is checked now.")),
		"checked-up":        ok(lang.Key("Checked just now: up.")),
		"checked-degraded":  {"degraded", "degraded", lang.Key("Checked just now: degraded. The newest check below says why.")},
		"checked-down":      {"down", "down", lang.Key("Checked just now: it failed. The newest check below says why.")},
		"checked-unknown":   {"unknown", "unknown", lang.Key("The check could not be made. The newest check below says why.")},
		"incident-acked":    ok(lang.Key("Acknowledged. Reminders stop and the channels were told who is on it.")),
		"incident-closed":   ok(lang.Key("Incident resolved.")),
		"incident-updated":  ok(lang.Key("Update posted.")),
		"incident-created":  ok(lang.Key("Incident created.")),
		"incident-saved":    ok(lang.Key("Changes saved.")),
		"incident-deleted":  ok(lang.Key("Incident deleted. For 7 days it can be restored.")),
		"incident-restored": ok(lang.Key("Incident restored.")),
		"incident-assigned": ok(lang.Key("Owner changed.")),
		"incident-free":     {"degraded", "degraded", lang.Key("Nobody takes care of it now.")},
		"update-saved":      ok(lang.Key("Update changed.")),
		"update-deleted":    ok(lang.Key("Update deleted. What it did, such as moving the stage, stays.")),
		"postmortem-saved":  ok(lang.Key("Post-mortem saved.")),
		"channel-created":   ok(lang.Key("Channel added. Send a test to see that it arrives.")),
		"channel-on":        ok(lang.Key("Channel turned on.")),
		"channel-off":       {"paused", "paused", lang.Key("Channel turned off, for every monitor. What waited for it is cancelled.")},
		"channel-saved":     ok(lang.Key("Channel saved.")),
		"channel-deleted":   ok(lang.Key("Channel deleted.")),
		"delivery-retried":  ok(lang.Key("Delivery queued again.")),
		"view-saved":        ok(lang.Key("View saved. It is under Views.")),
		"view-deleted":      ok(lang.Key("View deleted.")),
		"view-name":         {"degraded", "degraded", lang.Key("The view was not saved: give it a name of at most 60 characters.")},
		"view-many":         {"degraded", "degraded", lang.Key("The view was not saved: you have 50. Delete one first.")},
		"profile-saved":     ok(lang.Key("Profile saved.")),
		"factor-off":        {"degraded", "degraded", lang.Key("The second factor is off. A password is enough to log in now.")},
		"passkey-added":     ok(lang.Key("Passkey added. You can log in with it now.")),
		"passkey-renamed":   ok(lang.Key("Passkey renamed.")),
		"passkey-removed":   ok(lang.Key("Passkey removed. It logs nobody in any more.")),
		"password-reset":    ok(lang.Key("Password set. Log in with it; every session of before is over.")),
		"password-saved":    ok(lang.Key("Password changed. Other sessions were logged out.")),
		"session-ended":     ok(lang.Key("Logged out there.")),
		"sessions-ended":    ok(lang.Key("Logged out everywhere but here.")),
		"defaults-saved":    ok(lang.Key("Defaults saved.")),
		"retention-saved":   ok(lang.Key("Retention saved.")),
		"workspace-saved":   ok(lang.Key("Workspace saved.")),
		"workspace-created": ok(lang.Key("Workspace created. You are in it now.")),
		"workspace-entered": ok(lang.Key("You are in this workspace now.")),
		"workspace-deleted": ok(lang.Key("Workspace deleted. Log in to go to another one of yours.")),
		"wallboard-revoked": ok(lang.Key("Link revoked. It shows nothing any more.")),
		"first-monitor":     ok(lang.Key("This is the first monitor of the list.")),
		"last-monitor":      ok(lang.Key("This is the last monitor of the list.")),
		"token-revoked":     ok(lang.Key("Token revoked. It ended at once.")),
		"person-saved":      ok(lang.Key("Changes saved. They hold within 5 seconds.")),
		"person-removed":    ok(lang.Key("Removed. They are logged out within 5 seconds.")),
		"logged-out":        ok(lang.Key("You are logged out.")),
	}
}

// undoes says how what was done to the thing with an id is taken back.
func undoes() map[string]func(id int64) string {
	monitor := func(action string) func(int64) string {
		return func(id int64) string { return monitorURL(id) + "/" + action }
	}
	return map[string]func(int64) string{
		"monitor-deleted": monitor("restore"), "monitor-paused": monitor("resume"), "monitor-silenced": monitor("unsilence"),
		"incident-deleted": func(id int64) string { return incidentURL(id) + "/restore" },
	}
}

// doneUndo is done with a way back: the cookie names the thing, too.
func (r *request) doneUndo(key string, id int64, to string) error {
	return r.done(key+"."+strconv.FormatInt(id, 10), to)
}

// flashOf reads what leaveFlash kept: a key, and the id of what can be undone.
func flashOf(value string) *Told {
	key, number, _ := strings.Cut(value, ".")
	f, ok := flashes()[key]
	if !ok {
		return nil
	}
	told := &Told{Flash: f}
	if undo, can := undoes()[key]; can && idOf(number) > 0 {
		told.Undo = undo(idOf(number))
	}
	return told
}

// leaveFlash keeps the key for the next page.
func (w *Web) leaveFlash(c echo.Context, key string) {
	c.SetCookie(w.cookie(c, flashCookie, key))
}

// takeFlash gives what was left, once. Fragments leave it for the page.
func (w *Web) takeFlash(c echo.Context) *Told {
	cookie, err := c.Cookie(flashCookie)
	if err != nil || isFragment(c.Request()) {
		return nil
	}
	w.dropCookie(c, flashCookie)
	return flashOf(cookie.Value)
}
