// Package store keeps everything in SQLite or PostgreSQL: one type, one schema,
// one suite of tests (storetest) for both. GORM does what is not hot; recording
// is plain SQL, the dialects side by side in recordsql.go. GORM types never leave
// the package.
//
// # Transactions and locks
//
//	write, record ──▶ gate ──▶ BEGIN ──▶ fn ──▶ COMMIT      again on: deadlock, serialization
//	(record first)    SQLite only                            failure, busy, a lost connection
//
// SQLite has one writer connection. Writers queue at a gate at which the recorder
// goes first; nobody else may hold it over 50 ms. Readers are other connections and
// wait for nobody. Checkpoints of the WAL run in Run, on a connection of their own.
// On PostgreSQL the recorder, everything else and Ping have pools of their own.
//
// The row of monitor_states is the lock of its monitor: whoever records results of
// it, changes it, or changes an incident of it, locks that row first, several in
// order of id. Then come incidents, then events and deliveries.
//
// Every call has a deadline. A function given to UpdateMonitor and its like, and
// Decide, may run several times; only the last run counts. When the connection is
// lost while committing, the call gives uptime.ErrUnavailable and may have
// committed: Record is safe to repeat, creations are guarded by idempotency keys.
//
// # Results
//
// A result's key is monitor, region and slot; the first one stored stays. What is
// decided follows from the stored results alone: a batch reads the states it
// touches under lock, and where a result is not newer than the state, the latest
// results by slot, after the lock. Results beyond uptime.MaxRejudge are stored and
// judged no more.
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
//   - A result speaks for the time from its slot to the monitor's next slot with a
//     result, of any region, but for two intervals and uptime.UnknownGrace at most,
//     and not beyond the time in which the monitor was meant to be checked. Where
//     one of the results of a slot is not unknown, that time is known.
//   - Scheduled time is when the monitor was enabled and lived (monitor_schedules).
//     Unknown is scheduled less known time; coverage is known ÷ scheduled.
//   - Downtime is the overlap of the window with the monitor's outages: from the
//     slot of the first failure to that of the first success, whoever resolved the
//     incident and when. Retracted incidents are none. past_outages keeps outages
//     whose incidents retention removed.
//   - Uptime is 1 − downtime ÷ known time, nil without known time; where an outage
//     goes on while nothing is known, downtime counts as known. It is 1 only when
//     downtime is zero.
//   - Percentiles come from merged histograms of successful checks.
//
// Rollups hold counts, known time and histogram of complete hours and UTC days; a
// result that comes after its hour was rolled up marks it in rollups_dirty to be
// done again. Downtime is never rolled up: late results move outages. Stats reads
// complete hours and days from rollups and the rest from stored results; both give
// the same figures.
//
// # Missed slots
//
// Slots without a result are ranges, merged where they touch. A stored result wins
// over the mark of its slot: readers leave such slots out. The audit compares the
// grid of monitor_schedules with results and ranges. Extra slots (a check at once)
// and retries are not on the grid and not audited.
package store
