// Package lock implements uptime.Leader: one process of all leads.
//
//	campaigning ──seat won──▶ raising the epoch ──done──▶ leading (a term)
//	     ▲                        │ database away            │ a follow failed, all
//	     │                        ▼                          │ parts left, or the
//	     └───── RetryEvery ◀── seat given back ◀─────────────┘ seat was lost
//
// # Promises
//
//   - While a term lasts, no other contender is in one. Its epoch is higher than
//     that of every earlier term, because the database counts them.
//   - A win whose epoch cannot be raised does not lead: what reads the database
//     could do nothing, and another process may reach it.
//   - All parts of a process that call Lead share one term. A part that calls it
//     later joins the term that runs. A part whose ctx ends leaves, and the term
//     goes on for the others; when the last has left, the seat is given back.
//   - When one part's follow returns before its ctx ended, the term ends for all
//     of them, the seat is given back, and the process waits RetryEvery before it
//     campaigns again, so that another one gets its chance.
//
// # Failures
//
// The in-process seat is never lost. One on a server can be, while the process
// still believes that it leads: that is why every batch is fenced by the epoch
// (uptime.SlotPublisher), and why the lock alone protects nothing.
package lock
