package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func trimBlock(name string) string { return strings.TrimPrefix(name, settingsBlock) }

func (w *Web) channelSave(r *request) error {
	c, err := r.storedChannel()
	if err != nil {
		return err
	}
	v, err := r.FormParams()
	if err != nil {
		return err
	}
	kind := kindOf(w.deps.Manage.ChannelKinds(), c.Type)
	raw, err := channelPatch(kind, v, c.Settings)
	if err != nil {
		return err
	}
	_, failure := w.deps.Manage.PatchChannel(r.Request().Context(), r.actor, c.ID, raw, v.Get("etag"))
	if failure == nil {
		return r.done("channel-saved", channelURL(c.ID)+"/edit")
	}
	if uptime.CodeOf(failure) == uptime.CodePrecondition {
		if c, err = r.storedChannel(); err != nil { // as it is by now, so that saving again overwrites it
			return err
		}
	}
	return r.refuseChannel(c.Name, kind, v, &c, failure)
}

// channelPatch makes the JSON that changes a stored channel, which has these settings, to
// what the form says.
func channelPatch(kind uptime.Kind, v url.Values, settings json.RawMessage) (json.RawMessage, error) {
	b, err := channelBody(kind, v)
	if err != nil {
		return nil, err
	}
	delete(b, "type") // it cannot change
	if b["settings"], err = mergePatch(settings, b["settings"]); err != nil {
		return nil, err
	}
	return b.json()
}

// mergePatch is the JSON Merge Patch (RFC 7396) that makes next of an object:
// what next no longer has becomes null.
func mergePatch(from, next json.RawMessage) (json.RawMessage, error) {
	var a, b map[string]json.RawMessage
	if !isObject(from) || !isObject(next) {
		return next, nil
	}
	if err := errors.Join(json.Unmarshal(from, &a), json.Unmarshal(next, &b)); err != nil {
		return nil, err
	}
	for name, old := range a {
		now, kept := b[name]
		if !kept {
			b[name] = json.RawMessage("null")
			continue
		}
		patched, err := mergePatch(old, now)
		if err != nil {
			return nil, err
		}
		b[name] = patched
	}
	return json.Marshal(b)
}

func isObject(raw json.RawMessage) bool { return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) }

// channelTest sends the two messages of a test and shows the raw answers.
func (w *Web) channelTest(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	found, err := w.deps.Manage.TestChannel(r.Request().Context(), r.actor, id)
	var e *uptime.Error
	switch {
	case err == nil:
		return r.showChannel(http.StatusOK, channelTest(r.lang(), found))
	case errors.As(err, &e) && e.Code != uptime.CodeNotFound && e.Code != uptime.CodeInternal:
		return r.showChannel(http.StatusUnprocessableEntity, &ChannelTest{Problem: r.lang().Said(e.Detail)})
	}
	return err
}

func channelTest(l *lang.Language, v manage.ChannelTestView) *ChannelTest {
	t := &ChannelTest{OK: v.OK}
	for _, a := range v.Attempts {
		try := ChannelTry{State: stateOf(uptime.Up), Event: eventWord(a.Type), Answer: a.Answer}
		switch {
		case a.Error != "":
			try.State, try.Said = stateOf(uptime.Down), l.Said(a.Error)
		case a.StatusCode != nil:
			try.Said = l.T("Answered %s in %s", strconv.Itoa(*a.StatusCode), l.Latency(ms(a.DurationMS)))
		default:
			try.Said = l.T("Sent in %s", l.Latency(ms(a.DurationMS)))
		}
		t.Attempts = append(t.Attempts, try)
	}
	return t
}

func (w *Web) channelConfirmDelete(r *request) error {
	c, err := r.storedChannel()
	if err != nil {
		return err
	}
	s, err := r.scene(r.t("Delete"), "Channels", Crumb{r.t("Channels"), "/channels"}, Crumb{c.Name, channelURL(c.ID) + "/edit"})
	if err != nil {
		return err
	}
	lost := s.t("Deliveries that wait are cancelled.")
	if c.UsedBy > 0 {
		lost = s.lang.N(int64(c.UsedBy), "%s monitor tells nobody by it any more.", "%s monitors tell nobody by it any more.") + " " + lost
	}
	return r.page(http.StatusOK, "confirm", "", ConfirmPage{
		Frame: s.frame, Question: s.t("Delete channel %s?", c.Name), Lost: lost, Verb: s.t("Delete channel"),
		Action: channelURL(c.ID) + "/delete", Cancel: channelURL(c.ID) + "/edit", ETag: c.ETag,
	})
}

func (w *Web) channelDelete(r *request) error {
	id, err := r.id()
	if err != nil {
		return err
	}
	if err := w.deps.Manage.DeleteChannel(r.Request().Context(), r.actor, id, ""); err != nil {
		return err
	}
	return r.done("channel-deleted", "/channels")
}
