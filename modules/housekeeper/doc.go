// Package housekeeper does what must be done once for all processes, by and by:
// partitions, rollups, retention, the audit of missed slots, and the watchdog
// that announces monitors which became unknown. It works under the leader only.
//
//	            at first      then
//	partitions  at once       hourly
//	rollups     after 1 min   hourly, RollupDelay after the hour
//	audit       after 5 min   hourly
//	retention   after 10 min  hourly
//	watchdog    at once       every 10 s
//
// The tasks are independent: one that fails is logged and tried again (after
// retryEvery, or its own interval if that is shorter), and delays no other. No
// failure ends leadership or the process.
//
// # The audit
//
// It compares the slots that were due with results and booked ranges, and books
// the difference as lost, in windows of an hour from the end of the last one. A
// slot may still get its result until it is older than its interval, its timeout
// and a lease, so a window is closed only AuditAfter later. Where an interval is
// longer than that, a late result wins over the mark. The first audit waits until
// the scheduler, which takes over at the same moment, has booked what was missed
// while the program was stopped or no leader was there: those have their own
// reasons.
package housekeeper
