package uptime

import "time"

// ClaimParams bounds a claim of due deliveries.
type ClaimParams struct {
	Limit int
	// PerChannel bounds the deliveries of one channel in flight, those of
	// other notifiers included.
	PerChannel   int
	SkipChannels []int64
	Lease        time.Duration
	// At is when the offer was made that these are the bounds of.
	At time.Time
}

// OutboxDepth is what waits to be delivered.
type OutboxDepth struct {
	Due, Waiting, Dead int64
	Oldest             time.Time // creation of the oldest due one, zero: none
}

// Retention is how long history is kept; zero is for ever.
type Retention struct {
	Results, Rollups, Incidents time.Duration
}

// Purged counts what housekeeping removed.
type Purged struct {
	Results, Rollups, Incidents, Objects int64
}

// Storage is the database and what it takes in bytes.
type Storage struct {
	Kind, Version string
	Bytes         int64 // all of it
	// Results and Rollups are parts of Bytes; 0 where the database does not tell
	// without reading all of it.
	Results, Rollups int64
}

// IdempotencyKey names one request that must be done once.
type IdempotencyKey struct {
	Actor    ActorKey
	Key      string
	BodyHash string // keyed digest of method, path and body, hex
	// Older are the digests of the same by keys before the one in use.
	Older []string
}

// StoredAnswer is an answer that can be given again.
type StoredAnswer struct {
	Status int
	Header map[string]string
	Body   []byte
	// BodyHash is the digest that the request was stored with.
	BodyHash string
}

// CodeKeyReused says that an idempotency key came again with another body (422).
const CodeKeyReused Code = "idempotency_key_reused"

// Migration is one step of the database schema.
type Migration struct {
	Version   int64
	Name      string
	AppliedAt time.Time // zero: pending
}
