package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

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

// encodeConditions gives them as the stream and /conditions do.
func encodeConditions(list []uptime.Condition) ([]byte, error) {
	now := conditionsNow{Conditions: []manage.ConditionView{}}
	for _, c := range list {
		now.Conditions = append(now.Conditions, manage.ConditionView(c))
	}
	raw, err := json.Marshal(now)
	if err != nil {
		return nil, fmt.Errorf("write conditions: %w", err)
	}
	return raw, nil
}

// conditionsJSON is for pages without a stream.
func (w *Web) conditionsJSON(r *request) error {
	raw, err := encodeConditions(w.conditions(r.Request().Context()))
	if err != nil {
		return err
	}
	r.Response().Header().Set("Cache-Control", "no-store")
	return r.JSONBlob(http.StatusOK, raw)
}
