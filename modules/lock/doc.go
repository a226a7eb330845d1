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
//   - A seat that is lost while the epoch is raised begins no term.
//   - All parts of a process that call Lead share one term. A part that calls it
//     later joins the term that runs. A part whose ctx ends leaves, and the term
//     goes on for the others; when the last has left, the seat is given back.
//   - When one part's follow returns before its ctx ended, the term ends for all
//     of them, the seat is given back, and the process waits RetryEvery before it
//     campaigns again, so that another one gets its chance.
//
// # The seat on Redis
//
// A key with a random value and a lease of 10 s (redsync). Its holder extends it
// every 3 s and trusts it for 7 s; others try for it every second.
//
//		sent         sent+3 s     sent+7 s          sent+10 s
//		 │ extension    │ the next   │ no longer       │ the server lets
//		 ▼ is sent      ▼ one        ▼ trusted: lost   ▼ others have it
//		─┴──────────────┴────────────┴────────────────┴──────────▶ monotonic clock
//		 └──────── a good answer moves all of it ─────┘
//
//	  - Trust counts from before the sending of the last extension that was answered
//	    well. It ends 3 s before the server gives the key to anybody else, which
//	    covers clocks that run at different speeds and a follow that takes a moment
//	    to stop.
//	  - "No" ends the term at once: the key is gone or somebody else's, and the time
//	    that the lease had left means nothing.
//	  - No answer is asked for again each half second until trust ends: a server that
//	    restarts with its data within that time costs no term.
//	  - A process that was paused finds, when it wakes, that trust has run out, both
//	    by a timer and by the checks around each extension; an extension that would
//	    then succeed is not counted.
//	  - Leaving deletes the key, so that another leads within a second. A server that
//	    does not hear it is told again before the next try.
//
// # Failures
//
// The in-process seat is never lost. The one on Redis can be, while the process
// still believes that it leads: a server that was emptied, that restarted without
// its data, or a replica promoted before the key reached it, gives the seat away at
// once, and until its next extension the old leader does not know. That is why
// every batch is fenced by the epoch (uptime.SlotPublisher), and why the lock alone
// protects nothing.
//
//	what happens                     who leads next, and when
//	SIGTERM                          another, within a second
//	kill -9                          another, when the lease ends: at most 10 s, and a second
//	paused, network cut              it stops by itself after 7 s; another after 10 s
//	key deleted, FLUSHALL            another, within a second; the old one ends within 3 s
//	Redis away for less than 4 s     the same one, in the same term, if the key is kept
//	Redis away for longer            nobody; then whoever asks first, the last leader's key
//	                                 being given back by itself
package lock
