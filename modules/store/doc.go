// Package store keeps everything in SQLite or PostgreSQL: one type, one schema,
// one suite of tests (storetest) for both. GORM does what is not hot; recording
// is plain SQL, the dialects side by side in recordsql.go. GORM types never leave
// the package.
//
// # Transactions and locks
//
//	write ──▶ gate ──▶ BEGIN ──▶ fn ──▶ COMMIT      again on: deadlock, serialization failure,
//	          (SQLite only, recorder first)         busy, a lost connection, a server that stops or starts
//
// SQLite has one writer connection. Writers queue at a gate at which the recorder
// goes first; nobody else may hold it over 50 ms. Readers are other connections and
// wait for nobody. Checkpoints of the WAL run in Run, on a connection of their own.
//
// On PostgreSQL the connections are divided among parts that cannot take each
// other's: the recorder (hot), deliveries and alarms (outbox), what leads and keeps
// house (main), pages and the API (pages), and Ping. What hangs in one delays no
// other, but for locks on the same rows, which are short: a transaction that
// nobody goes on with for five seconds, as its process is paused, is ended by the
// server, and its process runs it again when it wakes.
//
// A conflict is tried again for up to two seconds, a server that is away for half a
// one; then the call gives uptime.ErrUnavailable. A connection leads to a server
// that takes writes or is not made. When one stops taking them, every connection
// is dropped before its next use and the next try dials anew: of a URL with
// several hosts (and target_session_attrs=read-write) it finds the new primary.
//
// The row of monitor_states is the lock of its monitor: whoever records results of
// it, changes it, or changes an incident of it, locks that row first, several in
// order of id. Then come incidents, then events and deliveries; of channels after that
// only those that nobody holds (claimnew.go). Who claims or finishes locks the channel,
// then the delivery.
//
// Every call has a deadline. A function given to UpdateMonitor and its like, and
// Decide, may run several times; only the last run counts. When the connection is
// lost while committing, the call gives uptime.ErrUnavailable and may have
// committed: Record is safe to repeat, creations are guarded by idempotency keys.
//
// # Replicas
//
// Lists and sums of pages are read from database.replica_urls in turn, while Run
// watches them; all else, and a context of uptime.WithFresh, from the primary.
//
//	        answers, follows the primary, lag ≤ 30 s
//	unused ─────────────────────────────────────────▶ used
//	   ▲   looked at each second, or at once in doubt   │ a read fails or takes over a second:
//	   └────────────────────────────────────────────────┘ it goes to the primary, without an error
//
// The lag is told by the primary's own log positions of the last minute, not by
// the replica, which does not know what it has not got. Without the primary the
// replicas go on being read. A replica of another database stops the start.
//
// # Who may run at once
//
// Occupy takes an advisory lock: exclusive for a process without Redis, shared for
// those with it; see occupancy.go. On SQLite the data folder has a lock of its own.
//
// # Clocks
//
// Times come from the process, not from the database. A clock that was ahead and
// is set back leaves deliveries and reminders far in the future; ClaimDeliveries
// finds them and makes them due; see stray.go.
//
// # Results
//
// A result's key is monitor, region and slot; the first one stored stays. What is
// decided follows from the stored results alone: a batch reads the states it
// touches under lock, and where a result is not newer than the state, the latest
// results by slot, after the lock. Results beyond uptime.MaxRejudge are stored and
// judged no more.
//
// Advance stores successes of calm monitors (uptime.Calm) without judging them: one
// statement for each names the revision of the state that the process has judged,
// and does nothing where the row has another. Whoever writes monitor_states raises
// its revision (docs/adr/0011).
//
// On PostgreSQL results lie in a partition for each UTC day of their slot, made
// ahead (EnsurePartitions) and dropped behind (Purge). A result of a day without
// one is counted in Recorded.Dropped.
//
// # Status
//
// derivedSQL is the only definition of a monitor's status. Pending, up, degraded
// and down are stored; paused and unknown are derived when it is read.
//
// # Figures
//
// docs/uptime.md defines them and measure.go works them out, from sets of time:
// when the monitor was meant to be checked (monitor_schedules), when a result of
// any region speaks, when there was an outage, and maintenance.
//
//	results ──▶ hour of a monitor and region ──▶ UTC day
//	            counts, histogram, where known and    the same
//	            where down, slices of five minutes
//	incidents, past_outages ─────────────────────────────────▶ Stats, Buckets
//
// Rollups hold what results say. A result that comes after its hour was rolled up
// marks it in rollups_dirty to be done again, with the hours that it reaches into.
// Because rollups know where in the hour the known time lies, not only how much of
// it there is, several regions join into one monitor, and outages meet what is
// known, to the millisecond and in any window. Outages are never rolled up: late
// results move them over hours whose own results did not change. past_outages keeps
// those whose incidents retention removed. ADR 0009 says why.
//
// Pages read rollups, and stored results of the newest two hours at most; see
// reading.go. Both give the same figures, which a property test compares with an
// oracle that knows only results.
//
// # Missed slots
//
// Slots without a result are ranges, merged where they touch and are evenly spread.
// A stored result wins over the mark of its slot; see missedread.go. The audit
// compares the grid of monitor_schedules with results and ranges. Extra slots (a
// check at once) and retries are not on the grid and not audited.
package store
