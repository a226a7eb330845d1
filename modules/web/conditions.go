package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"monitor/modules/lang"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// conditionsNow is what pages are told of the program itself.
type conditionsNow struct {
	Conditions []manage.ConditionView `json:"conditions"`
}

func (w *Web) conditions(ctx context.Context) []uptime.Condition {
	if w.deps.Conditions == nil {
		return nil
	}
	return w.deps.Conditions(ctx)
}

// conditionsOf a list, in the language of the page that shows them.
func conditionsOf(l *lang.Language, list []uptime.Condition) conditionsNow {
	now := conditionsNow{Conditions: []manage.ConditionView{}}
	for _, c := range list {
		view := manage.ConditionView(c)
		view.Detail = l.Said(view.Detail)
		now.Conditions = append(now.Conditions, view)
	}
	return now
}

// encodeConditions gives them as the stream does.
func encodeConditions(l *lang.Language, list []uptime.Condition) ([]byte, error) {
	raw, err := json.Marshal(conditionsOf(l, list))
	if err != nil {
		return nil, fmt.Errorf("write conditions: %w", err)
	}
	return raw, nil
}

// stands is what a stream says when it begins, for pages that have none. Where the
// counts cannot be read the conditions are told all the same.
type stands struct {
	conditionsNow
	Counts *counts `json:"counts,omitempty"`
}

func (w *Web) conditionsJSON(r *request) error {
	ctx := r.Request().Context()
	now := stands{conditionsNow: conditionsOf(r.lang(), w.conditions(ctx))}
	if counts, err := w.countsNow(ctx, r.actor); err == nil {
		now.Counts = &counts
	}
	raw, err := json.Marshal(now)
	if err != nil {
		return fmt.Errorf("write conditions: %w", err)
	}
	r.Response().Header().Set("Cache-Control", "no-store")
	return r.JSONBlob(http.StatusOK, raw)
}
