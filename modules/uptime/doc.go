// Package uptime is the language of the program: the things that it speaks of
// (monitor, job, outcome, result, incident, event, channel, delivery, user) and
// the contracts that its parts share. It also holds the pure rules that must
// give the same answer everywhere: when a monitor is due (slot.go), what a
// series of results means (judge.go) and who is told of an event (event.go).
//
// It imports the standard library only, and every other package may import it.
// Nothing in it does I/O, reads the clock or starts a goroutine. All times are
// UTC; all values are safe to copy and none is changed after it was handed over
// unless a comment says otherwise.
package uptime
