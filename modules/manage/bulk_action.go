package manage

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// The actions on many monitors.
const (
	BulkPause     = "pause"
	BulkResume    = "resume"
	BulkCheck     = "check"
	BulkSilence   = "silence"
	BulkUnsilence = "unsilence"
	BulkTagAdd    = "tag-add"
	BulkTagRemove = "tag-remove"
	BulkChannels  = "channels"
	BulkInterval  = "interval"
	BulkRetries   = "retries"
	BulkGroup     = "group"
	BulkDelete    = "delete"

	BulkTagRename   = "tag-rename"
	BulkGroupRename = "group-rename"
	// BulkDefaults gives monitors that have a default of before the one of now.
	BulkDefaults = "defaults"

	bulkUndo = "undo" // of a job
)

// BulkActions are those that people may ask for.
func BulkActions() []string {
	return []string{
		BulkPause, BulkResume, BulkCheck, BulkSilence, BulkUnsilence, BulkTagAdd, BulkTagRemove, BulkChannels, BulkInterval, BulkRetries, BulkGroup, BulkDelete,
		BulkTagRename, BulkGroupRename, BulkDefaults,
	}
}

// How the channels of monitors are changed.
const (
	channelsSet    = "set"
	channelsAdd    = "add"
	channelsRemove = "remove"
)

// bulkAction is what a job does, as it is stored and shown.
type bulkAction struct {
	Action     string        `json:"action"`
	Until      *time.Time    `json:"until,omitempty"`
	Note       string        `json:"note,omitempty"`
	Tag        string        `json:"tag,omitempty"`
	ChannelIDs []int64       `json:"channel_ids,omitempty"`
	Mode       string        `json:"mode,omitempty"`
	Interval   form.Duration `json:"interval,omitempty"`
	Failures   int           `json:"failures_before_down,omitempty"`
	Group      *string       `json:"group,omitempty"`
	To         string        `json:"to,omitempty"` // of a tag or group that is renamed
	Undoes     int64         `json:"undoes,omitempty"`
	// From and Into are members of the defaults, before and after: monitors follow.
	From json.RawMessage `json:"from,omitempty"`
	Into json.RawMessage `json:"into,omitempty"`

	usual  monitorDefaults // of the workspace
	follow following       // From and Into
}

// tag is its name and value; one without a value means any when it is removed.
func (a bulkAction) tag() (name, value string, has bool) { return strings.Cut(a.Tag, ":") }

// apply changes the settings of a monitor; not "" is why it cannot.
func (a bulkAction) apply(mon *uptime.Monitor) (skip string) {
	switch a.Action {
	case BulkPause, BulkResume:
		mon.Enabled = a.Action == BulkResume
	case BulkTagAdd, BulkTagRemove:
		return a.applyTag(mon)
	case BulkChannels:
		return a.applyChannels(mon)
	case BulkInterval:
		return a.applyInterval(mon, time.Duration(a.Interval))
	case BulkRetries:
		mon.FailuresBeforeDown = a.Failures
	case BulkGroup:
		mon.Group = *a.Group
	case BulkTagRename:
		return a.renameTag(mon)
	case BulkGroupRename:
		return a.renameGroup(mon)
	case BulkDefaults:
		return a.follow.apply(mon)
	}
	return ""
}

// renameTag gives a tag another name, another value, or both; where the new one has no
// value, the old one stays.
func (a bulkAction) renameTag(mon *uptime.Monitor) (skip string) {
	name, value, has := a.tag()
	had, there := mon.Tags[name]
	if !there || has && had != value {
		return ""
	}
	next, nextValue, hasNext := strings.Cut(a.To, ":")
	if !hasNext {
		nextValue = had
	}
	if other, taken := mon.Tags[next]; taken && next != name && other != nextValue {
		return uptime.Say("has the tag %s with another value already", next)
	}
	if next == name && nextValue == had {
		return ""
	}
	mon.Tags = maps.Clone(mon.Tags)
	delete(mon.Tags, name)
	mon.Tags[next] = nextValue
	return ""
}

// renameGroup moves a group, with all that is below it.
func (a bulkAction) renameGroup(mon *uptime.Monitor) (skip string) {
	rest, within := strings.CutPrefix(mon.Group, *a.Group)
	if !within || rest != "" && rest[0] != '/' {
		return ""
	}
	next := strings.TrimPrefix(a.To+rest, "/")
	if utf8.RuneCountInString(next) > maxGroupLength || strings.Count(next, "/") >= maxGroupDepth {
		return uptime.Say("its group would be too long or too deep")
	}
	mon.Group = next
	return ""
}

func (a bulkAction) applyTag(mon *uptime.Monitor) (skip string) {
	name, value, has := a.tag()
	had, there := mon.Tags[name]
	switch {
	case a.Action == BulkTagRemove && (!there || has && had != value), a.Action == BulkTagAdd && there && had == value:
		return ""
	case a.Action == BulkTagAdd && !there && len(mon.Tags) >= maxTags:
		return uptime.Say("has %d tags already", maxTags)
	}
	mon.Tags = maps.Clone(mon.Tags)
	if a.Action == BulkTagRemove {
		delete(mon.Tags, name)
		return ""
	}
	if mon.Tags == nil {
		mon.Tags = map[string]string{}
	}
	mon.Tags[name] = value
	return ""
}

func (a bulkAction) applyChannels(mon *uptime.Monitor) (skip string) {
	ids := slices.Clone(a.ChannelIDs)
	switch a.Mode {
	case channelsAdd:
		ids = append(ids, mon.ChannelIDs...)
	case channelsRemove:
		ids = slices.DeleteFunc(slices.Clone(mon.ChannelIDs), func(id int64) bool { return slices.Contains(a.ChannelIDs, id) })
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) > maxChannelIDs {
		return uptime.Say("would have more than %d channels", maxChannelIDs)
	}
	if !slices.Equal(ids, mon.ChannelIDs) {
		mon.ChannelIDs = ids
	}
	return ""
}

// applyInterval takes a timeout or retry interval along that nobody ever set.
func (a bulkAction) applyInterval(mon *uptime.Monitor, interval time.Duration) (skip string) {
	return following{was: a.usual, is: a.usual}.retime(mon, interval)
}

// verdict says what the action would do to a monitor: skip is why it would do nothing, and
// changes whether it would do anything.
func (a bulkAction) verdict(mon uptime.Monitor, now time.Time) (skip string, changes bool) {
	switch a.Action {
	case BulkCheck:
		if !mon.Enabled {
			return uptime.Say("is paused"), false
		}
		return "", true
	case BulkSilence:
		return "", !mon.Silence.Holds(now) || !mon.Silence.Until.Equal(*a.Until)
	case BulkUnsilence:
		return "", mon.Silence.Holds(now)
	case BulkDelete:
		return "", true
	}
	next := mon
	skip = a.apply(&next)
	return skip, skip == "" && differs(mon, next)
}

func differs(a, b uptime.Monitor) bool {
	return a.Enabled != b.Enabled || a.Group != b.Group || a.Interval != b.Interval || a.Timeout != b.Timeout || a.RetryInterval != b.RetryInterval ||
		a.FailuresBeforeDown != b.FailuresBeforeDown || a.SuccessesBeforeUp != b.SuccessesBeforeUp || a.ResendEvery != b.ResendEvery ||
		!slices.Equal(a.Regions, b.Regions) || a.MinRegionsDown != b.MinRegionsDown || string(a.Settings) != string(b.Settings) || !maps.Equal(a.Tags, b.Tags) || !slices.Equal(a.ChannelIDs, b.ChannelIDs)
}
