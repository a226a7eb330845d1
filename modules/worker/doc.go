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
//
// # The own-fault guard
//
// A worker whose own network is cut must not say that the world is down.
//
//	                     a canary answers: as measured
//	                   ┌──────────────────────────────────────▶ recorder
//	probe ─▶ suspicious? ─ held, canaries are asked
//	            │ no      │ none answers, ≥ 5 hosts, ≥ half: unknown (network), alarm
//	            ▼         └──▶ network bad: suspicious failures are unknown at once,
//	         recorder               canaries are asked every 2 s
//	                                   │ one answers: alarm ends
//	                                   └──▶ network good again
//
// Suspicious are failures of kind dns, connect and timeout. A status, a refused
// connection, a bad certificate come from the target and pass at once: 40 targets
// that answer 500 together open 40 incidents without delay. An answer that began and
// did not end in time is held like the others, but is no evidence.
//
// One failure cannot be told from the first of many, so each suspicious one is
// held, leased as before, until canaries were asked after it: the time of one
// connect where the network works, 2 s at most in any case. Canaries are those of
// the settings; without any, up to 15 hosts that were reached within the last
// minute, healthy ones first (and not this machine itself while others are in
// question). Asked or checked, hosts that cannot be reached count alike, so the
// suspicion does not wait for the slots of slow monitors: it needs five hosts that
// began to fail within 10 s and, of the targets seen since the first of these, at
// least half. Below that, and where there is nobody to ask (no canaries named and
// fewer than five hosts known, or none of them reached lately), results stand.
//
// While the network is bad all suspicious failures are unknown, also those of
// checks that were begun before it came back and ended later. It is good again
// when a canary answers; without named ones also when any check gets an answer;
// and when most of what is checked does, for a named canary may be gone for good.
//
// Each cut raises one alarm (worker_network) in every workspace that it touched,
// and ends it. The database may be cut off as well: both are tried until they
// are said, in order. An alarm left by an earlier run under the same name ends with
// the first answer.
package worker
