// Package queue implements uptime.JobQueue and uptime.SlotPublisher: the way of
// a check from the leading scheduler to a worker.
//
//	Publish, Push ──▶ coming (by slot) ──slot − TakeAhead──▶ taken ──Ack──▶ gone
//	                    │ slot + BacklogAfter passed          │ lease ended
//	                    ▼                                     │
//	                  backlog (newest first, paced) ◀─────────┘
//	                    │ Expires passed
//	                    ▼
//	                  expired (handed out marked, so that it is booked as missed)
//
// # Order
//
// Jobs whose slot is still ahead, or behind by at most BacklogAfter, are on
// time: they are handed out earliest slot first, so that a busy worker never
// holds a job of the next second while one of this second waits. What is older
// is a backlog: newest slots first, because an old answer is worth less, and at
// no more than BacklogFactor times the steady rate in sum with what is on time,
// so that a long stop does not end in a herd. The steady rate comes with each
// published batch; until one came nothing is held back. BacklogBurst says how
// much of the allowance can be saved up.
//
// # Promises
//
//   - A job is handed out at least once, until it is acknowledged. A key that
//     waits or is leased is not added again.
//   - Each partition has its own epoch and watermark, changed together with its
//     jobs. A batch of an epoch below a partition's adds nothing to it.
//   - A batch whose UpTo is zero, or not after the watermark, moves no watermark.
//   - The number of jobs held is bounded. Push is refused with uptime.ErrFull;
//     Publish drops the oldest slots that are not in a worker's hands.
//
// # Failures
//
// The in-process queue ends with its process: its jobs and watermarks are lost,
// the scheduler goes on from the copy in the database, and the audit finds what
// was neither run nor published again.
package queue

import "time"

// What implementations agree on; see the package's description.
const (
	// BacklogAfter is how far behind its slot a job is before it counts as
	// backlog.
	BacklogAfter = time.Second
	// BacklogFactor times the steady rate is the most that is handed out
	// while there is a backlog.
	BacklogFactor = 2
	// BacklogBurst is the least number of backlogged jobs that may be handed
	// out at once after a pause; otherwise it is one second's allowance.
	BacklogBurst = 10
)
