package web

import (
	"errors"
	"net/http"

	"monitor/modules/uptime"
)

// judged is what is wrong with a form that is still being filled in: messages by the
// ids of the inputs. What is not there is right.
type judged struct {
	Errors map[string]string `json:"errors"`
}

func (j judged) add(fields []FieldView) {
	for _, f := range fields {
		if f.Error != "" {
			j.Errors[f.ID()] = f.Error
		}
		j.add(f.Fields)
	}
}

// answerJudged tells the script of the form. Anything but mistakes of the form is an
// error.
func (r *request) answerJudged(failure error, groups ...[]FieldView) error {
	j := judged{Errors: map[string]string{}}
	if _, bad := fieldErrors(nil, failure); failure != nil && !bad {
		return failure
	}
	for _, fields := range groups {
		j.add(fields)
	}
	r.Response().Header().Set("Cache-Control", "no-store")
	return r.JSON(http.StatusOK, j)
}

// formID is the stored thing that a form is of, or whose copy it makes: what is masked is
// its. 0: a new one.
func (r *request) formID() int64 { return max(idOf(r.FormValue("id")), idOf(r.FormValue("copy_of"))) }

func (w *Web) monitorValidate(r *request) error {
	v, err := r.FormParams()
	if err != nil {
		return err
	}
	v = completed(v)
	kind := kindOf(w.deps.Manage.MonitorKinds(), v.Get("type"))
	b, err := bodyOf(kind, v, nil)
	if err != nil {
		return err
	}
	failure := w.deps.Manage.ValidateMonitor(r.Request().Context(), r.actor, r.formID(), b)
	if errors.Is(failure, uptime.ErrNotFound) {
		return failure
	}
	p, err := r.monitorForm(&scene{now: r.now, lang: r.lang()}, typedDraft(kind, v), failure)
	if err != nil {
		return err
	}
	return r.answerJudged(failure, p.What, p.Check, p.More, p.When, p.Tell)
}

func (w *Web) channelValidate(r *request) error {
	v, err := r.FormParams()
	if err != nil {
		return err
	}
	kind := kindOf(w.deps.Manage.ChannelKinds(), v.Get("type"))
	b, err := channelBody(kind, v)
	if err != nil {
		return err
	}
	raw, err := b.json()
	if err != nil {
		return err
	}
	failure := w.deps.Manage.ValidateChannel(r.Request().Context(), r.actor, r.formID(), raw)
	p, err := r.channelForm(&scene{now: r.now, lang: r.lang()}, kind, channelTyped(v), nil, failure)
	if err != nil {
		return err
	}
	return r.answerJudged(failure, p.What, p.More, p.Tell)
}
