package manage

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"monitor/modules/uptime"
)

// bulkBack is what takes the change of one monitor back: what is nil was not changed.
type bulkBack struct {
	Restore    bool               `json:"restore,omitempty"`
	Silence    *uptime.Silence    `json:"silence,omitempty"` // zero: there was none
	Enabled    *bool              `json:"enabled,omitempty"`
	Tags       map[string]*string `json:"tags,omitempty"` // nil: there was none
	ChannelIDs *[]int64           `json:"channel_ids,omitempty"`
	Times      *[3]time.Duration  `json:"times,omitempty"` // interval, timeout, retry interval
	Failures   *int               `json:"failures_before_down,omitempty"`
	Group      *string            `json:"group,omitempty"`
	// Follow leads back from the defaults that it followed.
	Follow *followed `json:"follow,omitempty"`
}

// backTo gives what makes after like before.
func backTo(before, after uptime.Monitor) json.RawMessage {
	var b bulkBack
	if before.Silence != after.Silence {
		b.Silence = &before.Silence
	}
	if before.Enabled != after.Enabled {
		b.Enabled = &before.Enabled
	}
	for name := range maps.Keys(after.Tags) {
		if _, there := before.Tags[name]; !there {
			b.setTag(name, nil)
		}
	}
	for name, value := range before.Tags {
		if now, there := after.Tags[name]; !there || now != value {
			b.setTag(name, &value)
		}
	}
	if !slices.Equal(before.ChannelIDs, after.ChannelIDs) {
		b.ChannelIDs = &before.ChannelIDs
	}
	if before.Interval != after.Interval || before.Timeout != after.Timeout || before.RetryInterval != after.RetryInterval {
		b.Times = &[3]time.Duration{before.Interval, before.Timeout, before.RetryInterval}
	}
	if before.FailuresBeforeDown != after.FailuresBeforeDown {
		b.Failures = &before.FailuresBeforeDown
	}
	if before.Group != after.Group {
		b.Group = &before.Group
	}
	raw, err := json.Marshal(b)
	if err != nil {
		return nil
	}
	return raw
}

func (b *bulkBack) setTag(name string, value *string) {
	if b.Tags == nil {
		b.Tags = map[string]*string{}
	}
	b.Tags[name] = value
}

// apply puts the settings back.
func (b bulkBack) apply(mon *uptime.Monitor) {
	if b.Enabled != nil {
		mon.Enabled = *b.Enabled
	}
	if len(b.Tags) > 0 {
		mon.Tags = maps.Clone(mon.Tags)
		for name, value := range b.Tags {
			if delete(mon.Tags, name); value != nil {
				mon.Tags[name] = *value
			}
		}
	}
	if b.ChannelIDs != nil {
		mon.ChannelIDs = *b.ChannelIDs
	}
	if b.Times != nil {
		mon.Interval, mon.Timeout, mon.RetryInterval = b.Times[0], b.Times[1], b.Times[2]
	}
	if b.Failures != nil {
		mon.FailuresBeforeDown = *b.Failures
	}
	if b.Group != nil {
		mon.Group = *b.Group
	}
}
