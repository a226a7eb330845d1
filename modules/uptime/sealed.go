package uptime

import "time"

// HolderGrace is how long a process that says nothing counts among those that run.
const HolderGrace = 15 * time.Second

// SealKey is a key that may have sealed what is stored.
type SealKey struct {
	ID string
	// Check is a value that this very key has sealed: another one that is taken for
	// it does not open it.
	Check  string
	UsedAt time.Time // when a process last began to seal by it
}

// KeyHolder is a process that runs, with the keys that it knows.
type KeyHolder struct {
	Member  string
	SealsBy string
	Knows   []string // SealsBy among them
	SeenAt  time.Time
}

// KeyRing is which keys are in use, and by whom.
type KeyRing struct {
	Keys    []SealKey   // in order of id
	Holders []KeyHolder // those that were seen within HolderGrace, in order of name
}

// SealedTable is a table that holds sealed values.
type SealedTable string

// The tables that hold sealed values.
const (
	SealedMonitors SealedTable = "monitors"
	SealedChannels SealedTable = "channels"
	SealedFactors  SealedTable = "users"
	SealedAnswers  SealedTable = "idempotency_keys"
)

// SealedTables are all of them.
func SealedTables() []SealedTable {
	return []SealedTable{SealedMonitors, SealedChannels, SealedFactors, SealedAnswers}
}

// SealedRow is a row that may hold sealed values, deleted ones among them.
type SealedRow struct {
	// ID is that of a monitor, a channel or a user; of a kept answer Answer names the
	// row.
	ID     int64
	Answer IdempotencyKey

	WorkspaceID int64  // of people and answers: the oldest one
	RowKey      string // what its values are bound to; of answers the digest of the request
	Name        string // for people
	Type        string // of a monitor or a channel
	// Value is the settings, or else the sealed value itself.
	Value string
}

// Resealed puts another value into a row where the old one still stands.
type Resealed struct {
	Row   SealedRow // with the old value
	Value string
}
