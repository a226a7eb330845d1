// Package recorder puts results into the store, in batches, and does what
// follows from a commit: it hands what was claimed to the notifier of its process,
// tells the bus, hands retries to the queue and acknowledges jobs, in that order. A job is acknowledged only when its result
// is stored, so whatever dies in between is checked again by another worker and
// absorbed by the result's key.
//
//	Submit ──▶ changed ── at once ──────────────▶ Record ─┬─ committed ─▶ claims, notices, retries, acks
//	       └─▶ steady ── ≤ Linger or a batch ─▶ Advance ──┤
//	                        or, not as known, ─▶ Record ──┤
//	                                                      ├─ database away ─▶ back, backoff
//	                                                      └─ refused ─▶ split, find the bad one
//
// A result that says what its monitor said before may wait for company: that
// halves what a row costs. One that says something new may not. Most of those that
// wait change nothing, which the store finds out without judging them (Advance);
// the others are judged (RecordAndClaim).
//
// While the database is away up to Spool results are held, their jobs leased
// (the worker renews what Unstored names). Beyond that the oldest unchanged ones
// become missed slots (overload), changed ones last: what is lost first is what
// says least.
//
// A result that the store refuses for its own sake must not hold up the others.
// A refused batch is halved until the bad ones are alone; they are dropped, and
// logged, once something else could be stored, for that proves that the fault is
// theirs. Where nothing can be stored the fault is the store's, and all wait.
package recorder
