package store

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// eventChunk bounds the parameters of one statement.
const eventChunk = 500

type eventRow struct {
	ID          string `gorm:"primaryKey"`
	WorkspaceID int64
	Type        string
	MonitorID   int64
	IncidentID  int64
	At          instant
	Data        string
}

func (eventRow) TableName() string { return "events" }

func (r eventRow) event() (uptime.Event, error) {
	e := uptime.Event{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Type: uptime.EventType(r.Type),
		MonitorID: r.MonitorID, IncidentID: r.IncidentID, At: r.At.time(),
	}
	if err := json.Unmarshal([]byte(r.Data), &e.Data); err != nil {
		return e, fmt.Errorf("read data of event %s: %w", r.ID, err)
	}
	return e, nil
}

// side is what an event is to its chain; see outbox.go.
type side string

const (
	sideNone  side = ""
	sideOpen  side = "open"
	sideNote  side = "note"
	sideClose side = "close"
)

// chainOf gives the chain of an event and its side in it.
func chainOf(e uptime.Event) (chain string, in side) {
	incident := "i" + strconv.FormatInt(e.IncidentID, 10)
	monitor := "m" + strconv.FormatInt(e.MonitorID, 10)
	switch e.Type {
	case uptime.EventOpened:
		return incident, sideOpen
	case uptime.EventAcknowledged, uptime.EventReminder:
		return incident, sideNote
	case uptime.EventResolved:
		return incident, sideClose
	case uptime.EventDegraded:
		return monitor, sideOpen
	case uptime.EventRecovered:
		return monitor, sideClose
	case uptime.EventAlarm:
		return alarmChain(e.Data.Alarm)
	case uptime.EventCertificate, uptime.EventTest:
	}
	return "", sideNone
}

func alarmChain(a *uptime.EventAlarmData) (string, side) {
	if a == nil {
		return "", sideNone
	}
	chain := "a" + string(a.Kind) + "/" + a.Subject
	if a.Ended {
		return chain, sideClose
	}
	return chain, sideOpen
}

// outgoing is a delivery that was just written, with what it takes where.
type outgoing struct {
	delivery deliveryRow // its id is not known
	event    eventRow
	channel  uptime.Channel
}

// insertEvents writes events and a delivery for each channel of their monitor
// that wants them, which it gives, and merges what they overtake. An event without
// a monitor reaches nobody.
//
// The caller holds the lock on the monitor's state (or the incident's row), so
// that the events of one chain are committed in order.
func (s *Store) insertEvents(tx *gorm.DB, events []uptime.Event) ([]outgoing, error) {
	if len(events) == 0 {
		return nil, nil
	}
	routes, err := monitorChannels(tx, events)
	if err != nil {
		return nil, err
	}
	silent, err := s.silences(tx, events)
	if err != nil {
		return nil, err
	}
	return s.insertRouted(tx, events, silent, func(e uptime.Event) []uptime.Channel {
		var wanted []uptime.Channel
		for _, c := range routes[e.MonitorID] {
			if c.WorkspaceID == e.WorkspaceID && c.Wants(e.Type) {
				wanted = append(wanted, c)
			}
		}
		return wanted
	})
}

// insertRouted writes events and their deliveries to the channels that route
// gives for each. Those of silent monitors are held until the end of the silence.
func (s *Store) insertRouted(tx *gorm.DB, events []uptime.Event, silent silences, route func(uptime.Event) []uptime.Channel) ([]outgoing, error) {
	rows := make([]eventRow, 0, len(events))
	var out []outgoing
	now := at(s.now())
	for _, e := range events {
		data, err := json.Marshal(e.Data)
		if err != nil {
			return nil, fmt.Errorf("write data of event %s: %w", e.ID, err)
		}
		row := eventRow{
			ID: e.ID, WorkspaceID: e.WorkspaceID, Type: string(e.Type),
			MonitorID: e.MonitorID, IncidentID: e.IncidentID, At: at(e.At), Data: string(data),
		}
		rows = append(rows, row)
		for _, c := range route(e) {
			out = append(out, outgoing{silent.hold(newDelivery(e, c.ID, now)), row, c})
		}
	}
	if err := s.insertEventRows(tx, rows); err != nil {
		return nil, err
	}
	deliveries := make([]deliveryRow, len(out))
	for i, o := range out {
		deliveries[i] = o.delivery
	}
	if err := s.insertDeliveryRows(tx, deliveries); err != nil {
		return nil, err
	}
	return out, s.mergeOvertaken(tx, events, silent, now)
}

// monitorChannels gives the living channels of each monitor named by events.
func monitorChannels(tx *gorm.DB, events []uptime.Event) (map[int64][]uptime.Channel, error) {
	routes := map[int64][]uptime.Channel{}
	var ids []int64
	for _, e := range events {
		if _, seen := routes[e.MonitorID]; !seen && e.MonitorID != 0 {
			routes[e.MonitorID] = nil
			ids = append(ids, e.MonitorID)
		}
	}
	channels := map[int64]uptime.Channel{} // each is read once, however many monitors use it
	for chunk := range slices.Chunk(ids, eventChunk) {
		if err := readChannelsOf(tx, chunk, channels); err != nil {
			return nil, err
		}
		var links []struct{ MonitorID, ChannelID int64 }
		err := tx.Raw(`SELECT monitor_id, channel_id FROM monitor_channels WHERE monitor_id IN (?)
			ORDER BY monitor_id, channel_id`, chunk).Scan(&links).Error
		if err != nil {
			return nil, fmt.Errorf("read channels of monitors: %w", err)
		}
		for _, l := range links {
			if c, living := channels[l.ChannelID]; living {
				routes[l.MonitorID] = append(routes[l.MonitorID], c)
			}
		}
	}
	return routes, nil
}

// readChannelsOf adds the living channels of monitors.
func readChannelsOf(tx *gorm.DB, monitors []int64, to map[int64]uptime.Channel) error {
	var rows []channelRow
	err := tx.Raw(`SELECT * FROM channels WHERE deleted_at IS NULL AND id IN
		(SELECT channel_id FROM monitor_channels WHERE monitor_id IN (?))`, monitors).Scan(&rows).Error
	if err != nil {
		return fmt.Errorf("read channels of monitors: %w", err)
	}
	for _, r := range rows {
		to[r.ID] = r.channel()
	}
	return nil
}

// mergeOvertaken ends what the closing events among these make pointless: an
// opening that was not yet sent becomes merged into them, and so does what lies
// between. The rows are locked first: one that is being sent stays as it is, and
// FinishDelivery, which waits for the lock, applies the same rule to it.
func (s *Store) mergeOvertaken(tx *gorm.DB, events []uptime.Event, silent silences, now instant) error {
	var closing, reminding []uptime.Event
	for _, e := range events {
		if _, in := chainOf(e); in == sideClose {
			closing = append(closing, e)
		} else if e.Type == uptime.EventReminder {
			reminding = append(reminding, e)
		}
	}
	for chunk := range slices.Chunk(closing, eventChunk) {
		if err := s.mergeClosed(tx, chunk, silent, now); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(reminding, eventChunk) {
		if err := s.mergeReminders(tx, chunk, now); err != nil {
			return err
		}
	}
	return nil
}

// unsent chooses the unfinished deliveries of chains. A chain of an alarm has
// the same name in every workspace, which its channels tell apart.
const unsent = `chain IN (?) AND due_at IS NOT NULL`

// lockUnsent locks the unfinished deliveries of the events' chains.
func (s *Store) lockUnsent(tx *gorm.DB, events []uptime.Event) (chains, ids []string, err error) {
	for _, e := range events {
		chain, _ := chainOf(e)
		chains = append(chains, chain)
		ids = append(ids, e.ID)
	}
	if s.dialect == dialectPostgres {
		var locked []int64
		err = tx.Raw(`SELECT id FROM deliveries WHERE `+unsent+` ORDER BY id FOR UPDATE`, chains).Scan(&locked).Error
		if err != nil {
			return nil, nil, fmt.Errorf("lock deliveries to merge: %w", err)
		}
	}
	return chains, ids, nil
}

func (s *Store) mergeClosed(tx *gorm.DB, closing []uptime.Event, silent silences, now instant) error {
	chains, ids, err := s.lockUnsent(tx, closing)
	if err != nil {
		return err
	}
	if err := silent.drop(tx, closing, now); err != nil {
		return err
	}
	err = tx.Exec(`UPDATE deliveries SET merges = TRUE
		WHERE event_id IN (?) AND status = 'pending' AND EXISTS (SELECT 1 FROM deliveries o
			WHERE o.channel_id = deliveries.channel_id AND o.chain = deliveries.chain
			AND o.side = 'open' AND o.status = 'pending' AND o.due_at IS NOT NULL AND o.id < deliveries.id)`, ids).Error
	if err != nil {
		return fmt.Errorf("mark merging deliveries: %w", err)
	}
	err = tx.Exec(`UPDATE deliveries SET status = 'merged', reason = ?, due_at = NULL, finished_at = ?
		WHERE `+unsent+` AND status = 'pending' AND side IN ('open', 'note') AND EXISTS (SELECT 1 FROM deliveries c
			WHERE c.channel_id = deliveries.channel_id AND c.chain = deliveries.chain
			AND c.event_id IN (?) AND c.id > deliveries.id)`, reasonMerged, now, chains, ids).Error
	if err != nil {
		return fmt.Errorf("merge deliveries: %w", err)
	}
	// Left are notes to channels that are not told of the end.
	err = tx.Exec(`UPDATE deliveries SET status = 'cancelled', reason = ?, due_at = NULL, finished_at = ?
		WHERE `+unsent+` AND status = 'pending' AND side = 'note'`, reasonResolved, now, chains).Error
	if err != nil {
		return fmt.Errorf("cancel overtaken deliveries: %w", err)
	}
	return nil
}

// mergeReminders lets a reminder stand for the older ones that were not sent: an
// endpoint that was away for hours gets one.
func (s *Store) mergeReminders(tx *gorm.DB, reminding []uptime.Event, now instant) error {
	chains, ids, err := s.lockUnsent(tx, reminding)
	if err != nil {
		return err
	}
	err = tx.Exec(`UPDATE deliveries SET status = 'merged', reason = ?, due_at = NULL, finished_at = ?
		WHERE `+unsent+` AND status = 'pending' AND event_type = ? AND EXISTS (SELECT 1 FROM deliveries c
			WHERE c.channel_id = deliveries.channel_id AND c.chain = deliveries.chain
			AND c.event_id IN (?) AND c.id > deliveries.id)`,
		reasonNewer, now, chains, string(uptime.EventReminder), ids).Error
	if err != nil {
		return fmt.Errorf("merge reminders: %w", err)
	}
	return nil
}
