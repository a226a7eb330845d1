package uptime

import "time"

// Scheduled is what a scheduler must know of a monitor: there may be a million, so
// it is read without all that pages show.
type Scheduled struct {
	ID       int64
	Live     bool // enabled and not deleted
	Interval time.Duration
	Regions  []string // shared with others: not to be changed
	CheckAt  time.Time
	// ChangeSeq and UpdatedAt are of the last change of its settings.
	ChangeSeq int64
	UpdatedAt time.Time
	// LastSlot is the newest slot that has a result, and Answered the one up to
	// which every region has them.
	LastSlot, Answered time.Time
	// Spec is what its jobs carry.
	Spec Packed
}

// Scheduled is the monitor as a scheduler reads it.
func (m Monitor) Scheduled() Scheduled {
	return Scheduled{
		ID: m.ID, Live: m.Enabled && m.DeletedAt.IsZero(),
		Interval: m.Interval, Regions: m.Regions, CheckAt: m.CheckAt,
		ChangeSeq: m.ChangeSeq, UpdatedAt: m.UpdatedAt,
		LastSlot: m.State.LastSlot, Answered: m.answered(), Spec: Pack(m.Spec()),
	}
}

// answered is the slot up to which every region of the monitor has a result.
func (m Monitor) answered() time.Time {
	if len(m.Regions) == 1 {
		return m.State.LastSlot
	}
	var least time.Time
	for i, region := range m.Regions {
		if last := m.State.Regions[region].LastSlot; i == 0 || last.Before(least) {
			least = last
		}
	}
	return least
}
