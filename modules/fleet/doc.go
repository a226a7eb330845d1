// Package fleet is what the processes of one installation know of one another:
// who runs, in which roles and how well, and who wrote a moment ago. Memory is
// for a process that runs alone, Redis for many.
//
// # Members
//
//	each process ──Report every 5 s──▶ one hash in Redis ──Members──▶ every process
//
// Members are stamped by the clock of the server, so processes whose clocks
// differ agree on who is gone: whoever was not seen for Gone. Leave takes a
// process out at once. While Redis is away both fail, and callers show only
// themselves. A hash that was lost is whole again after one round of reports;
// Watch therefore waits a while before it says that nobody does a role.
//
// # Who wrote
//
// A replica of the database may be behind, so for uptime.RecentFor whoever wrote
// reads the primary, whichever process answers. Who is a text such as "user:7" or
// "token:12". A write is noted before its answer is sent: what a client does
// after it has the answer finds the note. Saying "wrote" when nobody did costs
// the primary some reads; the opposite shows somebody an old state. So in doubt
// the answer is always true:
//
//	what fails                     what is done
//	a note cannot be made          this process remembers it itself and goes on trying, until the
//	                               note is made or too old to matter
//	a question is not answered     true for everybody, until answers have come for RecentFor:
//	                               notes may have waited elsewhere, too
//	Redis was away, unasked        the same: the connection's state tells since when it is up
//	Redis lost its data            the same: a mark beside the notes is gone or another one
//	a process has just begun       the same from its first question on: it knows no mark yet
//	a question's client is gone    true for this request
//
// While nobody is answered, one question a second is asked, each within 250 ms:
// an outage makes no page slow.
//
// One hole is left. A Redis that is away for less than a second, between two looks
// at its state, while a process has a write to note: until that process's next
// try, at most 250 ms, others do not know. In a cluster the mark is on one
// server; a loss of data on another one only, without an outage, is not seen.
package fleet
