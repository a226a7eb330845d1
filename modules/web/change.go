package web

import (
	"encoding/json"
	"fmt"
	"slices"

	"monitor/modules/uptime"
)

// maxChanges bounds how many monitors, incidents and changed settings one message
// names. Beyond that pages read anew, as they would for so many.
const maxChanges = 200

// changes is one message of a stream: pages read the rest themselves.
type changes struct {
	Monitors  []change `json:"monitors,omitempty"`  // whose status changed
	Incidents []int64  `json:"incidents,omitempty"` // that opened, changed or ended
	Config    []int64  `json:"config,omitempty"`    // monitors that were made, changed or deleted
	Many      bool     `json:"many,omitempty"`      // there are more than are named
	Counts    *counts  `json:"counts,omitempty"`
}

// change is all that is said of a monitor.
type change struct {
	ID    int64           `json:"id"`
	State string          `json:"state,omitempty"`
	Was   string          `json:"was,omitempty"`
	Since json.RawMessage `json:"since,omitempty"`
}

func (c *changes) any() bool {
	return c.Many || len(c.Monitors)+len(c.Incidents)+len(c.Config) > 0
}

// add keeps of a notice what pages are told: of a monitor that changed twice the
// newest state, and the one that it had at first.
func (c *changes) add(n uptime.Notice) {
	switch n.Topic {
	case uptime.TopicStatus:
		now := changeOf(n)
		if i := slices.IndexFunc(c.Monitors, func(o change) bool { return o.ID == n.ID }); i >= 0 {
			if was := c.Monitors[i].Was; was != "" {
				now.Was = was
			}
			c.Monitors[i] = now
			return
		}
		c.Monitors = append(c.Monitors, now)
	case uptime.TopicIncident:
		c.Incidents = addOnce(c.Incidents, n.ID)
	case uptime.TopicMonitor:
		c.Config = addOnce(c.Config, n.ID)
	default:
		return
	}
	if max(len(c.Monitors), len(c.Incidents), len(c.Config)) > maxChanges {
		*c = changes{Many: true}
	}
}

func addOnce(list []int64, id int64) []int64 {
	if slices.Contains(list, id) {
		return list
	}
	return append(list, id)
}

// changeOf keeps id, state and since of a notice and drops all else.
func changeOf(n uptime.Notice) change {
	c := change{ID: n.ID}
	var data struct {
		Status string          `json:"status"`
		State  string          `json:"state"`
		Was    string          `json:"was"`
		Since  json.RawMessage `json:"since"`
	}
	if len(n.Data) > 0 && json.Unmarshal(n.Data, &data) == nil {
		c.State, c.Was, c.Since = data.Status, data.Was, data.Since
		if c.State == "" {
			c.State = data.State
		}
	}
	return c
}

func (c *changes) json() ([]byte, error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("write changes: %w", err)
	}
	return raw, nil
}
