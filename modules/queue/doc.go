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
// published batch; until one came nothing is held back. BacklogSaved says how
// much of the allowance can be saved up. What is on time is owed by the backlog:
// after a stop workers take three seconds' jobs at once, and run them while the
// backlog waits.
//
// # Promises
//
//   - A job is handed out at least once, until it is acknowledged. A key that
//     waits or is leased is not added again.
//   - Each partition has its own epoch and watermark, changed together with its
//     jobs. A batch of another epoch than the partition's adds nothing to it.
//   - A batch whose UpTo is zero, or not after the watermark, moves no watermark.
//   - The number of jobs held is bounded. Push is refused with uptime.ErrFull;
//     Publish drops the oldest slots that are not in a worker's hands.
//
// # In one process
//
// Memory has one order and one bound for all partitions. It ends with its process:
// its jobs and watermarks are lost, the scheduler goes on from the copy in the
// database, and the audit finds what was neither run nor published again.
//
// # On Redis
//
// Each partition (monitor id modulo their number) is a set of keys of one hash
// tag, changed only by scripts, each of which is one step: what a script of it
// began is done, or nothing is. The streams are what moves most:
//
//	Publish, Push ──slot ≤ now + TakeAhead──▶ ready (stream) ──Take──▶ leases (by end)
//	      └── later ──▶ delayed (by slot) ──────▲   │ too late             │ ended
//	                                                ▼                      │
//	                               late (by slot) + dying (by expiry) ◀────┘
//	                                                │ expired
//	                                                ▼
//	                                              gone (by slot)
//
// A job is an entry of its region's stream from when it may be taken until Ack
// deletes it; late, dying, gone and leases hold only the entry's id. The consumer
// group "workers" is the cursor between what nobody was given and the rest, and
// names each lease's holder for people. A hash ("held") has a field for each job by
// its key: empty while nobody had it, then entry and number of the last lease. So a
// receipt is good as long as that field says the same, and a key is not added twice.
//
// Take asks every partition for its share in one round trip (a cluster: one to each
// server). In each of these, Take first puts everything in its place, so no part of
// the queue needs a process that looks after it. Where there is nothing, it waits
// for the bell, a read of another connection that sees what is added, but a second
// at most. The order holds within a partition, in the stream's order: what the
// leader publishes is sorted within a batch. A backlog that is longer than one script
// goes through is looked through to its end before any of it is handed out.
//
// The clock is the server's. The bound and the pace are kept by partition: the bound
// in equal parts, the pace in parts that follow what was published to each.
//
// # When Redis fails
//
//   - It is away, loading, read-only, or a part of the cluster is: the calls give
//     uptime.ErrUnavailable within redisconn.Timeout, and nothing is tried again
//     here. Jobs of the parts that answer are handed out.
//   - An answer of Take is lost: its jobs come again when their leases end. An
//     answer of the others is lost: they may be repeated.
//   - It lost everything: streams and groups are made anew by who needs them. The
//     leader's next Publish gives uptime.ErrLost, for the epoch is not there.
//     Receipts from before are ignored.
//   - A replica was promoted without the last writes: the watermark is behind what
//     this leader moved it to, and Publish gives uptime.ErrLost. What was lost and
//     not moved by a watermark is found by the audit. An acknowledgement that was
//     lost is a job that comes again; its result is there, and changes nothing.
//   - A job cannot be read (written by a newer version): it is dropped, counted and
//     logged once; the audit finds its slot.
//   - Somebody removes the group: it is made again from the start of the stream, and
//     what is in other piles is passed over.
//
// Redis must not evict keys (maxmemory-policy noeviction): a lost part of a
// partition is not noticed by anybody. Every process must have the same number of
// partitions.
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
	// BacklogSaved is how much of the allowance is saved up while nothing is
	// taken, and BacklogBurst the least number of jobs that it amounts to.
	BacklogSaved = 500 * time.Millisecond
	BacklogBurst = 10
)
