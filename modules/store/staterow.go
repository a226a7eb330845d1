package store

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"monitor/modules/uptime"
)

// stateColumns are the columns of monitor_states in the order of
// stateRow.fields.
func stateColumns() []string {
	return []string{
		"monitor_id", "change_seq", "status", "since", "last_recovery", "judge_from", "last_slot", "known_slot",
		"consecutive_failures", "last_response_us", "last_result", "last_error_kind", "last_error",
		"cert_not_after", "cert_warned", "outage", "regions",
	}
}

// stateRow is a row of monitor_states.
type stateRow struct {
	MonitorID           int64
	ChangeSeq           int64
	Status              int16
	Since               instant
	LastRecovery        instant
	JudgeFrom           instant
	LastSlot            instant
	KnownSlot           instant
	ConsecutiveFailures int
	LastResponseUS      int64 `gorm:"column:last_response_us"`
	LastResult          int16
	LastErrorKind       int16
	LastError           string
	CertNotAfter        instant
	CertWarned          string
	Outage              string
	Regions             string
}

// TableName implements gorm's Tabler.
func (stateRow) TableName() string { return "monitor_states" }

// fields to scan into, as stateColumns.
func (r *stateRow) fields() []any {
	return []any{
		&r.MonitorID, &r.ChangeSeq, &r.Status, &r.Since, &r.LastRecovery, &r.JudgeFrom, &r.LastSlot, &r.KnownSlot,
		&r.ConsecutiveFailures, &r.LastResponseUS, &r.LastResult, &r.LastErrorKind, &r.LastError,
		&r.CertNotAfter, &r.CertWarned, &r.Outage, &r.Regions,
	}
}

// regionRow is one region's streak as stored: shorter to write and read than
// times in words, which counts on the hot path.
type regionRow struct {
	Name         string `json:"n"`
	Down         bool   `json:"d,omitempty"`
	Answered     bool   `json:"a,omitempty"`
	Degraded     bool   `json:"g,omitempty"`
	Failures     int    `json:"f,omitempty"`
	Successes    int    `json:"s,omitempty"`
	FirstFailure int64  `json:"ff,omitempty"`
	FirstSuccess int64  `json:"fs,omitempty"`
	LastSlot     int64  `json:"ls,omitempty"` // 0: the monitor's
}

func (r stateRow) state() (uptime.State, error) {
	s := uptime.State{
		Status: statusOf(r.Status), Since: r.Since.time(), LastRecovery: r.LastRecovery.time(),
		JudgeFrom: r.JudgeFrom.time(), LastSlot: r.LastSlot.time(), KnownSlot: r.KnownSlot.time(),
		ConsecutiveFailures: r.ConsecutiveFailures,
		LastResponse:        time.Duration(r.LastResponseUS) * time.Microsecond,
		LastError:           r.LastError, LastErrorKind: kindOf(r.LastErrorKind),
		CertNotAfter: r.CertNotAfter.time(), CertWarned: r.CertWarned,
		Regions: map[string]uptime.RegionState{},
	}
	if r.LastResult != codePending { // no result is pending: 0 is none
		s.LastResult = statusOf(r.LastResult)
	}
	if r.Outage != "" {
		s.Outage = new(uptime.Outage)
		if err := json.Unmarshal([]byte(r.Outage), s.Outage); err != nil {
			return s, fmt.Errorf("read the outage of monitor %d: %w", r.MonitorID, err)
		}
	}
	if r.Regions == "" {
		return s, nil
	}
	var regions []regionRow
	if err := json.Unmarshal([]byte(r.Regions), &regions); err != nil {
		return s, fmt.Errorf("read the regions of monitor %d: %w", r.MonitorID, err)
	}
	for _, g := range regions {
		s.Regions[g.Name] = uptime.RegionState{
			Down: g.Down, Answered: g.Answered, Degraded: g.Degraded,
			Failures: g.Failures, Successes: g.Successes,
			FirstFailure: instant(g.FirstFailure).time(), FirstSuccess: instant(g.FirstSuccess).time(),
			LastSlot: instant(cmp.Or(g.LastSlot, int64(r.LastSlot))).time(),
		}
	}
	return s, nil
}

// rowOfState keeps the regions in the monitor's order, so that equal states are
// equal rows.
func rowOfState(m uptime.Monitor) (stateRow, error) {
	s := m.State
	r := stateRow{
		MonitorID: m.ID, ChangeSeq: m.ChangeSeq, Status: statusCode(s.Status),
		Since: at(s.Since), LastRecovery: at(s.LastRecovery), JudgeFrom: at(s.JudgeFrom),
		LastSlot: at(s.LastSlot), KnownSlot: at(s.KnownSlot), ConsecutiveFailures: s.ConsecutiveFailures,
		LastResponseUS: s.LastResponse.Microseconds(), LastErrorKind: kindCode(s.LastErrorKind), LastError: s.LastError,
		CertNotAfter: at(s.CertNotAfter), CertWarned: s.CertWarned,
	}
	if s.LastResult != "" {
		r.LastResult = statusCode(s.LastResult)
	}
	if s.Outage != nil {
		data, err := json.Marshal(s.Outage)
		if err != nil {
			return r, fmt.Errorf("write the outage of monitor %d: %w", m.ID, err)
		}
		r.Outage = string(data)
	}
	var regions []regionRow
	for _, name := range m.Regions {
		g, ok := s.Regions[name]
		if !ok {
			continue
		}
		row := regionRow{
			Name: name, Down: g.Down, Answered: g.Answered, Degraded: g.Degraded,
			Failures: g.Failures, Successes: g.Successes,
			FirstFailure: int64(at(g.FirstFailure)), FirstSuccess: int64(at(g.FirstSuccess)), LastSlot: int64(at(g.LastSlot)),
		}
		if len(m.Regions) == 1 && g.LastSlot.Equal(s.LastSlot) {
			row.LastSlot = 0 // what moves the monitor's newest slot alone moves it, too
		}
		regions = append(regions, row)
	}
	if len(regions) > 0 {
		data, err := json.Marshal(regions)
		if err != nil {
			return r, fmt.Errorf("write the regions of monitor %d: %w", m.ID, err)
		}
		r.Regions = string(data)
	}
	return r, nil
}
