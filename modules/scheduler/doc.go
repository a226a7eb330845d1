// Package scheduler publishes every slot of every monitor to the queue, once.
//
//	standby ──Lead──▶ take over ──▶ each tick: publish what is due up to now + Tick + publishAhead
//	   ▲                              │            ▲
//	   └── fenced, lost, stopped ─────┴── changes ─┘ (notice, refresh, re-read)
//
// A slot follows from a monitor's id and interval alone (uptime.NextSlot), so
// nothing is written for each check, and any leader computes the same schedule.
// "Published up to" is a watermark beside each partition of the queue.
//
// What jobs carry (uptime.Packed) is written when a monitor is read and shared by
// all its jobs; see docs/adr/0010-specs-in-jobs.md for what that takes.
//
// # Taking over
//
// A new leader raises its epoch on every partition first; from then on nobody
// else can publish. Then it goes on from each partition's watermark:
//
//   - The queue has one: from there. What became too old meanwhile is booked as
//     missed with the reason failover, whether a leader or the whole program was
//     away: the queue cannot tell.
//   - The queue lost it, or is in memory: from the copy in the database, and a
//     bit earlier (lostWith), because jobs that waited or ran were lost with it;
//     what the database already has a result for is left out. What became too
//     old is booked as stopped.
//   - Neither has one: from now.
//
// Slots younger than their monitor's interval are published, late; older ones
// are only booked.
//
// # The extra slot
//
// A monitor that was created, resumed or re-targeted has its change time as an
// extra slot (Monitor.CheckAt). It is published when it is noticed, watermark or
// not, unless a result at or after it is stored or it is older than the
// interval. Grid slots at or before it do not exist.
//
// # Failures
//
//   - A batch that failed is kept, and tried again at each tick before anything
//     new: partitions whose watermark shows that they have it are left out. While
//     it fails the timetable stands still, so nothing grows; afterwards what
//     became too old is booked as missed.
//   - The database away: slots go on from memory. Watermarks and missed ranges
//     wait. Nothing in the publishing loop waits for the database.
//   - A notice lost: the change is found by the next refresh. A refresh that
//     missed something: by the full re-read.
package scheduler
