// Package replay numbers what the bus says from the start of a process on and keeps
// the newest of it, so that an event stream which was cut goes on where it ended:
// those of the API and those of pages.
//
// A number of another process says nothing here. Who comes back with one, or with one
// that is not kept any more, is told to read everything anew: a notice without a topic.
package replay
