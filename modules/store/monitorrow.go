package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// monitorRow is a row of monitors.
type monitorRow struct {
	ID                 int64
	WorkspaceID        int64
	RowKey             string
	Name               string
	NameKey            string
	Type               string
	Enabled            bool
	ExternalKey        string
	GroupPath          string
	IntervalMS         int64 `gorm:"column:interval_ms"`
	TimeoutMS          int64 `gorm:"column:timeout_ms"`
	RetryIntervalMS    int64 `gorm:"column:retry_interval_ms"`
	FailuresBeforeDown int
	SuccessesBeforeUp  int
	ResendEveryMS      int64 `gorm:"column:resend_every_ms"`
	Regions            string
	MinRegionsDown     int
	Settings           string
	Target             string
	Search             string
	SilencedFrom       instant
	SilencedUntil      instant
	SilencedBy         string
	SilenceNote        string
	CheckAt            instant
	Version            int64
	ChangeSeq          int64
	CreatedAt          instant `gorm:"autoCreateTime:false"`
	UpdatedAt          instant `gorm:"autoUpdateTime:false"`
	DeletedAt          instant
}

// TableName implements gorm's Tabler.
func (monitorRow) TableName() string { return "monitors" }

func millis(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

func (r monitorRow) monitor() (uptime.Monitor, error) {
	m := uptime.Monitor{
		ID: r.ID, WorkspaceID: r.WorkspaceID, RowKey: r.RowKey,
		Name: r.Name, Type: r.Type, Enabled: r.Enabled, ExternalKey: r.ExternalKey, Group: r.GroupPath,
		Interval: millis(r.IntervalMS), Timeout: millis(r.TimeoutMS), RetryInterval: millis(r.RetryIntervalMS),
		FailuresBeforeDown: r.FailuresBeforeDown, SuccessesBeforeUp: r.SuccessesBeforeUp,
		ResendEvery: millis(r.ResendEveryMS), MinRegionsDown: r.MinRegionsDown,
		Settings: json.RawMessage(r.Settings), Target: r.Target,
		Tags: map[string]string{}, ChannelIDs: []int64{},
		Silence: uptime.Silence{From: r.SilencedFrom.time(), Until: r.SilencedUntil.time(), By: r.SilencedBy, Note: r.SilenceNote},
		CheckAt: r.CheckAt.time(), Version: r.Version, ChangeSeq: r.ChangeSeq,
		CreatedAt: r.CreatedAt.time(), UpdatedAt: r.UpdatedAt.time(), DeletedAt: r.DeletedAt.time(),
	}
	if err := json.Unmarshal([]byte(r.Regions), &m.Regions); err != nil {
		return m, fmt.Errorf("read the regions of monitor %d: %w", r.ID, err)
	}
	return m, nil
}

func rowOfMonitor(m uptime.Monitor) (monitorRow, error) {
	regions, err := json.Marshal(m.Regions)
	if err != nil {
		return monitorRow{}, fmt.Errorf("write the regions of monitor %d: %w", m.ID, err)
	}
	return monitorRow{
		ID: m.ID, WorkspaceID: m.WorkspaceID, RowKey: m.RowKey,
		Name: m.Name, NameKey: strings.ToLower(m.Name), Type: m.Type, Enabled: m.Enabled,
		ExternalKey: m.ExternalKey, GroupPath: m.Group,
		IntervalMS: m.Interval.Milliseconds(), TimeoutMS: m.Timeout.Milliseconds(),
		RetryIntervalMS:    m.RetryInterval.Milliseconds(),
		FailuresBeforeDown: m.FailuresBeforeDown, SuccessesBeforeUp: m.SuccessesBeforeUp,
		ResendEveryMS: m.ResendEvery.Milliseconds(), Regions: string(regions), MinRegionsDown: m.MinRegionsDown,
		Settings: string(m.Settings), Target: m.Target, Search: searchText(m),
		SilencedFrom: at(m.Silence.From), SilencedUntil: at(m.Silence.Until), SilencedBy: m.Silence.By, SilenceNote: m.Silence.Note,
		CheckAt: at(m.CheckAt), Version: m.Version, ChangeSeq: m.ChangeSeq,
		CreatedAt: at(m.CreatedAt), UpdatedAt: at(m.UpdatedAt), DeletedAt: at(m.DeletedAt),
	}, nil
}

// searchText is what a search looks in. Both databases lower ASCII letters only,
// so Go does it, here and for the words searched for.
func searchText(m uptime.Monitor) string {
	parts := []string{m.Name, m.Target, m.Group}
	for _, name := range slices.Sorted(maps.Keys(m.Tags)) {
		parts = append(parts, name+":"+m.Tags[name])
	}
	return strings.ToLower(strings.Join(parts, "\n"))
}

// normal gives one form to what means the same, so that no change is no change.
func normalMonitor(m uptime.Monitor) uptime.Monitor {
	m.Tags = maps.Clone(m.Tags)
	if m.Tags == nil {
		m.Tags = map[string]string{}
	}
	m.ChannelIDs = slices.Clone(m.ChannelIDs)
	slices.Sort(m.ChannelIDs)
	m.ChannelIDs = slices.Compact(m.ChannelIDs)
	if m.ChannelIDs == nil {
		m.ChannelIDs = []int64{}
	}
	m.Regions = slices.Clone(m.Regions)
	m.Settings = slices.Clone(m.Settings)
	for _, d := range []*time.Duration{&m.Interval, &m.Timeout, &m.RetryInterval, &m.ResendEvery} {
		*d = d.Truncate(time.Millisecond)
	}
	if !m.CheckAt.IsZero() {
		m.CheckAt = m.CheckAt.UTC().Truncate(time.Millisecond)
	}
	return m
}

// linksStep keeps a list of ids below what both databases take as parameters.
const linksStep = 5000

// loadLinks reads the tags and channels of monitors.
func loadLinks(tx *gorm.DB, monitors []uptime.Monitor) error {
	for part := range slices.Chunk(monitors, linksStep) {
		if err := loadSomeLinks(tx, part); err != nil {
			return err
		}
	}
	return nil
}

func loadSomeLinks(tx *gorm.DB, monitors []uptime.Monitor) error {
	byID := make(map[int64]*uptime.Monitor, len(monitors))
	ids := make([]int64, len(monitors))
	for i := range monitors {
		ids[i], byID[monitors[i].ID] = monitors[i].ID, &monitors[i]
	}
	var tags []struct {
		MonitorID   int64
		Name, Value string
	}
	if err := tx.Raw("SELECT monitor_id, name, value FROM monitor_tags WHERE monitor_id IN ?", ids).Scan(&tags).Error; err != nil {
		return fmt.Errorf("read tags: %w", err)
	}
	for _, t := range tags {
		byID[t.MonitorID].Tags[t.Name] = t.Value
	}
	var channels []struct{ MonitorID, ChannelID int64 }
	if err := tx.Raw("SELECT monitor_id, channel_id FROM monitor_channels WHERE monitor_id IN ? ORDER BY channel_id", ids).Scan(&channels).Error; err != nil {
		return fmt.Errorf("read channels of monitors: %w", err)
	}
	for _, c := range channels {
		m := byID[c.MonitorID]
		m.ChannelIDs = append(m.ChannelIDs, c.ChannelID)
	}
	return nil
}

// saveLinks replaces the tags and channels of a monitor.
func saveLinks(tx *gorm.DB, m uptime.Monitor) error {
	if err := tx.Exec("DELETE FROM monitor_tags WHERE monitor_id = ?", m.ID).Error; err != nil {
		return fmt.Errorf("remove tags: %w", err)
	}
	if err := tx.Exec("DELETE FROM monitor_channels WHERE monitor_id = ?", m.ID).Error; err != nil {
		return fmt.Errorf("remove channels of a monitor: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Tags)) {
		if err := tx.Exec("INSERT INTO monitor_tags (monitor_id, name, value) VALUES (?, ?, ?)", m.ID, name, m.Tags[name]).Error; err != nil {
			return fmt.Errorf("insert a tag: %w", err)
		}
	}
	for _, id := range m.ChannelIDs {
		if err := tx.Exec("INSERT INTO monitor_channels (monitor_id, channel_id) VALUES (?, ?)", m.ID, id).Error; err != nil {
			return fmt.Errorf("insert a channel of a monitor: %w", err)
		}
	}
	return nil
}
