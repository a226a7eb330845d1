// Package worker makes the checks that the queue hands out.
//
//	queue ──Take──▶ held ──at its slot──▶ backlog ──a checker is free──▶ probe ──▶ recorder
//	  ▲               └──────────────── stop: handed back ──┘                        │
//	  └──────────── Renew: held, running, and what the recorder has not stored ◀─────┘
//
// Jobs come up to uptime.TakeAhead before their slot and are held until then. One
// goroutine holds them all in a heap and releases them in groups a millisecond
// apart: a timer for each would cost more than the wake-ups that they save.
//
// A job is in exactly one pair of hands at a time: the worker's until its result
// is submitted, then the recorder's until it is stored and acknowledged. Whoever
// has it keeps its lease. A process that dies keeps none, and the queue gives its
// jobs to others; the key of a result makes a second run harmless.
//
// What keeps us from checking (an error of the probe, a panic, a secret that does
// not open, a process that was paused meanwhile) is a result that is unknown,
// never down.
package worker
