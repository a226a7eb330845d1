// Package manage is what a person may do with the program: it validates,
// permits, saves and audits, for api, web and the commands alike. Each method
// takes the actor, asks the one table of permissions (permission.go) first, and
// answers with views: the JSON shapes of the public contract, secrets masked.
//
// Objects are written as JSON bodies of that same shape. One strict reader
// (body.go) tells of every field that cannot be used at once; nothing in a body
// can make a method answer with an internal error. A change goes to the store in
// one transaction with its line of the audit log, and is announced on the bus
// after it is committed.
//
// All methods may be called concurrently. Errors are *uptime.Error or wrap a
// sentinel of package uptime; uptime.CodeOf tells which.
package manage
